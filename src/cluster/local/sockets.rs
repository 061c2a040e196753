//! Queries TCP sockets from the kernel (`sock_diag(7)`). IO.
//!
//! `/proc/net/tcp` lists them too, but its cost grows with the number of connections in the last minute.

use std::io;
use std::net::SocketAddr;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr as KernelAddr};

/// Skips the kernel's check that the socket is still the same.
const ANY_SOCKET_COOKIE: [u8; 8] = [0xff; 8];

/// The maximum size of a datagram from the kernel, in bytes.
const MAX_DATAGRAM_BYTES: usize = 32 << 10;

/// Returns the inodes of the sockets that listen on a port.
pub(super) fn listening(port: u16) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for (family, any) in [(AF_INET, SocketId::new_v4()), (AF_INET6, SocketId::new_v6())] {
        let request =
            request(family, StateFlags::LISTEN, SocketId { source_port: port, cookie: ANY_SOCKET_COOKIE, ..any });
        found.extend(ask(request, NLM_F_REQUEST | NLM_F_DUMP)?.into_iter().filter(|it| it.0 == port).map(|it| it.1));
    }
    Ok(found)
}

/// Returns the inode of the server's end of a connection; none until it is accepted.
pub(super) fn accepted(server: SocketAddr, client: SocketAddr) -> io::Result<Option<u32>> {
    let (family, any) = if server.is_ipv4() { (AF_INET, SocketId::new_v4()) } else { (AF_INET6, SocketId::new_v6()) };
    let socket_id = SocketId {
        source_address: server.ip(),
        source_port: server.port(),
        destination_address: client.ip(),
        destination_port: client.port(),
        cookie: ANY_SOCKET_COOKIE,
        ..any
    };
    let found = ask(request(family, StateFlags::all(), socket_id), NLM_F_REQUEST)?;
    Ok(found.into_iter().map(|(_, inode)| inode).find(|inode| *inode != 0))
}

const fn request(family: u8, states: StateFlags, socket_id: SocketId) -> InetRequest {
    InetRequest { family, protocol: IPPROTO_TCP, extensions: ExtensionFlags::empty(), states, socket_id }
}

/// Returns port and inode of each socket that matches.
fn ask(request: InetRequest, flags: u16) -> io::Result<Vec<(u16, u32)>> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&KernelAddr::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    let mut found = Vec::new();
    loop {
        let mut datagram = Vec::with_capacity(MAX_DATAGRAM_BYTES);
        socket.recv(&mut datagram, 0)?;
        let mut rest = &datagram[..];
        while !rest.is_empty() {
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest).map_err(io::Error::other)?;
            match message.payload {
                NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(it)) => {
                    found.push((it.header.socket_id.source_port, it.header.inode));
                }
                NetlinkPayload::Done(_) => return Ok(found),
                NetlinkPayload::Error(error) if error.to_io().kind() == io::ErrorKind::NotFound => return Ok(found),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                _ => {}
            }
            let length = usize::try_from(message.header.length).unwrap_or(usize::MAX).next_multiple_of(4);
            rest = rest.get(length..).unwrap_or_default();
        }
        // A request for a single socket gets a single answer, without a final message.
        if flags & NLM_F_DUMP == 0 {
            return Ok(found);
        }
    }
}
