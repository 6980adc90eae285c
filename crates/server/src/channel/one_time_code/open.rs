//! The code that a browser waits for, as the challenge keeps it.

use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::challenge::{Challenge, ChallengeKind};
use mashang_login::identity::ChannelKind;
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use serde::{Deserialize, Serialize};

use super::AGAIN;
use crate::channel::Channel;
use crate::flow::Waiting;
use crate::state::App;

/// What the challenge's state holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) to: String,
    /// Unix milliseconds.
    pub(super) sent_at: i64,
}

/// A code that was sent, or seems to have been.
#[derive(Clone)]
pub struct OpenCode {
    /// Where to, normalized.
    pub to: String,
    /// How long until another may be asked for; zero if now.
    pub again_in: Duration,
    /// Whether it may still be typed.
    pub is_usable: bool,
}

impl OpenCode {
    /// The code this browser waits for in this request, if there is one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn of(app: &App, waiting: &Waiting, channel: &Channel) -> Result<Option<Self>, StoreError> {
        let now = app.now();
        let challenge = app.challenges.get(&id(waiting, channel), now).await?;
        Ok(challenge.filter(|one| one.bound_to == waiting.browser).and_then(|one| Self::read(&one, now)))
    }

    fn read(challenge: &Challenge, now: Timestamp) -> Option<Self> {
        let state = state(challenge)?;
        let left = state.sent_at + i64::try_from(AGAIN.as_millis()).ok()? - now.as_millisecond();
        let again_in = Duration::from_secs(u64::try_from(left).unwrap_or(0).div_ceil(1000));
        Some(Self { to: state.to, again_in, is_usable: challenge.attempts_left > 0 })
    }
}

pub(super) fn state(challenge: &Challenge) -> Option<State> {
    serde_json::from_str(&challenge.state).ok()
}

/// Names the challenge: one for each browser, request and channel, so that asking again replaces it.
pub(super) fn id(waiting: &Waiting, channel: &Channel) -> SecretHash {
    let (grant, browser) = (waiting.grant.id.as_str(), waiting.browser.to_text());
    SecretHash::of(&format!("one-time-code:{}:{grant}:{browser}", channel.id))
}

pub(super) fn kind(channel: &Channel) -> ChallengeKind {
    match channel.kind() {
        ChannelKind::Sms => ChallengeKind::SmsCode,
        _ => ChallengeKind::EmailCode,
    }
}

/// What the challenge keeps of a code. Keyed: six digits behind a plain hash can be tried out by whoever reads the store.
pub(super) fn answer(app: &App, id: &SecretHash, code: &str) -> SecretHash {
    app.sealer.keyed_hash(code, &format!("one-time-code/{}", id.to_text()))
}
