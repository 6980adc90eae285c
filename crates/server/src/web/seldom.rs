//! A line that ten thousand waiting pages would each write: told once in a while, with how many were left out.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mashang_login::Entropy;
use tokio::time::Instant;

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(5);
/// After so long what was left out belongs to another outage.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// When it was told, and what was left out since.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// Tells by `line`, unless that was done just now. Afterwards a line says how many were left out.
    pub fn tell(&self, line: impl FnOnce()) {
        let Some(left_out) = self.turn() else { return };
        line();
        if left_out > 0 {
            tracing::error!(left_out, "{left_out} more questions of waiting pages failed likewise meanwhile");
        }
    }

    /// How many were left out since the last one that was told, if this one is to be told.
    fn turn(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (told, left_out) = &mut *state;
        if told.is_some_and(|told| told.elapsed() < PAUSE) {
            *left_out += 1;
            return None;
        }
        let is_another = told.is_some_and(|told| told.elapsed() > FORGOTTEN);
        *told = Some(Instant::now());
        let left_out = std::mem::take(left_out);
        Some(if is_another { 0 } else { left_out })
    }
}

/// When whoever met an engine that is away may come again. Not all at once: every page that waits on it has met that in the same
/// moment.
#[must_use]
pub fn comes_back(entropy: &dyn Entropy) -> Duration {
    let mut chance = [0];
    entropy.fill(&mut chance);
    Duration::from_secs(2 + u64::from(chance[0] % 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_left_out_is_counted_in_the_next_line() {
        let seldom = Seldom::default();
        assert_eq!(seldom.turn(), Some(0));
        for _ in 0..3 {
            assert_eq!(seldom.turn(), None);
        }
        tokio::time::advance(PAUSE).await;
        assert_eq!(seldom.turn(), Some(3));
        assert_eq!(seldom.turn(), None);
        tokio::time::advance(2 * FORGOTTEN).await;
        assert_eq!(seldom.turn(), Some(0), "of the outage before");
    }
}
