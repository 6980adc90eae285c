//! Access tokens: a random value, or for clients that check by themselves a JWT (RFC 9068). The store keeps the hash of
//! either, and what it does not know is no access token: a revoked JWT ends at our own endpoints like any other.

use std::fmt;

use jiff::Timestamp;
use mashang_login::client::{AccessTokenFormat, Client};
use mashang_login::grant::Family;
use mashang_login::secret::{AccessToken, RefreshToken, SecretHash, random_text};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::claims::{Given, Person, given};
use crate::keys::SignError;
use crate::provider::Provider;

/// The longest text that is looked at as an access token, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// An access token's text, on its way out.
pub(super) struct Access(Zeroizing<String>);

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access([redacted])")
    }
}

impl Access {
    /// A fresh one, in the client's format.
    pub(super) fn mint(
        provider: &Provider,
        client: &Client,
        family: &Family,
        person: Option<&Person>,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Self, SignError> {
        let text = match client.settings.access_token {
            AccessTokenFormat::Opaque => AccessToken::random(&*provider.entropy).expose().to_owned(),
            AccessTokenFormat::Jwt => {
                let claims = jwt_claims(provider, client, family, person, (now, until));
                provider.keys.sign(client.id_token_alg, Some("at+jwt"), &claims)?
            }
        };
        Ok(Self(Zeroizing::new(text)))
    }

    /// What the store keeps.
    pub(super) fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }

    /// The value itself.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

/// RFC 9068 §2.2. The audience is the client: its own back end is the one that reads the token.
fn jwt_claims(
    provider: &Provider,
    client: &Client,
    family: &Family,
    person: Option<&Person>,
    (now, until): (Timestamp, Timestamp),
) -> Map<String, Value> {
    let mut claims = Map::new();
    if let Some(person) = person {
        let rules = &provider.claims.rules;
        given(&mut claims, &Given::by(rules, client, person), client, &family.scope);
    }
    let registered = [
        ("iss", json!(provider.issuer.as_str())),
        ("aud", json!(family.client)),
        ("sub", json!(family.user)),
        ("client_id", json!(family.client)),
        ("scope", json!(family.scope.to_string())),
        ("jti", json!(random_text(&*provider.entropy, 16))),
        ("iat", json!(now.as_second())),
        ("exp", json!(until.as_second())),
        ("auth_time", json!(family.auth_time.as_second())),
        ("amr", json!([family.amr])),
        ("sid", json!(family.session)),
    ];
    claims.extend(registered.map(|(name, value)| (name.to_owned(), value)));
    claims
}

/// The hash by which the store knows a presented access token, if the text can be one. Other kinds of token are none
/// (SEC-61): an ID token has the shape, but its hash is not there.
#[must_use]
pub fn presented_access(text: &str) -> Option<SecretHash> {
    match AccessToken::parse(text) {
        Some(token) => Some(token.hash()),
        None => is_jws(text).then(|| SecretHash::of(text)),
    }
}

/// The same for either kind of token that a client may give back.
pub(crate) fn presented(text: &str) -> Option<SecretHash> {
    presented_access(text).or_else(|| RefreshToken::parse(text).map(|token| token.hash()))
}

/// Three parts of base64url (RFC 7515 §7.1).
fn is_jws(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    text.len() <= MAX_TOKEN && text.split('.').count() == 3 && text.split('.').all(is_part)
}
