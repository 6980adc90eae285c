//! The tokens of our apps, in memory: one per app, fetched by one task whoever waits for it.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use mashang_login::platform_token::{PlatformTokens, TokenName};
use mashang_login::seal::Sealer;
use mashang_login::secret::random_text;
use mashang_login::{Clock, Entropy, Timestamp};
use mashang_wechat::{AccessToken, Error, FailureKind};

use super::fetch::{self, Shelf};
use super::{Failure, Source};
use crate::{pause, traces};

/// A token is replaced when it has less than this left. Below the five minutes in which WeChat hands out the next one
/// while this one still works (WeChat fact sheet §4.2), so that asking once is enough.
pub(super) const MARGIN: Duration = Duration::from_secs(200);
/// With less than this left, whoever needs a token waits for the next one: what it is for takes time too, and the system that a token
/// is handed on to needs some.
const ENOUGH: Duration = Duration::from_secs(30);
/// After a refusal, and after a fetch that changed nothing, the platform is left alone for so long: WeCom closes an
/// address that keeps calling with a wrong secret (WeCom fact sheet §6), and WeChat forces another token at most so often
/// (WeChat fact sheet §4.2).
const LEAVE_ALONE: Duration = Duration::from_secs(30);

/// The tokens of all apps. Clones share them.
#[derive(Debug, Clone)]
pub struct Tokens(Arc<Shelf>);

/// A token at hand.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) token: AccessToken,
    pub(super) expires_at: Timestamp,
    /// From then on the next one is asked for.
    pub(super) renew_at: Timestamp,
}

impl Held {
    /// A token that ends then, received `now`. One that comes with less than the margin is what the platform has (WeCom
    /// gives the same until its end): it is used for half of what is left before asking again.
    pub(super) fn new(token: AccessToken, expires_at: Timestamp, now: Timestamp) -> Self {
        let left = expires_at.duration_since(now).max(jiff::SignedDuration::ZERO);
        let use_for = left.saturating_sub(margin()).max(left / 2).min(left);
        Self { token, expires_at, renew_at: now.saturating_add(use_for).unwrap_or(expires_at) }
    }

    pub(super) fn is(&self, other: &AccessToken) -> bool {
        self.token.expose() == other.expose()
    }

    fn is_live(&self, now: Timestamp) -> bool {
        self.lasts(now, Duration::ZERO)
    }

    /// Whether more than that is left of it.
    fn lasts(&self, now: Timestamp, time: Duration) -> bool {
        let left = self.expires_at.duration_since(now);
        left.is_positive() && left.unsigned_abs() > time
    }
}

pub(super) fn margin() -> jiff::SignedDuration {
    jiff::SignedDuration::from_secs(MARGIN.as_secs().cast_signed())
}

type Flight = Shared<BoxFuture<'static, Result<Held, Failure>>>;

/// One app's place in memory. Short sections only; never held across an await.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<SlotState>);

#[derive(Debug, Default)]
struct SlotState {
    held: Option<Held>,
    /// The fetch under way.
    flight: Option<Flight>,
    /// The last fetch was refused, then: told to everybody for a while.
    refused: Option<(Failure, Timestamp)>,
    /// A fetch brought the very token that was to be replaced, then: nobody asks for another for a while.
    stuck_since: Option<Timestamp>,
}

impl SlotState {
    fn settle(&mut self, outcome: &Result<Held, Failure>, bad: Option<&AccessToken>, now: Timestamp) {
        self.flight = None;
        match outcome {
            Ok(held) => {
                self.stuck_since = bad.is_some_and(|bad| held.is(bad)).then_some(now);
                self.held = Some(held.clone());
                self.refused = None;
            }
            Err(failure @ Failure::Platform(_)) if !failure.is_fault() => {
                self.refused = Some((failure.clone(), now));
            }
            Err(_) => {}
        }
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, SlotState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a caller can do about a token.
enum Step {
    Use(Held),
    Wait(Flight),
    Refuse(Failure),
}

impl Tokens {
    /// Tokens kept in `store`, sealed. The source of randomness names this node and gives the nonces.
    #[must_use]
    pub fn new(
        store: Arc<dyn PlatformTokens>,
        sealer: Arc<Sealer>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let holder = random_text(&*entropy, 12);
        Self(Arc::new(Shelf { store, sealer, clock, entropy, holder, slots: Mutex::new(HashMap::new()) }))
    }

    /// Makes a call that carries the app's token. If the platform no longer takes the token, it is replaced, if nobody
    /// did so yet, and the call is made once more.
    ///
    /// A caller that goes away interrupts nobody: the fetch it waited for runs on for the others.
    ///
    /// # Errors
    /// [`Failure`] of the call, or of fetching the token.
    pub async fn with<T, F>(&self, source: &Source, call: impl Fn(AccessToken) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let held = self.held(source, None).await?;
        let clock = &*self.0.clock;
        let first = source.breaker.run(clock, call(held.token.clone())).await;
        match first {
            Err(failure) if failure.kind() == Some(FailureKind::TokenInvalid) => {
                let fresh = self.held(source, Some(&held.token)).await?;
                if fresh.is(&held.token) {
                    return Err(failure);
                }
                source.breaker.run(clock, call(fresh.token)).await
            }
            outcome => outcome,
        }
    }

    /// The app's token and the whole seconds it has left, to hand on.
    ///
    /// # Errors
    /// [`Failure`] of fetching it.
    pub async fn current(&self, source: &Source) -> Result<(AccessToken, u64), Failure> {
        let held = self.held(source, None).await?;
        let left = held.expires_at.duration_since(self.0.clock.now()).as_secs();
        Ok((held.token, u64::try_from(left).unwrap_or(0)))
    }

    /// Replaces a token of which somebody found that the platform no longer takes it, if it is still the current one.
    ///
    /// # Errors
    /// [`Failure`] of fetching another.
    pub async fn replace(&self, source: &Source, bad: &AccessToken) -> Result<(), Failure> {
        let is_current = self.held(source, None).await?.is(bad);
        if is_current {
            self.held(source, Some(bad)).await?;
        }
        Ok(())
    }

    /// A token other than `bad`, unless the platform gives no other.
    async fn held(&self, source: &Source, bad: Option<&AccessToken>) -> Result<Held, Failure> {
        let slot = self.slot(&source.name);
        // A fetch that is under way may have begun before `bad` was known to be bad, and bring just that: then once more.
        let mut last = None;
        for _ in 0..2 {
            let held = match self.step(&slot, source, bad) {
                Step::Use(held) => return Ok(held),
                Step::Refuse(failure) => return Err(failure),
                Step::Wait(flight) => self.landed(&slot, flight.await, bad)?,
            };
            if !bad.is_some_and(|bad| held.is(bad)) {
                return Ok(held);
            }
            last = Some(held);
        }
        last.ok_or(Failure::Awaited)
    }

    fn step(&self, slot: &Arc<Slot>, source: &Source, bad: Option<&AccessToken>) -> Step {
        let now = self.0.clock.now();
        let mut state = slot.state();
        let is_left_alone = |since: Timestamp| pause::lasts(since, LEAVE_ALONE, now);
        let is_stuck = state.stuck_since.is_some_and(is_left_alone);
        let good = |held: &&Held| is_stuck || !bad.is_some_and(|bad| held.is(bad));
        if let Some(held) = state.held.as_ref().filter(good) {
            let is_refused = state.refused.as_ref().is_some_and(|(_, since)| is_left_alone(*since));
            if now < held.renew_at || (is_refused && held.is_live(now)) {
                return Step::Use(held.clone());
            }
        }
        if let Some((failure, _)) = state.refused.as_ref().filter(|(_, since)| is_left_alone(*since)) {
            return Step::Refuse(failure.clone());
        }
        let flight = match &state.flight {
            Some(flight) => flight.clone(),
            None => {
                let flight = self.take_off(slot, source, bad.cloned());
                state.flight = Some(flight.clone());
                flight
            }
        };
        // One that still works for a while does not wait for its successor: only the platform's token may be slow.
        match state.held.as_ref().filter(good) {
            Some(held) if held.lasts(now, ENOUGH) => Step::Use(held.clone()),
            _ => Step::Wait(flight),
        }
    }

    /// Starts a fetch in a task of its own. It settles the slot itself, so it matters to nobody who still waits for it.
    fn take_off(&self, slot: &Arc<Slot>, source: &Source, bad: Option<AccessToken>) -> Flight {
        let (shelf, slot, source) = (Arc::clone(&self.0), Arc::clone(slot), source.clone());
        let task = tokio::spawn(traces::follow(async move {
            let fetching = AssertUnwindSafe(fetch::fetch(&shelf, &source, bad.as_ref()));
            let outcome = fetching.catch_unwind().await.unwrap_or(Err(Failure::Broken));
            slot.state().settle(&outcome, bad.as_ref(), shelf.clock.now());
            outcome
        }));
        task.map(|joined| joined.unwrap_or(Err(Failure::Broken))).boxed().shared()
    }

    /// What a fetch brought; a token that still lives outlasts a fetch that failed.
    fn landed(
        &self,
        slot: &Slot,
        outcome: Result<Held, Failure>,
        bad: Option<&AccessToken>,
    ) -> Result<Held, Failure> {
        outcome.or_else(|failure| {
            let now = self.0.clock.now();
            let held = slot.state().held.clone();
            held.filter(|held| held.is_live(now) && !bad.is_some_and(|bad| held.is(bad))).ok_or(failure)
        })
    }

    fn slot(&self, name: &TokenName) -> Arc<Slot> {
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(name.clone()).or_default())
    }
}
