//! Time and chance, handed in as arguments so that every rule about them can be tested.
//!
//! Production uses [`SystemClock`] and [`SystemEntropy`]; tests use `TestClock` and `SeededEntropy` (feature
//! `testing`). `clippy.toml` forbids the ambient functions everywhere else.

use jiff::Timestamp;

/// Tells the time, in whole milliseconds: what is stored and read back compares equal.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present moment, truncated to milliseconds.
    fn now(&self) -> Timestamp;
}

/// A cryptographically secure source of random bytes.
pub trait Entropy: Send + Sync + std::fmt::Debug {
    /// Fills `bytes` with unpredictable values.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// The operating system's random source. Not aws-lc's, which first measures for 40 ms how unpredictable the processor is, at
/// each start.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system provides randomness");
    }
}

#[cfg(feature = "testing")]
pub use testing::{SeededEntropy, TestClock};

#[cfg(feature = "testing")]
mod testing {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
    use std::time::Duration;

    use jiff::Timestamp;
    use sha2::{Digest, Sha256};

    use super::{Clock, Entropy};

    /// A clock that moves only when told to.
    #[derive(Debug)]
    pub struct TestClock(AtomicI64);

    impl TestClock {
        /// A clock standing at `now`.
        #[must_use]
        pub fn at(now: Timestamp) -> Self {
            Self(AtomicI64::new(now.as_millisecond()))
        }

        /// Moves the clock forward.
        pub fn advance(&self, by: Duration) {
            let by = i64::try_from(by.as_millis()).expect("tests move by less than an age");
            self.0.fetch_add(by, Ordering::SeqCst);
        }
    }

    impl Default for TestClock {
        /// 2026-11-22T08:00:00Z, an arbitrary morning.
        fn default() -> Self {
            Self::at("2026-11-22T08:00:00Z".parse().expect("a valid timestamp"))
        }
    }

    impl Clock for TestClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).expect("test time is in range")
        }
    }

    /// A reproducible stream: SHA-256 over (seed, counter). For tests only.
    #[derive(Debug)]
    pub struct SeededEntropy {
        seed: u64,
        counter: AtomicU64,
        rest: Mutex<Vec<u8>>,
    }

    impl SeededEntropy {
        /// The stream belonging to `seed`.
        #[must_use]
        pub fn new(seed: u64) -> Self {
            Self { seed, counter: AtomicU64::new(0), rest: Mutex::new(Vec::new()) }
        }
    }

    impl Entropy for SeededEntropy {
        fn fill(&self, bytes: &mut [u8]) {
            let mut rest = self.rest.lock().expect("no panic while holding the lock");
            for byte in bytes {
                if rest.is_empty() {
                    let n = self.counter.fetch_add(1, Ordering::SeqCst);
                    let block = Sha256::new()
                        .chain_update(self.seed.to_be_bytes())
                        .chain_update(n.to_be_bytes())
                        .finalize();
                    rest.extend_from_slice(&block);
                }
                *byte = rest.pop().expect("refilled above");
            }
        }
    }
}
