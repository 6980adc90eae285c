//! `cargo xtask screenshots`: pictures of every page into `tests/output/`, and the few that the documentation shows into
//! `docs/images/`.

use std::process::Command;

use anyhow::bail;

use crate::test;

/// Takes the pictures.
///
/// # Errors
/// When the program does not build or a page does not come.
pub fn run() -> anyhow::Result<()> {
    let root = test::root();
    let program = test::build(&root)?;
    let taken = Command::new("node")
        .args(["screenshots.mjs", "--docs"])
        .current_dir(root.join("tests"))
        .env("MASHANG_BIN", program)
        .status()?;
    if !taken.success() {
        bail!("tests/screenshots.mjs failed; `cargo xtask test` makes its tools ready");
    }
    Ok(())
}
