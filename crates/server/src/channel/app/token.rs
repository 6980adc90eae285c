//! A token of the app's own issuer: a signed JWT that says who is on the phone (SEC-36, RFC 8725).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mashang_login::Timestamp;
use mashang_login::identity::{Profile, clean_name};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::jwk::{Key, algorithm_named};
use crate::config::app::JwtAlgorithm;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;
/// How far two clocks may differ.
const LEEWAY: Duration = Duration::from_secs(60);
/// The longest `sub` (OpenID Connect Core §2).
const LONGEST_SUBJECT: usize = 255;

/// What a token must say.
#[derive(Debug)]
pub struct Rules {
    /// `iss`, exactly.
    pub issuer: String,
    /// One of `aud`.
    pub audience: String,
    /// Accepted signatures.
    pub algorithms: Vec<JwtAlgorithm>,
    /// The claim with the person's name.
    pub name_claim: String,
    /// The claim with the address of the person's picture.
    pub picture_claim: String,
}

/// A token taken apart, not yet verified.
pub struct Unverified<'a> {
    /// The key it names.
    pub kid: Option<String>,
    /// The algorithm it claims; one of the accepted ones.
    pub algorithm: JwtAlgorithm,
    message: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
}

/// Who a genuine token speaks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Subject {
    /// `sub`.
    pub subject: String,
    /// What it says about the person.
    pub profile: Profile,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515 §4.1.11); we know none.
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Rules {
    /// Takes a token apart. `typ` may be anything: issuers write `JWT`, `at+jwt`, or nothing.
    ///
    /// # Errors
    /// For the operator's log: why it cannot be a token for us.
    pub fn take_apart<'a>(&self, token: &'a str) -> Result<Unverified<'a>, &'static str> {
        if token.len() > LONGEST {
            return Err("it is longer than 8 KiB");
        }
        let (message, signature) = token.rsplit_once('.').ok_or("it is not a JWT")?;
        let (header, claims) = message.split_once('.').ok_or("it is not a JWT")?;
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| "its header is not base64url")?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| "its header is not one of a JWT")?;
        let algorithm = algorithm_named(&header.alg)
            .filter(|algorithm| self.algorithms.contains(algorithm))
            .ok_or("its alg is not among the accepted algorithms")?;
        if header.crit.is_some() {
            return Err("it has critical extensions");
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "its signature is not base64url")?;
        Ok(Unverified { kid: header.kid, algorithm, message, claims, signature })
    }

    /// Verifies it with the key it names, and reads it.
    ///
    /// # Errors
    /// For the operator's log: what is wrong with it.
    pub fn verify(&self, token: &Unverified<'_>, key: &Key, now: Timestamp) -> Result<Subject, &'static str> {
        if !key.verifies(token.message.as_bytes(), &token.signature) {
            return Err("its signature is wrong");
        }
        let claims = URL_SAFE_NO_PAD.decode(token.claims).map_err(|_| "its claims are not base64url")?;
        let claims: Claims = serde_json::from_slice(&claims)
            .map_err(|_| "its claims lack iss, sub, aud or exp, or have another form")?;
        self.check(&claims, now)?;
        Ok(Subject { profile: self.profile(&claims.rest), subject: claims.sub })
    }

    fn check(&self, claims: &Claims, now: Timestamp) -> Result<(), &'static str> {
        let for_us = match &claims.aud {
            Audience::One(audience) => *audience == self.audience,
            Audience::Many(audiences) => audiences.contains(&self.audience),
        };
        let now = now.as_second() as f64;
        let leeway = LEEWAY.as_secs_f64();
        // MySQL takes a text and the same one with spaces behind it for one: "a" and "a " would be one person there, and two elsewhere.
        let is_plain =
            |text: &str| !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
        match claims {
            _ if claims.iss != self.issuer => Err("its iss is another one"),
            _ if !for_us => Err("its aud does not contain the configured audience"),
            _ if claims.exp + leeway <= now => Err("it has expired"),
            _ if claims.nbf.is_some_and(|nbf| nbf > now + leeway) => Err("its nbf is in the future"),
            _ if claims.iat.is_some_and(|iat| iat > now + leeway) => Err("its iat is in the future"),
            _ if !is_plain(&claims.sub) || claims.sub.len() > LONGEST_SUBJECT => Err(
                "its sub is empty, longer than 255 bytes, or has control characters or white space around it",
            ),
            _ => Ok(()),
        }
    }

    fn profile(&self, claims: &Map<String, Value>) -> Profile {
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
        Profile {
            nickname: text(&self.name_claim).and_then(clean_name),
            picture: text(&self.picture_claim)
                .and_then(|address| Url::parse(address).ok())
                .filter(|picture| picture.scheme() == "https"),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use serde_json::json;

    use super::super::jwk::KeySet;
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn rules() -> Rules {
        Rules {
            issuer: "https://id.example".into(),
            audience: "login".into(),
            algorithms: vec![JwtAlgorithm::EdDSA],
            name_claim: "name".into(),
            picture_claim: "picture".into(),
        }
    }

    struct Issuer(Ed25519KeyPair);

    impl Issuer {
        fn new() -> Self {
            Self(Ed25519KeyPair::generate().unwrap())
        }

        fn keys(&self) -> KeySet {
            let x = URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref());
            let set = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x }] });
            KeySet::parse(set.to_string().as_bytes()).unwrap()
        }

        fn sign(&self, header: Value, claims: Value) -> String {
            let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let message = format!("{}.{}", part(header), part(claims));
            let signature = URL_SAFE_NO_PAD.encode(self.0.sign(message.as_bytes()).as_ref());
            format!("{message}.{signature}")
        }
    }

    fn claims() -> Value {
        json!({ "iss": "https://id.example", "aud": "login", "sub": "u1", "exp": 1_800_000_300, "name": " 小明 ", "picture": "https://a.example/p.png" })
    }

    fn read(issuer: &Issuer, token: &str) -> Result<Subject, &'static str> {
        let apart = rules().take_apart(token)?;
        let keys = issuer.keys();
        let key = keys.find(apart.kid.as_deref(), apart.algorithm).ok_or("no such key")?;
        rules().verify(&apart, key, now())
    }

    #[test]
    fn a_genuine_token_names_its_person() {
        let issuer = Issuer::new();
        for (typ, aud) in [
            (json!("JWT"), json!("login")),
            (json!("at+jwt"), json!(["a", "login"])),
            (Value::Null, json!("login")),
        ] {
            let mut told = claims();
            told["aud"] = aud;
            let token = issuer.sign(json!({ "alg": "EdDSA", "kid": "k", "typ": typ }), told);
            let subject = read(&issuer, &token).unwrap();
            assert_eq!(subject.subject, "u1");
            assert_eq!(subject.profile.nickname.as_deref(), Some("小明"));
        }
    }

    #[test]
    fn sec_36_every_wrong_claim_is_refused() {
        let issuer = Issuer::new();
        for (claim, value) in [
            ("iss", json!("https://id.example/")),
            ("aud", json!("other")),
            ("aud", json!(["other"])),
            ("aud", json!([])),
            ("aud", Value::Null),
            ("exp", json!(1_799_999_940)),
            ("exp", json!("1800000300")),
            ("exp", Value::Null),
            ("nbf", json!(1_800_000_061)),
            ("iat", json!(1_800_000_061)),
            ("sub", json!("")),
            ("sub", json!("x".repeat(256))),
            ("sub", json!("a\nb")),
            ("sub", json!("u1 ")),
            ("sub", json!(" u1")),
            ("sub", json!(7)),
        ] {
            let mut wrong = claims();
            wrong[claim] = value.clone();
            let token = issuer.sign(json!({ "alg": "EdDSA", "kid": "k" }), wrong);
            assert!(read(&issuer, &token).is_err(), "{claim} = {value}");
        }
    }

    #[test]
    fn sec_36_every_wrong_signature_is_refused() {
        let issuer = Issuer::new();
        let good = issuer.sign(json!({ "alg": "EdDSA", "kid": "k" }), claims());
        assert!(read(&issuer, &good).is_ok());
        let (message, signature) = good.rsplit_once('.').unwrap();
        let unsigned = issuer.sign(json!({ "alg": "none" }), claims());
        let bad = [
            Issuer::new().sign(json!({ "alg": "EdDSA", "kid": "k" }), claims()),
            issuer.sign(json!({ "alg": "EdDSA", "kid": "k", "crit": ["exp"] }), claims()),
            issuer.sign(json!({ "alg": "HS256", "kid": "k" }), claims()),
            issuer.sign(json!({ "alg": "RS256", "kid": "k" }), claims()),
            issuer.sign(json!({ "alg": "EdDSA", "kid": "other" }), claims()),
            format!("{}.", unsigned.rsplit_once('.').unwrap().0),
            format!("{message}."),
            format!("{message}.{}", &signature[1..]),
            message.to_owned(),
            String::new(),
            "..".into(),
            "a".repeat(9000),
        ];
        for token in bad {
            assert!(read(&issuer, &token).is_err(), "{token}");
        }
    }

    #[test]
    fn a_picture_that_is_not_https_and_a_name_that_is_none_are_left_out() {
        let issuer = Issuer::new();
        let mut told = claims();
        told["picture"] = json!("http://a.example/p.png");
        told["name"] = json!(["x"]);
        let subject = read(&issuer, &issuer.sign(json!({ "alg": "EdDSA" }), told)).unwrap();
        assert_eq!(subject.profile, Profile::default());
    }
}
