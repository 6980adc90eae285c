//! Tokens in forms: a MAC by the visitor's own cookie over what the form does. Another site can neither know nor replay
//! one, nothing needs storing, and no header of the browser is relied upon (SEC-07, SEC-64).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The token of a form that does `purpose`, for whoever holds `secret`.
#[must_use]
pub fn mint(secret: &str, purpose: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(purpose.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// Whether `presented` is the token of that form; in constant time (SEC-80).
#[must_use]
pub fn is_valid(secret: &str, purpose: &str, presented: &str) -> bool {
    mint(secret, purpose).as_bytes().ct_eq(presented.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_one_form_of_one_visitor() {
        let token = mint("mine", "logout");
        assert!(is_valid("mine", "logout", &token));
        assert!(!is_valid("mine", "confirm:x", &token));
        assert!(!is_valid("yours", "logout", &token));
        assert!(!is_valid("mine", "logout", ""));
    }
}
