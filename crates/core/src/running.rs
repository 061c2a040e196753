//! What runs of a service.

use serde::Serialize;

use crate::image::Image;
use crate::pins::Pin;
use crate::version::Version;
use crate::workload::Container;

/// One member of a live set: something of which pods exist or may come to exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Running {
    /// Nothing: the workload is missing, or is being deleted.
    Absent,
    /// An image, and the version it is the image of; none where it was never pinned, or where nobody has asked yet.
    Image(Image, Option<Version>),
    /// Something whose name is no image reference, as it is written there.
    Unreadable(String),
}

/// The running state of a service, as compatibility sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label<'a> {
    /// Nothing runs. Absence counts as a version.
    Absent,
    /// An image that was never pinned, so that its needs are unknown.
    Unknown,
    Version(&'a Version),
}

impl Running {
    /// Returns what a pin makes run.
    pub fn pinned(pin: &Pin) -> Self {
        Self::Image(pin.image.clone(), Some(pin.version.clone()))
    }

    /// Returns what a container runs, before history is asked for its version.
    pub fn in_container(container: &Container) -> Self {
        let image = container.image.clone();
        image.map_or_else(|| Self::Unreadable(container.written_image.clone()), |image| Self::Image(image, None))
    }

    /// What compatibility knows of it.
    pub fn label(&self) -> Label<'_> {
        match self {
            Self::Absent => Label::Absent,
            Self::Image(_, None) | Self::Unreadable(_) => Label::Unknown,
            Self::Image(_, Some(version)) => Label::Version(version),
        }
    }
}
