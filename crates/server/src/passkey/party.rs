//! The relying party of WebAuthn: what is asked of a key, and whether what it says is true. Pure but for the library's own
//! chance; who may ask, and for whom a key counts, is decided around it.

use mashang_login::credentials::PasskeyRecord;
use mashang_login::ids::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::Refused;

/// What keys bind themselves to: a domain of ours and the one origin that may ask.
#[derive(Debug)]
pub struct RelyingParty {
    id: String,
    webauthn: Webauthn,
}

/// Why an address can have no passkeys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoParty {
    /// Browsers want a name.
    #[error("passkeys need a domain name, and public_url has the address {0}")]
    IsAddress(String),
    /// Browsers would refuse each request.
    #[error("rp_id `{0}` is neither the host of public_url nor a domain above it")]
    ForeignDomain(String),
}

/// A question for a key: what the script hands to the browser, and what is needed to judge the answer.
#[derive(Debug)]
pub struct Question {
    /// `{"publicKey": …}` with bytes in base64url.
    pub options: Value,
    /// The challenge in base64url, as it comes back in the client data.
    pub challenge: String,
    /// The library's state.
    pub state: String,
}

/// A key as it is stored: the library's own record, and the handle by which the key names its person.
#[derive(Serialize, Deserialize)]
struct Stored {
    handle: Uuid,
    key: Passkey,
}

/// A new key that was proven to be there.
#[derive(Debug)]
pub struct NewKey {
    /// The credential's id.
    pub id: Vec<u8>,
    /// What to store of it.
    pub data: String,
}

/// The person for whom a key is made, as the device's own dialogs show them.
#[derive(Debug)]
pub struct Holder<'a> {
    /// Whose key.
    pub user: &'a UserId,
    /// What tells two accounts of one person apart.
    pub name: &'a str,
    /// What to call the person.
    pub display_name: &'a str,
}

impl RelyingParty {
    /// The relying party of an installation at `public_url`, bound to its host or to a domain above it (`rp_id`).
    ///
    /// # Errors
    /// [`NoParty`] where browsers would never make a key.
    pub fn new(public_url: &Url, rp_id: Option<&str>) -> Result<Self, NoParty> {
        let host = public_url
            .domain()
            .ok_or_else(|| NoParty::IsAddress(public_url.host_str().unwrap_or_default().to_owned()))?;
        let id = rp_id.unwrap_or(host).to_owned();
        let foreign = |_: WebauthnError| NoParty::ForeignDomain(id.clone());
        if id.is_empty() || (id != host && !id.contains('.')) {
            return Err(NoParty::ForeignDomain(id));
        }
        let webauthn =
            WebauthnBuilder::new(&id, public_url).map_err(foreign)?.rp_name(host).build().map_err(foreign)?;
        Ok(Self { webauthn, id })
    }

    /// The domain that keys are bound to.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Asks for any key that knows this site; which one, and whose, the key itself says.
    ///
    /// # Errors
    /// [`WebauthnError`] would be the library's own mistake.
    pub fn ask_for_key(&self) -> Result<Question, WebauthnError> {
        let (mut asked, state) = self.webauthn.start_discoverable_authentication()?;
        // A button was pressed: the device shall ask at once, and not wait in a field's suggestions.
        asked.mediation = None;
        question(&asked, &state)
    }

    /// Asks for a new key that can be found without a name, on none of the devices that hold one of `known`.
    ///
    /// # Errors
    /// [`WebauthnError`] would be the library's own mistake.
    pub fn ask_for_new_key(
        &self,
        holder: &Holder<'_>,
        known: &[PasskeyRecord],
    ) -> Result<Question, WebauthnError> {
        let known = known.iter().filter_map(|record| serde_json::from_str::<Stored>(&record.data).ok());
        let exclude = known.map(|stored| stored.key.cred_id().clone()).collect();
        let (asked, state) = self.webauthn.start_passkey_registration(
            handle_of(holder.user),
            holder.name,
            holder.display_name,
            Some(exclude),
        )?;
        let mut question = question(&asked, &state)?;
        let selection = &mut question.options["publicKey"]["authenticatorSelection"];
        selection["residentKey"] = json!("required");
        selection["requireResidentKey"] = json!(true);
        Ok(question)
    }

    /// Judges the answer of a known key: the right question, this site, a person who was there and unlocked it, its
    /// signature, its counter. Returns what to store of it from now on.
    ///
    /// # Errors
    /// [`Refused`] says what was wrong.
    pub fn judge(&self, state: &str, answer: &PublicKeyCredential, data: &str) -> Result<String, Refused> {
        let state: DiscoverableAuthentication = serde_json::from_str(state).map_err(|_| Refused::Late)?;
        let mut stored: Stored = serde_json::from_str(data).map_err(|_| Refused::Unknown)?;
        // WebAuthn §7.2 step 6: a key that was asked without a name says whose it is.
        if answer.get_user_unique_id() != Some(stored.handle.as_bytes().as_slice()) {
            return Err(Refused::NotProven("user handle"));
        }
        if is_framed(&answer.response.client_data_json) {
            return Err(Refused::NotProven("cross-origin"));
        }
        let found = self.webauthn.finish_discoverable_authentication_v2(answer, state, &stored.key);
        let found = found.map_err(|error| refusal(&error))?;
        stored.key.update_credential(&found);
        serde_json::to_string(&stored).map_err(|_| Refused::NotProven("storage"))
    }

    /// Judges a new key.
    ///
    /// # Errors
    /// [`Refused`] says what was wrong.
    pub fn judge_new(
        &self,
        state: &str,
        answer: &RegisterPublicKeyCredential,
        user: &UserId,
    ) -> Result<NewKey, Refused> {
        let state: PasskeyRegistration = serde_json::from_str(state).map_err(|_| Refused::Late)?;
        if answer.extensions.cred_props.as_ref().is_some_and(|props| props.rk == Some(false)) {
            return Err(Refused::NotDiscoverable);
        }
        let key = self.webauthn.finish_passkey_registration(answer, &state);
        let key = key.map_err(|error| refusal(&error))?;
        let id = key.cred_id().as_slice().to_vec();
        let stored = Stored { handle: handle_of(user), key };
        let data = serde_json::to_string(&stored).map_err(|_| Refused::NotProven("storage"))?;
        Ok(NewKey { id, data })
    }
}

/// The challenge that an answer names, in base64url; unproven until judged.
#[must_use]
pub fn challenge_of(client_data: &[u8]) -> Option<String> {
    let told: Value = serde_json::from_slice(client_data).ok()?;
    Some(told.get("challenge")?.as_str()?.to_owned())
}

/// Whether the answer was given in a frame of another site's page: the library asks that of new keys only.
fn is_framed(client_data: &[u8]) -> bool {
    let told: Value = serde_json::from_slice(client_data).unwrap_or_default();
    told.get("crossOrigin").and_then(Value::as_bool).unwrap_or(false)
}

/// What a key knows its person by: the same for all keys of a person, and no name of theirs (WebAuthn §14.6.1).
fn handle_of(user: &UserId) -> Uuid {
    let digest = Sha256::digest(format!("passkey:{user}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}

fn question(asked: &impl Serialize, state: &impl Serialize) -> Result<Question, WebauthnError> {
    let options = serde_json::to_value(asked).map_err(WebauthnError::ParseJSONFailure)?;
    let state = serde_json::to_string(state).map_err(WebauthnError::ParseJSONFailure)?;
    let challenge = options["publicKey"]["challenge"].as_str().ok_or(WebauthnError::ChallengeNotFound)?;
    Ok(Question { challenge: challenge.to_owned(), options, state })
}

fn refusal(error: &WebauthnError) -> Refused {
    match error {
        WebauthnError::CredentialPossibleCompromise => Refused::Cloned,
        WebauthnError::UserNotVerified => Refused::NotUnlocked,
        WebauthnError::InvalidRPOrigin => Refused::NotProven("origin"),
        WebauthnError::InvalidRPIDHash => Refused::NotProven("domain"),
        WebauthnError::MismatchedChallenge => Refused::NotProven("challenge"),
        WebauthnError::UserNotPresent => Refused::NotProven("presence"),
        WebauthnError::AuthenticationFailure => Refused::NotProven("signature"),
        _ => Refused::NotProven("form"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(url: &str, rp_id: Option<&str>) -> Result<String, NoParty> {
        RelyingParty::new(&url.parse().unwrap(), rp_id).map(|party| party.id().to_owned())
    }

    #[test]
    fn keys_are_bound_to_our_host_or_a_domain_above_it() {
        assert_eq!(party("https://login.example.com", None).unwrap(), "login.example.com");
        assert_eq!(party("https://login.example.com", Some("example.com")).unwrap(), "example.com");
        assert_eq!(party("http://localhost:8080", None).unwrap(), "localhost");
        for foreign in ["example.org", "ple.com", "com", "", "other.login.example.com"] {
            let refused = party("https://login.example.com", Some(foreign));
            assert_eq!(refused, Err(NoParty::ForeignDomain(foreign.into())), "{foreign:?}");
        }
    }

    #[test]
    fn an_address_of_numbers_has_no_passkeys() {
        for (url, host) in [("http://127.0.0.1:8080", "127.0.0.1"), ("http://[::1]:8080", "[::1]")] {
            assert_eq!(party(url, None), Err(NoParty::IsAddress(host.into())));
        }
    }

    #[test]
    fn a_new_key_must_be_found_without_a_name_and_be_unlocked() {
        let party = RelyingParty::new(&"https://login.example.com".parse().unwrap(), None).unwrap();
        let user = "person".parse().unwrap();
        let holder = Holder { user: &user, name: "ming", display_name: "小明" };
        let asked = party.ask_for_new_key(&holder, &[]).unwrap().options;
        let selection = &asked["publicKey"]["authenticatorSelection"];
        assert_eq!(selection["residentKey"], "required");
        assert_eq!(selection["userVerification"], "required");
        assert_eq!(asked["publicKey"]["attestation"], "none");
        assert_eq!(asked["publicKey"]["rp"]["id"], "login.example.com");
    }

    #[test]
    fn a_login_asks_for_any_key_and_for_its_being_unlocked() {
        let party = RelyingParty::new(&"https://login.example.com".parse().unwrap(), None).unwrap();
        let asked = party.ask_for_key().unwrap();
        assert_eq!(asked.options["publicKey"]["allowCredentials"], json!([]));
        assert_eq!(asked.options["publicKey"]["userVerification"], "required");
        assert!(asked.options.get("mediation").is_none());
        assert_ne!(asked.challenge, party.ask_for_key().unwrap().challenge);
    }
}
