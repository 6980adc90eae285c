//! A person goes for good (SEC-90): whatever is kept of them is deleted, and the same phone is somebody new afterwards.
//!
//! What stays is the audit trail, which nobody changes: its records name people by our random ids, and end by their age. Whoever
//! was merged into the person goes with them, as they are one. Websites keep what they were told; so who must hear of it can be
//! looked at before ([`ErasurePreview`]).

use crate::identity::Identity;
use crate::ids::{ClientId, UserId};
use crate::user::User;

/// What erasing a person would take, to look at before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasurePreview {
    /// The person.
    pub user: User,
    /// Those who were merged into them, be it through others: they go with them.
    pub merged: Vec<User>,
    /// The ways to sign in, oldest first.
    pub identities: Vec<Identity>,
    /// How many browsers would be signed out.
    pub sessions: u64,
    /// The websites that know the person, or somebody who was merged into them, by id: they keep copies, and must be told.
    /// Those that have met the person since their tokens were swept, or have an agreement of theirs.
    pub clients: Vec<ClientId>,
}

/// A person who is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The person.
    pub user: UserId,
    /// Those who had been merged into them, and are gone too.
    pub merged: Vec<UserId>,
    /// How many browsers were signed out.
    pub sessions: u64,
}

/// An identity that is gone because its person withdrew it at the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// Whose it was.
    pub user: UserId,
    /// How many browsers were signed out.
    pub ended: u64,
    /// Set if it was the last way to sign in: then the person went with it.
    pub erased: Option<Erased>,
    /// If they did, the websites that know them, as [`ErasurePreview::clients`].
    pub clients: Vec<ClientId>,
}

/// Why a person cannot be erased. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErasureRefusal {
    /// There is no such person, or no more.
    #[error("there is no person {0}")]
    Unknown(UserId),
    /// Their ways to sign in are another person's now, and go with that one.
    #[error(
        "{user} is merged into {into}, who has their ways to sign in now: erase {into}, which takes {user} along, or undo the \
         merge first"
    )]
    Merged {
        /// Who was to be erased.
        user: UserId,
        /// Into whom they were merged.
        into: UserId,
    },
}
