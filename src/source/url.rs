//! URLs of remotes, strictly parsed: every part is checked because the parts become arguments of programs.

/// A checked URL of a remote.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RemoteUrl {
    /// The URL to fetch from.
    pub(super) fetch: String,
    /// The normal form, equal for all spellings of one remote.
    pub(super) normal: String,
    pub(super) scheme: UrlScheme,
    /// `user@host` or `host`.
    pub(super) authority: String,
    pub(super) port: Option<u16>,
    /// The path in the form the server expects.
    pub(super) path: String,
}

/// The supported transports. Transport helpers such as `ext::` are excluded because they can run any program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum UrlScheme {
    Https,
    Http,
    Ssh,
    File,
}

/// The violated rule, and what to type instead.
pub(super) type UrlRefusal = (&'static str, &'static str);

pub(super) const LOCATION_FORMS: &str = "write a path, https://host/path, ssh://user@host/path or user@host:path";
const CREDENTIALS_IN_URL: UrlRefusal =
    ("it carries credentials", "leave them out of the URL; they belong to a credential helper or a token file");

/// Parses `scheme://[user@]host[:port]/path`.
pub(super) fn url(scheme: &str, rest: &str, plain_http: bool) -> Result<RemoteUrl, UrlRefusal> {
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => UrlScheme::Https,
        "ssh" | "git+ssh" | "ssh+git" => UrlScheme::Ssh,
        "file" => UrlScheme::File,
        "http" if plain_http => UrlScheme::Http,
        "http" => return Err(("plain http can be changed on its way", "use https")),
        _ => return Err(("its scheme is unknown", LOCATION_FORMS)),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let (user, server) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if user.is_some_and(|user| scheme != UrlScheme::Ssh || user.contains(':')) {
        return Err(CREDENTIALS_IN_URL);
    }
    if scheme == UrlScheme::File {
        return file(server, path);
    }
    let (host, port) = host_and_port(server)?;
    let host = check_host(host)?;
    let default = match scheme {
        UrlScheme::Https => 443,
        UrlScheme::Http => 80,
        UrlScheme::Ssh | UrlScheme::File => 22,
    };
    let port = port.filter(|port| *port != default);
    let user = user.map(check_user).transpose()?.map(|user| format!("{user}@")).unwrap_or_default();
    let path = check_path(path)?;
    let base = format!("{}://{user}{host}{}", scheme.name(), port.map(|port| format!(":{port}")).unwrap_or_default());
    Ok(RemoteUrl {
        fetch: format!("{base}{path}"),
        normal: format!("{base}{}", bare(path)),
        scheme,
        authority: format!("{user}{host}"),
        port,
        // ssh://host/~ada/pins names a path in Ada's home folder.
        path: path.strip_prefix('/').filter(|path| path.starts_with('~')).unwrap_or(path).to_owned(),
    })
}

/// Parses the scp form `[user@]host:path`.
pub(super) fn scp(server: &str, path: &str) -> Result<RemoteUrl, UrlRefusal> {
    // `user:secret@host:path` splits at its first colon, which leaves the `@` in the path.
    if path.contains('@') && !server.contains('@') {
        return Err(CREDENTIALS_IN_URL);
    }
    let (user, host) = server.rsplit_once('@').map_or((None, server), |(user, host)| (Some(user), host));
    let user = user.map(check_user).transpose()?.map(|user| format!("{user}@")).unwrap_or_default();
    let host = check_host(host)?;
    let rooted = format!("/{}", path.trim_start_matches('/'));
    check_path(&rooted)?;
    if path.starts_with('-') {
        return Err(("its path begins with a dash, like an option", LOCATION_FORMS));
    }
    Ok(RemoteUrl {
        fetch: format!("{user}{host}:{path}"),
        normal: format!("ssh://{user}{host}{}", bare(&rooted)),
        scheme: UrlScheme::Ssh,
        authority: format!("{user}{host}"),
        port: None,
        path: path.to_owned(),
    })
}

fn file(server: &str, path: &str) -> Result<RemoteUrl, UrlRefusal> {
    if !server.is_empty() && !server.eq_ignore_ascii_case("localhost") {
        return Err(("it names a file of another host", LOCATION_FORMS));
    }
    let path = check_path(path)?;
    Ok(RemoteUrl {
        fetch: format!("file://{path}"),
        normal: format!("file://{}", bare(path)),
        scheme: UrlScheme::File,
        authority: String::new(),
        port: None,
        path: path.to_owned(),
    })
}

fn host_and_port(server: &str) -> Result<(&str, Option<u16>), UrlRefusal> {
    let colon = server.rfind(':').filter(|colon| !server[*colon..].contains(']'));
    let Some(colon) = colon else { return Ok((server, None)) };
    match server[colon + 1..].parse() {
        Ok(port) if port > 0 => Ok((&server[..colon], Some(port))),
        _ => Err(("its port is not a number from 1 to 65535", LOCATION_FORMS)),
    }
}

fn check_host(host: &str) -> Result<String, UrlRefusal> {
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
    if fine { Ok(host.to_ascii_lowercase()) } else { Err(("its host is not a host name", LOCATION_FORMS)) }
}

fn check_user(user: &str) -> Result<&str, UrlRefusal> {
    let fine = !user.is_empty()
        && !user.starts_with('-')
        && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+".contains(&byte));
    if fine { Ok(user) } else { Err(("its user is not a user name", LOCATION_FORMS)) }
}

fn check_path(path: &str) -> Result<&str, UrlRefusal> {
    if path.contains(['?', '#']) {
        return Err(("it has a query or a fragment", "leave out what begins with ? or #"));
    }
    if path.contains(['\\', ' ', '"', '\'', '<', '>', '`', '|', '$', ';']) {
        return Err(("its path has characters that no URL may have", "write them as %XX"));
    }
    if path.split('/').any(|part| part == ".." || part == ".") {
        return Err(("its path has . or .. in it", LOCATION_FORMS));
    }
    if bare(path).is_empty() {
        return Err(("it has no path", LOCATION_FORMS));
    }
    Ok(path)
}

/// Returns the path without trailing slashes and `.git`, which do not distinguish repositories.
fn bare(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/')
}

impl RemoteUrl {
    /// Returns the URL of a repository on this host.
    pub(super) fn of_path(path: &std::path::Path) -> Self {
        let path = path.to_string_lossy().into_owned();
        let normal = format!("file://{path}");
        Self { fetch: normal.clone(), normal, scheme: UrlScheme::File, authority: String::new(), port: None, path }
    }
}

impl std::fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.fetch)
    }
}

impl UrlScheme {
    fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Ssh => "ssh",
            Self::File => "file",
        }
    }
}
