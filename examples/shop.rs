//! A shop of small HTTP services, to be run by the local runtime: each answers on its port, and asks what it needs.
//!
//! ```text
//! shop checkout --version 1.8.2 --port 8081 --needs payments=8082 --needs inventory=8083
//! ```
//!
//! `GET /healthz` is 200 when all that it needs answers, `GET /version` is its version, and every other path is what a
//! customer sees. Faults can be asked for: `--crash` ends at once, `--unwell` answers 503, `--deaf` never listens,
//! `--stubborn` ignores SIGTERM, `--linger MS` takes so long to end. `--share` binds with `SO_REUSEPORT`, so that the next
//! version can listen before this one ends.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what a service prints is its log")]
#![expect(clippy::disallowed_methods, reason = "a service waits")]

use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What was typed.
#[derive(Debug, Clone, Default)]
struct Shop {
    name: String,
    version: String,
    port: u16,
    /// Names and ports.
    needs: Vec<(String, u16)>,
    /// Flags without a value.
    asked: Vec<String>,
    linger: Duration,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(shop) = Shop::read(std::env::args().skip(1)) else {
        eprintln!("usage: shop NAME --version VERSION --port PORT [--needs NAME=PORT]… [--share]");
        return ExitCode::from(64);
    };
    match shop.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{} {}: port {}: {error}", shop.name, shop.version, shop.port);
            ExitCode::FAILURE
        }
    }
}

impl Shop {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut shop = Self { name: words.next()?, ..Self::default() };
        while let Some(flag) = words.next() {
            match flag.as_str() {
                "--version" => shop.version = words.next()?,
                "--port" => shop.port = words.next()?.parse().ok()?,
                "--linger" => shop.linger = Duration::from_millis(words.next()?.parse().ok()?),
                "--needs" => {
                    let need = words.next()?;
                    let (name, port) = need.split_once('=')?;
                    shop.needs.push((name.to_owned(), port.parse().ok()?));
                }
                "--crash" | "--unwell" | "--deaf" | "--stubborn" | "--share" => shop.asked.push(flag),
                _ => return None,
            }
        }
        Some(shop)
    }

    fn is(&self, asked: &str) -> bool {
        self.asked.iter().any(|flag| flag == asked)
    }

    async fn run(&self) -> std::io::Result<()> {
        if self.is("--crash") {
            return Err(std::io::Error::other("asked to crash"));
        }
        let mut end = signal(SignalKind::terminate())?;
        if self.is("--deaf") {
            end.recv().await;
            return Ok(());
        }
        let listener = self.listen()?;
        println!("{} {} listens on port {}", self.name, self.version, self.port);
        let mut customers = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => self.serve(&mut customers, accepted?.0),
                Some(_) = customers.join_next() => {}
                _ = end.recv() => {
                    println!("{} {} was asked to end", self.name, self.version);
                    if !self.is("--stubborn") {
                        break;
                    }
                }
            }
        }
        tokio::time::sleep(self.linger).await;
        // Who has come already is served.
        while let Ok(accepted) = timeout(Duration::ZERO, listener.accept()).await {
            self.serve(&mut customers, accepted?.0);
        }
        drop(listener);
        customers.join_all().await;
        Ok(())
    }

    fn serve(&self, customers: &mut JoinSet<()>, stream: TcpStream) {
        let shop = self.clone();
        customers.spawn(async move {
            // Who asks may have gone.
            let _ = timeout(Duration::from_secs(5), shop.answer(stream)).await;
        });
    }

    fn listen(&self) -> std::io::Result<TcpListener> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(self.is("--share"))?;
        socket.bind(([127, 0, 0, 1], self.port).into())?;
        socket.listen(128)
    }

    async fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut asked = [0; 1024];
        let length = stream.read(&mut asked).await?;
        let asked = String::from_utf8_lossy(&asked[..length]);
        let path = asked.split(' ').nth(1).unwrap_or("/");
        let (status, text) = match path {
            "/version" => ("200 OK", self.version.clone()),
            "/healthz" if self.is("--unwell") => ("503 Service Unavailable", "unwell".to_owned()),
            _ => self.customer().await,
        };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
        stream.write_all((head + &text).as_bytes()).await
    }

    /// What a customer sees: this version, and those of what it needs.
    async fn customer(&self) -> (&'static str, String) {
        let mut lines = vec![format!("{} {}", self.name, self.version)];
        for (name, port) in &self.needs {
            match timeout(Duration::from_secs(1), ask(*port)).await {
                Ok(Ok(version)) => lines.push(format!("  {name} {version}")),
                Ok(Err(_)) | Err(_) => return ("502 Bad Gateway", format!("{name} does not answer\n")),
            }
        }
        ("200 OK", lines.join("\n") + "\n")
    }
}

/// The version of the service on a port.
async fn ask(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.rsplit("\r\n").next().unwrap_or_default().to_owned())
}
