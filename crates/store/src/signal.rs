//! Wake-ups inside one node: one small bell per watched ticket, made when the first watcher comes, gone with the last.
//!
//! The engine in memory rings it directly; engines that nodes share ring it when they hear of a change, and ring all of
//! it when they may have missed one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mashang_login::ids::ScanCode;
use mashang_login::tickets::Watch;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Counts the rings, so that one between two waits is not lost.
#[derive(Default)]
struct Bell {
    rung: AtomicU64,
    notify: Notify,
}

impl Bell {
    fn ring(&self) {
        self.rung.fetch_add(1, Ordering::Release);
        self.notify.notify_waiters();
    }
}

#[derive(Default)]
struct Line {
    bell: Arc<Bell>,
    watchers: usize,
}

/// The bells of all watched tickets. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Switchboard(Arc<Mutex<HashMap<ScanCode, Line>>>);

impl Switchboard {
    /// How many tickets are watched.
    pub(crate) fn len(&self) -> usize {
        self.lines().len()
    }

    /// Wakes everyone who watches `code`.
    pub(crate) fn ring(&self, code: &ScanCode) {
        let bell = self.lines().get(code).map(|line| Arc::clone(&line.bell));
        if let Some(bell) = bell {
            bell.ring();
        }
    }

    /// Wakes everyone: a change may have gone unheard.
    pub(crate) fn ring_all(&self) {
        let bells: Vec<_> = self.lines().values().map(|line| Arc::clone(&line.bell)).collect();
        for bell in bells {
            bell.ring();
        }
    }

    /// A subscription from now on.
    pub(crate) fn subscribe(&self, code: &ScanCode) -> Subscription {
        let mut lines = self.lines();
        let line = lines.entry(code.clone()).or_default();
        line.watchers += 1;
        let bell = Arc::clone(&line.bell);
        let heard = bell.rung.load(Ordering::Acquire);
        Subscription { code: code.clone(), bell, heard, board: self.clone() }
    }

    /// A poisoned lock is taken anyway: every section leaves the map whole.
    fn lines(&self) -> MutexGuard<'_, HashMap<ScanCode, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A subscription to one ticket.
pub(crate) struct Subscription {
    code: ScanCode,
    bell: Arc<Bell>,
    heard: u64,
    board: Switchboard,
}

#[async_trait]
impl Watch for Subscription {
    async fn changed(&mut self) {
        loop {
            // `notified()` first, count second: a ring after this line wakes the future, a ring before it is counted.
            let notified = self.bell.notify.notified();
            let rung = self.bell.rung.load(Ordering::Acquire);
            if rung != self.heard {
                self.heard = rung;
                return;
            }
            notified.await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Entry::Occupied(mut line) = self.board.lines().entry(self.code.clone()) {
            line.get_mut().watchers -= 1;
            if line.get().watchers == 0 {
                line.remove();
            }
        }
    }
}

/// A subscription to a ticket that lives elsewhere: wakes by the bell, and at a bounded interval besides, because a
/// notification may be lost on its way (promise 7).
pub(crate) struct RemoteWatch {
    subscription: Subscription,
    interval: Duration,
    /// When it wakes without a ring. Kept, so that whoever gives up waiting and comes back does not put it off.
    due: Instant,
}

impl RemoteWatch {
    /// Wakes at least every `interval`, give or take a quarter of it: watchers that began together do not read together.
    pub(crate) fn new(subscription: Subscription, interval: Duration) -> Self {
        let spread = fnv(subscription.code.as_str()) % 512;
        let interval = interval * (768 + spread) / 1024;
        Self { subscription, interval, due: Instant::now() + interval }
    }
}

#[async_trait]
impl Watch for RemoteWatch {
    async fn changed(&mut self) {
        // A timeout is a wake-up like any other: whoever wakes reads.
        let _ = timeout_at(self.due, self.subscription.changed()).await;
        self.due = Instant::now() + self.interval;
    }
}

/// FNV-1a: spreads codes evenly, is the same on every node and in every version.
pub(crate) fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    fn code(letter: &str) -> ScanCode {
        ScanCode::parse(&letter.repeat(32)).unwrap()
    }

    #[tokio::test]
    async fn bells_go_with_their_last_watcher() {
        let board = Switchboard::default();
        let first = board.subscribe(&code("x"));
        let second = board.subscribe(&code("x"));
        drop(first);
        assert_eq!(board.len(), 1);
        drop(second);
        assert_eq!(board.len(), 0);
    }

    #[tokio::test]
    async fn all_bells_ring_at_once() {
        let board = Switchboard::default();
        let (mut a, mut b) = (board.subscribe(&code("a")), board.subscribe(&code("b")));
        board.ring_all();
        a.changed().await;
        b.changed().await;
    }

    #[tokio::test(start_paused = true)]
    async fn promise_7_a_lost_notification_costs_a_poll_interval() {
        let board = Switchboard::default();
        let interval = Duration::from_secs(15);
        let mut watch = RemoteWatch::new(board.subscribe(&code("x")), interval);
        let begun = Instant::now();
        watch.changed().await;
        let waited = begun.elapsed();
        assert!(waited >= interval * 3 / 4 && waited <= interval * 5 / 4, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn promise_7_whoever_gives_up_waiting_and_comes_back_does_not_put_the_poll_off() {
        let board = Switchboard::default();
        let interval = Duration::from_secs(15);
        for letter in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            let mut watch = RemoteWatch::new(board.subscribe(&code(letter)), interval);
            let begun = Instant::now();
            while timeout(Duration::from_secs(4), watch.changed()).await.is_err() {}
            let waited = begun.elapsed();
            assert!(waited >= interval * 3 / 4 && waited <= interval * 5 / 4, "{waited:?}");
        }
    }
}
