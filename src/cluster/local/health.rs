//! Probes the health of processes: by HTTP, TCP or a command. IO.
#![expect(clippy::disallowed_methods, reason = "the local runtime waits")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use pintle_core::pins::{Local, LocalHealth};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::command::{Task, run};
use super::listener::{Owner, acceptor, owner};
use super::record::Process;

/// The time limit of a probe.
const PATIENCE: Duration = Duration::from_secs(2);

/// A health probe.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) local: std::sync::Arc<Local>,
    pub(super) process: Process,
    /// The age of the process.
    pub(super) age: Duration,
    /// Whether another process of the service may listen on the same port.
    pub(super) shares: bool,
    /// The template for a health command.
    pub(super) task: Task,
}

/// The age at which a process without any probe counts as healthy.
const SETTLED: Duration = Duration::from_secs(1);

/// Probes a process; the error explains why it is unhealthy.
pub(super) async fn ask(question: &Question) -> Result<(), String> {
    let Local::Process { port, health, .. } = &*question.local else { return Ok(()) };
    let connection = match *port {
        None => None,
        Some(port) => {
            let silent = |why| format!("nothing answers on port {port}: {why}");
            let stream = in_time(connect(port)).await.map_err(silent)?;
            match owner(port, &question.process) {
                Owner::Another if question.shares => return Err(format!("it does not listen on port {port} yet")),
                Owner::Another => return Err(format!("port {port} is taken by another process")),
                Owner::Process | Owner::Nobody => {}
            }
            Some((port, stream))
        }
    };
    match (health, connection) {
        (Some(LocalHealth::Http(path)), Some((port, stream))) => {
            let asked = in_time(http(question, port, stream, path)).await;
            asked.map_err(|why| format!("GET http://127.0.0.1:{port}{path}: {why}"))
        }
        (Some(LocalHealth::Command(words)), _) => {
            let task = Task { words: words.clone(), within: PATIENCE, ..question.task.clone() };
            run(&task).await.map(drop).map_err(|why| format!("the health command: {why}"))
        }
        (Some(LocalHealth::Tcp) | None, Some(_)) => Ok(()),
        (Some(LocalHealth::Http(_) | LocalHealth::Tcp) | None, None) => {
            if question.age >= SETTLED {
                Ok(())
            } else {
                Err("it has just started".to_owned())
            }
        }
    }
}

async fn in_time<T>(asked: impl Future<Output = std::io::Result<T>>) -> Result<T, String> {
    match timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// Returns whether the probed process itself has accepted the connection, and not another one sharing its port.
async fn is_accepted(stream: &TcpStream, question: &Question) -> std::io::Result<bool> {
    let (server, client) = (stream.peer_addr()?, stream.local_addr()?);
    loop {
        match acceptor(server, client, &question.process) {
            Owner::Process => return Ok(true),
            Owner::Another => return Ok(false),
            Owner::Nobody => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

/// Connects by IPv4 or IPv6 loopback.
async fn connect(port: u16) -> std::io::Result<TcpStream> {
    let addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))];
    TcpStream::connect(&addresses[..]).await
}

/// Sends a GET request; a 2xx status is healthy.
async fn http(question: &Question, port: u16, mut stream: TcpStream, path: &str) -> std::io::Result<()> {
    while question.shares && !is_accepted(&stream, question).await? {
        stream = connect(port).await?;
    }
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: pintle\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // Only the status line matters: "HTTP/1.1 200".
    while answer.len() < 12 && stream.read_buf(&mut answer).await? > 0 {}
    let code =
        answer.get(9..12).filter(|_| answer.starts_with(b"HTTP/1.")).and_then(|code| std::str::from_utf8(code).ok());
    match code {
        Some(code) if code.starts_with('2') => Ok(()),
        Some(code) => Err(std::io::Error::other(format!("status {code}"))),
        None => Err(std::io::Error::other("the answer is not HTTP")),
    }
}
