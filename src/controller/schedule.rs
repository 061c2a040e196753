//! When everything is looked at anew: a cron expression with its time zone.

use std::time::Duration;

use cronexpr::{Crontab, parse_crontab};
use jiff::Timestamp;

/// A cron expression with its time zone, such as `0 6 * * MON-FRI Europe/Berlin`.
#[derive(Debug, Clone)]
pub struct CronSchedule(Crontab);

impl CronSchedule {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parsed = parse_crontab(text);
        parsed.map(Self).map_err(|error| format!("{error}\nfive fields and a time zone are meant: 0 6 * * MON-FRI UTC"))
    }

    /// How long it is until the next time after `now`; none where there is none any more.
    pub fn until_next(&self, now: Timestamp) -> Option<Duration> {
        let next = self.0.find_next(now.to_string().as_str()).ok()?.timestamp();
        Duration::try_from(next.duration_since(now)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_decides_when_it_is_six_oclock() {
        let schedule = CronSchedule::parse("0 6 * * * Europe/Berlin").unwrap();
        let until = |now: &str| schedule.until_next(now.parse().unwrap());
        assert_eq!(until("2026-01-05T04:59:00Z"), Some(Duration::from_secs(60)));
        // Summer time.
        assert_eq!(until("2026-07-06T03:59:00Z"), Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_is_no_expression_is_refused_with_what_is_meant() {
        for wrong in ["", "daily", "0 6 * *", "0 6 * * *", "0 25 * * * UTC", "0 6 * * * Nowhere/Else"] {
            let why = CronSchedule::parse(wrong).unwrap_err();
            assert!(why.contains("0 6 * * MON-FRI UTC"), "{wrong}: {why}");
        }
    }
}
