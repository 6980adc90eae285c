//! Fetching a token once for all nodes (SEC-44): whoever holds the lease asks the platform, the others read what it
//! saved.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mashang_login::platform_token::{PlatformTokens, TokenName};
use mashang_login::seal::Sealer;
use mashang_login::{Clock, Entropy};
use mashang_wechat::{AccessToken, IssuedToken};
use tokio::time::Instant;

use super::tokens::{Held, Slot};
use super::{Failure, Source};

/// How long a node may take to fetch: two calls of 5 seconds each, and the store.
const LEASE: Duration = Duration::from_secs(15);
/// How long to wait for another node that fetches. A person waits with us.
const PATIENCE: Duration = Duration::from_secs(6);
/// How often to look whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// Where tokens are kept, and this node's name.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) store: Arc<dyn PlatformTokens>,
    pub(super) sealer: Arc<Sealer>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    /// Names this process in leases.
    pub(super) holder: String,
    pub(super) slots: Mutex<HashMap<TokenName, Arc<Slot>>>,
}

/// The token that another node saved, or one from the platform.
pub(super) async fn fetch(
    shelf: &Shelf,
    source: &Source,
    bad: Option<&AccessToken>,
) -> Result<Held, Failure> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(held) = shelf.saved(source, bad).await? {
            return Ok(held);
        }
        let now = shelf.clock.now();
        let until = now.saturating_add(LEASE).unwrap_or(now);
        if shelf.store.lease_platform_token(&source.name, &shelf.holder, until, now).await? {
            let outcome = under_lease(shelf, source, bad).await;
            if outcome.is_err() {
                // Otherwise the others wait until it runs out; they only wait longer if this fails.
                let _ = shelf.store.release_platform_token(&source.name, &shelf.holder).await;
            }
            return outcome;
        }
        if Instant::now() >= give_up {
            return Err(Failure::Awaited);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn under_lease(shelf: &Shelf, source: &Source, bad: Option<&AccessToken>) -> Result<Held, Failure> {
    // Between our look and our lease another node may have finished.
    if let Some(held) = shelf.saved(source, bad).await? {
        // It ends by itself soon, and a good token is at hand.
        let _ = shelf.store.release_platform_token(&source.name, &shelf.holder).await;
        return Ok(held);
    }
    let issued = source.supply_breaker.run(&*shelf.clock, source.supply.fetch(bad)).await?;
    shelf.save(source, issued).await
}

impl Shelf {
    /// The saved token, if it is good for a while and not `bad`.
    async fn saved(&self, source: &Source, bad: Option<&AccessToken>) -> Result<Option<Held>, Failure> {
        let Some(stored) = self.store.platform_token(&source.name).await? else { return Ok(None) };
        let now = self.clock.now();
        if stored.expires_at.duration_since(now) <= super::tokens::margin() {
            return Ok(None);
        }
        let name = &source.name;
        let plain = match self.sealer.open(&stored.sealed, &name.place()) {
            Ok(plain) => plain,
            Err(error) => {
                tracing::warn!(token.name = %name, "the saved token of {name} does not open ({error}); fetching another");
                return Ok(None);
            }
        };
        let Ok(text) = String::from_utf8(plain) else { return Ok(None) };
        let held = Held::new(AccessToken::new(text), stored.expires_at, now);
        Ok(Some(held).filter(|held| !bad.is_some_and(|bad| held.is(bad))))
    }

    async fn save(&self, source: &Source, issued: IssuedToken) -> Result<Held, Failure> {
        let now = self.clock.now();
        let life = Duration::from_secs(issued.expires_in);
        let expires_at = now.saturating_add(life).unwrap_or(now);
        let name = &source.name;
        let sealed = self.sealer.seal(issued.token.expose().as_bytes(), &name.place(), &*self.entropy);
        let saved = self.store.save_platform_token(name, &sealed, expires_at, &self.holder, now).await?;
        if saved.is_none() {
            tracing::warn!(token.name = %name, "fetching the token of {name} took longer than {} seconds; another node may have fetched one too", LEASE.as_secs());
        }
        Ok(Held::new(issued.token, expires_at, now))
    }
}
