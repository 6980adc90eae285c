//! Tencent's host names over TLS: an authority of one's own, and certificates made when a client asks for a name.
//!
//! For libraries whose addresses cannot be changed: point the names at this machine (a hosts file), trust the
//! authority, and nothing else needs to know. The authority can sign for Tencent's domains only: its certificate says
//! so (name constraints), and clients hold it to that. Who does not play those hosts gets no certificate here either.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use crate::hosts;

/// The certificate to trust, below the authority's folder.
const CERTIFICATE: &str = "ca.pem";
/// The authority's private key, readable by its owner only.
const KEY: &str = "ca.key";
/// What the authority may sign for.
const DOMAINS: [&str; 3] = ["qq.com", "qlogo.cn", "qqmail.com"];
const AUTHORITY_DAYS: i64 = 3650;
/// Some clients refuse certificates that live longer than 825 days, whoever signed them.
const HOST_DAYS: i64 = 800;

/// Why there is no authority.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The folder or a file in it cannot be read or written.
    #[error("cannot read or write {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A key or certificate is broken or could not be made.
    #[error("the certificate authority in {path} is broken; delete the folder and trust the new one")]
    Broken {
        /// The authority's folder.
        path: PathBuf,
        /// What is wrong with it.
        source: rcgen::Error,
    },
    /// TLS cannot be set up with this authority.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// A certificate authority for Tencent's names on this machine.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: PathBuf,
    now: OffsetDateTime,
}

impl CertificateAuthority {
    /// The authority kept in `folder`, made when there is none. `now_s` is unix seconds.
    ///
    /// # Errors
    /// When the folder cannot be written, or what is in it is no authority.
    pub fn open(folder: &Path, now_s: i64) -> Result<Self, TlsError> {
        let broken = |source| TlsError::Broken { path: folder.to_owned(), source };
        let now = OffsetDateTime::from_unix_timestamp(now_s).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        fs::create_dir_all(folder).map_err(|source| TlsError::File { path: folder.to_owned(), source })?;
        let key = key_in(&folder.join(KEY), &broken)?;
        let params = authority_params(now);
        let certificate = folder.join(CERTIFICATE);
        if !certificate.exists() {
            let signed = params.self_signed(&key).map_err(broken)?;
            write_new(&certificate, &signed.pem(), Readers::Everyone)?;
        }
        // Only name, key and constraints matter to what it signs, and they are the same in every run.
        Ok(Self { issuer: Issuer::new(params, key), certificate, now })
    }

    /// The certificate to trust, a PEM file.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// TLS for a listener: HTTP/1.1, and a certificate for each of [`tencent_hosts`] when it is asked for. A client that
    /// names no host or another one is refused.
    ///
    /// # Errors
    /// When the library refuses its own defaults.
    pub fn server_config(self) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certificates = OnDemand { authority: self, made: Mutex::default() };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificates));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn sign(&self, host: &str) -> Result<CertifiedKey, SignFailure> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, host);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = self.now - Duration::DAY;
        params.not_after = self.now + Duration::days(HOST_DAYS);
        let signed = params.signed_by(&key, &self.issuer)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = aws_lc_rs::sign::any_supported_type(&private)?;
        Ok(CertifiedKey::new(vec![signed.der().clone()], key))
    }
}

impl std::fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateAuthority").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// The host names to point at this machine, for a hosts file.
pub fn tencent_hosts() -> impl Iterator<Item = &'static str> {
    hosts::played()
}

#[derive(Debug, Error)]
enum SignFailure {
    #[error("{0}")]
    Certificate(#[from] rcgen::Error),
    #[error("{0}")]
    Key(#[from] rustls::Error),
}

fn authority_params(now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Mashang sandbox: pretend Tencent, this machine only");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let permitted_subtrees = DOMAINS.map(|domain| GeneralSubtree::DnsName(domain.to_owned())).to_vec();
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    params.not_before = now - Duration::DAY;
    params.not_after = now + Duration::days(AUTHORITY_DAYS);
    params
}

fn key_in(path: &Path, broken: &impl Fn(rcgen::Error) -> TlsError) -> Result<KeyPair, TlsError> {
    match fs::read_to_string(path) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(broken),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = KeyPair::generate().map_err(broken)?;
            write_new(path, &key.serialize_pem(), Readers::Owner)?;
            Ok(key)
        }
        Err(source) => Err(TlsError::File { path: path.to_owned(), source }),
    }
}

#[derive(Clone, Copy)]
enum Readers {
    Owner,
    Everyone,
}

/// Writes a file that does not exist yet; whoever is not meant to read it never can.
fn write_new(path: &Path, text: &str, readers: Readers) -> Result<(), TlsError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(match readers {
            Readers::Owner => 0o600,
            Readers::Everyone => 0o644,
        });
    }
    #[cfg(not(unix))]
    let _ = readers;
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| TlsError::File { path: path.to_owned(), source })
}

/// Certificates, one for each name that has been asked for. Bounded: only names that are played are ever signed.
struct OnDemand {
    authority: CertificateAuthority,
    made: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl std::fmt::Debug for OnDemand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnDemand").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for OnDemand {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name()?.to_ascii_lowercase();
        if !hosts::is_played(&host) {
            return None;
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = made.get(&host) {
            return Some(Arc::clone(found));
        }
        let signed = self.authority.sign(&host);
        let signed =
            signed.inspect_err(|error| tracing::error!(%host, %error, "no certificate: {error}")).ok()?;
        let signed = Arc::new(signed);
        made.insert(host, Arc::clone(&signed));
        Some(signed)
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName};
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};

    use super::*;

    const NOW_S: i64 = 1_789_646_400;

    /// A handshake in memory, by a client that trusts the authority and its own clock; the client's complaint otherwise.
    fn shake(config: &Arc<ServerConfig>, trusted: &Path, host: &str) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::clone(config)).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            let refused = server.process_new_packets();
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets()?;
            refused?;
        }
        Ok(())
    }

    /// The client's clock is the machine's, so the certificates of these tests must be of today.
    fn today() -> i64 {
        OffsetDateTime::now_utc().unix_timestamp()
    }

    #[test]
    fn played_names_have_certificates_that_the_authoritys_friends_accept_and_others_none() {
        let folder = tempfile::tempdir().unwrap();
        let authority = CertificateAuthority::open(folder.path(), today()).unwrap();
        let trusted = authority.certificate().to_owned();
        let config = Arc::new(authority.server_config().unwrap());
        for host in tencent_hosts() {
            shake(&config, &trusted, host).unwrap_or_else(|error| panic!("{host}: {error}"));
        }
        for host in ["www.qq.com", "evil.example", "bank.example"] {
            assert!(shake(&config, &trusted, host).is_err(), "{host}");
        }
        let again = CertificateAuthority::open(folder.path(), today()).unwrap();
        let again = Arc::new(again.server_config().unwrap());
        shake(&again, &trusted, "api.weixin.qq.com").expect("trusted once, trusted after a restart");
    }

    #[test]
    fn what_the_authority_signs_for_elsewhere_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let authority = CertificateAuthority::open(folder.path(), today()).unwrap();
        let trusted = authority.certificate().to_owned();
        let stolen = authority.sign("bank.example").unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(stolen)));
        let refused = shake(&Arc::new(config), &trusted, "bank.example");
        assert!(refused.is_err(), "the name constraints hold");
    }

    #[cfg(unix)]
    #[test]
    fn key_is_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        CertificateAuthority::open(folder.path(), NOW_S).unwrap();
        let mode = fs::metadata(folder.path().join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn broken_key_is_named_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY), "nonsense").unwrap();
        let refused = CertificateAuthority::open(folder.path(), NOW_S).unwrap_err();
        assert!(matches!(refused, TlsError::Broken { .. }), "{refused}");
        assert_eq!(fs::read_to_string(folder.path().join(KEY)).unwrap(), "nonsense");
    }
}
