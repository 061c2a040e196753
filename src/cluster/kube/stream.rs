//! A reflector of one list of objects: it lists, watches, resumes, starts over if its resource version has expired, and
//! backs off after failures.
//!
//! kube's own watcher does not report when a broken watch has recovered. It also lists from the server's cache, which
//! may be older than the state seen before.
#![expect(clippy::disallowed_methods, reason = "the waiting between attempts")]

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::{Resource, Status};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Patience;
use super::errors;
use super::feed::News;
use crate::cluster::ClusterError;

/// The page size of lists, if the server does not stream them.
const PAGE: u32 = 200;
/// The maximum wait that the server may request (`retryAfterSeconds`).
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A list to follow.
pub(super) struct Stream<K> {
    pub(super) api: Api<K>,
    pub(super) labels: Option<String>,
    /// The lifetime of one watch; none for the server's choice.
    pub(super) lasts: Option<Duration>,
    /// The namespace to look up if the list is empty; none to skip that.
    pub(super) namespace: Option<(Api<Namespace>, String)>,
    /// The server's name in messages.
    pub(super) server: String,
    pub(super) patience: Patience,
    /// Changes to request a resync.
    pub(super) anew: watch::Receiver<u64>,
}

/// The end of an attempt.
enum End {
    /// The server, or the time limit for silence, ended the watch.
    Over,
    /// The resource version has expired.
    Forgotten,
    /// The server does not stream lists.
    NoStreaming,
    /// An error, and the minimum wait before the next attempt.
    Failed(ClusterError, Duration),
}

/// The position from which the next attempt resumes.
struct Place {
    anew: watch::Receiver<u64>,
    version: Option<String>,
    streaming: bool,
    /// Whether the current attempt received anything.
    heard: bool,
    /// The number of objects in the last list.
    listed: usize,
    /// The time of the next resync.
    due: Instant,
}

impl<K> Stream<K>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    /// Follows the list forever, and passes every event to `tell`.
    pub(super) async fn follow(self, mut tell: impl FnMut(News<K>) + Send) {
        let anew = self.anew.clone();
        let mut place = Place { anew, version: None, streaming: true, heard: false, listed: 0, due: self.due() };
        let mut failures = 0;
        loop {
            place.heard = false;
            let mut at_least = Duration::ZERO;
            match self.attempt(&mut place, &mut tell).await.unwrap_or_else(|end| end) {
                End::Over => {}
                End::Forgotten => place.version = None,
                End::NoStreaming => (place.version, place.streaming) = (None, false),
                End::Failed(error, wait) => {
                    at_least = wait.min(LONGEST_WAIT);
                    tell(News::Failed(error));
                }
            }
            failures = if place.heard { 0 } else { failures + 1 };
            if failures > 0 || !at_least.is_zero() {
                tokio::time::sleep(backoff(failures).max(at_least)).await;
            }
        }
    }

    async fn attempt(&self, place: &mut Place, tell: &mut (impl FnMut(News<K>) + Send)) -> Result<End, End> {
        if place.version.is_none() && !place.streaming {
            self.list(place, tell).await?;
        }
        let streaming = place.version.is_none();
        let params = WatchParams {
            label_selector: self.labels.clone(),
            send_initial_events: streaming,
            timeout: self.lasts.and_then(|lasts| lasts.as_secs().try_into().ok()),
            ..WatchParams::default()
        };
        // An empty version requests a list no older than the request.
        let version = place.version.clone().unwrap_or_default();
        let events = self.answer(self.api.watch(&params, &version)).await?;
        tell(if streaming { News::Listing } else { News::Alive });
        pin_mut!(events);
        place.listed = 0;
        loop {
            let next = tokio::time::timeout(self.longest_silence(), events.next());
            let event = tokio::select! {
                event = next => event,
                Ok(()) = place.anew.changed(), if place.version.is_some() => return Err(End::Forgotten),
                () = tokio::time::sleep_until(place.due), if place.version.is_some() => {
                    place.due = self.due();
                    return Err(End::Forgotten);
                }
            };
            let Ok(Some(event)) = event else { break };
            let event = event.map_err(|error| self.failed(&error))?;
            place.heard = true;
            if place.version.is_some() {
                self.hear(event, place, tell)?;
            } else {
                self.hear_listed(event, place, tell)?;
                if place.version.is_some() {
                    tell(News::Complete(self.missing(place).await));
                }
            }
        }
        // An interrupted list counts as nothing received.
        place.heard &= place.version.is_some();
        Ok(End::Over)
    }

    /// Handles an event after the list.
    fn hear(&self, event: WatchEvent<K>, place: &mut Place, tell: &mut impl FnMut(News<K>)) -> Result<(), End> {
        let (version, news) = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                (object.meta().resource_version.clone(), News::Changed(object))
            }
            WatchEvent::Deleted(object) => (object.meta().resource_version.clone(), News::Gone(object)),
            WatchEvent::Bookmark(mark) => (Some(mark.metadata.resource_version), News::Alive),
            WatchEvent::Error(status) => return Err(self.refused(&status)),
        };
        place.version = version;
        tell(news);
        Ok(())
    }

    /// Handles an event within a streamed list.
    fn hear_listed(&self, event: WatchEvent<K>, place: &mut Place, tell: &mut impl FnMut(News<K>)) -> Result<(), End> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                place.listed += 1;
                tell(News::Listed(object));
            }
            WatchEvent::Bookmark(mark) if mark.metadata.annotations.contains_key("k8s.io/initial-events-end") => {
                place.version = Some(mark.metadata.resource_version);
            }
            WatchEvent::Bookmark(_) | WatchEvent::Deleted(_) => {}
            WatchEvent::Error(status) => return Err(self.refused(&status)),
        }
        Ok(())
    }

    /// Lists page by page, no older than the request.
    async fn list(&self, place: &mut Place, tell: &mut (impl FnMut(News<K>) + Send)) -> Result<(), End> {
        let mut params = ListParams { label_selector: self.labels.clone(), limit: Some(PAGE), ..ListParams::default() };
        place.listed = 0;
        tell(News::Listing);
        loop {
            let page = self.answer(self.api.list(&params)).await?;
            place.heard = true;
            place.listed += page.items.len();
            page.items.into_iter().for_each(|object| tell(News::Listed(object)));
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                place.version = page.metadata.resource_version;
                tell(News::Complete(self.missing(place).await));
                return Ok(());
            }
        }
    }

    /// Checks whether the namespace exists if the list is empty. The list itself does not report that.
    async fn missing(&self, place: &Place) -> Option<ClusterError> {
        let (api, name) = self.namespace.as_ref().filter(|_| place.listed == 0)?;
        let asked = tokio::time::timeout(self.patience.answer, api.get_metadata(name)).await;
        let is_missing = matches!(&asked, Ok(Err(kube::Error::Api(status))) if status.code == 404);
        is_missing.then(|| ClusterError::NoNamespace(name.clone()))
    }

    /// Returns the time of the next resync, randomised so that lists do not coincide.
    fn due(&self) -> Instant {
        Instant::now() + self.patience.anew.mul_f64(1.0 + random(0))
    }

    /// Returns the time limit for silence. A hanging server does not end a watch at its lifetime, so the client must.
    fn longest_silence(&self) -> Duration {
        self.lasts.map_or(self.patience.silence, |lasts| self.patience.silence.min(lasts + self.patience.answer))
    }

    async fn answer<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, End> {
        let Ok(answer) = tokio::time::timeout(self.patience.answer, request).await else {
            let why = format!("no answer within {:?}", self.patience.answer);
            return Err(End::Failed(errors::no_answer(&self.server, &why), Duration::ZERO));
        };
        answer.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &kube::Error) -> End {
        match error {
            kube::Error::Api(status) => self.refused(status),
            _ => End::Failed(errors::of_read(&self.server, error), Duration::ZERO),
        }
    }

    fn refused(&self, status: &Status) -> End {
        if errors::is_gone(status) {
            return End::Forgotten;
        }
        if errors::knows_no_streaming(status) {
            return End::NoStreaming;
        }
        let wait = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        let error = errors::of_read(&self.server, &kube::Error::Api(Box::new(status.clone())));
        End::Failed(error, Duration::from_secs(wait.into()))
    }
}

/// Returns the back-off: 0.2 s, doubled up to 20 s, times a random factor from 0.5 to 1, so that clients do not return
/// at once.
fn backoff(failures: u32) -> Duration {
    let longest = Duration::from_millis(200).saturating_mul(1 << failures.saturating_sub(1).min(7));
    longest.min(Duration::from_secs(20)).mul_f64(0.5 + random(failures))
}

/// Returns a random number from 0 to 0.5.
fn random(seed: u32) -> f64 {
    let random = RandomState::new().hash_one(seed) % 512;
    f64::from(u32::try_from(random).unwrap_or(0)) / 1024.0
}
