//! What is kept here to know a person again: a name with a password's hash, and the public halves of passkeys.
//!
//! Each belongs to an identity of a kind that is held here ([`ChannelKind::is_held_here`]), so that listing, unlinking and
//! merging treat it like any other way to sign in. The two are made and removed together, in one transaction; removing is
//! [`Records::unlink_identity`], by which the last way in stays.
//!
//! This crate neither hashes passwords nor reads what a passkey's library wrote; it keeps both out of every log.
//!
//! [`Records::unlink_identity`]: crate::records::Records::unlink_identity

use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::Entropy;
use crate::identity::{ChannelKind, IdentityKey};
use crate::ids::{ChannelId, SessionId, UserId};
use crate::records::StoreError;
use crate::secret::random_text;

/// The key of a password's identity. Its subject is random: names change, and one that is free again may be somebody
/// else's tomorrow.
#[must_use]
pub fn password_key(entropy: &dyn Entropy) -> IdentityKey {
    IdentityKey { kind: ChannelKind::Password, app: "local".into(), subject: random_text(entropy, 16) }
}

/// The key of a passkey's identity: the credential's id at the relying party.
#[must_use]
pub fn passkey_key(rp_id: &str, credential_id: &[u8]) -> IdentityKey {
    let subject = URL_SAFE_NO_PAD.encode(credential_id);
    IdentityKey { kind: ChannelKind::Passkey, app: rp_id.to_owned(), subject }
}

/// The name that a person types beside a password: 2 to 64 letters of any script, digits and `.` `_` `-` `@`.
///
/// Two names that differ only in case are one; so are the full-width letters that a Chinese keyboard writes and their
/// plain ones. `==` asks whether they are one.
#[derive(Clone)]
pub struct Username {
    shown: String,
    folded: String,
}

/// A string cannot be a user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user name is 2 to 64 letters, digits or . _ - @")]
pub struct InvalidUsername;

impl Username {
    /// Reads what somebody typed; space around it is dropped.
    ///
    /// # Errors
    /// [`InvalidUsername`] when it has another character or length.
    pub fn parse(text: &str) -> Result<Self, InvalidUsername> {
        let shown: String = text.trim().chars().map(plain_width).collect();
        let is_clean = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
        if !(2..=64).contains(&shown.chars().count()) || !shown.chars().all(is_clean) {
            return Err(InvalidUsername);
        }
        // Letter by letter: what a final sigma becomes in a whole string depends on its neighbours.
        let folded = shown.chars().flat_map(char::to_lowercase).collect();
        Ok(Self { shown, folded })
    }

    /// As its owner writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The form by which stores compare it.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

/// The plain form of a full-width ASCII character.
fn plain_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Username {}

impl std::hash::Hash for Username {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl std::str::FromStr for Username {
    type Err = InvalidUsername;
    fn from_str(text: &str) -> Result<Self, InvalidUsername> {
        Self::parse(text)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Username {
    /// Without the name: people type their password into the wrong field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Username([redacted])")
    }
}

/// A password's hash as a PHC string, such as `$argon2id$v=19$m=19456,t=2,p=1$…` (SEC-74).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string; `None` if it is something else, such as a password by mistake.
    #[must_use]
    pub fn from_phc(text: &str) -> Option<Self> {
        let is_plain = text.bytes().all(|b| b.is_ascii_graphic());
        let has_parts = text.starts_with('$') && text.split('$').count() >= 4;
        (is_plain && has_parts).then(|| Self(text.to_owned()))
    }

    /// The string itself, for the library that compares.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

/// A password as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRecord {
    /// Its identity.
    pub key: IdentityKey,
    /// Whose it is.
    pub user: UserId,
    /// What is typed beside it.
    pub username: Username,
    /// Whether an administrator gave that name. One that people choose for themselves says nothing about who they are, so
    /// websites, which take names for accounts, are not told it.
    pub is_assigned: bool,
    /// Its hash.
    pub hash: PasswordHash,
    /// When name or password were last set.
    pub changed_at: Timestamp,
}

/// A name and a password to be set.
#[derive(Debug, Clone)]
pub struct NewPassword {
    /// The key of its identity, from [`password_key`]. Only a person's first password takes it; a later one keeps the key
    /// that is there.
    pub key: IdentityKey,
    /// Whose it is to be.
    pub user: UserId,
    /// The channel it belongs to.
    pub channel: ChannelId,
    /// What is to be typed beside it.
    pub username: Username,
    /// Whether an administrator gives that name. A name that was given stays so while it is not changed.
    pub is_assigned: bool,
    /// Its hash.
    pub hash: PasswordHash,
    /// The session that asks for it and may stay; `None` for an administrator. If it ended meanwhile, nothing is set.
    pub keep: Option<SessionId>,
}

/// A person an administrator creates, before they ever signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Their id.
    pub id: UserId,
    /// What to call them.
    pub nickname: Option<String>,
}

/// How setting a password went. Unless it was done, nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetPassword {
    /// From now on this name and this password lead to the person, and the former ones nowhere.
    Done,
    /// The name, in whatever case, belongs to another password.
    UsernameTaken,
    /// There is no such person, or they are merged into another.
    NoSuchUser,
    /// The session that asked has ended, or is another person's, or its person was switched off.
    SessionOver,
}

/// How adding a passkey went. Unless it was done, nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddPasskey {
    /// It leads to the person from now on.
    Done,
    /// The credential is known, whosever it is.
    Known,
    /// The session that asked has ended, or is another person's, or its person was switched off.
    SessionOver,
}

/// A passkey as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct PasskeyRecord {
    /// Its identity, see [`passkey_key`].
    pub key: IdentityKey,
    /// Whose it is.
    pub user: UserId,
    /// What the person calls it.
    pub name: String,
    /// What the WebAuthn library keeps of it: JSON that only that library reads.
    pub data: String,
    /// Added.
    pub created_at: Timestamp,
    /// Last used to sign in or to approve.
    pub last_used_at: Option<Timestamp>,
}

impl fmt::Debug for PasskeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasskeyRecord")
            .field("key", &self.key)
            .field("user", &self.user)
            .field("created_at", &self.created_at)
            .field("last_used_at", &self.last_used_at)
            .finish_non_exhaustive()
    }
}

/// The passwords and passkeys of one installation, in the same store as the [`Records`], so that each goes with its
/// identity. Every method is one transaction. Whether the person is switched off is not looked at here: whoever signs in
/// by one of these goes through [`Records::fulfil_grant`], which does (SEC-40).
///
/// [`Records`]: crate::records::Records
/// [`Records::fulfil_grant`]: crate::records::Records::fulfil_grant
#[async_trait]
pub trait Credentials: Send + Sync + fmt::Debug {
    /// The password that is typed beside a name, in whatever case.
    async fn password_by_username(&self, username: &Username) -> Result<Option<PasswordRecord>, StoreError>;

    /// A person's password. Two people who were merged may have brought one each; then the one that was set last.
    async fn password_of(&self, user: &UserId) -> Result<Option<PasswordRecord>, StoreError>;

    /// Sets a person's name and password. The first one adds an identity. A later one changes the one under `new.key`, if
    /// that is theirs, else the one that [`Credentials::password_of`] tells; then every session that came from it ends
    /// except `new.keep`, and the token families of those are revoked.
    ///
    /// Of any number of people who want one name at the same moment, exactly one is [`SetPassword::Done`].
    async fn set_password(&self, new: &NewPassword, now: Timestamp) -> Result<SetPassword, StoreError>;

    /// Creates a person together with their password, or neither. `new.user` must be `user.id`, else there is
    /// [`SetPassword::NoSuchUser`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the person exists.
    async fn create_user_with_password(
        &self,
        user: &NewUser,
        new: &NewPassword,
        now: Timestamp,
    ) -> Result<SetPassword, StoreError>;

    /// Replaces the hash `seen` by another one of the same password, as when it is to be made stronger. `false`, with
    /// nothing written, if the stored hash is no longer `seen`: a change of password meanwhile is not undone by this.
    async fn rehash_password(
        &self,
        key: &IdentityKey,
        seen: &PasswordHash,
        hash: &PasswordHash,
    ) -> Result<bool, StoreError>;

    /// A person's passkeys, oldest first.
    async fn passkeys_of(&self, user: &UserId) -> Result<Vec<PasskeyRecord>, StoreError>;

    /// One passkey.
    async fn passkey(&self, key: &IdentityKey) -> Result<Option<PasskeyRecord>, StoreError>;

    /// Adds a passkey and its identity, for the person whose session asks. Of any number of calls for one credential exactly
    /// one is [`AddPasskey::Done`].
    async fn add_passkey(
        &self,
        record: &PasskeyRecord,
        channel: &ChannelId,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<AddPasskey, StoreError>;

    /// Writes down that a passkey was used and what the library knows of it now. `false` if it is gone.
    async fn passkey_used(&self, key: &IdentityKey, data: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Gives a person's passkey another name. `false` if they have no such passkey.
    async fn rename_passkey(&self, user: &UserId, key: &IdentityKey, name: &str) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    #[test]
    fn names_that_differ_by_case_or_width_are_one() {
        let name = |text: &str| Username::parse(text).unwrap();
        for (one, other) in
            [("ZhangSan", "zhangsan"), ("Ａｄｍｉｎ＠ｃｏｒｐ．ｃｎ", "admin@corp.cn"), ("ÉMILE", " émile ")]
        {
            assert_eq!(name(one), name(other));
        }
        assert_ne!(name("zhang.san"), name("zhangsan"));
        assert_eq!(name(" 张三 ").as_str(), "张三");
        assert_eq!((name("ZhangSan").as_str(), name("ZhangSan").folded()), ("ZhangSan", "zhangsan"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let too_long = "字".repeat(65);
        for text in
            ["", "a", "a b", "a\u{200b}b", "a/b", "<b>", "a\u{301}b", "a\u{202e}b", "名 ", "o'b", &too_long]
        {
            assert_eq!(Username::parse(text), Err(InvalidUsername), "{text:?}");
        }
        assert!(Username::parse(&"字".repeat(64)).is_ok());
    }

    #[test]
    fn sec_74_only_a_phc_string_is_taken_for_a_hash() {
        let hash = PasswordHash::from_phc("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA").unwrap();
        assert!(hash.expose().starts_with("$argon2id$"));
        for text in ["", "hunter2", "$", "$argon2id$hunter2", "$a$b$c d", "$a$b$密"] {
            assert_eq!(PasswordHash::from_phc(text), None, "{text:?}");
        }
    }

    #[test]
    fn debug_shows_no_name_hash_or_key() {
        let new = NewPassword {
            key: password_key(&SystemEntropy),
            user: "person".parse().unwrap(),
            channel: "password".parse().unwrap(),
            username: Username::parse("correct-horse").unwrap(),
            is_assigned: false,
            hash: PasswordHash::from_phc("$argon2id$v=19$c2FsdA$aGFzaA").unwrap(),
            keep: None,
        };
        let passkey = PasskeyRecord {
            key: passkey_key("login.example", &[1, 2, 3]),
            user: "person".parse().unwrap(),
            name: "battery".into(),
            data: "staple".into(),
            created_at: Timestamp::UNIX_EPOCH,
            last_used_at: None,
        };
        let shown = format!("{new:?} {passkey:?}");
        for secret in ["horse", "aGFzaA", "battery", "staple", &new.key.subject] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
}
