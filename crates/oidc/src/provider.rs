//! What every endpoint needs, gathered once at start.

use std::sync::Arc;

use mashang_login::credentials::Credentials;
use mashang_login::records::Records;
use mashang_login::{Clock, Entropy};

use crate::claims::ClaimPolicy;
use crate::issuer::Issuer;
use crate::keys::KeyRing;
use crate::token::TokenPolicy;

/// One OpenID Connect provider over one set of records. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Clients, grants, codes, tokens, people.
    pub records: Arc<dyn Records>,
    /// The names beside people's passwords.
    pub credentials: Arc<dyn Credentials>,
    /// Signing keys.
    pub keys: KeyRing,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for codes and tokens.
    pub entropy: Arc<dyn Entropy>,
    /// Who we are.
    pub issuer: Issuer,
    /// How long things live.
    pub policy: TokenPolicy,
    /// What is told by rules.
    pub claims: Arc<ClaimPolicy>,
}
