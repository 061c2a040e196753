//! A real Git server on loopback: `git http-backend` behind a small CGI bridge, with TLS, basic auth, and moods.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::git::{TestRepo, git};

/// What the server does with requests.
#[derive(Clone)]
pub(crate) enum Mood {
    /// Serves.
    Serve,
    /// Serves who says this after `Authorization: `.
    Guard(&'static str),
    /// Answers all with this status and an HTML page, like a portal that wants a login.
    Page(u16),
    /// Takes requests and never answers.
    Stall,
    /// Serves, and falls silent before the last bytes of a pack; then hangs up.
    StallInPack,
    /// Serves a pack a few bytes at a time.
    Drip,
    /// Serves, after this was done with the line of each request.
    After(Arc<dyn Fn(&str) + Send + Sync>),
    /// Serves, and hangs up instead of answering to a push.
    Swallow,
    /// Sends all to the same path of another server: `https://host:port`.
    Redirect(String),
}

/// A certificate of 127.0.0.1 that nobody has signed, and its key.
pub(crate) struct Identity {
    /// In PEM.
    pub certificate: Vec<u8>,
    config: Arc<ServerConfig>,
}

impl Identity {
    /// Made by openssl; none where it is not installed.
    pub(crate) fn new(folder: &Path) -> Option<Self> {
        let config = "[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = leaf\n[name]\nCN = 127.0.0.1\n\
                      [leaf]\nsubjectAltName = IP:127.0.0.1\nbasicConstraints = CA:FALSE\n";
        std::fs::write(folder.join("openssl.cnf"), config).unwrap();
        let arguments = "req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                         -keyout key.pem -out cert.pem -days 2";
        let mut command = Command::new("openssl");
        command.args(arguments.split_whitespace()).current_dir(folder).stderr(Stdio::null());
        command.status().ok().filter(std::process::ExitStatus::success)?;
        let certificate = std::fs::read(folder.join("cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(&certificate).unwrap()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        Some(Self { certificate, config: Arc::new(config) })
    }

    /// Wraps the server's end of a connection.
    pub(crate) fn accept(&self, stream: TcpStream) -> Option<StreamOwned<ServerConnection, TcpStream>> {
        let connection = ServerConnection::new(Arc::clone(&self.config)).ok()?;
        Some(StreamOwned::new(connection, stream))
    }
}

/// A connection, in clear text or not.
trait Wire: Read + Write {
    /// Says goodbye: TLS takes an end without it for an attack.
    fn end(&mut self) {}
}

impl Wire for TcpStream {}

impl Wire for StreamOwned<ServerConnection, TcpStream> {
    fn end(&mut self) {
        self.conn.send_close_notify();
        let _ = self.flush();
    }
}

/// A Git server; it serves the repositories in a folder until the test ends.
pub(crate) struct GitServer {
    base: String,
    state: Arc<State>,
}

struct State {
    root: PathBuf,
    mood: Mutex<Mood>,
    requests: Mutex<Vec<String>>,
}

impl GitServer {
    /// Starts it on a free port, with plain http.
    pub(crate) fn start(root: &Path) -> Self {
        Self::start_with(root, "http", |stream| Some(Box::new(stream)))
    }

    /// Serves a bare copy of a repository, which is its `origin` from now on, at the URL that is given too.
    pub(crate) fn of(repo: &TestRepo) -> (Self, String) {
        let bare = repo.bare();
        repo.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
        let server = Self::start(bare.parent().unwrap());
        let url = server.url("bare.git");
        (server, url)
    }

    /// Starts it on a free port, with https.
    pub(crate) fn start_tls(root: &Path, identity: &Identity) -> Self {
        let config = Arc::clone(&identity.config);
        Self::start_with(root, "https", move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).ok()?;
            Some(Box::new(StreamOwned::new(connection, stream)))
        })
    }

    fn start_with(
        root: &Path,
        scheme: &str,
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Wire>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("{scheme}://{}", listener.local_addr().unwrap());
        let state = State { root: root.to_owned(), mood: Mutex::new(Mood::Serve), requests: Mutex::default() };
        let state = Arc::new(state);
        let server = Self { base, state: Arc::clone(&state) };
        let wrap = Arc::new(wrap);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, wrap) = (Arc::clone(&state), Arc::clone(&wrap));
                // A client that hangs up is no failure of the server.
                std::thread::spawn(move || state.answer(&mut *wrap(stream.ok()?)?));
            }
        });
        server
    }

    /// The URL of a repository below the root.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("{}/{repository}", self.base)
    }

    /// Changes what it does from now on.
    pub(crate) fn set(&self, mood: Mood) {
        *self.state.mood.lock().unwrap() = mood;
    }

    /// The requests since the last time this was asked: method, path, and what was authorized.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.requests.lock().unwrap())
    }
}

struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut dyn Wire) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let split = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers = lines.iter().skip(1).filter_map(split).collect();
        let mut request = Self { line: lines.first()?.clone(), headers, body: Vec::new() };
        if request.header("transfer-encoding") == "chunked" {
            loop {
                let mut size = String::new();
                reader.read_line(&mut size).ok()?;
                let size = u64::from_str_radix(size.trim(), 16).ok()?;
                reader.by_ref().take(size).read_to_end(&mut request.body).ok()?;
                reader.read_line(&mut String::new()).ok()?;
                if size == 0 {
                    break;
                }
            }
        } else {
            let length = request.header("content-length").parse().unwrap_or(0);
            reader.take(length).read_to_end(&mut request.body).ok()?;
        }
        Some(request)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

impl State {
    fn answer(&self, stream: &mut dyn Wire) -> Option<()> {
        let request = Request::read(stream)?;
        let authorization = request.header("authorization");
        self.requests.lock().unwrap().push(format!("{} {authorization}", request.line).trim_end().to_owned());
        let mood = self.mood.lock().unwrap().clone();
        let (status, answer) = match mood.clone() {
            Mood::Guard(secret) if authorization != secret => {
                (401, b"WWW-Authenticate: Basic realm=\"pins\"\r\n\r\n".to_vec())
            }
            Mood::Serve | Mood::Guard(_) | Mood::StallInPack | Mood::Drip => self.serve(&request)?,
            Mood::After(first) => {
                first(&request.line);
                self.serve(&request)?
            }
            Mood::Swallow => {
                let answer = self.serve(&request)?;
                if request.line.starts_with("POST") && request.line.contains("git-receive-pack") {
                    return None;
                }
                answer
            }
            Mood::Page(status) => (status, b"Content-Type: text/html\r\n\r\n<h1>Please log in</h1>".to_vec()),
            Mood::Redirect(to) => {
                let target = request.line.split(' ').nth(1)?;
                (302, format!("Location: {to}{target}\r\n\r\n").into_bytes())
            }
            Mood::Stall => {
                self.while_mood(|mood| matches!(mood, Mood::Stall));
                return None;
            }
        };
        stream.write_all(format!("HTTP/1.1 {status} X\r\nConnection: close\r\n").as_bytes()).ok()?;
        let is_pack = request.body.windows(13).any(|part| part == b"command=fetch");
        match mood {
            Mood::StallInPack if is_pack => {
                // What git says of its progress may come last: it is the pack that must not be whole.
                let most = (answer.len() - answer.len() / 100).saturating_sub(256).max(answer.len() / 2);
                stream.write_all(&answer[..most]).ok()?;
                self.while_mood(|mood| matches!(mood, Mood::StallInPack));
            }
            Mood::Drip if is_pack => {
                for few in answer.chunks(8) {
                    stream.write_all(few).ok()?;
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
            _ => stream.write_all(&answer).ok()?,
        }
        stream.end();
        Some(())
    }

    /// Waits for another mood.
    fn while_mood(&self, lasts: impl Fn(&Mood) -> bool) {
        while lasts(&self.mood.lock().unwrap()) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Hands the request to git, as RFC 3875 has it.
    fn serve(&self, request: &Request) -> Option<(u16, Vec<u8>)> {
        let mut words = request.line.split(' ');
        let (method, target) = words.next().zip(words.next())?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut backend = git(&self.root);
        backend
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", method)
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("CONTENT_TYPE", request.header("content-type"))
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", request.header("content-encoding"))
            .env("GIT_PROTOCOL", request.header("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = backend.spawn().unwrap();
        let (stdin, body) = (child.stdin.take(), request.body.clone());
        std::thread::spawn(move || stdin.unwrap().write_all(&body));
        let output = child.wait_with_output().unwrap().stdout;
        let text = String::from_utf8_lossy(&output[..output.len().min(100)]).into_owned();
        let status = text.strip_prefix("Status: ").and_then(|status| status[..3].parse().ok());
        Some((status.unwrap_or(200), output))
    }
}
