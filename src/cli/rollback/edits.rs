//! What goes back, as edits of the tip: version-bound keys as they were at the last revision of each target, and holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_core::edit::{self, Edit, NewHold, Then, own_path};
use pintle_core::git::{CommitId, File, FileChange, content_id};
use pintle_core::pins::{Held, Pin, Service, ServiceName, read};
use pintle_core::rollback::{Member, Revert};

use crate::cli::config::Config;
use crate::cli::exit::Failure;
use crate::cli::load::{Loaded, Revision};
use crate::cli::output::{NAME, styled};
use crate::source::{Scope, SourceError};

/// What is agreed to: who moves from where to where, what is held, and what else is as it was.
pub(super) fn essence(revert: &Revert, beneath: &[FileChange]) -> String {
    let moves = revert.members.iter().map(|it| format!("{} {} -> {}", it.service, it.from.image, it.to.image));
    let holds = revert.holds.iter().map(|(service, held)| format!("{service} {held:?}"));
    let content = |file: &FileChange| file.content.as_ref().map(|content| content_id(content).to_hex());
    let files = beneath.iter().map(|file| format!("{} {}", file.path, content(file).unwrap_or_default()));
    moves.chain(holds).chain(files).collect::<Vec<_>>().join("\n")
}

/// The holds, each with the reason and who says so; the reasons of those that they go on from stay.
pub(super) fn holds(
    loaded: &Loaded,
    holds: &[(ServiceName, Held)],
    reason: &str,
    by: Option<&str>,
) -> impl Iterator<Item = (ServiceName, Edit)> {
    let hold = move |(service, held): &(ServiceName, Held)| {
        let (versions, reason, by) = (held.clone(), reason.to_owned(), by.map(str::to_owned));
        let new = NewHold { versions, reason, by, until: None };
        let has = loaded.at.reading.pins.services.get(service).and_then(|service| service.hold.as_ref());
        (service.clone(), Edit::Hold(has.map_or_else(|| new.clone(), |has| new.clone().going_on_from(has))))
    };
    holds.iter().map(hold)
}

/// The markers of Flux that are muted with the holds.
pub(super) fn muted(config: &Config, loaded: &Loaded, edits: &[(ServiceName, Edit)]) -> Vec<String> {
    let tip = loaded.at.said(&config.root);
    let words = |name| format!("  and Flux does not write {} meanwhile: its marker is muted", styled(NAME, name));
    edit::muted(&tip, edits).into_iter().map(words).collect()
}

/// Each member's version-bound keys as they were.
pub(super) fn restores(
    config: &Config,
    loaded: &Loaded,
    members: &[Member],
) -> Result<Vec<(ServiceName, Edit)>, Failure> {
    let services = &loaded.at.reading.pins.services;
    let mut at: BTreeMap<CommitId, Vec<&Service>> = BTreeMap::new();
    let (mut whens, mut before) = (Vec::new(), BTreeMap::new());
    for (member, service) in members.iter().filter_map(|it| Some((it, services.get(&it.service)?))) {
        let when = last_revision(loaded, member, &mut before)?;
        at.entry(when).or_default().push(service);
        whens.push((member, service, when));
    }
    let thens = at.into_iter().map(|(when, services)| Ok((when, Arc::new(earlier(config, loaded, when, &services)?))));
    let thens = thens.collect::<Result<BTreeMap<CommitId, Arc<Then>>, Failure>>()?;
    let restore = |(member, service, when): (&Member, &Service, CommitId)| {
        let then = Arc::clone(&thens[&when]);
        let (as_of, name) = match named(&then, service, &member.to) {
            Some(name) => (then, name),
            None => whole(config, loaded, member, service)?,
        };
        Ok((member.service.clone(), Edit::Restore { as_of, name }))
    };
    whens.into_iter().map(restore).collect()
}

/// The last revision at which the target was pinned: the one before its next record. `known`: the revisions before
/// others, as many members move in one commit.
fn last_revision(
    loaded: &Loaded,
    member: &Member,
    known: &mut BTreeMap<CommitId, Option<CommitId>>,
) -> Result<CommitId, Failure> {
    let target = &member.target;
    let records = loaded.history.records(&member.service);
    let next = records.partition_point(|record| record.position <= target.position);
    let Some(next) = records.get(next).map(|next| next.commit.id) else { return Ok(target.commit.id) };
    if let Some(before) = known.get(&next) {
        return Ok(before.unwrap_or(target.commit.id));
    }
    let before = match loaded.source.resolve(&format!("{next}~1")) {
        Ok(before) => Some(before.id),
        // A shallow clone may end there.
        Err(SourceError::Revision { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    known.insert(next, before);
    Ok(before.unwrap_or(target.commit.id))
}

/// What an earlier revision says of some services, by the settings of the tip, as their history is read: only the files
/// that say it now are looked at.
pub(super) fn earlier(
    config: &Config,
    loaded: &Loaded,
    when: CommitId,
    services: &[&Service],
) -> Result<Then, Failure> {
    let own = |name: &ServiceName| -> Arc<str> { own_path(&config.root, name).into() };
    let paths = services.iter().flat_map(|service| {
        let names = std::iter::once(&service.name).chain(&service.formerly);
        names.map(own).chain([Arc::clone(&service.version_at.path)])
    });
    let mut paths: Vec<Arc<str>> = paths.collect();
    let settings = &loaded.at.reading.pins.settings.place.path;
    paths.retain(|path| path != settings);
    paths.sort();
    paths.dedup();
    let mut files: Vec<File> = loaded.source.files(when, Scope::Paths(&paths))?.files;
    files.extend(loaded.at.files.iter().filter(|file| file.path == *settings).cloned());
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut reading = read(&config.root, &files);
    // Services whose files are not looked at may be needed.
    reading.pins.services.append(&mut reading.faulty);
    Ok(Then { root: config.root.clone(), files, reading })
}

/// What the service was called then, if it was pinned so.
fn named(then: &Then, service: &Service, pin: &Pin) -> Option<ServiceName> {
    let was_so = |name: &&ServiceName| {
        let was = then.reading.pins.services.get(*name);
        was.is_some_and(|was| was.pin.version == pin.version && was.pin.image == pin.image)
    };
    std::iter::once(&service.name).chain(&service.formerly).find(was_so).cloned()
}

/// The whole revision of a target, where what pinned it stood elsewhere.
fn whole(
    config: &Config,
    loaded: &Loaded,
    member: &Member,
    service: &Service,
) -> Result<(Arc<Then>, ServiceName), Failure> {
    let commit = Arc::clone(&member.target.commit);
    let settings = Some(&loaded.at.reading.pins.settings);
    let Revision { files, reading, .. } =
        Revision::read_with(&loaded.source, &config.root, Some(Arc::clone(&commit)), settings)?;
    let then = Arc::new(Then { root: config.root.clone(), files, reading });
    let name = named(&then, service, &member.to).ok_or_else(|| {
        let failure = Failure::error(format!(
            "how {} {} was pinned at {} cannot be read any more",
            member.service,
            member.to.version,
            commit.id.short()
        ));
        failure.hint(format!("pin it: pintle pin {} {}", member.service, member.to.version))
    })?;
    Ok((then, name))
}
