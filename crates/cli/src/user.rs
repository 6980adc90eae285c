//! `mashang user …`: people. Every change is written into the audit trail.

mod erase;
mod identity;
mod merge;
mod password;
mod show;

use anyhow::{Context, bail};
use mashang_login::ambient::SystemClock;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::ids::UserId;
use mashang_login::records::{Records, StoreError};
use mashang_login::user::User;
use mashang_login::{Clock, Timestamp};
use mashang_server::open;

pub(crate) use self::password::made_up;
pub(crate) use self::show::minute;

use crate::args::{OneUser, User as Command};
use crate::switch::Switch;

/// Creates, lists, shows, signs out, switches, merges, unlinks or erases people, and sets passwords.
///
/// # Errors
/// In sentences: an id nobody has, what cannot be merged, unlinked or erased, a database that does not open.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(asked) => password::add(&asked).await,
        Command::Password(asked) => password::set(&asked).await,
        Command::List(asked) => show::list(&asked).await,
        Command::Show(asked) => show::show(&asked).await,
        Command::Merge(asked) => merge::merge(&asked).await,
        Command::Unmerge(asked) => merge::unmerge(&asked).await,
        Command::Unlink(asked) => identity::unlink(&asked).await,
        Command::SignOut(user) => sign_out(&user).await,
        Command::Disable(user) => switch(&user, Switch::Off).await,
        Command::Enable(user) => switch(&user, Switch::On).await,
        Command::Erase(asked) => erase::erase(&asked).await,
    }
}

async fn switch(asked: &OneUser, to: Switch) -> anyhow::Result<()> {
    let id = user_id(&asked.id)?;
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let Some(user) = records.user(&id).await? else { bail!("there is no person {id}") };
    let named = named(&user);
    if Switch::of(user.disabled_at.is_some()) == to {
        say!("{named} is {to} already");
        return Ok(());
    }
    let now = SystemClock.now();
    if to == Switch::On {
        // Whoever was switched off by an earlier version still has sessions that only sleep.
        records.end_all_sessions(&id, None, now).await?;
    }
    if !records.set_user_disabled(&id, (to == Switch::Off).then_some(now)).await? {
        bail!("there is no person {id} any more");
    }
    match to {
        Switch::Off => {
            record(&*records, now, AuditKind::UserDisabled, &id).await?;
            record(&*records, now, AuditKind::SessionsEnded, &id).await?;
        }
        Switch::On => record(&*records, now, AuditKind::UserEnabled, &id).await?,
    }
    say!("{named} is {to}");
    Ok(())
}

/// For a browser or phone that was lost or stolen: the person stays, and signs in anew.
async fn sign_out(asked: &OneUser) -> anyhow::Result<()> {
    let id = user_id(&asked.id)?;
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let Some(user) = records.user(&id).await? else { bail!("there is no person {id}") };
    let now = SystemClock.now();
    let ended = records.end_all_sessions(&id, None, now).await?;
    record(&*records, now, AuditKind::SessionsEnded, &id).await?;
    say!("{} is signed out in {ended} browsers, and websites can refresh nothing of theirs", named(&user));
    Ok(())
}

async fn record(
    records: &dyn Records,
    now: Timestamp,
    kind: AuditKind,
    user: &UserId,
) -> Result<(), StoreError> {
    let mut event = AuditEvent::new(now, kind);
    event.user = Some(user.clone());
    records.record(&event).await
}

fn user_id(text: &str) -> anyhow::Result<UserId> {
    text.parse().context("that is no id of a person (`sub`, or user_id in the audit trail)")
}

/// Id and name, as every sentence about a person says them.
fn named(user: &User) -> String {
    format!("{} ({})", user.id, user.nickname.as_deref().unwrap_or("no name"))
}
