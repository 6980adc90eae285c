//! The connection that everything goes through, kept alive by one task: commands one way, notifications the other.
//!
//! The keeper connects, subscribes, and only then hands the connection out, so whoever can reach Redis also hears it. It
//! looks after it with a heartbeat, and looks at once when a command had trouble. When the connection is no good it is
//! taken back, and every watcher of this node is woken once there is another: what was published in between is lost. After
//! a connection that was no good as soon as it was there, the next one is made a little later.
//!
//! A command waits a moment for a connection that is being made, then for its answer, and never longer than
//! [`PATIENCE`]. It is not repeated: a write whose answer was lost may have happened, and only its caller knows what that
//! means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::{AsyncPushSender, ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, ProtocolVersion, PushInfo, PushKind, RedisError, RedisFuture,
    RedisResult, ServerErrorKind, Value, cmd,
};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::address::{RedisAddress, Topology};
use crate::backoff::Backoff;

/// The longest that a question may take, waiting for a connection included.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// For one answer.
const RESPONSE: Duration = Duration::from_millis(1_500);
/// For a connection to be made, greeting and subscriptions included.
const CONNECT: Duration = Duration::from_millis(1_500);
/// How long a command waits for a connection that is not there.
const WAIT_FOR_LINK: Duration = Duration::from_millis(500);
/// Between two looks at a connection that seems well.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Subscriptions of a cluster come back one by one; watchers are woken when that has settled.
const SETTLE: Duration = Duration::from_millis(30);

/// Why a question got no answer. Says nothing of passwords: they are not part of any of these.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// There is no connection.
    #[error("no connection to Redis at {0}")]
    NotConnected(String),
    /// No answer in time.
    #[error("Redis at {0} did not answer in time")]
    Slow(String),
    /// Sentinels did not know, or the server they named is not one that takes writes.
    #[error("no Sentinel of {0} names a master that takes writes")]
    NoMaster(String),
    /// The one server of the address has become a replica.
    #[error("Redis at {0} is a replica and takes no writes")]
    Replica(String),
    /// Whoever answers at the address does not prove to be Redis.
    #[error(
        "the certificate of Redis at {at} is not accepted ({why}): tickets.ca_file names the authority that signed it, \
         and every host of the address must be one of its names"
    )]
    Certificate {
        /// Where.
        at: String,
        /// What is wrong with it.
        why: RedisError,
    },
    /// Redis answered, but not what it was asked.
    #[error("Redis answered otherwise than asked")]
    Unexpected,
    /// Redis said something else than an answer.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

/// A connection to whatever the address names. Cheap to clone; all clones share one socket per server.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a redis::Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

/// What the keeper is told about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// It is gone.
    Lost,
    /// Its server has become a replica.
    ReadOnly,
    /// A subscription ended or came back.
    Resubscribed,
    /// A command had trouble: look now.
    Doubt,
}

/// What hears the notifications.
pub(super) trait Listener: Clone + Send + Sync + 'static {
    /// A message arrived.
    fn hear(&self, payload: &[u8]);
    /// Messages may have been lost.
    fn missed(&self);
}

/// The way to Redis. Clones share it; with the last one the keeper ends.
#[derive(Clone)]
pub(super) struct Link {
    address: Arc<RedisAddress>,
    connection: watch::Receiver<Option<Connection>>,
    signs: mpsc::Sender<Sign>,
    _keeper: Arc<Keeper>,
}

struct Keeper(AbortHandle);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Link {
    /// Connects, and keeps connected. The first connection is waited for, so that a wrong address is told at the start.
    pub(super) async fn open(
        address: RedisAddress,
        channels: Vec<String>,
        listener: impl Listener,
    ) -> Result<Self, Fault> {
        let address = Arc::new(address);
        // Signs beyond these say nothing new.
        let (signs, heard) = mpsc::channel(8);
        let desk = Desk { address: Arc::clone(&address), channels, listener, signs: signs.clone() };
        let first = desk.connect().await?;
        let (hand_out, connection) = watch::channel(None);
        let keeper = Keeper(tokio::spawn(desk.keep(first, hand_out, heard)).abort_handle());
        Ok(Self { address, connection, signs, _keeper: Arc::new(keeper) })
    }

    /// Whether keys lie on many servers, so that no command may name two that do not share a tag.
    pub(super) fn is_cluster(&self) -> bool {
        self.address.topology == Topology::Cluster
    }

    /// Where it leads, without the password.
    pub(super) fn address(&self) -> &RedisAddress {
        &self.address
    }

    /// Asks, once.
    pub(super) async fn ask(&self, cmd: &Cmd) -> Result<Value, Fault> {
        let name = || self.address.to_string();
        let answer = timeout(PATIENCE, async {
            let mut connection = self.current().await?;
            Ok(connection.req_packed_command(cmd).await.and_then(Value::extract_error)?)
        })
        .await
        .unwrap_or_else(|_| Err(Fault::Slow(name())));
        if let Err(fault) = &answer {
            self.doubt(fault);
        }
        match answer {
            Err(Fault::Redis(error)) if error.is_timeout() => Err(Fault::Slow(name())),
            answer => answer,
        }
    }

    async fn current(&self) -> Result<Connection, Fault> {
        if let Some(connection) = &*self.connection.borrow() {
            return Ok(connection.clone());
        }
        let mut connection = self.connection.clone();
        let there = timeout(WAIT_FOR_LINK, connection.wait_for(Option::is_some)).await;
        let there = there.ok().and_then(|open| open.ok()?.clone());
        there.ok_or_else(|| Fault::NotConnected(self.address.to_string()))
    }

    fn doubt(&self, fault: &Fault) {
        let sign = match fault {
            // A former master that became a replica keeps its connections open.
            Fault::Redis(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly) => {
                Sign::ReadOnly
            }
            Fault::Redis(error) if error.is_io_error() => Sign::Doubt,
            Fault::Slow(_) => Sign::Doubt,
            _ => return,
        };
        let _ = self.signs.try_send(sign);
    }
}

/// What the keeper works with.
struct Desk<L> {
    address: Arc<RedisAddress>,
    channels: Vec<String>,
    listener: L,
    signs: mpsc::Sender<Sign>,
}

/// How a connection came to be no good.
enum End {
    /// There is another.
    Replaced(Fresh),
    Lost,
    /// Its server takes no writes.
    ReadOnly,
}

/// A connection, and the channels that it could not subscribe to yet.
struct Fresh {
    connection: Connection,
    missing: Vec<String>,
    /// Set once the connection is replaced: what it still says is of no interest.
    retired: Arc<AtomicBool>,
}

impl<L: Listener> Desk<L> {
    async fn keep(
        self,
        first: Fresh,
        hand_out: watch::Sender<Option<Connection>>,
        mut signs: mpsc::Receiver<Sign>,
    ) {
        let mut next = Some(first);
        let mut backoff = Backoff::default();
        // Set once a server took no writes, until one is met that is no replica. An address or a name may lead back to it for
        // a while, and nobody is to be woken for that.
        let mut shuns_replicas = false;
        // What was logged since it last answered: each trouble once, however long it lasts.
        let mut told: Vec<String> = Vec::new();
        loop {
            let fresh = match next.take() {
                Some(fresh) => fresh,
                None => match self.connect_and_look(shuns_replicas).await {
                    Ok(fresh) => fresh,
                    Err(fault) => {
                        let words = fault.to_string();
                        if !told.contains(&words) {
                            tracing::warn!("tickets: {words}; trying again");
                            told.push(words);
                        }
                        backoff.pause().await;
                        continue;
                    }
                },
            };
            if !told.is_empty() {
                tracing::info!("tickets: {} answers again", self.address);
                told.clear();
            }
            let made = Instant::now();
            // What was said of the former connection.
            while signs.try_recv().is_ok() {}
            hand_out.send_replace(Some(fresh.connection.clone()));
            self.listener.missed();
            let retired = Arc::clone(&fresh.retired);
            let end = self.attend(fresh, &mut signs).await;
            retired.store(true, Ordering::Relaxed);
            shuns_replicas = matches!(end, End::ReadOnly);
            let words = match end {
                End::Replaced(fresh) => {
                    next = Some(fresh);
                    continue;
                }
                End::Lost => format!("the connection to {} is lost", self.address),
                End::ReadOnly => Fault::Replica(self.address.to_string()).to_string(),
            };
            hand_out.send_replace(None);
            tracing::warn!("tickets: {words}; connecting again");
            told.push(words);
            backoff.lost(made).await;
        }
    }

    /// Looks after a connection until it is no good. A cluster, which is never lost as a whole, is replaced once another
    /// connection to it is open.
    async fn attend(&self, mut fresh: Fresh, signs: &mut mpsc::Receiver<Sign>) -> End {
        let is_cluster = matches!(fresh.connection, Connection::Cluster(_));
        let mut silent = 0;
        loop {
            match timeout(HEARTBEAT, signs.recv()).await {
                Ok(None | Some(Sign::Lost)) if !is_cluster => return End::Lost,
                Ok(Some(Sign::ReadOnly)) if !is_cluster => return End::ReadOnly,
                Ok(Some(Sign::Lost | Sign::ReadOnly | Sign::Resubscribed)) => {
                    sleep(SETTLE).await;
                    while signs.try_recv().is_ok() {}
                    self.listener.missed();
                }
                Ok(None | Some(Sign::Doubt)) | Err(_) => {}
            }
            if !fresh.missing.is_empty() {
                let before = fresh.missing.len();
                fresh.missing = subscribe(&fresh.connection, std::mem::take(&mut fresh.missing)).await;
                if fresh.missing.len() < before {
                    self.listener.missed();
                }
            }
            if self.is_well(&mut fresh.connection).await {
                silent = 0;
                continue;
            }
            match &fresh.connection {
                Connection::One(_) => return End::Lost,
                // One dead server of a cluster is its own business for a while; a connection that stays silent is ours.
                Connection::Cluster(_) => {
                    silent += 1;
                    if silent >= 2
                        && let Ok(replacement) = self.connect().await
                    {
                        return End::Replaced(replacement);
                    }
                }
            }
        }
    }

    async fn is_well(&self, connection: &mut Connection) -> bool {
        let is_watched_by_sentinels = matches!(self.address.topology, Topology::Sentinel { .. });
        let question = async {
            if is_watched_by_sentinels {
                is_master(connection).await
            } else {
                cmd("PING").query_async::<Value>(connection).await.map(|_| true)
            }
        };
        matches!(timeout(RESPONSE, question).await, Ok(Ok(true)))
    }

    /// Connects; if it `shuns_replicas`, to nothing that says it is one. A server that refuses to say what it is (a proxy, a
    /// user without that right) is taken as it is.
    async fn connect_and_look(&self, shuns_replicas: bool) -> Result<Fresh, Fault> {
        let mut fresh = self.connect().await?;
        if shuns_replicas && let Ok(Ok(true)) = timeout(RESPONSE, is_replica(&mut fresh.connection)).await {
            fresh.retired.store(true, Ordering::Relaxed);
            return Err(Fault::Replica(self.address.to_string()));
        }
        Ok(fresh)
    }

    async fn connect(&self) -> Result<Fresh, Fault> {
        let slow = || Err(Fault::Slow(self.address.to_string()));
        // A cluster is asked for its layout, Sentinels one after the other for their master.
        match timeout(CONNECT * 2, self.connect_now()).await.unwrap_or_else(|_| slow()) {
            Err(Fault::Redis(why)) if is_about_a_certificate(&why) => {
                Err(Fault::Certificate { at: self.address.to_string(), why })
            }
            outcome => outcome,
        }
    }

    async fn connect_now(&self) -> Result<Fresh, Fault> {
        let retired = Arc::new(AtomicBool::new(false));
        let mut connection = match &self.address.topology {
            Topology::Single => {
                let (host, port) = &self.address.hosts[0];
                self.server(host, *port, &retired).await?
            }
            Topology::Sentinel { master } => self.master(master, &retired).await?,
            Topology::Cluster => self.cluster(&retired).await?,
        };
        let missing = match &mut connection {
            Connection::One(one) => {
                one.subscribe(&self.channels).await?;
                Vec::new()
            }
            Connection::Cluster(_) => subscribe(&connection, self.channels.clone()).await,
        };
        Ok(Fresh { connection, missing, retired })
    }

    async fn server(&self, host: &str, port: u16, retired: &Arc<AtomicBool>) -> Result<Connection, Fault> {
        let client = self.address.server(host, port)?;
        let config = patient().set_push_sender(self.ear(retired));
        Ok(Connection::One(client.get_multiplexed_async_connection_with_config(&config).await?))
    }

    /// Asks the Sentinels in turn, and believes none without asking the server.
    async fn master(&self, name: &str, retired: &Arc<AtomicBool>) -> Result<Connection, Fault> {
        let mut last = Fault::NoMaster(self.address.to_string());
        for (host, port) in &self.address.hosts {
            let named = match timeout(CONNECT / 2, self.named_master(host, *port, name)).await {
                Ok(Ok(Some(named))) => named,
                Ok(Ok(None)) | Err(_) => continue,
                Ok(Err(error)) => {
                    last = error.into();
                    continue;
                }
            };
            match timeout(CONNECT, self.server(&named.0, named.1, retired)).await {
                Ok(Ok(mut connection)) => {
                    if is_master(&mut connection).await? {
                        return Ok(connection);
                    }
                }
                Ok(Err(fault)) => last = fault,
                Err(_) => last = Fault::Slow(self.address.to_string()),
            }
        }
        Err(last)
    }

    async fn named_master(&self, host: &str, port: u16, name: &str) -> RedisResult<Option<(String, u16)>> {
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        let ask = async |with_password| {
            let client = self.address.sentinel(host, port, with_password)?;
            let mut sentinel = client.get_multiplexed_async_connection_with_config(&patient()).await?;
            question.query_async::<Option<(String, u16)>>(&mut sentinel).await
        };
        match ask(self.address.has_password()).await {
            // A Sentinel without a password refuses to be told one.
            Err(_) if self.address.has_password() => ask(false).await,
            answer => answer,
        }
    }

    async fn cluster(&self, retired: &Arc<AtomicBool>) -> Result<Connection, Fault> {
        let servers = self.address.hosts.iter().map(|(host, port)| self.address.server(host, *port));
        let nodes: RedisResult<Vec<_>> =
            servers.map(|server| Ok(server?.get_connection_info().clone())).collect();
        let mut client = ClusterClientBuilder::new(nodes?)
            .use_protocol(ProtocolVersion::RESP3)
            .connection_timeout(CONNECT)
            .response_timeout(RESPONSE)
            .overall_response_timeout(Some(PATIENCE))
            .retries(4)
            .min_retry_wait(50)
            .max_retry_wait(400)
            .push_sender(self.ear(retired));
        if let Some(certificates) = self.address.certificates() {
            client = client.certs(certificates);
        }
        Ok(Connection::Cluster(client.build()?.get_async_connection().await?))
    }

    /// Takes what the server pushes, on the connection's own task: it must not wait.
    fn ear(&self, retired: &Arc<AtomicBool>) -> impl AsyncPushSender {
        let (listener, signs, retired) = (self.listener.clone(), self.signs.clone(), Arc::clone(retired));
        move |push: PushInfo| -> Result<(), ()> {
            if retired.load(Ordering::Relaxed) {
                return Ok(());
            }
            match push.kind {
                PushKind::Message | PushKind::SMessage => {
                    if let Some(Value::BulkString(payload)) = push.data.get(1) {
                        listener.hear(payload);
                    }
                }
                PushKind::Disconnection => {
                    let _ = signs.try_send(Sign::Lost);
                }
                PushKind::SUnsubscribe | PushKind::Unsubscribe | PushKind::SSubscribe => {
                    let _ = signs.try_send(Sign::Resubscribed);
                }
                _ => {}
            }
            Ok(())
        }
    }
}

/// By what rustls says: the client keeps its error where nobody can ask for its kind.
fn is_about_a_certificate(error: &RedisError) -> bool {
    error.is_io_error() && error.to_string().contains("invalid peer certificate")
}

fn patient() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(RESPONSE))
}

async fn is_master(connection: &mut Connection) -> RedisResult<bool> {
    Ok(role(connection).await?.as_deref() == Some(b"master"))
}

/// KeyDB's `active-replica`, which takes writes, is none.
async fn is_replica(connection: &mut Connection) -> RedisResult<bool> {
    Ok(role(connection).await?.as_deref() == Some(b"slave"))
}

async fn role(connection: &mut Connection) -> RedisResult<Option<Vec<u8>>> {
    let Value::Array(parts) = cmd("ROLE").query_async(connection).await? else { return Ok(None) };
    Ok(parts.into_iter().next().and_then(|role| match role {
        Value::BulkString(name) => Some(name),
        _ => None,
    }))
}

/// Subscribes in each channel's own slot, and returns those that could not be.
async fn subscribe(connection: &Connection, channels: Vec<String>) -> Vec<String> {
    let Connection::Cluster(cluster) = connection else { return Vec::new() };
    let each = channels.into_iter().map(|channel| {
        let mut cluster = cluster.clone();
        async move { cluster.ssubscribe(&channel).await.err().map(|_| channel) }
    });
    futures_util::future::join_all(each).await.into_iter().flatten().collect()
}
