//! What must survive: users, identities, clients, grants, codes, tokens, sessions, keys, audit.
//!
//! Each method is one intention and one transaction; none takes a piece of SQL, none stays open across a call to a
//! platform. Absent is `Option`; lost a race is [`StoreError::Conflict`] or a named outcome; a row that cannot be read
//! names its table and key; everything else is [`StoreError::Unavailable`] with its source.
//!
//! One-use values are guarded in the write: `update … where spent_at is null`, then look at the count.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::accounts::{
    Linked, Linking, Merge, MergePreview, MergeRefusal, Renamed, Retired, Undone, UnionNews, Unlinked,
};
use crate::audit::{AuditEvent, AuditKind};
use crate::client::Client;
use crate::erasure::{Erased, ErasurePreview, ErasureRefusal, Withdrawn};
use crate::grant::{Family, Grant};
use crate::identity::{Identity, IdentityKey, Proof};
use crate::ids::{ClientId, FamilyId, GrantId, KeyId, MergeId, SessionId, UserId};
use crate::key::SigningKey;
use crate::secret::SecretHash;
use crate::session::Session;
use crate::token::{CodeRecord, NewTokens, RefreshRecord};
use crate::user::User;

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else was faster, or the name is taken.
    #[error("somebody else was faster")]
    Conflict,
    /// A ceiling is reached; try again shortly.
    #[error("the store holds as much as it is allowed to")]
    Overloaded,
    /// A stored row does not have the shape this version knows.
    #[error("row {key} of {table} cannot be read: {what}")]
    Corrupt {
        /// Table or keyspace.
        table: &'static str,
        /// Primary key, or its hash for secrets.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// The engine did not answer, or answered with an error.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How a grant is answered.
#[derive(Debug, Clone)]
pub enum Login {
    /// A fresh approval on a phone.
    Fresh(Box<FreshLogin>),
    /// A session that is already there (single sign-on).
    Continued(Box<ContinuedLogin>),
}

/// A session that is already there answers.
#[derive(Debug, Clone)]
pub struct ContinuedLogin {
    /// The session, as it was seen.
    pub session: Session,
    /// What the trail says of it; who signed in is filled in.
    pub told: AuditEvent,
}

/// A fresh approval: find the person by identity, else by a declared unionid link, else create them; begin a session.
#[derive(Debug, Clone)]
pub struct FreshLogin {
    /// What the channel proved.
    pub proof: Proof,
    /// The id to use if the person is new.
    pub new_user: UserId,
    /// The session to begin.
    pub session: NewSession,
    /// The browser's former session, ended in the same transaction (SEC-17). The same person's tokens live on, and end
    /// with the new session; another person's are revoked.
    pub replaces: Option<SecretHash>,
    /// What the trail says of it; who signed in is filled in, and what the login did on the way stands before it
    /// ([`trail_of`](crate::accounts::trail_of)).
    pub told: AuditEvent,
}

/// A session about to begin.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its name.
    pub id: SessionId,
    /// Hash of its cookie.
    pub secret: SecretHash,
    /// `amr`.
    pub amr: String,
    /// `auth_time`.
    pub auth_time: Timestamp,
    /// Absolute end.
    pub expires_at: Timestamp,
    /// Browser and system.
    pub device: String,
    /// Network address.
    pub address: String,
    /// `auth_time`, if the person approved for their own page.
    pub confirmed_at: Option<Timestamp>,
}

/// Everything needed to answer a grant with a code.
#[derive(Debug, Clone)]
pub struct Fulfilment {
    /// The grant.
    pub grant: GrantId,
    /// Who is signed in.
    pub login: Login,
    /// Hash of the code.
    pub code: SecretHash,
    /// End of the code's life.
    pub code_expires_at: Timestamp,
    /// The token family to open.
    pub family: FamilyId,
    /// Absolute end of that family.
    pub family_expires_at: Timestamp,
}

/// How answering a grant went.
#[expect(clippy::large_enum_variant, reason = "made once per login and taken apart at once")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fulfilled {
    /// The person is signed in; the code, if the grant asked for one, is valid from now on.
    Done {
        /// The person.
        user: User,
        /// Whether this login created them.
        created: bool,
        /// What the unionid showed.
        union: Option<UnionNews>,
    },
    /// The grant was answered before, or its time is over; or the session that was to be continued has ended meanwhile, or
    /// the password that proved it was changed (then the grant is still pending, and a fresh approval may answer it).
    NotOpen,
    /// The person was switched off (SEC-40), or is a member who left since the proof (SEC-35), or the password or passkey
    /// was removed since. Nothing was written.
    UserDisabled,
    /// The request names another person (`hinted`). Nothing was written.
    OtherPerson,
}

/// How spending a one-use value went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spent {
    /// This call spent it; the tokens are stored.
    Issued,
    /// It was spent before: its whole family is revoked now (SEC-49, SEC-50).
    Replayed,
    /// Never issued, expired, its family is revoked, or its person or client is switched off (SEC-40).
    Unknown,
}

/// Who an access token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// What it was issued from.
    pub family: Family,
    /// The person.
    pub user: User,
    /// Whom it was issued to.
    pub client: Client,
}

/// The records of one installation.
#[async_trait]
pub trait Records: Send + Sync + std::fmt::Debug {
    // ---- clients -------------------------------------------------------------------------------------------------

    /// Registers a client or replaces the one of the same id, whatever that has become: for whoever says all of it.
    async fn save_client(&self, client: &Client) -> Result<(), StoreError>;
    /// Registers a client. [`StoreError::Conflict`] if the id exists; of several calls for one id, one registers it.
    async fn add_client(&self, client: &Client) -> Result<(), StoreError>;
    /// Replaces a client by what it was changed into, unless it is no longer what was `seen` when that was decided: then
    /// nothing is written and the answer is `false`, also if it is gone. Both are of one id.
    async fn change_client(&self, seen: &Client, next: &Client) -> Result<bool, StoreError>;
    /// One client, switched off or not.
    async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError>;
    /// All clients, by id.
    async fn clients(&self) -> Result<Vec<Client>, StoreError>;

    // ---- grants --------------------------------------------------------------------------------------------------

    /// Stores an authorization request. [`StoreError::Conflict`] if the id exists.
    async fn begin_grant(&self, grant: &Grant) -> Result<(), StoreError>;
    /// One grant, whatever its stage.
    async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreError>;
    /// The same, and the client that it names, switched off or not; no client is stored for our own pages.
    async fn grant_and_client(&self, id: &GrantId) -> Result<Option<(Grant, Option<Client>)>, StoreError>;
    /// Answers a website's grant with a code: `Pending → Fulfilled`, person found, linked or created, session begun,
    /// family and code stored, all of it told in the trail: all or nothing. Of any number of calls for one grant exactly
    /// one is [`Fulfilled::Done`]. A grant of another purpose is [`Fulfilled::NotOpen`].
    ///
    /// A person is found by the exact identity key first. Otherwise, when the proof carries a [`UnionLink`], by the
    /// identities with the same link; if such identities belong to more than one person, none is chosen and a new person
    /// is created (SEC-39); also if the identity was unlinked from the one person whom it would lead to. The identity's
    /// profile and link, and the person's nickname and picture, follow the proof; what the proof does not tell stays as it
    /// was. One link belongs to one person at most: one that leads to somebody
    /// else than the identity is not recorded, and reported ([`UnionNews`]). An identity that is held here
    /// ([`is_held_here`]) makes nobody: one that is not known is [`Fulfilled::UserDisabled`].
    ///
    /// [`UnionLink`]: crate::identity::UnionLink
    /// [`is_held_here`]: crate::identity::ChannelKind::is_held_here
    async fn fulfil_grant(&self, fulfilment: &Fulfilment, now: Timestamp) -> Result<Fulfilled, StoreError>;
    /// As [`Records::fulfil_grant`] for a grant of the person's own page ([`Purpose::Account`]): it ends in a session,
    /// and there is no code.
    ///
    /// [`Purpose::Account`]: crate::grant::Purpose::Account
    async fn open_account(
        &self,
        grant: &GrantId,
        login: &FreshLogin,
        now: Timestamp,
    ) -> Result<Fulfilled, StoreError>;
    /// Answers a grant that adds an identity ([`Purpose::Link`]): `Pending → Fulfilled` and the identity stored, or
    /// nothing. Its person must be the one of the browser's live, fresh session.
    ///
    /// [`Purpose::Link`]: crate::grant::Purpose::Link
    async fn link_identity(&self, linking: &Linking, now: Timestamp) -> Result<Linked, StoreError>;
    /// `Pending → Refused`; `false` if it was no longer pending.
    async fn refuse_grant(&self, id: &GrantId, now: Timestamp) -> Result<bool, StoreError>;

    // ---- codes and tokens ----------------------------------------------------------------------------------------

    /// One code, spent or not, expired or not.
    async fn code(&self, code: &SecretHash) -> Result<Option<CodeRecord>, StoreError>;
    /// Spends a code and stores its tokens in one transaction; a second attempt revokes the family.
    async fn exchange_code(
        &self,
        code: &SecretHash,
        tokens: &NewTokens,
        now: Timestamp,
    ) -> Result<Spent, StoreError>;
    /// One refresh token, spent or not, expired or not.
    async fn refresh_token(&self, token: &SecretHash) -> Result<Option<RefreshRecord>, StoreError>;
    /// Spends a refresh token and stores its successors in one transaction; a second attempt revokes the family.
    async fn rotate_refresh_token(
        &self,
        token: &SecretHash,
        tokens: &NewTokens,
        now: Timestamp,
    ) -> Result<Spent, StoreError>;
    /// Who a live access token speaks for: not expired, family not revoked, person and client not switched off.
    async fn bearer(&self, access: &SecretHash, now: Timestamp) -> Result<Option<Bearer>, StoreError>;
    /// The family a token (access or refresh, live or not) belongs to, for revocation (RFC 7009).
    async fn family_of(&self, token: &SecretHash) -> Result<Option<Family>, StoreError>;
    /// Revokes everything issued from one grant.
    async fn revoke_family(&self, id: &FamilyId, now: Timestamp) -> Result<(), StoreError>;

    // ---- people and sessions -------------------------------------------------------------------------------------

    /// One person.
    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError>;
    /// People whose nickname contains `search`, whose id begins with it, or who sign in by it (the whole user name, e-mail address,
    /// phone number or userid), the latest to come first, at most `limit`.
    async fn users(&self, search: &str, limit: u32) -> Result<Vec<User>, StoreError>;
    /// Switches a person off, which ends their sessions and what came from them, or on. `false` if there is none.
    async fn set_user_disabled(&self, id: &UserId, at: Option<Timestamp>) -> Result<bool, StoreError>;
    /// One identity.
    async fn identity(&self, key: &IdentityKey) -> Result<Option<Identity>, StoreError>;
    /// A person's identities, oldest first.
    async fn identities_of(&self, user: &UserId) -> Result<Vec<Identity>, StoreError>;
    /// Takes an identity from a person; the sessions that came from it end, and their token families are revoked. The last
    /// one stays. Whoever signs in by it afterwards is somebody new, whatever its unionid says, until the person links it
    /// again. A nickname or picture that the person has from it goes with it: then it is that of the identity used last, among
    /// those that are left and tell one, or none.
    async fn unlink_identity(
        &self,
        user: &UserId,
        key: &IdentityKey,
        now: Timestamp,
    ) -> Result<Unlinked, StoreError>;
    /// Ends every session that came from one identity and revokes the token families, as when a member was switched off
    /// (SEC-35). Returns how many browsers were signed out.
    ///
    /// For a member of a corp, here and in the two below, proofs from before `stale_before` count for nothing from then on,
    /// known or not: a scan may be under way. That is `now`, or as much later as the clocks of two nodes may differ.
    async fn end_sessions_of(
        &self,
        key: &IdentityKey,
        stale_before: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError>;
    /// Puts the identity of a member who left away under its [`tombstone`](IdentityKey::tombstone), ends every session of
    /// the person and revokes their token families: all or nothing. Whoever is given the id from now on is somebody new
    /// (SEC-35); a proof made before does not count any more. `None` if the identity is unknown or has no tombstone.
    async fn retire_identity(
        &self,
        key: &IdentityKey,
        stale_before: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Retired>, StoreError>;
    /// Lets a member's identity follow a new id, so that the person stays the same; what the former one was signed in to
    /// ends. If the new id is known, the former is put away as by [`Records::retire_identity`]. All or nothing.
    async fn rename_identity(
        &self,
        from: &IdentityKey,
        to: &IdentityKey,
        stale_before: Timestamp,
        now: Timestamp,
    ) -> Result<Renamed, StoreError>;
    /// A person's sessions that are live at `now`, oldest approval first.
    async fn sessions_of(&self, user: &UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;
    /// Begins a session without answering a grant: person found, linked or created as by [`Records::fulfil_grant`], the
    /// browser's former session replaced, all or nothing. `hinted` is the only person it may be. The answer is
    /// [`Fulfilled::Done`], [`Fulfilled::UserDisabled`] or [`Fulfilled::OtherPerson`].
    async fn begin_session(
        &self,
        login: &FreshLogin,
        hinted: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Fulfilled, StoreError>;
    /// A live session of a person who is not switched off.
    async fn session(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Session>, StoreError>;
    /// Ends a session and revokes the token families that came from it; `false` if there was none.
    async fn end_session(&self, secret: &SecretHash, now: Timestamp) -> Result<bool, StoreError>;
    /// As [`Records::end_session`], for one of a person's sessions by its name; `false` if they have no such session.
    async fn end_session_of(
        &self,
        user: &UserId,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Ends all of a person's sessions but `except`, and revokes all their token families but those that end with it, also
    /// those whose session is over: all or nothing. Returns how many browsers were signed out.
    async fn end_all_sessions(
        &self,
        user: &UserId,
        except: Option<&SessionId>,
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    // ---- merging -------------------------------------------------------------------------------------------------

    /// What [`Records::merge_users`] would do now.
    async fn merge_preview(
        &self,
        from: &UserId,
        into: &UserId,
        now: Timestamp,
    ) -> Result<Result<MergePreview, MergeRefusal>, StoreError>;
    /// Makes two people one: the identities of `from` move to `into`, the sessions of `from` end, their token families are
    /// revoked, and the audit trail says so: all or nothing. Only an administrator asks for it.
    async fn merge_users(
        &self,
        id: &MergeId,
        from: &UserId,
        into: &UserId,
        now: Timestamp,
    ) -> Result<Result<Merge, MergeRefusal>, StoreError>;
    /// Undoes a merge: exactly those of its identities that are still with `into` go back, what was signed in by them
    /// since ends, what they told of `into` goes with them as by [`Records::unlink_identity`], and the audit trail says so: all or
    /// nothing. A link that `into` has too stays with `into`. Refused while
    /// `into` is switched off or merged further.
    async fn undo_merge(&self, id: &MergeId, now: Timestamp) -> Result<Undone, StoreError>;
    /// Every merge, undone ones included, newest first.
    async fn merges(&self) -> Result<Vec<Merge>, StoreError>;

    // ---- erasing -------------------------------------------------------------------------------------------------

    /// What [`Records::erase_user`] would take now.
    async fn erasure_preview(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Result<ErasurePreview, ErasureRefusal>, StoreError>;
    /// Deletes a person and whoever was merged into them, with everything that is kept of them: tokens, codes and their
    /// families, sessions, agreements, passwords, passkeys, identities and the memory of those that were taken from them, merges,
    /// and open grants that ask for them. The audit trail stays, and says so by `told`, once for each who went; who that is is
    /// filled in. All or nothing; also of somebody who is switched off.
    ///
    /// Whatever of theirs is under way at the same moment either is written before and goes too, or finds nobody: a session that
    /// continues is over, a token is unknown, nothing is linked. A proof that was made before leads to somebody new.
    async fn erase_user(
        &self,
        user: &UserId,
        told: &AuditEvent,
        now: Timestamp,
    ) -> Result<Result<Erased, ErasureRefusal>, StoreError>;

    /// Takes an identity away whose person withdrew it at the platform, and ends what was signed in by it; with the last one that
    /// leads in the person goes, as by [`Records::erase_user`]. Unlike [`Records::unlink_identity`] it is not remembered: whoever
    /// allows it again may be led back by a unionid. A name and picture of the person that came from it are forgotten. The trail
    /// says so by `told`, whose person is filled in: all or nothing. `None`, with nothing written, if it is not known.
    async fn withdraw_identity(
        &self,
        key: &IdentityKey,
        told: &AuditEvent,
        now: Timestamp,
    ) -> Result<Option<Withdrawn>, StoreError>;
    /// Forgets an identity's name and picture, and the person's if they came from it, until a proof tells others; the trail says
    /// so, as above. Whose it is; `None`, with nothing written, if it is not known.
    async fn forget_profile(
        &self,
        key: &IdentityKey,
        told: &AuditEvent,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError>;

    // ---- keys and audit ------------------------------------------------------------------------------------------

    /// What says which master key these records belong to ([`Sealer::check`](crate::seal::Sealer::check)), if anybody said
    /// so yet.
    async fn master_key_check(&self) -> Result<Option<Vec<u8>>, StoreError>;
    /// Says that these records belong to the master key that sealed `check`, unless that was said before, and returns what
    /// holds from then on: of several nodes at once, the first wins and all are told the same. To be called before
    /// anything else is sealed.
    async fn claim_for_master_key(&self, check: &[u8]) -> Result<Vec<u8>, StoreError>;
    /// Since when these records have been used with a sandbox in the place of the platforms, if they ever were: there anyone can be
    /// anyone, so nobody in them is who they seem to be.
    async fn sandbox_since(&self) -> Result<Option<Timestamp>, StoreError>;
    /// Says that they are; the first time counts.
    async fn note_sandbox(&self, now: Timestamp) -> Result<(), StoreError>;
    /// All signing keys, oldest first.
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError>;
    /// Adds a key and, in the same transaction, sets `published_until` of the keys it retires, where it is not earlier already.
    async fn add_signing_key(
        &self,
        key: &SigningKey,
        retires: &[KeyId],
        published_until: Timestamp,
    ) -> Result<(), StoreError>;
    /// Adds a key, unless there is one of its algorithm that nobody retired: of several nodes that start for the first time
    /// at once, one makes the key of each algorithm. `false`, with nothing written, for the others.
    async fn add_first_signing_key(&self, key: &SigningKey) -> Result<bool, StoreError>;
    /// Appends to the audit trail.
    async fn record(&self, event: &AuditEvent) -> Result<(), StoreError>;
    /// The newest `limit` audit events, newest first.
    async fn audit_trail(&self, limit: u32) -> Result<Vec<AuditEvent>, StoreError>;
    /// Whether one of the newest `look_back` audit events, or about as many, is of this kind and ticket (in its short form).
    /// `None` where none is, but they do not reach back to `since`.
    async fn audit_has(
        &self,
        kind: AuditKind,
        ticket: &str,
        since: Timestamp,
        look_back: u32,
    ) -> Result<Option<bool>, StoreError>;
    /// The newest `limit` audit events of these kinds that are about a person (not those in which they are the second one), newest first.
    async fn audit_of(
        &self,
        user: &UserId,
        kinds: &[AuditKind],
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError>;

    // ---- housekeeping --------------------------------------------------------------------------------------------

    /// Deletes what expired before `now` (grants, codes, tokens, sessions): tidying only, nothing depends on it.
    /// Returns how many rows went.
    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError>;
    /// Answers if the engine can read and write (readiness).
    async fn check(&self) -> Result<(), StoreError>;
    /// What time it is by the engine's own clock; `None` where it has none, as a file has. Nothing is decided by it: it
    /// shows whether nodes agree on the time.
    async fn engine_time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}
