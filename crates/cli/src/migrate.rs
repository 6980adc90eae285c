//! `mashang migrate`: the database's tables, without serving.

use anyhow::bail;
use mashang_server::config::Config;
use mashang_server::open;

use crate::args::Migrate;
use crate::logging;
use crate::process::{stop_on_signal_or_hangup, unless_asked_to_stop};

/// Brings the tables up to date and tells what that was, or only looks what they lack.
///
/// # Errors
/// A database that does not open, or that a later version has changed beyond what this one works with; with `--check` also one
/// whose tables lack something.
pub async fn run(asked: &Migrate) -> anyhow::Result<()> {
    let config = asked.file.load()?;
    if asked.check {
        return check(&config).await;
    }
    logging::start(&config.log)?;
    let migrating = Box::pin(open::migrate(&config));
    let migrated = if open::may_be_cut_short(&config) {
        migrating.await?
    } else {
        let asked = stop_on_signal_or_hangup();
        let Some(migrated) = unless_asked_to_stop(&asked, false, migrating).await? else {
            say!("Asked to stop, after the tables were brought up to date.");
            return Ok(());
        };
        migrated
    };
    for (number, name) in &migrated.applied {
        say!("applied {number:04} {name}");
    }
    match migrated.applied.len() {
        0 => say!("The tables were up to date already: schema {}.", migrated.schema),
        1 => say!("1 migration applied; the tables are up to date: schema {}.", migrated.schema),
        n => say!("{n} migrations applied; the tables are up to date: schema {}.", migrated.schema),
    }
    Ok(())
}

async fn check(config: &Config) -> anyhow::Result<()> {
    let found = open::look(config).await?;
    for (number, name) in &found.pending {
        say!("pending {number:04} {name}");
    }
    match (found.schema, found.pending.len()) {
        (schema, 0) => say!("The tables are up to date: schema {schema}."),
        (0, _) => bail!("the database has no tables of Mashang; nothing was changed"),
        (schema, 1) => {
            bail!("the tables are of schema {schema}, 1 migration is pending; nothing was changed")
        }
        (schema, n) => {
            bail!("the tables are of schema {schema}, {n} migrations are pending; nothing was changed")
        }
    }
    Ok(())
}
