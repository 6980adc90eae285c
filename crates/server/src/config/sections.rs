//! The sections of the file, as they are read; the manual, `default.toml`, says what each setting is for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use mashang_store::tickets::TicketsAddress;
use serde::Deserialize;
use url::Url;

/// `[server]`: where it is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSection {
    /// The issuer and the base of every address we hand out (SEC-62).
    pub public_url: Url,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Networks whose `X-Forwarded-For` is believed (SEC-72).
    pub trusted_proxies: Vec<ProxyNetwork>,
    /// Seconds between being asked to stop and stopping.
    pub drain_seconds: u32,
    /// WEAKER: plain http on other hosts than loopback.
    pub allow_cleartext: bool,
    /// Files by which platforms check that a domain is ours, by name: `MP_verify_….txt`, `WW_verify_….txt`.
    #[serde(default)]
    pub verification_files: BTreeMap<String, String>,
}

/// An address or a network of proxies.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct ProxyNetwork(pub ipnet::IpNet);

impl TryFrom<String> for ProxyNetwork {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse::<ipnet::IpNet>()
            .or_else(|_| text.parse::<std::net::IpAddr>().map(Into::into))
            .map(Self)
            .map_err(|_| {
                format!("`{text}` is neither an address such as 10.0.3.7 nor a network such as 10.0.3.0/24")
            })
    }
}

/// `[store]`: where records live.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSection {
    /// Database URL; what `url_file` holds, if that is given.
    pub url: String,
    /// File with the URL, for one that holds a password.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// File of the 32-byte master key.
    pub master_key_file: PathBuf,
}

impl std::fmt::Debug for StoreSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Of an address with a password, the engine.
        let engine = self.url.split_once(':').map_or("", |(engine, _)| engine);
        f.debug_struct("StoreSection")
            .field("engine", &engine)
            .field("url_file", &self.url_file)
            .field("master_key_file", &self.master_key_file)
            .finish()
    }
}

/// `[tickets]`: where open scans live.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketsSection {
    /// `memory:`, or the engine that nodes share; what `url_file` holds, if that is given. May hold a password.
    pub url: String,
    /// File with the URL, for one that holds a password.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// File with the certificates, in PEM, of the only authorities that are trusted to say who the engine is; without it
    /// the operating system's are.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// What `ca_file` holds.
    #[serde(skip)]
    pub(super) authorities: Option<Vec<u8>>,
}

impl TicketsSection {
    /// What the URL names.
    ///
    /// # Errors
    /// The sentence that [`Config::check`](super::Config::check) says.
    pub fn address(&self) -> Result<TicketsAddress, String> {
        let address: TicketsAddress = self.url.parse().map_err(|wrong| {
            // The value itself may hold a password.
            format!("tickets.url: {wrong}; for the only node write \"memory:\", for several for example \"redis://127.0.0.1:6379\"")
        })?;
        match (&self.ca_file, &self.authorities) {
            (Some(file), Some(pem)) => address
                .trusting(pem.clone())
                .map_err(|wrong| format!("tickets.ca_file: {} {wrong}", file.display())),
            _ => Ok(address),
        }
    }

    /// Whether several nodes may hold these tickets.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        !matches!(self.address(), Ok(TicketsAddress::Memory))
    }
}

impl std::fmt::Debug for TicketsSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TicketsSection")
            .field("url", &self.address())
            .field("ca_file", &self.ca_file)
            .finish()
    }
}

/// `[login]`: lifetimes of a login.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginSection {
    /// Seconds a QR waits for a scan.
    pub scan_seconds: u32,
    /// Seconds a scan waits for an answer.
    pub confirm_seconds: u32,
    /// Seconds an approval waits for the browser.
    pub redeem_seconds: u32,
    /// Minutes a website's request stays open.
    pub request_minutes: u32,
    /// Hours a browser session lasts.
    pub session_hours: u32,
}

/// `[tokens]`: lifetimes of tokens.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensSection {
    /// Seconds of an access token.
    pub access_seconds: u32,
    /// Seconds of an ID token.
    pub id_seconds: u32,
    /// Days an unused refresh token lasts.
    pub refresh_idle_days: u32,
    /// Days until a whole family ends.
    pub refresh_total_days: u32,
}

/// `[account]`: the person's own page.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSection {
    /// Whether people may delete their account there.
    pub self_erase: bool,
}

/// `[limits]`: ceilings (SEC-15, SEC-16, SEC-79).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSection {
    /// Logins begun per address and minute.
    pub starts_per_minute: u32,
    /// Status questions per address and minute.
    pub polls_per_minute: u32,
    /// Requests at the token, userinfo and revocation endpoints per address and minute, at one node.
    pub calls_per_minute: u32,
    /// Wrong secrets of one client per address and minute.
    pub token_errors_per_minute: u32,
    /// Live tickets.
    pub live_tickets: usize,
    /// Open WebSockets and event streams, at one node.
    pub streams: usize,
    /// Open WebSockets and event streams per address, at one node.
    pub streams_per_address: usize,
}

/// `[audit]`: the audit trail (SEC-78).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSection {
    /// Days that a record is kept; 0: for ever.
    pub keep_days: u32,
}

/// `[operations]`: what only operators reach.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationsSection {
    /// Address and port for metrics and readiness; empty: none.
    pub listen: String,
}

impl OperationsSection {
    /// Where to listen, if anywhere.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn address(&self) -> Result<Option<SocketAddr>, String> {
        if self.listen.is_empty() {
            return Ok(None);
        }
        self.listen.parse().map(Some).map_err(|_| {
            format!("operations.listen: `{}` is not an address and port such as 127.0.0.1:9090", self.listen)
        })
    }
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSection {
    /// For people or for machines.
    pub format: LogFormat,
    /// Filter directives.
    pub filter: String,
}

/// Shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[sandbox]`: the pretend WeChat.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxSection {
    /// Whether channels talk to the sandbox.
    pub enabled: bool,
    /// Where it is reached; empty when unused.
    pub url: String,
    /// Where `serve` starts one; empty when it does not.
    pub listen: String,
}

/// A text that is never shown: a secret inside a configuration.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub(super) String);

impl Hidden {
    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}
