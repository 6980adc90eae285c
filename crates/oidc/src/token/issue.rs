//! Making access, refresh and ID tokens for a family.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::{AccessTokenFormat, Client};
use mashang_login::grant::{Family, Scope, ScopeSet};
use mashang_login::key::SigningAlgorithm;
use mashang_login::secret::RefreshToken;
use mashang_login::token::NewTokens;
use mashang_login::user::User;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha512};

use super::access::Access;
use super::{TokenError, TokenResponse};
use crate::admission;
use crate::claims::{self, Given, Person};
use crate::provider::Provider;

/// Token values that are not stored yet.
pub(super) struct Minted {
    /// The family they are of, with the scopes that its client may still have.
    family: Family,
    access: Access,
    access_expires_at: Timestamp,
    refresh: Option<(RefreshToken, Timestamp)>,
    /// The person, where a token tells about them.
    person: Option<Person>,
}

/// The ID token (OpenID Connect Core §2, SEC-51). Claims about the person are the userinfo endpoint's, unless the client's
/// switches put them here.
#[derive(Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    amr: [&'a str; 1],
    sid: &'a str,
    at_hash: String,
    #[serde(flatten)]
    about_the_person: Map<String, Value>,
}

impl Minted {
    /// Fresh values; none outlives the family.
    pub(super) async fn new(
        provider: &Provider,
        client: &Client,
        family: &Family,
        user: User,
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        let family = Family { scope: client.granted(&family.scope), ..family.clone() };
        let settings = &client.settings;
        let tells = settings.access_token == AccessTokenFormat::Jwt
            || settings.claims_in_id_token
            || settings.realm_roles;
        let person = if tells { Some(Person::load(provider, user, &family.identity).await?) } else { None };
        let until = |life: Duration| (now + life).min(family.expires_at);
        let may_refresh = family.scope.contains(Scope::OfflineAccess);
        let access_expires_at = until(provider.policy.access_token);
        let access = Access::mint(provider, client, &family, person.as_ref(), (now, access_expires_at))?;
        Ok(Self {
            access,
            access_expires_at,
            refresh: may_refresh
                .then(|| (RefreshToken::random(&*provider.entropy), until(provider.policy.refresh_idle))),
            person,
            family,
        })
    }

    /// What the store keeps of them, and what the trail says.
    pub(super) fn record(&self, from: &AuditEvent, kind: AuditKind) -> NewTokens {
        let family = &self.family;
        let (client, user) = (Some(family.client.clone()), Some(family.user.clone()));
        NewTokens {
            told: AuditEvent { kind, client, user, ..from.clone() },
            access: self.access.hash(),
            access_expires_at: self.access_expires_at,
            refresh: self.refresh.as_ref().map(|(token, until)| (token.hash(), *until)),
        }
    }

    /// The answer, once the store has accepted [`Minted::record`].
    pub(super) fn answer(
        self,
        provider: &Provider,
        client: &Client,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<TokenResponse, TokenError> {
        let about_the_person = self.about_the_person(provider, client, now);
        let family = &self.family;
        let claims = IdToken {
            iss: provider.issuer.as_str(),
            sub: family.user.as_str(),
            aud: family.client.as_str(),
            exp: (now + provider.policy.id_token).as_second(),
            iat: now.as_second(),
            auth_time: family.auth_time.as_second(),
            nonce,
            amr: [&family.amr],
            sid: family.session.as_str(),
            at_hash: half_hash(client.id_token_alg, self.access.expose()),
            about_the_person,
        };
        let expires_in = self.access_expires_at.as_second() - now.as_second();
        Ok(TokenResponse {
            id_token: Some(provider.keys.sign(client.id_token_alg, None, &claims)?),
            access_token: self.access.expose().to_owned(),
            token_type: "Bearer",
            expires_in: u64::try_from(expires_in).unwrap_or(0),
            scope: family.scope.to_string(),
            refresh_token: self.refresh.map(|(token, _)| token.expose().to_owned()),
        })
    }
}

impl Minted {
    /// What the client's switches put into its ID tokens: everything that userinfo tells, or roles as Keycloak tells them.
    fn about_the_person(&self, provider: &Provider, client: &Client, now: Timestamp) -> Map<String, Value> {
        let Some(person) = &self.person else { return Map::new() };
        if client.settings.claims_in_id_token {
            return claims::told(&provider.claims, client, &self.family.scope, person, now);
        }
        let mut told = Map::new();
        if client.settings.realm_roles {
            let given = Given::by(&provider.claims.rules, client, person);
            claims::given(&mut told, &given, client, &ScopeSet::default());
        }
        told
    }
}

/// `at_hash`: the left half of the hash that the signature algorithm uses (OpenID Connect Core §3.1.3.6); Ed25519 is
/// defined over SHA-512.
fn half_hash(algorithm: SigningAlgorithm, access_token: &str) -> String {
    match algorithm {
        SigningAlgorithm::Rs256 | SigningAlgorithm::Es256 => {
            URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16])
        }
        SigningAlgorithm::EdDsa => URL_SAFE_NO_PAD.encode(&Sha512::digest(access_token)[..32]),
    }
}

/// The person of a family from which tokens may still be issued: not revoked, not over, the person not switched off
/// (SEC-40), and one whom the client admits.
pub(super) async fn check_family(
    provider: &Provider,
    client: &Client,
    family: &Family,
    now: Timestamp,
) -> Result<User, TokenError> {
    let ended = || TokenError::invalid_grant("the login this belongs to has ended");
    if !family.is_live(now) {
        return Err(ended());
    }
    match provider.records.user(&family.user).await? {
        Some(user) if user.disabled_at.is_none() => {
            if !admission::is_admitted(provider, client, user.clone(), &family.identity).await? {
                return Err(TokenError::invalid_grant("this person may not sign in to this application"));
            }
            Ok(user)
        }
        _ => Err(ended()),
    }
}
