//! A code by e-mail, typed into a form of the login page.

/// Signing in by a code that an address received.
#[derive(Debug)]
pub struct Email;
