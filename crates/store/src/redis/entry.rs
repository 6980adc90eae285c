//! How a value is written: a head of fixed width that scripts read and change in place, then JSON that only we read.
//!
//! ```text
//! 001893456000000 0000000002 1f0c9a7700000042 {"scan_code":…
//! end, in ms      number     mark             (without the blanks)
//! ```
//!
//! The number is a ticket's version, a challenge's attempts left, or whether a handshake is claimed. The mark names the
//! attempt that wrote it.

use std::time::Duration;

use mashang_login::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How much longer than by our clock Redis keeps an entry: nodes whose clocks differ by no more than this agree on what
/// is there. What is past its end by the `now` of whoever asks is absent all the same (promise 4).
pub(super) const CLOCK_SKEW: Duration = Duration::from_secs(30);

const END: usize = 15;
const NUMBER: usize = 10;
/// Width of the mark of an attempt.
pub(super) const MARK: usize = 16;
const HEAD: usize = END + NUMBER + MARK;

/// A value as it is stored.
pub(super) fn write(ends: Timestamp, number: u32, mark: &str, value: &impl Serialize) -> Vec<u8> {
    debug_assert_eq!(mark.len(), MARK);
    let mut text = format!("{:015}{number:010}{mark}", millis(ends)).into_bytes();
    serde_json::to_writer(&mut text, value).expect("our own plain data always serializes");
    text
}

/// A value that was read, and the number in its head; `None` if it has ended at `now`.
pub(super) fn read<T: DeserializeOwned>(stored: &[u8], now: Timestamp) -> Result<Option<(u32, T)>, String> {
    let head = stored.get(..HEAD).and_then(|head| std::str::from_utf8(head).ok());
    let head = head.ok_or("shorter than its head")?;
    let ends: i64 = head[..END].parse().map_err(|_| "its end is no number")?;
    if millis(now) >= ends {
        return Ok(None);
    }
    let number = head[END..END + NUMBER].parse().map_err(|_| "its number is none")?;
    // serde's own message may quote the value.
    let value = serde_json::from_slice(&stored[HEAD..])
        .map_err(|error| format!("not the JSON it should be ({:?})", error.classify()))?;
    Ok(Some((number, value)))
}

/// Milliseconds since 1970; nothing of ours is older.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond().max(0)
}

/// How long Redis keeps what ends at `ends`.
pub(super) fn time_to_live(ends: Timestamp, now: Timestamp) -> i64 {
    (millis(ends) - millis(now)).max(0) + i64::try_from(CLOCK_SKEW.as_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    #[test]
    fn promise_4_what_was_written_reads_back_until_its_end() {
        let stored = write(at(1_893_456_000_000), 7, "0123456789abcdef", &"码");
        assert_eq!(read(&stored, at(1_893_455_999_999)).unwrap(), Some((7, "码".to_owned())));
        assert_eq!(read::<String>(&stored, at(1_893_456_000_000)).unwrap(), None);
    }

    #[test]
    fn what_others_wrote_is_told_without_quoting_it() {
        for broken in ["", "secret", "00189345600000x00000000070123456789abcdef{}"] {
            assert!(read::<String>(broken.as_bytes(), at(0)).is_err());
        }
        let error = read::<String>(b"0018934560000000000000070123456789abcdef?secret", at(0)).unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn redis_keeps_it_longer_than_any_of_our_clocks() {
        assert_eq!(time_to_live(at(10_000), at(4_000)), 36_000);
        assert_eq!(
            time_to_live(at(10_000), at(50_000)),
            30_000,
            "never for no time, which would be an error"
        );
    }
}
