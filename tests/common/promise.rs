//! The promise, checked from outside: of the versions that existed at once, no two are a pair that the pins forbid.
//!
//! It reads the pin files as plain text and shares no code with what it checks.

use std::collections::{BTreeMap, BTreeSet};

use super::git::{TestRepo, git, text};
use super::recorder::{Moment, Recording};

/// What the pin files of all commits say; of two that speak of one version, the newer one.
#[derive(Debug, Default)]
pub(crate) struct Promise {
    /// Service and version of each image.
    versions: BTreeMap<String, (String, String)>,
    /// Of each service and version, the range that it needs of each provider.
    needs: BTreeMap<(String, String), BTreeMap<String, String>>,
}

impl Promise {
    /// Reads the branch along its first parents, oldest commit first.
    pub(crate) fn of(repo: &TestRepo) -> Self {
        let ask = |args: &[&str]| text(git(repo.path()).args(args).output().unwrap());
        let (mut promise, mut files) = (Self::default(), BTreeMap::new());
        for commit in ask(&["rev-list", "--reverse", "--first-parent", "HEAD"]).lines() {
            for entry in ask(&["ls-tree", "-r", commit, "services/"]).lines() {
                let (meta, path) = entry.split_once('\t').unwrap();
                let blob = meta.rsplit_once(' ').unwrap().1.to_owned();
                let name = path.rsplit_once('/').unwrap().1.trim_end_matches(".yaml");
                let text = files.entry(blob).or_insert_with_key(|blob| ask(&["cat-file", "blob", blob]));
                promise.read(name, text);
            }
        }
        promise
    }

    /// The forbidden pairs that a recording shows, as `checkout 1.8.2 beside payments 2.0.3`.
    pub(crate) fn broken_in(&self, recording: &Recording) -> BTreeSet<String> {
        recording.moments().iter().flat_map(|moment| self.broken_at(moment)).collect()
    }

    fn broken_at(&self, moment: &Moment) -> Vec<String> {
        let images = moment.values().flatten();
        let there: BTreeSet<&(String, String)> = images.filter_map(|image| self.versions.get(image)).collect();
        let mut broken = Vec::new();
        for consumer in &there {
            for (provider, range) in self.needs.get(*consumer).into_iter().flatten() {
                let beside = there.iter().filter(|(service, version)| service == provider && !lies_in(version, range));
                let words = |(service, version): &&(String, String)| {
                    format!("{} {} beside {service} {version}", consumer.0, consumer.1)
                };
                broken.extend(beside.map(|&pair| words(&pair)));
            }
        }
        broken
    }

    fn read(&mut self, service: &str, text: &str) {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        let Some(version) = value("version") else { return };
        let mut image = value("image").unwrap_or_else(|| service.to_owned());
        let tag = value("tag").unwrap_or_else(|| "{version}".to_owned());
        image = format!("{image}:{}", tag.replace("{version}", &version));
        if let Some(digest) = value("digest") {
            image = format!("{image}@{digest}");
        }
        // {payments: ">=2.1, <3", inventory: "*"}
        let quoted: Vec<&str> = text
            .lines()
            .find_map(|line| line.strip_prefix("dependsOn: "))
            .map(|needs| needs.split('"').collect())
            .unwrap_or_default();
        let needs = quoted.chunks_exact(2).map(|pair| {
            let provider = pair[0].trim_matches(|it: char| !it.is_ascii_alphanumeric());
            (provider.to_owned(), pair[1].to_owned())
        });
        let of = (service.to_owned(), version);
        self.needs.insert(of.clone(), needs.collect());
        self.versions.insert(image, of);
    }
}

/// `>=2.1, <3 || ^4`.
fn lies_in(version: &str, range: &str) -> bool {
    range.split("||").any(|all| all.split(',').all(|bound| keeps(version, bound.trim())))
}

fn keeps(version: &str, bound: &str) -> bool {
    let Some(at) = bound.find(|it: char| it.is_ascii_digit()) else { return bound == "*" };
    let (operator, bound) = bound.split_at(at);
    let (version, bound) = (numbers(version), numbers(bound));
    match operator {
        ">=" => version >= bound,
        "<=" => version <= bound,
        ">" => version > bound,
        "<" => version < bound,
        "=" => version == bound,
        "^" => version >= bound && version[0] == bound[0],
        other => panic!("no such operator: {other}"),
    }
}

fn numbers(text: &str) -> [u32; 3] {
    let mut numbers = [0; 3];
    for (number, part) in numbers.iter_mut().zip(text.split('.')) {
        *number = part.parse().unwrap_or_else(|_| panic!("not a plain version: {text}"));
    }
    numbers
}

/// The judge itself: a test that fails here explains the others.
#[cfg(test)]
mod tests {
    use super::super::recorder::{Event, What};
    use super::*;

    #[test]
    fn forbidden_pairs_are_found_and_allowed_ones_are_not() {
        let repo = TestRepo::with(&[
            ("services/payments.yaml", "version: \"2.0.3\"\nimage: acme/payments\n"),
            ("services/checkout.yaml", "version: \"1.7\"\nimage: acme/checkout\ndependsOn: {payments: \"<2.1\"}\n"),
        ]);
        repo.write("services/payments.yaml", "version: \"2.1.0\"\nimage: acme/payments\ntag: \"v{version}\"\n");
        repo.save(
            "services/checkout.yaml",
            "version: \"1.8\"\nimage: acme/checkout\ndependsOn: {a: \"*\", payments: \"^2.1\"}\n",
        );
        let shown = |images: &[&str]| {
            let event = |image: &&str| Event {
                what: What::Created,
                pod: (*image).to_owned(),
                app: String::new(),
                images: BTreeSet::from([(*image).to_owned()]),
                phase: String::new(),
                ready: true,
                terminating: false,
            };
            let recording = Recording { events: images.iter().map(event).collect(), gaps: 0 };
            Promise::of(&repo).broken_in(&recording).into_iter().collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        assert_eq!(shown(&["acme/checkout:1.7", "acme/payments:2.0.3"]), none);
        assert_eq!(shown(&["acme/checkout:1.8", "acme/payments:v2.1.0", "acme/other:1"]), none);
        let both = ["acme/checkout:1.8", "acme/payments:v2.1.0", "acme/payments:2.0.3", "acme/checkout:1.7"];
        let broken = ["checkout 1.7 beside payments 2.1.0", "checkout 1.8 beside payments 2.0.3"];
        assert_eq!(shown(&both), broken);
    }
}
