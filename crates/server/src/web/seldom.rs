//! A line that ten thousand waiting pages would each write: told once in a while, with how many were left out.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(5);

/// When it was told, and what was left out since.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// How many were left out since the last one that was told, if this one is to be told.
    pub fn tell(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (told, left_out) = &mut *state;
        if told.is_some_and(|told| told.elapsed() < PAUSE) {
            *left_out += 1;
            return None;
        }
        *told = Some(Instant::now());
        Some(std::mem::take(left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_left_out_is_counted_in_the_next_line() {
        let seldom = Seldom::default();
        assert_eq!(seldom.tell(), Some(0));
        for _ in 0..3 {
            assert_eq!(seldom.tell(), None);
        }
        tokio::time::advance(PAUSE).await;
        assert_eq!(seldom.tell(), Some(3));
        tokio::time::advance(PAUSE).await;
        assert_eq!(seldom.tell(), Some(0));
    }
}
