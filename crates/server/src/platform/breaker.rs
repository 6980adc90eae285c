//! Stops calling a platform that does not answer (SEC-85).
//!
//! Each app has its own: after [`FAULTS`] faults in a row its calls fail at once for [`REST`], then one call is let
//! through to try. Only what the platform or the way to it is to blame for counts; a refusal is an answer, also of a bad
//! code or a wrong secret; what was never sent tells nothing. Each node judges for itself. A `token_source` has a breaker
//! of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mashang_login::{Clock, Timestamp};

use tokio::time::Instant;

use super::Failure;
use super::failure::Shows;
use crate::metrics::{Labels, Metrics};
use crate::pause;

/// So many faults in a row open the breaker.
pub const FAULTS: u32 = 5;
/// So long nothing is tried.
pub const REST: Duration = Duration::from_secs(10);

/// The breaker of one app.
#[derive(Debug)]
pub struct Breaker {
    name: String,
    /// Who is called, in log lines and metrics.
    whom: &'static str,
    stage: Mutex<Stage>,
    /// Who counts its calls.
    metrics: Arc<Metrics>,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// Calls pass. How many faults there were since the last answer.
    Closed { faults: u32 },
    /// Calls fail at once.
    Open { since: Timestamp },
    /// One call is trying; the others fail at once.
    Trying,
}

impl Breaker {
    /// A closed breaker. `name` is what log lines call it: the channel's id.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            whom: "the platform",
            stage: Mutex::new(Stage::Closed { faults: 0 }),
            metrics: Arc::default(),
        }
    }

    /// The same, whose calls are counted there.
    #[must_use]
    pub fn counted(self, metrics: Arc<Metrics>) -> Self {
        let this = Self { metrics, ..self };
        this.show(false);
        this
    }

    /// A closed breaker for the operator's system that hands out the same app's token: that one may fail while the
    /// platform answers.
    #[must_use]
    pub fn of_token_source(&self) -> Self {
        Self { whom: "its token_source", ..Self::new(self.name.as_str()) }.counted(self.metrics.clone())
    }

    /// Whether a call would be let through at `now`, as far as is known: for a page that suggests another way.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        match *self.stage() {
            Stage::Closed { .. } => false,
            Stage::Open { since } => pause::lasts(since, REST, now),
            Stage::Trying => true,
        }
    }

    /// Makes a call, unless the breaker is open, and remembers how it went. A caller that goes away while its call is
    /// under way leaves no trace.
    ///
    /// # Errors
    /// What the call failed with, or [`Failure::Resting`] without a call.
    pub async fn run<T, E: Into<Failure>>(
        &self,
        clock: &dyn Clock,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        let attempt = self.admit(clock.now()).inspect_err(|failure| self.count(Some(failure)))?;
        let began = Instant::now();
        let outcome = call.await.map_err(Into::into);
        let took = began.elapsed();
        self.count(outcome.as_ref().err());
        let shown = outcome.as_ref().map_err(|failure| (failure.shows(), failure));
        if !matches!(shown, Err((Shows::Nothing, _))) {
            self.metrics.platform_seconds.get_or_create(&self.labels()).observe(took.as_secs_f64());
        }
        match shown {
            Ok(_) | Err((Shows::Answer, _)) => attempt.answered(),
            Err((Shows::Fault, failure)) => attempt.faulted(clock.now(), failure),
            Err((Shows::Nothing, _)) => drop(attempt),
        }
        outcome
    }

    fn admit(&self, now: Timestamp) -> Result<Attempt<'_>, Failure> {
        let mut stage = self.stage();
        match *stage {
            Stage::Closed { .. } => Ok(Attempt { breaker: self, trial: None }),
            Stage::Open { since } if !pause::lasts(since, REST, now) => {
                *stage = Stage::Trying;
                Ok(Attempt { breaker: self, trial: Some(since) })
            }
            Stage::Open { .. } | Stage::Trying => {
                Err(Failure::Resting { app: self.name.clone(), whom: self.whom })
            }
        }
    }

    fn count(&self, failure: Option<&Failure>) {
        let (outcome, errcode) = failure.map_or(("ok", None), Failure::label);
        let [channel, whom] = self.labels();
        let labels =
            [channel, whom, ("outcome", outcome.into()), ("errcode", errcode.unwrap_or_default().into())];
        self.metrics.platform_calls.get_or_create(&labels).inc();
    }

    fn show(&self, is_open: bool) {
        self.metrics.breaker_open.get_or_create(&self.labels()).set(is_open.into());
    }

    /// Which app's calls, and whom to.
    fn labels(&self) -> Labels<2> {
        [("channel", self.name.clone().into()), ("whom", self.whom.into())]
    }

    /// A poisoned lock is taken anyway: each section is one assignment.
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that was let through. Dropped without a word, it gives the trial to the next.
struct Attempt<'a> {
    breaker: &'a Breaker,
    /// When the breaker opened, if this is the one call that tries.
    trial: Option<Timestamp>,
}

impl Attempt<'_> {
    fn answered(mut self) {
        let name = &self.breaker.name;
        let mut stage = self.breaker.stage();
        match (*stage, self.trial.take()) {
            (Stage::Trying, Some(_)) => {
                *stage = Stage::Closed { faults: 0 };
                drop(stage);
                self.breaker.show(false);
                tracing::info!(channel.id = %name, "{name}: {} answers again", self.breaker.whom);
            }
            (Stage::Closed { .. }, _) => *stage = Stage::Closed { faults: 0 },
            // Sent before the breaker opened: the trial decides.
            _ => {}
        }
    }

    fn faulted(mut self, now: Timestamp, failure: &Failure) {
        let name = &self.breaker.name;
        let mut stage = self.breaker.stage();
        match (*stage, self.trial.take()) {
            (Stage::Trying, Some(_)) => *stage = Stage::Open { since: now },
            (Stage::Closed { faults }, _) if faults + 1 < FAULTS => {
                *stage = Stage::Closed { faults: faults + 1 }
            }
            (Stage::Closed { .. }, _) => {
                *stage = Stage::Open { since: now };
                drop(stage);
                self.breaker.show(true);
                tracing::warn!(
                    channel.id = %name,
                    "{name}: {} failed {FAULTS} times in a row and is asked again every {} seconds, the others are not affected: {failure}",
                    self.breaker.whom,
                    REST.as_secs()
                );
            }
            _ => {}
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(since) = self.trial.take() {
            *self.breaker.stage() = Stage::Open { since };
        }
    }
}

#[cfg(test)]
mod tests {
    use mashang_login::ambient::TestClock;
    use mashang_wechat::{ErrCode, Error, PlatformError, TransportKind};

    use super::*;

    async fn fault(breaker: &Breaker, clock: &TestClock) -> Failure {
        let error = Error::Transport { kind: TransportKind::Timeout, source: None };
        breaker.run(clock, async { Err::<(), _>(error) }).await.unwrap_err()
    }

    async fn refusal(breaker: &Breaker, clock: &TestClock, code: i64) -> Failure {
        let error = Error::Platform(PlatformError {
            code: ErrCode(code),
            message: String::new(),
            rid: None,
            call: "sns/oauth2/access_token",
            platform: mashang_wechat::Platform::WeChat,
        });
        breaker.run(clock, async { Err::<(), _>(error) }).await.unwrap_err()
    }

    async fn answer(breaker: &Breaker, clock: &TestClock) -> Result<(), Failure> {
        breaker.run(clock, async { Ok::<_, Error>(()) }).await
    }

    fn is_resting(failure: &Failure) -> bool {
        matches!(failure, Failure::Resting { .. })
    }

    async fn opened() -> (Breaker, TestClock) {
        let (breaker, clock) = (Breaker::new("wechat"), TestClock::default());
        for _ in 0..FAULTS {
            assert!(!is_resting(&fault(&breaker, &clock).await));
        }
        assert!(breaker.is_open(clock.now()));
        (breaker, clock)
    }

    #[tokio::test]
    async fn sec_85_five_faults_in_a_row_open_it() {
        let (breaker, clock) = opened().await;
        let never = async { panic!("no call is made") };
        assert!(is_resting(&breaker.run::<(), Error>(&clock, never).await.unwrap_err()));
    }

    #[tokio::test]
    async fn an_answer_between_faults_starts_the_count_anew() {
        let (breaker, clock) = (Breaker::new("wechat"), TestClock::default());
        for _ in 0..3 {
            for _ in 1..FAULTS {
                fault(&breaker, &clock).await;
            }
            answer(&breaker, &clock).await.unwrap();
        }
        assert!(!breaker.is_open(clock.now()));
    }

    #[tokio::test]
    async fn refusals_are_answers_and_busy_is_a_fault() {
        let (breaker, clock) = (Breaker::new("wechat"), TestClock::default());
        for code in [40029, 40163, 40125, 40001, 45009, 48001, 50002, 99999] {
            for _ in 0..FAULTS {
                refusal(&breaker, &clock, code).await;
            }
        }
        assert!(!breaker.is_open(clock.now()));
        for _ in 0..FAULTS {
            refusal(&breaker, &clock, -1).await;
        }
        assert!(breaker.is_open(clock.now()));
    }

    async fn unsent(breaker: &Breaker, clock: &TestClock, error: Error) -> Failure {
        breaker.run(clock, async { Err::<(), _>(error) }).await.unwrap_err()
    }

    #[tokio::test]
    async fn sec_85_what_was_never_sent_does_not_start_the_count_anew() {
        for error in [|| Error::UnusableCode, || Error::NotSendable { what: "a rule" }] {
            let (breaker, clock) = (Breaker::new("wechat"), TestClock::default());
            for _ in 1..FAULTS {
                fault(&breaker, &clock).await;
                unsent(&breaker, &clock, error()).await;
            }
            assert!(!breaker.is_open(clock.now()), "nor does it count");
            fault(&breaker, &clock).await;
            assert!(breaker.is_open(clock.now()));
        }
    }

    #[tokio::test]
    async fn calls_are_counted_by_whom_they_went_to_and_timed_if_they_were_made() {
        let (metrics, clock) = (Arc::new(Metrics::default()), TestClock::default());
        let platform = Breaker::new("wechat").counted(metrics.clone());
        let source = platform.of_token_source();
        answer(&platform, &clock).await.unwrap();
        unsent(&platform, &clock, Error::UnusableCode).await;
        fault(&source, &clock).await;
        let text = metrics.render();
        let (platform, source) =
            ("channel=\"wechat\",whom=\"the platform\"", "channel=\"wechat\",whom=\"its token_source\"");
        for line in [
            format!("mashang_platform_calls_total{{{platform},outcome=\"ok\",errcode=\"\"}} 1"),
            format!("mashang_platform_calls_total{{{platform},outcome=\"not_sent\",errcode=\"\"}} 1"),
            format!("mashang_platform_calls_total{{{source},outcome=\"unreachable\",errcode=\"\"}} 1"),
            format!("mashang_platform_call_seconds_count{{{platform}}} 1"),
            format!("mashang_platform_call_seconds_count{{{source}}} 1"),
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\n{text}");
        }
    }

    #[tokio::test]
    async fn sec_85_a_trial_that_was_never_sent_closes_nothing_and_leaves_room_for_the_next() {
        let (breaker, clock) = opened().await;
        clock.advance(REST);
        assert!(!is_resting(&unsent(&breaker, &clock, Error::UnusableCode).await));
        assert!(!is_resting(&fault(&breaker, &clock).await), "the next one tries");
        assert!(is_resting(&answer(&breaker, &clock).await.unwrap_err()), "and failed");
    }

    #[tokio::test]
    async fn after_its_rest_one_call_tries_and_an_answer_closes_it() {
        let (breaker, clock) = opened().await;
        clock.advance(REST);
        assert!(!breaker.is_open(clock.now()));
        let trial = breaker.admit(clock.now()).unwrap();
        assert!(is_resting(&answer(&breaker, &clock).await.unwrap_err()), "only one tries");
        trial.answered();
        answer(&breaker, &clock).await.unwrap();
        for _ in 1..FAULTS {
            fault(&breaker, &clock).await;
        }
        assert!(!breaker.is_open(clock.now()), "it counts from nothing again");
    }

    #[tokio::test]
    async fn a_failed_trial_rests_again() {
        let (breaker, clock) = opened().await;
        clock.advance(REST);
        assert!(!is_resting(&fault(&breaker, &clock).await));
        clock.advance(REST - Duration::from_millis(1));
        assert!(is_resting(&answer(&breaker, &clock).await.unwrap_err()));
        clock.advance(Duration::from_millis(1));
        answer(&breaker, &clock).await.unwrap();
    }

    #[tokio::test]
    async fn a_trial_whose_caller_went_away_leaves_room_for_the_next() {
        let (breaker, clock) = opened().await;
        clock.advance(REST);
        let mut trial = Box::pin(breaker.run(&clock, std::future::pending::<Result<(), Error>>()));
        assert!(futures_util::poll!(&mut trial).is_pending());
        assert!(is_resting(&answer(&breaker, &clock).await.unwrap_err()));
        drop(trial);
        answer(&breaker, &clock).await.unwrap();
    }

    #[tokio::test]
    async fn a_call_sent_before_it_opened_does_not_close_it() {
        let (breaker, clock) = (Breaker::new("wechat"), TestClock::default());
        let slow = breaker.admit(clock.now()).unwrap();
        for _ in 0..FAULTS {
            fault(&breaker, &clock).await;
        }
        slow.answered();
        assert!(breaker.is_open(clock.now()));
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_does_not_prolong_the_rest() {
        let (breaker, clock) = opened().await;
        let earlier = clock.now() - Duration::from_secs(3600);
        assert!(!breaker.is_open(earlier));
    }
}
