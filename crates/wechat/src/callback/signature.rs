//! The SHA-1 by which a platform shows that it knows the shared token (WeChat fact sheet §4.5, §4.8).

use std::fmt;
use std::str::FromStr;

use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;
use zeroize::ZeroizeOnDrop;

/// The Token that is typed into the platform's console and here: 3 to 32 letters and digits, as the console demands.
/// An empty one would let anybody sign (SEC-28).
#[derive(Clone, ZeroizeOnDrop)]
pub struct CallbackToken(String);

/// A text that no console would have taken as a token. Never carries the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the callback token is not 3 to 32 letters and digits")]
pub struct InvalidToken;

impl CallbackToken {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for CallbackToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let sound = (3..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if sound { Ok(Self(text.to_owned())) } else { Err(InvalidToken) }
    }
}

impl fmt::Debug for CallbackToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackToken([redacted])")
    }
}

/// The signature of the token and these parts, in any order: 40 lower-case hexadecimal digits.
///
/// The parts are timestamp and nonce, and for `msg_signature` the text of `Encrypt` or `echostr` too. Sorted by bytes,
/// whatever the locale.
#[must_use]
pub fn sign(token: &CallbackToken, parts: &[&str]) -> String {
    let mut sorted: Vec<&str> = parts.to_vec();
    sorted.push(token.expose());
    sorted.sort_unstable();
    let mut hash = Sha1::new();
    for part in sorted {
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// Whether `offered` is the signature of these parts, in a time that does not depend on where they differ.
#[must_use]
pub fn matches(token: &CallbackToken, parts: &[&str], offered: &str) -> bool {
    sign(token, parts).as_bytes().ct_eq(offered.as_bytes()).into()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> CallbackToken {
        text.parse().unwrap()
    }

    #[test]
    fn signatures_are_the_platforms() {
        let vectors: [(&str, &[&str], &str); 4] = [
            ("AAAAA", &["1714036504", "1514711492"], "f464b24fc39322e44b38aa78f5edd27bd1441696"),
            ("AAAAA", &["1714037059", "486452656"], "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
            ("testtoken", &["1700000001", "nonce123"], "6aeca9131390b2cc7016a7a8f20ea9103e13d77c"),
            (
                "AAAAA",
                &[
                    "1713424427",
                    "415670741",
                    "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==",
                ],
                "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
            ),
        ];
        for (secret, parts, signature) in vectors {
            assert_eq!(sign(&token(secret), parts), signature);
            let reversed: Vec<&str> = parts.iter().rev().copied().collect();
            assert!(matches(&token(secret), &reversed, signature));
        }
    }

    #[test]
    fn a_signature_of_anything_else_does_not_match() {
        let signature = sign(&token("AAAAA"), &["1", "2"]);
        assert!(!matches(&token("AAAAB"), &["1", "2"], &signature));
        assert!(!matches(&token("AAAAA"), &["1", "3"], &signature));
        for offered in ["", "f", &signature[1..], &signature.to_uppercase(), &format!("{signature} ")] {
            assert!(!matches(&token("AAAAA"), &["1", "2"], offered), "{offered}");
        }
    }

    /// SEC-28.
    #[test]
    fn sec_28_an_empty_or_unusual_token_is_refused() {
        for text in ["", "ab", "token with spaces", "中文中文", &"a".repeat(33)] {
            assert_eq!(text.parse::<CallbackToken>().unwrap_err(), InvalidToken, "{text}");
        }
        assert_eq!(format!("{:?}", token("AAAAA")), "CallbackToken([redacted])");
    }
}
