//! Whether this node's clock agrees with the engines'. Every node compares itself with the same engines, so nodes that agree
//! with them agree with each other.
//!
//! Nothing that must happen once is guarded by time. But one node writes a stage's deadline and another reads it, so a skew
//! makes lives longer or shorter. Two nodes may differ by thirty seconds; if they do by more, one of them is more than
//! [`TOLERATED`] from the engine, and is reported.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use mashang_login::Timestamp;

use crate::state::App;

/// What two nodes may differ.
pub const BETWEEN_NODES: Duration = Duration::from_secs(30);
/// From an engine; half of [`BETWEEN_NODES`]. Beyond it is reported.
pub const TOLERATED: SignedDuration = SignedDuration::from_secs(15);

/// How far one engine's clock is from ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    /// `records` or `tickets`.
    pub engine: &'static str,
    /// The engine's clock minus ours.
    pub ahead: SignedDuration,
}

impl Skew {
    /// The engine said `theirs` to a question asked at `before` and answered at `after`. What the way took is nobody's
    /// skew: an answer is as good as any moment in between.
    #[must_use]
    pub fn between(engine: &'static str, before: Timestamp, theirs: Timestamp, after: Timestamp) -> Self {
        let ahead = if theirs < before {
            theirs.duration_since(before)
        } else if theirs > after {
            theirs.duration_since(after)
        } else {
            SignedDuration::ZERO
        };
        Self { engine, ahead }
    }

    /// Whether somebody must set a clock.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        self.ahead.abs() > TOLERATED
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.ahead.abs().as_secs();
        let direction = if self.ahead.is_negative() { "ahead of" } else { "behind" };
        write!(
            f,
            "this machine's clock is {seconds} s {direction} that of the {} engine; up to {} s is tolerated: let both follow a time server",
            self.engine,
            TOLERATED.as_secs()
        )
    }
}

/// Asks every engine that has a clock. One that does not answer tells nothing of its clock; readiness says that.
pub async fn measure(app: &App) -> Vec<Skew> {
    let mut skews = Vec::new();
    let before = app.now();
    if let Ok(Some(theirs)) = app.records.engine_time().await {
        skews.push(Skew::between("records", before, theirs, app.now()));
    }
    let before = app.now();
    if let Ok(Some(theirs)) = app.tickets.engine_time().await {
        skews.push(Skew::between("tickets", before, theirs, app.now()));
    }
    for skew in &skews {
        app.metrics.clock_skew.get_or_create(&[("engine", skew.engine.into())]).set(skew.ahead.as_secs_f64());
    }
    skews
}

/// Whether this node's clock may not decide what is over for good: an engine's is too far from it.
pub async fn is_wrong(app: &App) -> bool {
    measure(app).await.iter().any(Skew::is_too_much)
}

/// As [`measure`], and says in the log what is too much.
pub async fn report(app: &App) {
    for skew in measure(app).await.into_iter().filter(Skew::is_too_much) {
        tracing::warn!(engine = skew.engine, seconds = skew.ahead.as_secs(), "{skew}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn nodes_more_than_thirty_seconds_apart_cannot_both_go_unreported() {
        let is_reported = |node: i64| Skew::between("records", at(node), at(0), at(node)).is_too_much();
        assert!(!is_reported(15) && !is_reported(-15) && !is_reported(0));
        for one in -40..=40 {
            assert!(is_reported(one) || is_reported(one + 31), "{one}");
        }
    }

    #[test]
    fn the_time_that_an_answer_takes_is_not_taken_for_skew() {
        let slow = Skew::between("records", at(0), at(35), at(70));
        assert_eq!(slow.ahead, SignedDuration::ZERO);
        assert_eq!(Skew::between("records", at(0), at(75), at(70)).ahead, SignedDuration::from_secs(5));
    }

    #[test]
    fn it_is_said_whose_clock_is_ahead() {
        let behind = Skew::between("tickets", at(0), at(45), at(0)).to_string();
        assert!(behind.contains("45 s behind that of the tickets engine"), "{behind}");
        assert!(Skew::between("tickets", at(0), at(-45), at(0)).to_string().contains("45 s ahead of"));
    }
}
