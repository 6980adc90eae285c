//! Opens everything a configuration names (database, master key, signing keys, channels) and puts an [`App`] together.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::records::{Records, StoreError};
use mashang_login::seal::{MasterKey, Sealer};
use mashang_login::{Clock, Entropy};
use mashang_oidc::keys::{KeyError, KeyRing, RotationPolicy};
use mashang_oidc::token::TokenPolicy;
use mashang_oidc::{Issuer, Provider};
use mashang_store::memory::{MemoryLimits, MemoryTickets};
use mashang_store::sql::{OpenError as DatabaseError, SqlOptions, SqlRecords};
use tokio_util::sync::CancellationToken;

use crate::channel::Channels;
use crate::config::{Config, ConfigError};
use crate::state::{App, Parts, Site};
use crate::web::limits::Limits;
use crate::web::pages::Pages;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error("store.url")]
    Database(#[from] DatabaseError),
    /// The master key's file.
    #[error("store.master_key_file: {path}: {what}")]
    MasterKey {
        /// Which file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The signing keys, most likely sealed with another master key.
    #[error("signing keys")]
    Keys(#[from] KeyError),
    /// The issuer.
    #[error("server.public_url")]
    Issuer(#[from] mashang_oidc::IssuerError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What tests hand in instead of the ambient things.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Asks the server to stop.
    pub stopping: CancellationToken,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            stopping: CancellationToken::new(),
        }
    }
}

/// Opens the records alone, for commands that do not serve.
///
/// # Errors
/// [`OpenError::Database`].
pub async fn records(config: &Config) -> Result<Arc<dyn Records>, OpenError> {
    Ok(Arc::new(SqlRecords::connect(&config.store.url, SqlOptions::default()).await?))
}

/// Opens everything.
///
/// # Errors
/// [`OpenError`] naming the setting to look at.
pub async fn app(config: &Config, surroundings: Surroundings) -> Result<App, OpenError> {
    let Surroundings { clock, entropy, stopping } = surroundings;
    let records = records(config).await?;
    let master = master_key(&config.store.master_key_file, &*entropy)?;
    let sealer = Arc::new(Sealer::new(&master));
    let is_first_start = records.signing_keys().await?.is_empty();
    let keys =
        KeyRing::load(records.clone(), sealer, clock.clone(), entropy.clone(), RotationPolicy::default())
            .await?;
    if is_first_start {
        records.record(&AuditEvent::new(clock.now(), AuditKind::KeysRotated)).await?;
        tracing::info!("first start: signing keys made");
    }
    let url = config.server.public_url.as_str();
    let issuer = if config.server.allow_cleartext {
        Issuer::parse_allowing_cleartext(url)?
    } else {
        Issuer::parse(url)?
    };
    let provider = Provider {
        records: records.clone(),
        keys,
        clock: clock.clone(),
        entropy: entropy.clone(),
        issuer,
        policy: policy(config),
    };
    let memory = Arc::new(MemoryTickets::new(MemoryLimits {
        live_tickets: config.limits.live_tickets,
        ..Default::default()
    }));
    Ok(App::new(Parts {
        site: Site::new(config),
        records,
        tickets: memory.clone(),
        handshakes: memory,
        provider,
        channels: Channels::new(config)?,
        clock,
        entropy,
        pages: Pages::new(config.sandbox.enabled),
        limits: Limits::new(&config.limits),
        stopping,
    }))
}

fn policy(config: &Config) -> TokenPolicy {
    let tokens = &config.tokens;
    let days = |n: u32| Duration::from_secs(u64::from(n) * 24 * 3600);
    TokenPolicy {
        access_token: Duration::from_secs(tokens.access_seconds.into()),
        id_token: Duration::from_secs(tokens.id_seconds.into()),
        refresh_idle: days(tokens.refresh_idle_days),
        family: days(tokens.refresh_total_days),
        ..TokenPolicy::default()
    }
}

/// Reads the master key, or makes one on the first start, readable by the owner only.
fn master_key(path: &Path, entropy: &dyn Entropy) -> Result<MasterKey, OpenError> {
    let wrong = |what: String| OpenError::MasterKey { path: path.display().to_string(), what };
    match std::fs::read(path) {
        Ok(bytes) => {
            let bytes: [u8; 32] = bytes.try_into().map_err(|_| wrong("must hold exactly 32 bytes".into()))?;
            Ok(MasterKey::from_bytes(bytes))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = MasterKey::random(entropy);
            write_new(path, key.expose()).map_err(|error| wrong(format!("cannot be made: {error}")))?;
            tracing::info!(
                "first start: master key made in {}; back it up apart from the database",
                path.display()
            );
            Ok(key)
        }
        Err(error) => Err(wrong(format!("cannot be read: {error}"))),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
