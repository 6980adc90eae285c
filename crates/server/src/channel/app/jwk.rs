//! The public keys of a foreign issuer (RFC 7517), and what they verify. Directly over aws-lc, like our own.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use crate::config::app::JwtAlgorithm;

/// More keys than any issuer has.
const MOST_KEYS: usize = 64;

/// One key that verifies signatures of one algorithm.
#[derive(Debug, Clone)]
pub struct Key {
    kid: Option<String>,
    public: Public,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kty")]
enum Public {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Ec { crv: String, x: String, y: String },
    #[serde(rename = "OKP")]
    Okp { crv: String, x: String },
}

/// Members beside the key itself (RFC 7517 §4).
#[derive(Deserialize)]
struct Common {
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
}

impl Key {
    fn read(jwk: &Value) -> Option<Self> {
        let common = Common::deserialize(jwk).ok()?;
        let public = Public::deserialize(jwk).ok()?;
        let signs = common.r#use.as_deref().is_none_or(|purpose| purpose == "sig");
        let key = Self { kid: common.kid, public };
        let algorithm = key.algorithm()?;
        let is_meant = common.alg.is_none_or(|alg| name_of(algorithm).contains(&alg.as_str()));
        (signs && is_meant).then_some(key)
    }

    /// The only algorithm it is used with: decided by the key, never by the token.
    fn algorithm(&self) -> Option<JwtAlgorithm> {
        match &self.public {
            Public::Rsa { .. } => Some(JwtAlgorithm::RS256),
            Public::Ec { crv, .. } if crv == "P-256" => Some(JwtAlgorithm::ES256),
            Public::Okp { crv, .. } if crv == "Ed25519" => Some(JwtAlgorithm::EdDSA),
            Public::Ec { .. } | Public::Okp { .. } => None,
        }
    }

    /// Whether `signature` over `message` was made with its private half.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        match &self.public {
            Public::Rsa { n, e } => RsaPublicKeyComponents { n: decode(n), e: decode(e) }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Public::Ec { x, y, .. } => {
                let point = [&[4][..], &decode(x), &decode(y)].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            Public::Okp { x, .. } => {
                UnparsedPublicKey::new(&ED25519, decode(x)).verify(message, signature).is_ok()
            }
        }
    }
}

/// The names that an algorithm goes by in `alg`.
fn name_of(algorithm: JwtAlgorithm) -> &'static [&'static str] {
    match algorithm {
        JwtAlgorithm::RS256 => &["RS256"],
        JwtAlgorithm::ES256 => &["ES256"],
        // RFC 9864 gives it a name of its own.
        JwtAlgorithm::EdDSA => &["EdDSA", "Ed25519"],
    }
}

/// Reads a token's `alg`; `None` for `none`, `HS256` and everything else that we do not verify.
#[must_use]
pub fn algorithm_named(name: &str) -> Option<JwtAlgorithm> {
    let all = [JwtAlgorithm::RS256, JwtAlgorithm::ES256, JwtAlgorithm::EdDSA];
    all.into_iter().find(|algorithm| name_of(*algorithm).contains(&name))
}

/// All keys of an issuer.
#[derive(Debug, Clone, Default)]
pub struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a JWK Set. Keys that we could not use are left out, as RFC 7517 §5 asks.
    ///
    /// # Errors
    /// A sentence when it is no JWK Set or holds no key for us.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(json).map_err(|_| "it is not a JWK Set".to_owned())?;
        let keys: Vec<Key> = set.keys.iter().take(MOST_KEYS).filter_map(Key::read).collect();
        if keys.is_empty() {
            return Err("it holds no RSA, P-256 or Ed25519 key for signatures".into());
        }
        Ok(Self(keys))
    }

    /// The key a token names. A token without `kid` is verified only where one single key can be meant.
    #[must_use]
    pub fn find(&self, kid: Option<&str>, algorithm: JwtAlgorithm) -> Option<&Key> {
        let mut fitting = self.0.iter().filter(|key| key.algorithm() == Some(algorithm));
        match kid {
            Some(kid) => fitting.find(|key| key.kid.as_deref() == Some(kid)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str =
        r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn set(keys: &str) -> Result<KeySet, String> {
        KeySet::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes())
    }

    #[test]
    fn rfc_8037_a_4_signature() {
        let set = set(ED).unwrap();
        let key = set.find(Some("a"), JwtAlgorithm::EdDSA).unwrap();
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(key.verifies(message, &signature));
        assert!(!key.verifies(b"another", &signature));
    }

    #[test]
    fn a_key_is_found_by_its_name_and_its_own_algorithm() {
        let rsa = r#"{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}"#;
        let both = set(&format!("{ED},{rsa}")).unwrap();
        assert!(both.find(Some("a"), JwtAlgorithm::RS256).is_some());
        assert!(both.find(Some("a"), JwtAlgorithm::ES256).is_none());
        assert!(both.find(Some("b"), JwtAlgorithm::RS256).is_none());
        assert!(both.find(None, JwtAlgorithm::EdDSA).is_some(), "only one can be meant");
        let two = set(&format!("{ED},{}", ED.replace("\"a\"", "\"b\""))).unwrap();
        assert!(two.find(None, JwtAlgorithm::EdDSA).is_none());
    }

    #[test]
    fn secrets_other_purposes_and_strange_documents_give_no_key() {
        let strange = r#"{"kty":"EC","crv":"P-256K","x":"","y":""}"#;
        for keys in ["", r#"{"kty":"oct","k":"c2VjcmV0"}"#, strange, "1"] {
            assert!(set(keys).is_err(), "{keys}");
        }
        assert!(set(&ED.replace("\"kid\"", "\"use\":\"enc\",\"kid\"")).is_err());
        assert!(set(&ED.replace("\"kid\"", "\"alg\":\"HS256\",\"kid\"")).is_err());
        assert!(KeySet::parse(b"[]").is_err());
        assert!(algorithm_named("none").is_none() && algorithm_named("HS256").is_none());
    }
}
