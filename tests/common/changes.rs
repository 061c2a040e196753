//! Waits for what happens to objects, without asking for them again and again: of many tests at once that alone keeps an
//! API server busy.

use std::time::Duration;

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use kube::api::{Api, DynamicObject, PartialObjectMeta, WatchEvent, WatchParams};

type Events = BoxStream<'static, kube::Result<WatchEvent<PartialObjectMeta<DynamicObject>>>>;

pub(crate) struct Changes {
    api: Api<DynamicObject>,
    which: WatchParams,
    events: Option<Events>,
}

impl Changes {
    pub(crate) fn of(api: Api<DynamicObject>, which: WatchParams) -> Self {
        Self { api, which, events: None }
    }

    /// Waits until something has changed since the last time, at most for so long, and says whether it has. The first time
    /// whatever is there has changed.
    pub(crate) async fn wait(&mut self, at_most: Duration) -> bool {
        let next = async {
            if self.events.is_none() {
                self.events = self.api.watch_metadata(&self.which, "0").await.ok().map(StreamExt::boxed);
            }
            let events = self.events.as_mut()?;
            events.next().await?.ok()?;
            while let Some(Some(Ok(_))) = events.next().now_or_never() {}
            Some(())
        };
        let Ok(told) = tokio::time::timeout(at_most, next).await else { return false };
        if told.is_none() {
            // The server is gone, or has said enough: it is asked anew.
            self.events = None;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        true
    }
}
