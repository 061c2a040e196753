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
    let sockets = listening(port);
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

/// The links by which a process holds the sockets that listen on a port: `socket:[12345]`.
#[cfg(target_os = "linux")]
fn listening(port: u16) -> Vec<String> {
    let port = format!(":{port:04X}");
    let tables =
        ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(|table| std::fs::read_to_string(table).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    let socket = |line: &str| {
        let mut fields = line.split_whitespace();
        let address = fields.nth(1)?;
        // 0A is LISTEN.
        let listens = fields.nth(1)? == "0A" && address.ends_with(&port);
        // Then tx:rx, timer, retransmits, uid, timeout, inode.
        let inode = fields.nth(5)?;
        listens.then(|| format!("socket:[{inode}]"))
    };
    lines.filter_map(socket).collect()
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
        child.kill().unwrap();
        child.wait().unwrap();
        drop(listener);
        assert_eq!(owner(port, &this), Owner::Nobody);
    }
}
