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

use super::Timeouts;
use super::errors;
use super::feed::WatchUpdate;
use crate::cluster::ClusterError;

/// The page size of lists, if the server does not stream them.
const LIST_PAGE_SIZE: u32 = 200;
/// The maximum wait that the server may request (`retryAfterSeconds`).
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// A list to follow.
pub(super) struct Reflector<K> {
    pub(super) api: Api<K>,
    pub(super) label_selector: Option<String>,
    /// The lifetime of one watch; none for the server's choice.
    pub(super) watch_duration: Option<Duration>,
    /// The namespace to look up if the list is empty; none to skip that.
    pub(super) namespace: Option<(Api<Namespace>, String)>,
    /// The server's name in messages.
    pub(super) server: String,
    pub(super) timeouts: Timeouts,
    /// Changes to request a resync.
    pub(super) resyncs: watch::Receiver<u64>,
}

/// The end of an attempt.
enum WatchEnd {
    /// The server, or the time limit for silence, ended the watch.
    Closed,
    /// The resource version has expired.
    Expired,
    /// The server does not stream lists.
    StreamingUnsupported,
    /// An error, and the minimum wait before the next attempt.
    Failed(ClusterError, Duration),
}

/// The position from which the next attempt resumes.
struct WatchPosition {
    resyncs: watch::Receiver<u64>,
    resource_version: Option<String>,
    streaming: bool,
    /// Whether the current attempt received anything.
    received: bool,
    /// The number of objects in the last list.
    listed: usize,
    /// The time of the next resync.
    next_list_at: Instant,
}

impl<K> Reflector<K>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    /// Follows the list forever, and passes every event to `tell`.
    pub(super) async fn run(self, mut tell: impl FnMut(WatchUpdate<K>) + Send) {
        let anew = self.resyncs.clone();
        let mut place = WatchPosition {
            resyncs: anew,
            resource_version: None,
            streaming: true,
            received: false,
            listed: 0,
            next_list_at: self.due(),
        };
        let mut failures = 0;
        loop {
            place.received = false;
            let mut at_least = Duration::ZERO;
            match self.attempt(&mut place, &mut tell).await.unwrap_or_else(|end| end) {
                WatchEnd::Closed => {}
                WatchEnd::Expired => place.resource_version = None,
                WatchEnd::StreamingUnsupported => (place.resource_version, place.streaming) = (None, false),
                WatchEnd::Failed(error, wait) => {
                    at_least = wait.min(MAX_RETRY_AFTER);
                    tell(WatchUpdate::Failed(error));
                }
            }
            failures = if place.received { 0 } else { failures + 1 };
            if failures > 0 || !at_least.is_zero() {
                tokio::time::sleep(backoff(failures).max(at_least)).await;
            }
        }
    }

    async fn attempt(
        &self,
        place: &mut WatchPosition,
        tell: &mut (impl FnMut(WatchUpdate<K>) + Send),
    ) -> Result<WatchEnd, WatchEnd> {
        if place.resource_version.is_none() && !place.streaming {
            self.list(place, tell).await?;
        }
        let streaming = place.resource_version.is_none();
        let params = WatchParams {
            label_selector: self.label_selector.clone(),
            send_initial_events: streaming,
            timeout: self.watch_duration.and_then(|lasts| lasts.as_secs().try_into().ok()),
            ..WatchParams::default()
        };
        // An empty version requests a list no older than the request.
        let version = place.resource_version.clone().unwrap_or_default();
        let events = self.answer(self.api.watch(&params, &version)).await?;
        tell(if streaming { WatchUpdate::ListStarted } else { WatchUpdate::Alive });
        pin_mut!(events);
        place.listed = 0;
        loop {
            let next = tokio::time::timeout(self.longest_silence(), events.next());
            let event = tokio::select! {
                event = next => event,
                Ok(()) = place.resyncs.changed(), if place.resource_version.is_some() => return Err(WatchEnd::Expired),
                () = tokio::time::sleep_until(place.next_list_at), if place.resource_version.is_some() => {
                    place.next_list_at = self.due();
                    return Err(WatchEnd::Expired);
                }
            };
            let Ok(Some(event)) = event else { break };
            let event = event.map_err(|error| self.failed(&error))?;
            place.received = true;
            if place.resource_version.is_some() {
                self.handle_event(event, place, tell)?;
            } else {
                self.handle_initial_event(event, place, tell)?;
                if place.resource_version.is_some() {
                    tell(WatchUpdate::ListCompleted(self.missing_namespace(place).await));
                }
            }
        }
        // An interrupted list counts as nothing received.
        place.received &= place.resource_version.is_some();
        Ok(WatchEnd::Closed)
    }

    /// Handles an event after the list.
    fn handle_event(
        &self,
        event: WatchEvent<K>,
        place: &mut WatchPosition,
        tell: &mut impl FnMut(WatchUpdate<K>),
    ) -> Result<(), WatchEnd> {
        let (version, news) = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                (object.meta().resource_version.clone(), WatchUpdate::Changed(object))
            }
            WatchEvent::Deleted(object) => (object.meta().resource_version.clone(), WatchUpdate::Deleted(object)),
            WatchEvent::Bookmark(mark) => (Some(mark.metadata.resource_version), WatchUpdate::Alive),
            WatchEvent::Error(status) => return Err(self.refused(&status)),
        };
        place.resource_version = version;
        tell(news);
        Ok(())
    }

    /// Handles an event within a streamed list.
    fn handle_initial_event(
        &self,
        event: WatchEvent<K>,
        place: &mut WatchPosition,
        tell: &mut impl FnMut(WatchUpdate<K>),
    ) -> Result<(), WatchEnd> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                place.listed += 1;
                tell(WatchUpdate::ListItem(object));
            }
            WatchEvent::Bookmark(mark) if mark.metadata.annotations.contains_key("k8s.io/initial-events-end") => {
                place.resource_version = Some(mark.metadata.resource_version);
            }
            WatchEvent::Bookmark(_) | WatchEvent::Deleted(_) => {}
            WatchEvent::Error(status) => return Err(self.refused(&status)),
        }
        Ok(())
    }

    /// Lists page by page, no older than the request.
    async fn list(
        &self,
        place: &mut WatchPosition,
        tell: &mut (impl FnMut(WatchUpdate<K>) + Send),
    ) -> Result<(), WatchEnd> {
        let mut params = ListParams {
            label_selector: self.label_selector.clone(),
            limit: Some(LIST_PAGE_SIZE),
            ..ListParams::default()
        };
        place.listed = 0;
        tell(WatchUpdate::ListStarted);
        loop {
            let page = self.answer(self.api.list(&params)).await?;
            place.received = true;
            place.listed += page.items.len();
            page.items.into_iter().for_each(|object| tell(WatchUpdate::ListItem(object)));
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                place.resource_version = page.metadata.resource_version;
                tell(WatchUpdate::ListCompleted(self.missing_namespace(place).await));
                return Ok(());
            }
        }
    }

    /// Checks whether the namespace exists if the list is empty. The list itself does not report that.
    async fn missing_namespace(&self, place: &WatchPosition) -> Option<ClusterError> {
        let (api, name) = self.namespace.as_ref().filter(|_| place.listed == 0)?;
        let asked = tokio::time::timeout(self.timeouts.request, api.get_metadata(name)).await;
        let is_missing = matches!(&asked, Ok(Err(kube::Error::Api(status))) if status.code == 404);
        is_missing.then(|| ClusterError::NamespaceNotFound(name.clone()))
    }

    /// Returns the time of the next resync, randomised so that lists do not coincide.
    fn due(&self) -> Instant {
        Instant::now() + self.timeouts.resync_interval.mul_f64(1.0 + random(0))
    }

    /// Returns the time limit for silence. A hanging server does not end a watch at its lifetime, so the client must.
    fn longest_silence(&self) -> Duration {
        self.watch_duration
            .map_or(self.timeouts.watch_silence, |lasts| self.timeouts.watch_silence.min(lasts + self.timeouts.request))
    }

    async fn answer<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, WatchEnd> {
        let Ok(answer) = tokio::time::timeout(self.timeouts.request, request).await else {
            let why = format!("no answer within {:?}", self.timeouts.request);
            return Err(WatchEnd::Failed(errors::no_answer_error(&self.server, &why), Duration::ZERO));
        };
        answer.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &kube::Error) -> WatchEnd {
        match error {
            kube::Error::Api(status) => self.refused(status),
            _ => WatchEnd::Failed(errors::read_error(&self.server, error), Duration::ZERO),
        }
    }

    fn refused(&self, status: &Status) -> WatchEnd {
        if errors::is_gone(status) {
            return WatchEnd::Expired;
        }
        if errors::lacks_streaming_lists(status) {
            return WatchEnd::StreamingUnsupported;
        }
        let wait = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        let error = errors::read_error(&self.server, &kube::Error::Api(Box::new(status.clone())));
        WatchEnd::Failed(error, Duration::from_secs(wait.into()))
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
