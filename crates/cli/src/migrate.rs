//! `mashang migrate`: the database's tables, without serving.

use mashang_server::open;

use crate::args::ConfigFile;

/// Brings the tables up to date and tells what that was.
///
/// # Errors
/// A database that does not open, or that a later version has changed beyond what this one works with.
pub async fn run(file: &ConfigFile) -> anyhow::Result<()> {
    let config = file.load()?;
    let migrated = open::migrate(&config).await?;
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
