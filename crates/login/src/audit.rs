//! What happened, for people who must find out later (SEC-78).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, ClientId, UserId};

/// The steps that are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// A login page was opened and a ticket drawn.
    TicketStarted,
    /// A phone proved who holds it.
    TicketScanned,
    /// Somebody else scanned a ticket that was taken.
    SecondScanRefused,
    /// The person approved.
    TicketApproved,
    /// The person refused.
    TicketDenied,
    /// The number typed on the phone was wrong.
    WrongNumber,
    /// The browser redeemed: a session began.
    SignedIn,
    /// A proven person was refused: switched off, or a snapshot user.
    SignInRefused,
    /// A session ended by request.
    SignedOut,
    /// A person was created.
    UserCreated,
    /// A code was exchanged for tokens.
    TokensIssued,
    /// A refresh token was rotated.
    TokensRefreshed,
    /// A spent code or refresh token came back; everything from it was revoked.
    ReplayDetected,
    /// A client was registered or changed, switched off or on.
    ClientSaved,
    /// A person was switched off or on.
    UserSwitched,
    /// Signing keys were made or rotated.
    KeysRotated,
    /// A session that was there answered a website's request, without a scan.
    SessionContinued,
    /// The person went back to the website without signing in.
    LoginCancelled,
    /// A platform refused or failed.
    ChannelFailed,
    /// A platform's answer came from another device than set out.
    ForeignStateRefused,
    /// A client did not prove itself.
    ClientRefused,
    /// A client gave its tokens back.
    TokensRevoked,
    /// Another system of the operator's fetched an app's token from us.
    PlatformTokenGiven,
    /// A phone sent an identity, a phone number or a platform's token, which never count (SEC-22, SEC-24).
    IdentityInRequestRefused,
    /// A proof's unionid leads to another person than its identity; nothing was merged.
    UnionClash,
    /// An identity has another unionid than before.
    UnionChanged,
    /// A person added an identity.
    IdentityLinked,
    /// A person wanted to add an identity that leads to somebody else.
    LinkRefused,
    /// An identity was taken from a person.
    IdentityUnlinked,
    /// An administrator made two people one.
    UsersMerged,
    /// An administrator took such a merge back.
    MergeUndone,
    /// A directory told that a member left; what they were signed in to has ended.
    MemberLeft,
    /// A directory told that a member has another id now; the person is the same.
    MemberRenamed,
    /// A directory told of a member's new id, but that one leads to another person; nobody was merged.
    MemberClash,
    /// A person's name and password were set or changed.
    PasswordSet,
    /// A person added a passkey.
    PasskeyAdded,
    /// A password did not fit its name. Names a person only if the name is somebody's.
    WrongPassword,
    /// A code was sent by e-mail or SMS.
    CodeSent,
    /// A code that came back was wrong.
    WrongCode,
    /// A person agreed to what a website gets of them.
    ConsentGiven,
    /// A person took such an agreement back; what the website held is revoked.
    ConsentWithdrawn,
    /// All sessions of a person were ended, or all but one: by themselves in that one, or by the operator.
    SessionsEnded,
}

impl AuditKind {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 42] = [
        Self::TicketStarted,
        Self::TicketScanned,
        Self::SecondScanRefused,
        Self::TicketApproved,
        Self::TicketDenied,
        Self::WrongNumber,
        Self::SignedIn,
        Self::SignInRefused,
        Self::SignedOut,
        Self::UserCreated,
        Self::TokensIssued,
        Self::TokensRefreshed,
        Self::ReplayDetected,
        Self::ClientSaved,
        Self::UserSwitched,
        Self::KeysRotated,
        Self::SessionContinued,
        Self::LoginCancelled,
        Self::ChannelFailed,
        Self::ForeignStateRefused,
        Self::ClientRefused,
        Self::TokensRevoked,
        Self::PlatformTokenGiven,
        Self::IdentityInRequestRefused,
        Self::UnionClash,
        Self::UnionChanged,
        Self::IdentityLinked,
        Self::LinkRefused,
        Self::IdentityUnlinked,
        Self::UsersMerged,
        Self::MergeUndone,
        Self::MemberLeft,
        Self::MemberRenamed,
        Self::MemberClash,
        Self::PasswordSet,
        Self::PasskeyAdded,
        Self::WrongPassword,
        Self::CodeSent,
        Self::WrongCode,
        Self::ConsentGiven,
        Self::ConsentWithdrawn,
        Self::SessionsEnded,
    ];

    /// The name in the store and in exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TicketStarted => "ticket_started",
            Self::TicketScanned => "ticket_scanned",
            Self::SecondScanRefused => "second_scan_refused",
            Self::TicketApproved => "ticket_approved",
            Self::TicketDenied => "ticket_denied",
            Self::WrongNumber => "wrong_number",
            Self::SignedIn => "signed_in",
            Self::SignInRefused => "sign_in_refused",
            Self::SignedOut => "signed_out",
            Self::UserCreated => "user_created",
            Self::TokensIssued => "tokens_issued",
            Self::TokensRefreshed => "tokens_refreshed",
            Self::ReplayDetected => "replay_detected",
            Self::ClientSaved => "client_saved",
            Self::UserSwitched => "user_switched",
            Self::KeysRotated => "keys_rotated",
            Self::SessionContinued => "session_continued",
            Self::LoginCancelled => "login_cancelled",
            Self::ChannelFailed => "channel_failed",
            Self::ForeignStateRefused => "foreign_state_refused",
            Self::ClientRefused => "client_refused",
            Self::TokensRevoked => "tokens_revoked",
            Self::PlatformTokenGiven => "platform_token_given",
            Self::IdentityInRequestRefused => "identity_in_request_refused",
            Self::UnionClash => "union_clash",
            Self::UnionChanged => "union_changed",
            Self::IdentityLinked => "identity_linked",
            Self::LinkRefused => "link_refused",
            Self::IdentityUnlinked => "identity_unlinked",
            Self::UsersMerged => "users_merged",
            Self::MergeUndone => "merge_undone",
            Self::MemberLeft => "member_left",
            Self::MemberRenamed => "member_renamed",
            Self::MemberClash => "member_clash",
            Self::PasswordSet => "password_set",
            Self::PasskeyAdded => "passkey_added",
            Self::WrongPassword => "wrong_password",
            Self::CodeSent => "code_sent",
            Self::WrongCode => "wrong_code",
            Self::ConsentGiven => "consent_given",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::SessionsEnded => "sessions_ended",
        }
    }

    /// Reads [`AuditKind::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
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
