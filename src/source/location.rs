//! Where the pin repository is: a path, or a URL without credentials, in one normal form.

use std::fmt;
use std::path::PathBuf;

use super::SourceError;
use super::error::Result;

/// The place of a pin repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// A repository of this host, read where it is.
    Path(PathBuf),
    /// A remote, mirrored in the cache.
    Url(Url),
}

/// A checked URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url {
    /// What is fetched from.
    pub(super) fetch: String,
    /// The same for all spellings of one remote.
    normal: String,
    pub(super) scheme: Scheme,
    /// `user@host` or `host`.
    pub(super) server: String,
    pub(super) port: Option<u16>,
    /// As the server is asked for it.
    pub(super) path: String,
}

/// The transports that are used; a transport helper such as `ext::` is a way to run programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Scheme {
    Https,
    Http,
    Ssh,
    File,
}

/// Why a text is no location, and what to type instead.
type Refusal = (&'static str, &'static str);

const FORMS: &str = "write a path, https://host/path, ssh://user@host/path or user@host:path";
const CREDENTIALS: Refusal =
    ("it carries credentials", "leave them out of the URL; they belong to a credential helper or a token file");

impl Location {
    /// Reads what a user typed. Plain http is refused, as whoever is on the way can change what is deployed.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text, false)
    }

    /// The same, for users who asked for plain http.
    pub fn parse_with_plain_http(text: &str) -> Result<Self> {
        Self::read(text, true)
    }

    fn read(text: &str, plain_http: bool) -> Result<Self> {
        let refuse = |(why, hint)| SourceError::Location { shown: redact(text), why, hint };
        if text.is_empty() {
            return Err(refuse(("it is empty", FORMS)));
        }
        if text.starts_with('-') {
            return Err(refuse(("it begins with a dash, like an option", "write ./-name for such a folder")));
        }
        if text.chars().any(char::is_control) {
            return Err(refuse(("it has control characters", FORMS)));
        }
        let colon = text.find(':').filter(|colon| !text[..*colon].contains(['/', '\\']));
        match (text.split_once("://"), colon) {
            (Some((scheme, rest)), _) => url(scheme, rest, plain_http).map(Self::Url).map_err(refuse),
            (None, Some(colon)) if text[colon..].starts_with("::") => {
                Err(refuse(("transport helpers run programs", FORMS)))
            }
            // A single letter is a drive, not a host.
            (None, Some(colon)) if !(cfg!(windows) && colon == 1) => {
                scp(&text[..colon], &text[colon + 1..]).map(Self::Url).map_err(refuse)
            }
            _ => Ok(Self::Path(PathBuf::from(text))),
        }
    }

    /// A name for its folder in the cache: unlike for unlike locations, and readable.
    pub fn slug(&self) -> String {
        let normal = self.to_normal();
        let readable: String = normal
            .rsplit_once("://")
            .map_or(normal.as_str(), |(_, rest)| rest)
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let tail: String = readable.chars().skip(readable.len().saturating_sub(40)).collect();
        format!("{}-{}", &super::content_id(normal.as_bytes()).to_hex()[..16], tail.trim_matches('-'))
    }

    fn to_normal(&self) -> String {
        match self {
            Self::Path(path) => path.to_string_lossy().into_owned(),
            Self::Url(url) => url.normal.clone(),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&url.fetch),
        }
    }
}

/// `scheme://[user@]host[:port]/path`.
fn url(scheme: &str, rest: &str, plain_http: bool) -> Result<Url, Refusal> {
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => Scheme::Https,
        "ssh" | "git+ssh" | "ssh+git" => Scheme::Ssh,
        "file" => Scheme::File,
        "http" if plain_http => Scheme::Http,
        "http" => return Err(("plain http can be changed on its way", "use https")),
        _ => return Err(("its scheme is unknown", FORMS)),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let (user, server) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if user.is_some_and(|user| scheme != Scheme::Ssh || user.contains(':')) {
        return Err(CREDENTIALS);
    }
    if scheme == Scheme::File {
        return file(server, path);
    }
    let (host, port) = host_and_port(server)?;
    let host = check_host(host)?;
    let default = match scheme {
        Scheme::Https => 443,
        Scheme::Http => 80,
        Scheme::Ssh | Scheme::File => 22,
    };
    let port = port.filter(|port| *port != default);
    let user = user.map(check_user).transpose()?.map(|user| format!("{user}@")).unwrap_or_default();
    let path = check_path(path)?;
    let base = format!("{}://{user}{host}{}", scheme.name(), port.map(|port| format!(":{port}")).unwrap_or_default());
    Ok(Url {
        fetch: format!("{base}{path}"),
        normal: format!("{base}{}", bare(path)),
        scheme,
        server: format!("{user}{host}"),
        port,
        // ssh://host/~ada/pins is a path of Ada's home.
        path: path.strip_prefix('/').filter(|path| path.starts_with('~')).unwrap_or(path).to_owned(),
    })
}

/// `[user@]host:path`, as scp has it.
fn scp(server: &str, path: &str) -> Result<Url, Refusal> {
    // `user:secret@host:path` is split at its first colon: then the `@` is on the wrong side.
    if path.contains('@') && !server.contains('@') {
        return Err(CREDENTIALS);
    }
    let (user, host) = server.rsplit_once('@').map_or((None, server), |(user, host)| (Some(user), host));
    let user = user.map(check_user).transpose()?.map(|user| format!("{user}@")).unwrap_or_default();
    let host = check_host(host)?;
    let rooted = format!("/{}", path.trim_start_matches('/'));
    check_path(&rooted)?;
    if path.starts_with('-') {
        return Err(("its path begins with a dash, like an option", FORMS));
    }
    Ok(Url {
        fetch: format!("{user}{host}:{path}"),
        normal: format!("ssh://{user}{host}{}", bare(&rooted)),
        scheme: Scheme::Ssh,
        server: format!("{user}{host}"),
        port: None,
        path: path.to_owned(),
    })
}

fn file(server: &str, path: &str) -> Result<Url, Refusal> {
    if !server.is_empty() && !server.eq_ignore_ascii_case("localhost") {
        return Err(("it names a file of another host", FORMS));
    }
    let path = check_path(path)?;
    Ok(Url {
        fetch: format!("file://{path}"),
        normal: format!("file://{}", bare(path)),
        scheme: Scheme::File,
        server: String::new(),
        port: None,
        path: path.to_owned(),
    })
}

fn host_and_port(server: &str) -> Result<(&str, Option<u16>), Refusal> {
    let colon = server.rfind(':').filter(|colon| !server[*colon..].contains(']'));
    let Some(colon) = colon else { return Ok((server, None)) };
    match server[colon + 1..].parse() {
        Ok(port) if port > 0 => Ok((&server[..colon], Some(port))),
        _ => Err(("its port is not a number from 1 to 65535", FORMS)),
    }
}

fn check_host(host: &str) -> Result<String, Refusal> {
    if !host.is_ascii() {
        return Err(("its host is not ASCII", "write an international name in its xn-- form"));
    }
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fine = match v6 {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && !host.starts_with(['-', '.'])
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    };
    if fine { Ok(host.to_ascii_lowercase()) } else { Err(("its host is not a host name", FORMS)) }
}

fn check_user(user: &str) -> Result<&str, Refusal> {
    let fine = !user.is_empty()
        && !user.starts_with('-')
        && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+".contains(&byte));
    if fine { Ok(user) } else { Err(("its user is not a user name", FORMS)) }
}

fn check_path(path: &str) -> Result<&str, Refusal> {
    if path.contains(['?', '#']) {
        return Err(("it has a query or a fragment", "leave out what begins with ? or #"));
    }
    if path.contains(['\\', ' ', '"', '\'', '<', '>', '`', '|', '$', ';']) {
        return Err(("its path has characters that no URL may have", "write them as %XX"));
    }
    if path.split('/').any(|part| part == ".." || part == ".") {
        return Err(("its path has . or .. in it", FORMS));
    }
    if bare(path).is_empty() {
        return Err(("it has no path", FORMS));
    }
    Ok(path)
}

/// The path without what does not tell two repositories apart.
fn bare(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/')
}

/// The text without what could be a secret: what stands before an `@`, and what follows `?` or `#`.
fn redact(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let scheme = text.find("://").map_or("", |colon| &text[..colon + 3]);
    let shown = match text.rsplit_once('@') {
        Some((before, after)) if before != format!("{scheme}git") => format!("{scheme}…@{after}"),
        _ => text.to_owned(),
    };
    super::display_safe(&shown, 200)
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Ssh => "ssh",
            Self::File => "file",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Location;

    fn normal(text: &str) -> String {
        Location::parse(text).unwrap().to_normal()
    }

    #[test]
    fn paths_stay_as_they_are() {
        for path in ["pins", "./a:b", "/srv/pins.git", "../x", "a/b:c", "."] {
            assert_eq!(Location::parse(path).unwrap(), Location::Path(path.into()), "{path}");
        }
    }

    #[test]
    fn spellings_of_one_remote_have_one_normal_form() {
        let https = "https://git.example.com/acme/Pins";
        for text in [https, "HTTPS://Git.Example.COM:443/acme/Pins.git", "https://git.example.com/acme/Pins/"] {
            assert_eq!(normal(text), https);
        }
        let ssh = "ssh://git@git.example.com/acme/pins";
        for text in [ssh, "git@git.example.com:acme/pins.git", "ssh://git@GIT.example.com:22/acme/pins.git/"] {
            assert_eq!(normal(text), ssh);
        }
        assert_eq!(normal("ssh://git@[::1]:2222/pins"), "ssh://git@[::1]:2222/pins");
        assert_eq!(normal("file:///srv/pins.git"), "file:///srv/pins");
    }

    #[test]
    fn a_slug_is_readable_and_tells_remotes_apart() {
        let slug = |text| Location::parse(text).unwrap().slug();
        assert!(slug("https://git.example.com/acme/pins").ends_with("-git-example-com-acme-pins"));
        assert_ne!(slug("https://a/b-c"), slug("https://a/b/c"));
        assert_eq!(slug("https://a/b"), slug("https://A/b.git"));
    }

    #[test]
    fn bad_locations_are_refused_and_secrets_not_repeated() {
        let bad = [
            "",
            "-u",
            "--upload-pack=x",
            "ext::sh -c x",
            "ssh://-oProxyCommand=x/y",
            "http://a/b",
            "ftp://a/b",
            "https:///x",
            "https://a",
            "https://a/",
            "https://a/.git",
            "file:///",
            "file://host/x",
            "https://bücher/x",
            "https://a:0/x",
            "https://a:99999/x",
            "https://a:b/x",
            "https://a/../x",
            "https://a\\@b/x",
            "ssh://-x@a/b",
            "https://a/x\n",
            "git@-a:b",
            "git@a:-b",
            "a:",
            "git@a:b c",
            "https://[::1/x",
            "https://.a/x",
        ];
        for text in bad {
            assert!(Location::parse(text).is_err(), "{text}");
        }
        let secret = [
            "https://u:hunter2@a/x",
            "https://hunter2@a/x",
            "ssh://u:hunter2@a/x",
            "u:hunter2@a:x",
            "https://a/x?token=hunter2",
            "https://a/x#hunter2",
            "https://u:hunter2@b@a/x",
            "hunter2@@a:x",
        ];
        for text in secret {
            let error = Location::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("hunter2"), "{text}: {error}");
        }
        assert!(Location::parse_with_plain_http("http://a/b").is_ok());
    }
}
