//! One OpenID Connect authorization request waiting for its answer.
//!
//! `oidc` parses and checks the request; here it is a value bound to the browser that brought it (SEC-56). It ends in
//! a code, once: the stores guard `Pending → Fulfilled` in the write. The person's own page asks in the same way, and ends
//! in a session or a linked identity ([`Purpose`]).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::IdentityKey;
use crate::ids::{ClientId, FamilyId, GrantId, SessionId, UserId};
use crate::secret::SecretHash;

/// What the website asked for, checked and in our words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// The proven redirect address, exactly as presented.
    pub redirect_uri: String,
    /// How the answer travels there.
    #[serde(default)]
    pub response_mode: ResponseMode,
    /// Granted scopes: the known ones among those asked for.
    pub scope: ScopeSet,
    /// Returned unchanged.
    pub state: Option<String>,
    /// Copied into the ID token.
    pub nonce: Option<String>,
    /// PKCE S256 challenge (RFC 7636 §4.2): 43 characters of base64url.
    pub code_challenge: Option<String>,
    /// `prompt=login` (or `select_account`; or `consent`, where approving on the phone is all the consent that is asked):
    /// ask again even when a session exists.
    pub force_login: bool,
    /// `prompt=consent` of a client whose people are asked for consent: ask even if they agreed before.
    #[serde(default)]
    pub force_consent: bool,
    /// `prompt=none`: never show a page.
    pub silent: bool,
    /// Seconds since the last approval that the website accepts.
    pub max_age: Option<u64>,
    /// A channel id to preselect.
    pub login_hint: Option<String>,
    /// The person of a verified `id_token_hint`: nobody else may answer (OpenID Connect Core §3.1.2.1).
    #[serde(default)]
    pub hinted: Option<UserId>,
    /// Preferred languages, best first (OpenID Connect Core §3.1.2.1).
    pub ui_locales: Vec<String>,
}

impl AuthorizationRequest {
    /// Whether `user` may answer it: anybody, unless it names a person.
    #[must_use]
    pub fn admits(&self, user: &UserId) -> bool {
        self.hinted.as_ref().is_none_or(|hinted| hinted == user)
    }
}

/// How an answer travels to the client (OAuth 2.0 Multiple Response Type Encoding Practices §2.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect address.
    #[default]
    Query,
    /// As a message to the window that opened us (OAuth 2.0 Web Message Response Mode, draft-sakimura-oauth-wmrm).
    WebMessage,
}

impl ResponseMode {
    /// Reads the parameter's value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "query" => Some(Self::Query),
            "web_message" => Some(Self::WebMessage),
            _ => None,
        }
    }
}

/// The scopes this provider knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The request is OpenID Connect.
    Openid,
    /// `name`, `nickname`, `picture`, `updated_at`.
    Profile,
    /// Refresh tokens.
    OfflineAccess,
    /// `phone_number` and `phone_number_verified`, if the platform told one.
    Phone,
    /// `email` and `email_verified`, if the platform told one.
    Email,
    /// `wechat_openid` and `wechat_appid` of the identity used.
    WechatOpenid,
    /// `wechat_unionid` of the identity used.
    WechatUnionid,
    /// `wecom_userid`, `wecom_corpid` and `wecom_departments` of the identity used; `userid` and `departments`.
    Wecom,
    /// `roles`, by the operator's rules.
    Roles,
    /// `groups`, by the operator's rules.
    Groups,
}

impl Scope {
    /// Every scope, in the order of the discovery document.
    pub const ALL: [Self; 10] = [
        Self::Openid,
        Self::Profile,
        Self::OfflineAccess,
        Self::Phone,
        Self::Email,
        Self::WechatOpenid,
        Self::WechatUnionid,
        Self::Wecom,
        Self::Roles,
        Self::Groups,
    ];

    /// The scope token.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Openid => "openid",
            Self::Profile => "profile",
            Self::OfflineAccess => "offline_access",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::WechatOpenid => "wechat_openid",
            Self::WechatUnionid => "wechat_unionid",
            Self::Wecom => "wecom",
            Self::Roles => "roles",
            Self::Groups => "groups",
        }
    }
}

/// A set of scopes, in a fixed order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeSet(std::collections::BTreeSet<Scope>);

impl ScopeSet {
    /// The known scopes in a space-separated list; unknown ones are ignored (OpenID Connect Core §3.1.2.1).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(
            text.split(' ')
                .filter_map(|word| Scope::ALL.into_iter().find(|scope| scope.as_str() == word))
                .collect(),
        )
    }

    /// Whether `scope` is in the set.
    #[must_use]
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes, in the order of the discovery document.
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    /// The scopes of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).copied().collect())
    }

    /// Whether every scope of `self` is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for ScopeSet {
    /// The space-separated list of RFC 6749 §3.3.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|scope| scope.as_str()).collect();
        f.write_str(&words.join(" "))
    }
}

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantStage {
    /// Waiting for a ticket or a session to answer it.
    Pending,
    /// Answered: with a code, by opening the person's own page, or by adding an identity.
    Fulfilled,
    /// Answered with an error: the person cancelled.
    Refused,
}

/// What a grant ends in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A code for the website that asked.
    SignIn,
    /// A session, for the person's own page here; no code, no tokens.
    Account,
    /// One more identity for this person, who must be signed in in the same browser (SEC-38).
    Link {
        /// To whom it is added.
        user: UserId,
    },
}

/// An authorization request being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Names it in the login page's address.
    pub id: GrantId,
    /// Who asked.
    pub client: ClientId,
    /// What was asked.
    pub request: AuthorizationRequest,
    /// What it ends in.
    pub purpose: Purpose,
    /// The browser that brought it (SEC-56).
    pub browser: SecretHash,
    /// Brought.
    pub created_at: Timestamp,
    /// After this it can no longer be answered.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub stage: GrantStage,
}

impl Grant {
    /// Whether it can still be answered at `now`.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.stage == GrantStage::Pending && now < self.expires_at
    }

    /// Whether `browser` brought it.
    #[must_use]
    pub fn belongs_to(&self, browser: &SecretHash) -> bool {
        self.browser == *browser
    }
}

/// Everything issued from one answered grant, revoked together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Names it.
    pub id: FamilyId,
    /// For whom the tokens are.
    pub client: ClientId,
    /// About whom they speak.
    pub user: UserId,
    /// The browser session they came from.
    pub session: SessionId,
    /// The identity that was proven in it.
    pub identity: IdentityKey,
    /// Granted scopes.
    pub scope: ScopeSet,
    /// `auth_time` of the ID token.
    pub auth_time: Timestamp,
    /// `amr` of the ID token: the channel kind.
    pub amr: String,
    /// Absolute end of every token in it (SEC-50).
    pub expires_at: Timestamp,
    /// Set by a replay or a logout.
    pub revoked_at: Option<Timestamp>,
}

impl Family {
    /// Whether its tokens may still be used at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_scopes_are_ignored_and_known_ones_read_back() {
        let scope = ScopeSet::parse("openid  address profile openid");
        assert_eq!(scope.to_string(), "openid profile");
        assert!(!scope.contains(Scope::WechatOpenid));
        assert_eq!(ScopeSet::parse(&scope.to_string()), scope);
    }
}
