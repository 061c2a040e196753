//! What history knows of pairs.

use std::time::Duration;

use super::{Request, RollbackTarget, lines, service, shop, version};
use crate::evidence::Evidence;
use crate::rollback::unseen_pairs;

/// The pairs that a rollback of payments brings together and that were never pinned together for so many hours.
fn pairs(text: &str, hours: u64) -> String {
    let shop = shop(text);
    let revert = shop.revert(&Request::Services(vec![service("payments")], RollbackTarget::Good)).unwrap();
    let evidence = Evidence::new(&shop.desired.history, Duration::from_secs(hours * 3600));
    let unseen = shop.knowing(|known| unseen_pairs(known, &revert, evidence));
    unseen.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_pair_that_was_pinned_together_for_long_enough_is_seen() {
    let together = "payments: 2.0; -; 2.1\n checkout: 1.7 needs payments *; 1.8 needs payments *; -";
    assert_eq!(pairs(together, 1), "");
    assert_eq!(pairs(together, 2), "checkout 1.8 with payments 2.0");
    let never = "payments: 2.0; 2.1\n checkout: 1.7 needs payments *; 1.8 needs payments *";
    assert_eq!(pairs(never, 0), "checkout 1.8 with payments 2.0");
}

#[test]
fn pairs_of_which_neither_moves_or_neither_needs_the_other_are_not_told() {
    let others = "payments: 2.0; 2.1\n ledger: 5; -; 6\n checkout: 1.8; -; 1.9 needs ledger *";
    assert_eq!(pairs(others, 0), "");
    let dropped = "payments: 2.0; 2.1\n checkout: 1.7 needs payments *; 1.8";
    assert_eq!(pairs(dropped, 0), "");
}

#[test]
fn what_was_pinned_again_counts_each_time_and_a_change_of_needs_does_not_interrupt() {
    let again = "payments: 2.0; 2.1; 2.0; -; -; 2.2 \n checkout: 1.7 needs payments *; 1.8 needs payments *; -; 1.8 needs payments *, ledger *; -; -";
    assert_eq!(pairs(again, 3), "");
    assert_eq!(pairs(again, 4), "checkout 1.8 with payments 2.0");
    let shop = "payments: 2.0; -; -; 2.2 \n checkout: 1.8 needs payments *; 1.8 needs payments *, ledger *; -; -";
    assert_eq!(pairs(shop, 3), "");
}

#[test]
fn a_range_speaks_where_it_is_written() {
    let ranged = "payments: 2.0; 2.1\n checkout: 1.7 needs payments >=2; 1.8 needs payments >=2";
    assert_eq!(pairs(ranged, 0), "");
}

/// What goes back with payments where each two must have been seen together.
fn seen(text: &str) -> String {
    let shop = shop(text);
    shop.seen(&Request::Services(vec![service("payments")], RollbackTarget::Good))
        .map_or_else(|it| it.to_string(), |it| lines(&it))
}

#[test]
fn what_was_never_seen_with_a_target_goes_back_too() {
    insta::assert_snapshot!(seen("payments: 2.0; 2.1\n checkout: 1.7 needs payments *; 1.8 needs payments *\n web: 3 needs checkout *; 4 needs checkout *"), @r#"
    payments 2.1 -> 2.0: asked for, 1 back, of 0
    checkout 1.8 -> 1.7: checkout 1.8 was never seen with payments 2.0, 1 back, of 0
    web 4 -> 3: web 4 was never seen with checkout 1.7, 1 back, of 0
    payments held: Above("2.0")
    "#);
    let between = "payments: 2.0; -; 2.1\n checkout: 1.7 needs payments *; 1.8 needs payments *; 1.9 needs payments *";
    insta::assert_snapshot!(seen(between), @r#"
    payments 2.1 -> 2.0: asked for, 1 back, of 0
    checkout 1.9 -> 1.8: checkout 1.9 was never seen with payments 2.0, 1 back, of 1
    payments held: Above("2.0")
    "#);
    let ranged = "payments: 2.0; 2.1\n checkout: 1.7 needs payments *; 1.8 needs payments >=2.0";
    insta::assert_snapshot!(seen(ranged), @r#"
    payments 2.1 -> 2.0: asked for, 1 back, of 0
    payments held: Above("2.0")
    "#);
    let stuck = "payments: 2.0; -; 2.1\n checkout: -; -; 1.8 needs payments *";
    insta::assert_snapshot!(seen(stuck), @"payments cannot go back to 2.0: checkout 1.8 was never seen with payments 2.0, so checkout would have to go back too, and has no earlier pin");
}

#[test]
fn history_tells_from_when_to_when_two_versions_were_pinned_together() {
    let shop = shop(
        "payments: 2.0; 2.1; 2.0; -; 2.2\n checkout: 1.7 needs payments *; -; 1.8 needs payments *; 1.7 needs payments *; -",
    );
    let together = |checkout: &str, payments: &str| {
        let [one, other] = [version(checkout), version(payments)];
        let pair = [(&service("checkout"), &one), (&service("payments"), &other)];
        let stretches = shop.desired.history.intervals_together(pair);
        let told = stretches.iter().map(|it| {
            let until = it.until.as_ref().map_or("now", |until| &until.subject);
            format!("{} to {until}", it.from.subject)
        });
        told.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(together("1.7", "2.0"), "Revision 0 to Revision 1, Revision 3 to Revision 4");
    assert_eq!(together("1.8", "2.0"), "Revision 2 to Revision 3");
    assert_eq!((together("1.7", "2.2"), together("1.8", "2.1")), ("Revision 4 to now".to_owned(), String::new()));
}
