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
    // Nothing in the program asks for mimalloc by its own name: this makes it stand in the place of libc's `malloc`.
    if set("CARGO_CFG_TARGET_OS") == "linux" {
        println!("cargo:rustc-link-arg-bins=-Wl,-u,malloc");
    }
    if packs_relocations() {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the program's twenty-nine thousand relocations may be written packed (`DT_RELR`), which takes 0.7 MB off the file
/// and off what a start reads. glibc knows that from 2.36 on, and before that refuses to start such a file: so the one that is
/// here decides, and what is built on 2.36 no longer starts on 2.35, which docs/deploy.md says. Other systems and cross builds
/// stay as they are, and so does the `profiling` profile, since valgrind 3.19 finds no function in a packed file.
fn packs_relocations() -> bool {
    let target = set("TARGET");
    let is_for_profilers =
        Path::new(&set("OUT_DIR")).components().any(|part| part.as_os_str() == "profiling");
    if target != "x86_64-unknown-linux-gnu" || target != set("HOST") || is_for_profilers {
        return false;
    }
    let Ok(told) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    is_new_enough(&String::from_utf8_lossy(&told.stdout))
}

#[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]
fn set(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// As `getconf` says it: `glibc 2.36`.
fn is_new_enough(told: &str) -> bool {
    let version = told.trim().strip_prefix("glibc 2.");
    version.and_then(|minor| minor.split('.').next()?.parse::<u32>().ok()).is_some_and(|minor| minor >= 36)
}
