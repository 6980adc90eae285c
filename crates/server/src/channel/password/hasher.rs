//! Argon2id (RFC 9106) with 19 MiB, two passes, one lane (SEC-74): what OWASP recommends, about 30 ms of a core.
//!
//! Hashing runs on threads of its own and leaves a core free, where there is more than one, so that whoever floods the form
//! slows down other passwords and nothing else.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use mashang_login::Entropy;
use mashang_login::credentials::PasswordHash;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::web::limits::TooMany;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How long one waits for a core.
const PATIENCE: Duration = Duration::from_secs(5);
/// The hash of no password, with the same parameters: compared when there is no other.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// All cores that may be are busy with others' passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords at once")]
pub struct TooBusy;

/// When to come back after [`TooBusy`].
#[must_use]
pub fn later() -> TooMany {
    TooMany { retry_after: PATIENCE }
}

/// Makes and compares hashes.
#[derive(Debug, Clone)]
pub struct Hasher {
    cores: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cores: Arc::new(Semaphore::new(for_passwords(cores))) }
    }
}

/// How many of a machine's cores may hash.
fn for_passwords(cores: usize) -> usize {
    cores.saturating_sub(1).max(1)
}

impl Hasher {
    /// The hash of a new password, with a salt of its own.
    ///
    /// # Errors
    /// [`TooBusy`].
    pub async fn hash(&self, password: &str, entropy: &dyn Entropy) -> Result<PasswordHash, TooBusy> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        let phc = self
            .work(password, move |password| {
                let made: Phc =
                    argon2().hash_password_with_salt(password, &salt).expect("our parameters are valid");
                made.to_string()
            })
            .await?;
        Ok(PasswordHash::from_phc(&phc).expect("the library writes PHC strings"))
    }

    /// Whether a password is the hashed one, by the parameters it was hashed with. Without a hash it is none, and takes as
    /// long. In constant time (SEC-80).
    ///
    /// # Errors
    /// [`TooBusy`].
    pub async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, TooBusy> {
        let phc = hash.map_or(NOBODYS, PasswordHash::expose).to_owned();
        let is_somebodys = hash.is_some();
        self.work(password, move |password| {
            let read = Phc::new(&phc);
            is_somebodys & read.is_ok_and(|hash| argon2().verify_password(password, &hash).is_ok())
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        password: &str,
        work: impl FnOnce(&[u8]) -> T + Send + 'static,
    ) -> Result<T, TooBusy> {
        let turn = tokio::time::timeout(PATIENCE, self.cores.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(TooBusy) };
        let password = Zeroizing::new(password.to_owned());
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(password.as_bytes())
        });
        done.await.map_err(|_| TooBusy)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("our parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Whether a hash was made with less effort than those of now, or in another way. One of more effort stays: a later version made
/// it, or another program.
#[must_use]
pub fn is_outdated(hash: &PasswordHash) -> bool {
    let Ok(hash) = Phc::new(hash.expose()) else { return true };
    let Ok(params) = Params::try_from(&hash) else { return true };
    let is_argon2id = Algorithm::new(hash.algorithm) == Ok(Algorithm::Argon2id) && hash.version == Some(19);
    !is_argon2id || params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES
}

#[cfg(test)]
mod tests {
    use mashang_login::ambient::SystemEntropy;

    use super::*;

    #[tokio::test]
    async fn sec_74_hashes_are_argon2id_with_19_mib_two_passes_one_lane_and_a_salt_each() {
        let hasher = Hasher::default();
        let one = hasher.hash("correct horse", &SystemEntropy).await.unwrap();
        let two = hasher.hash("correct horse", &SystemEntropy).await.unwrap();
        assert!(one.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.expose());
        assert_ne!(one, two);
        assert!(!is_outdated(&one));
        assert!(hasher.verify("correct horse", Some(&one)).await.unwrap());
        assert!(!hasher.verify("correct house", Some(&one)).await.unwrap());
    }

    #[test]
    fn sec_79_passwords_leave_a_core_to_everything_else() {
        assert_eq!([1, 2, 8].map(for_passwords), [1, 1, 7]);
    }

    #[tokio::test]
    async fn a_name_nobody_has_is_compared_with_a_hash_of_the_same_effort() {
        let nobodys = PasswordHash::from_phc(NOBODYS).unwrap();
        assert!(!is_outdated(&nobodys), "the same work");
        assert!(Phc::new(NOBODYS).is_ok(), "and it is done: the hash can be read");
        assert!(!Hasher::default().verify("", None).await.unwrap());
    }

    #[tokio::test]
    async fn hashes_of_other_systems_are_read_and_made_anew_if_they_are_weaker() {
        // The first is from the tests of the reference implementation, the second made by it: "password".
        for (hash, is_weaker) in [
            ("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", false),
            ("$argon2id$v=19$m=4096,t=2,p=1$c29tZXNhbHQ$jacJHQ+PoBstB/ZoVNk8re3s1yzVABZujceGiwVNJnk", true),
        ] {
            let hash = PasswordHash::from_phc(hash).unwrap();
            assert_eq!(is_outdated(&hash), is_weaker);
            assert!(Hasher::default().verify("password", Some(&hash)).await.unwrap());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_too_long_for_a_core_is_told_to_come_back() {
        let hasher = Hasher { cores: Arc::new(Semaphore::new(0)) };
        assert_eq!(hasher.verify("x", None).await, Err(TooBusy));
    }
}
