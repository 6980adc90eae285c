//! Each intention in a transaction of its own, for engines that write concurrently.
//!
//! **Isolation.** Intentions read, decide and write as if nobody else did: who owns this unionid, is this the last
//! identity, is anybody merged already. Most of that has no row that could be locked beforehand (the person who is about
//! to be created, the link that nobody carries yet), so the transactions are `SERIALIZABLE`, all of them: whatever
//! commits is what some order of one after another would have done. Row locks or guards in single statements would be
//! quicker in places, and a hole wherever one is forgotten.
//!
//! - PostgreSQL notices the dependency (SSI) and refuses one of the two with 40001, also at the commit.
//! - MySQL and MariaDB lock what is read, gaps included, and break the deadlocks that follow with 1213.
//!
//! Either way an intention is **begun again from the start**, in a new transaction that sees what the winner did. That is
//! sound, as it touched nothing but the transaction, and that is gone. So it is after a connection that was lost before
//! the commit was asked for; and after a lost race for a key, which may have met what its winner wrote meanwhile: a conflict
//! that is one comes back the same. Whoever lost once goes on in single file with the other losers of this node, so that a
//! crowd at one row takes turns instead of colliding again and again.
//!
//! An undone intention answers from the snapshot it read: a state that was committed.
//!
//! **At the commit.** When the connection ends while a commit is under way, nobody knows whether it was written. That is
//! what the error says ([`Unknown`]); the intention is not begun again, as a second code must not be spent for a first one
//! that was. Everything guarded stays right: what was done is found done.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use mashang_login::records::StoreError;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::db::Db;
use super::errors::{Fault, fault, fault_of, store_error};
use super::patience::Patience;
use super::writer::{Job, Panicked, Steps, job};

/// How often a lost race for a key is run again before it counts as a conflict that stays.
const KEY_RACES: u32 = 3;

/// Writes concurrently.
#[derive(Clone, Debug)]
pub(super) struct Each {
    db: DatabaseConnection,
    patience: Patience,
    /// Held by the one of those who lost a race that is trying again.
    single_file: Arc<Mutex<()>>,
}

/// The commit was not answered.
#[derive(Debug, thiserror::Error)]
#[error("the database did not answer a commit: whether it was written is unknown")]
struct Unknown(#[source] Option<DbErr>);

/// How one attempt ended.
enum Attempt {
    Done(Result<(), StoreError>),
    /// It is undone, and worth trying again.
    Again(StoreError, Fault),
}

impl Each {
    pub(super) fn new(db: DatabaseConnection, patience: Patience) -> Self {
        Self { db, patience, single_file: Arc::default() }
    }

    /// Carries out one intention, all of it or nothing, and answers once it is committed. A caller that goes away does
    /// not interrupt it.
    pub(super) async fn write<T, F>(&self, intention: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(Db<'t>) -> Steps<'t, T> + Clone + Send + 'static,
    {
        let (job, answered) = job(intention);
        self.begin(job);
        // Panics of the intention are caught where it runs; without an answer its task ended with the runtime.
        answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable(Box::new(Panicked))))
    }

    fn begin(&self, mut job: Box<dyn Job>) {
        let this = self.clone();
        tokio::spawn(async move {
            let end = this.until_done(&mut *job).await;
            job.settle(end);
        });
    }

    async fn until_done(&self, job: &mut dyn Job) -> Result<(), StoreError> {
        let end = self.patience.ends();
        let mut my_turn = None;
        let (mut races, mut lost, mut is_led_astray) = (0, 0, false);
        loop {
            let (error, why) = match self.attempt(job, end).await {
                Attempt::Done(answer) => return answer,
                Attempt::Again(error, why) => (error, why),
            };
            match why {
                Fault::KeyRace if races == KEY_RACES => return Err(error),
                Fault::KeyRace => races += 1,
                Fault::ConnectionLost => lost += 1,
                // An address may lead to another primary by now, which a connection that is kept never notices.
                Fault::ReadOnly if is_led_astray => return Err(error),
                Fault::ReadOnly => {
                    is_led_astray = true;
                    self.patience.renew();
                    continue;
                }
                Fault::Collision | Fault::Busy | Fault::Final => {}
            }
            if why == Fault::ConnectionLost {
                tokio::time::sleep(pause_after(lost)).await;
            } else if my_turn.is_none() {
                my_turn = tokio::time::timeout_at(end, self.single_file.lock()).await.ok();
            }
            if end <= Instant::now() {
                return Err(error);
            }
        }
    }

    async fn attempt(&self, job: &mut dyn Job, end: Instant) -> Attempt {
        let begun = self.patience.wait(end, self.begin_and_take_steps(job)).await;
        let Some(begun) = begun else { return Attempt::Done(Err(self.patience.no_answer())) };
        let (transaction, keep) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                let why = fault(&error);
                return if why == Fault::Final {
                    Attempt::Done(Err(error))
                } else {
                    Attempt::Again(error, why)
                };
            }
        };
        if !keep {
            // The answer is not about what this transaction wrote. One that cannot be rolled back ends with its connection.
            drop(self.patience.wait(end, transaction.rollback()).await);
            return Attempt::Done(Ok(()));
        }
        // Whoever slept through its time, as a machine that was suspended, writes nothing any more: numbers of the trail count as
        // settled by then.
        if end <= Instant::now() {
            return Attempt::Done(Err(self.patience.no_answer()));
        }
        match self.patience.wait(end, transaction.commit()).await {
            Some(Ok(())) => Attempt::Done(Ok(())),
            // The engine itself says that it did not commit.
            Some(Err(error)) if fault_of(&error) == Fault::Collision => {
                Attempt::Again(store_error(error), Fault::Collision)
            }
            Some(Err(error)) => Attempt::Done(Err(unknown(Some(error)))),
            None => Attempt::Done(Err(unknown(None))),
        }
    }

    /// Everything up to the commit. On an error the transaction is dropped, and so rolled back.
    async fn begin_and_take_steps(
        &self,
        job: &mut dyn Job,
    ) -> Result<(DatabaseTransaction, bool), StoreError> {
        let transaction = self.db.begin().await.map_err(store_error)?;
        // Unwind safe: what the steps had borrowed is the transaction, which is rolled back, and nothing else.
        let steps = AssertUnwindSafe(async { job.steps(Db::Transaction(&transaction)).await });
        let steps = steps.catch_unwind().await;
        let keep = steps.unwrap_or_else(|_| Err(StoreError::Unavailable(Box::new(Panicked))))?;
        Ok((transaction, keep))
    }
}

fn unknown(error: Option<DbErr>) -> StoreError {
    tracing::error!(
        error = error.as_ref().map(tracing::field::display),
        "the database did not answer a commit: whether it was written is unknown"
    );
    StoreError::Unavailable(Box::new(Unknown(error)))
}

/// How long to wait after the `n`th connection in a row that was lost: not at all for the first few, which a pool may
/// still hold from before a server was restarted, and then longer, as there may be no server.
pub(super) fn pause_after(n: u32) -> Duration {
    Duration::from_millis(match n {
        0..=24 => 0,
        n => (10 * u64::from(n - 24)).min(250),
    })
}
