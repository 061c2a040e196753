//! Credentials for https. Only the server of the URL receives them, and the user is never prompted.
#![expect(clippy::disallowed_methods, reason = "this room starts programs")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use gix::credentials::helper::Action;
use gix::credentials::protocol::{Context, Outcome};
use gix::sec::identity::Account;

use super::{Credentials, RemoteUrl};

/// Answers gix's request for credentials. The two other actions, store and erase, are ignored.
pub(super) fn answer(action: &Action, url: &RemoteUrl, credentials: &Credentials) -> Option<Outcome> {
    let Action::Get(context) = action else { return None };
    if !is_for(context, url) {
        return None;
    }
    let known = match credentials {
        Credentials::None => None,
        Credentials::Known(user, password) => Some((user.clone(), password.clone())),
        Credentials::Helper => fill(&url.fetch),
    };
    known.map(|(username, password)| Outcome {
        identity: Account { username, password, oauth_refresh_token: None },
        next: Context::default().into(),
    })
}

/// Returns whether the request comes from the server the user named, not from one it redirected to.
fn is_for(context: &Context, url: &RemoteUrl) -> bool {
    let asked = context.url.as_ref().map(ToString::to_string).unwrap_or_default();
    let origin = |url: &str| url.split('/').take(3).collect::<Vec<_>>().join("/").to_ascii_lowercase();
    origin(&asked) == origin(&url.fetch)
}

/// Runs `git credential fill`, which queries the configured helper.
pub(super) fn fill(url: &str) -> Option<(String, String)> {
    let mut child = Command::new("git")
        .args(["credential", "fill"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "")
        .env("SSH_ASKPASS", "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(format!("url={url}\n\n").as_bytes()).ok()?;
    let output = child.wait_with_output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    field("username=").zip(field("password="))
}
