//! A proxy for https that leads to one server of this host by whatever name it is asked: names need no DNS then.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

/// Starts one that leads to a port, for as long as this process runs; its URL.
pub(crate) fn tunnel(port: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            std::thread::spawn(move || lead(client.ok()?, port));
        }
    });
    url
}

/// Answers to `CONNECT`, and passes on what both say. Who hangs up is no failure.
fn lead(mut client: TcpStream, port: u16) -> Option<()> {
    let mut lines = BufReader::new(client.try_clone().ok()?).lines();
    let asked = lines.next()?.ok()?;
    lines.find(|line| line.as_ref().is_ok_and(String::is_empty))?.ok()?;
    if !asked.starts_with("CONNECT ") {
        return client.write_all(b"HTTP/1.1 405 Only CONNECT\r\n\r\n").ok();
    }
    let server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").ok()?;
    let (there, back) = ((client.try_clone().ok()?, server.try_clone().ok()?), (server, client));
    let one = std::thread::spawn(move || pass(there));
    pass(back);
    one.join().ok()
}

fn pass((mut from, mut to): (TcpStream, TcpStream)) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
