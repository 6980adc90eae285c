//! Name and password: kept here as an Argon2id hash, and typed into a form of the login page.
//!
//! - [`hasher`]: Argon2id, off the threads that serve, of which one core stays free;
//! - [`fitness`]: what a new password must be like;
//!
//! Whoever asks cannot tell a name that nobody has from a wrong password: both cost one hash, both count as a guess, and
//! both get the same answer (SEC-14, SEC-74).

pub mod fitness;
pub mod hasher;

use std::time::Duration;

use mashang_login::audit::AuditKind;
use mashang_login::credentials::{
    NewPassword, PasswordHash, PasswordRecord, SetPassword, Username, password_key,
};
use mashang_login::identity::{Attributes, Profile, Proof};
use mashang_login::ids::{ChannelId, SessionId, UserId};
use mashang_login::records::StoreError;

pub use self::fitness::Unfit;
use self::hasher::{Hasher, TooBusy};
use super::guesses::Guesses;
use super::{Channel, Means};
use crate::audit;
use crate::outgoing::causes;
use crate::state::App;
use crate::web::limits::{Counted, TooMany};
use crate::web::problem::Problem;
use crate::web::tally::Tally;
use crate::web::visitor::Visitor;

/// Signing in by name and password.
#[derive(Debug)]
pub struct Password {
    hasher: Hasher,
    guesses: Guesses,
    /// By whom: passwords set, the good and the unfit.
    changes: Tally,
}

impl Default for Password {
    fn default() -> Self {
        let changes = Tally::new("changes", 20, Duration::from_secs(60));
        Self { hasher: Hasher::default(), guesses: Guesses::at_passwords(), changes }
    }
}

/// Why a name and a password lead nowhere.
#[derive(Debug)]
pub enum Refused {
    /// Nobody has this name, or it is another password: nobody is told which.
    Wrong,
    /// Too many wrong ones before this.
    TooMany(TooMany),
    /// The store does not answer.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TooMany> for Refused {
    fn from(error: TooMany) -> Self {
        Self::TooMany(error)
    }
}

impl From<TooBusy> for Refused {
    fn from(TooBusy: TooBusy) -> Self {
        Self::TooMany(hasher::later())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            // Callers have a form to say it in; a page of its own would be a mistake of ours.
            Refused::Wrong => Self::BadRequest("the password is wrong"),
            Refused::TooMany(limit) => Self::TooMany(limit),
            Refused::Store(error) => Self::Store(error),
        }
    }
}

impl Password {
    /// Whose name and password these are.
    ///
    /// # Errors
    /// [`Refused`], without telling whether the name exists.
    pub async fn verify(
        &self,
        app: &App,
        visitor: &Visitor,
        (channel, typed_name): (&ChannelId, &str),
        password: &str,
    ) -> Result<PasswordRecord, Refused> {
        let username = Username::parse(typed_name).ok();
        let name = username.as_ref().map_or(typed_name, Username::folded);
        let counts = app.counts.of(channel);
        self.guesses.begin(counts, name, visitor.address, app.now()).await?;
        let (found, is_right) = match self.judge(app, username.as_ref(), password).await {
            Ok(judged) => judged,
            Err(refused) => {
                self.guesses.was_not_judged(counts, name, visitor.address, app.now()).await;
                return Err(refused);
            }
        };
        match found {
            Some(record) if is_right => {
                self.guesses.was_right(counts, name, visitor.address, app.now()).await;
                self.strengthen(app, &record, password).await;
                Ok(record)
            }
            other => {
                tell_wrong(app, visitor, channel, other.map(|record| record.user)).await;
                Err(Refused::Wrong)
            }
        }
    }

    /// The password of that name, if there is one, and whether it was typed. Takes as long for a name that nobody has.
    async fn judge(
        &self,
        app: &App,
        username: Option<&Username>,
        password: &str,
    ) -> Result<(Option<PasswordRecord>, bool), Refused> {
        let found = match username {
            Some(username) => app.credentials.password_by_username(username).await?,
            None => None,
        };
        let is_right = self.hasher.verify(password, found.as_ref().map(|record| &record.hash)).await?;
        Ok((found, is_right))
    }

    /// Whether this is the present password of somebody who is signed in, as before a change of it. Counts as a guess at
    /// their name.
    ///
    /// # Errors
    /// [`Refused`]; [`Refused::Wrong`] too if they have no password.
    pub async fn verify_own(
        &self,
        app: &App,
        visitor: &Visitor,
        (channel, user): (&ChannelId, &UserId),
        password: &str,
    ) -> Result<PasswordRecord, Refused> {
        let record = app.credentials.password_of(user).await?.ok_or(Refused::Wrong)?;
        self.verify(app, visitor, (channel, record.username.as_str()), password).await
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Problem::TooMany`] when too many others wait for the same.
    pub async fn hash(&self, app: &App, password: &str) -> Result<PasswordHash, Problem> {
        self.hasher.hash(password, &*app.entropy).await.map_err(|TooBusy| Problem::TooMany(hasher::later()))
    }

    /// Hashes anew what was hashed with less effort than is asked for now.
    async fn strengthen(&self, app: &App, record: &PasswordRecord, password: &str) {
        if !hasher::is_outdated(&record.hash) {
            return;
        }
        let Ok(hash) = self.hasher.hash(password, &*app.entropy).await else { return };
        if let Err(error) = app.credentials.rehash_password(&record.key, &record.hash, &hash).await {
            let error = causes(&error);
            tracing::warn!(user.id = %record.user, error, "a password's hash was not made stronger: {error}");
        }
    }
}

async fn tell_wrong(app: &App, visitor: &Visitor, channel: &ChannelId, user: Option<UserId>) {
    // One row each would let anybody fill the trail; the guesses are counted all the same.
    if app.count(Counted::WrongGuess, visitor.address).await.is_err() {
        return;
    }
    let mut event = audit::by(app, visitor, AuditKind::WrongPassword);
    event.channel = Some(channel.clone());
    event.user = user;
    audit::write(app, event).await;
}

/// What a right password proves.
#[must_use]
pub fn proof(app: &App, channel: &ChannelId, record: &PasswordRecord) -> Proof {
    Proof {
        channel: channel.clone(),
        key: record.key.clone(),
        union: None,
        // The name is the person's, and what they are called is told by whoever set it.
        profile: Profile::default(),
        attributes: Attributes::default(),
        proven_at: app.now(),
        password_set_at: Some(record.changed_at),
    }
}

/// Why a name and password were not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSet {
    /// They are not good enough, or the name is taken.
    Unfit(Unfit),
    /// The person who asked is signed in no longer.
    SessionOver,
}

/// A name and a password that a person wants from now on.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Whose.
    pub user: &'a UserId,
    /// The name as typed.
    pub username: &'a str,
    /// The password as typed.
    pub password: &'a str,
    /// The session that asks, which stays.
    pub keep: Option<&'a SessionId>,
}

/// Sets a person's name and password, the first or another one; their sessions by the former one end except `keep`. The
/// caller has made sure that it is the person who asks.
///
/// # Errors
/// [`Problem::Store`], [`Problem::TooMany`] when too many others wait; the inner error says why nothing was set.
pub async fn set(app: &App, visitor: &Visitor, wanted: Wanted<'_>) -> Result<Result<(), NotSet>, Problem> {
    let Some((channel, means)) = channel(app) else {
        return Err(Problem::BadRequest("no password can be set: there is no channel of that kind"));
    };
    let username = match fitness::check(wanted.username, wanted.password) {
        Ok(username) => username,
        Err(unfit) => return Ok(Err(NotSet::Unfit(unfit))),
    };
    // Counted, and looked up before the costly part: whoever is signed in can ask this again and again.
    means.changes.take(app.counts.of(&channel.id), wanted.user.as_str(), app.now()).await?;
    let owner = app.credentials.password_by_username(&username).await?;
    if owner.is_some_and(|owner| owner.user != *wanted.user) {
        return Ok(Err(NotSet::Unfit(Unfit::NameTaken)));
    }
    let new = NewPassword {
        key: password_key(&*app.entropy),
        user: wanted.user.clone(),
        channel: channel.id.clone(),
        username,
        is_assigned: false,
        hash: means.hash(app, wanted.password).await?,
        keep: wanted.keep.cloned(),
    };
    match app.credentials.set_password(&new, app.now()).await? {
        SetPassword::Done => {}
        SetPassword::UsernameTaken => return Ok(Err(NotSet::Unfit(Unfit::NameTaken))),
        SetPassword::NoSuchUser | SetPassword::SessionOver => return Ok(Err(NotSet::SessionOver)),
    }
    let mut event = audit::by(app, visitor, AuditKind::PasswordSet);
    event.channel = Some(channel.id.clone());
    event.user = Some(wanted.user.clone());
    audit::write(app, event).await;
    Ok(Ok(()))
}

/// The first channel by which passwords are asked for, if there is one.
#[must_use]
pub fn channel(app: &App) -> Option<(&Channel, &Password)> {
    app.channels.iter().find_map(|channel| match &channel.means {
        Means::Password(password) => Some((channel, password)),
        _ => None,
    })
}
