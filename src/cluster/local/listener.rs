//! The owner of a port. An answer on a port proves nothing about a process, because another one may listen there. IO.
#![expect(clippy::disallowed_methods, reason = "the local runtime looks at processes")]

use std::net::SocketAddr;

use super::record::ProcessId;
#[cfg(target_os = "linux")]
use super::sockets;

/// The listener of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PortOwner {
    /// The process or one of its children; also if it cannot be determined.
    ThisProcess,
    /// Only other processes.
    OtherProcess,
    Nobody,
}

/// Returns the listener of a port, which only Linux reveals.
#[cfg(not(target_os = "linux"))]
pub(super) fn owner(_port: u16, _process: &ProcessId) -> PortOwner {
    PortOwner::ThisProcess
}

/// Returns the listener of a port. `/proc/PID/fd` lists the open sockets of a process (proc(5)).
#[cfg(target_os = "linux")]
pub(super) fn owner(port: u16, process: &ProcessId) -> PortOwner {
    owner_of(sockets::listening(port), process)
}

/// Returns which process accepted a client's connection; nobody while it is pending.
#[cfg(target_os = "linux")]
pub(super) fn connection_owner(server: SocketAddr, client: SocketAddr, process: &ProcessId) -> PortOwner {
    owner_of(sockets::accepted(server, client).map(|inode| inode.into_iter().collect()), process)
}

/// Returns which process accepted a connection, which only Linux reveals.
#[cfg(not(target_os = "linux"))]
pub(super) fn acceptor(_server: SocketAddr, _client: SocketAddr, _process: &ProcessId) -> PortOwner {
    PortOwner::ThisProcess
}

#[cfg(target_os = "linux")]
fn owner_of(inodes: std::io::Result<Vec<u32>>, process: &ProcessId) -> PortOwner {
    let inodes = match inodes {
        Ok(inodes) => inodes,
        Err(error) => {
            tracing::debug!("the kernel does not say who listens: {error}");
            return PortOwner::ThisProcess;
        }
    };
    if inodes.is_empty() {
        return PortOwner::Nobody;
    }
    let sockets: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let holds = |pid: i32| {
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors
            .filter_map(|entry| std::fs::read_link(entry.path()).ok())
            .any(|link| link.to_str().is_some_and(|link| sockets.iter().any(|socket| link == socket)))
    };
    if holds(process.pid) || others_of_its_session(process).into_iter().any(holds) {
        PortOwner::ThisProcess
    } else {
        PortOwner::OtherProcess
    }
}

/// Returns the processes in the session that the shim created, which includes all children.
#[cfg(target_os = "linux")]
fn others_of_its_session(process: &ProcessId) -> Vec<i32> {
    use super::process::ProcStat;
    let Some(session) = ProcStat::of(process.pid).map(|stat| stat.session) else { return Vec::new() };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| ProcStat::of(pid).is_some_and(|stat| stat.session == session)).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_is_of_the_process_that_listens_there_of_another_or_of_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let this = ProcessId::current().unwrap();
        assert_eq!(owner(port, &this), PortOwner::ThisProcess);
        let mut child = std::process::Command::new("setsid").args(["sleep", "60"]).spawn().unwrap();
        let other = ProcessId::find(i32::try_from(child.id()).unwrap()).unwrap();
        // The child belongs to this session until it has created its own.
        while owner(port, &other) == PortOwner::ThisProcess {
            std::thread::yield_now();
        }
        assert_eq!(owner(port, &other), PortOwner::OtherProcess);
        let customer = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (server, client) = (customer.peer_addr().unwrap(), customer.local_addr().unwrap());
        assert_eq!(connection_owner(server, client, &this), PortOwner::Nobody);
        let accepted = listener.accept().unwrap();
        let acceptors = [&this, &other].map(|process| connection_owner(server, client, process));
        assert_eq!(acceptors, [PortOwner::ThisProcess, PortOwner::OtherProcess]);
        drop((accepted, customer));
        child.kill().unwrap();
        child.wait().unwrap();
        drop(listener);
        assert_eq!(owner(port, &this), PortOwner::Nobody);
    }
}
