//! Where an issuer's keys come from: fetched when first needed, kept, and asked for again when a token names a key that
//! is not among them. An issuer that is down does not shut anybody out whose key is known.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::client::is_loopback;
use serde::Deserialize;
use url::Url;

use super::jwk::{Key, KeySet};
use crate::config::app::{JwtAlgorithm, may_be_asked};
use crate::outgoing::{self, RESTS};
use crate::pause;

/// Between two questions to the issuer, whatever tokens arrive: a stranger cannot make us call it at will.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// After this the keys are fetched anew when next used, so that one the issuer withdrew goes out of use.
const FRESH: Duration = Duration::from_secs(600);
/// For a whole question (SEC-85).
const TIME: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(2);
/// Largest document read, in bytes.
const LIMIT: usize = 64 * 1024;

/// Where to look.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// The address of the JWK Set.
    Jwks(Url),
    /// The issuer, whose discovery document names that address (OpenID Connect Discovery §4).
    Discovery(String),
}

/// Why there is no key.
#[derive(Debug)]
pub enum NoKey {
    /// The issuer has no such key.
    Unknown,
    /// The issuer could not be asked; for the operator's log.
    Down(String),
}

/// An issuer's keys, kept.
#[derive(Debug)]
pub struct IssuerKeys {
    source: KeySource,
    http: reqwest::Client,
    kept: Mutex<Kept>,
    /// Held while asking: everybody else waits for that one answer.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    keys: Arc<KeySet>,
    fetched_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
    /// How the last question failed, if it did.
    trouble: Option<String>,
}

impl Kept {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.fetched_at.is_some_and(|at| pause::lasts(at, FRESH, now))
    }

    fn may_ask(&self, now: Timestamp) -> bool {
        !self.asked_at.is_some_and(|at| pause::lasts(at, ASK_AGAIN, now))
    }
}

impl IssuerKeys {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// A sentence when TLS cannot be set up.
    pub fn new(source: KeySource) -> Result<Self, String> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("mashang/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .pool_idle_timeout(RESTS)
            .timeout(TIME)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false);
        let first = match &source {
            KeySource::Jwks(url) => Some(url.clone()),
            KeySource::Discovery(issuer) => Url::parse(issuer).ok(),
        };
        if first.as_ref().is_some_and(is_loopback) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { source, http, kept: Mutex::default(), asking: tokio::sync::Mutex::new(()) })
    }

    /// The key that a token names.
    ///
    /// # Errors
    /// [`NoKey`].
    pub async fn key(
        &self,
        kid: Option<&str>,
        algorithm: JwtAlgorithm,
        now: Timestamp,
    ) -> Result<Key, NoKey> {
        let kept = self.kept();
        let known = kept.keys.find(kid, algorithm).cloned();
        if let Some(key) = known {
            if !kept.is_fresh(now) {
                // Known but old: only one caller asks, nobody waits for it, and its failure changes nothing.
                if let Ok(_turn) = self.asking.try_lock()
                    && self.kept().may_ask(now)
                {
                    self.ask(now).await;
                    return self.found(kid, algorithm);
                }
            }
            return Ok(key);
        }
        let _turn = self.asking.lock().await;
        // Whoever was here before may have brought it.
        if self.kept().keys.find(kid, algorithm).is_none() && self.kept().may_ask(now) {
            self.ask(now).await;
        }
        self.found(kid, algorithm)
    }

    /// Asks the issuer now, and keeps nothing of it.
    ///
    /// # Errors
    /// What is in the way, for the operator.
    pub async fn look(&self) -> Result<(), String> {
        self.fetch().await.map(drop)
    }

    fn found(&self, kid: Option<&str>, algorithm: JwtAlgorithm) -> Result<Key, NoKey> {
        let kept = self.kept();
        match (kept.keys.find(kid, algorithm), kept.trouble) {
            (Some(key), _) => Ok(key.clone()),
            (None, Some(trouble)) => Err(NoKey::Down(trouble)),
            (None, None) => Err(NoKey::Unknown),
        }
    }

    fn kept(&self) -> Kept {
        self.kept.lock().expect("nothing panics while holding it").clone()
    }

    /// One question. What is known stays when it fails.
    async fn ask(&self, now: Timestamp) {
        self.kept.lock().expect("nothing panics while holding it").asked_at = Some(now);
        let answer = self.fetch().await;
        let mut kept = self.kept.lock().expect("nothing panics while holding it");
        match answer {
            Ok(keys) => {
                *kept =
                    Kept { keys: Arc::new(keys), fetched_at: Some(now), asked_at: Some(now), trouble: None };
            }
            Err(trouble) => {
                tracing::warn!("the keys of an app's issuer could not be fetched: {trouble}");
                kept.trouble = Some(trouble);
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, String> {
        let url = match &self.source {
            KeySource::Jwks(url) => url.clone(),
            KeySource::Discovery(issuer) => self.discover(issuer).await?,
        };
        KeySet::parse(&self.get(&url).await?).map_err(|error| format!("{url}: {error}"))
    }

    async fn discover(&self, issuer: &str) -> Result<Url, String> {
        #[derive(Deserialize)]
        struct Discovery {
            issuer: String,
            jwks_uri: Url,
        }
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let url: Url = address.parse().map_err(|_| format!("{address} is no address"))?;
        let found: Discovery = serde_json::from_slice(&self.get(&url).await?)
            .map_err(|_| format!("{url}: it has no issuer and jwks_uri"))?;
        // Discovery §4.3: or anybody's document could speak for the issuer.
        if found.issuer != issuer {
            return Err(format!("{url}: it says to be of another issuer than {issuer}"));
        }
        // A document on the network must not lead us to this machine's own services.
        if !may_be_asked(&found.jwks_uri) || (is_loopback(&found.jwks_uri) && !is_loopback(&url)) {
            return Err(format!("{url}: its jwks_uri is not https"));
        }
        Ok(found.jwks_uri)
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, String> {
        let failed = |error: reqwest::Error| {
            let mut text = format!("{url}: {}", error.without_url());
            if text.len() > 300 {
                text.truncate(text.floor_char_boundary(300));
            }
            text
        };
        let response = self.http.get(url.clone()).send().await.map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("{url}: HTTP {}", response.status().as_u16()));
        }
        let body = outgoing::body(response, LIMIT).await.map_err(failed)?;
        body.ok_or_else(|| format!("{url}: longer than {LIMIT} bytes"))
    }
}
