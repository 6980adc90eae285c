//! Opens everything a configuration names (database, tickets' engine, master key, signing keys, channels) and puts an [`App`] together.

mod master_key;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::counters::Counters;
use mashang_login::credentials::Credentials;
use mashang_login::records::{Records, StoreError};
use mashang_login::seal::{SealError, Sealer};
use mashang_login::trail::Trail;
use mashang_login::{Clock, Entropy};
use mashang_oidc::keys::{KeyError, KeyRing, RotationPolicy};
use mashang_oidc::token::TokenPolicy;
use mashang_oidc::{Issuer, Provider};
use mashang_store::memory::MemoryLimits;
use mashang_store::sql::moving;
pub use mashang_store::sql::moving::{MoveError, Moved, Progress};
pub use mashang_store::sql::{Migrated, OpenError as DatabaseError, Schema, Tables};
use mashang_store::sql::{SqlOptions, SqlRecords};
use mashang_store::tickets::{TicketStore, TicketsAddress, TicketsOpenError};
use tokio_util::sync::CancellationToken;

use crate::channel::Channels;
use crate::config::{Config, ConfigError};
use crate::finish::Begun;
use crate::health;
use crate::metrics::Metrics;
use crate::metrics::engines::Timed;
use crate::oauth::cors::Origins;
use crate::oauth::scopes::LeftOut;
use crate::platform;
use crate::state::{App, Parts, Site};
use crate::traces::Traces;
use crate::web::counts::Counts;
use crate::web::limits::Limits;
use crate::web::pages::Pages;
use crate::web::request_id::RequestIds;
use crate::web::sdk::Sdk;
use crate::web::seldom::Seldom;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error("store.url")]
    Database(#[from] DatabaseError),
    /// An export or import.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// Nothing is there to export.
    #[error(
        "store.url: the database holds neither signing keys nor people, so no server has started on it; \
         is it the right one? nothing was exported"
    )]
    NothingThere,
    /// The engine of the tickets.
    #[error("tickets.url{}", tickets_advice(.0))]
    Tickets(#[from] TicketsOpenError),
    /// The master key's file.
    #[error("store.master_key_file: {path}: {what}")]
    MasterKey {
        /// Which file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The database belongs to another master key. In both languages: whoever adds a node reads it.
    #[error(
        "store.master_key_file: {path} is another master key than the one this database belongs to, and nothing was \
         changed; copy the master key file of a node that serves this database over it, or set store.master_key_file \
         (MASHANG_STORE__MASTER_KEY_FILE) to a copy \
         / 这个数据库属于另一把主密钥，什么也没有改动：请从正在使用它的节点复制主密钥文件，覆盖 {path}，或者让 \
         store.master_key_file（MASHANG_STORE__MASTER_KEY_FILE）指向复制来的文件"
    )]
    OtherMasterKey {
        /// The file of the key that this node has.
        path: String,
    },
    /// The signing keys.
    #[error("signing keys")]
    Keys(#[source] KeyError),
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
    /// Asks the server to stop: first it takes no new browsers.
    pub leaving: CancellationToken,
    /// Stops it.
    pub stopping: CancellationToken,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            leaving: CancellationToken::new(),
            stopping: CancellationToken::new(),
        }
    }
}

/// Opens the records alone, for commands that do not serve: they make no database and change no table.
///
/// # Errors
/// [`OpenError::Database`].
pub async fn records(config: &Config) -> Result<Arc<dyn Records>, OpenError> {
    records_with(config, Tables::AsTheyAre).await
}

/// As [`records`], for commands that may come before the first start.
///
/// # Errors
/// [`OpenError::Database`].
pub async fn records_with(config: &Config, tables: Tables) -> Result<Arc<dyn Records>, OpenError> {
    Ok(Arc::new(database(config, tables).await?))
}

/// Opens the records and the credentials beside them, for commands that set passwords.
///
/// # Errors
/// [`OpenError::Database`].
pub async fn people(config: &Config) -> Result<(Arc<dyn Records>, Arc<dyn Credentials>), OpenError> {
    people_with(config, Tables::AsTheyAre).await
}

/// As [`people`], for commands that may come before the first start.
///
/// # Errors
/// [`OpenError::Database`].
pub async fn people_with(
    config: &Config,
    tables: Tables,
) -> Result<(Arc<dyn Records>, Arc<dyn Credentials>), OpenError> {
    let database = Arc::new(database(config, tables).await?);
    Ok((database.clone(), database))
}

/// Opens the audit trail with what its checkpoints are made by, for commands that look after it.
///
/// # Errors
/// [`OpenError::Database`], [`OpenError::MasterKey`], [`OpenError::OtherMasterKey`].
pub async fn trail(config: &Config) -> Result<(Arc<dyn Trail>, Sealer), OpenError> {
    let path = &config.store.master_key_file;
    let master = master_key::needed(path, "the audit trail's checkpoints are made with it")?;
    let database = database(config, Tables::AsTheyAre).await?;
    let sealer = Sealer::new(&master);
    match database.master_key_check().await? {
        Some(check) if sealer.recognise(&check).is_err() => {
            Err(OpenError::OtherMasterKey { path: path.display().to_string() })
        }
        _ => Ok((Arc::new(database), sealer)),
    }
}

/// Opens the signing keys and the records that they are in, for commands that look after them.
///
/// # Errors
/// [`OpenError::Database`], [`OpenError::MasterKey`], [`OpenError::OtherMasterKey`], [`OpenError::Keys`].
pub async fn keys(config: &Config) -> Result<(KeyRing, Arc<dyn Records>), OpenError> {
    let path = &config.store.master_key_file;
    let master = master_key::needed(path, "the signing keys are sealed with it")?;
    let records = records(config).await?;
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let sealer = Arc::new(Sealer::new(&master));
    let loading = KeyRing::load(records.clone(), sealer, clock, entropy, RotationPolicy::default());
    Ok((loading.await.map_err(|error| keys_error(error, path))?, records))
}

/// Brings the tables up to date without serving.
///
/// # Errors
/// [`OpenError::Database`].
pub async fn migrate(config: &Config) -> Result<Migrated, OpenError> {
    Ok(SqlRecords::migrate(&config.store.url).await?)
}

/// What [`migrate`] would do; nothing is made or changed.
///
/// # Errors
/// [`OpenError::Database`].
pub async fn look(config: &Config) -> Result<Schema, OpenError> {
    Ok(SqlRecords::look(&config.store.url).await?)
}

/// Writes all records that last as text, see [`moving`]. A database on which no server has started is not the one that was meant.
///
/// # Errors
/// [`OpenError::Database`], [`OpenError::NothingThere`], [`OpenError::Move`].
pub async fn export(
    config: &Config,
    to: &mut (dyn std::io::Write + Send),
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Moved, OpenError> {
    let records = records(config).await?;
    if records.signing_keys().await?.is_empty() && records.users("", 1).await?.is_empty() {
        return Err(OpenError::NothingThere);
    }
    drop(records);
    Ok(moving::export(&config.store.url, to, progress).await?)
}

/// Reads an export into the empty database, if the master key of the configuration opens its signing keys.
///
/// # Errors
/// [`OpenError::MasterKey`], [`OpenError::Move`].
pub async fn import(
    config: &Config,
    from: &mut (dyn std::io::BufRead + Send),
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Moved, OpenError> {
    let what_for =
        "the export's signing keys are sealed with that of the exported installation: copy it here first";
    let sealer = Sealer::new(&master_key::needed(&config.store.master_key_file, what_for)?);
    let opens = |sealed: &[u8], place: &str| sealer.open(sealed, place).is_ok();
    Ok(moving::import(&config.store.url, from, &opens, progress).await?)
}

async fn database(config: &Config, tables: Tables) -> Result<SqlRecords, OpenError> {
    Ok(SqlRecords::connect(&config.store.url, SqlOptions { tables, ..SqlOptions::default() }).await?)
}

/// An installation, for who must not be the first to start it.
#[derive(Debug)]
pub enum Installation {
    /// As [`app`] opens it.
    Started(Box<App>),
    /// A server of this version has yet to start on the database; why one can tell, in a sentence.
    NotStarted(String),
}

/// Opens everything if a server of this version has started on the database. If not, nothing is made or changed.
///
/// # Errors
/// As [`app`].
pub async fn installation(config: &Config, surroundings: Surroundings) -> Result<Installation, OpenError> {
    let database = match database(config, Tables::AsTheyAre).await {
        Err(OpenError::Database(error)) if error.is_before_the_start() => {
            return Ok(Installation::NotStarted(error.to_string()));
        }
        opened => opened?,
    };
    if is_unclaimed(&database).await? {
        return Ok(Installation::NotStarted(
            "the database has no signing keys, so no server has started on it".into(),
        ));
    }
    Ok(Installation::Started(Box::new(app_on(database, config, surroundings).await?)))
}

/// Whether no server has started on the database yet: nothing in it was sealed.
///
/// # Errors
/// [`StoreError`] when the database does not answer.
pub async fn is_unclaimed(records: &dyn Records) -> Result<bool, StoreError> {
    Ok(records.signing_keys().await?.is_empty() && records.master_key_check().await?.is_none())
}

/// Opens everything, and makes what the first start makes.
///
/// # Errors
/// [`OpenError`] naming the setting to look at.
pub async fn app(config: &Config, surroundings: Surroundings) -> Result<App, OpenError> {
    app_on(database(config, Tables::BroughtUpToDate).await?, config, surroundings).await
}

async fn app_on(database: SqlRecords, config: &Config, surroundings: Surroundings) -> Result<App, OpenError> {
    let Surroundings { clock, entropy, leaving, stopping } = surroundings;
    let metrics = Arc::new(Metrics::default());
    let system = system_of(&config.store.url);
    let timed = Arc::new(Timed::new(Arc::new(database), "records", metrics.clone()).on(system));
    let records: Arc<dyn Records> = timed.clone();
    let signing_keys = records.signing_keys().await?;
    let is_first_start = signing_keys.is_empty();
    let is_claimed = !is_first_start || records.master_key_check().await?.is_some();
    let path = &config.store.master_key_file;
    let master = master_key::read_or_make(path, is_claimed, &*entropy)?;
    let sealer = Arc::new(Sealer::new(&master));
    let keys = KeyRing::load(
        records.clone(),
        sealer.clone(),
        clock.clone(),
        entropy.clone(),
        RotationPolicy::default(),
    )
    .await
    .map_err(|error| keys_error(error, path))?;
    if config.sandbox.enabled {
        records.note_sandbox(clock.now()).await?;
    } else if let Some(doubt) = sandbox_remains(&*records).await? {
        tracing::warn!("store.url: {doubt}");
    }
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
        credentials: timed.clone(),
        keys,
        clock: clock.clone(),
        entropy: entropy.clone(),
        issuer,
        policy: policy(config),
        claims: Arc::new(config.claims.policy()?),
    };
    let limits = MemoryLimits { live_tickets: config.limits.live_tickets, ..Default::default() };
    let address = config.tickets.address().map_err(|wrong| ConfigError::Wrong(vec![wrong]))?;
    let system = match address {
        TicketsAddress::Postgres => system,
        _ => "redis",
    };
    let is_in_memory = matches!(address, TicketsAddress::Memory);
    let mut store = TicketStore::open(address, &config.store.url, limits, &*entropy).await?;
    if !is_in_memory {
        store.tickets = Arc::new(Timed::new(store.tickets, "tickets", metrics.clone()).on(system));
        store.handshakes = Arc::new(Timed::new(store.handshakes, "tickets", metrics.clone()).on(system));
        store.challenges = Arc::new(Timed::new(store.challenges, "tickets", metrics.clone()).on(system));
        store.counters = store.counters.map(|counters| -> Arc<dyn Counters> {
            Arc::new(Timed::new(counters, "tickets", metrics.clone()).on(system))
        });
    }
    let sdk = Arc::new(Sdk::embedded());
    let traces = Traces::open(&config.traces, entropy.clone())?;
    let site = Site::new(config);
    Ok(App::new(Parts {
        pages: Pages::new(config.sandbox.enabled, site.transport, &sdk, &config.legal),
        site,
        records,
        credentials: timed.clone(),
        consents: timed.clone(),
        trail: timed.clone(),
        tickets: store.tickets,
        handshakes: store.handshakes,
        challenges: store.challenges,
        provider,
        channels: Channels::new(config, &metrics)?,
        sealer: sealer.clone(),
        tokens: platform::Tokens::new(timed, sealer, clock.clone(), entropy.clone()),
        clock,
        sdk,
        origins: Origins::default(),
        limits: Limits::new(&config.limits).counted(metrics.clone()),
        counts: Counts::new(store.counters).counted(metrics.clone()),
        request_ids: RequestIds::random(&*entropy),
        outages: Seldom::default(),
        scopes_left_out: LeftOut::default(),
        told: health::Told::default(),
        begun: Begun::default(),
        entropy,
        metrics,
        traces,
        leaving,
        stopping,
    }))
}

/// What to say, where the sandbox is not in use, of records from when it was.
///
/// # Errors
/// [`StoreError`] when the database does not answer.
pub async fn sandbox_remains(records: &dyn Records) -> Result<Option<String>, StoreError> {
    let since = records.sandbox_since().await?;
    Ok(since.map(|since| {
        let day = since.strftime("%F");
        format!(
            "this database was used with the sandbox since {day}, where anyone can be anyone: its people and their sessions, e-mail addresses and phone numbers prove nothing. Go live with a new one: another store.url and store.master_key_file, and register your websites there"
        )
    }))
}

/// Whether [`app`] may be dropped while it opens things, without harm to the database. What it wrote until then is undone or counts:
/// SQLite applies all of its migrations in one transaction, and PostgreSQL each in one. MySQL and MariaDB commit
/// each change of a table by itself; a migration that was cut off there is not taken up again, and the backup is the way on. Whether
/// this node changes tables or still waits until another one has is nothing that the store tells.
#[must_use]
pub fn may_be_cut_short(config: &Config) -> bool {
    system_of(&config.store.url) != "mysql"
}

/// The engine of a database's address, in OpenTelemetry's words (`db.system.name`).
fn system_of(url: &str) -> &'static str {
    match url.split_once(':').map_or("", |(scheme, _)| scheme) {
        "sqlite" => "sqlite",
        "mysql" | "mariadb" => "mysql",
        _ => "postgresql",
    }
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

/// Keys that another master key sealed are of a database that belongs to it, also where nobody has said so yet.
fn keys_error(error: KeyError, path: &Path) -> OpenError {
    match error {
        KeyError::OtherMasterKey(SealError::OtherKey)
        | KeyError::Sealed { source: SealError::OtherKey, .. } => {
            OpenError::OtherMasterKey { path: path.display().to_string() }
        }
        error => OpenError::Keys(error),
    }
}

/// What to try first. An engine whose certificate does not count is there, and says itself what to look at.
fn tickets_advice(error: &TicketsOpenError) -> &'static str {
    match error {
        TicketsOpenError::Redis(error) if error.is_about_its_certificate() => "",
        _ => ": start the engine or correct the address; for one node alone write url = \"memory:\"",
    }
}
