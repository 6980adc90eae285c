//! How long stores take, and what they fail at: a thin wrapper around the traits that every engine keeps, put on where the
//! engines are opened. Tickets in this process's own memory are not wrapped: there is nothing to wait for.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::accounts::{
    Linked, Linking, Merge, MergePreview, MergeRefusal, Renamed, Retired, Undone, Unlinked,
};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::challenge::{Challenge, Challenges};
use mashang_login::client::Client;
use mashang_login::consent::{Consent, Consents, Holding};
use mashang_login::counters::{Counters, Rate, Share};
use mashang_login::credentials::{
    AddPasskey, Credentials, NewPassword, NewUser, PasskeyRecord, PasswordHash, PasswordRecord, SetPassword,
    Username,
};
use mashang_login::erasure::{Erased, ErasurePreview, ErasureRefusal, Withdrawn};
use mashang_login::grant::{Family, Grant};
use mashang_login::handshake::{Claim, Claimant, Handshake, TripEnd};
use mashang_login::identity::{Identity, IdentityKey};
use mashang_login::ids::{
    ChannelId, ClientId, FamilyId, GrantId, KeyId, MergeId, ScanCode, SessionId, UserId,
};
use mashang_login::key::SigningKey;
use mashang_login::platform_token::{PlatformTokens, StoredToken, TokenName};
use mashang_login::records::{Bearer, FreshLogin, Fulfilled, Fulfilment, Records, Spent, StoreError};
use mashang_login::secret::SecretHash;
use mashang_login::session::Session;
use mashang_login::ticket::{Glance, Ticket};
use mashang_login::tickets::{Advance, Handshakes, Tickets, Watch};
use mashang_login::token::{CodeRecord, NewTokens, RefreshRecord};
use mashang_login::trail::{Checkpoint, Numbered, Trail, Trimmed};
use mashang_login::user::User;
use prometheus_client::metrics::histogram::Histogram;
use tokio::time::Instant;

use super::Metrics;
use crate::traces::{self, Side};

/// A store whose calls are timed.
pub struct Timed<E: ?Sized> {
    inner: Arc<E>,
    engine: &'static str,
    /// `db.system.name` in traces.
    system: &'static str,
    metrics: Arc<Metrics>,
    /// By operation; filled at the first call of each.
    seconds: RwLock<HashMap<&'static str, Histogram>>,
}

impl<E: ?Sized + fmt::Debug> fmt::Debug for Timed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<E: ?Sized> Timed<E> {
    /// Times the calls of `inner`, which is told as `engine`.
    #[must_use]
    pub fn new(inner: Arc<E>, engine: &'static str, metrics: Arc<Metrics>) -> Self {
        Self { inner, engine, system: "other_sql", metrics, seconds: RwLock::default() }
    }

    /// The same, whose traces name the engine: `sqlite`, `postgresql`, `mysql`, `redis`.
    #[must_use]
    pub fn on(self, system: &'static str) -> Self {
        Self { system, ..self }
    }

    async fn time<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let mut step = traces::step(Side::Outside, || format!("{}.{operation}", self.engine).into());
        let outcome = call.await;
        self.of(operation).observe(began.elapsed().as_secs_f64());
        step.set("db.system.name", self.system);
        step.set("db.operation.name", operation);
        if let Err(error) = &outcome {
            step.fail(kind(error));
            let labels = [
                ("engine", self.engine.into()),
                ("operation", operation.into()),
                ("error", kind(error).into()),
            ];
            self.metrics.engine_errors.get_or_create(&labels).inc();
        }
        outcome
    }

    fn of(&self, operation: &'static str) -> Histogram {
        let known = self.seconds.read().unwrap_or_else(PoisonError::into_inner).get(operation).cloned();
        known.unwrap_or_else(|| {
            let labels = [("engine", self.engine.into()), ("operation", operation.into())];
            let histogram = self.metrics.engine_seconds.get_or_create_owned(&labels);
            self.seconds.write().unwrap_or_else(PoisonError::into_inner).insert(operation, histogram.clone());
            histogram
        })
    }
}

fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Conflict => "conflict",
        StoreError::Overloaded => "overloaded",
        StoreError::Corrupt { .. } => "corrupt",
        StoreError::Unavailable(_) => "unavailable",
    }
}

/// Each method calls the same of the engine. Its operation is its name, after a prefix where another trait has that name too.
macro_rules! timed {
    ($trait:ident: $($rest:tt)+) => { timed! { $trait "": $($rest)+ } };
    ($trait:ident $prefix:literal: $($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+) => {
        #[async_trait]
        impl<E: $trait + ?Sized> $trait for Timed<E> {
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer, StoreError> {
                self.time(concat!($prefix, stringify!($name)), self.inner.$name($($argument),*)).await
            })+
        }
    };
}

timed! {
    Records:
    save_client(client: &Client) -> ();
    add_client(client: &Client) -> ();
    change_client(seen: &Client, next: &Client) -> bool;
    client(id: &ClientId) -> Option<Client>;
    clients() -> Vec<Client>;
    begin_grant(grant: &Grant) -> ();
    grant(id: &GrantId) -> Option<Grant>;
    grant_and_client(id: &GrantId) -> Option<(Grant, Option<Client>)>;
    fulfil_grant(fulfilment: &Fulfilment, now: Timestamp) -> Fulfilled;
    open_account(grant: &GrantId, login: &FreshLogin, now: Timestamp) -> Fulfilled;
    link_identity(linking: &Linking, now: Timestamp) -> Linked;
    refuse_grant(id: &GrantId, now: Timestamp) -> bool;
    code(code: &SecretHash) -> Option<CodeRecord>;
    exchange_code(code: &SecretHash, tokens: &NewTokens, now: Timestamp) -> Spent;
    refresh_token(token: &SecretHash) -> Option<RefreshRecord>;
    rotate_refresh_token(token: &SecretHash, tokens: &NewTokens, now: Timestamp) -> Spent;
    bearer(access: &SecretHash, now: Timestamp) -> Option<Bearer>;
    family_of(token: &SecretHash) -> Option<Family>;
    revoke_family(id: &FamilyId, now: Timestamp) -> ();
    user(id: &UserId) -> Option<User>;
    users(search: &str, limit: u32) -> Vec<User>;
    set_user_disabled(id: &UserId, at: Option<Timestamp>) -> bool;
    identity(key: &IdentityKey) -> Option<Identity>;
    identities_of(user: &UserId) -> Vec<Identity>;
    unlink_identity(user: &UserId, key: &IdentityKey, now: Timestamp) -> Unlinked;
    end_sessions_of(key: &IdentityKey, stale_before: Timestamp, now: Timestamp) -> u64;
    retire_identity(key: &IdentityKey, stale_before: Timestamp, now: Timestamp) -> Option<Retired>;
    rename_identity(from: &IdentityKey, to: &IdentityKey, stale_before: Timestamp, now: Timestamp)
    -> Renamed;
    sessions_of(user: &UserId, now: Timestamp) -> Vec<Session>;
    begin_session(login: &FreshLogin, hinted: Option<&UserId>, now: Timestamp) -> Fulfilled;
    session(secret: &SecretHash, now: Timestamp) -> Option<Session>;
    end_session(secret: &SecretHash, now: Timestamp) -> bool;
    end_session_of(user: &UserId, session: &SessionId, now: Timestamp) -> bool;
    end_all_sessions(user: &UserId, except: Option<&SessionId>, now: Timestamp) -> u64;
    merge_preview(from: &UserId, into: &UserId, now: Timestamp) -> Result<MergePreview, MergeRefusal>;
    merge_users(id: &MergeId, from: &UserId, into: &UserId, now: Timestamp) -> Result<Merge, MergeRefusal>;
    undo_merge(id: &MergeId, now: Timestamp) -> Undone;
    merges() -> Vec<Merge>;
    erasure_preview(user: &UserId, now: Timestamp) -> Result<ErasurePreview, ErasureRefusal>;
    erase_user(user: &UserId, told: &AuditEvent, now: Timestamp) -> Result<Erased, ErasureRefusal>;
    withdraw_identity(key: &IdentityKey, told: &AuditEvent, now: Timestamp) -> Option<Withdrawn>;
    forget_profile(key: &IdentityKey, told: &AuditEvent, now: Timestamp) -> Option<UserId>;
    master_key_check() -> Option<Vec<u8>>;
    claim_for_master_key(check: &[u8]) -> Vec<u8>;
    sandbox_since() -> Option<Timestamp>;
    note_sandbox(now: Timestamp) -> ();
    signing_keys() -> Vec<SigningKey>;
    add_signing_key(key: &SigningKey, retires: &[KeyId], published_until: Timestamp) -> ();
    add_first_signing_key(key: &SigningKey) -> bool;
    record(event: &AuditEvent) -> ();
    audit_trail(limit: u32) -> Vec<AuditEvent>;
    audit_has(kind: AuditKind, ticket: &str, since: Timestamp, look_back: u32) -> Option<bool>;
    audit_of(user: &UserId, kinds: &[AuditKind], limit: u32) -> Vec<AuditEvent>;
    sweep(now: Timestamp) -> u64;
    check() -> ();
    engine_time() -> Option<Timestamp>;
}

timed! {
    Credentials:
    password_by_username(username: &Username) -> Option<PasswordRecord>;
    password_of(user: &UserId) -> Option<PasswordRecord>;
    set_password(new: &NewPassword, now: Timestamp) -> SetPassword;
    create_user_with_password(user: &NewUser, new: &NewPassword, now: Timestamp) -> SetPassword;
    rehash_password(key: &IdentityKey, seen: &PasswordHash, hash: &PasswordHash) -> bool;
    passkeys_of(user: &UserId) -> Vec<PasskeyRecord>;
    passkey(key: &IdentityKey) -> Option<PasskeyRecord>;
    add_passkey(record: &PasskeyRecord, channel: &ChannelId, session: &SessionId, now: Timestamp) -> AddPasskey;
    passkey_used(key: &IdentityKey, data: &str, now: Timestamp) -> bool;
    rename_passkey(user: &UserId, key: &IdentityKey, name: &str) -> bool;
}

timed! {
    Consents:
    consent(user: &UserId, client: &ClientId) -> Option<Consent>;
    save_consent(user: &UserId, consent: &Consent) -> ();
    consents_of(user: &UserId) -> Vec<Consent>;
    holdings_of(user: &UserId, now: Timestamp) -> Vec<Holding>;
    withdraw_consent(user: &UserId, client: &ClientId, now: Timestamp) -> bool;
}

timed! {
    Trail:
    newest_record() -> i64;
    records_between(after: i64, until: i64, limit: u32) -> Vec<Numbered>;
    newest_checkpoint() -> Option<Checkpoint>;
    checkpoints_after(after: i64, limit: u32) -> Vec<Checkpoint>;
    add_checkpoint(checkpoint: &Checkpoint) -> bool;
    trimmed() -> Option<Trimmed>;
    trim(to: &Trimmed) -> u64;
}

timed! {
    PlatformTokens:
    platform_token(name: &TokenName) -> Option<StoredToken>;
    lease_platform_token(name: &TokenName, holder: &str, until: Timestamp, now: Timestamp) -> bool;
    save_platform_token(name: &TokenName, sealed: &[u8], expires_at: Timestamp, holder: &str, now: Timestamp)
    -> Option<u64>;
    release_platform_token(name: &TokenName, holder: &str) -> ();
}

timed! {
    Tickets:
    create(ticket: &Ticket, now: Timestamp) -> ();
    get(code: &ScanCode, now: Timestamp) -> Option<Ticket>;
    glance(code: &ScanCode, now: Timestamp) -> Option<Glance>;
    advance(seen: &Ticket, next: &Ticket, now: Timestamp) -> Advance;
    watch(code: &ScanCode) -> Box<dyn Watch>;
    engine_time() -> Option<Timestamp>;
}

timed! {
    Handshakes:
    begin(handshake: &Handshake, now: Timestamp) -> ();
    claim(claimant: &Claimant<'_>, now: Timestamp) -> Claim;
    end_trip(state: &SecretHash, end: &TripEnd, now: Timestamp) -> ();
    spend_provider_code(channel: &ChannelId, code: &SecretHash, until: Timestamp, now: Timestamp) -> bool;
}

timed! {
    Challenges "challenge_":
    put(challenge: &Challenge, now: Timestamp) -> ();
    get(id: &SecretHash, now: Timestamp) -> Option<Challenge>;
    attempt(id: &SecretHash, now: Timestamp) -> Option<Challenge>;
    take(id: &SecretHash, now: Timestamp) -> Option<Challenge>;
}

timed! {
    Counters "count_":
    take(key: &SecretHash, share: Share, now: Timestamp) -> Option<Duration>;
    pass(key: &SecretHash, rate: Rate, now: Timestamp) -> Option<Duration>;
    give_back(key: &SecretHash) -> ();
    last(key: &SecretHash) -> Option<Timestamp>;
}
