//! What a person agreed to tell a website, so that they are asked once; and which websites know them without having asked.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::grant::ScopeSet;
use crate::ids::{ClientId, UserId};
use crate::records::StoreError;

/// One person's agreement with one website.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The website.
    pub client: ClientId,
    /// All they ever agreed to, until they take it back.
    pub scope: ScopeSet,
    /// When they last agreed.
    pub at: Timestamp,
}

impl Consent {
    /// Whether `asked` needs no further question.
    #[must_use]
    pub fn covers(&self, asked: &ScopeSet) -> bool {
        asked.is_subset(&self.scope)
    }
}

/// What a website was granted about a person and still holds, whether they were asked or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The website.
    pub client: ClientId,
    /// All that its live token families were granted.
    pub scope: ScopeSet,
    /// The person's last approval from which it holds something.
    pub since: Timestamp,
}

/// The agreements of one installation, in the same store as the [`Records`](crate::records::Records). Each method is one
/// transaction. A merge moves none: the websites see another `sub` afterwards, and the person is asked as such.
#[async_trait]
pub trait Consents: Send + Sync + fmt::Debug {
    /// What a person agreed to with one website.
    async fn consent(&self, user: &UserId, client: &ClientId) -> Result<Option<Consent>, StoreError>;

    /// Writes down that a person agreed. Scopes add up; of several calls at the same moment none is lost. Of somebody who was
    /// erased meanwhile nothing is written.
    async fn save_consent(&self, user: &UserId, consent: &Consent) -> Result<(), StoreError>;

    /// All of a person's agreements, by client id.
    async fn consents_of(&self, user: &UserId) -> Result<Vec<Consent>, StoreError>;

    /// What websites hold of a person at `now`, by client id: those with a token family that is neither revoked nor over.
    async fn holdings_of(&self, user: &UserId, now: Timestamp) -> Result<Vec<Holding>, StoreError>;

    /// Takes an agreement back and revokes every token family of that website and person: all or nothing. `false` if there
    /// was no agreement; what the website holds is revoked all the same.
    async fn withdraw_consent(
        &self,
        user: &UserId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agreement_covers_what_was_agreed_and_no_more() {
        let scope = ScopeSet::parse("openid profile phone");
        let consent = Consent { client: "site".parse().unwrap(), scope, at: Timestamp::UNIX_EPOCH };
        assert!(consent.covers(&ScopeSet::parse("openid phone")));
        assert!(!consent.covers(&ScopeSet::parse("openid email")));
    }
}
