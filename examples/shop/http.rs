//! As much of HTTP as the shop needs.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Status and body of what a port of this host answers. A request whose connection is reset is sent once more, as HTTP
/// clients do with what can be repeated: a listener that closes resets what waits in its queue.
pub(crate) async fn get(port: u16, path: &str) -> Result<(u16, String)> {
    match once(port, path).await {
        Err(error) if is_reset(&error) => once(port, path).await,
        answer => answer,
    }
}

async fn once(port: u16, path: &str) -> Result<(u16, String)> {
    let answer = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(ErrorKind::InvalidData)?;
        Ok((status, body.to_owned()))
    };
    timeout(Duration::from_secs(2), answer).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

fn is_reset(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof)
}

/// Reads what is asked for.
pub(crate) async fn asked(stream: &mut TcpStream) -> Result<String> {
    let mut head = [0; 1024];
    let length = stream.read(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..length]);
    Ok(head.split(' ').nth(1).unwrap_or("/").to_owned())
}

/// Answers.
pub(crate) async fn answer(stream: &mut TcpStream, status: &str, body: &str) -> Result<()> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).await
}
