//! The mirror in the cache: damaged, left by the killed, shared.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use pintle::source::{Access, SourceError};

use super::{Forge, content, open};
use crate::common::git::hermetic;

#[test]
fn a_hundred_and_twenty_fetches_of_one_process_leave_few_packs() {
    let forge = Forge::new();
    let mut source = forge.file_source();
    for round in 0..120 {
        forge.push(&round.to_string());
        assert_eq!(source.fetch(None).unwrap().id, forge.repo.head(), "round {round}");
    }
    let packs = std::fs::read_dir(forge.mirror().join("objects/pack")).unwrap();
    let packs = packs.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "pack")).count();
    assert!(packs <= 51, "{packs}");
    let first = source.resolve("HEAD~120").unwrap();
    assert_eq!(&*first.subject, "Start");
}

#[test]
fn a_damaged_mirror_is_fetched_anew() {
    let forge = Forge::new();
    forge.file_source().fetch(None).unwrap();
    let mirror = forge.mirror();
    let packs = || {
        let files = std::fs::read_dir(mirror.join("objects/pack")).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|end| end == "pack")).collect::<Vec<_>>()
    };
    let writable = |path: &Path| {
        let mut permissions = path.metadata().unwrap().permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "a file in a temp folder")]
        permissions.set_readonly(false);
        std::fs::set_permissions(path, permissions).unwrap();
    };
    let damages: [&dyn Fn(); 6] = [
        &|| packs().iter().for_each(|pack| std::fs::remove_file(pack).unwrap()),
        &|| {
            for pack in packs() {
                writable(&pack);
                let bytes = std::fs::read(&pack).unwrap();
                std::fs::write(&pack, &bytes[..bytes.len() / 2]).unwrap();
            }
        },
        &|| std::fs::remove_dir_all(mirror.join("objects")).unwrap(),
        &|| std::fs::write(mirror.join("HEAD"), "\0\0garbage").unwrap(),
        &|| {
            std::fs::remove_dir_all(&mirror).unwrap();
            std::fs::write(&mirror, "a file").unwrap();
        },
        &|| std::fs::write(mirror.join("config"), "[core\n\0").unwrap(),
    ];
    for (number, damage) in damages.iter().enumerate() {
        damage();
        // What a process that was killed leaves behind is no obstacle either.
        std::fs::create_dir_all(mirror.with_extension("new").join("objects")).unwrap();
        let mut source = forge.file_source();
        assert_eq!(source.fetch(None).unwrap().id, forge.repo.head(), "damage {number}");
        assert!(content(&source).contains("49"), "damage {number}");
    }
    let mut source = forge.file_source();
    assert_eq!(source.fetch_anew(None).unwrap().id, forge.repo.head());
}

#[test]
fn a_process_killed_while_it_fetches_leaves_a_mirror_that_can_be_used() {
    let forge = Forge::new();
    let (mut killed, mut ended) = (0, 0);
    for round in 0..24 {
        // Numbers that git cannot make small: receiving them takes a while.
        let noise: Vec<u64> =
            (0..40_000_u64).map(|n| (n + round).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)).collect();
        forge.push(&format!("{noise:?}"));
        let mut victim = hermetic(&mut Command::new(env!("CARGO_BIN_EXE_pintle")))
            .args(["history", "--repo", &format!("file://{}", forge.bare()), "--cache-dir"])
            .arg(forge.cache.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(10 + round * 8));
        victim.kill().unwrap();
        if victim.wait().unwrap().success() {
            ended += 1;
        } else {
            killed += 1;
        }
        if round % 3 == 0 {
            let mut source = forge.file_source();
            assert_eq!(source.fetch(None).unwrap().id, forge.repo.head(), "round {round}");
            assert!(content(&source).len() > 100_000, "round {round}");
        }
    }
    println!("{killed} were killed, {ended} came to their end");
    assert!(killed > 0, "nobody was killed");
}

#[test]
fn what_a_killed_process_leaves_in_the_mirror_is_no_obstacle_and_is_removed() {
    let forge = Forge::new();
    let mut source = forge.file_source();
    source.fetch(None).unwrap();
    let left = ["refs/heads/main.lock", "packed-refs.lock", "objects/pack/.tmpk1ll3d", "objects/pack/pack-1.keep"];
    let left = left.map(|file| forge.mirror().join(file));
    for file in &left {
        std::fs::write(file, "").unwrap();
    }
    forge.push("2");
    assert_eq!(source.fetch(None).unwrap().id, forge.repo.head());
    assert!(!left.iter().any(|file| file.exists()), "{left:?}");
}

#[test]
fn two_readers_share_a_cache() {
    let forge = Forge::new();
    let url = format!("file://{}", forge.bare());
    let access = forge.access();
    let fetch = |_| {
        let mut source = open(&url, &access);
        (0..5).map(|_| source.fetch(None).unwrap().id).collect::<Vec<_>>()
    };
    let tips: Vec<_> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|reader| scope.spawn(move || fetch(reader))).collect();
        readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
    });
    assert_eq!(tips, vec![forge.repo.head(); 20]);
}

#[test]
fn who_waits_too_long_for_another_process_says_so() {
    let forge = Forge::new();
    let access = forge.access();
    forge.file_source().fetch(None).unwrap();
    let lock = std::fs::File::options().write(true).open(forge.mirror().with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let hasty = Access { answer_within: Duration::from_millis(300), ..access.clone() };
    let error = open(&format!("file://{}", forge.bare()), &hasty).fetch(None).unwrap_err();
    assert!(matches!(error, SourceError::Locked { .. }) && error.retryable(), "{error}");
    assert!(content(&open(&format!("file://{}", forge.bare()), &access)).contains("49"), "reading needs no lock");
    drop(lock);
    forge.file_source().fetch(None).unwrap();
}
