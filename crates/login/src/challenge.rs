//! A question that only the right person or device can answer, open for a few minutes: a code sent by e-mail or SMS, or a
//! WebAuthn ceremony.
//!
//! A challenge is bound to the device that asked for it, has few attempts, and is taken once. Like a ticket it is forgotten
//! by a restart, which fails safe: the person asks for another.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::records::StoreError;
use crate::secret::SecretHash;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChallengeKind {
    /// The code that was sent to an e-mail address.
    EmailCode,
    /// The code that was sent to a telephone.
    SmsCode,
    /// A signature by a passkey that is known.
    PasskeyLogin,
    /// A new passkey.
    PasskeyAdd,
}

/// An open question.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Names it.
    pub id: SecretHash,
    /// Hash of what the device that asked holds; the caller compares it with what comes back.
    pub bound_to: SecretHash,
    /// What is asked.
    pub kind: ChallengeKind,
    /// What the asker needs again: an address, a WebAuthn library's state. JSON that only the asker reads.
    pub state: String,
    /// Hash of the right answer, if there is one; the caller compares.
    pub answer: Option<SecretHash>,
    /// How many more attempts there are.
    pub attempts_left: u8,
    /// After this it is as if it had never been.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The hash of six digits is as good as the digits.
        f.debug_struct("Challenge")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("attempts_left", &self.attempts_left)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Open questions. Lives beside the tickets: short-lived, shared by nodes.
#[async_trait]
pub trait Challenges: Send + Sync + fmt::Debug {
    /// Stores a challenge until its `expires_at`, in the place of a former one of the same id.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] at the engine's ceiling (SEC-16), which only a new id meets.
    async fn put(&self, challenge: &Challenge, now: Timestamp) -> Result<(), StoreError>;

    /// A challenge as it stands, spent attempts and all.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the engine does not answer.
    async fn get(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError>;

    /// Spends one attempt and returns the challenge with those that are left; `None` if it is gone, has expired, or had
    /// none. Of any number of calls at the same moment no more succeed than there were attempts. Call it *before*
    /// comparing the answer.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the attempt may be spent.
    async fn attempt(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError>;

    /// Takes a challenge away, attempts left or not; `None` if it is gone or has expired. Of any number of calls exactly
    /// one gets it: whoever answered rightly and gets `None` was too late.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: it may be taken; ask for another.
    async fn take(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_answer_nor_address() {
        let answer = SecretHash::of("123456");
        let challenge = Challenge {
            id: SecretHash::of("id"),
            bound_to: SecretHash::of("browser"),
            kind: ChallengeKind::SmsCode,
            state: r#"{"to":"+8613800138000"}"#.into(),
            answer: Some(answer),
            attempts_left: 5,
            expires_at: Timestamp::UNIX_EPOCH,
        };
        let shown = format!("{challenge:?}");
        assert!(!shown.contains("138000") && !shown.contains(&answer.short()), "{shown}");
    }
}
