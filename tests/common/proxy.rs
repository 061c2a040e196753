//! Stands before the API server, counts the calls, and kills whoever makes them at the one that the test names.
//!
//! Plain HTTP towards the caller, TLS towards the server, one call a connection: a call and its answer are the bytes of
//! one connection, and nothing need be understood but the head of the call and the code of the answer.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::control_plane::ControlPlane;
use super::running::Running;

pub struct Proxy {
    address: SocketAddr,
    kubeconfig: String,
    shared: Arc<Shared>,
}

/// A call, and the code of its answer; none where it has not been answered, or was never sent on.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub dry_run: bool,
    pub code: Option<u16>,
}

/// When the caller is killed.
#[derive(Clone, Copy, Debug)]
pub enum Trap {
    /// At the call of this number, before the server has it.
    Before(usize),
    /// At the write of this number, when the server has answered and before the caller knows.
    AfterWrite(usize),
}

struct Shared {
    server: SocketAddr,
    tls: Arc<ClientConfig>,
    state: Mutex<State>,
    /// Whom to kill.
    caller: Mutex<Option<u32>>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    trap: Option<Trap>,
    /// The caller was killed: nothing more of it is sent on.
    sprung: bool,
}

impl Call {
    /// It changes something.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.dry_run
    }

    /// It is about who may write.
    pub fn is_lease(&self) -> bool {
        self.path.contains("/leases")
    }
}

impl Proxy {
    pub fn before(cp: &ControlPlane) -> Self {
        let kubeconfig = cp.kubeconfig_text();
        let at = kubeconfig.find("https://127.0.0.1:").unwrap();
        let url = kubeconfig[at..].split('"').next().unwrap().to_owned();
        let server = url.trim_start_matches("https://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { server, tls: tls(cp), state: Mutex::default(), caller: Mutex::default() });
        let listening = Arc::clone(&shared);
        std::thread::spawn(move || {
            for caller in listener.incoming() {
                let shared = Arc::clone(&listening);
                // A connection that breaks is the caller's end, or the server's.
                std::thread::spawn(move || shared.serve(&mut caller.unwrap()).ok());
            }
        });
        Self { address, kubeconfig: kubeconfig.replace(&url, &format!("http://{address}")), shared }
    }

    /// A kubeconfig that leads here.
    pub fn kubeconfig(&self) -> &str {
        assert!(self.kubeconfig.contains(&self.address.to_string()));
        &self.kubeconfig
    }

    /// Starts a caller, which is killed at a call of its own.
    pub fn trap(&self, trap: Trap, start: impl FnOnce() -> Running) -> Running {
        *self.shared.caller.lock().unwrap() = None;
        *self.shared.state.lock().unwrap() = State { trap: Some(trap), ..State::default() };
        let running = start();
        *self.shared.caller.lock().unwrap() = Some(running.pid());
        running
    }

    /// The calls since the last time, writes with their answers: a caller that dies leaves some on their way. No trap any
    /// more.
    pub fn take(&self) -> Vec<Call> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let mut state = self.shared.state.lock().unwrap();
            let is_answered = |call: &Call| !call.is_write() || call.code.is_some();
            if state.calls.iter().all(is_answered) || Instant::now() > deadline {
                return std::mem::take(&mut *state).calls;
            }
            drop(state);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Shared {
    fn serve(&self, caller: &mut TcpStream) -> io::Result<()> {
        let (head, body) = request(caller)?;
        let Some(number) = self.begin(&head) else { return caller.shutdown(Shutdown::Both) };
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.tls), name).map_err(io::Error::other)?;
        let mut server = StreamOwned::new(connection, TcpStream::connect(self.server)?);
        server.write_all(&[head.as_bytes(), &body].concat())?;
        let mut buffer = [0; 16 << 10];
        let mut is_first = true;
        loop {
            let length = server.read(&mut buffer).unwrap_or(0);
            if length == 0 || (is_first && self.end(number, &buffer[..length])) {
                return caller.shutdown(Shutdown::Both);
            }
            caller.write_all(&buffer[..length])?;
            is_first = false;
        }
    }

    /// The number of a call; none where its caller is dead.
    fn begin(&self, head: &str) -> Option<usize> {
        let mut state = self.state.lock().unwrap();
        let mut words = head.split(' ');
        let (method, url) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let dry_run = query.contains("dryRun=All");
        if matches!(state.trap, Some(Trap::Before(number)) if number == state.calls.len()) {
            self.kill(&mut state);
        }
        if state.sprung {
            return None;
        }
        state.calls.push(Call { method, path: path.to_owned(), dry_run, code: None });
        Some(state.calls.len() - 1)
    }

    /// Takes in the answer; says whether the caller is dead.
    fn end(&self, number: usize, answer: &[u8]) -> bool {
        let mut state = self.state.lock().unwrap();
        let code = String::from_utf8_lossy(answer).split(' ').nth(1).and_then(|code| code.parse().ok());
        // The calls may have been taken meanwhile.
        let Some(call) = state.calls.get_mut(number) else { return false };
        call.code = code;
        let is_write = call.is_write();
        let writes = state.calls[..number].iter().filter(|call| call.is_write()).count();
        if is_write && matches!(state.trap, Some(Trap::AfterWrite(number)) if number == writes) {
            self.kill(&mut state);
        }
        state.sprung
    }

    fn kill(&self, state: &mut State) {
        let pid = loop {
            // It may call before whoever started it has said so.
            if let Some(pid) = *self.caller.lock().unwrap() {
                break pid;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let status = Command::new("sh").args(["-c", &format!("kill -s KILL {pid}")]).status().unwrap();
        assert!(status.success());
        (state.sprung, state.trap) = (true, None);
    }
}

/// A call's head, which asks for the connection to be closed, and its body.
fn request(caller: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        let length = caller.read(&mut buffer)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..length]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let header = |line: &str, name: &str| line.to_ascii_lowercase().starts_with(name);
        let size = head.lines().find(|line| header(line, "content-length:"));
        let size: usize = size.map_or(0, |line| line[15..].trim().parse().unwrap());
        while bytes.len() < end + 4 + size {
            let length = caller.read(&mut buffer)?;
            bytes.extend_from_slice(&buffer[..length]);
        }
        let lines = head.lines().filter(|line| !header(line, "connection:"));
        let head: Vec<&str> = lines.chain(["Connection: close", "", ""]).collect();
        return Ok((head.join("\r\n"), bytes[end + 4..].to_vec()));
    }
}

/// Trusts the control plane's certificate.
fn tls(cp: &ControlPlane) -> Arc<ClientConfig> {
    let file = cp.kubeconfig().with_file_name("certificates").join("apiserver.crt");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}
