use insta::assert_snapshot;

use super::{shop, version};
use crate::plan::RolloutProgress;
use crate::running::Running;

fn image(tag: &str) -> Running {
    Running::Image(format!("acme/x:{tag}").parse().unwrap(), Some(version(tag)))
}

#[test]
fn what_runs_becomes_the_pin_with_what_has_to_go_with_it() {
    let shop = shop(
        "payments: 2.0; 2.1; 2.2
         checkout: 1.7 needs payments >=2.0; 1.8 needs payments >=2.1; -",
    );
    assert_snapshot!(shop.adopts("payments", &[image("2.0")], RolloutProgress::Still), @r#"
    payments 2.2 -> 2.0: asked for, 2 back, of 0
    checkout 1.8 -> 1.7: checkout 1.8 needs payments >=2.1, 1 back, of 0
    payments held: Above("2.0")
    "#);
    assert_snapshot!(shop.adopts("payments", &[image("2.2")], RolloutProgress::Still), @"nothing");
}

#[test]
fn what_is_not_one_version_that_was_pinned_is_refused_in_words() {
    let shop = shop("payments: 2.0; 2.1");
    let unknown = Running::Image("acme/x:mine".parse().unwrap(), None);
    let said = [
        shop.adopts("payments", &[Running::Absent], RolloutProgress::Still),
        shop.adopts("payments", &[image("2.0")], RolloutProgress::UnderWay),
        shop.adopts("payments", &[image("2.0"), image("2.1")], RolloutProgress::Still),
        shop.adopts("payments", &[unknown], RolloutProgress::Still),
    ];
    assert_snapshot!(said.concat(), @r#"
    what runs of payments cannot become its pin: nothing of it runs
      {"code":"awaitOneVersion"}
    what runs of payments cannot become its pin: it is in the middle of a rollout
      {"code":"awaitOneVersion"}
    what runs of payments cannot become its pin: it runs 2.0 and 2.1
      {"code":"awaitOneVersion"}
    what runs of payments cannot become its pin: it runs acme/x:mine, which was never pinned
      {"code":"pinVersion","service":"payments"}
    "#);
}
