//! The program, with a configuration in a folder of its own.

use std::path::Path;
use std::process::{Command, Output};

/// A configuration and a master key; the database is for the program to make.
pub fn installation(folder: &Path) {
    std::fs::write(folder.join("master.key"), [7; 32]).unwrap();
    let (db, key) = (folder.join("mashang.db"), folder.join("master.key"));
    let text = format!("[store]\nurl = 'sqlite:{}'\nmaster_key_file = '{}'\n", db.display(), key.display());
    std::fs::write(folder.join("mashang.toml"), text).unwrap();
}

/// The program in that folder, with that configuration.
pub fn mashang(folder: &Path, line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mashang"));
    command.current_dir(folder).env("MASHANG_CONFIG", folder.join("mashang.toml")).args(line);
    command
}

/// What it said on standard output.
#[allow(dead_code, reason = "each file uses its part")]
pub fn heard(folder: &Path, line: &[&str]) -> String {
    let output = mashang(folder, line).output().unwrap();
    assert!(output.status.success(), "{line:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it said on standard error, if it failed.
#[allow(dead_code, reason = "each file uses its part")]
pub fn refused(folder: &Path, line: &[&str]) -> String {
    let Output { status, stderr, .. } = mashang(folder, line).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{line:?}: {said}");
    said
}
