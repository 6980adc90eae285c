//! Comparing a code that came back: an attempt is spent before it is looked at, and the right one is taken once.

use mashang_login::audit::AuditKind;
use mashang_login::grant::Purpose;
use mashang_login::identity::{Profile, Proof};
use mashang_login::records::StoreError;

use super::open::{OpenCode, answer, id, kind, state};
use super::{OneTimeCodes, identity};
use crate::audit;
use crate::channel::Channel;
use crate::flow::Waiting;
use crate::state::App;
use crate::web::limits::{Counted, TooMany};
use crate::web::visitor::Visitor;

/// Why a code proves nothing.
#[derive(Debug)]
pub enum Wrong {
    /// Another code; so many attempts are left.
    Code(u8),
    /// None was sent, it is too old, was typed too often, or was used.
    Over,
    /// Too many wrong ones were typed for that address, or here.
    TooMany(TooMany),
    /// The store does not answer.
    Store(StoreError),
}

impl From<StoreError> for Wrong {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl OneTimeCodes {
    /// Who is proven by a code; once.
    ///
    /// # Errors
    /// [`Wrong`].
    pub async fn verify(
        &self,
        app: &App,
        visitor: &Visitor,
        (waiting, channel): (&Waiting, &Channel),
        typed: &str,
    ) -> Result<Proof, Wrong> {
        let (id, now) = (id(waiting, channel), app.now());
        // A code that was typed too often is no guess at one: whoever goes on with it must not use up its owner's.
        let open = OpenCode::of(app, waiting, channel).await?.filter(|open| open.is_usable);
        let to = open.ok_or(Wrong::Over)?.to;
        let counts = app.counts.of(&channel.id);
        // Each code may be guessed a few times, and another asked for: so guesses count beyond the code (SEC-79).
        self.guesses.begin(counts, &to, visitor.address, now).await.map_err(Wrong::TooMany)?;
        let attempt = app.challenges.attempt(&id, now).await;
        let Ok(Some(seen)) = attempt else {
            self.guesses.was_not_judged(counts, &to, visitor.address, now).await;
            return Err(attempt.err().map_or(Wrong::Over, Wrong::Store));
        };
        let is_ours = seen.bound_to == waiting.browser && seen.kind == kind(channel);
        if !is_ours || seen.answer != Some(answer(app, &id, typed)) {
            tell_wrong(app, visitor, waiting, channel).await;
            return Err(if seen.attempts_left == 0 { Wrong::Over } else { Wrong::Code(seen.attempts_left) });
        }
        self.guesses.was_right(counts, &to, visitor.address, now).await;
        let taken = app.challenges.take(&id, now).await?;
        // Another one was asked for in the same moment: that one counts.
        let taken = taken.filter(|taken| taken.answer == seen.answer).ok_or(Wrong::Over)?;
        let to = state(&taken).ok_or(Wrong::Over)?.to;
        let (key, attributes) = identity(channel.kind(), &to);
        let is_linking = matches!(waiting.grant.purpose, Purpose::Link { .. });
        // Unlinked or deleted while the code was under way: nobody becomes a person by that.
        if !self.sign_up && !is_linking && app.records.identity(&key).await?.is_none() {
            return Err(Wrong::Over);
        }
        Ok(Proof {
            channel: channel.id.clone(),
            key,
            union: None,
            profile: Profile::default(),
            attributes,
            proven_at: now,
            password_set_at: None,
        })
    }
}

async fn tell_wrong(app: &App, visitor: &Visitor, waiting: &Waiting, channel: &Channel) {
    // One row each would let anybody fill the trail; the attempts are counted all the same.
    if app.count(Counted::WrongGuess, visitor.address).await.is_err() {
        return;
    }
    let mut event = audit::by(app, visitor, AuditKind::WrongCode);
    event.client = Some(waiting.client.id.clone());
    event.channel = Some(channel.id.clone());
    audit::write(app, event).await;
}

/// The digits of what was typed: full-width ones are plain, space and hyphens are nothing.
#[must_use]
pub fn plain_digits(typed: &str) -> String {
    let plain = |c: char| match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    };
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(plain).take(16).collect()
}

/// Whether it has the form of a code.
#[must_use]
pub fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        assert_eq!(plain_digits(" 123 456 "), "123456");
        assert_eq!(plain_digits("１２３-４５６"), "123456");
        assert!(is_code("012345") && !is_code("12345") && !is_code("12345x") && !is_code("１２３４５６"));
    }
}
