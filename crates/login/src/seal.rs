//! Encryption at rest: AES-256-GCM with a key id, a fresh nonce, and associated data naming table, row and field, so
//! that a ciphertext moved elsewhere does not open (SEC-75). And keyed hashes of what is too short for a plain one.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use sha2::{Digest, Sha256};
use zeroize::ZeroizeOnDrop;

use crate::Entropy;
use crate::secret::SecretHash;

/// First byte of every sealed value: the format's version.
const FORMAT: u8 = 1;
/// Version, 4 bytes of key id, nonce.
const HEADER: usize = 1 + 4 + NONCE_LEN;

/// What a [check](Sealer::check) holds.
const CHECK: &[u8] = b"mashang";

/// A sealed value did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Shorter than any sealed value, or of a format this version does not know.
    #[error("not a sealed value")]
    Format,
    /// Sealed with another master key.
    #[error("sealed with another master key")]
    OtherKey,
    /// Altered, or moved from another row or field.
    #[error("altered or moved")]
    Altered,
}

/// The master key's bytes; wiped when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// Takes 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh key.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// The bytes, to write them to the key file.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Names the key without revealing it.
    fn id(&self) -> [u8; 4] {
        let digest = Sha256::new().chain_update(b"mashang master key id").chain_update(self.0).finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

/// Seals and opens values under one master key.
pub struct Sealer {
    id: [u8; 4],
    key: LessSafeKey,
    hashing: hmac::Key,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

impl Sealer {
    /// The place that a [check](Self::check) is sealed for.
    pub const CHECK_PLACE: &str = "master_key_check/sealed";

    /// A sealer under `master`.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &master.0).expect("the key has 32 bytes");
        // Another key for another purpose.
        let hashing = Sha256::new().chain_update(b"mashang keyed hashes").chain_update(master.0).finalize();
        let hashing = hmac::Key::new(hmac::HMAC_SHA256, &hashing);
        Self { id: master.id(), key: LessSafeKey::new(key), hashing }
    }

    /// HMAC-SHA256 of `text`, for the place named by `place`: a value with few possibilities, such as six digits, cannot be
    /// found from it by whoever lacks the master key.
    #[must_use]
    pub fn keyed_hash(&self, text: &str, place: &str) -> SecretHash {
        let mut context = hmac::Context::with_key(&self.hashing);
        // The length keeps the two apart.
        context.update(&(place.len() as u64).to_be_bytes());
        context.update(place.as_bytes());
        context.update(text.as_bytes());
        let digest: [u8; 32] = context.sign().as_ref().try_into().expect("HMAC-SHA256 has 32 bytes");
        SecretHash::from_digest(digest)
    }

    /// A known text under this master key: kept with what is sealed, it tells whose that is before anything else is opened.
    #[must_use]
    pub fn check(&self, entropy: &dyn Entropy) -> Vec<u8> {
        self.seal(CHECK, Self::CHECK_PLACE, entropy)
    }

    /// Whether a [check](Self::check) was made under this master key.
    ///
    /// # Errors
    /// [`SealError::OtherKey`] if it was not; another one if it is no check.
    pub fn recognise(&self, check: &[u8]) -> Result<(), SealError> {
        if self.open(check, Self::CHECK_PLACE)? == CHECK { Ok(()) } else { Err(SealError::Altered) }
    }

    /// Seals `plain` for the place named by `place`, such as `signing_keys/<kid>/private`.
    #[must_use]
    pub fn seal(&self, plain: &[u8], place: &str, entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut body = plain.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut body,
            )
            .expect("AES-GCM seals any value that fits in memory");
        [&[FORMAT][..], &self.id, &nonce, &body].concat()
    }

    /// Opens what [`Sealer::seal`] made for the same place.
    ///
    /// # Errors
    /// [`SealError`] if it is not one, of another key, altered, or moved.
    pub fn open(&self, sealed: &[u8], place: &str) -> Result<Vec<u8>, SealError> {
        if sealed.len() < HEADER || sealed[0] != FORMAT {
            return Err(SealError::Format);
        }
        if sealed[1..5] != self.id {
            return Err(SealError::OtherKey);
        }
        let nonce = Nonce::try_assume_unique_for_key(&sealed[5..HEADER]).map_err(|_| SealError::Format)?;
        let mut body = sealed[HEADER..].to_vec();
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut body)
            .map_err(|_| SealError::Altered)?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    #[test]
    fn sec_75_a_moved_or_altered_value_does_not_open() {
        let sealer = Sealer::new(&MasterKey::random(&SystemEntropy));
        let sealed = sealer.seal(b"secret", "keys/1/private", &SystemEntropy);
        assert_eq!(sealer.open(&sealed, "keys/1/private").unwrap(), b"secret");
        assert_eq!(sealer.open(&sealed, "keys/2/private"), Err(SealError::Altered));
        for position in HEADER..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            assert_eq!(sealer.open(&altered, "keys/1/private"), Err(SealError::Altered));
        }
        for length in 0..HEADER {
            assert_eq!(sealer.open(&sealed[..length], "keys/1/private"), Err(SealError::Format));
        }
    }

    #[test]
    fn a_keyed_hash_depends_on_text_place_and_master_key() {
        let master = MasterKey::random(&SystemEntropy);
        let [one, same] = [&master, &master].map(Sealer::new);
        let other = Sealer::new(&MasterKey::random(&SystemEntropy));
        let hash = one.keyed_hash("123456", "codes/1");
        assert_eq!(hash, same.keyed_hash("123456", "codes/1"), "any node finds the same");
        for different in [
            one.keyed_hash("123457", "codes/1"),
            one.keyed_hash("123456", "codes/2"),
            one.keyed_hash("/1123456", "codes"),
            other.keyed_hash("123456", "codes/1"),
            SecretHash::of("123456"),
        ] {
            assert_ne!(hash, different);
        }
    }

    #[test]
    fn a_check_is_recognised_by_its_own_master_key_alone() {
        let [ours, theirs] = [(); 2].map(|()| Sealer::new(&MasterKey::random(&SystemEntropy)));
        let check = ours.check(&SystemEntropy);
        assert_eq!(ours.recognise(&check), Ok(()));
        assert_eq!(theirs.recognise(&check), Err(SealError::OtherKey));
        let other = ours.seal(b"another text", Sealer::CHECK_PLACE, &SystemEntropy);
        assert_eq!(ours.recognise(&other), Err(SealError::Altered));
        assert_eq!(ours.recognise(b""), Err(SealError::Format));
    }

    #[test]
    fn another_master_key_is_named_as_the_cause() {
        let sealed = Sealer::new(&MasterKey::random(&SystemEntropy)).seal(b"x", "p", &SystemEntropy);
        let other = Sealer::new(&MasterKey::random(&SystemEntropy));
        assert_eq!(other.open(&sealed, "p"), Err(SealError::OtherKey));
    }
}
