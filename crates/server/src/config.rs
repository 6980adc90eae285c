//! Configuration: one TOML file over the embedded manual ([`DEFAULT`]), the environment over both.
//!
//! [`load`] reads and merges into the [`sections`], [`Config::check`] says everything that is wrong at once, in sentences. What the flow needs
//! at run time is built from it in [`crate::state`]; nothing else reads files or the environment.

pub mod app;
pub mod channel;
mod check;
pub mod claims;
mod going_live;
pub mod legal;
pub mod secret;
mod sections;
pub mod sender;
#[cfg(test)]
mod tests;
pub mod this_device;
pub mod traces;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use mashang_login::ids::ChannelId;
use serde::Deserialize;
use url::Url;

use self::channel::ChannelSection;
use self::claims::ClaimsSection;
use self::legal::LegalSection;
use self::secret::secret_of;
pub use self::sections::{
    AccountSection, AuditSection, Hidden, LimitsSection, LogFormat, LogSection, LoginSection,
    OperationsSection, ProxyNetwork, SandboxSection, ServerSection, StoreSection, TicketsSection,
    TokensSection,
};
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

impl ConfigError {
    /// The sentence, with what the system says of it.
    pub(crate) fn with_cause(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }
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
    /// `[legal]`
    pub legal: LegalSection,
    /// `[login]`
    pub login: LoginSection,
    /// `[tokens]`
    pub tokens: TokensSection,
    /// `[account]`
    pub account: AccountSection,
    /// `[limits]`
    pub limits: LimitsSection,
    /// `[audit]`
    pub audit: AuditSection,
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
    let mut config: Config = figment.extract().map_err(|error| malformed(&figment, error))?;
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

/// What cannot be read as settings. Reading ends at the first of it, so channels are each read alone then: every one that has
/// something wrong is named.
fn malformed(figment: &Figment, first: figment::Error) -> ConfigError {
    let mut sentences = sentences_of(first);
    let channels = figment.extract_inner::<BTreeMap<String, figment::value::Value>>("channel");
    for id in channels.unwrap_or_default().into_keys() {
        if let Err(error) = figment.extract_inner::<ChannelSection>(&format!("channel.{id}")) {
            sentences.extend(sentences_of(error));
        }
    }
    let mut told = BTreeSet::new();
    sentences.retain(|sentence| told.insert(sentence.clone()));
    ConfigError::Malformed(sentences.join("\n"))
}

fn sentences_of(error: figment::Error) -> Vec<String> {
    let sentence = |one: figment::Error| {
        let place = one.path.join(".");
        if place.is_empty() { one.kind.to_string() } else { format!("{place}: {}", one.kind) }
    };
    error.into_iter().map(sentence).collect()
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

impl Config {
    /// The sandbox's address, if it is in use.
    #[must_use]
    pub fn sandbox_url(&self) -> Option<Url> {
        if self.sandbox.enabled { Url::parse(&self.sandbox.url).ok() } else { None }
    }
}
