use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use pintle::change::{ChangeKind, line};
use pintle::pins::{self, Layout, Pin, ServiceName, Settings};
use pintle::reconcile::{Desired, look_at_pins, want};
use pintle::rollback::{Aim, Holding, Known, Refusal, Request, Revert, revert};
use pintle::source::{Access, Content, File, History, Index, Location, Record, Source, content_id};
use pintle::version::Versioning;

use crate::common::git::{git, replay, text};

const BUNDLE: &str = "govuk-production.bundle";

/// The pins of GOV.UK's production (MIT licence), see the data's own README; none where they are not there.
fn govuk() -> Option<Arc<History>> {
    let bundle = replay(BUNDLE)?;
    let folder = tempfile::tempdir().unwrap();
    let clone = folder.path().join("pins.git");
    let (from, to) = (bundle.to_str().unwrap(), clone.to_str().unwrap());
    text(git(folder.path()).args(["clone", "-q", "--bare", "-b", "main", from, to]).output().unwrap());
    Some(history(&clone, folder.path()))
}

fn history(clone: &Path, cache: &Path) -> Arc<History> {
    let pins = "charts/app-config/image-tags/production/{service}";
    let pattern = format!("pins: [{{files: \"{pins}\", key: image_tag, image: \"alphagov/{{service}}\"}}]");
    let settings = format!("apiVersion: pintle.dev/v1alpha1\n{pattern}\n");
    let (settings, _) = Settings::read(&"pintle.yaml".into(), settings.as_bytes());
    let layout = Layout::new("", &settings.unwrap(), []);
    let source = Source::open(&Location::Path(clone.to_owned()), &Access::new(cache)).unwrap();
    let mut index = Index::load(&source, "main", &layout);
    index.extend(&source, source.tip(None).unwrap().id, &layout).unwrap();
    Arc::clone(index.history())
}

/// What would go back where these records of a service are all there is.
fn goes_back(name: &ServiceName, records: &[Record]) -> Result<Revert, Refusal> {
    let mut history = History::default();
    for record in records {
        history.push(name, &record.commit, record.pin.as_deref().cloned());
        history.reach(Arc::clone(&record.commit));
    }
    let Pin { version, image, .. } = records.last().and_then(|record| record.pin.as_deref()).unwrap();
    let text = format!("version: \"{version}\"\nimage: {}\n", image.repository());
    let content = Content::Bytes(text.as_bytes().into());
    let path = format!("services/{name}.yaml").into();
    let pins = pins::read("", &[File { path, blob: content_id(text.as_bytes()), content }]).pins;
    let commit = history.tip().unwrap().id;
    let desired = Desired::new(commit, pins, Arc::new(history), String::new());
    let look = look_at_pins(&desired, &desired.pins);
    let (wanted, proven) = (want(&desired, &look), BTreeMap::new());
    let Desired { pins, history, graph, lockstep, .. } = &desired;
    let known = Known { pins, history, graph, lockstep, wanted: &wanted, live: &look.live, proven: &proven };
    revert(known, &Request::Services(vec![name.clone()], Aim::Good), Holding::Above)
}

/// A return is what people did when they rolled back; nothing is known to be proven, so it is the pin before that is
/// proposed.
#[test]
fn the_default_target_is_mostly_what_people_went_back_to() {
    let Some(history) = govuk() else { return println!("skipped: {BUNDLE} is not there") };
    let (mut returns, mut same, mut refused) = (0, 0, 0);
    for (name, records) in history.services() {
        let order = history.order(name, Some(Versioning::History));
        for (at, one) in line(records, &order).iter().enumerate() {
            if !matches!(one.kind, Some(ChangeKind::Return(std::cmp::Ordering::Less))) {
                continue;
            }
            returns += 1;
            match goes_back(name, &records[..at]) {
                Ok(revert) => same += usize::from(Some(&revert.members[0].to) == one.to.as_deref()),
                Err(_) => refused += 1,
            }
        }
    }
    println!("default target: {same} of {returns} returns as people chose, {refused} without any");
    assert_eq!((returns, same, refused), (196, 109, 0));
}
