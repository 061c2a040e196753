//! How a repository is reached: credentials, the program for ssh, and how long a remote may take.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How the repository is reached, and where what was fetched is kept.
#[derive(Debug, Clone)]
pub struct Access {
    /// The cache folder: mirrors of remotes, and the indexes of their history. All of it can be deleted.
    pub cache: PathBuf,
    /// What an https server is told that asks who is there.
    pub credentials: Credentials,
    /// The program that connects to ssh remotes, and its options.
    pub ssh: Vec<String>,
    /// Certificates (PEM) of https servers that are trusted beside those of the system.
    pub certificates: Vec<u8>,
    /// How long a remote may take to say where its branches are.
    pub answer_within: Duration,
    /// How long it may take to send what is new.
    pub send_within: Duration,
}

/// What an https server is told that asks who is there.
#[derive(Clone)]
pub enum Credentials {
    /// Nothing.
    None,
    /// What `git credential` knows, which asks the user's credential helper and never the user.
    Helper,
    /// Name and password, or any name and a token. Told to the server of the URL and to no other.
    Known(String, String),
}

impl Access {
    /// No credentials, the system's ssh, and the usual patience.
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
