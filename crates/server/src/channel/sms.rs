//! A code by SMS, typed into a form of the login page.

/// Signing in by a code that a telephone received.
#[derive(Debug)]
pub struct Sms;
