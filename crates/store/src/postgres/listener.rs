//! One connection that listens for all watchers of this node, made anew whenever it is lost.

use std::time::Duration;

use mashang_login::ids::ScanCode;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::backoff::Backoff;
use crate::signal::Switchboard;

/// The channel of all nodes; the payload is a scan code.
pub(super) const CHANNEL: &str = "mashang_tickets";
/// After so long without a word the connection is asked whether it is there.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// For its answer, and for a new connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listens until dropped.
pub(super) struct Listening(AbortHandle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Listening {
    /// The first connection is waited for, so that what is wrong is told at the start.
    pub(super) async fn start(connect: PgConnectOptions, watchers: Switchboard) -> Result<Self, sqlx::Error> {
        let first = listen(&connect).await?;
        Ok(Self(tokio::spawn(keep(connect, first, watchers)).abort_handle()))
    }
}

/// From a pool of its own: a listener that is dropped says goodbye first, which takes as long as the system tries to reach a host
/// that is gone, and holds its pool's place.
async fn listen(connect: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(connect.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn keep(connect: PgConnectOptions, first: PgListener, watchers: Switchboard) {
    let mut next = Some(first);
    let mut backoff = Backoff::default();
    loop {
        let listener = match next.take() {
            Some(listener) => listener,
            None => match timeout(PATIENCE, listen(&connect)).await {
                Ok(Ok(listener)) => listener,
                Ok(Err(_)) | Err(_) => {
                    backoff.pause().await;
                    continue;
                }
            },
        };
        let made = Instant::now();
        watchers.ring_all();
        attend(listener, &watchers).await;
        tracing::warn!("tickets: the connection that listens to PostgreSQL is lost; connecting again");
        backoff.lost(made).await;
    }
}

/// Rings for every notification until the connection is no good.
async fn attend(mut listener: PgListener, watchers: &Switchboard) {
    loop {
        match timeout(HEARTBEAT, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => {
                if let Ok(code) = ScanCode::parse(notification.payload()) {
                    watchers.ring(&code);
                }
            }
            Ok(Ok(None) | Err(_)) => return,
            Err(_) => {
                let alive = timeout(PATIENCE, sqlx::query("select 1").execute(&mut listener)).await;
                if !matches!(alive, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}
