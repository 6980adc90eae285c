//! Who is spoken of: the person, the identity they signed in by, and their others.

use mashang_login::Timestamp;
use mashang_login::credentials::Username;
use mashang_login::identity::{ChannelKind, Identity, IdentityKey};
use mashang_login::records::StoreError;
use mashang_login::user::User;

use crate::provider::Provider;

/// A person with all that leads to them. What one identity does not tell, another of the same person may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub user: User,
    /// The identity that was proven, if it still exists.
    pub used: Option<Identity>,
    /// All identities, the one used among them.
    pub identities: Vec<Identity>,
    /// The name beside their password, if an administrator gave it.
    pub username: Option<Username>,
}

impl Person {
    /// Reads what is known of somebody who signed in by `used`.
    ///
    /// # Errors
    /// [`StoreError`] when the store did not answer.
    pub async fn load(provider: &Provider, user: User, used: &IdentityKey) -> Result<Self, StoreError> {
        let identities = provider.records.identities_of(&user.id).await?;
        let has_password = identities.iter().any(|identity| identity.key.kind == ChannelKind::Password);
        let username = if has_password {
            let password = provider.credentials.password_of(&user.id).await?;
            password.filter(|password| password.is_assigned).map(|password| password.username)
        } else {
            None
        };
        let used = identities.iter().find(|identity| identity.key == *used).cloned();
        Ok(Self { user, used, identities, username })
    }

    /// The membership of a corp that they signed in by; else the only one they have. Of two others, neither is chosen.
    #[must_use]
    pub fn member(&self) -> Option<&Identity> {
        if let Some(used) = self.used.as_ref().filter(|used| is_member(used)) {
            return Some(used);
        }
        let mut memberships = self.identities.iter().filter(|identity| is_member(identity));
        memberships.next().filter(|_| memberships.next().is_none())
    }

    /// What products call the account: the member's id, else the name that an administrator gave. Never made up, and
    /// never chosen by the person: products sign people in as whoever has the name.
    #[must_use]
    pub fn account_name(&self) -> Option<&str> {
        let member = self.member().and_then(|member| member.attributes.member_id.as_deref());
        member.or(self.username.as_ref().map(Username::as_str))
    }

    /// An e-mail address and whether it received our code: of the identity used, else the one of theirs that was used last.
    #[must_use]
    pub fn email(&self) -> Option<(&str, bool)> {
        let of = |identity: &'_ Identity| identity.key.kind == ChannelKind::Email;
        if let Some(used) = &self.used {
            if of(used) {
                return Some((&used.key.subject, true));
            }
            if let Some(address) = &used.attributes.email {
                return Some((address, false));
            }
        }
        self.latest(ChannelKind::Email).map(|identity| (identity.key.subject.as_str(), true))
    }

    /// A telephone number and when it was proven, in the same order.
    #[must_use]
    pub fn phone_number(&self) -> Option<(&str, Option<Timestamp>)> {
        let by_code = |identity| {
            let Identity { key, attributes, .. }: &Identity = identity;
            (key.subject.as_str(), attributes.phone_proven_at)
        };
        if let Some(used) = &self.used {
            if used.key.kind == ChannelKind::Sms {
                return Some(by_code(used));
            }
            if let Some(number) = &used.attributes.phone_number {
                return Some((number, used.attributes.phone_proven_at));
            }
        }
        self.latest(ChannelKind::Sms).map(by_code)
    }

    fn latest(&self, kind: ChannelKind) -> Option<&Identity> {
        self.identities
            .iter()
            .filter(|identity| identity.key.kind == kind)
            .max_by_key(|identity| identity.last_used_at)
    }
}

fn is_member(identity: &Identity) -> bool {
    let is_there = identity.key.kind == ChannelKind::Wecom && identity.key.left().is_none();
    is_there && identity.attributes.member_id.is_some()
}
