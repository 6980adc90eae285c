//! The master key's file: read, or made on the first start.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use mashang_login::Entropy;
use mashang_login::seal::MasterKey;
use mashang_login::secret::random_text;

use super::OpenError;

/// Reads the master key, or makes one on the first start, readable by the owner only.
///
/// Where the database belongs to one already it is no first start: a new key could not open what is sealed there, and its
/// file would hide that the old one is missing.
pub(super) fn read_or_make(
    path: &Path,
    is_claimed: bool,
    entropy: &dyn Entropy,
) -> Result<MasterKey, OpenError> {
    if let Some(key) = present(path)? {
        return Ok(key);
    }
    if is_claimed {
        let what = "is missing, but the database holds signing keys that only it can open; \
                    put it back from the backup, or copy it from another node. Gone for good? \
                    docs/operating.md, \"Restoring\", has the way on, which keeps people and websites";
        return Err(wrong(path, what.into()));
    }
    let key = MasterKey::random(entropy);
    write_new(path, key.expose(), entropy)
        .map_err(|error| wrong(path, format!("cannot be made: {error}")))?;
    tracing::info!("first start: master key made in {}; back it up apart from the database", path.display());
    Ok(key)
}

/// The master key, for what cannot be done without it.
pub(super) fn needed(path: &Path, what_for: &str) -> Result<MasterKey, OpenError> {
    present(path)?.ok_or_else(|| wrong(path, format!("is missing; {what_for}")))
}

/// The master key, if its file is there.
pub(super) fn present(path: &Path) -> Result<Option<MasterKey>, OpenError> {
    match std::fs::read(path) {
        Ok(bytes) => match bytes.try_into() {
            Ok(bytes) => Ok(Some(MasterKey::from_bytes(bytes))),
            Err(_) => Err(wrong(path, "must hold exactly 32 bytes".into())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(path, format!("cannot be read: {error}"))),
    }
}

fn wrong(path: &Path, what: String) -> OpenError {
    OpenError::MasterKey { path: path.display().to_string(), what }
}

/// Makes a file that is there with all its bytes or not at all, whenever the power goes; never writes over one.
fn write_new(path: &Path, bytes: &[u8], entropy: &dyn Entropy) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let draft = draft_beside(path, entropy);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let placed = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| place(&draft, path));
    // Gone already where it was renamed.
    let _ = std::fs::remove_file(&draft);
    placed?;
    // The name lasts only once its folder is on the disk. Windows has no such call, and needs none.
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// A name nobody else uses: of two servers that start at once, neither may place what the other is still writing.
fn draft_beside(path: &Path, entropy: &dyn Entropy) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".{}.new", random_text(entropy, 6)));
    path.with_file_name(name)
}

/// Gives the draft its name. A link fails if the name is taken, and a rename would not.
fn place(draft: &Path, path: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(draft, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => place_without_links(draft, path),
        placed => placed,
    }
}

/// For file systems without links (exFAT, some shared folders): takes the name first, then renames over what it took.
fn place_without_links(draft: &Path, path: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    std::fs::rename(draft, path)
}

#[cfg(test)]
mod tests {
    use mashang_login::ambient::SystemEntropy;

    use super::*;

    fn names_in(folder: &Path) -> Vec<OsString> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn the_first_start_makes_a_key_that_the_second_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/master.key");
        let made = read_or_make(&path, false, &SystemEntropy).unwrap();
        let read = read_or_make(&path, true, &SystemEntropy).unwrap();
        assert_eq!(made.expose(), read.expose());
        assert_eq!(names_in(path.parent().unwrap()), ["master.key"], "no draft stays");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_lost_key_is_named_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let refusal = read_or_make(&path, true, &SystemEntropy).unwrap_err().to_string();
        assert!(refusal.contains("master.key: is missing") && refusal.contains("backup"), "{refusal}");
        assert!(names_in(folder.path()).is_empty());
    }

    #[test]
    fn a_file_that_is_there_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        std::fs::write(&path, "mine").unwrap();
        for refused in [
            write_new(&path, &[7; 32], &SystemEntropy),
            place_without_links(&folder.path().join("draft"), &path),
        ] {
            assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
        assert_eq!(names_in(folder.path()), ["master.key"], "no draft stays");
        assert!(read_or_make(&path, false, &SystemEntropy).is_err(), "four bytes are no key");
    }

    #[test]
    fn a_file_system_without_links_gets_the_whole_file_too() {
        let folder = tempfile::tempdir().unwrap();
        let (draft, path) = (folder.path().join("draft"), folder.path().join("master.key"));
        std::fs::write(&draft, [7; 32]).unwrap();
        place_without_links(&draft, &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [7; 32]);
        assert_eq!(names_in(folder.path()), ["master.key"]);
    }

    #[test]
    fn of_many_first_starts_one_makes_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let start = || write_new(&path, MasterKey::random(&SystemEntropy).expose(), &SystemEntropy).is_ok();
        let made = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).filter(|made| *made).count()
        });
        assert_eq!(made, 1);
        assert_eq!(std::fs::read(&path).unwrap().len(), 32);
        assert_eq!(names_in(folder.path()), ["master.key"]);
    }
}
