//! One list of objects, kept up to date by what its watch says. Pure: the times are passed in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::cluster::ClusterError;

/// What a watch says.
#[derive(Debug, Clone)]
pub(super) enum News<T> {
    /// A new list begins.
    Listing,
    /// An object of the new list.
    Listed(T),
    /// The new list is whole; why it is empty, where there is nothing that it could be of.
    Complete(Option<ClusterError>),
    /// An object is there, or is not as it was.
    Changed(T),
    /// An object is gone.
    Gone(T),
    /// The server answers.
    Alive,
    /// The server does not answer, or refuses.
    Failed(ClusterError),
}

impl<T> News<T> {
    /// The object that has changed or is gone.
    pub(super) fn object(&self) -> Option<&T> {
        match self {
            Self::Changed(object) | Self::Gone(object) => Some(object),
            _ => None,
        }
    }

    /// The same, said of the objects that `read` makes.
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
    /// Its name.
    fn name(&self) -> &str;
    /// Its uid.
    fn uid(&self) -> &str;
    /// Its resource version.
    fn resource_version(&self) -> &str;
    /// Whether it shows the same, resource versions aside.
    fn shows_same(&self, other: &Self) -> bool;
    /// Keeps what was found out about the object as it was.
    fn inherit(&mut self, older: &Self);
}

/// The list, and how well it is kept.
#[derive(Debug)]
pub(super) struct Feed<T> {
    /// Tells this feed from an earlier one of the same objects, whose last words may come late.
    pub(super) number: u64,
    items: BTreeMap<String, T>,
    /// Shown when it is whole: a part of a list is never taken for the list.
    listing: Option<BTreeMap<String, T>>,
    complete: bool,
    trouble: Option<(Timestamp, ClusterError)>,
}

impl<T: Item> Feed<T> {
    /// Nothing known yet.
    pub(super) fn new(number: u64) -> Self {
        Self { number, items: BTreeMap::new(), listing: None, complete: false, trouble: None }
    }

    /// The objects, once they have been listed.
    pub(super) fn items(&self) -> Option<&BTreeMap<String, T>> {
        self.complete.then_some(&self.items)
    }

    /// An object, once they have been listed.
    pub(super) fn item(&self, name: &str) -> Option<&T> {
        self.items()?.get(name)
    }

    /// An object, to find out more about it.
    pub(super) fn item_mut(&mut self, name: &str) -> Option<&mut T> {
        self.items.get_mut(name)
    }

    /// Why the objects cannot be relied upon: at once where the server refuses, after `grace` where it does not answer.
    pub(super) fn trouble(&self, now: Timestamp, grace: Duration) -> Option<(Timestamp, &ClusterError)> {
        let (since, error) = self.trouble.as_ref()?;
        let bearable = matches!(error, ClusterError::Unreachable(_))
            && Duration::try_from(now.duration_since(*since)).is_ok_and(|lasted| lasted < grace);
        (!bearable).then_some((*since, error))
    }

    /// Takes in what the watch says; answers the name of what has changed, or that all may have.
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

    /// Takes in an object as it is: newer than what there is of it, or nothing happens.
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

    /// The server answers. That a namespace does not exist, only an object in it refutes.
    fn alive(&mut self) -> Difference {
        if self.trouble.as_ref().is_none_or(|(_, error)| matches!(error, ClusterError::NoNamespace(_))) {
            return Difference::None;
        }
        self.trouble = None;
        Difference::Trouble
    }
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// Nothing that shows.
    None,
    /// The object of this name.
    One(String),
    /// Perhaps all of them.
    All,
    /// How far they can be relied upon.
    Trouble,
}

/// The same object in a newer version. Versions are numbers (guaranteed since Kubernetes 1.35, and so before).
fn is_newer<T: Item>(item: &T, than: &T) -> bool {
    let number = |item: &T| item.resource_version().parse::<u64>().ok();
    item.uid() == than.uid() && number(item) > number(than) && number(than).is_some()
}
