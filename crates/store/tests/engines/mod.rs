//! What tests of engines share: where the engines are, and names nobody else uses.

#![allow(dead_code, unused_macros, unused_imports, reason = "each test file uses its part")]

pub mod postgres;
pub mod redis;

use mashang_login::ambient::SystemEntropy;
use mashang_login::secret::random_text;

/// The address of an engine that runs beside the tests.
#[allow(clippy::disallowed_methods, reason = "tests have no configuration but this")]
pub fn address(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run these tests by `cargo xtask engines -- cargo test -p mashang-store --features engines`")
    })
}

/// A name that no other test has.
pub fn fresh_name() -> String {
    random_text(&SystemEntropy, 9).to_lowercase().replace(['-', '_'], "x")
}
