//! The records in SQL: SQLite, PostgreSQL (14 and later), MySQL 8 and MariaDB (10.6 and later), chosen by address.
//!
//! Start at [`SqlRecords`]: each method names the file of its noun. Reading goes through a pool ([`reader`]); writing
//! through [`writer`], one transaction per intention: many to a commit on SQLite ([`queue`]), each by itself and
//! serializable on the servers ([`each`], where the isolation is argued). Statements go to a server by sqlx and to a file
//! [`in_place`]; nouns see a [`db`] in either case. [`connect`] opens, [`patience`] bounds what a
//! server may take. What differs between engines stands in those files and in the migrations, not in those of the nouns. Rows ([`entity`]) become records in the noun's file and nowhere else.
//! One-use values are guarded by the condition of an `update`, whose count is then looked at; `returning` is not used,
//! as MySQL has none.
//!
//! This module must not know what a record is used for.

mod audit;
mod clients;
mod clock;
mod codes;
mod connect;
mod consents;
mod credentials;
mod db;
mod each;
mod entity;
mod erasure;
mod errors;
mod families;
mod grants;
mod identities;
mod in_place;
mod keys;
mod leavers;
mod lookup;
mod master_key;
mod merges;
pub mod moving;
mod passkeys;
mod passwords;
mod patience;
mod people;
mod platform_tokens;
mod queue;
mod reader;
mod row;
mod sandbox_use;
mod sessions;
mod sweep;
mod texts;
mod tokens;
mod trail;
mod unlinked;
mod writer;

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::accounts::{
    Linked, Linking, Merge, MergePreview, MergeRefusal, Renamed, Retired, Undone, Unlinked,
};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::Client;
use mashang_login::erasure::{Erased, ErasurePreview, ErasureRefusal, Withdrawn};
use mashang_login::grant::{Family, Grant};
use mashang_login::identity::{Identity, IdentityKey};
use mashang_login::ids::{ClientId, FamilyId, GrantId, KeyId, MergeId, SessionId, UserId};
use mashang_login::key::SigningKey;
use mashang_login::records::{Bearer, FreshLogin, Fulfilled, Fulfilment, Records, Spent, StoreError};
use mashang_login::secret::SecretHash;
use mashang_login::session::Session;
use mashang_login::token::{CodeRecord, NewTokens, RefreshRecord};
use mashang_login::user::User;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

pub use connect::{Durability, Migrated, OpenError, Schema, SqlOptions, Tables, check_address};
use reader::Reader;
use sweep::Leftover;
use writer::{Outcome, Writer, write};

/// The records of one installation in an SQL database. Clones share their connections.
#[derive(Clone, Debug)]
pub struct SqlRecords {
    reader: Reader,
    writer: Writer,
}

impl SqlRecords {
    /// Opens a database and, unless [`SqlOptions::tables`] says otherwise, brings its tables up to date; of several nodes that start at
    /// once, one does.
    ///
    /// `sqlite:<path>?mode=rwc` names a file, which is created (mode 0600) with its folder; `sqlite::memory:` a database
    /// that is gone with the last clone. `postgres://…` and `mysql://…` name a database that is there, on a server. Must
    /// be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`] says what to do; a database that a later version has changed is refused and not touched, unless that
    /// version says that this one works with it.
    pub async fn connect(url: &str, options: SqlOptions) -> Result<Self, OpenError> {
        let connections = connect::open(url, &options).await?;
        Ok(Self { reader: connections.reader, writer: connections.writer })
    }

    /// Brings the tables of a database up to date, as [`connect`](Self::connect) does, and tells what that was.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn migrate(url: &str) -> Result<Migrated, OpenError> {
        connect::bring_up_to_date(url, &SqlOptions::default()).await
    }

    /// Tells what [`migrate`](Self::migrate) would do. Nothing is made or changed.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn look(url: &str) -> Result<Schema, OpenError> {
        connect::look(url, &SqlOptions::default()).await
    }
}

#[async_trait]
impl Records for SqlRecords {
    async fn save_client(&self, client: &Client) -> Result<(), StoreError> {
        let client = client.clone();
        write!(self, |db| clients::save(db, &client))
    }

    async fn add_client(&self, client: &Client) -> Result<(), StoreError> {
        let client = client.clone();
        write!(self, |db| clients::add(db, &client))
    }

    async fn change_client(&self, seen: &Client, next: &Client) -> Result<bool, StoreError> {
        let (seen, next) = (seen.clone(), next.clone());
        write!(self, |db| clients::change(db, &seen, &next))
    }

    async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.reader.read(|db| clients::one(db, id)).await
    }

    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        self.reader.read(clients::all).await
    }

    async fn begin_grant(&self, grant: &Grant) -> Result<(), StoreError> {
        let grant = grant.clone();
        write!(self, |db| grants::begin(db, &grant))
    }

    async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreError> {
        self.reader.read(|db| grants::one(db, id)).await
    }

    async fn grant_and_client(&self, id: &GrantId) -> Result<Option<(Grant, Option<Client>)>, StoreError> {
        self.reader.read(|db| grants::with_client(db, id)).await
    }

    async fn fulfil_grant(&self, fulfilment: &Fulfilment, now: Timestamp) -> Result<Fulfilled, StoreError> {
        let fulfilment = fulfilment.clone();
        write!(self, undoable | db | grants::fulfil(db, &fulfilment, now))
    }

    async fn open_account(
        &self,
        grant: &GrantId,
        login: &FreshLogin,
        now: Timestamp,
    ) -> Result<Fulfilled, StoreError> {
        let (grant, login) = (grant.clone(), login.clone());
        write!(self, undoable | db | grants::open_account(db, &grant, &login, now))
    }

    async fn link_identity(&self, linking: &Linking, now: Timestamp) -> Result<Linked, StoreError> {
        let linking = linking.clone();
        write!(self, undoable | db | grants::link(db, &linking, now))
    }

    async fn refuse_grant(&self, id: &GrantId, now: Timestamp) -> Result<bool, StoreError> {
        let id = id.clone();
        write!(self, |db| grants::refuse(db, &id, now))
    }

    async fn code(&self, code: &SecretHash) -> Result<Option<CodeRecord>, StoreError> {
        self.reader.read(|db| codes::one(db, code)).await
    }

    async fn exchange_code(
        &self,
        code: &SecretHash,
        tokens: &NewTokens,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        let (code, tokens) = (*code, tokens.clone());
        write!(self, undoable | db | codes::exchange(db, &code, &tokens, now))
    }

    async fn refresh_token(&self, token: &SecretHash) -> Result<Option<RefreshRecord>, StoreError> {
        self.reader.read(|db| tokens::refresh_token(db, token)).await
    }

    async fn rotate_refresh_token(
        &self,
        token: &SecretHash,
        tokens: &NewTokens,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        let (token, tokens) = (*token, tokens.clone());
        write!(self, undoable | db | tokens::rotate(db, &token, &tokens, now))
    }

    async fn bearer(&self, access: &SecretHash, now: Timestamp) -> Result<Option<Bearer>, StoreError> {
        self.reader.read(|db| tokens::bearer(db, access, now)).await
    }

    async fn family_of(&self, token: &SecretHash) -> Result<Option<Family>, StoreError> {
        self.reader.read(|db| tokens::family_of(db, token)).await
    }

    async fn revoke_family(&self, id: &FamilyId, now: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        write!(self, |db| families::revoke(db, id.as_str(), now))
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.reader.read(|db| people::user(db, id)).await
    }

    async fn users(&self, search: &str, limit: u32) -> Result<Vec<User>, StoreError> {
        self.reader.read(|db| people::search(db, search, limit)).await
    }

    async fn set_user_disabled(&self, id: &UserId, at: Option<Timestamp>) -> Result<bool, StoreError> {
        let id = id.clone();
        write!(self, |db| people::set_disabled(db, &id, at))
    }

    async fn identity(&self, key: &IdentityKey) -> Result<Option<Identity>, StoreError> {
        self.reader.read(|db| identities::one(db, key)).await
    }

    async fn identities_of(&self, user: &UserId) -> Result<Vec<Identity>, StoreError> {
        self.reader.read(|db| identities::of(db, user)).await
    }

    async fn unlink_identity(
        &self,
        user: &UserId,
        key: &IdentityKey,
        now: Timestamp,
    ) -> Result<Unlinked, StoreError> {
        let (user, key) = (user.clone(), key.clone());
        write!(self, undoable | db | identities::unlink(db, &user, &key, now))
    }

    async fn end_sessions_of(
        &self,
        key: &IdentityKey,
        stale_before: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let key = key.clone();
        write!(self, |db| leavers::switch_off(db, &key, stale_before, now))
    }

    async fn retire_identity(
        &self,
        key: &IdentityKey,
        stale_before: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Retired>, StoreError> {
        let key = key.clone();
        write!(self, |db| leavers::retire(db, &key, stale_before, now))
    }

    async fn rename_identity(
        &self,
        from: &IdentityKey,
        to: &IdentityKey,
        stale_before: Timestamp,
        now: Timestamp,
    ) -> Result<Renamed, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        write!(self, |db| leavers::rename(db, &from, &to, stale_before, now))
    }

    async fn sessions_of(&self, user: &UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.reader.read(|db| sessions::of(db, user, now)).await
    }

    async fn session(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        self.reader.read(|db| sessions::live(db, secret, now)).await
    }

    async fn begin_session(
        &self,
        login: &FreshLogin,
        hinted: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Fulfilled, StoreError> {
        let (login, hinted) = (login.clone(), hinted.cloned());
        write!(self, undoable | db | grants::begin_session(db, &login, hinted.as_ref(), now))
    }

    async fn end_session(&self, secret: &SecretHash, now: Timestamp) -> Result<bool, StoreError> {
        let secret = *secret;
        write!(self, |db| sessions::end(db, &secret, now))
    }

    async fn end_session_of(
        &self,
        user: &UserId,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (user, session) = (user.clone(), session.clone());
        write!(self, |db| sessions::end_one_of(db, &user, &session, now))
    }

    async fn end_all_sessions(
        &self,
        user: &UserId,
        except: Option<&SessionId>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (user, except) = (user.clone(), except.cloned());
        write!(self, |db| sessions::end_of_user(db, &user, except.as_ref(), now))
    }

    async fn merge_preview(
        &self,
        from: &UserId,
        into: &UserId,
        now: Timestamp,
    ) -> Result<Result<MergePreview, MergeRefusal>, StoreError> {
        self.reader.read(|db| merges::preview(db, from, into, now)).await
    }

    async fn merge_users(
        &self,
        id: &MergeId,
        from: &UserId,
        into: &UserId,
        now: Timestamp,
    ) -> Result<Result<Merge, MergeRefusal>, StoreError> {
        let (id, from, into) = (id.clone(), from.clone(), into.clone());
        write!(self, undoable | db | merges::merge(db, &id, &from, &into, now))
    }

    async fn undo_merge(&self, id: &MergeId, now: Timestamp) -> Result<Undone, StoreError> {
        let id = id.clone();
        write!(self, undoable | db | merges::undo(db, &id, now))
    }

    async fn merges(&self) -> Result<Vec<Merge>, StoreError> {
        self.reader.read(merges::all).await
    }

    async fn erasure_preview(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Result<ErasurePreview, ErasureRefusal>, StoreError> {
        self.reader.read(|db| erasure::preview(db, user, now)).await
    }

    async fn erase_user(
        &self,
        user: &UserId,
        told: &AuditEvent,
        now: Timestamp,
    ) -> Result<Result<Erased, ErasureRefusal>, StoreError> {
        let (user, told) = (user.clone(), told.clone());
        write!(self, undoable | db | erasure::erase(db, &user, &told, now))
    }

    async fn withdraw_identity(
        &self,
        key: &IdentityKey,
        told: &AuditEvent,
        now: Timestamp,
    ) -> Result<Option<Withdrawn>, StoreError> {
        let (key, told) = (key.clone(), told.clone());
        write!(self, |db| erasure::withdraw(db, &key, &told, now))
    }

    async fn forget_profile(
        &self,
        key: &IdentityKey,
        told: &AuditEvent,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let (key, told) = (key.clone(), told.clone());
        write!(self, |db| erasure::forget_profile(db, &key, &told, now))
    }

    async fn master_key_check(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.reader.read(master_key::check).await
    }

    async fn claim_for_master_key(&self, check: &[u8]) -> Result<Vec<u8>, StoreError> {
        let check = check.to_vec();
        write!(self, |db| master_key::claim(db, &check))
    }

    async fn sandbox_since(&self) -> Result<Option<Timestamp>, StoreError> {
        self.reader.read(sandbox_use::since).await
    }

    async fn note_sandbox(&self, now: Timestamp) -> Result<(), StoreError> {
        write!(self, |db| sandbox_use::note(db, now))
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.reader.read(keys::all).await
    }

    async fn add_signing_key(
        &self,
        key: &SigningKey,
        retires: &[KeyId],
        published_until: Timestamp,
    ) -> Result<(), StoreError> {
        let (key, retires) = (key.clone(), retires.to_vec());
        write!(self, |db| keys::add(db, &key, &retires, published_until))
    }

    async fn add_first_signing_key(&self, key: &SigningKey) -> Result<bool, StoreError> {
        let key = key.clone();
        write!(self, |db| keys::add_first(db, &key))
    }

    async fn record(&self, event: &AuditEvent) -> Result<(), StoreError> {
        let event = event.clone();
        write!(self, |db| audit::append(db, &event))
    }

    async fn audit_trail(&self, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        self.reader.read(|db| audit::newest(db, limit)).await
    }

    async fn audit_has(
        &self,
        kind: AuditKind,
        ticket: &str,
        since: Timestamp,
        look_back: u32,
    ) -> Result<Option<bool>, StoreError> {
        self.reader.read(|db| audit::has(db, kind, ticket, since, look_back)).await
    }

    async fn audit_of(
        &self,
        user: &UserId,
        kinds: &[AuditKind],
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        self.reader.read(|db| audit::newest_of(db, user, kinds, limit)).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let (mut gone, mut failed) = (0, None);
        for what in Leftover::ALL {
            // Several intentions: logins may pass between them.
            loop {
                match write!(self, |db| sweep::round(db, what, now)) {
                    Ok(round) => {
                        gone += round.gone;
                        if !round.is_full {
                            break;
                        }
                    }
                    // The other kinds have nothing to do with it.
                    Err(error) => {
                        failed.get_or_insert(error);
                        break;
                    }
                }
            }
        }
        failed.map_or(Ok(gone), Err)
    }

    async fn check(&self) -> Result<(), StoreError> {
        use db::Run as _;
        use entity::heartbeat::{Column, Entity};
        write!(self, |db| async move {
            let beat = Entity::update_many().col_expr(Column::Beats, Column::Beats.into_expr().add(1));
            beat.filter(Column::Id.eq(1)).run(db).await
        })?;
        self.reader.read(|db| db.by_key::<Entity>(1)).await?;
        Ok(())
    }

    async fn engine_time(&self) -> Result<Option<Timestamp>, StoreError> {
        self.reader.read(clock::now).await
    }
}
