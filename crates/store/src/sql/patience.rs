//! How long a server may take, and what is thought of its connections when it took longer.
//!
//! A server that is stopped, paused or behind a cut network must not hang a request: each read and each intention has a
//! limit, after which its answer is that the store is unavailable. The connection that it waited on goes back to its pool
//! in the middle of something, where sqlx would wait for it without a limit; a network that swallows packets could fill
//! the pool with such connections for a quarter of an hour. So for a minute after somebody's patience ended, a connection
//! must answer within a second before and after each use, or is thrown away.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mashang_login::records::StoreError;
use sqlx::Connection;
use tokio::time::Instant;

/// How long connections are under suspicion after one did not answer.
const SUSPICION: Duration = Duration::from_secs(60);
/// How long connections are given up after one led to a server that takes no writes: until those of the pool were all in use.
const RENEWAL: Duration = Duration::from_secs(1);
/// How quickly a suspected connection must answer.
const PROOF: Duration = Duration::from_secs(1);

/// The limit of one database, and since when its connections are suspected. Clones share the suspicion.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    limit: Duration,
    suspected_until: Arc<Mutex<Option<Instant>>>,
    renewed_until: Arc<Mutex<Option<Instant>>>,
}

/// The server took too long. Whether something was written is told by where this stands.
#[derive(Debug, thiserror::Error)]
#[error("the database did not answer within {} s", .0.as_secs_f32())]
pub(super) struct NoAnswer(Duration);

impl Patience {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, suspected_until: Arc::default(), renewed_until: Arc::default() }
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// When whatever begins now must have been answered.
    pub(super) fn ends(&self) -> Instant {
        Instant::now() + self.limit
    }

    /// What is answered after the limit.
    pub(super) fn no_answer(&self) -> StoreError {
        StoreError::Unavailable(Box::new(NoAnswer(self.limit)))
    }

    /// Waits for `work`; `None` if it is not done at `end`. Then connections are suspected before the one that was
    /// waited on is let go.
    pub(super) async fn wait<T>(&self, end: Instant, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        match tokio::time::timeout_at(end, &mut work).await {
            Ok(done) => Some(done),
            Err(_) => {
                *lock(&self.suspected_until) = Some(Instant::now() + SUSPICION);
                None
            }
        }
    }

    /// Gives up the connections there are: they lead to a server that takes no writes.
    pub(super) fn renew(&self) {
        *lock(&self.renewed_until) = Some(Instant::now() + RENEWAL);
    }

    /// Lets a connection prove that somebody is at its other end, if there is reason to doubt it.
    ///
    /// # Errors
    /// It did not answer: sqlx then drops it without a goodbye.
    pub(super) async fn test<C: Connection>(&self, connection: &mut C) -> Result<bool, sqlx::Error> {
        let now = Instant::now();
        if lock(&self.renewed_until).is_some_and(|until| now < until) {
            return Ok(false);
        }
        if lock(&self.suspected_until).is_none_or(|until| until < now) {
            return Ok(true);
        }
        match tokio::time::timeout(PROOF, connection.ping()).await {
            Ok(answer) => answer.map(|()| true),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }
}

fn lock(moment: &Mutex<Option<Instant>>) -> MutexGuard<'_, Option<Instant>> {
    moment.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use sqlx::SqliteConnection;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn connections_to_a_server_that_takes_no_writes_are_given_up_for_a_moment() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let patience = Patience::new(Duration::from_secs(5));
        assert!(patience.test(&mut connection).await.unwrap());
        patience.clone().renew();
        assert!(!patience.test(&mut connection).await.unwrap(), "the pool closes it");
        tokio::time::advance(RENEWAL).await;
        assert!(patience.test(&mut connection).await.unwrap(), "what was made since is kept");
    }
}
