//! The words of a pod, for people. Of an image that cannot be had kubelet tells what the container runtime told, which
//! tells what the registry told, and each of them names the image anew; only the last answer is news.
//!
//! Where this stops: nothing is left out but wrappers that are known and names that stand there already. Programs are
//! given the whole.

use std::borrow::Cow;

use pintle_core::problem::display_safe;

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

/// What a pod says, in brief and fit for a terminal. Other words are left as they are.
pub(super) fn brief(words: &str) -> String {
    let words = without_container(words);
    let reason = REASONS.iter().filter_map(|reason| words.find(reason)).min();
    let told = reason.and_then(|reason| Some(reason + words[reason..].find(": ")? + 2));
    let (head, told) = words.split_at(told.unwrap_or(words.len()));
    display_safe(&format!("{head}{}", answer(told)), usize::MAX)
}

/// What the last of them answered, with the image if that is not named in it.
fn answer(told: &str) -> String {
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

/// A container that has the name of its pod need not be named.
fn without_container(words: &str) -> Cow<'_, str> {
    let named = || {
        let (head, tail) = words.split_once(", container ")?;
        let (container, rest) = tail.split_once(": ")?;
        let pod = head.rsplit_once("pod ")?.1;
        pod.strip_prefix(container)?.starts_with('-').then(|| format!("{head}: {rest}"))
    };
    named().map_or(Cow::Borrowed(words), Cow::Owned)
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn of_an_image_that_cannot_be_had_the_last_answer_is_left_and_the_image_once() {
        for (told, left) in TOLD {
            let (told, left) =
                [told, left].map(|words| format!("pod x-1, container app: ErrImagePull: {words}")).into();
            assert_eq!(brief(&told), left);
        }
    }

    #[test]
    fn what_a_container_says_itself_is_left_as_it_is() {
        for words in [
            "pod web-1, container app: CrashLoopBackOff after 2 restarts: exit code 1: rpc error: code = Internal desc = boom",
            "pod web-1, container app: CreateContainerError: Error response from daemon: no such device: no such device",
            "until payments 2.0.3 is gone: checkout 1.8.2 needs payments >=2.1, <3",
        ] {
            assert_eq!(brief(words), words);
        }
        let restarted =
            "pod x-1: ImagePullBackOff after 1 restart: Back-off pulling image \"x:1\": ErrImagePull: x:1: not found";
        assert_eq!(brief(restarted), "pod x-1: ImagePullBackOff after 1 restart: x:1: not found");
    }

    #[test]
    fn a_container_is_named_where_it_has_not_the_name_of_its_pod() {
        for (told, left) in [
            ("pod web-1, container web: CrashLoopBackOff: exit code 1", "pod web-1: CrashLoopBackOff: exit code 1"),
            ("pod web-1, container we: Error", "pod web-1, container we: Error"),
            ("pod web-1, container app: Error", "pod web-1, container app: Error"),
            (
                "1 of 2 pods: pod web-1, container web: Error: a, container b: c",
                "1 of 2 pods: pod web-1: Error: a, container b: c",
            ),
        ] {
            assert_eq!(brief(told), left);
        }
    }

    #[test]
    fn last_words_of_several_lines_stay_on_one_and_steer_no_terminal() {
        assert_eq!(brief("exit code 1: panic:\n\u{1b}[31mred"), "exit code 1: panic:\\n\\u{1b}[31mred");
    }
}
