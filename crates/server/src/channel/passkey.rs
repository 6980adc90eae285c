//! A passkey (WebAuthn Level 3): a key on the person's device, asked for by the login page or by the page that a phone's camera opened.

/// Signing in by a key on the person's device.
#[derive(Debug)]
pub struct Passkey;
