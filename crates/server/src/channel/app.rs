//! The operator's own app: its people are proven by a bearer token in the `Authorization` header, and nothing else says
//! who they are (SEC-36). Two kinds of token count:
//!
//! - a signed JWT of the app's own issuer ([`token`], with the keys of [`issuer_keys`]);
//! - an access token of ours, of a client that the operator listed by name: then the person is whom it speaks for, as of
//!   the login that it comes from ([`vouched`]).
//!
//! The app calls the phone API ([`crate::phone`]); its links are opened by [`links`].

pub mod issuer_keys;
pub mod jwk;
pub mod links;
pub mod token;
pub mod vouched;

use mashang_login::Timestamp;
use mashang_login::identity::{Attributes, ChannelKind, IdentityKey, Proof};
use mashang_login::ids::{ChannelId, ClientId, ScanCode};
use mashang_login::records::{Records, StoreError};
use mashang_login::secret::{AccessToken, SecretHash};
use mashang_oidc::token::presented_access;

use self::issuer_keys::{IssuerKeys, KeySource, NoKey};
use self::links::AppLinks;
use self::token::Rules;
use self::vouched::{Vouched, Voucher};
use crate::config::app::{AppSection, SCAN_CODE_PLACE};

/// An app of the operator's.
#[derive(Debug)]
pub struct OwnApp {
    issuer: Option<Issuer>,
    accept_tokens_of: Vec<ClientId>,
    link_template: Option<String>,
    /// What makes our links open the app.
    pub links: AppLinks,
}

#[derive(Debug)]
struct Issuer {
    rules: Rules,
    keys: IssuerKeys,
}

/// Why a bearer token proves nobody.
#[derive(Debug)]
pub enum Unproven {
    /// It is not a good token; for the operator's log.
    Refused(&'static str),
    /// The issuer's keys could not be had; for the operator's log.
    IssuerDown(String),
    /// The store did not answer.
    Store(StoreError),
}

impl From<StoreError> for Unproven {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl OwnApp {
    /// Whether the keys that tokens are checked with can be fetched; `false` where there are none to fetch.
    ///
    /// # Errors
    /// What is in the way, for the operator.
    pub async fn look(&self) -> Result<bool, String> {
        match &self.issuer {
            Some(issuer) => issuer.keys.look().await.map(|()| true),
            None => Ok(false),
        }
    }

    /// From its section, which has been checked.
    ///
    /// # Errors
    /// A sentence when TLS cannot be set up.
    pub fn new(section: &AppSection) -> Result<Self, String> {
        let issuer = match (&section.issuer, &section.audience) {
            (Some(issuer), Some(audience)) => {
                let source = match &section.jwks_url {
                    Some(url) => KeySource::Jwks(url.clone()),
                    None => KeySource::Discovery(issuer.clone()),
                };
                let rules = Rules {
                    issuer: issuer.clone(),
                    audience: audience.clone(),
                    algorithms: section.algorithms.clone(),
                    name_claim: section.name_claim.clone(),
                    picture_claim: section.picture_claim.clone(),
                };
                Some(Issuer { rules, keys: IssuerKeys::new(source)? })
            }
            _ => None,
        };
        Ok(Self {
            issuer,
            accept_tokens_of: section.accept_tokens_of.clone(),
            link_template: section.link_template.clone(),
            links: AppLinks::new(section),
        })
    }

    /// The issuer whose tokens say who the app's people are, if it has one.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_ref().map(|issuer| issuer.rules.issuer.as_str())
    }

    /// The address that opens the app for this code, for a button on the plain page of our link.
    #[must_use]
    pub fn link(&self, code: &ScanCode) -> Option<String> {
        self.link_template.as_ref().map(|template| template.replace(SCAN_CODE_PLACE, code.as_str()))
    }

    /// Who a bearer token speaks for.
    ///
    /// # Errors
    /// [`Unproven`].
    pub async fn prove(
        &self,
        channel: &ChannelId,
        records: &dyn Records,
        bearer: &str,
        now: Timestamp,
    ) -> Result<Vouched, Unproven> {
        let is_ours = match presented_access(bearer) {
            Some(_) if AccessToken::parse(bearer).is_some() => true,
            // A JWT may be of us or of the app's issuer; ours are known.
            Some(token) if !self.accept_tokens_of.is_empty() => records.bearer(&token, now).await?.is_some(),
            _ => false,
        };
        let (proof, by) = if is_ours {
            (self.prove_by_ours(channel, records, &SecretHash::of(bearer), now).await?, Voucher::Us)
        } else {
            (self.prove_by_issuer(channel, bearer, now).await?, Voucher::Issuer)
        };
        Ok(Vouched { proof, by })
    }

    async fn prove_by_issuer(
        &self,
        channel: &ChannelId,
        bearer: &str,
        now: Timestamp,
    ) -> Result<Proof, Unproven> {
        let issuer = self.issuer.as_ref().ok_or(Unproven::Refused("no issuer is configured"))?;
        let token = issuer.rules.take_apart(bearer).map_err(Unproven::Refused)?;
        let key = issuer.keys.key(token.kid.as_deref(), token.algorithm, now).await;
        let key = key.map_err(|no_key| match no_key {
            NoKey::Unknown => Unproven::Refused("its issuer has no such key"),
            NoKey::Down(trouble) => Unproven::IssuerDown(trouble),
        })?;
        let who = issuer.rules.verify(&token, &key, now).map_err(Unproven::Refused)?;
        Ok(Proof {
            channel: channel.clone(),
            key: IdentityKey {
                kind: ChannelKind::App,
                app: issuer.rules.issuer.clone(),
                subject: who.subject,
            },
            union: None,
            profile: who.profile,
            attributes: Attributes::default(),
            proven_at: now,
            password_set_at: None,
        })
    }

    /// An access token of ours is meant for the client it was issued to; a listed client's only is meant for this. It
    /// proves what was proven when its login was made, and nothing since.
    async fn prove_by_ours(
        &self,
        channel: &ChannelId,
        records: &dyn Records,
        token: &SecretHash,
        now: Timestamp,
    ) -> Result<Proof, Unproven> {
        if self.accept_tokens_of.is_empty() {
            return Err(Unproven::Refused("access tokens of this server do not count here"));
        }
        let bearer = records.bearer(token, now).await?;
        let bearer = bearer.ok_or(Unproven::Refused("it is unknown, expired or revoked"))?;
        if !self.accept_tokens_of.contains(&bearer.family.client) {
            return Err(Unproven::Refused("it was issued to a client that accept_tokens_of does not list"));
        }
        let identity = records.identity(&bearer.family.identity).await?;
        let identity = identity.ok_or(Unproven::Refused("its identity is gone"))?;
        if identity.key.kind == ChannelKind::Wecom {
            // A member who left must not get in again (SEC-35), and no directory is asked here.
            return Err(Unproven::Refused(
                "it is of a member of a WeCom corp, who signs in through WeCom alone",
            ));
        }
        Ok(Proof {
            channel: channel.clone(),
            key: identity.key,
            union: identity.union,
            profile: identity.profile,
            // The number is as old as it was: it may be somebody else's by now, and nobody received a code.
            attributes: Attributes { phone_number: None, ..identity.attributes },
            proven_at: bearer.family.auth_time.min(now),
            password_set_at: None,
        })
    }
}
