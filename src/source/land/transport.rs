//! The transports for libgit2: pipes of a program (ssh, or git for files), or https requests, as for reading.
//!
//! libgit2's own transports are unused; the one for files would bypass the hooks of the remote repository.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport, register};
use git2::{Error, Remote, Repository};
use pintle_core::problem::display_safe;

use super::super::process::{self, TransportProcess};
use super::super::remote::{classify_message, http_client};
use super::super::url::UrlScheme;
use super::super::{Access, Credentials, Reach, RemoteUrl, credentials};

/// The URL schemes under which the two transports are registered. The real URL travels in the connection.
const PIPES: &str = "pintle-pipes";
const REQUESTS: &str = "pintle-requests";

thread_local! {
    /// The connection of this thread, because libgit2 creates a transport from a URL alone.
    static CURRENT: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// A remote during one operation.
pub(super) struct GitTransport(Connection);

#[derive(Clone)]
struct Connection {
    url: RemoteUrl,
    access: Access,
    process: Arc<Mutex<Option<TransportProcess>>>,
    /// The error of the transport itself, which is more precise than libgit2's.
    trouble: Arc<Mutex<Option<(Reach, String)>>>,
    /// The credentials that were used, once the server has requested some.
    known: Arc<Mutex<Option<(String, String)>>>,
}

impl GitTransport {
    pub(super) fn new(url: &RemoteUrl, access: &Access) -> Self {
        let (url, access) = (url.clone(), access.clone());
        Self(Connection { url, access, process: Arc::default(), trouble: Arc::default(), known: Arc::default() })
    }

    /// Runs an operation on the remote through this connection.
    pub(super) fn with_remote<T>(
        &self,
        repo: &Repository,
        talk: impl FnOnce(&mut Remote<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        registered()?;
        let way = if matches!(self.0.url.scheme, UrlScheme::Http | UrlScheme::Https) { REQUESTS } else { PIPES };
        CURRENT.set(Some(self.0.clone()));
        let outcome = repo.remote_anonymous(&format!("{way}://remote")).and_then(|mut remote| talk(&mut remote));
        CURRENT.set(None);
        outcome
    }

    /// Classifies an error, preferring the most precise source: the timeout, the transport, the program's output.
    pub(super) fn trouble(&self, error: &Error) -> (Reach, String) {
        let (late, words) = lock(&self.0.process).take().map(TransportProcess::finish).unwrap_or_default();
        if late {
            let within = self.0.access.send_within.as_secs();
            return (Reach::Passing, format!("no answer within {within} s"));
        }
        if let Some(trouble) = lock(&self.0.trouble).take() {
            return trouble;
        }
        let last = words.lines().rfind(|line| !line.trim().is_empty());
        let kind = classify_message(&format!("{words} {}", error.message())).unwrap_or(Reach::Passing);
        (kind, display_safe(last.unwrap_or_else(|| error.message()), 300))
    }
}

/// Registers the two transports with libgit2, once per process.
#[expect(unsafe_code, reason = "libgit2 asks that nobody registers or looks up a way at the same time")]
fn registered() -> Result<(), Error> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    let way = |prefix: &str, rpc: bool| {
        let make = move |remote: &Remote<'_>| {
            let connection =
                CURRENT.with_borrow(Clone::clone).ok_or_else(|| Error::from_str("no connection is current"))?;
            Transport::smart(remote, rpc, connection)
        };
        // SAFETY: `DONE` runs the registration once and blocks all other threads until it ends. Every lookup of a
        // transport comes after this function.
        unsafe { register(prefix, make) }.map_err(|error| error.message().to_owned())
    };
    let done = DONE.get_or_init(|| way(PIPES, false).and_then(|()| way(REQUESTS, true)));
    match done {
        Ok(()) => Ok(()),
        Err(why) => Err(Error::from_str(why)),
    }
}

impl SmartSubtransport for Connection {
    fn action(&self, _: &str, action: Service) -> Result<Box<dyn SmartSubtransportStream>, Error> {
        let requests = matches!(self.url.scheme, UrlScheme::Http | UrlScheme::Https);
        match action {
            Service::ReceivePackLs if requests => {
                Ok(Box::new(Exchange::new(self, "info/refs?service=git-receive-pack")))
            }
            Service::ReceivePack if requests => Ok(Box::new(Exchange::new(self, "git-receive-pack"))),
            Service::ReceivePackLs => {
                let started = process::spawn_transport(
                    &self.url,
                    &self.access,
                    self.access.send_within,
                    process::GitService::ReceivePack,
                );
                let (process, output, input) = started.map_err(|error| {
                    let kind = if error.kind() == io::ErrorKind::NotFound { Reach::Program } else { Reach::Passing };
                    let why = format!("cannot start {}: {error}", process::program(&self.url, &self.access));
                    *lock(&self.trouble) = Some((kind, why));
                    Error::from_str("the program that connects cannot be started")
                })?;
                *lock(&self.process) = Some(process);
                Ok(Box::new(Pipes { output, input }))
            }
            Service::ReceivePack | Service::UploadPackLs | Service::UploadPack => {
                Err(Error::from_str("only pushes go this way"))
            }
        }
    }

    fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct Pipes {
    output: ChildStdout,
    input: ChildStdin,
}

impl Read for Pipes {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.output.read(into)
    }
}

impl Write for Pipes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.input.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.flush()
    }
}

/// One HTTP request. Written bytes collect in its body, and reading the answer sends it. A push writes its commands and
/// its pack separately, and the server expects both in one request.
struct Exchange {
    connection: Connection,
    path: &'static str,
    body: Vec<u8>,
    answer: Option<reqwest::blocking::Response>,
}

impl Exchange {
    fn new(connection: &Connection, path: &'static str) -> Self {
        Self { connection: connection.clone(), path, body: Vec::new(), answer: None }
    }

    /// Sends the request, and repeats it with credentials if the server requires them.
    fn send(&mut self) -> Result<reqwest::blocking::Response, (Reach, String)> {
        let passing = |error: reqwest::Error| {
            let why = say(&error);
            (classify_message(&why).unwrap_or(Reach::Passing), why)
        };
        let Connection { url, access, known, .. } = &self.connection;
        let client = http_client(access, access.send_within).map_err(|why| (Reach::Untrusted, why))?;
        let client = client.redirect(reqwest::redirect::Policy::none()).build().map_err(passing)?;
        let target = format!("{}/{}", url.fetch.trim_end_matches('/'), self.path);
        let body = std::mem::take(&mut self.body);
        let once = |account: Option<(String, String)>| {
            let request = match self.path {
                "git-receive-pack" => client
                    .post(&target)
                    .header("Content-Type", "application/x-git-receive-pack-request")
                    .header("Accept", "application/x-git-receive-pack-result")
                    .body(body.clone()),
                _ => client.get(&target),
            };
            let request = match account {
                Some((user, password)) => request.basic_auth(user, Some(password)),
                None => request,
            };
            request.header("User-Agent", "git/pintle").send().map_err(passing)
        };
        let before = lock(known).clone();
        let mut answer = once(before.clone())?;
        if answer.status() == reqwest::StatusCode::UNAUTHORIZED && before.is_none() {
            if url.scheme == UrlScheme::Http {
                return Err((Reach::Credentials, "credentials are not sent in clear text over http".to_owned()));
            }
            let account = match &access.credentials {
                Credentials::None => None,
                Credentials::Known(user, password) => Some((user.clone(), password.clone())),
                Credentials::Helper => credentials::fill(&url.fetch),
            };
            if let Some(account) = account {
                answer = once(Some(account.clone()))?;
                *lock(known) = Some(account);
            }
        }
        judged(answer)
    }
}

/// Turns an HTTP error status into an error.
fn judged(answer: reqwest::blocking::Response) -> Result<reqwest::blocking::Response, (Reach, String)> {
    let status = answer.status();
    let kind = match status.as_u16() {
        200 => return Ok(answer),
        401 => Reach::Credentials,
        403 => Reach::Forbidden,
        404 | 410 => Reach::NotFound,
        300..=399 => Reach::Protocol,
        _ => Reach::Passing,
    };
    Err((kind, format!("the server answers {status}")))
}

impl Read for Exchange {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.answer.is_none() {
            let sent = self.send();
            self.answer = Some(sent.map_err(|(kind, why)| {
                *lock(&self.connection.trouble) = Some((kind, why.clone()));
                io::Error::other(why)
            })?);
        }
        self.answer.as_mut().map_or(Ok(0), |answer| answer.read(into))
    }
}

impl Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns reqwest's error chain as one line without the URL.
fn say(error: &reqwest::Error) -> String {
    let mut parts = vec![if error.is_timeout() { "no answer in time".to_owned() } else { "no answer".to_owned() }];
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        parts.push(error.to_string());
        source = error.source();
    }
    display_safe(&parts.join(": "), 300)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
