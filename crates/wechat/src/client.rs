//! One HTTP client for every call to WeChat: time, size and repetition limits live here.
//!
//! Limits (SEC-85): a connection within 2 s, the whole call within 5 s including a repetition, 64 KiB of answer (a
//! picture may be larger, see [`Call::up_to`]), no redirect followed, no repetition by the HTTP library of anything that was sent. What may be repeated is decided per
//! call by [`Repeat`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use crate::error::{Error, TransportKind};
use crate::hosts::{Hosts, Platform};
use crate::query::Query;

/// How long to wait before the one repetition that a call may have.
const BACKOFF: Duration = Duration::from_millis(300);
/// How long a connection may rest before it is let go. A call on one that the other side gives up at that moment fails, and is
/// not made again, because a code may have been spent by it; servers and their balancers give up after ten seconds or more.
const RESTS: Duration = Duration::from_secs(5);

/// Hears of each call that was made, for whoever measures or traces. Never of a query, a body, a code or a token.
pub trait Observer: fmt::Debug + Send + Sync {
    /// A call ended, its repetition included; in the task that made it. Nothing is heard of a call whose caller went away.
    fn finished(&self, call: &FinishedCall<'_>);
}

/// A call that ended.
#[derive(Debug)]
pub struct FinishedCall<'a> {
    /// The call, such as `sns/oauth2/access_token`.
    pub name: &'static str,
    /// Whose it is.
    pub platform: Platform,
    /// The host that was called.
    pub host: &'a str,
    /// From its beginning to its end.
    pub took: Duration,
    /// How it ended.
    pub outcome: Result<(), &'a Error>,
}

/// Limits and route of a [`Client`].
#[derive(Clone)]
pub struct ClientOptions {
    /// Time to a ready connection, TLS included; 2 s by default.
    pub connect_timeout: Duration,
    /// Time for a whole call, its repetition included; 5 s by default.
    pub total_timeout: Duration,
    /// Largest answer read, in bytes after decompression; 64 KiB by default.
    pub body_limit: usize,
    /// Ignore the proxy settings of the system and environment; false by default.
    pub no_proxy: bool,
    /// Send every call through this proxy. Excludes `no_proxy`.
    pub proxy: Option<Url>,
    /// Who hears of calls; nobody by default.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            total_timeout: Duration::from_secs(5),
            body_limit: 64 * 1024,
            no_proxy: false,
            proxy: None,
            observer: None,
        }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("body_limit", &self.body_limit)
            .field("no_proxy", &self.no_proxy)
            // Its address may hold a password.
            .field("proxy", &self.proxy.as_ref().map(|_| "[redacted]"))
            .finish()
    }
}

/// Why a [`Client`] could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Both a proxy and its absence were asked for.
    #[error("`proxy` and `no_proxy` exclude each other")]
    ProxyConflict,
    /// The proxy's address is not `http://` or `https://` with a host. It may hold a password, so it is not repeated.
    #[error("the proxy address is not an http:// or https:// address")]
    Proxy,
    /// TLS or the resolver could not be set up.
    #[error("the HTTP client could not be set up")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Talks to WeChat. Clones share one connection pool.
#[derive(Clone)]
pub struct Client {
    hosts: Arc<Hosts>,
    http: reqwest::Client,
    total_timeout: Duration,
    body_limit: usize,
    observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

/// When a call may be sent a second time. There is never a third.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Only after the platform itself said that it is busy (errcode -1). For calls that spend something: a lost
    /// answer must not be asked for again, the code is gone with it (WeChat fact sheet §8 no. 2).
    WhenBusy,
    /// After any fault that may pass. For calls that only read.
    WhenFaultMayPass,
}

impl Repeat {
    fn allows(self, error: &Error) -> bool {
        match error {
            Error::Platform(refusal) => refusal.code.0 == -1,
            Error::Transport { kind, .. } => {
                self == Self::WhenFaultMayPass
                    && match kind {
                        TransportKind::Connect | TransportKind::Timeout | TransportKind::Body => true,
                        TransportKind::Http(status) => *status >= 500,
                    }
            }
            _ => false,
        }
    }
}

/// One call: everything but how its answer is read.
pub(crate) struct Call<'a> {
    /// How errors name it; also its path.
    name: &'static str,
    platform: Platform,
    query: Query,
    /// JSON, if the call is a POST.
    body: Option<Vec<u8>>,
    /// Values sent that must not come back in an error.
    sent: &'a [&'a str],
    repeat: Repeat,
    /// Largest answer in bytes, where it may exceed the client's limit.
    limit: Option<usize>,
}

impl<'a> Call<'a> {
    /// A GET call of WeChat. An error shows none of `sent`.
    pub(crate) fn get(name: &'static str, query: Query, sent: &'a [&'a str], repeat: Repeat) -> Self {
        Self { name, platform: Platform::WeChat, query, body: None, sent, repeat, limit: None }
    }

    /// A POST call of WeChat with a JSON body, written as UTF-8 without escapes: a form is refused with 47001
    /// (mini-program fact sheet §12). An error shows none of `sent`.
    pub(crate) fn post(
        name: &'static str,
        query: Query,
        body: &impl Serialize,
        sent: &'a [&'a str],
        repeat: Repeat,
    ) -> Self {
        let body = serde_json::to_vec(body).expect("a struct of texts, numbers and lists becomes JSON");
        Self { body: Some(body), ..Self::get(name, query, sent, repeat) }
    }

    /// The same call, made to this platform's host.
    pub(crate) fn on(self, platform: Platform) -> Self {
        Self { platform, ..self }
    }

    /// The same call, whose answer may have this many bytes even if the client's limit is lower.
    pub(crate) fn up_to(self, bytes: usize) -> Self {
        Self { limit: Some(bytes), ..self }
    }
}

impl Client {
    /// Builds a client for these hosts. Needs a tokio runtime with time and I/O only when a call is made.
    ///
    /// # Errors
    /// When the proxy settings contradict each other or cannot be used, or TLS cannot be set up.
    pub fn new(hosts: Hosts, options: ClientOptions) -> Result<Self, BuildError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(RESTS)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false);
        match (options.no_proxy, options.proxy) {
            (true, Some(_)) => return Err(BuildError::ProxyConflict),
            (true, None) => builder = builder.no_proxy(),
            (false, Some(proxy)) => builder = builder.proxy(usable_proxy(proxy)?),
            (false, None) => {}
        }
        let http = builder.build().map_err(|e| BuildError::Http(Box::new(e.without_url())))?;
        Ok(Self {
            hosts: Arc::new(hosts),
            http,
            total_timeout: options.total_timeout,
            body_limit: options.body_limit,
            observer: options.observer,
        })
    }

    /// The hosts this client talks to, which the page builders also need.
    #[must_use]
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Makes a call and reads its answer, at most twice, all within `total_timeout`.
    pub(crate) async fn call<T>(
        &self,
        call: Call<'_>,
        parse: impl Fn(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let url = self.hosts.call(call.platform, &format!("/{}", call.name), &call.query);
        let attempt = async || {
            let answer = self.fetch(&call, url.clone()).await?;
            parse(&answer)
        };
        let attempts = async {
            match attempt().await {
                Err(error) if call.repeat.allows(&error) => {
                    tokio::time::sleep(BACKOFF).await;
                    attempt().await
                }
                outcome => outcome,
            }
        };
        let began = Instant::now();
        let outcome = tokio::time::timeout(self.total_timeout, attempts)
            .await
            .unwrap_or_else(|elapsed| Err(Error::timed_out(elapsed)))
            .map_err(|error| error.refused_by(call.platform).without(call.sent));
        if let Some(observer) = &self.observer {
            observer.finished(&FinishedCall {
                name: call.name,
                platform: call.platform,
                host: url.host_str().unwrap_or_default(),
                took: began.elapsed(),
                outcome: outcome.as_ref().map(drop),
            });
        }
        outcome
    }

    /// The body of an HTTP 200 answer, read up to the limit.
    async fn fetch(&self, call: &Call<'_>, url: Url) -> Result<Vec<u8>, Error> {
        let request = match &call.body {
            None => self.http.get(url),
            Some(json) => self.http.post(url).header(CONTENT_TYPE, "application/json").body(json.clone()),
        };
        let mut response = request.send().await.map_err(Error::transport)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(Error::http_status(response.status().as_u16()));
        }
        let limit = self.body_limit.max(call.limit.unwrap_or(0));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Error::transport)? {
            if body.len() + chunk.len() > limit {
                return Err(Error::malformed(call.name, format_args!("the body exceeds {limit} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// The HTTP library takes any address for a proxy and fails only when a call is made.
fn usable_proxy(address: Url) -> Result<reqwest::Proxy, BuildError> {
    if !matches!(address.scheme(), "http" | "https") {
        return Err(BuildError::Proxy);
    }
    reqwest::Proxy::all(address).map_err(|_| BuildError::Proxy)
}
