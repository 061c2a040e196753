//! One list of objects, kept current by its watch. Pure: times are passed in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::cluster::ClusterError;

/// An event of a watch.
#[derive(Debug, Clone)]
pub(super) enum WatchUpdate<T> {
    /// A new list begins.
    ListStarted,
    /// An object of the new list.
    ListItem(T),
    /// The new list is complete. The error explains an empty list without a namespace.
    ListCompleted(Option<ClusterError>),
    /// An object was added or modified.
    Changed(T),
    /// An object was deleted.
    Deleted(T),
    /// A sign of life without a change.
    Alive,
    /// The server does not answer, or rejects the request.
    Failed(ClusterError),
}

impl<T> WatchUpdate<T> {
    /// Returns the object that was changed or deleted.
    pub(super) fn object(&self) -> Option<&T> {
        match self {
            Self::Changed(object) | Self::Deleted(object) => Some(object),
            _ => None,
        }
    }

    /// Returns the same event with its object converted.
    pub(super) fn map_object<U>(self, read: impl FnOnce(T) -> U) -> WatchUpdate<U> {
        match self {
            Self::ListStarted => WatchUpdate::ListStarted,
            Self::ListItem(object) => WatchUpdate::ListItem(read(object)),
            Self::ListCompleted(why) => WatchUpdate::ListCompleted(why),
            Self::Changed(object) => WatchUpdate::Changed(read(object)),
            Self::Deleted(object) => WatchUpdate::Deleted(read(object)),
            Self::Alive => WatchUpdate::Alive,
            Self::Failed(error) => WatchUpdate::Failed(error),
        }
    }
}

/// An object of a list.
pub(super) trait CachedObject {
    fn name(&self) -> &str;
    fn uid(&self) -> &str;
    fn resource_version(&self) -> &str;
    /// Returns whether both are equal except for the resource version.
    fn is_equivalent(&self, other: &Self) -> bool;
    /// Keeps what was inferred about the older version of the object.
    fn carry_over(&mut self, older: &Self);
}

/// A list, and its reliability.
#[derive(Debug)]
pub(super) struct ResourceCache<T> {
    /// Distinguishes this watch from an earlier one of the same objects, whose last events may arrive late.
    pub(super) watch_id: u64,
    items: BTreeMap<String, T>,
    /// The list under construction. It becomes visible when it is complete: a partial list never stands for the whole.
    pending_list: Option<BTreeMap<String, T>>,
    complete: bool,
    failure: Option<(Timestamp, ClusterError)>,
}

impl<T: CachedObject> ResourceCache<T> {
    /// Creates an empty list.
    pub(super) fn new(watch_id: u64) -> Self {
        Self { watch_id, items: BTreeMap::new(), pending_list: None, complete: false, failure: None }
    }

    /// Returns the objects, once they are listed.
    pub(super) fn items(&self) -> Option<&BTreeMap<String, T>> {
        self.complete.then_some(&self.items)
    }

    /// Returns an object, once the objects are listed.
    pub(super) fn item(&self, name: &str) -> Option<&T> {
        self.items()?.get(name)
    }

    /// Returns an object for annotation with inferred facts.
    pub(super) fn item_mut(&mut self, name: &str) -> Option<&mut T> {
        self.items.get_mut(name)
    }

    /// Returns why the list is unreliable: at once if the server rejects requests, after `grace` if it does not answer.
    pub(super) fn trouble(&self, now: Timestamp, grace: Duration) -> Option<(Timestamp, &ClusterError)> {
        let (since, error) = self.failure.as_ref()?;
        let bearable = matches!(error, ClusterError::Unreachable(_))
            && Duration::try_from(now.duration_since(*since)).is_ok_and(|lasted| lasted < grace);
        (!bearable).then_some((*since, error))
    }

    /// Applies an event, and returns what changed.
    pub(super) fn apply_update(&mut self, news: WatchUpdate<T>, now: Timestamp) -> CacheChange {
        match news {
            WatchUpdate::ListStarted => {
                self.pending_list = Some(BTreeMap::new());
                CacheChange::None
            }
            WatchUpdate::ListItem(item) => {
                self.pending_list.get_or_insert_default().insert(item.name().to_owned(), item);
                CacheChange::None
            }
            WatchUpdate::ListCompleted(why) => self.complete(why, now),
            WatchUpdate::Changed(item) => self.upsert(item),
            WatchUpdate::Deleted(item) => self.remove(&item),
            WatchUpdate::Alive => self.clear_failure(),
            WatchUpdate::Failed(error) => {
                let since = self.failure.take().map_or(now, |(since, _)| since);
                self.failure = Some((since, error));
                CacheChange::Reliability
            }
        }
    }

    /// Inserts an object, unless the list has a newer version of it.
    pub(super) fn upsert(&mut self, mut item: T) -> CacheChange {
        let healed = self.failure.take().is_some();
        let older = self.items.get(item.name());
        if older.is_some_and(|older| is_newer(older, &item)) {
            return if healed { CacheChange::Reliability } else { CacheChange::None };
        }
        older.inspect(|older| item.carry_over(older));
        let same = older.is_some_and(|older| older.is_equivalent(&item));
        let name = item.name().to_owned();
        self.items.insert(name.clone(), item);
        if same && !healed { CacheChange::None } else { CacheChange::Object(name) }
    }

    fn remove(&mut self, item: &T) -> CacheChange {
        if self.items.get(item.name()).is_none_or(|there| there.uid() != item.uid()) {
            return CacheChange::None;
        }
        self.items.remove(item.name());
        CacheChange::Object(item.name().to_owned())
    }

    fn complete(&mut self, why: Option<ClusterError>, now: Timestamp) -> CacheChange {
        let mut listed = self.pending_list.take().unwrap_or_default();
        for (name, older) in std::mem::take(&mut self.items) {
            let Some(item) = listed.get_mut(&name) else { continue };
            if is_newer(&older, item) {
                *item = older;
            } else {
                item.carry_over(&older);
            }
        }
        (self.items, self.complete, self.failure) = (listed, true, why.map(|why| (now, why)));
        CacheChange::All
    }

    /// Records a sign of life. A missing namespace is disproved only by an object in it.
    fn clear_failure(&mut self) -> CacheChange {
        if self.failure.as_ref().is_none_or(|(_, error)| matches!(error, ClusterError::NamespaceNotFound(_))) {
            return CacheChange::None;
        }
        self.failure = None;
        CacheChange::Reliability
    }
}

/// The change an event made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CacheChange {
    /// No visible change.
    None,
    /// The object of this name.
    Object(String),
    /// Possibly all objects.
    All,
    /// The reliability of the list.
    Reliability,
}

/// Returns whether both are one object and the first is newer. Resource versions are numbers: guaranteed since
/// Kubernetes 1.35, and true before.
fn is_newer<T: CachedObject>(item: &T, than: &T) -> bool {
    let number = |item: &T| item.resource_version().parse::<u64>().ok();
    item.uid() == than.uid() && number(item) > number(than) && number(than).is_some()
}
