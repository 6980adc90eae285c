//! One app at one platform: where its token comes from, and its breakers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mashang_login::platform_token::TokenName;
use mashang_wechat::wecom::{AgentId, CorpId, CorpSecret};
use mashang_wechat::{AccessToken, AppId, AppSecret, Client, IssuedToken};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{Breaker, Failure};

/// Hands out an app's token. [`Tokens`](super::Tokens) asks one at a time, and only when none is at hand.
#[async_trait]
pub trait Supply: Send + Sync + std::fmt::Debug {
    /// A token. With `instead_of`, calls with that one were refused: a supply that can force another does so, one that
    /// cannot may answer with the same again.
    ///
    /// # Errors
    /// [`Failure`] of the platform, or of the operator's own system.
    async fn fetch(&self, instead_of: Option<&AccessToken>) -> Result<IssuedToken, Failure>;
}

/// One app at one platform. Clones share their breakers.
#[derive(Debug, Clone)]
pub struct Source {
    pub(super) name: TokenName,
    pub(super) supply: Arc<dyn Supply>,
    pub(super) breaker: Arc<Breaker>,
    /// Of whoever hands out the token: the platform's, or one of its own.
    pub(super) supply_breaker: Arc<Breaker>,
}

impl Source {
    /// An app whose tokens are kept under `name` and come from `supply`. Calls of one channel share a breaker, with or
    /// without a token.
    #[must_use]
    pub fn new(name: TokenName, supply: Arc<dyn Supply>, breaker: Arc<Breaker>) -> Self {
        Self { name, supply, supply_breaker: Arc::clone(&breaker), breaker }
    }

    /// An official account or a mini-program: `stable_token` (WeChat fact sheet §4.2).
    #[must_use]
    pub fn wechat(client: Client, appid: AppId, secret: AppSecret, breaker: Arc<Breaker>) -> Self {
        let name = Self::wechat_name(&appid);
        Self::new(name, Arc::new(StableToken { client, appid, secret, forced: Mutex::default() }), breaker)
    }

    /// What the token of an official account or a mini-program is kept under.
    #[must_use]
    pub fn wechat_name(appid: &AppId) -> TokenName {
        TokenName::of(&["wechat", appid.as_str()]).expect("an appid has 6 to 32 characters of [A-Za-z0-9_-]")
    }

    /// An app of a WeCom corp: `gettoken` (WeCom fact sheet §6). Each app has a secret and thereby a token of its own, so
    /// the agent is part of the name.
    #[must_use]
    pub fn wecom(
        client: Client,
        corp: CorpId,
        agent: AgentId,
        secret: CorpSecret,
        breaker: Arc<Breaker>,
    ) -> Self {
        let name = Self::wecom_name(&corp, agent, &secret);
        Self::new(name, Arc::new(CorpToken { client, corp, secret }), breaker)
    }

    /// What the token of a WeCom app is kept under: the token is of a corp and a secret, so one that was made with another
    /// secret, such as a wrong one that was corrected, is not found (WeCom fact sheet §6).
    fn wecom_name(corp: &CorpId, agent: AgentId, secret: &CorpSecret) -> TokenName {
        let digest = Sha256::digest(secret.expose());
        let made_with: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        TokenName::of(&["wecom", corp.as_str(), &agent.get().to_string(), &made_with])
            .expect("a corpid is a few letters and digits")
    }

    /// The same app, whose token comes from elsewhere. Whether they answer says nothing of the platform.
    #[must_use]
    pub fn supplied_by(self, supply: Arc<dyn Supply>) -> Self {
        let supply_breaker = Arc::new(self.breaker.of_token_source());
        Self { supply, supply_breaker, ..self }
    }

    /// Whether whoever hands out the token does so now. It stays the same token.
    ///
    /// # Errors
    /// [`Failure`] of the platform, or of the operator's own system.
    pub async fn look(&self) -> Result<(), Failure> {
        self.supply.fetch(None).await.map(drop)
    }

    /// The app's breaker, for calls that need no token.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }
}

/// WeChat refreshes by force at most so often, and answers with the same token in between (WeChat fact sheet §4.2). It
/// also does so at most 20 times a day.
const FORCE_EVERY: Duration = Duration::from_secs(30);

/// `stable_token`: the same token for everybody who asks, until five minutes before its end.
#[derive(Debug)]
struct StableToken {
    client: Client,
    appid: AppId,
    secret: AppSecret,
    forced: Mutex<Option<Instant>>,
}

impl StableToken {
    /// Whether force may be used now; if so, it counts as used.
    fn may_force(&self) -> bool {
        let mut forced = self.forced.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let may = forced.is_none_or(|at| now.duration_since(at) >= FORCE_EVERY);
        if may {
            *forced = Some(now);
        }
        may
    }
}

#[async_trait]
impl Supply for StableToken {
    async fn fetch(&self, instead_of: Option<&AccessToken>) -> Result<IssuedToken, Failure> {
        let issued = self.client.stable_token(&self.appid, &self.secret, false).await?;
        let is_the_bad_one = instead_of.is_some_and(|bad| bad.expose() == issued.token.expose());
        if is_the_bad_one && self.may_force() {
            tracing::warn!(
                appid = %self.appid,
                "WeChat refuses the token of {} although it is the latest: forcing another. If this repeats, another system fetches tokens for this app with cgi-bin/token",
                self.appid
            );
            return Ok(self.client.stable_token(&self.appid, &self.secret, true).await?);
        }
        Ok(issued)
    }
}

/// `gettoken`: the same token until its end, or until WeCom ends it early (WeCom fact sheet §6). It cannot be forced.
#[derive(Debug)]
struct CorpToken {
    client: Client,
    corp: CorpId,
    secret: CorpSecret,
}

#[async_trait]
impl Supply for CorpToken {
    async fn fetch(&self, _instead_of: Option<&AccessToken>) -> Result<IssuedToken, Failure> {
        Ok(self.client.corp_token(&self.corp, &self.secret).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wecom_token_that_was_made_with_another_secret_is_not_found() {
        let corp: CorpId = "ww0123456789abcdef".parse().unwrap();
        let name =
            |secret: &str| Source::wecom_name(&corp, "1000002".parse().unwrap(), &CorpSecret::new(secret));
        let (right, wrong) = ("r".repeat(43), "w".repeat(43));
        assert_eq!(name(&right), name(&right));
        assert_ne!(name(&right), name(&wrong), "a secret that was corrected counts at once");
        assert!(name(&right).as_str().starts_with("wecom/ww0123456789abcdef/1000002/"));
        assert!(!name(&right).as_str().contains("rr"), "promise_10: it does not show the secret");
    }
}
