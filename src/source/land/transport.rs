//! How libgit2 speaks with a remote: over the pipes of a program (ssh, or git for files) or by requests over https, as
//! for reading. It brings no connection of its own: its own for files would pass by the hooks of the repository there.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport, register};
use git2::{Error, Remote, Repository};
use pintle_core::problem::display_safe;

use super::super::process::{self, Process};
use super::super::remote::{client, obstacle};
use super::super::url::Scheme;
use super::super::{Access, Credentials, Reach, Url, credentials};

/// What libgit2 knows the two ways by; the URL itself is told apart from it.
const PIPES: &str = "pintle-pipes";
const REQUESTS: &str = "pintle-requests";

thread_local! {
    /// Whom this thread speaks with: libgit2 makes a connection from a URL alone.
    static CURRENT: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// One remote, for as long as somebody speaks with it.
pub(super) struct GitTransport(Connection);

#[derive(Clone)]
struct Connection {
    url: Url,
    access: Access,
    /// The program that connects.
    process: Arc<Mutex<Option<Process>>>,
    /// What went wrong on the way, which knows more than libgit2's error.
    trouble: Arc<Mutex<Option<(Reach, String)>>>,
    /// What the server was told who is there, once it has asked.
    known: Arc<Mutex<Option<(String, String)>>>,
}

impl GitTransport {
    pub(super) fn new(url: &Url, access: &Access) -> Self {
        let (url, access) = (url.clone(), access.clone());
        Self(Connection { url, access, process: Arc::default(), trouble: Arc::default(), known: Arc::default() })
    }

    /// Speaks with the remote.
    pub(super) fn with_remote<T>(
        &self,
        repo: &Repository,
        talk: impl FnOnce(&mut Remote<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        registered()?;
        let way = if matches!(self.0.url.scheme, Scheme::Http | Scheme::Https) { REQUESTS } else { PIPES };
        CURRENT.set(Some(self.0.clone()));
        let outcome = repo.remote_anonymous(&format!("{way}://remote")).and_then(|mut remote| talk(&mut remote));
        CURRENT.set(None);
        outcome
    }

    /// What kind of obstacle an error was, in the words of who knows best.
    pub(super) fn trouble(&self, error: &Error) -> (Reach, String) {
        let (late, words) = lock(&self.0.process).take().map(Process::finish).unwrap_or_default();
        if late {
            let within = self.0.access.send_within.as_secs();
            return (Reach::Passing, format!("no answer within {within} s"));
        }
        if let Some(trouble) = lock(&self.0.trouble).take() {
            return trouble;
        }
        let last = words.lines().rfind(|line| !line.trim().is_empty());
        let kind = obstacle(&format!("{words} {}", error.message())).unwrap_or(Reach::Passing);
        (kind, display_safe(last.unwrap_or_else(|| error.message()), 300))
    }
}

/// Tells libgit2 of the two ways, once for the whole process.
#[expect(unsafe_code, reason = "libgit2 asks that nobody registers or looks up a way at the same time")]
fn registered() -> Result<(), Error> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    let way = |prefix: &str, rpc: bool| {
        let make = move |remote: &Remote<'_>| {
            let connection =
                CURRENT.with_borrow(Clone::clone).ok_or_else(|| Error::from_str("no connection is current"))?;
            Transport::smart(remote, rpc, connection)
        };
        // SAFETY: the lock of `DONE` keeps two from registering at once, and all who look a way up come by here first.
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
        let requests = matches!(self.url.scheme, Scheme::Http | Scheme::Https);
        match action {
            Service::ReceivePackLs if requests => {
                Ok(Box::new(Exchange::new(self, "info/refs?service=git-receive-pack")))
            }
            Service::ReceivePack if requests => Ok(Box::new(Exchange::new(self, "git-receive-pack"))),
            Service::ReceivePackLs => {
                let started = process::start(&self.url, &self.access, self.access.send_within, process::Side::Receive);
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

/// One request: what is written is its body, and is sent when the answer is read. A push writes its commands and its pack
/// one after the other, and the server wants them at once.
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

    /// Sends it, and once more with credentials where the server asks for some.
    fn send(&mut self) -> Result<reqwest::blocking::Response, (Reach, String)> {
        let passing = |error: reqwest::Error| {
            let why = say(&error);
            (obstacle(&why).unwrap_or(Reach::Passing), why)
        };
        let Connection { url, access, known, .. } = &self.connection;
        let client = client(access, access.send_within).map_err(|why| (Reach::Untrusted, why))?;
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
            if url.scheme == Scheme::Http {
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

/// The answer, if it is one.
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

/// All that reqwest says, in one line without the URL.
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
