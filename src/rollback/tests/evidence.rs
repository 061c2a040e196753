//! What history knows of pairs.

use std::time::Duration;

use super::{Aim, Request, service, shop};
use crate::rollback::unseen;

/// The pairs that a rollback of payments brings together and that were never pinned together for so many hours; the tip
/// is an hour old.
fn pairs(text: &str, hours: u64) -> String {
    let shop = shop(text);
    let revert = shop.revert(&Request::Services(vec![service("payments")], Aim::Good)).unwrap();
    let now = shop.desired.history.tip().unwrap().time + Duration::from_secs(3600);
    let unseen = shop.knowing(|known| unseen(known, &revert, Duration::from_secs(hours * 3600), now));
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
    let again = "payments: 2.0; 2.1; 2.0; -; -; 2.2 \n checkout: 1.7 needs payments *; 1.8 needs payments *; -; 1.8 needs payments >=2.0; -; -";
    assert_eq!(pairs(again, 3), "");
    assert_eq!(pairs(again, 4), "checkout 1.8 with payments 2.0");
    let shop = "payments: 2.0; -; -; 2.2 \n checkout: 1.8 needs payments *; 1.8 needs payments >=2.0; -; -";
    assert_eq!(pairs(shop, 3), "");
}
