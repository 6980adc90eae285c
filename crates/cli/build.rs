//! How the program is linked.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if packs_relocations() {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the program's twenty-nine thousand relocations may be written packed (`DT_RELR`), which takes 0.7 MB off the file
/// and off what a start reads. glibc knows that from 2.36 on, and refuses to start such a file before; since a program wants no
/// older glibc than the one it was built with, the one that is here decides. Other systems and cross builds stay as they are.
/// docs/deploy.md says what that means for whoever builds on one machine for another.
fn packs_relocations() -> bool {
    #[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]
    let set = |name: &str| std::env::var(name).unwrap_or_default();
    let target = set("TARGET");
    if target != "x86_64-unknown-linux-gnu" || target != set("HOST") {
        return false;
    }
    let Ok(told) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    is_new_enough(&String::from_utf8_lossy(&told.stdout))
}

/// As `getconf` says it: `glibc 2.36`.
fn is_new_enough(told: &str) -> bool {
    let version = told.trim().strip_prefix("glibc 2.");
    version.and_then(|minor| minor.split('.').next()?.parse::<u32>().ok()).is_some_and(|minor| minor >= 36)
}
