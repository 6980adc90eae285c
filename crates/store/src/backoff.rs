//! Pauses of whoever keeps a connection: between attempts to make one, and after one that was lost as soon as it was there.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The first pause.
const FIRST: Duration = Duration::from_millis(50);
/// The longest.
const LONGEST: Duration = Duration::from_secs(1);
/// A connection that lived so long was one: when it is lost, another is made at once.
const SETTLED: Duration = Duration::from_secs(2);

/// How long the next pause is. Each is twice the one before, until a connection settles.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// After an attempt that failed.
    pub(crate) async fn pause(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }

    /// After the loss of a connection that was there since `made`. It is not enough that connections can be made: a server
    /// that takes them and is of no use would be connected to, and asked by everybody who waits, as fast as it answers.
    pub(crate) async fn lost(&mut self, made: Instant) {
        if made.elapsed() < SETTLED {
            self.pause().await;
        } else {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_while_connections_are_lost_at_once_and_start_anew_after_one_that_lasted() {
        let mut backoff = Backoff::default();
        let paused = async |backoff: &mut Backoff, lived: Duration| {
            let made = Instant::now();
            tokio::time::advance(lived).await;
            let lost = Instant::now();
            backoff.lost(made).await;
            lost.elapsed()
        };
        for millis in [50, 100, 200, 400, 800, 1000, 1000] {
            assert_eq!(paused(&mut backoff, Duration::ZERO).await, Duration::from_millis(millis));
        }
        assert_eq!(paused(&mut backoff, SETTLED).await, Duration::ZERO);
        assert_eq!(paused(&mut backoff, Duration::ZERO).await, FIRST);
    }
}
