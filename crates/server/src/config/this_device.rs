//! `[channel.<id>]` of the kinds that the waiting browser itself proves: passkey, password, e-mail and SMS code.

use mashang_login::client::is_loopback;
use mashang_login::ids::ChannelId;
use serde::Deserialize;
use url::Url;

use crate::passkey::named_address;
use crate::passkey::party::{NoParty, RelyingParty};

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

impl PasskeySection {
    /// What is wrong about it at `public_url`.
    pub(super) fn check_against(&self, id: &ChannelId, public_url: &Url, wrong: &mut Vec<String>) {
        if let Err(why @ NoParty::ForeignDomain(_)) = RelyingParty::new(public_url, self.rp_id.as_deref()) {
            wrong.push(format!("channel.{id}.rp_id: {why}"));
        }
    }

    /// Why nobody can use it at `public_url`, if so.
    pub(super) fn hint(&self, id: &ChannelId, public_url: &Url) -> Option<String> {
        let why = match RelyingParty::new(public_url, self.rp_id.as_deref()) {
            Err(why @ NoParty::IsAddress(_)) => why.to_string(),
            _ if public_url.scheme() == "http" && !is_loopback(public_url) => {
                "browsers allow passkeys with https only".to_owned()
            }
            _ => return None,
        };
        let instead = named_address(public_url.as_str())
            .map_or_else(String::new, |url| format!("; on this machine public_url = \"{url}\" works"));
        Some(format!("channel.{id} is of no use yet: {why}{instead}"))
    }
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
