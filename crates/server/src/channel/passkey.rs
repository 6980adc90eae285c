//! A passkey (WebAuthn Level 3): a key on the person's device, asked for by the login page or by the page that a phone's
//! camera opened.

use url::Url;

use crate::passkey::party::{NoParty, RelyingParty};

/// Signing in by a key on the person's device.
#[derive(Debug)]
pub struct Passkey {
    party: Option<RelyingParty>,
}

impl Passkey {
    /// The passkeys of an installation at `public_url`. At an address of numbers browsers make none; the tab says so, and
    /// everything else works.
    ///
    /// # Errors
    /// [`NoParty::ForeignDomain`] if `rp_id` is no domain of ours.
    pub fn new(public_url: &Url, rp_id: Option<&str>) -> Result<Self, NoParty> {
        match RelyingParty::new(public_url, rp_id) {
            Ok(party) => Ok(Self { party: Some(party) }),
            Err(NoParty::IsAddress(_)) => Ok(Self { party: None }),
            Err(foreign) => Err(foreign),
        }
    }

    /// Who asks for keys, if browsers make any for our address.
    #[must_use]
    pub fn party(&self) -> Option<&RelyingParty> {
        self.party.as_ref()
    }
}
