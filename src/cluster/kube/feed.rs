//! One list of objects, kept current by its watch. Pure: times are passed in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::cluster::ClusterError;

/// An event of a watch.
#[derive(Debug, Clone)]
pub(super) enum News<T> {
    /// A new list begins.
    Listing,
    /// An object of the new list.
    Listed(T),
    /// The new list is complete. The error explains an empty list without a namespace.
    Complete(Option<ClusterError>),
    /// An object was added or modified.
    Changed(T),
    /// An object was deleted.
    Gone(T),
    /// A sign of life without a change.
    Alive,
    /// The server does not answer, or rejects the request.
    Failed(ClusterError),
}

impl<T> News<T> {
    /// Returns the object that was changed or deleted.
    pub(super) fn object(&self) -> Option<&T> {
        match self {
            Self::Changed(object) | Self::Gone(object) => Some(object),
            _ => None,
        }
    }

    /// Returns the same event with its object converted.
    pub(super) fn map<U>(self, read: impl FnOnce(T) -> U) -> News<U> {
        match self {
            Self::Listing => News::Listing,
            Self::Listed(object) => News::Listed(read(object)),
            Self::Complete(why) => News::Complete(why),
            Self::Changed(object) => News::Changed(read(object)),
            Self::Gone(object) => News::Gone(read(object)),
            Self::Alive => News::Alive,
            Self::Failed(error) => News::Failed(error),
        }
    }
}

/// An object of a list.
pub(super) trait Item {
    fn name(&self) -> &str;
    fn uid(&self) -> &str;
    fn resource_version(&self) -> &str;
    /// Returns whether both are equal except for the resource version.
    fn shows_same(&self, other: &Self) -> bool;
    /// Keeps what was inferred about the older version of the object.
    fn inherit(&mut self, older: &Self);
}

/// A list, and its reliability.
#[derive(Debug)]
pub(super) struct Feed<T> {
    /// Distinguishes this watch from an earlier one of the same objects, whose last events may arrive late.
    pub(super) number: u64,
    items: BTreeMap<String, T>,
    /// The list under construction. It becomes visible when it is complete: a partial list never stands for the whole.
    listing: Option<BTreeMap<String, T>>,
    complete: bool,
    trouble: Option<(Timestamp, ClusterError)>,
}

impl<T: Item> Feed<T> {
    /// Creates an empty list.
    pub(super) fn new(number: u64) -> Self {
        Self { number, items: BTreeMap::new(), listing: None, complete: false, trouble: None }
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
        let (since, error) = self.trouble.as_ref()?;
        let bearable = matches!(error, ClusterError::Unreachable(_))
            && Duration::try_from(now.duration_since(*since)).is_ok_and(|lasted| lasted < grace);
        (!bearable).then_some((*since, error))
    }

    /// Applies an event, and returns what changed.
    pub(super) fn take(&mut self, news: News<T>, now: Timestamp) -> Difference {
        match news {
            News::Listing => {
                self.listing = Some(BTreeMap::new());
                Difference::None
            }
            News::Listed(item) => {
                self.listing.get_or_insert_default().insert(item.name().to_owned(), item);
                Difference::None
            }
            News::Complete(why) => self.complete(why, now),
            News::Changed(item) => self.put(item),
            News::Gone(item) => self.remove(&item),
            News::Alive => self.alive(),
            News::Failed(error) => {
                let since = self.trouble.take().map_or(now, |(since, _)| since);
                self.trouble = Some((since, error));
                Difference::Trouble
            }
        }
    }

    /// Inserts an object, unless the list has a newer version of it.
    pub(super) fn put(&mut self, mut item: T) -> Difference {
        let healed = self.trouble.take().is_some();
        let older = self.items.get(item.name());
        if older.is_some_and(|older| is_newer(older, &item)) {
            return if healed { Difference::Trouble } else { Difference::None };
        }
        older.inspect(|older| item.inherit(older));
        let same = older.is_some_and(|older| older.shows_same(&item));
        let name = item.name().to_owned();
        self.items.insert(name.clone(), item);
        if same && !healed { Difference::None } else { Difference::One(name) }
    }

    fn remove(&mut self, item: &T) -> Difference {
        if self.items.get(item.name()).is_none_or(|there| there.uid() != item.uid()) {
            return Difference::None;
        }
        self.items.remove(item.name());
        Difference::One(item.name().to_owned())
    }

    fn complete(&mut self, why: Option<ClusterError>, now: Timestamp) -> Difference {
        let mut listed = self.listing.take().unwrap_or_default();
        for (name, older) in std::mem::take(&mut self.items) {
            let Some(item) = listed.get_mut(&name) else { continue };
            if is_newer(&older, item) {
                *item = older;
            } else {
                item.inherit(&older);
            }
        }
        (self.items, self.complete, self.trouble) = (listed, true, why.map(|why| (now, why)));
        Difference::All
    }

    /// Records a sign of life. A missing namespace is disproved only by an object in it.
    fn alive(&mut self) -> Difference {
        if self.trouble.as_ref().is_none_or(|(_, error)| matches!(error, ClusterError::NoNamespace(_))) {
            return Difference::None;
        }
        self.trouble = None;
        Difference::Trouble
    }
}

/// The change an event made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// No visible change.
    None,
    /// The object of this name.
    One(String),
    /// Possibly all objects.
    All,
    /// The reliability of the list.
    Trouble,
}

/// Returns whether both are one object and the first is newer. Resource versions are numbers: guaranteed since
/// Kubernetes 1.35, and true before.
fn is_newer<T: Item>(item: &T, than: &T) -> bool {
    let number = |item: &T| item.resource_version().parse::<u64>().ok();
    item.uid() == than.uid() && number(item) > number(than) && number(than).is_some()
}
