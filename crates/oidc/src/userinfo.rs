//! The userinfo endpoint (OpenID Connect Core §5.3): what a live access token may learn about its person.

use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::grant::{Scope, ScopeSet};
use mashang_login::identity::{ChannelKind, Identity};
use mashang_login::records::{Bearer, StoreError};
use mashang_login::secret::AccessToken;
use serde_json::{Map, Value, json};

use crate::params::Params;
use crate::provider::Provider;

/// How long a shared telephone number counts as verified: less than the operators wait before they give it to somebody
/// else (90 days in China).
const PHONE_VERIFIED_FOR: Duration = Duration::from_secs(30 * 86_400);

/// Why a protected resource refuses (RFC 6750 §3.1).
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// No access token at all: ask for one, without an error code.
    #[error("an access token is needed")]
    Missing,
    /// Sent twice, or in a way that cannot be read.
    #[error("the access token must be sent once, in the Authorization header or in the form")]
    InvalidRequest,
    /// Unknown, expired, revoked, or of another kind (SEC-61); or its person or client is switched off.
    #[error("the access token is unknown, expired or revoked")]
    InvalidToken,
    /// It was not granted for this.
    #[error("the access token was not granted the scope openid")]
    InsufficientScope,
    /// The store did not answer.
    #[error("the store did not answer")]
    Unavailable(#[from] StoreError),
}

impl BearerError {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Missing | Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
            Self::Unavailable(_) => 503,
        }
    }

    /// The RFC 6750 §3.1 error code; `None` where none is to be sent.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Missing | Self::Unavailable(_) => None,
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientScope => Some("insufficient_scope"),
        }
    }

    /// The value of `WWW-Authenticate` (RFC 6750 §3); `None` with 503.
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        match (self, self.code()) {
            (Self::Unavailable(_), _) => None,
            (_, None) => Some("Bearer".to_owned()),
            (_, Some(code)) => Some(format!(r#"Bearer error="{code}", error_description="{self}""#)),
        }
    }
}

/// Finds the access token in the `Authorization` header or in a form body (RFC 6750 §2.1, §2.2); never in the query,
/// where it would reach logs.
///
/// # Errors
/// [`BearerError::Missing`] if there is none, [`BearerError::InvalidRequest`] if there are two.
pub fn bearer_token<'a>(
    authorization: Option<&'a str>,
    form: Option<&'a Params>,
) -> Result<&'a str, BearerError> {
    let in_header = authorization.and_then(|header| {
        let (scheme, token) = header.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let in_form = match form.map(|form| form.one("access_token")) {
        None => None,
        Some(Ok(token)) => token,
        Some(Err(_)) => return Err(BearerError::InvalidRequest),
    };
    match (in_header, in_form) {
        (Some(_), Some(_)) => Err(BearerError::InvalidRequest),
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(BearerError::Missing),
    }
}

/// Answers a userinfo request; to be sent with `Cache-Control: no-store`.
///
/// # Errors
/// [`BearerError`].
pub async fn userinfo(provider: &Provider, bearer: &str) -> Result<Value, BearerError> {
    let token = AccessToken::parse(bearer).ok_or(BearerError::InvalidToken)?;
    let now = provider.clock.now();
    let bearer = provider.records.bearer(&token.hash(), now).await?.ok_or(BearerError::InvalidToken)?;
    if !bearer.family.scope.contains(Scope::Openid) {
        return Err(BearerError::InsufficientScope);
    }
    Ok(claims(&bearer, now))
}

/// The claims that the granted scopes open at `now`, and no others (SEC-51). Names and pictures are the person's own choice and
/// must be encoded where they are shown (SEC-68).
#[must_use]
pub fn claims(bearer: &Bearer, now: Timestamp) -> Value {
    let Bearer { family, user, identity } = bearer;
    let mut claims = Map::new();
    claims.insert("sub".into(), json!(user.id));
    if family.scope.contains(Scope::Profile) {
        if let Some(nickname) = &user.nickname {
            claims.insert("name".into(), json!(nickname));
            claims.insert("nickname".into(), json!(nickname));
        }
        if let Some(picture) = &user.picture {
            claims.insert("picture".into(), json!(picture));
        }
        claims.insert("updated_at".into(), json!(user.updated_at.as_second()));
    }
    if let Some(identity) = identity {
        reach(&mut claims, &family.scope, identity, now);
        match identity.key.kind {
            kind if kind.is_wechat() => of_wechat(&mut claims, &family.scope, identity),
            ChannelKind::Wecom => of_wecom(&mut claims, &family.scope, identity),
            _ => {}
        }
    }
    Value::Object(claims)
}

/// How to reach the person, as far as the platform of the identity used told it. A platform hands out numbers that it has
/// verified; who typed an address into a corp's directory, nobody knows.
fn reach(claims: &mut Map<String, Value>, scope: &ScopeSet, identity: &Identity, now: Timestamp) {
    if scope.contains(Scope::Phone)
        && let Some(number) = &identity.attributes.phone_number
    {
        claims.insert("phone_number".into(), json!(number));
        let proven_at = identity.attributes.phone_proven_at;
        let is_verified = proven_at.is_some_and(|at| now < at + PHONE_VERIFIED_FOR);
        claims.insert("phone_number_verified".into(), json!(is_verified));
    }
    if scope.contains(Scope::Email)
        && let Some(email) = &identity.attributes.email
    {
        claims.insert("email".into(), json!(email));
        claims.insert("email_verified".into(), json!(false));
    }
}

fn of_wechat(claims: &mut Map<String, Value>, scope: &ScopeSet, identity: &Identity) {
    if scope.contains(Scope::WechatOpenid) {
        claims.insert("wechat_openid".into(), json!(identity.key.subject));
        claims.insert("wechat_appid".into(), json!(identity.key.app));
    }
    if scope.contains(Scope::WechatUnionid)
        && let Some(union) = &identity.union
    {
        claims.insert("wechat_unionid".into(), json!(union.unionid));
    }
}

/// The member's id is told as the directory writes it, never taken from the key: that one is in lower case, and people
/// who are no members have keys too (WeCom fact sheet §1, §7).
fn of_wecom(claims: &mut Map<String, Value>, scope: &ScopeSet, identity: &Identity) {
    if !scope.contains(Scope::Wecom) {
        return;
    }
    claims.insert("wecom_corpid".into(), json!(identity.key.app));
    if let Some(member) = &identity.attributes.member_id {
        claims.insert("wecom_userid".into(), json!(member));
        claims.insert("wecom_departments".into(), json!(identity.attributes.departments));
    }
}
