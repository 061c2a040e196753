//! The words of a pod, for people. Of an image that cannot be had kubelet tells what the container runtime told, which
//! tells what the registry told, and each of them names the image anew; only the last answer is news.
//!
//! Where this stops: nothing is left out but wrappers that are known and names that stand there already. Programs are
//! given the whole.

use pintle_core::verify::UnreadyPod;

/// What stands before the answer, and says nothing but which image is meant: the words before and after its name.
/// By kubelet, containerd, CRI-O and Docker (cri-dockerd), in the order in which they tell it to each other.
const WRAPPERS: &[(&str, &str)] = &[
    ("Back-off pulling image \"", "\": "),
    ("rpc error: code = ", " desc = "),
    ("failed to pull and unpack image \"", "\": "),
    ("failed to pull image \"", "\": "),
    ("failed to resolve reference \"", "\": "),
    ("failed to do request: ", ""),
    ("unable to pull image or OCI artifact: pull image err: ", ""),
    ("initializing source docker://", ": "),
    ("Error response from daemon: ", ""),
];

/// The reasons that such words follow: of the later attempts, and of the first, which is told again within the later.
const REASONS: [&str; 2] = ["ImagePullBackOff", "ErrImagePull"];

/// Shortens what a pod says to what is news.
pub(super) fn condense(pod: &mut UnreadyPod) {
    let Some(issue) = &mut pod.issue else { return };
    if REASONS.contains(&issue.reason.as_str()) {
        issue.message = condense_pod_message(&issue.message);
    }
    // A container that has the name of its pod need not be named.
    issue
        .container
        .take_if(|container| pod.name.strip_prefix(container.as_str()).is_some_and(|rest| rest.starts_with('-')));
}

/// What the last of them answered, with the image if that is not named in it.
fn condense_pod_message(told: &str) -> String {
    let (mut rest, mut image) = (told, None);
    while let Some((name, within)) = WRAPPERS.iter().find_map(|wrapper| unwrapped(rest, *wrapper)) {
        image = image.or(name);
        rest = within.strip_prefix("ErrImagePull: ").unwrap_or(within);
    }
    let rest = once(without_artifact(rest));
    match image {
        // CRI-O names tag and repository apart.
        Some(image) if !rest.contains(repository(image)) => format!("{image}: {rest}"),
        _ => rest.to_owned(),
    }
}

/// What is told within a wrapper, and the image that this names; only where something is told.
fn unwrapped<'t>(text: &'t str, (before, after): (&str, &str)) -> Option<(Option<&'t str>, &'t str)> {
    let (name, rest) = text.strip_prefix(before)?.split_once(after)?;
    let is_image = after.starts_with(['"', ':']);
    (!rest.is_empty()).then_some((Some(name).filter(|_| is_image), rest))
}

/// CRI-O asks a second time, for an artifact, and the registry mostly answers the same.
fn without_artifact(text: &str) -> &str {
    let last = |text: &str| text.rsplit(": ").next().map(str::to_owned);
    match text.split_once("; artifact err: ") {
        Some((image, artifact)) if last(image) == last(artifact) => image,
        _ => text,
    }
}

/// Docker says `manifest unknown: manifest unknown`.
fn once(text: &str) -> &str {
    match text.rsplit_once(": ") {
        Some((rest, last)) if rest.ends_with(&format!(": {last}")) => rest,
        _ => text,
    }
}

/// The name without tag and digest.
fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use pintle_core::workload::PodIssue;

    use super::*;

    /// Of kubelets with containerd, CRI-O and Docker, as they stand in `state.waiting.message`; and what is left.
    const TOLD: &[(&str, &str)] = &[
        // containerd
        (
            r#"Back-off pulling image "ghcr.io/acme/x:1": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "ghcr.io/acme/x:1": failed to resolve reference "ghcr.io/acme/x:1": ghcr.io/acme/x:1: not found"#,
            "ghcr.io/acme/x:1: not found",
        ),
        (
            r#"rpc error: code = Unknown desc = failed to pull and unpack image "docker.io/acme/x:1": failed to resolve reference "docker.io/acme/x:1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"#,
            "docker.io/acme/x:1: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
        ),
        (
            r#"failed to pull and unpack image "ghcr.io/acme/x:1": failed to resolve reference "ghcr.io/acme/x:1": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fx%3Apull&service=ghcr.io: 401 Unauthorized"#,
            "ghcr.io/acme/x:1: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fx%3Apull&service=ghcr.io: 401 Unauthorized",
        ),
        (
            r#"rpc error: code = DeadlineExceeded desc = failed to pull and unpack image "r.acme.dev/x:1": failed to resolve reference "r.acme.dev/x:1": failed to do request: Head "https://r.acme.dev/v2/x/manifests/1": dial tcp 10.0.0.1:443: i/o timeout"#,
            r#"r.acme.dev/x:1: Head "https://r.acme.dev/v2/x/manifests/1": dial tcp 10.0.0.1:443: i/o timeout"#,
        ),
        (
            r#"rpc error: code = Unknown desc = failed to pull and unpack image "r.acme.dev:5000/x:1": failed to resolve reference "r.acme.dev:5000/x:1": failed to do request: Head "https://mirror.acme.dev/v2/x/manifests/1": x509: certificate signed by unknown authority"#,
            r#"r.acme.dev:5000/x:1: Head "https://mirror.acme.dev/v2/x/manifests/1": x509: certificate signed by unknown authority"#,
        ),
        (
            r#"rpc error: code = NotFound desc = failed to pull and unpack image "ghcr.io/acme/x:1": no match for platform in manifest: not found"#,
            "ghcr.io/acme/x:1: no match for platform in manifest: not found",
        ),
        (
            r#"rpc error: code = Unknown desc = failed to pull and unpack image "docker.io/library/x:1": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/x/manifests/sha256:00: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit."#,
            "docker.io/library/x:1: failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/x/manifests/sha256:00: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.",
        ),
        (
            r#"rpc error: code = Unknown desc = failed to pull and unpack image "ghcr.io/acme/x:1": failed to extract layer sha256:00: write /var/lib/containerd/tmp: no space left on device: unknown"#,
            "ghcr.io/acme/x:1: failed to extract layer sha256:00: write /var/lib/containerd/tmp: no space left on device: unknown",
        ),
        // CRI-O
        (
            r"rpc error: code = Unknown desc = reading manifest 1 in quay.io/acme/x: manifest unknown",
            "reading manifest 1 in quay.io/acme/x: manifest unknown",
        ),
        (
            r#"Back-off pulling image "quay.io/acme/x:1": ErrImagePull: initializing source docker://quay.io/acme/x:1: reading manifest 1 in quay.io/acme/x: unauthorized: access to the requested resource is not authorized"#,
            "reading manifest 1 in quay.io/acme/x: unauthorized: access to the requested resource is not authorized",
        ),
        (
            r#"Back-off pulling image "quay.io/acme/x:1": ErrImagePull: unable to pull image or OCI artifact: pull image err: initializing source docker://quay.io/acme/x:1: reading manifest 1 in quay.io/acme/x: manifest unknown; artifact err: get manifest: build image source: reading manifest 1 in quay.io/acme/x: manifest unknown"#,
            "reading manifest 1 in quay.io/acme/x: manifest unknown",
        ),
        (
            r"unable to pull image or OCI artifact: pull image err: initializing source docker://quay.io/acme/x:1: reading manifest 1 in quay.io/acme/x: manifest unknown; artifact err: unsupported media type",
            "reading manifest 1 in quay.io/acme/x: manifest unknown; artifact err: unsupported media type",
        ),
        (
            r#"rpc error: code = Unknown desc = pinging container registry r.acme.dev: Get "https://r.acme.dev/v2/": dial tcp: lookup r.acme.dev on 10.0.0.10:53: no such host"#,
            r#"pinging container registry r.acme.dev: Get "https://r.acme.dev/v2/": dial tcp: lookup r.acme.dev on 10.0.0.10:53: no such host"#,
        ),
        // Docker
        (
            r"rpc error: code = Unknown desc = Error response from daemon: manifest for ghcr.io/acme/x:1 not found: manifest unknown: manifest unknown",
            "manifest for ghcr.io/acme/x:1 not found: manifest unknown",
        ),
        (
            r#"Back-off pulling image "acme/x:1": ErrImagePull: Error response from daemon: pull access denied for acme/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"#,
            "pull access denied for acme/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
        ),
        (
            r#"rpc error: code = Unknown desc = Error response from daemon: Get "https://r.acme.dev/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"#,
            r#"Get "https://r.acme.dev/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"#,
        ),
        // Where nothing more is told, what is told stays: kubelets before 1.32, and calls that were given up.
        (r#"Back-off pulling image "ghcr.io/acme/x:1""#, r#"Back-off pulling image "ghcr.io/acme/x:1""#),
        ("rpc error: code = Canceled desc = context canceled", "context canceled"),
        ("rpc error: code = Unavailable desc = ", "rpc error: code = Unavailable desc = "),
        (
            "container has runAsNonRoot and image will run as root",
            "container has runAsNonRoot and image will run as root",
        ),
    ];

    fn condensed(name: &str, container: &str, reason: &str, message: &str) -> String {
        let issue = PodIssue {
            container: Some(container.to_owned()),
            reason: reason.to_owned(),
            message: message.to_owned(),
            restarts: 1,
        };
        let mut pod = UnreadyPod { name: name.to_owned(), is_process: false, issue: Some(issue) };
        condense(&mut pod);
        pod.to_string()
    }

    #[test]
    fn of_an_image_that_cannot_be_had_the_last_answer_is_left_and_the_image_once() {
        for (told, left) in TOLD {
            for reason in REASONS {
                let left = format!("pod x-1, container app: {reason} after 1 restart: {left}");
                assert_eq!(condensed("x-1", "app", reason, told), left);
            }
        }
    }

    #[test]
    fn what_a_container_says_itself_is_left_as_it_is() {
        for (reason, words) in [
            ("CrashLoopBackOff", "exit code 1: rpc error: code = Internal desc = boom"),
            ("CreateContainerError", "Error response from daemon: no such device: no such device"),
        ] {
            let left = format!("pod web-1, container app: {reason} after 1 restart: {words}");
            assert_eq!(condensed("web-1", "app", reason, words), left);
        }
    }

    #[test]
    fn a_container_is_named_where_it_has_not_the_name_of_its_pod() {
        for (container, left) in [
            ("web", "pod web-1: Error after 1 restart"),
            ("we", "pod web-1, container we: Error after 1 restart"),
            ("app", "pod web-1, container app: Error after 1 restart"),
        ] {
            assert_eq!(condensed("web-1", container, "Error", ""), left);
        }
    }
}
