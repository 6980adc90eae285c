//! Ceilings without a count for every row: what was counted, and what this node added since.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mashang_login::Timestamp;

use super::millis;

/// A node counts anew after this part of the ceiling.
const PART: usize = 256;
/// When full, not more often than this (ms): a refusal must stay cheap.
const PAUSE_WHEN_FULL: u64 = 1_000;

/// Places in one table.
pub(super) struct Room {
    ceiling: usize,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// When it was counted, by the caller's clock (ms).
    at: Option<i64>,
    counted: usize,
    added: usize,
}

impl Room {
    pub(super) fn new(ceiling: usize) -> Self {
        Self { ceiling, known: Mutex::default() }
    }

    /// Whether rows must be counted before the next place is taken.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        let known = self.known();
        let Some(at) = known.at else { return true };
        let is_full = known.counted + known.added >= self.ceiling;
        let many = known.added >= (self.ceiling / PART).max(1);
        if is_full && known.added == 0 {
            millis(now).abs_diff(at) >= PAUSE_WHEN_FULL
        } else {
            many || is_full
        }
    }

    /// Rows that are there at `now`.
    pub(super) fn counted(&self, rows: i64, now: Timestamp) {
        let counted = usize::try_from(rows).unwrap_or(0);
        *self.known() = Known { at: Some(millis(now)), counted, added: 0 };
    }

    /// Takes one place, if there is one.
    pub(super) fn take(&self) -> bool {
        let mut known = self.known();
        let is_free = known.counted + known.added < self.ceiling;
        known.added += usize::from(is_free);
        is_free
    }

    /// One row less.
    pub(super) fn give_back(&self) {
        let mut known = self.known();
        known.counted = known.counted.saturating_sub(1);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    #[test]
    fn sec_16_rows_are_counted_after_each_part_of_the_ceiling() {
        let room = Room::new(2_560);
        assert!(room.is_stale(at(0)), "nothing is known at first");
        room.counted(100, at(0));
        for _ in 0..10 {
            assert!(!room.is_stale(at(0)) && room.take());
        }
        assert!(room.is_stale(at(0)));
    }

    #[test]
    fn sec_16_a_full_table_is_counted_once_a_second() {
        let room = Room::new(10);
        room.counted(10, at(0));
        assert!(!room.take() && !room.is_stale(at(999)) && room.is_stale(at(1_000)));
        room.give_back();
        assert!(room.take(), "one went");
    }
}
