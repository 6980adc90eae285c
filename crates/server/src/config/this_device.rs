//! `[channel.<id>]` of the kinds that the waiting browser itself proves: passkey, password, e-mail and SMS code.

use serde::Deserialize;

/// `kind = "passkey"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeySection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
    /// The domain that keys are bound to, if not the host of `public_url`: a domain above it.
    pub rp_id: Option<String>,
}

/// `kind = "password"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
}

/// `kind = "email"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
}

/// `kind = "sms"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
}
