//! The pin repository of the tour.

use std::fmt::Write as _;
use std::io::Result;
use std::path::Path;

/// One service at one version: its name, the version, what that needs of others.
pub(crate) type Pin = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// What runs first.
pub(crate) const BEFORE: [Pin; 5] = [
    ("web", "3.4.0", &[("checkout", "^1")]),
    ("checkout", "1.7.9", &[("payments", ">=2.0, <3"), ("inventory", "^1.4")]),
    ("payments", "2.0.3", &[("ledger", "^5")]),
    ("inventory", "1.4.2", &[]),
    ("ledger", "5.1.0", &[]),
];

/// What a release makes of it. checkout uses the new API of payments; ledger drops its old one, which payments no longer
/// needs.
pub(crate) const AFTER: [Pin; 5] = [
    ("web", "3.4.0", &[("checkout", "^1")]),
    ("checkout", "1.8.2", &[("payments", ">=2.1, <3"), ("inventory", "^1.4")]),
    ("payments", "2.1.0", &[("ledger", ">=5, <7")]),
    ("inventory", "1.5.0", &[]),
    ("ledger", "6.0.0", &[]),
];

/// The half of it that is bad: refunds are booked twice, which no health check sees.
pub(crate) const BAD: [Pin; 2] = [AFTER[1], AFTER[2]];

/// Whether the pins say what versions need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Said,
    Unsaid,
}

/// A repository, and how its services are run.
pub(crate) struct Repository<'a> {
    pub folder: &'a Path,
    /// The program that is each of them.
    pub shop: &'a Path,
    /// The port of each.
    pub ports: &'a [(&'static str, u16)],
    /// Services take so many times as long to start as their `warm_up`.
    pub slowness: u32,
}

impl Repository<'_> {
    /// Writes the settings.
    pub(crate) fn settings(&self) -> Result<()> {
        std::fs::create_dir_all(self.folder.join("services"))?;
        let text = "apiVersion: pintle.dev/v1alpha1\ninstance: shop\nruntime: local\n";
        std::fs::write(self.folder.join("pintle.yaml"), text)
    }

    /// Writes the file of each of these.
    pub(crate) fn pin(&self, pins: &[Pin], needs: Needs) -> Result<()> {
        for (name, version, ranges) in pins {
            let mut text = format!("version: \"{version}\"\n");
            if needs == Needs::Said && !ranges.is_empty() {
                text += "dependsOn:\n";
                for (provider, range) in *ranges {
                    let _ = writeln!(text, "  {provider}: \"{range}\"");
                }
            }
            std::fs::write(self.folder.join(format!("services/{name}.yaml")), text + &self.local(name, ranges))?;
        }
        Ok(())
    }

    fn local(&self, name: &str, needs: &[(&str, &str)]) -> String {
        let port = self.port(name);
        let needs = needs.iter().map(|(provider, _)| format!(", --needs, {provider}={}", self.port(provider)));
        format!(
            "local:\n  run: [{}, {name}, --version, \"{{version}}\", --port, \"{port}\", --share, --warm-up, \"{}\"{}]\n  \
             port: {port}\n  health: {{http: /healthz}}\n  rolling: true\n",
            self.shop.display(),
            self.slowness * warm_up(name),
            needs.collect::<String>(),
        )
    }

    fn port(&self, name: &str) -> u16 {
        self.ports.iter().find(|(service, _)| *service == name).map_or(0, |(_, port)| *port)
    }
}

/// How long a service takes until it listens, in milliseconds: not all are equally fast, so that all at once is not at the
/// same moment.
fn warm_up(service: &str) -> u32 {
    match service {
        "checkout" => 400,
        "ledger" => 300,
        _ => 100,
    }
}
