//! What a running server holds: stores, keys, channels, clock. Built once, shared by every request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use mashang_login::challenge::Challenges;
use mashang_login::consent::Consents;
use mashang_login::credentials::Credentials;
use mashang_login::records::Records;
use mashang_login::seal::Sealer;
use mashang_login::ticket::Lifetimes;
use mashang_login::tickets::{Handshakes, Tickets};
use mashang_login::trail::Trail;
use mashang_login::{Clock, Entropy};
use mashang_oidc::Provider;
use mashang_oidc::discovery::Policies;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::channel::Channels;
use crate::clock_skew;
use crate::config::Config;
use crate::finish::Begun;
use crate::health;
use crate::metrics::Metrics;
use crate::oauth::cors::Origins;
use crate::oauth::scopes::LeftOut;
use crate::platform;
use crate::traces::Traces;
use crate::web::cookies::Transport;
use crate::web::counts::Counts;
use crate::web::limits::{Counted, Limits, TooMany, Whose};
use crate::web::pages::Pages;
use crate::web::request_id::RequestIds;
use crate::web::sdk::Sdk;
use crate::web::seldom::Seldom;

/// A running server's things. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// The things themselves.
#[derive(Debug)]
pub struct Parts {
    /// Settings the flow needs.
    pub site: Site,
    /// Users, clients, grants, sessions …
    pub records: Arc<dyn Records>,
    /// Passwords and passkeys, in the same store.
    pub credentials: Arc<dyn Credentials>,
    /// What people agreed to tell websites, in the same store.
    pub consents: Arc<dyn Consents>,
    /// The audit trail, as it is looked after.
    pub trail: Arc<dyn Trail>,
    /// Live tickets.
    pub tickets: Arc<dyn Tickets>,
    /// Trips to platforms.
    pub handshakes: Arc<dyn Handshakes>,
    /// Codes sent and WebAuthn ceremonies under way.
    pub challenges: Arc<dyn Challenges>,
    /// The OpenID Connect provider over the same records.
    pub provider: Provider,
    /// Seals what we hand out and read back ourselves.
    pub sealer: Arc<Sealer>,
    /// Configured channels.
    pub channels: Channels,
    /// Tokens that platforms give to our apps.
    pub tokens: platform::Tokens,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The browser SDK.
    pub sdk: Arc<Sdk>,
    /// Templates and words.
    pub pages: Pages,
    /// Which pages may ask across origins.
    pub origins: Origins,
    /// Which websites were told to ask for less.
    pub scopes_left_out: LeftOut,
    /// How much one address may ask for.
    pub limits: Limits,
    /// What nodes count together.
    pub counts: Counts,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where requests are told to, if anywhere.
    pub traces: Option<Traces>,
    /// How often scripts' questions to an engine that is away are told.
    pub outages: Seldom,
    /// What `/readyz` said last.
    pub told: health::Told,
    /// Names for requests.
    pub request_ids: RequestIds,
    /// What is finished even if nobody waits for it.
    pub begun: Begun,
    /// Cancelled when the server is asked to stop: it takes no new browsers, and everything else goes on.
    pub leaving: CancellationToken,
    /// Cancelled when it stops, which is `server.drain_seconds` later; long waits end with it.
    pub stopping: CancellationToken,
}

impl App {
    /// Whether somebody asked the server to stop.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled() || self.stopping.is_cancelled()
    }

    /// The same with other parts.
    #[cfg(test)]
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::get_mut(&mut self.0).expect("nobody shares it yet"));
        self
    }

    /// Shares `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Counts one of an address's share, together with the other nodes.
    ///
    /// # Errors
    /// [`TooMany`] when the share is used up.
    pub async fn count(&self, what: Counted, whose: impl Into<Whose>) -> Result<(), TooMany> {
        self.limits.count(&self.counts, what, whose.into(), self.now()).await
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> mashang_login::Timestamp {
        self.clock.now()
    }
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What the flow needs to know of the configuration.
#[derive(Debug, Clone)]
pub struct Site {
    /// Base of every address we hand out, without a trailing slash (SEC-62).
    pub public_url: String,
    /// Whether cookies are Secure.
    pub transport: Transport,
    /// Proxies to believe.
    pub trusted_proxies: Vec<IpNet>,
    /// Files by which platforms check that this domain is ours, by name.
    pub verification_files: BTreeMap<String, String>,
    /// The sandbox, when it stands in for WeChat.
    pub sandbox: Option<Url>,
    /// What people are asked to agree to, and websites are told of.
    pub policies: Policies,
    /// Lifetimes of a ticket's stages.
    pub lifetimes: Lifetimes,
    /// By how much another node's clock may differ; nothing where there is no other.
    pub skew: Duration,
    /// How long a website's request stays open.
    pub request_life: Duration,
    /// How long a browser stays signed in.
    pub session_life: Duration,
    /// How long the audit trail is kept; `None`: for ever.
    pub trail_life: Option<Duration>,
    /// Whether people may delete their account by themselves.
    pub self_erase: bool,
}

impl Site {
    /// From the configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let login = &config.login;
        let seconds = |n: u32| Duration::from_secs(n.into());
        let skew = if config.tickets.is_shared() { clock_skew::BETWEEN_NODES } else { Duration::ZERO };
        Self {
            public_url: config.server.public_url.as_str().trim_end_matches('/').to_owned(),
            transport: if config.server.public_url.scheme() == "https" {
                Transport::Https
            } else {
                Transport::Cleartext
            },
            trusted_proxies: config.server.trusted_proxies.iter().map(|network| network.0).collect(),
            verification_files: config.server.verification_files.clone(),
            sandbox: config.sandbox_url(),
            policies: config.legal.policies(),
            lifetimes: Lifetimes {
                waiting: seconds(login.scan_seconds),
                confirm: seconds(login.confirm_seconds),
                // The only stage so short that two clocks thirty seconds apart would end it before it began.
                redeem: seconds(login.redeem_seconds) + skew,
            },
            skew,
            request_life: seconds(login.request_minutes * 60),
            session_life: seconds(login.session_hours * 3600),
            trail_life: match config.audit.keep_days {
                0 => None,
                days => Some(Duration::from_secs(u64::from(days) * 24 * 3600)),
            },
            self_erase: config.account.self_erase,
        }
    }

    /// An address of ours, absolute.
    #[must_use]
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// An address of ours for a WebSocket: `wss:` where the public address is `https:`.
    #[must_use]
    pub fn socket(&self, path: &str) -> String {
        self.absolute(path).replacen("http", "ws", 1)
    }
}
