//! One service of the shop: it answers on its port, and asks what it needs.
//!
//! ```text
//! shop checkout --version 1.8.2 --port 8081 --needs payments=8082 --needs inventory=8083
//! ```
//!
//! `GET /healthz` is 200, `GET /version` is its version, `GET /v1/` is its API, for which it calls those of what it needs,
//! and `GET /` is the first that it serves. Faults can be asked for: `--crash` ends at once, `--unwell` answers 503 to
//! `/healthz`, `--deaf` never listens, `--stubborn` ignores SIGTERM, `--linger MS` takes so long to end, `--warm-up MS` so
//! long to listen. `--share` binds with `SO_REUSEPORT`, so that the next version can listen before this one ends.

use std::io::Result;
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::{api, http};

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
    warm_up: Duration,
}

/// Serves until it is asked to end.
pub(crate) async fn serve(words: &[&str]) -> ExitCode {
    let Some(shop) = Shop::read(words.iter().map(|word| (*word).to_owned())) else {
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
        let name = words.next().filter(|name| !name.starts_with('-'))?;
        let mut shop = Self { name, ..Self::default() };
        while let Some(flag) = words.next() {
            match flag.as_str() {
                "--version" => shop.version = words.next()?,
                "--port" => shop.port = words.next()?.parse().ok()?,
                "--linger" => shop.linger = Duration::from_millis(words.next()?.parse().ok()?),
                "--warm-up" => shop.warm_up = Duration::from_millis(words.next()?.parse().ok()?),
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

    async fn run(&self) -> Result<()> {
        if self.is("--crash") {
            return Err(std::io::Error::other("asked to crash"));
        }
        let mut end = signal(SignalKind::terminate())?;
        if self.is("--deaf") {
            end.recv().await;
            return Ok(());
        }
        sleep(self.warm_up).await;
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
        sleep(self.linger).await;
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

    fn listen(&self) -> Result<TcpListener> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(self.is("--share"))?;
        socket.bind(([127, 0, 0, 1], self.port).into())?;
        socket.listen(128)
    }

    async fn answer(&self, mut stream: TcpStream) -> Result<()> {
        let path = http::asked(&mut stream).await?;
        let served = api::serves(&self.name, &self.version);
        // `/v2,1/` asks for the best that both know, as one request: the next one may reach another version.
        let asked: Vec<u32> = path.strip_prefix("/v").map_or_else(Vec::new, |rest| {
            rest.trim_end_matches('/').split(',').filter_map(|api| api.parse().ok()).collect()
        });
        let (status, text) = match (path.as_str(), asked.iter().chain(&served[..1]).find(|api| served.contains(api))) {
            ("/version", _) => ("200 OK", self.version.clone()),
            ("/pid", _) => ("200 OK", std::process::id().to_string()),
            ("/healthz", _) if self.is("--unwell") => ("503 Service Unavailable", "unwell\n".to_owned()),
            ("/healthz", _) => ("200 OK", "well\n".to_owned()),
            (_, Some(api)) if path == "/" || asked.contains(api) => match self.call_all().await {
                Ok(()) => ("200 OK", api::answer(&self.name, *api)),
                Err(why) => ("502 Bad Gateway", why),
            },
            _ => ("404 Not Found", format!("{} {} has no {path}\n", self.name, self.version)),
        };
        http::answer(&mut stream, status, &text).await
    }

    /// Calls all that it needs; or says who did not do what was asked.
    async fn call_all(&self) -> std::result::Result<(), String> {
        for (name, port) in &self.needs {
            let apis = api::calls(&self.name, &self.version, name);
            let path: Vec<String> = apis.iter().map(ToString::to_string).collect();
            let said = match http::get(*port, &format!("/v{}/", path.join(","))).await {
                Ok((200, body)) if apis.iter().any(|&api| body == api::answer(name, api)) => continue,
                Ok((_, body)) => body,
                Err(error) => format!("{name}: {error}\n"),
            };
            return Err(format!("{} {}: {said}", self.name, self.version));
        }
        Ok(())
    }
}
