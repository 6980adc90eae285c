//! The signing keys: made at first start, rotated with overlap, sealed at rest, published as a JWKS (SEC-60).
//!
//! A key's life: made → published, not yet signing (so that caches learn it) → signing → retired, still published (so
//! that tokens signed with it verify) → kept, only to recognise an old `id_token_hint`.
//!
//! Several nodes may make keys at the same moment. All of them are published, and every node picks the same one: of
//! the keys that nobody retired, the *oldest* signs, so a node that has not yet seen a newcomer agrees with one that
//! has.

mod hint;
mod pair;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use mashang_login::ids::{InvalidId, KeyId};
use mashang_login::key::{SigningAlgorithm, SigningKey};
use mashang_login::records::{Records, StoreError};
use mashang_login::seal::{SealError, Sealer};
use mashang_login::{Clock, Entropy};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub use self::hint::IdTokenHint;
use self::pair::{Pair, PublicKey};

/// When keys change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationPolicy {
    /// A key that signed this long is replaced.
    pub rotate_after: Duration,
    /// A new key is published this long before it signs.
    pub publish_before: Duration,
    /// The same for a key that is made before its time ([`KeyRing::rotate_early`]): by then every node has reloaded, and nobody holds
    /// a copy of the key set from before that.
    pub publish_early: Duration,
    /// A replaced key stays published this long after its last signature; at least the life of an ID token.
    pub keep_after: Duration,
}

impl Default for RotationPolicy {
    /// 90 days of signing, one day of notice, seven days of overlap. Early, seventy minutes of notice: five until nodes reload, five
    /// for a reload that failed, and an hour for which some keep a key set whatever we say: Nextcloud's user_oidc does, asks for no new one when
    /// it meets a key that it does not know, and would answer 500 meanwhile.
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        let publish_early = Duration::from_secs(70 * 60);
        Self { rotate_after: days(90), publish_before: days(1), publish_early, keep_after: days(7) }
    }
}

/// Why the keys cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store did not answer.
    #[error("the signing keys cannot be read or written")]
    Store(#[from] StoreError),
    /// A private key does not open, most often because the master key is another one.
    #[error("signing key {key} cannot be opened")]
    Sealed {
        /// Its `kid`.
        key: KeyId,
        /// Why.
        #[source]
        source: SealError,
    },
    /// The records belong to another master key.
    #[error("the database belongs to another master key")]
    OtherMasterKey(#[source] SealError),
    /// A stored key is not a key of its algorithm.
    #[error("signing key {0} is damaged")]
    Damaged(KeyId),
    /// The operating system or the cryptographic library failed.
    #[error("a signing key could not be made")]
    Generation,
}

/// Why nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// No key of this algorithm may sign now.
    #[error("there is no signing key for {}", .0.as_str())]
    NoKey(SigningAlgorithm),
    /// The claims are not JSON.
    #[error("the claims cannot be written as JSON")]
    Claims,
    /// The cryptographic library failed.
    #[error("signing failed")]
    Crypto,
}

/// The keys of one installation. Clones share them.
#[derive(Debug, Clone)]
pub struct KeyRing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    records: Arc<dyn Records>,
    sealer: Arc<Sealer>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    policy: RotationPolicy,
    /// Oldest first, as in the store.
    keys: RwLock<Arc<Vec<Arc<Key>>>>,
}

/// A JWS header (RFC 7515 §4).
#[derive(Serialize)]
struct Header<'a> {
    alg: SigningAlgorithm,
    kid: &'a KeyId,
    typ: &'a str,
}

#[derive(Debug)]
struct Key {
    id: KeyId,
    algorithm: SigningAlgorithm,
    public: PublicKey,
    /// Absent once it is no longer published: it will not sign again.
    private: Option<Pair>,
    created_at: Timestamp,
    signs_from: Timestamp,
    published_until: Option<Timestamp>,
}

impl Key {
    fn is_leaked(&self) -> bool {
        self.published_until == Some(SigningKey::LEAKED)
    }

    fn is_published(&self, now: Timestamp) -> bool {
        self.published_until.is_none_or(|until| now < until)
    }
}

/// The public JWK as it is stored and published (RFC 7517 §4).
#[derive(Serialize, Deserialize)]
struct Jwk {
    #[serde(flatten)]
    key: PublicKey,
    #[serde(rename = "use")]
    purpose: String,
    alg: SigningAlgorithm,
    kid: KeyId,
}

impl KeyRing {
    /// Reads the keys, making one per algorithm on the first start. Making an RSA key takes a good part of a second.
    ///
    /// Before anything is made, the records are claimed for the master key: of two nodes that start at once with two
    /// master keys, one must not seal keys that the other cannot open.
    ///
    /// # Errors
    /// [`KeyError`]: without keys there is no provider, so the server must not start.
    pub async fn load(
        records: Arc<dyn Records>,
        sealer: Arc<Sealer>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        policy: RotationPolicy,
    ) -> Result<Self, KeyError> {
        let keys = RwLock::default();
        let ring = Self(Arc::new(Inner { records, sealer, clock, entropy, policy, keys }));
        ring.claim().await?;
        ring.reload().await?;
        for algorithm in SigningAlgorithm::ALL {
            let now = ring.0.clock.now();
            if ring.signer(algorithm, now).is_none() {
                // Another node that starts just now may have been first: then its key is ours as well.
                let key = ring.make(algorithm, now, now)?;
                ring.0.records.add_first_signing_key(&key).await?;
            }
        }
        ring.reload().await?;
        Ok(ring)
    }

    /// Makes sure that the records belong to our master key, which nobody may have said yet.
    async fn claim(&self) -> Result<(), KeyError> {
        let Inner { records, sealer, entropy, .. } = &*self.0;
        let check = match records.master_key_check().await? {
            Some(check) => check,
            None => {
                // Keys may be there from before records were claimed: whoever cannot open them has no claim.
                self.reload().await?;
                records.claim_for_master_key(&sealer.check(&**entropy)).await?
            }
        };
        sealer.recognise(&check).map_err(KeyError::OtherMasterKey)
    }

    /// Reads the keys again, to learn what other nodes made. To be called every few minutes.
    ///
    /// # Errors
    /// [`KeyError`]; the keys known so far stay in use.
    pub async fn reload(&self) -> Result<(), KeyError> {
        let now = self.0.clock.now();
        let known = self.keys();
        let stored = self.0.records.signing_keys().await?;
        let keys = stored.iter().map(|key| self.open(key, &known, now)).collect::<Result<Vec<_>, _>>()?;
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    /// Reloads, then makes successors for the keys whose time is near. Returns the algorithms that got one. To be
    /// called every few minutes on any number of nodes.
    ///
    /// # Errors
    /// [`KeyError`]; the keys known so far stay in use.
    pub async fn rotate_if_due(&self) -> Result<Vec<SigningAlgorithm>, KeyError> {
        self.reload().await?;
        let now = self.0.clock.now();
        let policy = self.0.policy;
        let mut rotated = Vec::new();
        for algorithm in SigningAlgorithm::ALL {
            let keys = self.keys();
            let current =
                keys.iter().filter(|key| key.algorithm == algorithm && key.published_until.is_none());
            let youngest = current.map(|key| key.signs_from).max();
            let lead = policy.rotate_after.saturating_sub(policy.publish_before);
            if youngest.is_none_or(|signs_from| now >= signs_from + lead) {
                let signs_from = now + policy.publish_before;
                self.add(algorithm, now, signs_from, signs_from + policy.keep_after).await?;
                rotated.push(algorithm);
            }
        }
        if !rotated.is_empty() {
            self.reload().await?;
        }
        Ok(rotated)
    }

    /// Makes a successor before its time: it signs as soon as every node publishes it, and the old one stays published for the
    /// overlap. Returns the new `kid`, and from when it signs.
    ///
    /// # Errors
    /// [`KeyError`]; the keys known so far stay in use.
    pub async fn rotate_early(&self, algorithm: SigningAlgorithm) -> Result<(KeyId, Timestamp), KeyError> {
        self.reload().await?;
        let now = self.0.clock.now();
        let signs_from = now + self.0.policy.publish_early;
        let id = self.add(algorithm, now, signs_from, signs_from + self.0.policy.keep_after).await?;
        self.reload().await?;
        Ok((id, signs_from))
    }

    /// Makes a successor that signs at once, for a key that others may hold: no key of the algorithm but the successor is
    /// published any more, retired and announced ones included, and what they signed counts for nothing here either. Other
    /// nodes follow when they reload.
    ///
    /// # Errors
    /// As [`KeyRing::rotate_early`].
    pub async fn replace_leaked(&self, algorithm: SigningAlgorithm) -> Result<KeyId, KeyError> {
        self.reload().await?;
        let now = self.0.clock.now();
        let key = self.make(algorithm, now, now)?;
        let all = self.keys_of(algorithm, |_| true);
        self.0.records.add_signing_key(&key, &all, SigningKey::LEAKED).await?;
        self.reload().await?;
        Ok(key.id)
    }

    /// The JSON Web Key Set (RFC 7517 §5): the public halves of all published keys.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> Value {
        let keys = self.keys();
        let published: Vec<_> =
            keys.iter().filter(|key| key.is_published(now)).map(|key| key.jwk()).collect();
        json!({ "keys": published })
    }

    /// Signs `claims` as a compact JWS (RFC 7515 §7.1) with the current key of `algorithm`; `typ` goes into the
    /// header, `JWT` when absent.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(
        &self,
        algorithm: SigningAlgorithm,
        typ: Option<&str>,
        claims: &impl Serialize,
    ) -> Result<String, SignError> {
        let key = self.signer(algorithm, self.0.clock.now()).ok_or(SignError::NoKey(algorithm))?;
        let pair = key.private.as_ref().ok_or(SignError::NoKey(algorithm))?;
        let header = Header { alg: algorithm, kid: &key.id, typ: typ.unwrap_or("JWT") };
        let header = serde_json::to_vec(&header).map_err(|_| SignError::Claims)?;
        let claims = serde_json::to_vec(claims).map_err(|_| SignError::Claims)?;
        // Room for the longest signature, RS256's, as base64url.
        let mut token = String::with_capacity((header.len() + claims.len()) * 4 / 3 + 360);
        URL_SAFE_NO_PAD.encode_string(header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = pair.sign(token.as_bytes()).map_err(|_| SignError::Crypto)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn keys(&self) -> Arc<Vec<Arc<Key>>> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key that signs at `now`: the oldest that nobody retired; while its successor is only announced, the youngest
    /// of the retired ones that signed before it; and if there is nothing else, an announced one, because the node that made it may have a
    /// faster clock.
    fn signer(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<Arc<Key>> {
        let age = |key: &&Arc<Key>| (key.signs_from, key.created_at, key.id.clone());
        let keys = self.keys();
        let ours = || keys.iter().filter(|key| key.algorithm == algorithm && key.is_published(now));
        let current = || ours().filter(|key| key.published_until.is_none());
        let retired = ours().filter(|key| key.published_until.is_some());
        current()
            .filter(|key| key.signs_from <= now)
            .min_by_key(age)
            .or_else(|| retired.filter(|key| key.signs_from <= now).max_by_key(age))
            .or_else(|| current().min_by_key(age))
            .cloned()
    }

    /// Stores a new key and retires every current one of its algorithm.
    async fn add(
        &self,
        algorithm: SigningAlgorithm,
        now: Timestamp,
        signs_from: Timestamp,
        published_until: Timestamp,
    ) -> Result<KeyId, KeyError> {
        let key = self.make(algorithm, now, signs_from)?;
        let retires = self.keys_of(algorithm, |old| old.published_until.is_none());
        self.0.records.add_signing_key(&key, &retires, published_until).await?;
        Ok(key.id)
    }

    fn keys_of(&self, algorithm: SigningAlgorithm, wanted: impl Fn(&Key) -> bool) -> Vec<KeyId> {
        let keys = self.keys();
        let these = keys.iter().filter(|key| key.algorithm == algorithm && wanted(key));
        these.map(|key| key.id.clone()).collect()
    }

    fn make(
        &self,
        algorithm: SigningAlgorithm,
        now: Timestamp,
        signs_from: Timestamp,
    ) -> Result<SigningKey, KeyError> {
        let (pair, pkcs8) = Pair::generate(algorithm).map_err(|_| KeyError::Generation)?;
        let public = pair.public();
        let id = KeyId::parse(&public.thumbprint()).map_err(|_: InvalidId| KeyError::Generation)?;
        let jwk = Jwk { key: public, purpose: "sig".into(), alg: algorithm, kid: id.clone() };
        Ok(SigningKey {
            sealed_private: self.0.sealer.seal(&pkcs8, &SigningKey::place(&id), &*self.0.entropy),
            public_jwk: serde_json::to_string(&jwk).map_err(|_| KeyError::Generation)?,
            id,
            algorithm,
            created_at: now,
            signs_from,
            published_until: None,
        })
    }

    /// Opens a stored key, or takes it from `known` when only its end may have changed.
    fn open(&self, stored: &SigningKey, known: &[Arc<Key>], now: Timestamp) -> Result<Arc<Key>, KeyError> {
        let unchanged =
            known.iter().find(|key| key.id == stored.id && key.published_until == stored.published_until);
        if let Some(key) = unchanged {
            return Ok(key.clone());
        }
        let damaged = || KeyError::Damaged(stored.id.clone());
        let jwk: Jwk = serde_json::from_str(&stored.public_jwk).map_err(|_| damaged())?;
        let mut key = Key {
            id: stored.id.clone(),
            algorithm: stored.algorithm,
            public: jwk.key,
            private: None,
            created_at: stored.created_at,
            signs_from: stored.signs_from,
            published_until: stored.published_until,
        };
        if key.is_published(now) {
            let pkcs8 = self
                .0
                .sealer
                .open(&stored.sealed_private, &SigningKey::place(&stored.id))
                .map_err(|source| KeyError::Sealed { key: stored.id.clone(), source })?;
            let pair = Pair::from_pkcs8(stored.algorithm, &Zeroizing::new(pkcs8)).ok_or_else(damaged)?;
            if pair.public() != key.public {
                return Err(damaged());
            }
            key.private = Some(pair);
        }
        Ok(Arc::new(key))
    }
}

impl Key {
    fn jwk(&self) -> Jwk {
        Jwk { key: self.public.clone(), purpose: "sig".into(), alg: self.algorithm, kid: self.id.clone() }
    }
}
