//! The forge page that opens a pull request, derived from the remote's URL alone, without a request.
//!
//! Hosts are recognised by name. A guess could send people to a page that does not exist.

use reqwest::Url as Page;

use super::super::RemoteUrl;
use super::super::url::UrlScheme;
use super::CommitMessage;

/// A kind of forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forge {
    GitHub,
    GitLab,
    /// Also Forgejo, which descends from it.
    Gitea,
    /// Only bitbucket.org: self-hosted Bitbucket has other pages.
    Bitbucket,
}

/// The maximum length of a link. Servers refuse longer ones (414), and terminals and chats cut them.
const MAX_LINK_BYTES: usize = 4000;

/// Replaces the part of a message that exceeds the link.
const SHORTENED_NOTE: &str = "… (shortened: the commit says all)";

/// Returns the page that opens a pull request from `branch` into `base`, prefilled with the commit's message. Unknown
/// hosts have none.
pub(super) fn pull_request_page(
    remote: &RemoteUrl,
    [base, branch]: [&str; 2],
    message: &CommitMessage,
) -> Option<String> {
    let (forge, home) = home(remote)?;
    let filled = |body: &str| forge.pull_request_page(home.clone(), [base, branch], &message.subject, body);
    let end = message.trailers_as_text();
    let whole = |text: &str| [text.trim(), end.trim()].join("\n\n").trim().to_owned();
    let body = message.body.trim();
    let page = filled(&whole(body));
    if page.len() <= MAX_LINK_BYTES {
        return Some(page);
    }
    // 1. As much of the body as fits, preferably up to the end of a line.
    let cut = |end: usize| whole(&format!("{}\n{SHORTENED_NOTE}", line_end(&body[..end])));
    let ends: Vec<usize> = body.char_indices().map(|(end, _)| end).collect();
    let fits = ends.partition_point(|end| filled(&cut(*end)).len() <= MAX_LINK_BYTES);
    if let Some(end) = fits.checked_sub(1) {
        return Some(filled(&cut(ends[end])));
    }
    // 2. The trailers do not fit either, as they list thousands of services.
    Some(filled(SHORTENED_NOTE)).filter(|page| page.len() <= MAX_LINK_BYTES)
}

/// Returns the text up to its last complete line, or all of it if it has none.
fn line_end(text: &str) -> &str {
    text.rfind('\n').map_or(text, |end| &text[..end])
}

impl Forge {
    fn pull_request_page(self, mut page: Page, [base, branch]: [&str; 2], title: &str, body: &str) -> String {
        let root = page.path().trim_end_matches('/').to_owned();
        let (path, pairs) = match self {
            Self::GitHub | Self::Gitea => {
                // The URL type encodes everything in the path except `%`.
                let [base, branch] = [base, branch].map(|name| name.replace('%', "%25"));
                (format!("compare/{base}...{branch}"), vec![("quick_pull", "1"), ("title", title), ("body", body)])
            }
            Self::GitLab => {
                let pairs = [
                    ("merge_request[source_branch]", branch),
                    ("merge_request[target_branch]", base),
                    ("merge_request[title]", title),
                    ("merge_request[description]", body),
                ];
                ("-/merge_requests/new".to_owned(), pairs.to_vec())
            }
            // Bitbucket takes title and description from the commit.
            Self::Bitbucket => ("pull-requests/new".to_owned(), vec![("source", branch), ("dest", base)]),
        };
        page.set_path(&format!("{root}/{path}"));
        page.query_pairs_mut().extend_pairs(pairs);
        page.into()
    }
}

/// Returns the forge of a remote and the repository's page there.
fn home(remote: &RemoteUrl) -> Option<(Forge, Page)> {
    let host = remote.authority.rsplit('@').next()?;
    // Forges offer ssh on port 443 under separate host names.
    let host = ["ssh.github.com", "altssh.gitlab.com", "altssh.bitbucket.org"]
        .contains(&host)
        .then(|| host.split_once('.').map(|(_, host)| host))
        .flatten()
        .unwrap_or(host);
    let forge = forge(host)?;
    let (scheme, port) = match remote.scheme {
        UrlScheme::Https => ("https", remote.port),
        UrlScheme::Http => ("http", remote.port),
        // The ssh port is unrelated to the web port.
        UrlScheme::Ssh => ("https", None),
        UrlScheme::File => return None,
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let path = remote.path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let parts = path.split('/').filter(|part| !part.is_empty()).count();
    let is_repository = match forge {
        Forge::GitHub | Forge::Bitbucket => parts == 2,
        // GitLab groups nest; a Gitea may live in a subfolder of its host.
        Forge::GitLab | Forge::Gitea => parts >= 2,
    };
    let page = Page::parse(&format!("{scheme}://{host}{port}/{path}")).ok()?;
    is_repository.then_some((forge, page))
}

/// Recognises a forge by a whole word of the host name: `github.com`, `gitlab.acme.com`, `gitea-eu.acme.com`.
fn forge(host: &str) -> Option<Forge> {
    match host {
        "bitbucket.org" => return Some(Forge::Bitbucket),
        "codeberg.org" => return Some(Forge::Gitea),
        _ => {}
    }
    host.split(['.', '-']).find_map(|word| match word {
        "github" => Some(Forge::GitHub),
        "gitlab" => Some(Forge::GitLab),
        "gitea" | "forgejo" => Some(Forge::Gitea),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::RepositoryLocation;
    use super::*;

    fn opens(remote: &str, body: &str) -> Option<String> {
        let Ok(RepositoryLocation::Url(remote)) = RepositoryLocation::parse(remote) else { panic!("{remote}") };
        let message = CommitMessage {
            subject: "Pin a 1 & b".to_owned(),
            body: body.to_owned(),
            trailers: vec![("Pintle-Id", "ab12".to_owned())],
        };
        pull_request_page(&remote, ["main", "pintle/pin-a#1"], &message)
    }

    #[test]
    fn every_spelling_of_a_remote_leads_to_the_page_of_its_forge() {
        let github = "https://github.com/acme/pins/compare/main...pintle/pin-a%231?quick_pull=1&title=Pin+a+1+%26+b&body=Why.%0A%0APintle-Id%3A+ab12";
        for remote in [
            "https://github.com/acme/pins.git",
            "git@github.com:acme/pins.git",
            "ssh://git@github.com/acme/pins",
            "ssh://git@ssh.github.com:443/acme/pins.git",
        ] {
            assert_eq!(opens(remote, "Why.").unwrap(), github, "{remote}");
        }
        assert_eq!(
            opens("git@gitlab.acme.com:shop/eu/pins.git", "").unwrap(),
            "https://gitlab.acme.com/shop/eu/pins/-/merge_requests/new?merge_request%5Bsource_branch%5D=pintle%2Fpin-a%231&merge_request%5Btarget_branch%5D=main&merge_request%5Btitle%5D=Pin+a+1+%26+b&merge_request%5Bdescription%5D=Pintle-Id%3A+ab12"
        );
        assert_eq!(
            opens("https://forgejo.acme.com:3000/git/acme/pins", "").unwrap(),
            "https://forgejo.acme.com:3000/git/acme/pins/compare/main...pintle/pin-a%231?quick_pull=1&title=Pin+a+1+%26+b&body=Pintle-Id%3A+ab12"
        );
        assert_eq!(
            opens("ssh://git@altssh.bitbucket.org:443/acme/pins.git", "").unwrap(),
            "https://bitbucket.org/acme/pins/pull-requests/new?source=pintle%2Fpin-a%231&dest=main"
        );
        assert!(
            opens("ssh://git@codeberg.org/acme/pins.git", "")
                .unwrap()
                .starts_with("https://codeberg.org/acme/pins/compare/")
        );
    }

    #[test]
    fn no_page_is_guessed() {
        for remote in [
            "https://git.acme.com/acme/pins.git",
            "https://notgithub.com/acme/pins",
            "https://github.com/pins",
            "https://github.com/acme/pins/wiki",
            "https://bitbucket.acme.com/scm/shop/pins.git",
            "git@gh-work:acme/pins.git",
            "file:///srv/github.com/acme/pins.git",
        ] {
            assert_eq!(opens(remote, "Why."), None, "{remote}");
        }
    }

    #[test]
    fn a_link_is_bounded_and_cut_where_a_line_ends_before_what_programs_read() {
        let lines: Vec<String> = (0..500).map(|line| format!("säge-{line} 1.0 -> 0.9: asked for")).collect();
        let link = opens("https://github.com/acme/pins", &lines.join("\n")).unwrap();
        let page = Page::parse(&link).unwrap();
        let (_, body) = page.query_pairs().find(|(name, _)| name == "body").unwrap();
        assert!(link.len() <= MAX_LINK_BYTES && link.len() > MAX_LINK_BYTES - 100, "{}", link.len());
        assert!(body.starts_with("säge-0 1.0 -> 0.9: asked for\nsäge-1 "), "{body}");
        assert!(body.ends_with(": asked for\n… (shortened: the commit says all)\n\nPintle-Id: ab12"), "{body}");
        // A single line without an end.
        let link = opens("https://github.com/acme/pins", &"ß".repeat(9000)).unwrap();
        assert!(link.len() <= MAX_LINK_BYTES && link.len() > MAX_LINK_BYTES - 100, "{}", link.len());
    }
}
