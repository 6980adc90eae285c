//! Codes of six digits by e-mail or SMS: sent, bound to the browser and the request that asked, and compared once.
//!
//! ```text
//!   address ──► send ──► challenge {hash of the code, 5 attempts, 10 minutes} ──► verify ──► proof
//!                 ▲ again after a minute; the former code is dead
//! ```
//!
//! Where only people who are known may sign in (`sign_up = false`), nobody learns who that is: an address that is not known
//! gets a challenge like any other, which no code answers, and nothing is sent (SEC-14). Then sending happens in the
//! background, since a mail server takes its time; a fault of everybody's is told to everybody for a minute.

mod budget;
mod open;
mod send;
mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use mashang_login::identity::{Attributes, ChannelKind, IdentityKey};
use mashang_login::{Entropy, Timestamp};

use self::budget::Budget;
pub use self::budget::Ceilings;
pub use self::open::OpenCode;
pub use self::send::{Asked, NotSent};
pub use self::verify::{Wrong, is_code, plain_digits};
use super::guesses::Guesses;
use super::{Channel, Means, email, sms};
use crate::message::Sender;
use crate::pause;

/// How long a code works.
pub const LIFE: Duration = Duration::from_secs(10 * 60);
/// How long until another may be asked for.
pub const AGAIN: Duration = Duration::from_secs(60);
/// How often it may be typed.
const ATTEMPTS: u8 = 5;

/// What a channel of this kind sends by, and to whom.
#[derive(Debug)]
pub struct OneTimeCodes {
    sender: Arc<dyn Sender>,
    sign_up: bool,
    budget: Budget,
    guesses: Guesses,
    /// Since when everybody is told, for a while, that nothing can be sent, in Unix milliseconds.
    trouble: AtomicI64,
    /// Since when the operator knows that a ceiling is reached, likewise.
    told_full: AtomicI64,
}

impl OneTimeCodes {
    /// Who takes the messages.
    pub(crate) fn sender(&self) -> &dyn Sender {
        &*self.sender
    }

    /// Codes by `sender`, no more of them than `ceilings` allow.
    #[must_use]
    pub fn new(sender: Arc<dyn Sender>, sign_up: bool, ceilings: Ceilings) -> Self {
        let (budget, guesses) = (Budget::new(ceilings), Guesses::at_codes());
        Self { sender, sign_up, budget, guesses, trouble: AtomicI64::new(0), told_full: AtomicI64::new(0) }
    }

    /// Whether whoever reads a code becomes a person here.
    #[must_use]
    pub fn signs_up(&self) -> bool {
        self.sign_up
    }

    fn is_in_trouble(&self, now: Timestamp) -> bool {
        let since = Timestamp::from_millisecond(self.trouble.load(Ordering::Relaxed));
        since.is_ok_and(|since| pause::lasts(since, AGAIN, now))
    }

    fn set_trouble(&self, since: Timestamp) {
        self.trouble.store(since.as_millisecond(), Ordering::Relaxed);
    }
}

/// The codes of a channel, if it is one that sends some.
#[must_use]
pub fn of(channel: &Channel) -> Option<&OneTimeCodes> {
    match &channel.means {
        Means::Email(email) => Some(&email.codes),
        Means::Sms(sms) => Some(&sms.codes),
        _ => None,
    }
}

/// The identity of whoever receives codes at `to`, and what it shows.
fn identity(kind: ChannelKind, to: &str) -> (IdentityKey, Attributes) {
    match kind {
        ChannelKind::Sms => (sms::key(to), sms::attributes(to)),
        _ => (email::key(to), email::attributes(to)),
    }
}

/// Six digits, each as likely as any other.
fn random_code(entropy: &dyn Entropy) -> String {
    const CODES: u32 = 1_000_000;
    loop {
        let mut bytes = [0; 4];
        entropy.fill(&mut bytes);
        let number = u32::from_be_bytes(bytes);
        if number < u32::MAX - u32::MAX % CODES {
            return format!("{:06}", number % CODES);
        }
    }
}

#[cfg(test)]
mod tests {
    use mashang_login::ambient::SystemEntropy;

    use super::*;

    #[test]
    fn codes_are_six_digits_and_leading_zeros_stay() {
        let codes: Vec<String> = (0..2000).map(|_| random_code(&SystemEntropy)).collect();
        assert!(codes.iter().all(|code| is_code(code)));
        assert!(codes.iter().any(|code| code.starts_with('0')));
    }
}
