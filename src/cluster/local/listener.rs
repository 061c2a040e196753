//! Whose port it is. An answer on a port says nothing of a process that does not listen there: another may. IO.
#![expect(clippy::disallowed_methods, reason = "the local runtime looks at processes")]

#[cfg(target_os = "linux")]
use std::fs::File;
#[cfg(target_os = "linux")]
use std::io::{BufRead as _, BufReader};

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
    owner_of(process, |socket| socket.port == port && socket.state == LISTEN, |socket| socket.state != LISTEN)
}

/// Who has accepted the connection from another port of this host; nobody, as long as it waits to be.
#[cfg(target_os = "linux")]
pub(super) fn acceptor(port: u16, from: u16, process: &Process) -> Owner {
    let is_it = |socket: &Socket| socket.port == port && socket.peer == from && socket.inode != "0";
    owner_of(process, is_it, |_| false)
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

/// Who holds the sockets that are `wanted`; none comes after one that is the `end`. The kernel looks through its whole hash
/// table for a whole file, which takes it 10 ms and more, and lists those that listen first: so it is read line by line.
#[cfg(target_os = "linux")]
fn owner_of(process: &Process, wanted: impl Fn(&Socket) -> bool, end: impl Fn(&Socket) -> bool) -> Owner {
    let mut owner = Owner::Nobody;
    for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        let Ok(file) = File::open(table) else { continue };
        for line in BufReader::with_capacity(LINE, file).lines().skip(1).map_while(Result::ok) {
            let Some(socket) = Socket::read(&line) else { continue };
            if wanted(&socket) {
                if holds(process, &format!("socket:[{}]", socket.inode)) {
                    return Owner::Process;
                }
                owner = Owner::Another;
            } else if end(&socket) {
                break;
            }
        }
    }
    owner
}

/// Less than a line has, so that the kernel is asked for no more than one.
#[cfg(target_os = "linux")]
const LINE: usize = 128;

/// Whether the process, or another of its session, has a socket open.
#[cfg(target_os = "linux")]
fn holds(process: &Process, socket: &str) -> bool {
    let holds = |pid: i32| {
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors
            .filter_map(|entry| std::fs::read_link(entry.path()).ok())
            .any(|link| link.to_str().is_some_and(|link| link == socket))
    };
    holds(process.pid) || others_of_its_session(process).into_iter().any(holds)
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
