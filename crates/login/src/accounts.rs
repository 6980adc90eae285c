//! One person, several identities: what a unionid may do, linking and unlinking by the person, merging by an
//! administrator.
//!
//! A unionid leads a *new* identity to the person who has it, inside one declared platform account; it never moves an
//! identity that is known, and it never makes two people one (SEC-39). Only a [`Merge`] does that: asked for by name,
//! shown before, written down, and undone if it was wrong.
//!
//! A corp's directory may give a member's id to somebody else. So the identity of a member who left is put away
//! ([`Retired`]), and that of one with a new id goes with them ([`Renamed`]); else the next one who is given the id would
//! sign in as the former (SEC-35).

use jiff::Timestamp;

use crate::audit::{AuditEvent, AuditKind};
use crate::identity::{Identity, IdentityKey, Proof};
use crate::ids::{ClientId, GrantId, MergeId, UserId};
use crate::secret::SecretHash;
use crate::user::User;

/// What a proof's unionid showed, beyond the person whom it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnionNews {
    /// It leads to another person than the identity does, or to the one whom the identity was taken from. Nothing was
    /// merged, and the link was not recorded: somebody must look whether the two are one.
    Clash {
        /// Who had it before.
        other: UserId,
    },
    /// The identity had another one; now it has this one, which was free. So it is when an app moves to another platform
    /// account.
    Changed,
    /// The identity was not known, and leads to the person who has the unionid from now on.
    Attached,
}

/// What a login leaves in the trail, in this order: what it did on the way, and `told`, all of them with the person whom it
/// signed in (SEC-78). Who had a unionid that led an identity to the person is the person themself: so it is told from what
/// they linked by hand.
#[must_use]
pub fn trail_of(
    told: &AuditEvent,
    user: &UserId,
    created: bool,
    union: Option<&UnionNews>,
) -> Vec<AuditEvent> {
    let event = |kind, other| AuditEvent { kind, user: Some(user.clone()), other, ..told.clone() };
    let news = union.map(|news| match news {
        UnionNews::Clash { other } => event(AuditKind::UnionClash, Some(other.clone())),
        UnionNews::Changed => event(AuditKind::UnionChanged, None),
        UnionNews::Attached => event(AuditKind::IdentityLinked, Some(user.clone())),
    });
    created
        .then(|| event(AuditKind::UserCreated, None))
        .into_iter()
        .chain(news)
        .chain([event(told.kind, None)])
        .collect()
}

/// A person's wish to add an identity to their account, at its end: the phone has approved.
#[derive(Debug, Clone)]
pub struct Linking {
    /// The grant that asks for it; names the person.
    pub grant: GrantId,
    /// Hash of the session cookie the browser has now: it must be a session of the same person (SEC-38).
    pub session: SecretHash,
    /// Whoever has that session must not have confirmed it for their own page longer ago than this moment.
    pub fresh_since: Timestamp,
    /// The identity.
    pub proof: Proof,
}

/// How linking went. Unless it was done, nothing was written, and the grant is as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    /// The identity leads to the person from now on.
    Done(UserId),
    /// It did so before.
    AlreadyYours(UserId),
    /// It, or its unionid, leads to this person. Nobody moves by linking; an administrator can merge the two.
    OwnedByOther(UserId),
    /// The grant was answered before or its time is over; or the browser's session ended, is another person's, or is not
    /// fresh; or the identity is a member's who left since the proof.
    NotOpen,
    /// The person was switched off meanwhile (SEC-40).
    UserDisabled,
}

/// How unlinking went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlinked {
    /// The identity is gone, and so is what was signed in by it. Its unionid does not lead it back.
    Done,
    /// It is the last one: without it nobody could sign in as this person any more. Nothing was written.
    LastOne,
    /// The person has no such identity.
    NotYours,
}

/// Those of `all` that the same account of the platform has in other apps, as the unionid tells. Unlinking one of them
/// leaves the others.
pub fn others_of_account<'a>(one: &Identity, all: &'a [Identity]) -> impl Iterator<Item = &'a Identity> {
    all.iter().filter(|other| other.key != one.key && one.union.is_some() && other.union == one.union)
}

/// A member left, and their identity leads nobody here any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// Whose it was. Other identities still lead to them.
    pub user: UserId,
    /// How many browsers were signed out, whichever identity had opened them.
    pub ended: u64,
}

/// How giving an identity its new name went. Whatever the former one was signed in to has ended, and nobody has that name
/// now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renamed {
    /// The person keeps their account under the new name.
    Done(UserId),
    /// The new name leads to somebody already; the identity was put away as if the member had left. An administrator can
    /// merge the two.
    Clash {
        /// Who had the former name.
        user: UserId,
        /// Who has the new one; the same person, if they had linked both.
        other: UserId,
    },
    /// Nobody had the former name, or the two names are one. Nothing was written.
    Nobody,
}

/// Two people who were found to be one: everything that led to `from` leads to `into`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Names it, to undo it by.
    pub id: MergeId,
    /// The person who ended.
    pub from: UserId,
    /// The person who stayed.
    pub into: UserId,
    /// When.
    pub merged_at: Timestamp,
    /// Set once it was undone.
    pub undone_at: Option<Timestamp>,
}

/// What a merge would do, to look at before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergePreview {
    /// The person who would end.
    pub from: User,
    /// The person who would stay.
    pub into: User,
    /// The identities that would move, oldest first.
    pub identities: Vec<Identity>,
    /// How many browsers would be signed out.
    pub sessions: u64,
    /// The websites that know `from`, by id: they will see the person arrive as `into`, another `sub`.
    pub clients: Vec<ClientId>,
}

/// Why two people cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeRefusal {
    /// They are one already.
    #[error("that is the same person twice")]
    SamePerson,
    /// There is no such person.
    #[error("there is no person {0}")]
    Unknown(UserId),
    /// A switched-off person must not come back in through another one (SEC-40).
    #[error("{0} is switched off; switch them on first")]
    Disabled(UserId),
    /// One of them was merged before.
    #[error("{0} is merged into somebody already; undo that first")]
    Merged(UserId),
}

/// How undoing a merge went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// `from` lives again.
    Done {
        /// The merge, as it stands now.
        merge: Merge,
        /// The identities that went back: those that were still with `into`.
        identities: Vec<IdentityKey>,
    },
    /// There is no such merge.
    Unknown,
    /// It was undone before.
    Before,
    /// The person who stayed was merged further on: that one is to be undone first.
    MergedFurther(UserId),
    /// The person who stayed is switched off, and nobody of them shall come back by undoing (SEC-40). Nothing was written.
    Disabled(UserId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_78_what_a_login_did_stands_before_it_and_names_the_person() {
        let told = AuditEvent {
            ticket: Some("abc123".into()),
            ..AuditEvent::new(Timestamp::UNIX_EPOCH, AuditKind::SignedIn)
        };
        let (user, other): (UserId, UserId) = ("person".parse().unwrap(), "another".parse().unwrap());
        let kinds = |created, union: Option<UnionNews>| {
            let trail = trail_of(&told, &user, created, union.as_ref());
            assert!(
                trail.iter().all(|event| event.user.as_ref() == Some(&user) && event.ticket == told.ticket)
            );
            trail.into_iter().map(|event| (event.kind, event.other)).collect::<Vec<_>>()
        };
        let signed_in = (AuditKind::SignedIn, None);
        assert_eq!(kinds(false, None), std::slice::from_ref(&signed_in));
        let clash = (AuditKind::UnionClash, Some(other.clone()));
        let created = (AuditKind::UserCreated, None);
        assert_eq!(kinds(true, Some(UnionNews::Clash { other })), [created, clash, signed_in.clone()]);
        let linked = (AuditKind::IdentityLinked, Some(user.clone()));
        assert_eq!(kinds(false, Some(UnionNews::Attached)), [linked, signed_in.clone()]);
        assert_eq!(kinds(false, Some(UnionNews::Changed)), [(AuditKind::UnionChanged, None), signed_in]);
    }
}
