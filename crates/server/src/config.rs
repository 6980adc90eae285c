//! Configuration: one TOML file over the embedded manual ([`DEFAULT`]), the environment over both.
//!
//! [`load`] reads and merges, [`Config::check`] says everything that is wrong at once, in sentences. What the flow needs
//! at run time is built from it in [`crate::state`]; nothing else reads files or the environment.

pub mod app;
pub mod channel;
pub mod claims;
pub mod sender;
pub mod this_device;
pub mod traces;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use mashang_login::client::is_loopback;
use mashang_login::ids::ChannelId;
use mashang_store::tickets::{TicketsAddress, is_postgres};
use serde::Deserialize;
use url::{Host, Url};

use self::channel::{ChannelSection, secret_of};
use self::claims::ClaimsSection;
use self::traces::TracesSection;

/// The default configuration, which is also the manual.
pub const DEFAULT: &str = include_str!("config/default.toml");

/// Prefix of environment variables.
const ENVIRONMENT_PREFIX: &str = "MASHANG_";

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of the wrong type.
    #[error("{0}")]
    Malformed(String),
    /// Well-formed, but wrong: every problem found.
    #[error("{}", .0.join("\n"))]
    Wrong(Vec<String>),
}

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[server]`
    pub server: ServerSection,
    /// `[store]`
    pub store: StoreSection,
    /// `[tickets]`
    pub tickets: TicketsSection,
    /// `[login]`
    pub login: LoginSection,
    /// `[tokens]`
    pub tokens: TokensSection,
    /// `[limits]`
    pub limits: LimitsSection,
    /// `[operations]`
    pub operations: OperationsSection,
    /// `[log]`
    pub log: LogSection,
    /// `[traces]`
    pub traces: TracesSection,
    /// `[sandbox]`
    pub sandbox: SandboxSection,
    /// `[claims]`
    #[serde(default)]
    pub claims: ClaimsSection,
    /// `[channel.<id>]`
    #[serde(default)]
    pub channel: BTreeMap<ChannelId, ChannelSection>,
}

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
            .map_err(|_| format!("`{text}` is neither an address nor a network such as 10.0.0.0/8"))
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
    authorities: Option<Vec<u8>>,
}

impl TicketsSection {
    /// What the URL names.
    ///
    /// # Errors
    /// The sentence that [`Config::check`] says.
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

/// `[limits]`: ceilings (SEC-15, SEC-16, SEC-79).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSection {
    /// Logins begun per address and minute.
    pub starts_per_minute: u32,
    /// Status questions per address and minute.
    pub polls_per_minute: u32,
    /// Refused client authentications per address and minute.
    pub token_errors_per_minute: u32,
    /// Live tickets.
    pub live_tickets: usize,
    /// Open WebSockets and event streams, at one node.
    pub streams: usize,
    /// Open WebSockets and event streams per address, at one node.
    pub streams_per_address: usize,
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
pub struct Hidden(String);

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

/// Reads the manual, then `file` if given, then the environment.
///
/// # Errors
/// [`ConfigError`] naming the file or variable, the key, and what is wrong with it.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    let mut figment = Figment::from(Toml::string(DEFAULT));
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        figment = figment.merge(Toml::string(&text));
    }
    // A setting always has a section. Names without `__` are not ours: MASHANG_CONFIG, and what Kubernetes sets for a
    // service called mashang (MASHANG_PORT, MASHANG_SERVICE_HOST …).
    let environment =
        Env::prefixed(ENVIRONMENT_PREFIX).filter(|name| name.as_str().contains("__")).split("__");
    extract(figment.merge(environment.lowercase(true)))
}

/// Reads a configuration from text over the manual, without the environment: for tests and the demo.
///
/// # Errors
/// As [`load`].
pub fn from_text(text: &str) -> Result<Config, ConfigError> {
    extract(Figment::from(Toml::string(DEFAULT)).merge(Toml::string(text)))
}

fn extract(figment: Figment) -> Result<Config, ConfigError> {
    let mut config: Config = figment.extract().map_err(|error| {
        let sentences: Vec<String> = error
            .into_iter()
            .map(|one| {
                let place = one.path.join(".");
                if place.is_empty() { one.kind.to_string() } else { format!("{place}: {}", one.kind) }
            })
            .collect();
        ConfigError::Malformed(sentences.join("\n"))
    })?;
    let store = &mut config.store;
    read_url("store", &mut store.url, UNSAID_STORE_URL, store.url_file.as_deref())?;
    let tickets = &mut config.tickets;
    read_url("tickets", &mut tickets.url, UNSAID_TICKETS_URL, tickets.url_file.as_deref())?;
    if let Some(file) = &tickets.ca_file {
        let pem = std::fs::read(file).map_err(|error| {
            ConfigError::Wrong(vec![format!("tickets.ca_file: cannot read {}: {error}", file.display())])
        })?;
        tickets.authorities = Some(pem);
    }
    config.traces.read_endpoint()?;
    config.check()?;
    Ok(config)
}

/// `store.url` where nobody has said anything.
const UNSAID_STORE_URL: &str = "sqlite:data/mashang.db";
/// `tickets.url` where nobody has said anything.
const UNSAID_TICKETS_URL: &str = "memory:";

/// Puts what `url_file` holds in the place of `url`, so that nobody after this need know which of them was given.
fn read_url(section: &str, url: &mut String, unsaid: &str, file: Option<&Path>) -> Result<(), ConfigError> {
    let Some(file) = file else { return Ok(()) };
    if url != unsaid {
        return Err(ConfigError::Wrong(vec![format!("{section}: give url or url_file, not both")]));
    }
    *url = secret_of(&None, Some(file)).read(section, "url")?;
    Ok(())
}

/// Secrets from manuals and tutorials, refused on sight (SEC-76).
const SAMPLE_SECRETS: [&str; 4] = ["secret", "changeme", "your_app_secret", "appsecret"];

impl Config {
    /// Everything that is wrong, in sentences that say what to type where.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] with one sentence per problem.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut wrong = Vec::new();
        self.check_public_url(&mut wrong);
        self.check_verification_files(&mut wrong);
        self.check_tickets(&mut wrong);
        if let Err(error) = mashang_store::sql::check_address(&self.store.url) {
            wrong.push(format!("store.url: {error}"));
        }
        self.check_login(&mut wrong);
        self.check_operations(&mut wrong);
        self.traces.check(&mut wrong);
        self.check_sandbox(&mut wrong);
        self.claims.check(&self.channel, &mut wrong);
        for (id, channel) in &self.channel {
            channel.check(id, &mut wrong);
            match channel {
                ChannelSection::Passkey(section) => {
                    section.check_against(id, &self.server.public_url, &mut wrong);
                }
                ChannelSection::Email(section) => section.check(id, self.sandbox.enabled, &mut wrong),
                ChannelSection::Sms(section) => section.check(id, self.sandbox.enabled, &mut wrong),
                _ => {}
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(ConfigError::Wrong(wrong)) }
    }

    fn check_public_url(&self, wrong: &mut Vec<String>) {
        let url = &self.server.public_url;
        if url.query().is_some() || url.fragment().is_some() || !matches!(url.path(), "" | "/") {
            wrong.push(format!("server.public_url: `{url}` must be scheme, host and port only, such as https://login.example.com"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url) || self.server.allow_cleartext => {}
            "http" => wrong.push(format!(
                "server.public_url: `{url}` is plain http on another machine's name; use https, or set server.allow_cleartext = true to try things out on your own network"
            )),
            other => wrong.push(format!("server.public_url: `{other}` is not http or https")),
        }
    }

    fn check_verification_files(&self, wrong: &mut Vec<String>) {
        for (name, content) in &self.server.verification_files {
            let stem = name.strip_suffix(".txt").unwrap_or_default();
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if stem.is_empty() || stem.len() > 64 || !stem.chars().all(is_plain) || stem == "robots" {
                wrong.push(format!(
                    "server.verification_files: `{name}` is not a name that a platform gives, such as MP_verify_0aB1cD2eF3.txt or WW_verify_0aB1cD2eF3.txt"
                ));
            }
            if content.trim().is_empty() || content.len() > 1024 {
                wrong.push(format!(
                    "server.verification_files: `{name}` must hold the text of the file that you downloaded"
                ));
            }
        }
    }

    fn check_tickets(&self, wrong: &mut Vec<String>) {
        match self.tickets.address() {
            Ok(TicketsAddress::Postgres) if !is_postgres(&self.store.url) => wrong.push(
                "tickets.url: \"postgres:\" means the PostgreSQL of store.url, which is another engine; write \"memory:\" for the only node, or the address of Redis"
                    .to_owned(),
            ),
            Ok(_) => {}
            Err(sentence) => wrong.push(sentence),
        }
    }

    fn check_operations(&self, wrong: &mut Vec<String>) {
        match self.operations.address() {
            Ok(Some(address)) if address == self.server.listen => wrong.push(
                "operations.listen is the address of server.listen: give it another port, because the public must not reach it".into(),
            ),
            Ok(_) => {}
            Err(sentence) => wrong.push(sentence),
        }
        if self.server.drain_seconds > 300 {
            wrong.push(format!("server.drain_seconds: {} must be at most 300", self.server.drain_seconds));
        }
    }

    fn check_login(&self, wrong: &mut Vec<String>) {
        let login = &self.login;
        for (key, value, most) in [
            ("login.scan_seconds", login.scan_seconds, 300),
            ("login.confirm_seconds", login.confirm_seconds, 300),
            ("login.redeem_seconds", login.redeem_seconds, 120),
            ("login.request_minutes", login.request_minutes, 24 * 60),
            ("login.session_hours", login.session_hours, 24 * 90),
            ("tokens.access_seconds", self.tokens.access_seconds, 24 * 3600),
            ("tokens.id_seconds", self.tokens.id_seconds, 24 * 3600),
            ("tokens.refresh_idle_days", self.tokens.refresh_idle_days, 366),
            ("tokens.refresh_total_days", self.tokens.refresh_total_days, 366),
        ] {
            if value == 0 || value > most {
                wrong.push(format!("{key}: {value} must be between 1 and {most}"));
            }
        }
    }

    fn check_sandbox(&self, wrong: &mut Vec<String>) {
        if !self.sandbox.enabled {
            if !self.sandbox.listen.is_empty() {
                wrong.push("sandbox.listen is set but sandbox.enabled is false; say enabled = true to start the sandbox".into());
            }
            return;
        }
        if Url::parse(&self.sandbox.url).is_err() {
            wrong.push(format!(
                "sandbox.url: `{}` is not an address such as http://127.0.0.1:8090",
                self.sandbox.url
            ));
        }
        if !self.sandbox.listen.is_empty() && self.sandbox.listen.parse::<SocketAddr>().is_err() {
            wrong.push(format!(
                "sandbox.listen: `{}` is not an address and port such as 127.0.0.1:8090",
                self.sandbox.listen
            ));
        }
        if !is_private(&self.server.public_url) {
            wrong.push(format!(
                "sandbox.enabled: in the sandbox anyone can be anyone, so it is refused with a public address ({}); use 127.0.0.1 or an address of your own network",
                self.server.public_url
            ));
        }
    }

    /// What is allowed but probably not meant, in sentences.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        let server = &self.server;
        if server.public_url.scheme() == "https"
            && server.listen.ip().is_loopback()
            && server.trusted_proxies.is_empty()
        {
            hints.push(
                "server.trusted_proxies is empty although a proxy must stand in front: every visitor will count, and be shown on the confirm page, as 127.0.0.1. Set trusted_proxies = [\"127.0.0.1\"] if the proxy runs on this machine and sets X-Forwarded-For."
                    .to_owned(),
            );
        }
        for (id, channel) in &self.channel {
            if let ChannelSection::Passkey(section) = channel {
                hints.extend(section.hint(id, &server.public_url));
            }
        }
        let is_shared = !self.store.url.starts_with("sqlite:");
        if is_shared && matches!(self.tickets.address(), Ok(TicketsAddress::Memory)) {
            hints.push("tickets.url is \"memory:\", so this must be the only node: with several, a phone that reaches another node than the browser did finds no ticket".to_owned());
        }
        hints.extend(self.traces.hint());
        if self.channel.is_empty() {
            hints.push("no channel is configured, so nobody can log in: see [channel.<name>] in `mashang config show`".to_owned());
        }
        if self.sandbox.enabled {
            hints.push("the SANDBOX stands in for WeChat: anyone can be anyone".to_owned());
        }
        hints
    }

    /// The sandbox's address, if it is in use.
    #[must_use]
    pub fn sandbox_url(&self) -> Option<Url> {
        if self.sandbox.enabled { Url::parse(&self.sandbox.url).ok() } else { None }
    }
}

/// Whether only this machine or a private network can mean this host.
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || name.ends_with(".test")
        }
        Some(Host::Ipv4(address)) => {
            let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64; // RFC 6598
            let is_ours = address.is_loopback() || address.is_private() || address.is_link_local();
            is_ours || is_shared || address.is_documentation()
        }
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Site;

    const CHANNEL: &str = "[channel.wechat]\nkind = \"wechat-official\"\nappid = \"wx0123456789abcdef\"\n";

    fn complaint(text: &str) -> String {
        from_text(text).unwrap_err().to_string()
    }

    #[test]
    fn a_database_address_that_cannot_be_read_says_what_to_write_and_shows_no_password() {
        for url in ["postgresq://m:hunter2@db/m", "postgres://m:hunter2@db:port/m", "hunter2"] {
            let complaint = complaint(&format!("[store]\nurl = {url:?}"));
            assert!(
                complaint.contains("store.url") && complaint.contains("postgres://<user>"),
                "{complaint}"
            );
            assert!(!complaint.contains("hunter2"), "{complaint}");
        }
    }

    #[test]
    fn the_manual_alone_is_a_valid_configuration() {
        let config = from_text("").unwrap();
        assert!(config.channel.is_empty());
        assert!(!config.sandbox.enabled);
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        assert!(complaint("[server]\npublik_url = \"x\"").contains("publik_url"));
        assert!(complaint("[colour]\nx = 1").contains("colour"));
        assert!(complaint(&format!("{CHANNEL}secret = \"0123\"\ncolour = 1")).contains("colour"));
    }

    #[test]
    fn cleartext_on_other_hosts_is_refused_unless_asked_for() {
        let text = "[server]\npublic_url = \"http://login.example.com\"";
        assert!(complaint(text).contains("allow_cleartext"));
        assert!(from_text(&format!("{text}\nallow_cleartext = true")).is_ok());
        assert!(from_text("[server]\npublic_url = \"https://login.example.com\"").is_ok());
    }

    #[test]
    fn sec_76_sample_secrets_are_refused() {
        assert!(complaint(&format!("{CHANNEL}secret = \"changeme\"")).contains("sample"));
        assert!(complaint(CHANNEL).contains("secret_file"));
    }

    #[test]
    fn promise_12_the_sandbox_is_refused_on_a_public_address() {
        let text = "[server]\npublic_url = \"https://login.example.com\"\n[sandbox]\nenabled = true\nurl = \"http://127.0.0.1:1\"";
        assert!(complaint(text).contains("anyone can be anyone"));
        assert!(complaint("[sandbox]\nlisten = \"127.0.0.1:1\"").contains("enabled"));
    }

    #[test]
    fn a_proxy_nobody_trusts_is_pointed_out() {
        let config = from_text("[server]\npublic_url = \"https://login.example.com\"").unwrap();
        assert!(config.hints().iter().any(|hint| hint.contains("trusted_proxies")));
        let text = "[server]\npublic_url = \"https://login.example.com\"\ntrusted_proxies = [\"127.0.0.1\"]";
        assert!(!from_text(text).unwrap().hints().iter().any(|hint| hint.contains("trusted_proxies")));
    }

    #[test]
    fn a_url_with_a_password_may_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store_url");
        std::fs::write(&file, "sqlite:elsewhere.db\n").unwrap();
        let text = format!("[store]\nurl_file = {file:?}\n");
        assert_eq!(from_text(&text).unwrap().store.url, "sqlite:elsewhere.db");
        assert!(complaint(&format!("{text}url = \"sqlite:mine.db\"")).contains("url or url_file, not both"));
        std::fs::write(&file, "\n").unwrap();
        assert!(complaint(&text).contains("store_url holds no url"));
        std::fs::remove_file(&file).unwrap();
        assert!(complaint(&text).contains("cannot read"));
        assert_eq!(from_text("").unwrap().store.url, UNSAID_STORE_URL, "the manual's own");
        std::fs::write(&file, "redis://app:hunter2@cache\n").unwrap();
        let text = format!("[tickets]\nurl_file = {file:?}\n");
        assert_eq!(from_text(&text).unwrap().tickets.url, "redis://app:hunter2@cache");
        assert!(complaint(&format!("{text}url = \"redis://cache\"")).contains("url or url_file, not both"));
        assert_eq!(from_text("").unwrap().tickets.url, UNSAID_TICKETS_URL, "the manual's own");
    }

    #[test]
    fn tickets_live_in_memory_unless_an_engine_is_named() {
        let at = |url: &str| format!("[tickets]\nurl = \"{url}\"");
        let named = |url: &str| from_text(&at(url)).unwrap().tickets.address().unwrap().to_string();
        assert_eq!(named("memory:"), "memory:");
        assert_eq!(named("redis://:secret@cache.internal"), "redis://cache.internal:6379");
        assert_eq!(from_text("").unwrap().tickets.address().unwrap(), TicketsAddress::Memory);
        let redeem = |text: &str| Site::new(&from_text(text).unwrap()).lifetimes.redeem.as_secs();
        assert_eq!((redeem(""), redeem(&at("redis://a"))), (30, 60), "clocks of nodes differ");
        let refused = complaint(&at("redis+sentinel://a,b"));
        assert!(refused.contains("tickets.url") && refused.contains("mymaster"), "{refused}");
        assert!(complaint(&at("memcached://a")).contains("redis://127.0.0.1:6379"));
        assert!(complaint(&at("postgres:")).contains("store.url"), "the records are in SQLite");
    }

    #[test]
    fn promise_10_the_password_of_redis_is_in_no_complaint_and_no_debug() {
        for url in ["redis://app:hunter2@", "redis+cluster://app:hunter2@a/1"] {
            let refused = complaint(&format!("[tickets]\nurl = \"{url}\""));
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        let config = from_text("[tickets]\nurl = \"redis://app:hunter2@a\"").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_private_authority_of_redis_is_a_file_with_certificates_for_an_address_with_tls() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let at = |url: &str| format!("[tickets]\nurl = \"{url}\"\nca_file = {file:?}");
        let refused = complaint(&at("rediss://a"));
        assert!(refused.contains("tickets.ca_file: cannot read") && refused.contains("ca.pem"), "{refused}");
        for (content, what) in [
            ("", "holds no certificate"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
        ] {
            std::fs::write(&file, content).unwrap();
            assert!(complaint(&at("rediss://a")).contains(what), "{content}");
        }
        let authority = rcgen::generate_simple_self_signed(["authority".to_owned()]).unwrap();
        std::fs::write(&file, authority.cert.pem()).unwrap();
        for url in ["rediss://a", "rediss+sentinel://a/m", "rediss+cluster://a,b"] {
            from_text(&at(url)).unwrap();
        }
        for url in ["redis://a", "memory:", "redis+cluster://a"] {
            let refused = complaint(&at(url));
            assert!(refused.contains("ca.pem is of no use without TLS: write rediss://"), "{url}: {refused}");
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let all = complaint("[login]\nscan_seconds = 0\nsession_hours = 999999\n");
        assert!(all.contains("scan_seconds") && all.contains("session_hours"), "{all}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = from_text(&format!("{CHANNEL}secret = \"0123456789abcdef0123456789abcdef\"")).unwrap();
        assert!(!format!("{config:?}").contains("0123456789abcdef0123456789abcdef"));
        let config = from_text("[store]\nurl = \"postgres://mashang:hunter2@db/mashang\"").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
    }
}
