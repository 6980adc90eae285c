//! Name and password: kept here as an Argon2id hash, and typed into a form of the login page.

/// Signing in by name and password.
#[derive(Debug)]
pub struct Password;
