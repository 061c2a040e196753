//! Probes the health of processes: by HTTP, TCP or a command. IO.
#![expect(clippy::disallowed_methods, reason = "the local runtime waits")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use pintle_core::pins::{LocalHealth, LocalSpec};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::command::{ServiceCommand, run_command};
use super::listener::{PortOwner, connection_owner, owner};
use super::record::ProcessId;

/// The time limit of a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// A health probe.
#[derive(Debug, Clone)]
pub(super) struct HealthProbe {
    pub(super) local: std::sync::Arc<LocalSpec>,
    pub(super) process: ProcessId,
    /// The age of the process.
    pub(super) age: Duration,
    /// Whether another process of the service may listen on the same port.
    pub(super) shares_port: bool,
    /// The template for a health command.
    pub(super) command: ServiceCommand,
}

/// The age at which a process without any probe counts as healthy.
const HEALTHY_WITHOUT_PROBE_AFTER: Duration = Duration::from_secs(1);

/// Probes a process; the error explains why it is unhealthy.
pub(super) async fn probe_health(question: &HealthProbe) -> Result<(), String> {
    let LocalSpec::Process { port, health, .. } = &*question.local else { return Ok(()) };
    let connection = match *port {
        None => None,
        Some(port) => {
            let silent = |why| format!("nothing answers on port {port}: {why}");
            let stream = in_time(connect(port)).await.map_err(silent)?;
            match owner(port, &question.process) {
                PortOwner::OtherProcess if question.shares_port => {
                    return Err(format!("it does not listen on port {port} yet"));
                }
                PortOwner::OtherProcess => return Err(format!("port {port} is taken by another process")),
                PortOwner::ThisProcess | PortOwner::Nobody => {}
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
            let task = ServiceCommand { arguments: words.clone(), timeout: PROBE_TIMEOUT, ..question.command.clone() };
            run_command(&task).await.map(drop).map_err(|why| format!("the health command: {why}"))
        }
        (Some(LocalHealth::Tcp) | None, Some(_)) => Ok(()),
        (Some(LocalHealth::Http(_) | LocalHealth::Tcp) | None, None) => {
            if question.age >= HEALTHY_WITHOUT_PROBE_AFTER {
                Ok(())
            } else {
                Err("it has just started".to_owned())
            }
        }
    }
}

async fn in_time<T>(asked: impl Future<Output = std::io::Result<T>>) -> Result<T, String> {
    match timeout(PROBE_TIMEOUT, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PROBE_TIMEOUT.as_secs())),
    }
}

/// Returns whether the probed process itself has accepted the connection, and not another one sharing its port.
async fn is_accepted(stream: &TcpStream, question: &HealthProbe) -> std::io::Result<bool> {
    let (server, client) = (stream.peer_addr()?, stream.local_addr()?);
    loop {
        match connection_owner(server, client, &question.process) {
            PortOwner::ThisProcess => return Ok(true),
            PortOwner::OtherProcess => return Ok(false),
            PortOwner::Nobody => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

/// Connects by IPv4 or IPv6 loopback.
async fn connect(port: u16) -> std::io::Result<TcpStream> {
    let addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))];
    TcpStream::connect(&addresses[..]).await
}

/// Sends a GET request; a 2xx status is healthy.
async fn http(question: &HealthProbe, port: u16, mut stream: TcpStream, path: &str) -> std::io::Result<()> {
    while question.shares_port && !is_accepted(&stream, question).await? {
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
