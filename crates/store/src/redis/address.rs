//! Addresses of Redis: one server, a master that Sentinels know, or a cluster.
//!
//! ```text
//! redis://[user:password@]host[:port][/db]
//! redis+sentinel://[user:password@]host[:port],host[:port]/master-name[/db]
//! redis+cluster://[user:password@]host[:port],host[:port]
//! ```
//!
//! `rediss` in the place of `redis` speaks TLS and checks the certificate against the operating system's roots, or against
//! one's own authority ([`RedisAddress::trusting`]). User and password may be percent-encoded.

use std::fmt;
use std::str::FromStr;

use redis::{
    Client, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo, RedisResult,
    TlsCertificates,
};

/// Ports that nobody writes out.
const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
/// What a certificate begins with (RFC 7468 §5.1).
const PEM_CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Which kind of Redis is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Topology {
    /// The one host is the server.
    Single,
    /// The hosts are Sentinels; they know where the master of this name is.
    Sentinel { master: String },
    /// The hosts are some nodes of a cluster.
    Cluster,
}

/// Where Redis is. `Debug` and `Display` show no password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    pub(super) topology: Topology,
    pub(super) hosts: Vec<(String, u16)>,
    tls: bool,
    /// Certificates of the authorities that are trusted, in PEM, instead of the operating system's.
    authorities: Option<Vec<u8>>,
    user: Option<String>,
    password: Option<String>,
    db: i64,
}

/// Not an address of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another scheme.
    #[error("is none of memory:, postgres:, redis://…, rediss://…, redis+sentinel://…, redis+cluster://…")]
    Scheme,
    /// A host is missing or its port is no number.
    #[error("needs a host, such as redis://127.0.0.1:6379")]
    Host,
    /// One server was meant, and several are named.
    #[error("names several hosts: write redis+sentinel:// or redis+cluster://")]
    Several,
    /// Sentinels without a master's name.
    #[error("needs the master's name, such as redis+sentinel://a:26379,b:26379/mymaster")]
    Master,
    /// Not a number where the database is.
    #[error("the database after the last / must be a number such as 0")]
    Database,
    /// A cluster has one database.
    #[error("a cluster has one database: leave away what comes after the hosts")]
    ClusterDatabase,
    /// User or password.
    #[error("the user or the password is not percent-encoded UTF-8")]
    Credentials,
    /// Something that this version would ignore.
    #[error("? and # mean nothing here; write them as %3F and %23 if they belong to the password")]
    Query,
}

/// Why certificates of authorities cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// Nobody would look at them.
    #[error("is of no use without TLS: write rediss:// in the place of redis://")]
    NoTls,
    /// Nothing to trust.
    #[error("holds no certificate: it must be PEM, which begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    /// A certificate that cannot be read.
    #[error("holds a certificate that cannot be read: {0}")]
    Damaged(String),
}

impl FromStr for RedisAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let (tls, kind) = match scheme.split_once('+').unwrap_or((scheme, "")) {
            ("redis" | "valkey", kind) => (false, kind),
            ("rediss" | "valkeys", kind) => (true, kind),
            _ => return Err(AddressError::Scheme),
        };
        if rest.contains(['?', '#']) {
            return Err(AddressError::Query);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        let (user, password) = credentials.map(read_credentials).transpose()?.unwrap_or_default();
        let port = if kind == "sentinel" { SENTINEL_PORT } else { REDIS_PORT };
        let hosts = hosts.split(',').map(|host| read_host(host, port)).collect::<Result<Vec<_>, _>>()?;
        let (topology, db) = match kind {
            "" if hosts.len() > 1 => return Err(AddressError::Several),
            "" => (Topology::Single, path),
            "sentinel" => {
                let (master, db) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(AddressError::Master);
                }
                (Topology::Sentinel { master: master.to_owned() }, db)
            }
            "cluster" if path.is_empty() || path == "0" => (Topology::Cluster, ""),
            "cluster" => return Err(AddressError::ClusterDatabase),
            _ => return Err(AddressError::Scheme),
        };
        let db =
            if db.is_empty() { 0 } else { db.parse::<u16>().map_err(|_| AddressError::Database)?.into() };
        Ok(Self { topology, hosts, tls, authorities: None, user, password, db })
    }
}

fn read_host(text: &str, port: u16) -> Result<(String, u16), AddressError> {
    // An IPv6 address stands in brackets, and has colons of its own.
    let (host, rest) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(AddressError::Host)?,
        None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => port.parse().map_err(|_| AddressError::Host)?,
        None if rest.is_empty() => port,
        None => return Err(AddressError::Host),
    };
    if host.is_empty() { Err(AddressError::Host) } else { Ok((host.to_owned(), port)) }
}

type Credentials = (Option<String>, Option<String>);

fn read_credentials(text: &str) -> Result<Credentials, AddressError> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let part = |text: &str| {
        if text.is_empty() {
            Ok(None)
        } else {
            percent_decoded(text).map(Some).ok_or(AddressError::Credentials)
        }
    };
    Ok((part(user)?, part(password)?))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

impl RedisAddress {
    /// Trusts the authorities whose certificates are in `pem`, and no others.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn trusting(mut self, pem: Vec<u8>) -> Result<Self, AuthorityError> {
        if !self.tls {
            return Err(AuthorityError::NoTls);
        }
        if !pem.windows(PEM_CERTIFICATE.len()).any(|window| window == PEM_CERTIFICATE) {
            return Err(AuthorityError::NoCertificate);
        }
        self.authorities = Some(pem);
        let (host, port) = &self.hosts[0];
        match self.server(host, *port) {
            Ok(_) => Ok(self),
            Err(error) => Err(AuthorityError::Damaged(error.to_string())),
        }
    }

    /// How to speak with one server of the address.
    pub(super) fn server(&self, host: &str, port: u16) -> RedisResult<Client> {
        self.client(host, port, self.handshake(self.db))
    }

    /// How to speak with a Sentinel; many have no password, whatever the servers have.
    pub(super) fn sentinel(&self, host: &str, port: u16, with_password: bool) -> RedisResult<Client> {
        let settings = if with_password { self.handshake(0) } else { RedisConnectionInfo::default() };
        self.client(host, port, settings)
    }

    /// What certificates are checked against, if not against the operating system's roots.
    pub(super) fn certificates(&self) -> Option<TlsCertificates> {
        let authorities = self.authorities.clone()?;
        Some(TlsCertificates { client_tls: None, root_cert: Some(authorities) })
    }

    fn client(&self, host: &str, port: u16, settings: RedisConnectionInfo) -> RedisResult<Client> {
        let info = self.place(host, port).into_connection_info()?.set_redis_settings(settings);
        match self.certificates() {
            Some(certificates) => Client::build_with_tls(info, certificates),
            None => Client::open(info),
        }
    }

    /// Whether servers are spoken to by TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether servers ask for a password.
    pub(super) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    fn place(&self, host: &str, port: u16) -> ConnectionAddr {
        if self.tls {
            ConnectionAddr::TcpTls { host: host.to_owned(), port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host.to_owned(), port)
        }
    }

    fn handshake(&self, db: i64) -> RedisConnectionInfo {
        let mut settings = RedisConnectionInfo::default().set_db(db).set_protocol(ProtocolVersion::RESP3);
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        settings
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.hosts.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        let s = if self.tls { "s" } else { "" };
        match &self.topology {
            Topology::Single => write!(f, "redis{s}://{}", hosts.join(",")),
            Topology::Sentinel { master } => write!(f, "redis{s}+sentinel://{}/{master}", hosts.join(",")),
            Topology::Cluster => write!(f, "redis{s}+cluster://{}", hosts.join(",")),
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> RedisAddress {
        text.parse().unwrap()
    }

    fn hosts(address: &RedisAddress) -> Vec<(&str, u16)> {
        address.hosts.iter().map(|(host, port)| (host.as_str(), *port)).collect()
    }

    #[test]
    fn one_server() {
        let address = read("redis://127.0.0.1");
        assert_eq!((hosts(&address), address.db), (vec![("127.0.0.1", 6379)], 0));
        let address = read("rediss://app:p%40ss%2Fword@[::1]:7000/3");
        assert_eq!((hosts(&address), address.db, address.tls), (vec![("::1", 7000)], 3, true));
        assert_eq!(address.user.as_deref(), Some("app"));
        assert_eq!(address.password.as_deref(), Some("p@ss/word"));
        assert_eq!(read("redis://:only@cache").password.as_deref(), Some("only"));
    }

    #[test]
    fn sentinels_and_their_master() {
        let address = read("redis+sentinel://:secret@a,b:26380/mymaster/2");
        assert_eq!(hosts(&address), [("a", 26379), ("b", 26380)]);
        assert_eq!(address.topology, Topology::Sentinel { master: "mymaster".into() });
        assert_eq!(address.db, 2);
    }

    #[test]
    fn a_cluster() {
        let address = read("redis+cluster://a:7000,b:7001,c:7002");
        assert_eq!(hosts(&address), [("a", 7000), ("b", 7001), ("c", 7002)]);
        assert_eq!(address.topology, Topology::Cluster);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wrong) in [
            ("memcached://a", AddressError::Scheme),
            ("127.0.0.1:6379", AddressError::Scheme),
            ("redis+ring://a", AddressError::Scheme),
            ("redis://", AddressError::Host),
            ("redis://a:port", AddressError::Host),
            ("redis://[::1", AddressError::Host),
            ("redis://a,b", AddressError::Several),
            ("redis+sentinel://a,b", AddressError::Master),
            ("redis://a/one", AddressError::Database),
            ("redis+cluster://a,b/1", AddressError::ClusterDatabase),
            ("redis://u:%zz@a", AddressError::Credentials),
            ("redis://a?db=1", AddressError::Query),
        ] {
            assert_eq!(text.parse::<RedisAddress>(), Err(wrong), "{text}");
        }
    }

    #[test]
    fn promise_10_nothing_that_is_shown_has_the_password() {
        for text in
            ["rediss://app:hunter2@a", "redis+sentinel://:hunter2@a/m", "redis+cluster://u:hunter2@a,b"]
        {
            let address = read(text);
            let shown = format!("{address} {address:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
