//! The stored form of a history. Equal needs are stored once, because most versions of a service have the same.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{History, PinRecord};
use crate::git::Commit;
use crate::image::Image;
use crate::pins::{DependsOn, LocalSpec, Pin, ServiceName, VerifySettings};
use crate::version::Version;

/// A [`History`] in its JSON form.
#[derive(Serialize, Deserialize)]
pub struct StoredHistory {
    tip: Arc<Commit>,
    moves: Vec<Arc<Commit>>,
    needs: Vec<Arc<DependsOn>>,
    services: Vec<(ServiceName, Vec<PositionedPin>)>,
}

/// The position of a record in [`History::moves`], and its pin.
type PositionedPin = (u32, Option<StoredPin>);

/// A pin whose needs are an index into [`StoredHistory::needs`].
#[derive(Serialize, Deserialize)]
struct StoredPin {
    version: Version,
    image: Image,
    needs: usize,
    #[serde(default, skip_serializing_if = "is_default")]
    verify: VerifySettings,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    local: Option<Arc<LocalSpec>>,
}

fn is_default(verify: &VerifySettings) -> bool {
    *verify == VerifySettings::default()
}

impl StoredHistory {
    /// Returns the stored form. None for a history without a tip.
    pub fn of(history: &History) -> Option<Self> {
        let tip = history.tip()?;
        let (mut needs, mut places) = (Vec::new(), HashMap::new());
        let mut pin = |pin: &Arc<Pin>| {
            let Pin { version, image, depends_on, verify, local } = Pin::clone(pin);
            let place = *places.entry(Arc::as_ptr(&depends_on)).or_insert(needs.len());
            if place == needs.len() {
                needs.push(depends_on);
            }
            StoredPin { version, image, needs: place, verify, local }
        };
        let mut records = |records: &[PinRecord]| {
            records.iter().map(|record| (record.position, record.pin.as_ref().map(&mut pin))).collect::<Vec<_>>()
        };
        let services = history.services().map(|(name, line)| (name.clone(), records(line))).collect();
        Some(Self { tip: Arc::clone(tip), moves: history.moves().to_vec(), needs, services })
    }

    /// Restores the history. Records with an invalid index are dropped.
    pub fn restore(self) -> History {
        let (moves, all_needs) = (&self.moves, &self.needs);
        let pin = |StoredPin { version, image, needs, verify, local }: StoredPin| {
            let depends_on = Arc::clone(all_needs.get(needs)?);
            Some(Arc::new(Pin { version, image, depends_on, verify, local }))
        };
        let record = |(position, stored): PositionedPin| {
            let commit = Arc::clone(moves.get(usize::try_from(position).ok()?)?);
            let pin = match stored {
                Some(stored) => Some(pin(stored)?),
                None => None,
            };
            Some(PinRecord { commit, position, pin })
        };
        let services =
            self.services.into_iter().map(|(name, line)| (name, line.into_iter().filter_map(record).collect()));
        let mut history = History::restore(moves.clone(), services);
        history.set_tip(self.tip);
        history
    }
}
