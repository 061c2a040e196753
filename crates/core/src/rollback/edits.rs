//! The edits of a rollback: they restore version-bound keys as of each target's last revision, and hold the versions
//! that were left.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Member, Revert};
use crate::edit::{EarlierRevision, Edit, NewHold, RevisionFiles, own_path};
use crate::git::{Commit, CommitId, FileChange, RepoFile, blob_id};
use crate::history::History;
use crate::pins::{HeldVersions, Pin, Pins, Service, ServiceName, parse_revision};

/// Returns those of the given files that exist at a revision, by path.
pub type ReadFiles<'r, E> = &'r dyn Fn(CommitId, &[Arc<str>]) -> Result<Vec<RepoFile>, E>;

/// Access to earlier revisions of the repository.
pub struct EarlierFiles<'r, E> {
    /// Returns the first parent of a commit; `None` at the end of a shallow clone.
    pub parent: &'r dyn Fn(CommitId) -> Result<Option<CommitId>, E>,
    /// Returns those of the given files that exist at a revision, by path.
    pub files: ReadFiles<'r, E>,
    /// Reads a whole revision. The settings of the tip apply if the revision has none.
    pub whole: &'r dyn Fn(&Arc<Commit>) -> Result<EarlierRevision, E>,
}

/// The reason why a member cannot be restored.
#[derive(Debug)]
pub enum RestoreError<E> {
    /// A revision cannot be read.
    Read(E),
    /// The files of the target's commit do not pin the service any more as history recorded it.
    NotFound { service: ServiceName, pin: Pin, commit: Arc<Commit> },
}

impl<E> From<E> for RestoreError<E> {
    fn from(error: E) -> Self {
        Self::Read(error)
    }
}

/// Returns the edits that restore the version-bound keys of each member.
///
/// # Errors
/// An earlier revision cannot be read, or its files do not pin the target any more.
pub fn restores<E>(
    tip: &RevisionFiles<'_>,
    history: &History,
    members: &[Member],
    earlier: &EarlierFiles<'_, E>,
) -> Result<Vec<(ServiceName, Edit)>, RestoreError<E>> {
    let services = &tip.reading.pins.services;
    let mut at: BTreeMap<CommitId, Vec<&Service>> = BTreeMap::new();
    let (mut targets, mut parents) = (Vec::new(), BTreeMap::new());
    // 1. The last revision of each target. Many members may share one.
    for (member, service) in members.iter().filter_map(|it| Some((it, services.get(&it.service)?))) {
        let when = last_revision(history, member, earlier, &mut parents)?;
        at.entry(when).or_default().push(service);
        targets.push((member, service, when));
    }
    // 2. Each of these revisions, read once.
    let revision = |(when, services): (CommitId, Vec<&Service>)| {
        Ok((when, Arc::new(earlier_revision(tip, when, &services, earlier.files)?)))
    };
    let revisions = at.into_iter().map(revision).collect::<Result<BTreeMap<CommitId, Arc<EarlierRevision>>, E>>()?;
    let restore = |(member, service, when): (&Member, &Service, CommitId)| {
        let revision = Arc::clone(&revisions[&when]);
        let (as_of, name) = match earlier_name(&revision, service, &member.to) {
            Some(name) => (revision, name),
            None => in_whole_revision(member, service, earlier)?,
        };
        Ok((member.service.clone(), Edit::Restore { as_of, name }))
    };
    targets.into_iter().map(restore).collect()
}

/// Returns the last revision at which the target was pinned: the parent of the commit of its next record.
fn last_revision<E>(
    history: &History,
    member: &Member,
    earlier: &EarlierFiles<'_, E>,
    parents: &mut BTreeMap<CommitId, Option<CommitId>>,
) -> Result<CommitId, E> {
    let target = &member.target;
    let records = history.records(&member.service);
    let next = records.partition_point(|record| record.position <= target.position);
    let Some(next) = records.get(next).map(|next| next.commit.id) else { return Ok(target.commit.id) };
    let parent = match parents.get(&next) {
        Some(known) => *known,
        None => *parents.entry(next).or_insert((earlier.parent)(next)?),
    };
    Ok(parent.unwrap_or(target.commit.id))
}

/// Reads some services at an earlier revision, with the settings of the tip. Only the files that pin them now are read.
///
/// # Errors
/// The files cannot be read.
pub fn earlier_revision<E>(
    tip: &RevisionFiles<'_>,
    when: CommitId,
    services: &[&Service],
    files: ReadFiles<'_, E>,
) -> Result<EarlierRevision, E> {
    let own = |name: &ServiceName| -> Arc<str> { own_path(tip.root, name).into() };
    let paths = services.iter().flat_map(|service| {
        let names = std::iter::once(&service.name).chain(&service.formerly);
        names.map(own).chain([Arc::clone(&service.version_at.path)])
    });
    let mut paths: Vec<Arc<str>> = paths.collect();
    let settings = &tip.reading.pins.settings.place.path;
    paths.retain(|path| path != settings);
    paths.sort();
    paths.dedup();
    let mut files = files(when, &paths)?;
    files.extend(tip.files.iter().filter(|file| file.path == *settings).cloned());
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut reading = parse_revision(tip.root, &files);
    // The files of other services are not read, so needs for them look like errors. Faulty services are usable here.
    reading.pins.services.append(&mut reading.faulty);
    Ok(EarlierRevision { root: tip.root.to_owned(), files, reading })
}

/// Returns the name of the service at a revision, if it was pinned at this release there.
fn earlier_name(revision: &EarlierRevision, service: &Service, pin: &Pin) -> Option<ServiceName> {
    let services = &revision.reading.pins.services;
    let was_so = |name: &&ServiceName| services.get(*name).is_some_and(|was| was.pin.is_same_release(pin));
    std::iter::once(&service.name).chain(&service.formerly).find(was_so).cloned()
}

/// Reads the whole revision of a target. Needed if the target was pinned in other files than the service is now.
fn in_whole_revision<E>(
    member: &Member,
    service: &Service,
    earlier: &EarlierFiles<'_, E>,
) -> Result<(Arc<EarlierRevision>, ServiceName), RestoreError<E>> {
    let commit = &member.target.commit;
    let revision = Arc::new((earlier.whole)(commit)?);
    let not_found = || RestoreError::NotFound {
        service: member.service.clone(),
        pin: member.to.clone(),
        commit: Arc::clone(commit),
    };
    let name = earlier_name(&revision, service, &member.to).ok_or_else(not_found)?;
    Ok((revision, name))
}

impl Revert {
    /// Returns the edits that write the holds, with a reason and an author. A hold that extends a present one keeps the
    /// present reason too.
    pub fn hold_edits(&self, pins: &Pins, reason: &str, by: Option<&str>) -> Vec<(ServiceName, Edit)> {
        let edit = |(service, held): &(ServiceName, HeldVersions)| {
            let (versions, reason, by) = (held.clone(), reason.to_owned(), by.map(str::to_owned));
            let new = NewHold { versions, reason, by, until: None };
            let has = pins.services.get(service).and_then(|service| service.hold.as_ref());
            let new = match has {
                Some(has) => new.with_earlier_reason(has),
                None => new,
            };
            (service.clone(), Edit::Hold(new))
        };
        self.holds.iter().map(edit).collect()
    }

    /// Returns what the user confirms, as text to compare: the moves, the holds and the other changed files.
    pub fn fingerprint(&self, other_files: &[FileChange]) -> String {
        let moves = self.members.iter().map(|it| format!("{} {} -> {}", it.service, it.from.image, it.to.image));
        let holds = self.holds.iter().map(|(service, held)| format!("{service} {held:?}"));
        let content = |file: &FileChange| file.content.as_ref().map(|content| blob_id(content).to_hex());
        let files = other_files.iter().map(|file| format!("{} {}", file.path, content(file).unwrap_or_default()));
        moves.chain(holds).chain(files).collect::<Vec<_>>().join("\n")
    }
}
