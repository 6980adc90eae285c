//! Pauses by the clock, which may be set back.

use std::time::Duration;

use mashang_login::Timestamp;

/// Whether what began at `since`, and takes so `long`, goes on at `now`. A beginning in the future is one from before the clock was
/// set back: it prolongs nothing.
#[must_use]
pub fn lasts(since: Timestamp, long: Duration, now: Timestamp) -> bool {
    let passed = now.duration_since(since);
    !passed.is_negative() && passed.unsigned_abs() < long
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_in_its_time_and_at_once_when_the_clock_is_set_back() {
        let (since, long) = (Timestamp::from_second(1_800_000_000).unwrap(), Duration::from_secs(30));
        assert!(lasts(since, long, since) && lasts(since, long, since + Duration::from_millis(29_999)));
        assert!(!lasts(since, long, since + long));
        assert!(!lasts(since, long, since - Duration::from_millis(1)));
        assert!(!lasts(since, long, since - Duration::from_secs(8 * 3600)));
    }
}
