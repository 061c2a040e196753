//! The cache: damaged, foreign, gone, not to be written, and without room; it can be lost at any time.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::git::Served;
use crate::common::running::Running;
use crate::common::shop::Shop;
use crate::common::through::{by_modes, limit_files, on_a_small_disk, remount};
use crate::common::usage::Usage;

#[tokio::test]
async fn a_cache_that_is_damaged_foreign_or_cannot_be_written_is_made_anew_or_done_without() {
    let served = Served::open().await;
    drop(served.run().await);
    let cache = served.shop.cache();
    // Damaged: half of every file.
    let mut count = 0;
    for_each_file(&cache, &mut |file| {
        let bytes = std::fs::read(file).unwrap();
        // Git keeps its objects read-only.
        std::fs::remove_file(file).unwrap();
        std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
        count += 1;
    });
    assert!(count > 3, "{count} files");
    served.shop.ns.delete_lease().await;
    let mut run = served.run().await;
    served.push("2.0");
    run.says(&["\"event\":\"verified\"", "2.0"]).await;
    drop(run);
    // Foreign: text in place of every file.
    for_each_file(&cache, &mut |file| {
        std::fs::remove_file(file).unwrap();
        std::fs::write(file, "This belongs to somebody else.\n").unwrap();
    });
    served.shop.ns.delete_lease().await;
    let mut run = served.run().await;
    served.push("3.0");
    run.says(&["\"event\":\"verified\"", "3.0"]).await;
    drop(run);
    // Not to be written: a file where the folder is to be.
    std::fs::remove_dir_all(&cache).unwrap();
    std::fs::write(&cache, "no folder").unwrap();
    served.shop.ns.delete_lease().await;
    let mut run = served.start();
    run.says(&["\"event\":\"heldAll\"", "cache"]).await;
    let mut beside = served.shop.start(&["run"]);
    beside.says(&["\"event\":\"inSync\""]).await;
    drop(beside);
    std::fs::remove_file(&cache).unwrap();
    run.says(&["\"event\":\"leads\""]).await;
}

#[tokio::test]
async fn killed_in_mid_rollout_and_without_its_cache_it_goes_on_from_git_and_the_cluster_alone() {
    let served = Served::of(Shop::open(&["payments 1.0", "checkout 1.0"]).await);
    let recorder = served.shop.record().await;
    let mut run = served.run().await;
    served.shop.pin("checkout", "2.0", "dependsOn: {payments: \">=2.0\"}\n");
    served.push("2.0 slow");
    run.says(&["\"event\":\"newStarting\"", "payments"]).await;
    drop(run);
    std::fs::remove_dir_all(served.shop.cache()).unwrap();
    served.shop.ns.delete_lease().await;
    let mut run = served.start();
    run.says(&["\"event\":\"verified\"", "checkout"]).await;
    assert_eq!(served.shop.versions(&["payments", "checkout"]).await, "2.0-slow 2.0");
    for object in ["deployment/payments", "deployment/checkout"] {
        // Of its own, the server counts images and annotations.
        let generation = served.shop.ns.get(object).await["metadata"]["generation"].take();
        assert_eq!(generation, 3, "{object} was written once, and recorded\n{}", run.said());
    }
    served.shop.kept(recorder).await;
}

#[tokio::test]
async fn on_a_disk_that_is_full_or_read_only_it_keeps_what_it_knows_and_follows_when_it_can() {
    let served = Served::open().await;
    let folder = served.shop.cache().parent().unwrap().to_owned();
    std::fs::create_dir_all(&folder).unwrap();
    let Some(command) = on_a_small_disk(&folder, &served.command()) else {
        println!("not tried: nobody may mount anything on this host");
        return;
    };
    let mut run = Running::start(command);
    run.says(&["\"event\":\"inSync\""]).await;
    // As the run sees it.
    let filler = Path::new(&format!("/proc/{}/root", run.pid())).join(folder.strip_prefix("/").unwrap()).join("filler");
    assert!(std::fs::write(&filler, vec![0; 8 << 20]).is_err());
    served.push("2.0");
    run.says(&["\"event\":\"noGit\"", "No space left on device"]).await;
    served.drifts_and_is_corrected("1.0").await;
    std::fs::remove_file(&filler).unwrap();
    run.says(&["\"event\":\"verified\"", "\"version\":\"2.0\""]).await;
    remount(run.pid(), &folder, "ro");
    served.push("3.0");
    run.says(&["\"event\":\"noGit\"", "Read-only file system"]).await;
    served.drifts_and_is_corrected("2.0").await;
    remount(run.pid(), &folder, "rw");
    run.says(&["\"event\":\"verified\"", "\"version\":\"3.0\""]).await;
    run.terminate();
    run.end().await.ended(0).never("panic");
}

#[tokio::test]
async fn without_rights_to_its_cache_or_files_to_open_it_keeps_what_it_knows_and_follows_when_it_can() {
    let served = Served::open().await;
    let mut run = Running::start(by_modes(&served.command()));
    run.says(&["\"event\":\"inSync\""]).await;
    let mirrors = served.shop.cache().join("mirror");
    let set = |mode| std::fs::set_permissions(&mirrors, std::fs::Permissions::from_mode(mode)).unwrap();
    set(0o000);
    served.push("2.0");
    run.says(&["\"event\":\"noGit\"", "Permission denied"]).await;
    served.drifts_and_is_corrected("1.0").await;
    set(0o755);
    run.says(&["\"event\":\"verified\"", "\"version\":\"2.0\""]).await;
    // What is open stays open; neither the repository nor pods can be asked for.
    limit_files(run.pid(), 4);
    served.push("3.0");
    run.says(&["\"event\":\"noGit\"", "Too many open files"]).await;
    limit_files(run.pid(), 512);
    run.says(&["\"event\":\"verified\"", "\"version\":\"3.0\""]).await;
    assert!(Usage::of(run.pid()).files < 64, "{:?}", Usage::of(run.pid()));
    run.terminate();
    run.end().await.ended(0).never("panic");
}

#[tokio::test]
async fn a_cache_that_is_a_link_is_used_and_what_links_in_it_lead_to_is_left_alone() {
    let served = Served::open().await;
    let (cache, elsewhere) = (served.shop.cache(), tempfile::tempdir().unwrap());
    std::fs::create_dir_all(cache.parent().unwrap()).unwrap();
    symlink(elsewhere.path(), &cache).unwrap();
    drop(served.run().await);
    let mirrors = elsewhere.path().join("mirror");
    let is_mirror = |path: &std::path::PathBuf| path.extension().is_some_and(|it| it == "git");
    let mirror = std::fs::read_dir(&mirrors).unwrap().map(|it| it.unwrap().path()).find(is_mirror).unwrap();
    // A mirror that is somebody's folder.
    let others = tempfile::tempdir().unwrap();
    std::fs::write(others.path().join("letters"), "mine").unwrap();
    std::fs::remove_dir_all(&mirror).unwrap();
    symlink(others.path(), &mirror).unwrap();
    served.shop.ns.delete_lease().await;
    let mut run = served.run().await;
    served.push("2.0");
    run.says(&["\"event\":\"verified\"", "\"version\":\"2.0\""]).await;
    assert_eq!(std::fs::read_to_string(others.path().join("letters")).unwrap(), "mine");
    assert!(mirror.is_dir() && !mirror.is_symlink());
}

fn for_each_file(folder: &Path, act: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { for_each_file(&path, act) } else { act(&path) }
    }
}
