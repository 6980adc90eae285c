//! Proof Key for Code Exchange (RFC 7636), method S256 only (SEC-48).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mashang_login::client::{Client, ClientAuthentication, PkcePolicy};
use sha2::{Digest, Sha256};

/// Whether this client may not go without: public clients always, others unless the operator opted out.
pub(crate) fn is_required(client: &Client) -> bool {
    client.authentication == ClientAuthentication::Public || client.pkce == PkcePolicy::Required
}

/// Whether `challenge` has the shape of an S256 challenge: 43 characters of base64url (RFC 7636 §4.2).
pub(crate) fn is_challenge(challenge: &str) -> bool {
    challenge.len() == 43 && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Whether `verifier` is well formed (RFC 7636 §4.1) and belongs to `challenge` (§4.6). The challenge travelled through
/// the browser and is no secret, so the comparison need not take constant time.
pub(crate) fn verifies(verifier: &str, challenge: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(unreserved)
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7636_appendix_b_verifies() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_challenge(challenge));
        assert!(verifies(verifier, challenge));
        assert!(!verifies(challenge, challenge), "plain");
        assert!(!verifies(&verifier[1..], challenge));
    }

    #[test]
    fn rfc_7636_4_1_a_malformed_verifier_never_verifies() {
        for verifier in ["short".to_owned(), "x".repeat(42), "x".repeat(129), format!("{}!", "x".repeat(60))]
        {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
            assert!(!verifies(&verifier, &challenge), "{verifier}");
        }
    }
}
