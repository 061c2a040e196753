use crate::common::promise::Promise;
use crate::common::recorder::{Event, Recording};
use crate::common::shop::{Shop, image};

#[tokio::test]
async fn an_upgrade_goes_provider_first_and_its_git_revert_consumer_first() {
    let shop = Shop::open(&["payments 2.0.3", "checkout 1.7.9"]).await;
    let recorder = shop.record().await;
    shop.pin("payments", "2.1.0", "").pin("checkout", "1.8.2", "dependsOn: {payments: \">=2.1\"}\n");
    let upgrade = shop.commit("Upgrade both");
    let up = shop.apply().await;
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.1.0 1.8.2");
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("payments", "2.0.3")) < recording.first(&image("checkout", "1.8.2")));
    assert!(up.line(&["payments 2.0.3 gone"]) < up.line(&["checkout 1.8.2 starting"]));

    let recorder = shop.record().await;
    shop.repo.revert(upgrade);
    let down = shop.apply().await;
    assert_eq!(shop.versions(&["payments", "checkout"]).await, "2.0.3 1.7.9");
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("checkout", "1.8.2")) < recording.first(&image("payments", "2.0.3")));
    assert!(down.line(&["checkout 1.8.2 gone"]) < down.line(&["payments 2.0.3 starting"]));
    down.line(&["payments", "waits until checkout 1.8.2 is gone: it needs payments >=2.1"]);
    down.result(&["In sync: everything runs what is pinned (2 changed)"]);
}

#[tokio::test]
async fn a_chain_of_ten_goes_from_its_end_and_its_git_revert_from_its_head() {
    let names: Vec<String> = (0..10).map(|n| format!("s{n}")).collect();
    let services: Vec<String> = names.iter().map(|name| format!("{name} 1.0")).collect();
    let shop = Shop::open(&services.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for (name, next) in names.iter().zip(&names[1..]) {
        shop.pin(name, "2.0", &format!("dependsOn: {{{next}: \">=2.0\"}}\n"));
    }
    shop.pin("s9", "2.0", "");
    let upgrade = shop.commit("Upgrade all");
    let recorder = shop.record().await;
    shop.apply().await;
    let recording = shop.kept(recorder).await;
    for (name, next) in names.iter().zip(&names[1..]) {
        assert!(recording.gone(&image(next, "1.0")) < recording.first(&image(name, "2.0")), "{name} before {next}");
    }

    let recorder = shop.record().await;
    shop.repo.revert(upgrade);
    let down = shop.apply().await;
    let recording = shop.kept(recorder).await;
    for (name, next) in names.iter().zip(&names[1..]) {
        assert!(recording.gone(&image(name, "2.0")) < recording.first(&image(next, "1.0")), "{next} before {name}");
    }
    down.result(&["(10 changed)"]);
}

#[tokio::test]
async fn the_sides_of_a_diamond_move_at_once_between_its_ends() {
    let shop = Shop::open(&["base 1.0", "left 1.0", "right 1.0", "top 1.0"]).await;
    let recorder = shop.record().await;
    shop.pin("base", "2.0", "");
    shop.pin("left", "2.0 slow", "dependsOn: {base: \">=2.0\"}\n");
    shop.pin("right", "2.0 slow", "dependsOn: {base: \">=2.0\"}\n");
    shop.pin("top", "2.0", "dependsOn: {left: \">=2.0\", right: \">=2.0\"}\n");
    let upgrade = shop.commit("Upgrade all");
    shop.apply().await;
    shop.repo.revert(upgrade);
    let down = shop.apply().await;
    let recording = shop.kept(recorder).await;
    let first = |name: &str, version: &str| recording.first(&image(name, version));
    let (left, right) = (first("left", "2.0 slow"), first("right", "2.0 slow"));
    assert!(first("base", "2.0") < left.min(right) && left.max(right) < first("top", "2.0"));
    let both = |moment: &crate::common::recorder::Moment| {
        ["left", "right"].iter().all(|name| moment.get(*name).is_some_and(|images| images.len() == 2))
    };
    assert!(recording.moments().iter().any(both), "the sides went one after the other");
    let gone = |name: &str| down.line(&[&format!("{name} 2.0 gone")]);
    assert!(gone("top") < gone("left").min(gone("right")) && gone("left").max(gone("right")) < gone("base"));
}

#[tokio::test]
async fn two_that_need_each_others_new_version_are_refused_and_go_together_in_lockstep() {
    let shop = Shop::open(&["checkout 1.0", "payments 1.0"]).await;
    shop.pin("payments", "1.0", "dependsOn: {checkout: \"<2.0\"}\n").commit("Say what payments needs");
    let recorder = shop.record().await;
    shop.pin("checkout", "2.0", "dependsOn: {payments: \">=2.0\"}\n");
    shop.pin("payments", "2.0", "dependsOn: {checkout: \">=2.0\"}\n").commit("Upgrade both");
    let refused = shop.apply_ends(4).await;
    refused.result(&["Refused: checkout 2.0: there is no safe order for it and payments"]);
    refused.result(&["checkout 2.0 waits until payments 1.0 is gone: checkout 2.0 needs payments >=2.0"]);
    refused.result(&["payments 2.0 waits until checkout 1.0 is gone: payments 2.0 needs checkout >=2.0"]);
    refused.result(&["Pin a version between", "lockstep: [["]);
    assert_eq!(shop.versions(&["checkout", "payments"]).await, "1.0 1.0");
    let recording = shop.kept(recorder).await;
    assert!(recording.never(&image("checkout", "2.0")) && recording.never(&image("payments", "2.0")));

    let recorder = shop.record().await;
    shop.settings("lockstep: [[checkout, payments]]\n").commit("Allow an unsafe moment");
    let together = shop.apply().await;
    let starts = together.line(&["checkout 2.0 starting"]).abs_diff(together.line(&["payments 2.0 starting"]));
    let broken = Promise::of(&shop.repo).broken_in(&recorder.finish().await);
    assert!(starts <= 2, "{}", together.err);
    assert!(!broken.is_empty(), "safe after all: then it need not be a lockstep");
    assert_eq!(shop.versions(&["checkout", "payments"]).await, "2.0 2.0");
}

#[tokio::test]
async fn of_a_free_pair_the_provider_goes_up_first_and_down_last() {
    let shop = Shop::open(&["checkout 1.0", "payments 1.0"]).await;
    shop.pin("checkout", "1.0", "dependsOn: [payments]\n").commit("Say that checkout needs payments");
    let recorder = shop.record().await;
    shop.pin("checkout", "1.1", "dependsOn: [payments]\n").pin("payments", "1.1", "");
    let upgrade = shop.commit("Upgrade both");
    shop.apply().await;
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("payments", "1.0")) < recording.first(&image("checkout", "1.1")));

    let recorder = shop.record().await;
    shop.repo.revert(upgrade);
    shop.apply().await;
    let recording = shop.kept(recorder).await;
    assert!(recording.gone(&image("checkout", "1.1")) < recording.first(&image("payments", "1.0")));
}

#[tokio::test]
async fn an_upgrade_goes_consumer_first_where_its_old_version_rejects_what_comes() {
    // The order that nobody would choose, and pods that end slowly: neither habit nor speed helps.
    let shop = Shop::open(&["payments 2.0.3", "checkout 1.7.9 linger"]).await;
    shop.pin("checkout", "1.7.9 linger", "dependsOn: {payments: \"<2.1\"}\n").commit("Say what checkout needs");
    let recorder = shop.record().await;
    shop.pin("payments", "2.1.0 linger", "").pin("checkout", "1.8.2", "dependsOn: {payments: \">=2.0\"}\n");
    let upgrade = shop.commit("Upgrade both");
    shop.apply().await;
    let recording = shop.kept(recorder).await;
    assert_lingers(&recording, &image("checkout", "1.7.9 linger"), &image("payments", "2.1.0 linger"));

    let recorder = shop.record().await;
    shop.repo.revert(upgrade);
    shop.apply().await;
    let recording = shop.kept(recorder).await;
    assert_lingers(&recording, &image("payments", "2.1.0 linger"), &image("checkout", "1.7.9 linger"));
}

/// `next` began when the last pod of `old` was gone, which took its time to end.
#[track_caller]
fn assert_lingers(recording: &Recording, old: &str, next: &str) {
    let (gone, first) = (recording.gone(old), recording.first(next));
    let stays = |event: &Event| event.images.contains(old) && !event.terminating;
    let ends = recording.events.iter().rposition(stays).unwrap();
    assert!(ends < gone && gone < first, "{old} ended at {ends}, was gone at {gone}; {next} began at {first}");
}
