//! Key pairs and signatures, directly over aws-lc. RSA signs three times faster this way than through jsonwebtoken,
//! and the three algorithms share one shape.

use std::fmt;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mashang_login::key::SigningAlgorithm;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A private key, able to sign.
pub(super) enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
    Ed(Ed25519KeyPair),
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pair([redacted])")
    }
}

impl Pair {
    /// A fresh pair and its PKCS#8 document. The randomness is aws-lc's own: it takes no other source.
    pub(super) fn generate(algorithm: SigningAlgorithm) -> Result<(Self, Zeroizing<Vec<u8>>), Unspecified> {
        let random = SystemRandom::new();
        let pkcs8 = match algorithm {
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
                pair.as_der()?.as_ref().to_vec()
            }
            SigningAlgorithm::Es256 => {
                let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?;
                document.as_ref().to_vec()
            }
            SigningAlgorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random)?.as_ref().to_vec(),
        };
        let pkcs8 = Zeroizing::new(pkcs8);
        let pair = Self::from_pkcs8(algorithm, &pkcs8).ok_or(Unspecified)?;
        Ok((pair, pkcs8))
    }

    /// Reads a PKCS#8 document; `None` if it is not a key for `algorithm`.
    pub(super) fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Option<Self> {
        Some(match algorithm {
            SigningAlgorithm::Rs256 => Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(pkcs8).ok()?)),
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
                Self::Ec(Box::new(pair))
            }
            SigningAlgorithm::EdDsa => Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8).ok()?),
        })
    }

    /// The public half.
    pub(super) fn public(&self) -> PublicKey {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(pair) => PublicKey::Rsa {
                n: encode(pair.public_key().modulus().big_endian_without_leading_zero()),
                e: encode(pair.public_key().exponent().big_endian_without_leading_zero()),
            },
            Self::Ec(pair) => {
                // SEC 1 §2.3.3: an uncompressed point is 0x04, then x and y of 32 bytes each.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                PublicKey::Ec { crv: "P-256".into(), x: encode(x), y: encode(y) }
            }
            Self::Ed(pair) => PublicKey::Okp { crv: "Ed25519".into(), x: encode(pair.public_key().as_ref()) },
        }
    }

    /// A JWS signature (RFC 7518 §3.3, §3.4; RFC 8037 §3.1).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
                Ok(signature)
            }
            Self::Ec(pair) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
            Self::Ed(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
        }
    }
}

/// A public key by its JWK members (RFC 7518 §6, RFC 8037 §2); every value is base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub(super) enum PublicKey {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Ec { crv: String, x: String, y: String },
    #[serde(rename = "OKP")]
    Okp { crv: String, x: String },
}

impl PublicKey {
    /// The RFC 7638 thumbprint: SHA-256 over the required members in lexicographic order.
    pub(super) fn thumbprint(&self) -> String {
        // The members are base64url or curve names, so nothing needs escaping.
        let canonical = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Okp { crv, x } => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
        };
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// Whether `signature` over `message` was made with the private half.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        match self {
            Self::Rsa { n, e } => RsaPublicKeyComponents { n: decode(n), e: decode(e) }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Self::Ec { x, y, .. } => {
                let point = [&[4][..], &decode(x), &decode(y)].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            Self::Okp { x, .. } => {
                UnparsedPublicKey::new(&ED25519, decode(x)).verify(message, signature).is_ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7638_3_1_thumbprint_of_the_rsa_example() {
        let key = PublicKey::Rsa {
            n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRX\
                jBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqz\
                s8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ\
                -G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
                .into(),
            e: "AQAB".into(),
        };
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn rfc_8037_a_3_and_a_4_thumbprint_and_signature() {
        let key =
            PublicKey::Okp { crv: "Ed25519".into(), x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into() };
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert!(key.verifies(message, &URL_SAFE_NO_PAD.decode(signature).unwrap()));
    }

    #[test]
    fn every_algorithm_signs_what_its_public_half_verifies() {
        for algorithm in SigningAlgorithm::ALL {
            let (pair, pkcs8) = Pair::generate(algorithm).unwrap();
            let again = Pair::from_pkcs8(algorithm, &pkcs8).unwrap();
            assert_eq!(again.public(), pair.public());
            let mut signature = again.sign(b"message").unwrap();
            assert!(pair.public().verifies(b"message", &signature));
            assert!(!pair.public().verifies(b"massage", &signature));
            signature[5] ^= 1;
            assert!(!pair.public().verifies(b"message", &signature));
            for other in SigningAlgorithm::ALL.into_iter().filter(|other| *other != algorithm) {
                assert!(Pair::from_pkcs8(other, &pkcs8).is_none());
            }
        }
    }
}
