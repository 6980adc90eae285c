//! What happened, for people who must find out later (SEC-78).

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::ids::{ChannelId, ClientId, UserId};

/// Makes the enum, the list of all and the words from one list, so that none can be forgotten in another.
macro_rules! kinds {
    ($($(#[$about:meta])+ $kind:ident = $word:literal,)+) => {
        /// The steps that are recorded.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AuditKind {
            $($(#[$about])+ $kind,)+
            /// What a later version records: nodes of two versions may share a trail, and one may go back.
            Later(&'static str),
        }

        impl AuditKind {
            /// Every kind, for tables and tests.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$kind),+];

            /// The name in the store and in exports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)+
                    Self::Later(word) => word,
                }
            }

            /// Reads [`AuditKind::as_str`]: one of [`AuditKind::ALL`].
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|kind| kind.as_str() == text)
            }

            /// The same, for what is stored: a word that is not known may be one of a later version.
            #[must_use]
            pub fn read(text: &str) -> Option<Self> {
                Self::parse(text).or_else(|| later(text).map(Self::Later))
            }
        }
    };
}

kinds! {
    /// A login page was opened and a ticket drawn.
    TicketStarted = "ticket_started",
    /// A phone proved who holds it.
    TicketScanned = "ticket_scanned",
    /// Somebody else scanned a ticket that was taken.
    SecondScanRefused = "second_scan_refused",
    /// The person approved.
    TicketApproved = "ticket_approved",
    /// The person refused.
    TicketDenied = "ticket_denied",
    /// The number typed on the phone was wrong.
    WrongNumber = "wrong_number",
    /// The browser redeemed: a session began.
    SignedIn = "signed_in",
    /// A proven person was refused: switched off, by a way that the website does not admit, or by a passkey that was copied.
    SignInRefused = "sign_in_refused",
    /// A proven person was refused: in none of the groups that the website requires.
    NotAdmitted = "not_admitted",
    /// A session ended by request.
    SignedOut = "signed_out",
    /// A person was created.
    UserCreated = "user_created",
    /// A code was exchanged for tokens.
    TokensIssued = "tokens_issued",
    /// A refresh token was rotated.
    TokensRefreshed = "tokens_refreshed",
    /// A spent code or refresh token came back; everything from it was revoked.
    ReplayDetected = "replay_detected",
    /// A client was registered or changed.
    ClientSaved = "client_saved",
    /// A client was switched off.
    ClientDisabled = "client_disabled",
    /// A client was switched on again.
    ClientEnabled = "client_enabled",
    /// A person was switched off.
    UserDisabled = "user_disabled",
    /// A person was switched on again.
    UserEnabled = "user_enabled",
    /// A person was switched off or on: what was written before it was told which.
    UserSwitched = "user_switched",
    /// Signing keys were made or rotated.
    KeysRotated = "keys_rotated",
    /// A session that was there answered a website's request, without a scan.
    SessionContinued = "session_continued",
    /// The person went back to the website without signing in.
    LoginCancelled = "login_cancelled",
    /// A platform refused or failed.
    ChannelFailed = "channel_failed",
    /// A platform's answer came from another device than set out.
    ForeignStateRefused = "foreign_state_refused",
    /// A client did not prove itself.
    ClientRefused = "client_refused",
    /// A client gave its tokens back.
    TokensRevoked = "tokens_revoked",
    /// Another system of the operator's fetched an app's token from us.
    PlatformTokenGiven = "platform_token_given",
    /// A phone sent an identity, a phone number or a platform's token, which never count (SEC-22, SEC-24).
    IdentityInRequestRefused = "identity_in_request_refused",
    /// A proof's unionid leads to another person than its identity; nothing was merged.
    UnionClash = "union_clash",
    /// An identity has another unionid than before.
    UnionChanged = "union_changed",
    /// A person added an identity.
    IdentityLinked = "identity_linked",
    /// A person wanted to add an identity that leads to somebody else.
    LinkRefused = "link_refused",
    /// An identity was taken from a person.
    IdentityUnlinked = "identity_unlinked",
    /// An administrator made two people one.
    UsersMerged = "users_merged",
    /// An administrator took such a merge back.
    MergeUndone = "merge_undone",
    /// A directory told that a member left; what they were signed in to has ended.
    MemberLeft = "member_left",
    /// A directory told that a member has another id now; the person is the same.
    MemberRenamed = "member_renamed",
    /// A directory told of a member's new id, but that one leads to another person; nobody was merged.
    MemberClash = "member_clash",
    /// A person's name and password were set or changed.
    PasswordSet = "password_set",
    /// A person added a passkey.
    PasskeyAdded = "passkey_added",
    /// A password did not fit its name. Names a person only if the name is somebody's.
    WrongPassword = "wrong_password",
    /// A code was sent by e-mail or SMS.
    CodeSent = "code_sent",
    /// A code that came back was wrong.
    WrongCode = "wrong_code",
    /// A person agreed to what a website gets of them.
    ConsentGiven = "consent_given",
    /// A person took such an agreement back; what the website held is revoked.
    ConsentWithdrawn = "consent_withdrawn",
    /// All sessions of a person were ended, or all but one: by themselves in that one, or by the operator.
    SessionsEnded = "sessions_ended",
    /// A person withdrew at the platform what they had allowed, or closed their account there: the identity is gone.
    AuthorizationWithdrawn = "authorization_withdrawn",
    /// The platform told that a person's name and picture count no more: both are forgotten.
    ProfileForgotten = "profile_forgotten",
    /// A person was deleted with all that was kept of them: by themselves, or by the operator. `other` is into whom they had been
    /// merged, if they went with that one.
    PersonErased = "person_erased",
}

/// The most words of later versions that one process learns, and how long each may be: they are kept for good.
const LATER_WORDS: usize = 200;
const LONGEST_WORD: usize = 40;

/// A word that may be a kind of a later version, once for all.
fn later(text: &str) -> Option<&'static str> {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let is_word = |b: u8| b.is_ascii_lowercase() || b == b'_';
    if text.is_empty() || text.len() > LONGEST_WORD || !text.bytes().all(is_word) {
        return None;
    }
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = words.get(text) {
        return Some(known);
    }
    if words.len() >= LATER_WORDS {
        return None;
    }
    let word: &'static str = Box::leak(text.into());
    words.insert(word);
    Some(word)
}

/// One record. It names people and clients by our ids, never a code, a token or an openid (promise 10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// When, UTC.
    pub at: Timestamp,
    /// What.
    pub kind: AuditKind,
    /// The ticket's short form (6 characters), when there is one.
    pub ticket: Option<String>,
    /// The website.
    pub client: Option<ClientId>,
    /// The person, once known.
    pub user: Option<UserId>,
    /// The second person of an event that is about two: who had the unionid (the person themself, if it led an
    /// identity to them), or into whom the first was merged.
    pub other: Option<UserId>,
    /// The channel.
    pub channel: Option<ChannelId>,
    /// The address of the device that caused it.
    pub address: Option<String>,
    /// That device's browser and system.
    pub device: Option<String>,
}

impl AuditEvent {
    /// An event with nothing but its time and kind; fill in what is known.
    #[must_use]
    pub fn new(at: Timestamp, kind: AuditKind) -> Self {
        Self {
            at,
            kind,
            ticket: None,
            client: None,
            user: None,
            other: None,
            channel: None,
            address: None,
            device: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_a_later_version_keeps_its_word_and_what_is_none_is_refused() {
        for kind in AuditKind::ALL {
            assert_eq!(AuditKind::read(kind.as_str()), Some(kind));
        }
        let later = AuditKind::read("device_approved").unwrap();
        assert_eq!((later, later.as_str()), (AuditKind::read("device_approved").unwrap(), "device_approved"));
        assert_eq!(AuditKind::parse("device_approved"), None, "nobody can ask for it");
        for none in ["", "Signed In", "signed-in", &"a".repeat(41)] {
            assert_eq!(AuditKind::read(none), None, "{none}");
        }
    }
}
