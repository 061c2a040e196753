//! Access to a repository: credentials, the ssh program, time limits.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Settings for reaching a repository, and the cache folder.
#[derive(Debug, Clone)]
pub struct Access {
    /// The cache folder: mirrors of remotes and indexes of their history. It can be deleted at any time.
    pub cache: PathBuf,
    pub credentials: Credentials,
    /// The ssh program and its options.
    pub ssh: Vec<String>,
    /// Additional trusted CA certificates (PEM) for https, beside those of the system.
    pub certificates: Vec<u8>,
    /// Time limit for listing the branches of the remote.
    pub answer_within: Duration,
    /// Time limit for transferring objects.
    pub send_within: Duration,
}

/// The credentials offered to an https server that requests authentication.
#[derive(Clone)]
pub enum Credentials {
    None,
    /// The user's credential helper, through `git credential`. The user is never prompted.
    Helper,
    /// User name and password, or any name and a token. Sent only to the server of the URL.
    Known(String, String),
}

impl Access {
    /// Returns access without credentials, with the system's ssh and the default time limits.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            credentials: Credentials::None,
            ssh: vec!["ssh".to_owned()],
            certificates: Vec::new(),
            answer_within: Duration::from_secs(30),
            send_within: Duration::from_secs(600),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Helper => "Helper",
            Self::Known(..) => "Known(…)",
        })
    }
}
