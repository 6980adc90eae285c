//! What the page says after something was done, by a word in its address.

use crate::urls;

/// What the page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// An identity was added.
    Linked,
    /// An identity was taken away.
    Unlinked,
    /// So it was, and another one of the same WeChat account is still there.
    UnlinkedOne,
    /// It was the person's before.
    AlreadyYours,
    /// It leads to another person.
    OwnedByOther,
    /// The last one stays.
    LastOne,
    /// The session ended or grew old on the way.
    NotFresh,
    /// Approved once more: now it can be done.
    Fresh,
    /// Another person than the one signed in approved.
    OtherPerson,
    /// Gone back without an approval.
    Cancelled,
    /// A passkey was made.
    PasskeyAdded,
    /// A passkey has another name.
    PasskeyRenamed,
    /// A passkey was taken away.
    PasskeyRemoved,
    /// Name and password were set.
    PasswordSet,
    /// One browser was signed out.
    SessionEnded,
    /// All other browsers were signed out.
    OthersEnded,
    /// A website's agreement was taken back.
    Withdrawn,
}

impl Notice {
    const ALL: [Self; 17] = [
        Self::Linked,
        Self::Unlinked,
        Self::UnlinkedOne,
        Self::AlreadyYours,
        Self::OwnedByOther,
        Self::LastOne,
        Self::NotFresh,
        Self::Fresh,
        Self::OtherPerson,
        Self::Cancelled,
        Self::PasskeyAdded,
        Self::PasskeyRenamed,
        Self::PasskeyRemoved,
        Self::PasswordSet,
        Self::SessionEnded,
        Self::OthersEnded,
        Self::Withdrawn,
    ];

    /// The word in addresses and locale keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Unlinked => "unlinked",
            Self::UnlinkedOne => "unlinked_one",
            Self::AlreadyYours => "already_yours",
            Self::OwnedByOther => "owned_by_other",
            Self::LastOne => "last_one",
            Self::NotFresh => "not_fresh",
            Self::Fresh => "fresh",
            Self::OtherPerson => "other_person",
            Self::Cancelled => "cancelled",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRenamed => "passkey_renamed",
            Self::PasskeyRemoved => "passkey_removed",
            Self::PasswordSet => "password_set",
            Self::SessionEnded => "session_ended",
            Self::OthersEnded => "others_ended",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads [`Notice::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.as_str() == text)
    }

    /// The page with this notice.
    #[must_use]
    pub fn address(self) -> String {
        format!("{}?notice={}", urls::ACCOUNT, self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_read_back() {
        for notice in Notice::ALL {
            assert_eq!(Notice::parse(notice.as_str()), Some(notice));
        }
        assert_eq!(Notice::parse("<b>"), None);
    }
}
