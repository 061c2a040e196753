//! How much of one processor the passes of a loop take: one part in ten. What comes alone is judged at once, because
//! rest is owed for a while before it is taken. Pure.

use std::time::{Duration, Instant};

/// Passes that write nothing take one part in so many. Of one processor this leaves the others to the cluster, which may
/// be on the same machine.
const PARTS: u32 = 10;

/// So much rest may be owed.
const CREDIT: Duration = Duration::from_millis(500);

/// No rest is longer.
const LONGEST: Duration = Duration::from_millis(500);

/// The rest that passes owe.
#[derive(Debug, Default)]
pub(super) struct PassThrottle {
    /// When it would have been paid.
    until: Option<Instant>,
}

impl PassThrottle {
    /// A pass that wrote nothing took so long until `now`: how long the next one waits.
    pub(super) fn delay_after(&mut self, took: Duration, now: Instant) -> Duration {
        let owed = self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let owed = (owed + took * PARTS).min(CREDIT + LONGEST);
        self.until = Some(now + owed);
        owed.saturating_sub(CREDIT)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a point in time, whichever")]

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_comes_now_and_then_is_never_kept_waiting() {
        let (mut throttle, begin) = (PassThrottle::default(), Instant::now());
        let rests: Vec<_> = (1..100).map(|n| throttle.delay_after(ms(50), begin + ms(500) * n)).collect();
        assert!(rests.iter().all(Duration::is_zero), "{rests:?}");
    }

    #[test]
    fn what_does_not_end_takes_one_part_in_ten() {
        let (mut throttle, begin) = (PassThrottle::default(), Instant::now());
        let mut now = begin;
        let rests: Vec<_> = (0..9)
            .map(|_| {
                now += ms(20);
                let rest = throttle.delay_after(ms(20), now);
                now += rest;
                rest.as_millis()
            })
            .collect();
        assert_eq!(rests, [0, 0, 60, 180, 180, 180, 180, 180, 180]);
    }

    #[test]
    fn no_rest_is_longer_than_half_a_second() {
        let mut throttle = PassThrottle::default();
        let now = Instant::now();
        assert_eq!(throttle.delay_after(ms(10_000), now), ms(500));
        assert_eq!(throttle.delay_after(ms(10_000), now), ms(500));
    }
}
