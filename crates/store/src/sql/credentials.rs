//! [`Credentials`] in SQL: see [`passwords`] and [`passkeys`]. Both tables refer to the identity and are deleted with it.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::credentials::{
    AddPasskey, Credentials, NewPassword, NewUser, PasskeyRecord, PasswordHash, PasswordRecord, SetPassword,
    Username,
};
use mashang_login::identity::IdentityKey;
use mashang_login::ids::{ChannelId, SessionId, UserId};
use mashang_login::records::StoreError;

use super::writer::{Outcome, write};
use super::{SqlRecords, passkeys, passwords};

#[async_trait]
impl Credentials for SqlRecords {
    async fn password_by_username(&self, username: &Username) -> Result<Option<PasswordRecord>, StoreError> {
        self.reader.read(|db| passwords::by_username(db, username)).await
    }

    async fn password_of(&self, user: &UserId) -> Result<Option<PasswordRecord>, StoreError> {
        self.reader.read(|db| passwords::of(db, user)).await
    }

    async fn set_password(&self, new: &NewPassword, now: Timestamp) -> Result<SetPassword, StoreError> {
        let new = new.clone();
        write!(self, undoable | db | passwords::set(db, &new, now))
    }

    async fn create_user_with_password(
        &self,
        user: &NewUser,
        new: &NewPassword,
        now: Timestamp,
    ) -> Result<SetPassword, StoreError> {
        let (user, new) = (user.clone(), new.clone());
        write!(self, undoable | db | passwords::create_user(db, &user, &new, now))
    }

    async fn rehash_password(
        &self,
        key: &IdentityKey,
        seen: &PasswordHash,
        hash: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let (key, seen, hash) = (key.clone(), seen.clone(), hash.clone());
        write!(self, |db| passwords::rehash(db, &key, &seen, &hash))
    }

    async fn passkeys_of(&self, user: &UserId) -> Result<Vec<PasskeyRecord>, StoreError> {
        self.reader.read(|db| passkeys::of(db, user)).await
    }

    async fn passkey(&self, key: &IdentityKey) -> Result<Option<PasskeyRecord>, StoreError> {
        self.reader.read(|db| passkeys::one(db, key)).await
    }

    async fn add_passkey(
        &self,
        record: &PasskeyRecord,
        channel: &ChannelId,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<AddPasskey, StoreError> {
        let (record, channel, session) = (record.clone(), channel.clone(), session.clone());
        write!(self, |db| passkeys::add(db, &record, &channel, &session, now))
    }

    async fn passkey_used(&self, key: &IdentityKey, data: &str, now: Timestamp) -> Result<bool, StoreError> {
        let (key, data) = (key.clone(), data.to_owned());
        write!(self, |db| passkeys::used(db, &key, &data, now))
    }

    async fn rename_passkey(&self, user: &UserId, key: &IdentityKey, name: &str) -> Result<bool, StoreError> {
        let (user, key, name) = (user.clone(), key.clone(), name.to_owned());
        write!(self, |db| passkeys::rename(db, &user, &key, &name))
    }
}
