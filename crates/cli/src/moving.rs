//! `mashang export` and `mashang import`: records from one engine to another, by way of a file.

mod bar;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail};
use mashang_server::open;
use mashang_server::open::Moved;

use self::bar::Bar;
use crate::args::{Export, Import};

/// Writes the records into a file that is not there yet. What fails leaves no file.
///
/// # Errors
/// A database that does not open, a file that is there already or cannot be written.
pub async fn export(asked: &Export) -> anyhow::Result<()> {
    let config = asked.file.load()?;
    let mut bar = Bar::of_rows();
    if is_dash(&asked.to) {
        let mut out = BufWriter::new(io::stdout());
        let moved = open::export(&config, &mut out, &mut |progress| bar.show(progress)).await;
        bar.end();
        tell(&moved?, "exported");
        return Ok(());
    }
    let shown = asked.to.display();
    let file = match create(&asked.to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => bail!(
            "{shown} is there already, perhaps of an export that was interrupted: remove it, or name another file"
        ),
        made => made.with_context(|| format!("cannot make {shown}"))?,
    };
    let mut out = BufWriter::new(file);
    let moved = open::export(&config, &mut out, &mut |progress| bar.show(progress)).await;
    bar.end();
    let written = match moved {
        Ok(moved) => out.flush().and_then(|()| out.get_ref().sync_all()).map(|()| moved).map_err(Into::into),
        Err(error) => Err(anyhow::Error::from(error)),
    };
    match written {
        Ok(moved) => {
            tell(&moved, "exported");
            note!("{shown} holds personal data and hashes; keep it as you keep a backup of the database.");
            Ok(())
        }
        Err(error) => {
            // Half an export is worse than none.
            drop(std::fs::remove_file(&asked.to));
            Err(error)
        }
    }
}

/// Reads an export into an empty database.
///
/// # Errors
/// A database that does not open or is not empty; an export that is not whole, or of another version; another master key.
pub async fn import(asked: &Import) -> anyhow::Result<()> {
    let config = asked.file.load()?;
    let moved = if is_dash(&asked.from) {
        let mut bar = Bar::of_bytes(None);
        let moved =
            open::import(&config, &mut BufReader::new(io::stdin()), &mut |progress| bar.show(progress)).await;
        bar.end();
        moved?
    } else {
        let file =
            File::open(&asked.from).with_context(|| format!("cannot read {}", asked.from.display()))?;
        let mut bar = Bar::of_bytes(Some(file.metadata()?.len()));
        let moved =
            open::import(&config, &mut BufReader::new(file), &mut |progress| bar.show(progress)).await;
        bar.end();
        moved?
    };
    tell(&moved, "imported");
    Ok(())
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A new file for its owner alone.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Counts and checksum, on standard error: standard output may be the export.
fn tell(moved: &Moved, what: &str) {
    for (table, rows) in &moved.rows {
        note!("{table:>20} {rows:>10}");
    }
    note!("{} rows {what}; SHA-256 of the file {}", moved.rows.values().sum::<u64>(), moved.file_sha256);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::ConfigFile;

    #[tokio::test]
    async fn a_file_that_is_there_is_kept_and_the_way_on_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (config, to) = (folder.path().join("mashang.toml"), folder.path().join("all.jsonl"));
        std::fs::write(&config, "").unwrap();
        std::fs::write(&to, "half").unwrap();
        let asked = Export { to: to.clone(), file: ConfigFile { config: Some(config) } };
        let told = export(&asked).await.unwrap_err().to_string();
        assert!(told.contains("all.jsonl") && told.contains("remove it, or name another file"), "{told}");
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "half");
    }
}
