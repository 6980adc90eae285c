//! A connection that is lent for one question, and comes back in a known time however that ends.
//!
//! sqlx lets a connection that is given back answer once more before anybody else gets it, and waits for that without a
//! limit: behind a network that swallows packets, or while its statement waits for somebody's lock, its place in the pool
//! would be taken until the system gives the line up, which takes a quarter of an hour. What guards the records' pools
//! (their `Patience`) works by hooks, which run before that last answer and cannot limit it; here the pool is ours alone,
//! so the limit stands where connections go back.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::timeout;

/// For the answer of a connection that goes back: one that owes it longer is closed.
const PROOF: Duration = Duration::from_secs(1);

/// Goes back when it is dropped, also by a caller that went away in the middle of a question.
pub(super) struct Lent(Option<PoolConnection<Postgres>>);

impl Lent {
    /// Out of a pool, which limits how long that takes.
    pub(super) async fn from(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self(Some(pool.acquire().await?)))
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is lent until it is closed or dropped")
    }

    /// Closes it at once: nobody knows what it would say next.
    pub(super) fn close(mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(mut connection) = self.0.take() {
            // What is not back in time is dropped with its place in the pool.
            tokio::spawn(timeout(PROOF, connection.return_to_pool()));
        }
    }
}
