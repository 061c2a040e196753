//! Customers: requests all the while, counted, and what they and a look at each service show of a stretch of time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::{api, http};

/// A customer comes so often.
const EVERY: Duration = Duration::from_millis(10);

/// It is looked at who runs which version so often.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What was seen since it was taken last.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// When requests began, and whether they succeeded.
    pub requests: Vec<(Instant, bool)>,
    /// When a service answered with which version.
    pub versions: Vec<(Instant, &'static str, String)>,
    /// What failed requests said.
    pub failures: BTreeSet<String>,
}

impl Seen {
    /// Requests that failed.
    pub(crate) fn failed(&self) -> usize {
        self.requests.iter().filter(|(_, succeeded)| !succeeded).count()
    }
}

/// Requests all the while, as long as the value lives.
pub(crate) struct Load {
    seen: Arc<Mutex<Seen>>,
    tasks: JoinSet<()>,
}

impl Load {
    /// Begins. The first service of `ports` is what customers ask.
    pub(crate) fn start(ports: &[(&'static str, u16)]) -> Self {
        let mut load = Self { seen: Arc::default(), tasks: JoinSet::new() };
        for (number, &(name, port)) in ports.iter().enumerate() {
            let seen = Arc::clone(&load.seen);
            load.tasks.spawn(every(LOOK_EVERY, move || look(name, port, Arc::clone(&seen))));
            if number == 0 {
                let seen = Arc::clone(&load.seen);
                load.tasks.spawn(every(EVERY, move || order(name, port, Arc::clone(&seen))));
            }
        }
        load
    }

    /// Takes what was seen.
    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Starts one after the other, whether the one before has come back or not.
async fn every<F: Future<Output = ()> + Send + 'static>(period: Duration, what: impl Fn() -> F) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut on_their_way = JoinSet::new();
    loop {
        ticks.tick().await;
        on_their_way.spawn(what());
        while on_their_way.try_join_next().is_some() {}
    }
}

async fn order(service: &'static str, port: u16, seen: Arc<Mutex<Seen>>) {
    let began = Instant::now();
    let answer = http::get(port, "/").await;
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let right = api::answer(service, 1);
    let failure = match answer {
        Ok((200, body)) if body == right => None,
        Ok((_, body)) => Some(body.trim_end().to_owned()),
        Err(error) => Some(format!("{service}: {error}")),
    };
    seen.requests.push((began, failure.is_none()));
    seen.failures.extend(failure);
}

async fn look(service: &'static str, port: u16, seen: Arc<Mutex<Seen>>) {
    if let Ok((200, version)) = http::get(port, "/version").await {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.versions.push((Instant::now(), service, version));
    }
}
