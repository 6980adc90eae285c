//! Whose memory the program uses.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::process::Command;

#[test]
fn memory_comes_from_mimalloc() {
    // It tells when it ends, if anything was asked of it: <https://microsoft.github.io/mimalloc/environment.html>.
    let mut version = Command::new(env!("CARGO_BIN_EXE_mashang"));
    let output = version.arg("--version").env("MIMALLOC_SHOW_STATS", "1").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("arenas"), "{told}");
}
