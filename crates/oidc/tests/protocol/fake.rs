//! Records in memory: every promise of the trait that the protocol leans on, and a switch that makes the store fail.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::accounts::{
    Linked, Linking, Merge, MergePreview, MergeRefusal, Renamed, Retired, Undone, Unlinked,
};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::Client;
use mashang_login::credentials::{
    AddPasskey, Credentials, NewPassword, NewUser, PasskeyRecord, PasswordHash, PasswordRecord, SetPassword,
    Username,
};
use mashang_login::erasure::{Erased, ErasurePreview, ErasureRefusal, Withdrawn};
use mashang_login::grant::{Family, Grant, GrantStage};
use mashang_login::identity::{Identity, IdentityKey};
use mashang_login::ids::{ChannelId, ClientId, FamilyId, GrantId, KeyId, MergeId, SessionId, UserId};
use mashang_login::key::SigningKey;
use mashang_login::records::{Bearer, FreshLogin, Fulfilled, Fulfilment, Login, Records, Spent, StoreError};
use mashang_login::secret::SecretHash;
use mashang_login::session::Session;
use mashang_login::token::{CodeRecord, NewTokens, RefreshRecord};
use mashang_login::user::User;

type Result<T> = std::result::Result<T, StoreError>;

#[derive(Debug, Default)]
pub(crate) struct Fake {
    tables: Mutex<Tables>,
    broken: AtomicBool,
    stale: AtomicBool,
}

/// One password's name, for the claims that tell it.
#[async_trait]
impl Credentials for Fake {
    async fn password_of(&self, user: &UserId) -> Result<Option<PasswordRecord>> {
        Ok(self.tables()?.passwords.iter().find(|password| password.user == *user).cloned())
    }

    async fn password_by_username(&self, _: &Username) -> Result<Option<PasswordRecord>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn set_password(&self, _: &NewPassword, _: Timestamp) -> Result<SetPassword> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn create_user_with_password(
        &self,
        _: &NewUser,
        _: &NewPassword,
        _: Timestamp,
    ) -> Result<SetPassword> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn rehash_password(&self, _: &IdentityKey, _: &PasswordHash, _: &PasswordHash) -> Result<bool> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn passkeys_of(&self, _: &UserId) -> Result<Vec<PasskeyRecord>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn passkey(&self, _: &IdentityKey) -> Result<Option<PasskeyRecord>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn add_passkey(
        &self,
        _: &PasskeyRecord,
        _: &ChannelId,
        _: &SessionId,
        _: Timestamp,
    ) -> Result<AddPasskey> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn passkey_used(&self, _: &IdentityKey, _: &str, _: Timestamp) -> Result<bool> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn rename_passkey(&self, _: &UserId, _: &IdentityKey, _: &str) -> Result<bool> {
        unreachable!("the protocol asks for no such thing")
    }
}

#[derive(Debug, Default)]
struct Tables {
    clients: BTreeMap<ClientId, Client>,
    grants: BTreeMap<GrantId, Grant>,
    users: BTreeMap<UserId, User>,
    identities: Vec<Identity>,
    passwords: Vec<PasswordRecord>,
    sessions: Vec<Session>,
    families: BTreeMap<FamilyId, Family>,
    codes: Vec<CodeRecord>,
    refresh: Vec<RefreshRecord>,
    access: Vec<(SecretHash, FamilyId, Timestamp)>,
    master_key_check: Option<Vec<u8>>,
    keys: Vec<SigningKey>,
    audit: Vec<AuditEvent>,
}

impl Tables {
    fn family(&self, id: &FamilyId) -> Family {
        self.families[id].clone()
    }

    fn revoke(&mut self, id: &FamilyId, now: Timestamp) {
        if let Some(family) = self.families.get_mut(id) {
            family.revoked_at.get_or_insert(now);
        }
    }

    fn issue(&mut self, family: &FamilyId, tokens: &NewTokens) {
        self.access.push((tokens.access, family.clone(), tokens.access_expires_at));
        if let Some((token, expires_at)) = tokens.refresh {
            let family = self.family(family);
            self.refresh.push(RefreshRecord { token, family, expires_at, spent_at: None });
        }
        self.audit.push(tokens.told.clone());
    }

    fn sign_in(&mut self, login: &Login, now: Timestamp) -> (Session, bool) {
        let fresh = match login {
            Login::Continued(seen) => return (seen.session.clone(), false),
            Login::Fresh(fresh) => fresh,
        };
        let known = self.identities.iter().find(|identity| identity.key == fresh.proof.key);
        let (user, created) = match known {
            Some(identity) => (identity.user.clone(), false),
            None => (fresh.new_user.clone(), true),
        };
        let profile = &fresh.proof.profile;
        self.users.entry(user.clone()).or_insert_with(|| User {
            id: user.clone(),
            nickname: profile.nickname.clone(),
            picture: profile.picture.clone(),
            created_at: now,
            updated_at: now,
            disabled_at: None,
            merged_into: None,
        });
        if created {
            self.identities.push(Identity {
                key: fresh.proof.key.clone(),
                union: fresh.proof.union.clone(),
                user: user.clone(),
                channel: fresh.proof.channel.clone(),
                profile: profile.clone(),
                attributes: fresh.proof.attributes.clone(),
                created_at: now,
                last_used_at: now,
            });
        }
        let new = &fresh.session;
        let session = Session {
            id: new.id.clone(),
            secret: new.secret,
            user,
            identity: fresh.proof.key.clone(),
            amr: new.amr.clone(),
            auth_time: new.auth_time,
            expires_at: new.expires_at,
            device: new.device.clone(),
            address: new.address.clone(),
            confirmed_at: new.confirmed_at,
        };
        self.sessions.push(session.clone());
        (session, created)
    }
}

impl Fake {
    /// One more way that leads to a person.
    pub(crate) fn add_identity(&self, identity: Identity) {
        self.tables().unwrap().identities.push(identity);
    }

    /// A name and a password of theirs.
    pub(crate) fn add_password(&self, password: PasswordRecord) {
        let mut tables = self.tables().unwrap();
        tables.passwords.retain(|known| known.key != password.key);
        tables.passwords.push(password);
    }

    /// From now on every call fails.
    pub(crate) fn cut(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// From now on codes and refresh tokens read as unspent: what two nodes see that read before either has written.
    pub(crate) fn read_before_the_other_writes(&self) {
        self.stale.store(true, Ordering::SeqCst);
    }

    fn spent_at(&self, spent_at: Option<Timestamp>) -> Option<Timestamp> {
        spent_at.filter(|_| !self.stale.load(Ordering::SeqCst))
    }

    fn tables(&self) -> Result<MutexGuard<'_, Tables>> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the cable is cut".into()));
        }
        Ok(self.tables.lock().unwrap())
    }
}

#[async_trait]
impl Records for Fake {
    async fn save_client(&self, client: &Client) -> Result<()> {
        self.tables()?.clients.insert(client.id.clone(), client.clone());
        Ok(())
    }

    async fn add_client(&self, client: &Client) -> Result<()> {
        let mut tables = self.tables()?;
        if tables.clients.contains_key(&client.id) {
            return Err(StoreError::Conflict);
        }
        tables.clients.insert(client.id.clone(), client.clone());
        Ok(())
    }

    async fn change_client(&self, seen: &Client, next: &Client) -> Result<bool> {
        let mut tables = self.tables()?;
        let is_unchanged = tables.clients.get(&seen.id) == Some(seen);
        if is_unchanged {
            tables.clients.insert(next.id.clone(), next.clone());
        }
        Ok(is_unchanged)
    }

    async fn client(&self, id: &ClientId) -> Result<Option<Client>> {
        Ok(self.tables()?.clients.get(id).cloned())
    }

    async fn clients(&self) -> Result<Vec<Client>> {
        Ok(self.tables()?.clients.values().cloned().collect())
    }

    async fn begin_grant(&self, grant: &Grant) -> Result<()> {
        self.tables()?.grants.insert(grant.id.clone(), grant.clone());
        Ok(())
    }

    async fn grant(&self, id: &GrantId) -> Result<Option<Grant>> {
        Ok(self.tables()?.grants.get(id).cloned())
    }

    async fn grant_and_client(&self, id: &GrantId) -> Result<Option<(Grant, Option<Client>)>> {
        let tables = self.tables()?;
        let grant = tables.grants.get(id).cloned();
        Ok(grant.map(|grant| (grant.clone(), tables.clients.get(&grant.client).cloned())))
    }

    async fn fulfil_grant(&self, fulfilment: &Fulfilment, now: Timestamp) -> Result<Fulfilled> {
        let mut tables = self.tables()?;
        let Some(grant) = tables.grants.get(&fulfilment.grant).filter(|grant| grant.is_open(now)).cloned()
        else {
            return Ok(Fulfilled::NotOpen);
        };
        let (session, created) = tables.sign_in(&fulfilment.login, now);
        let user = tables.users[&session.user].clone();
        if user.disabled_at.is_some() {
            return Ok(Fulfilled::UserDisabled);
        }
        let family = Family {
            id: fulfilment.family.clone(),
            client: grant.client.clone(),
            user: session.user,
            session: session.id,
            identity: session.identity,
            scope: grant.request.scope.clone(),
            auth_time: session.auth_time,
            amr: session.amr,
            expires_at: fulfilment.family_expires_at,
            revoked_at: None,
        };
        tables.families.insert(family.id.clone(), family.clone());
        tables.codes.push(CodeRecord {
            code: fulfilment.code,
            family,
            redirect_uri: grant.request.redirect_uri,
            code_challenge: grant.request.code_challenge,
            nonce: grant.request.nonce,
            expires_at: fulfilment.code_expires_at,
            spent_at: None,
        });
        tables.grants.get_mut(&grant.id).unwrap().stage = GrantStage::Fulfilled;
        Ok(Fulfilled::Done { user, created, union: None })
    }

    async fn open_account(&self, _: &GrantId, _: &FreshLogin, _: Timestamp) -> Result<Fulfilled> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn link_identity(&self, _: &Linking, _: Timestamp) -> Result<Linked> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn refuse_grant(&self, id: &GrantId, _: Timestamp) -> Result<bool> {
        let mut tables = self.tables()?;
        let grant = tables.grants.get_mut(id).filter(|grant| grant.stage == GrantStage::Pending);
        Ok(grant.map(|grant| grant.stage = GrantStage::Refused).is_some())
    }

    async fn code(&self, code: &SecretHash) -> Result<Option<CodeRecord>> {
        let tables = self.tables()?;
        let record = tables.codes.iter().find(|record| record.code == *code).cloned();
        Ok(record.map(|record| CodeRecord {
            family: tables.family(&record.family.id),
            spent_at: self.spent_at(record.spent_at),
            ..record
        }))
    }

    async fn exchange_code(&self, code: &SecretHash, tokens: &NewTokens, now: Timestamp) -> Result<Spent> {
        let mut tables = self.tables()?;
        let Some(record) = tables.codes.iter_mut().find(|record| record.code == *code) else {
            return Ok(Spent::Unknown);
        };
        let id = record.family.id.clone();
        let (spent, expired) = (record.spent_at.is_some(), now >= record.expires_at);
        record.spent_at.get_or_insert(now);
        if spent {
            tables.revoke(&id, now);
            return Ok(Spent::Replayed);
        }
        if expired || !tables.family(&id).is_live(now) {
            return Ok(Spent::Unknown);
        }
        tables.issue(&id, tokens);
        Ok(Spent::Issued)
    }

    async fn refresh_token(&self, token: &SecretHash) -> Result<Option<RefreshRecord>> {
        let tables = self.tables()?;
        let record = tables.refresh.iter().find(|record| record.token == *token).cloned();
        Ok(record.map(|record| RefreshRecord {
            family: tables.family(&record.family.id),
            spent_at: self.spent_at(record.spent_at),
            ..record
        }))
    }

    async fn rotate_refresh_token(
        &self,
        token: &SecretHash,
        tokens: &NewTokens,
        now: Timestamp,
    ) -> Result<Spent> {
        let mut tables = self.tables()?;
        let Some(record) = tables.refresh.iter_mut().find(|record| record.token == *token) else {
            return Ok(Spent::Unknown);
        };
        let id = record.family.id.clone();
        let (spent, expired) = (record.spent_at.is_some(), now >= record.expires_at);
        record.spent_at.get_or_insert(now);
        if spent {
            tables.revoke(&id, now);
            return Ok(Spent::Replayed);
        }
        if expired || !tables.family(&id).is_live(now) {
            return Ok(Spent::Unknown);
        }
        tables.issue(&id, tokens);
        Ok(Spent::Issued)
    }

    async fn bearer(&self, access: &SecretHash, now: Timestamp) -> Result<Option<Bearer>> {
        let tables = self.tables()?;
        let row = tables.access.iter().find(|(token, _, until)| token == access && now < *until);
        let Some(family) = row.map(|(_, id, _)| tables.family(id)).filter(|family| family.is_live(now))
        else {
            return Ok(None);
        };
        let user = tables.users[&family.user].clone();
        let client = tables.clients.get(&family.client).filter(|client| client.is_enabled()).cloned();
        let client = client.filter(|_| user.disabled_at.is_none());
        Ok(client.map(|client| Bearer { family, user, client }))
    }

    async fn family_of(&self, token: &SecretHash) -> Result<Option<Family>> {
        let tables = self.tables()?;
        let access = tables.access.iter().find(|(access, _, _)| access == token).map(|(_, id, _)| id);
        let refresh = tables.refresh.iter().find(|record| record.token == *token);
        let id = access.or_else(|| refresh.map(|record| &record.family.id));
        Ok(id.map(|id| tables.family(id)))
    }

    async fn revoke_family(&self, id: &FamilyId, now: Timestamp) -> Result<()> {
        self.tables()?.revoke(id, now);
        Ok(())
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        Ok(self.tables()?.users.get(id).cloned())
    }

    async fn users(&self, _: &str, _: u32) -> Result<Vec<User>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn set_user_disabled(&self, id: &UserId, at: Option<Timestamp>) -> Result<bool> {
        let mut tables = self.tables()?;
        if let Some(at) = at {
            tables.sessions.retain(|session| session.user != *id);
            let theirs = tables.families.values_mut().filter(|family| family.user == *id);
            theirs.for_each(|family| family.revoked_at = Some(at));
        }
        Ok(tables.users.get_mut(id).map(|user| user.disabled_at = at).is_some())
    }

    async fn identity(&self, key: &IdentityKey) -> Result<Option<Identity>> {
        Ok(self.tables()?.identities.iter().find(|identity| identity.key == *key).cloned())
    }

    async fn identities_of(&self, user: &UserId) -> Result<Vec<Identity>> {
        Ok(self.tables()?.identities.iter().filter(|identity| identity.user == *user).cloned().collect())
    }

    async fn unlink_identity(&self, _: &UserId, _: &IdentityKey, _: Timestamp) -> Result<Unlinked> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn end_sessions_of(&self, _: &IdentityKey, _: Timestamp, _: Timestamp) -> Result<u64> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn retire_identity(&self, _: &IdentityKey, _: Timestamp, _: Timestamp) -> Result<Option<Retired>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn rename_identity(
        &self,
        _: &IdentityKey,
        _: &IdentityKey,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Renamed> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn sessions_of(&self, _: &UserId, _: Timestamp) -> Result<Vec<Session>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn session(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Session>> {
        let tables = self.tables()?;
        Ok(tables.sessions.iter().find(|s| s.secret == *secret && s.is_live(now)).cloned())
    }

    async fn end_session(&self, secret: &SecretHash, _: Timestamp) -> Result<bool> {
        let mut tables = self.tables()?;
        let before = tables.sessions.len();
        tables.sessions.retain(|session| session.secret != *secret);
        Ok(tables.sessions.len() < before)
    }

    async fn begin_session(
        &self,
        login: &FreshLogin,
        _: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Fulfilled> {
        let mut tables = self.tables()?;
        let (session, created) = tables.sign_in(&Login::Fresh(Box::new(login.clone())), now);
        let user = tables.users[&session.user].clone();
        Ok(Fulfilled::Done { user, created, union: None })
    }

    async fn end_session_of(&self, _: &UserId, _: &SessionId, _: Timestamp) -> Result<bool> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn end_all_sessions(&self, _: &UserId, _: Option<&SessionId>, _: Timestamp) -> Result<u64> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn merge_preview(
        &self,
        _: &UserId,
        _: &UserId,
        _: Timestamp,
    ) -> Result<std::result::Result<MergePreview, MergeRefusal>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn merge_users(
        &self,
        _: &MergeId,
        _: &UserId,
        _: &UserId,
        _: Timestamp,
    ) -> Result<std::result::Result<Merge, MergeRefusal>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn undo_merge(&self, _: &MergeId, _: Timestamp) -> Result<Undone> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn merges(&self) -> Result<Vec<Merge>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn erasure_preview(
        &self,
        _: &UserId,
        _: Timestamp,
    ) -> Result<std::result::Result<ErasurePreview, ErasureRefusal>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn erase_user(
        &self,
        _: &UserId,
        _: &AuditEvent,
        _: Timestamp,
    ) -> Result<std::result::Result<Erased, ErasureRefusal>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn withdraw_identity(
        &self,
        _: &IdentityKey,
        _: &AuditEvent,
        _: Timestamp,
    ) -> Result<Option<Withdrawn>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn forget_profile(&self, _: &IdentityKey, _: &AuditEvent, _: Timestamp) -> Result<Option<UserId>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn master_key_check(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.tables()?.master_key_check.clone())
    }

    async fn claim_for_master_key(&self, check: &[u8]) -> Result<Vec<u8>> {
        Ok(self.tables()?.master_key_check.get_or_insert_with(|| check.to_vec()).clone())
    }

    async fn sandbox_since(&self) -> Result<Option<Timestamp>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn note_sandbox(&self, _: Timestamp) -> Result<()> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>> {
        // As a real one does: whoever asks at the same moment gets the same answer.
        tokio::task::yield_now().await;
        let mut keys = self.tables()?.keys.clone();
        keys.sort_by_key(|key| key.created_at);
        Ok(keys)
    }

    async fn add_signing_key(
        &self,
        key: &SigningKey,
        retires: &[KeyId],
        published_until: Timestamp,
    ) -> Result<()> {
        let mut tables = self.tables()?;
        tables.keys.push(key.clone());
        for old in tables.keys.iter_mut().filter(|old| retires.contains(&old.id)) {
            old.published_until = Some(published_until);
        }
        Ok(())
    }

    async fn add_first_signing_key(&self, key: &SigningKey) -> Result<bool> {
        let mut tables = self.tables()?;
        let is_current = |old: &SigningKey| old.algorithm == key.algorithm && old.published_until.is_none();
        if tables.keys.iter().any(is_current) {
            return Ok(false);
        }
        tables.keys.push(key.clone());
        Ok(true)
    }

    async fn record(&self, event: &AuditEvent) -> Result<()> {
        self.tables()?.audit.push(event.clone());
        Ok(())
    }

    async fn audit_trail(&self, limit: u32) -> Result<Vec<AuditEvent>> {
        Ok(self.tables()?.audit.iter().rev().take(limit as usize).cloned().collect())
    }

    async fn audit_has(&self, _: AuditKind, _: &str, _: Timestamp, _: u32) -> Result<Option<bool>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn audit_of(&self, _: &UserId, _: &[AuditKind], _: u32) -> Result<Vec<AuditEvent>> {
        unreachable!("the protocol asks for no such thing")
    }

    async fn sweep(&self, _: Timestamp) -> Result<u64> {
        Ok(0)
    }

    async fn check(&self) -> Result<()> {
        self.tables().map(drop)
    }
}
