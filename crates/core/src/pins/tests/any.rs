//! Properties of any input.

use proptest::prelude::*;

use super::*;
use crate::pins::{Fragment, Layout, ServiceName, Settings, assemble_pin};

/// Generates pieces of pin files, and texts that break them.
fn yaml() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "version",
        "image",
        "dependsOn",
        "hold",
        "above",
        "local",
        "run",
        "services",
        "web",
        "tag",
        ": ",
        "\n",
        "  ",
        "- ",
        "1.10",
        "\"1.8.2\"",
        "acme/web",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "&a ",
        "*a",
        "<<: ",
        "!x ",
        "'",
        "---\n",
        "~",
        "|\n",
        "# ",
        "\r\n",
        "\t",
        "é",
        "\u{feff}",
        "{service}",
        "?",
        "9",
        "latest",
        "@sha256:",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

fn revision(settings: &str, service: &[u8], compose: &[u8]) -> Revision {
    Revision::empty().with_settings(settings).with("services/web.yaml", service).with("compose.yaml", compose)
}

const PINS: &str = "pins: [{files: compose.yaml, key: 'services.{service}.image', as: image}]\n";

/// Asserts the invariants of every reading: nothing panics, errors hold their service, and every place can be shown.
fn check(revision: &Revision) {
    let reading = revision.read();
    for problem in reading.problems.iter().filter(|problem| problem.severity == Severity::Error) {
        let Some(service) = &problem.service else { continue };
        assert!(!reading.pins.services.contains_key(service));
        assert!(reading.unusable.is_some() || reading.pins.broken.contains_key(service));
    }
    for service in reading.pins.services.values() {
        let span = service.version_at.span.clone().unwrap();
        let text = std::str::from_utf8(revision.bytes(&service.version_at.path).unwrap()).unwrap();
        assert!(text.get(span).is_some_and(|text| !text.is_empty()), "the version can be replaced");
        assert!(!service.workloads.is_empty());
    }
    assert!(!revision.shown().contains('\u{1b}'));
}

proptest! {
    #[test]
    fn no_bytes_panic(service: Vec<u8>, compose: Vec<u8>) {
        check(&revision(PINS, &service, &compose));
    }

    #[test]
    fn no_text_like_yaml_panics(settings in yaml(), service in yaml(), compose in yaml()) {
        check(&revision(&settings, service.as_bytes(), compose.as_bytes()));
        check(&revision(PINS, service.as_bytes(), compose.as_bytes()));
        check(&Revision::values(&service));
    }

    #[test]
    fn a_good_file_bent_in_one_byte_is_read_or_refused(at in 0..SERVICE.len(), byte: u8) {
        let mut bytes = SERVICE.as_bytes().to_vec();
        bytes[at] = byte;
        check(&revision(PINS, &bytes, b"services: {db: {image: 'db:1'}}"));
    }

    #[test]
    fn a_pin_read_alone_is_the_pin_of_the_whole(service in yaml(), compose in yaml()) {
        let revision = revision(PINS, service.as_bytes(), compose.as_bytes());
        let reading = revision.read();
        let settings = Settings { pins: reading.pins.settings.pins.clone(), ..Settings::default() };
        let layout = Layout::new("", &settings, []);
        let fragments: Vec<_> = revision.0.iter().map(|file| Fragment::read(file, &layout)).collect();
        for name in ["web", "services"].map(|name| ServiceName::new(name).unwrap()) {
            if let Some(service) = reading.pins.services.get(&name) {
                let alone = assemble_pin(&name, &fragments);
                prop_assert_eq!(alone.as_ref(), Some(&service.pin));
            }
        }
    }
}
