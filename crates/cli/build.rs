//! How the program is linked.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Another system under the same target folder, as a container's next base image is.
    for libc in
        ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6"].iter().filter(|file| Path::new(file).exists())
    {
        println!("cargo:rerun-if-changed={libc}");
    }
    if packs_relocations() {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the program's twenty-nine thousand relocations may be written packed (`DT_RELR`), which takes 0.7 MB off the file
/// and off what a start reads. glibc knows that from 2.36 on, and before that refuses to start such a file: so the one that is
/// here decides, and what is built on 2.36 no longer starts on 2.35, which docs/deploy.md says. Other systems and cross builds
/// stay as they are.
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
