//! `mashang user …`: people who have signed in.

use anyhow::{Context, bail};
use mashang_login::Clock;
use mashang_login::ambient::SystemClock;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::ids::UserId;
use mashang_server::{config, open};

use crate::args::{OneUser, User as Command};
use crate::switch::Switch;

/// Switches a person off or on.
///
/// # Errors
/// In sentences: an id nobody has, a database that does not open.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Disable(user) => switch(&user, Switch::Off).await,
        Command::Enable(user) => switch(&user, Switch::On).await,
    }
}

async fn switch(asked: &OneUser, to: Switch) -> anyhow::Result<()> {
    let id: UserId =
        asked.id.parse().context("that is no id of a person (`sub`, or user_id in the audit trail)")?;
    let config = config::load(asked.file.config.as_deref())?;
    let records = open::records(&config).await?;
    let Some(user) = records.user(&id).await? else { bail!("there is no person {id}") };
    let name = user.nickname.as_deref().unwrap_or("no name");
    if Switch::of(user.disabled_at.is_some()) == to {
        println!("{id} ({name}) is {to} already");
        return Ok(());
    }
    let now = SystemClock.now();
    if !records.set_user_disabled(&id, (to == Switch::Off).then_some(now)).await? {
        bail!("there is no person {id} any more");
    }
    let mut event = AuditEvent::new(now, AuditKind::UserSwitched);
    event.user = Some(id.clone());
    records.record(&event).await?;
    println!("{id} ({name}) is {to}");
    Ok(())
}
