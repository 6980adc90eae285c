//! Wake-ups: one small bell per watched ticket, made when the first watcher comes, gone with the last.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mashang_login::ids::ScanCode;
use mashang_login::tickets::Watch;
use tokio::sync::Notify;

use super::Held;

/// Counts the rings, so that one between two waits is not lost.
#[derive(Default)]
struct Bell {
    rung: AtomicU64,
    notify: Notify,
}

#[derive(Default)]
struct Line {
    bell: Arc<Bell>,
    watchers: usize,
}

/// The bells of all watched tickets.
#[derive(Default)]
pub(super) struct Switchboard(HashMap<ScanCode, Line>);

impl Switchboard {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Wakes everyone who watches `code`.
    pub(super) fn ring(&self, code: &ScanCode) {
        if let Some(Line { bell, .. }) = self.0.get(code) {
            bell.rung.fetch_add(1, Ordering::Release);
            bell.notify.notify_waiters();
        }
    }

    /// A subscription from now on. `shared` is where this board lives, for the subscription's farewell.
    pub(super) fn subscribe(&mut self, code: &ScanCode, shared: &Arc<Mutex<Held>>) -> MemoryWatch {
        let line = self.0.entry(code.clone()).or_default();
        line.watchers += 1;
        let bell = Arc::clone(&line.bell);
        let heard = bell.rung.load(Ordering::Acquire);
        MemoryWatch { code: code.clone(), bell, heard, shared: Arc::clone(shared) }
    }
}

/// A subscription to one ticket.
pub(super) struct MemoryWatch {
    code: ScanCode,
    bell: Arc<Bell>,
    heard: u64,
    shared: Arc<Mutex<Held>>,
}

#[async_trait]
impl Watch for MemoryWatch {
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

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        let mut held = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut line) = held.watchers.0.entry(self.code.clone()) {
            line.get_mut().watchers -= 1;
            if line.get().watchers == 0 {
                line.remove();
            }
        }
    }
}
