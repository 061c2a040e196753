//! Whose port it is. An answer on a port says nothing of a process that does not listen there: another may. IO.
#![expect(clippy::disallowed_methods, reason = "the local runtime looks at processes")]

use super::record::Process;

/// Who listens on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The process, or one that it has started; or it cannot be told.
    Process,
    /// Others only.
    Another,
    /// Nobody.
    Nobody,
}

/// Who listens on a port. Elsewhere than on Linux it cannot be told.
#[cfg(not(target_os = "linux"))]
pub(super) fn owner(_port: u16, _process: &Process) -> Owner {
    Owner::Process
}

/// Who listens on a port: the sockets are in `/proc/net/tcp`, by whom they are open in `/proc/PID/fd` (proc(5)).
#[cfg(target_os = "linux")]
pub(super) fn owner(port: u16, process: &Process) -> Owner {
    owner_of(&sockets(port, |socket| socket.state == LISTEN), process)
}

/// Who has accepted the connection from another port of this host; nobody, as long as it waits to be.
#[cfg(target_os = "linux")]
pub(super) fn acceptor(port: u16, from: u16, process: &Process) -> Owner {
    owner_of(&sockets(port, |socket| socket.peer == from && socket.inode != "0"), process)
}

/// Who has accepted a connection. Elsewhere than on Linux it cannot be told.
#[cfg(not(target_os = "linux"))]
pub(super) fn acceptor(_port: u16, _from: u16, _process: &Process) -> Owner {
    Owner::Process
}

#[cfg(target_os = "linux")]
const LISTEN: &str = "0A";

/// A line of `/proc/net/tcp`.
#[cfg(target_os = "linux")]
struct Socket<'l> {
    port: u16,
    peer: u16,
    state: &'l str,
    /// `0` where no process has it.
    inode: &'l str,
}

#[cfg(target_os = "linux")]
fn owner_of(sockets: &[String], process: &Process) -> Owner {
    if sockets.is_empty() {
        return Owner::Nobody;
    }
    let holds = |pid: i32| {
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors
            .filter_map(|entry| std::fs::read_link(entry.path()).ok())
            .any(|link| link.to_str().is_some_and(|link| sockets.iter().any(|socket| link == socket)))
    };
    if holds(process.pid) || others_of_its_session(process).into_iter().any(holds) {
        Owner::Process
    } else {
        Owner::Another
    }
}

/// The links by which processes hold such sockets of a port: `socket:[12345]`.
#[cfg(target_os = "linux")]
fn sockets(port: u16, wanted: impl Fn(&Socket<'_>) -> bool) -> Vec<String> {
    let tables =
        ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(std::fs::read_to_string).map(Result::unwrap_or_default);
    // There may be thousands of others.
    let number = format!(":{port:04X} ");
    let lines = tables.iter().flat_map(|table| table.lines().skip(1)).filter(|line| line.contains(&number));
    let wanted = |socket: &Socket| socket.port == port && wanted(socket);
    let socket = |line| Socket::read(line).filter(&wanted).map(|socket| format!("socket:[{}]", socket.inode));
    lines.filter_map(socket).collect()
}

#[cfg(target_os = "linux")]
impl<'l> Socket<'l> {
    /// Number, address, peer's address, state, queues, timer, retransmits, uid, timeout, inode.
    fn read(line: &'l str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let port = |address: &str| u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok();
        let (port, peer) = (port(fields.get(1)?)?, port(fields.get(2)?)?);
        Some(Self { port, peer, state: fields.get(3)?, inode: fields.get(9)? })
    }
}

/// What a process has started stays in the session that its keeper made.
#[cfg(target_os = "linux")]
fn others_of_its_session(process: &Process) -> Vec<i32> {
    use super::process::Stat;
    let Some(session) = Stat::of(process.pid).map(|stat| stat.session) else { return Vec::new() };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| Stat::of(pid).is_some_and(|stat| stat.session == session)).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_is_of_the_process_that_listens_there_of_another_or_of_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let this = Process::this().unwrap();
        assert_eq!(owner(port, &this), Owner::Process);
        let mut child = std::process::Command::new("setsid").args(["sleep", "60"]).spawn().unwrap();
        let other = Process::of(i32::try_from(child.id()).unwrap()).unwrap();
        // It is of this session until it has made its own.
        while owner(port, &other) == Owner::Process {
            std::thread::yield_now();
        }
        assert_eq!(owner(port, &other), Owner::Another);
        let customer = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let from = customer.local_addr().unwrap().port();
        assert_eq!(acceptor(port, from, &this), Owner::Nobody);
        let accepted = listener.accept().unwrap();
        assert_eq!([&this, &other].map(|process| acceptor(port, from, process)), [Owner::Process, Owner::Another]);
        drop((accepted, customer));
        child.kill().unwrap();
        child.wait().unwrap();
        drop(listener);
        assert_eq!(owner(port, &this), Owner::Nobody);
    }
}
