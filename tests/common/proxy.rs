//! Stands before the API server, counts the calls, and does to one of them, or to some, what the test names.
//!
//! Plain HTTP towards the caller, TLS towards the server, one call a connection: a call and its answer are the bytes of
//! one connection, and nothing need be understood but the head of the call, the code of the answer, and the events of a
//! watch.

mod events;
pub(crate) mod fault;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use self::events::{Events, Then, find};
use self::fault::{Fault, Kind, Rule, Twist};
use super::control_plane::ControlPlane;
use super::limit::EMERGENCY;
use super::running::Running;

pub(crate) struct Proxy {
    address: SocketAddr,
    kubeconfig: String,
    shared: Arc<Shared>,
}

/// A call, and the code of its answer; none where it has not been answered.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub method: String,
    pub path: String,
    pub dry_run: bool,
    /// The server has it, or will.
    pub sent: bool,
    pub code: Option<u16>,
    /// What a watch said after its list.
    pub events: usize,
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
    rule: Option<Rule>,
    /// The calls that the rule could have been about, and those that it was applied to.
    alike: usize,
    hits: usize,
    /// When the rule was applied first.
    began: Option<Instant>,
    /// The call whose answer kills its caller.
    kills_at: Option<usize>,
    /// The caller was killed: nothing more of it is sent on.
    sprung: bool,
    /// The list of workloads as it was first given, as chunks; and whether it is given once more.
    list: Vec<u8>,
    lags: bool,
}

impl Call {
    fn read(head: &str) -> Option<(Self, bool)> {
        let mut words = head.split(' ');
        let (method, url) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let dry_run = query.contains("dryRun=All");
        let begins_with_list = query.contains("sendInitialEvents=true");
        let call = Self { method, path: path.to_owned(), dry_run, sent: true, code: None, events: 0 };
        Some((call, begins_with_list))
    }

    /// It changes something.
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET" && !self.dry_run
    }

    /// It is about who may write.
    pub(crate) fn is_lease(&self) -> bool {
        self.path.contains("/leases")
    }

    fn is_watch(&self) -> bool {
        Kind::Workloads.takes(self) || Kind::Pods.takes(self)
    }
}

impl Proxy {
    pub(crate) fn before(cp: &ControlPlane) -> Self {
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
    pub(crate) fn kubeconfig(&self) -> &str {
        assert!(self.kubeconfig.contains(&self.address.to_string()));
        &self.kubeconfig
    }

    /// Has calls from now on follow a rule, and forgets those before.
    pub(crate) fn set(&self, rule: Option<Rule>) {
        *self.shared.state.lock().unwrap() = State { rule, ..State::default() };
    }

    /// Has nothing befall any call from now on.
    pub(crate) fn heal(&self) {
        self.shared.state.lock().unwrap().rule = None;
    }

    /// Starts a caller, which the rule may kill. What an earlier one called is kept.
    pub(crate) fn start(&self, start: impl FnOnce() -> Running) -> Running {
        *self.shared.caller.lock().unwrap() = None;
        self.shared.state.lock().unwrap().sprung = false;
        let running = start();
        *self.shared.caller.lock().unwrap() = Some(running.pid());
        running
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.state.lock().unwrap().calls.clone()
    }

    /// How many calls the rule was applied to.
    pub(crate) fn hits(&self) -> usize {
        self.shared.state.lock().unwrap().hits
    }

    /// Waits until the rule was applied.
    pub(crate) async fn strikes(&self) {
        let deadline = Instant::now() + EMERGENCY;
        while self.hits() == 0 {
            assert!(Instant::now() < deadline, "nothing struck: {:#?}", self.calls());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The calls since the last time, writes with their answers: a caller that dies leaves some on their way. No rule any
    /// more.
    pub(crate) fn take(&self) -> Vec<Call> {
        let deadline = Instant::now() + EMERGENCY;
        loop {
            let mut state = self.shared.state.lock().unwrap();
            let is_answered = |call: &Call| !call.is_write() || !call.sent || call.code.is_some();
            if state.calls.iter().all(is_answered) || Instant::now() > deadline {
                return std::mem::take(&mut *state).calls;
            }
            drop(state);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A call on its way.
struct Begun {
    number: usize,
    fault: Option<Fault>,
    is_watch: bool,
    begins_with_list: bool,
    /// It is answered as by a server that lags behind.
    lags: bool,
}

impl Shared {
    fn serve(&self, caller: &mut TcpStream) -> io::Result<()> {
        let (head, body) = request(caller)?;
        let Some(begun) = self.begin(&head) else { return caller.shutdown(Shutdown::Both) };
        if begun.lags {
            let list = self.state.lock().unwrap().list.clone();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            caller.write_all(&[head.as_bytes(), &list, b"0\r\n\r\n"].concat())?;
            return caller.shutdown(Shutdown::Both);
        }
        match begun.fault {
            Some(Fault::CutBefore) => return caller.shutdown(Shutdown::Both),
            Some(Fault::Silence) => return until_gone(caller),
            Some(Fault::Answer(code, header, body)) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {code} X\r\n{header}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
                self.end(begun.number, head.as_bytes());
                caller.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
                return caller.shutdown(Shutdown::Both);
            }
            Some(Fault::Late(by)) => std::thread::sleep(by),
            Some(Fault::Kept) => self.until_healed(),
            _ => {}
        }
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.tls), name).map_err(io::Error::other)?;
        let mut server = StreamOwned::new(connection, TcpStream::connect(self.server)?);
        server.write_all(&[head.as_bytes(), &body].concat())?;
        self.hand_back(caller, &mut server, &begun)
    }

    fn until_healed(&self) {
        while self.state.lock().unwrap().rule.is_some() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn hand_back(&self, caller: &mut TcpStream, server: &mut impl Read, begun: &Begun) -> io::Result<()> {
        let twist = if let Some(Fault::Event(number, twist)) = begun.fault { Some((number, twist)) } else { None };
        let mut events = begun.is_watch.then(|| Events::new(!begun.begins_with_list, twist));
        let mut buffer = [0; 16 << 10];
        let mut is_first = true;
        loop {
            let length = server.read(&mut buffer).unwrap_or(0);
            if length == 0 || (is_first && self.end(begun.number, &buffer[..length])) {
                return caller.shutdown(Shutdown::Both);
            }
            match begun.fault {
                Some(Fault::CutAfter) => return caller.shutdown(Shutdown::Both),
                Some(Fault::Truncate) => {
                    let head = find(&buffer[..length], b"\r\n\r\n").map_or(0, |end| end + 4);
                    caller.write_all(&buffer[..head + (length - head) / 2])?;
                    return caller.shutdown(Shutdown::Both);
                }
                Some(Fault::Trickle) => {
                    for few in buffer[..length].chunks(512) {
                        caller.write_all(few)?;
                        std::thread::sleep(Duration::from_millis(20));
                    }
                }
                _ => match self.watched(events.as_mut(), begun.number, &buffer[..length]) {
                    None => caller.write_all(&buffer[..length])?,
                    Some((bytes, then)) => {
                        caller.write_all(&bytes)?;
                        match then {
                            Then::GoOn => {}
                            Then::Cut => return caller.shutdown(Shutdown::Both),
                            Then::FallSilent => return until_gone(caller),
                        }
                    }
                },
            }
            is_first = false;
        }
    }

    /// What of a watch is handed on; none where it is no stream of events.
    fn watched(&self, events: Option<&mut Events>, number: usize, bytes: &[u8]) -> Option<(Vec<u8>, Then)> {
        let mut state = self.state.lock().unwrap();
        // The calls may have been taken meanwhile.
        let code = state.calls.get(number).map_or(Some(200), |call| call.code);
        let events = events.filter(|_| code == Some(200))?;
        let done = events.take(bytes);
        if let Some(twist) = events.twisted() {
            state.hits += 1;
            state.lags = matches!(twist, Twist::Back);
        }
        if let Some(call) = state.calls.get_mut(number) {
            call.events = events.seen();
            if Kind::Workloads.takes(call) && state.list.is_empty() && events.has_listed() {
                state.list.clone_from(&events.list);
            }
        }
        Some(done)
    }

    /// Takes in a call; none where its caller is dead.
    fn begin(&self, head: &str) -> Option<Begun> {
        let mut state = self.state.lock().unwrap();
        let (mut call, begins_with_list) = Call::read(head)?;
        let fault = if state.sprung { return None } else { state.befalls(&call) };
        if matches!(fault, Some(Fault::KillBefore)) {
            self.kill(&mut state);
            return None;
        }
        call.sent = !matches!(fault, Some(Fault::CutBefore | Fault::Silence | Fault::Answer(..)));
        let is_watch = call.is_watch();
        let lags = begins_with_list && Kind::Workloads.takes(&call) && std::mem::take(&mut state.lags);
        state.calls.push(call);
        Some(Begun { number: state.calls.len() - 1, fault, is_watch, begins_with_list, lags })
    }

    /// Takes in the answer; says whether the caller is dead.
    fn end(&self, number: usize, answer: &[u8]) -> bool {
        let mut state = self.state.lock().unwrap();
        let code = String::from_utf8_lossy(answer).split(' ').nth(1).and_then(|code| code.parse().ok());
        let Some(call) = state.calls.get_mut(number) else { return false };
        call.code = code;
        if state.kills_at == Some(number) {
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
        (state.sprung, state.rule) = (true, None);
    }
}

impl State {
    /// What befalls a call.
    fn befalls(&mut self, call: &Call) -> Option<Fault> {
        let rule = self.rule.filter(|rule| rule.kind.takes(call))?;
        self.alike += 1;
        let number = self.alike - 1;
        let goes_on = || self.began.is_some_and(|began| began.elapsed() < rule.lasts);
        if number < rule.number || (number > rule.number && !goes_on()) {
            return None;
        }
        self.began.get_or_insert_with(Instant::now);
        // A watch comes to it later, if it does.
        self.hits += usize::from(!matches!(rule.fault, Fault::Event(..)));
        if matches!(rule.fault, Fault::KillAfter) {
            self.kills_at = Some(self.calls.len());
        }
        Some(rule.fault)
    }
}

/// Keeps a connection open for as long as the caller does.
fn until_gone(caller: &mut TcpStream) -> io::Result<()> {
    while caller.read(&mut [0; 64])? > 0 {}
    Ok(())
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
