//! The suites that prove every engine alike (promise 11): an engine is finished when they are green.
//!
//! A suite is a list of named cases; a macro turns each into a `#[tokio::test]`, so that a failure names a behaviour:
//!
//! ```ignore
//! mod tickets {
//!     async fn engine(ceiling: usize) -> Nodes<dyn Tickets> { /* two handles on one fresh store */ }
//!     mashang_store::ticket_suite!(engine);
//! }
//! ```
//!
//! Every case gets two handles on the same store, as two nodes would hold them ([`Nodes`]), and a store of its own. The
//! crate that runs a suite needs tokio with `macros` and `rt-multi-thread`.

#![allow(clippy::unwrap_used, reason = "these are tests, for other crates to run")]

pub mod challenges;
pub mod counters;
pub mod fixtures;
pub mod handshakes;
pub mod platform_tokens;
pub mod records;
pub mod tickets;

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mashang_login::ambient::SystemClock;
use mashang_login::{Clock as _, Timestamp};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// How many live tickets, handshakes, provider codes and challenges an engine under test may hold, each.
pub const CEILING: usize = 64;

/// Longest wait for something that ought to happen at once.
const SOON: Duration = Duration::from_secs(10);

/// Two handles on one store.
#[derive(Debug)]
pub struct Nodes<T: ?Sized> {
    /// One node's.
    pub a: Arc<T>,
    /// The other's.
    pub b: Arc<T>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl<T: ?Sized> Nodes<T> {
    /// Two handles, and what must live as long as they do (a temporary folder, a server process).
    pub fn new(a: Arc<T>, b: Arc<T>, keep: impl Any + Send + Sync) -> Self {
        Self { a, b, _keep: Box::new(keep) }
    }

    /// The handle of the `n`th caller: they take turns.
    fn nth(&self, n: usize) -> Arc<T> {
        Arc::clone(if n.is_multiple_of(2) { &self.a } else { &self.b })
    }
}

/// Starts `n` tasks, lets them go at the same moment and gathers what they return.
async fn at_once<T, F>(n: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(Barrier::new(n));
    let mut tasks = JoinSet::new();
    for index in 0..n {
        let (gate, work) = (Arc::clone(&gate), task(index));
        tasks.spawn(async move {
            gate.wait().await;
            work.await
        });
    }
    tasks.join_all().await
}

/// What two nodes were told of the engine's clock: nothing, where it has none; else about the time it is here, where
/// the engine runs.
fn is_near_ours(told: [Option<Timestamp>; 2]) {
    let now = SystemClock.now();
    match told {
        [None, None] => {}
        [Some(a), Some(b)] => {
            for time in [a, b] {
                assert!(time.duration_since(now).abs().as_secs() < 60, "{time} is not about {now}");
            }
        }
        _ => panic!("only one node was told: {told:?}"),
    }
}

/// How many of `answers` are `wanted`.
fn count<T: PartialEq>(answers: &[T], wanted: &T) -> usize {
    answers.iter().filter(|answer| *answer == wanted).count()
}

/// Expands a suite: one test per case.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($suite:ident, $nodes:expr, [$($case:ident),* $(,)?]) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $case() {
            $crate::conformance::$suite::$case($nodes.await).await;
        }
    )* };
}

#[cfg(test)]
mod tests {
    const SUITES: [(&str, &[&str]); 10] = [
        (include_str!("challenges.rs"), &[include_str!("challenges.rs")]),
        (include_str!("counters.rs"), &[include_str!("counters.rs")]),
        (include_str!("tickets.rs"), &[include_str!("tickets.rs")]),
        (include_str!("handshakes.rs"), &[include_str!("handshakes.rs")]),
        (include_str!("platform_tokens.rs"), &[include_str!("platform_tokens.rs")]),
        (include_str!("records/consents.rs"), &[include_str!("records/consents.rs")]),
        (include_str!("records/erasure.rs"), &[include_str!("records/erasure.rs")]),
        (include_str!("records/credentials.rs"), &[include_str!("records/credentials.rs")]),
        (include_str!("records/trail.rs"), &[include_str!("records/trail.rs")]),
        (
            include_str!("records.rs"),
            &[
                include_str!("records/account.rs"),
                include_str!("records/clients.rs"),
                include_str!("records/codes.rs"),
                include_str!("records/grants.rs"),
                include_str!("records/housekeeping.rs"),
                include_str!("records/leavers.rs"),
                include_str!("records/links.rs"),
                include_str!("records/merges.rs"),
                include_str!("records/people.rs"),
                include_str!("records/races.rs"),
                include_str!("records/refresh.rs"),
                include_str!("records/sessions.rs"),
                include_str!("records/unions.rs"),
            ],
        ),
    ];

    #[test]
    fn every_case_is_in_its_suite() {
        for (list, sources) in SUITES {
            let lines = sources.iter().flat_map(|source| source.lines());
            let mut cases = 0;
            for name in lines.filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next()) {
                assert!(
                    list.lines().any(|line| line.trim() == format!("{name},")),
                    "{name} is not in the list"
                );
                cases += 1;
            }
            assert!(cases > 5, "the cases were found");
        }
    }
}
