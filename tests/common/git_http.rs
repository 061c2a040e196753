//! A real Git server on loopback: `git http-backend` behind a small CGI bridge, with basic auth, and with moods.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::git::git;

/// What the server does with requests.
#[derive(Clone)]
pub enum Mood {
    /// Serves.
    Serve,
    /// Serves who says this after `Authorization: `.
    Guard(&'static str),
    /// Answers all with this status and an HTML page, like a portal that wants a login.
    Page(u16),
    /// Takes requests and never answers.
    Stall,
    /// Sends all to the same path of another server.
    Redirect(String),
}

/// A Git server; it serves the repositories in a folder until the test ends.
pub struct GitServer {
    address: String,
    state: Arc<State>,
}

struct State {
    root: PathBuf,
    mood: Mutex<Mood>,
    requests: Mutex<Vec<String>>,
}

impl GitServer {
    /// Starts it on a free port.
    pub fn start(root: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = State { root: root.to_owned(), mood: Mutex::new(Mood::Serve), requests: Mutex::default() };
        let state = Arc::new(state);
        let server = Self { address, state: Arc::clone(&state) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&state);
                // A client that hangs up is no failure of the server.
                std::thread::spawn(move || state.answer(&stream.unwrap()));
            }
        });
        server
    }

    /// The URL of a repository below the root.
    pub fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }

    /// Changes what it does from now on.
    pub fn set(&self, mood: Mood) {
        *self.state.mood.lock().unwrap() = mood;
    }

    /// The requests since the last time this was asked: method, path, and what was authorized.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.requests.lock().unwrap())
    }
}

struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
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
    fn answer(&self, mut stream: &TcpStream) -> Option<()> {
        let request = Request::read(stream)?;
        let authorization = request.header("authorization");
        self.requests.lock().unwrap().push(format!("{} {authorization}", request.line).trim_end().to_owned());
        let mood = self.mood.lock().unwrap().clone();
        let (status, answer) = match mood {
            Mood::Guard(secret) if authorization != secret => {
                (401, b"WWW-Authenticate: Basic realm=\"pins\"\r\n\r\n".to_vec())
            }
            Mood::Serve | Mood::Guard(_) => self.serve(&request)?,
            Mood::Page(status) => (status, b"Content-Type: text/html\r\n\r\n<h1>Please log in</h1>".to_vec()),
            Mood::Redirect(to) => {
                let target = request.line.split(' ').nth(1)?;
                (302, format!("Location: http://{to}{target}\r\n\r\n").into_bytes())
            }
            Mood::Stall => {
                std::thread::sleep(Duration::from_secs(30));
                return None;
            }
        };
        stream.write_all(format!("HTTP/1.1 {status} X\r\nConnection: close\r\n").as_bytes()).ok()?;
        stream.write_all(&answer).ok()
    }

    /// Hands the request to git, as RFC 3875 has it.
    fn serve(&self, request: &Request) -> Option<(u16, Vec<u8>)> {
        let mut words = request.line.split(' ');
        let (method, target) = words.next().zip(words.next())?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut child = git(&self.root)
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
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take()?;
        let body = request.body.clone();
        std::thread::spawn(move || stdin.write_all(&body));
        let output = child.wait_with_output().unwrap().stdout;
        let text = String::from_utf8_lossy(&output[..output.len().min(100)]).into_owned();
        let status = text.strip_prefix("Status: ").and_then(|status| status[..3].parse().ok());
        Some((status.unwrap_or(200), output))
    }
}
