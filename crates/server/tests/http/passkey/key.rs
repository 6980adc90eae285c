//! A key in software, written from WebAuthn Level 3 (§6.1 authenticator data, §6.5 attestation, §5.8.1 client data) and
//! COSE, apart from the library that judges it; it can also do what no honest key does.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

pub struct Key {
    pair: EcdsaKeyPair,
    pub id: Vec<u8>,
    pub handle: Vec<u8>,
    pub counter: u32,
    pub origin: &'static str,
    pub rp_id: &'static str,
    pub is_unlocked: bool,
    pub is_framed: bool,
}

impl Key {
    pub fn new(id: &str) -> Self {
        Self {
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id: id.as_bytes().to_vec(),
            handle: Vec::new(),
            counter: 0,
            origin: "http://localhost:8080",
            rp_id: "localhost",
            is_unlocked: true,
            is_framed: false,
        }
    }

    /// Answers a question for a new key.
    pub fn make(&mut self, options: &Value) -> Value {
        let asked = &options["publicKey"];
        self.handle = BASE64.decode(asked["user"]["id"].as_str().unwrap()).unwrap();
        let client_data = self.client_data("webauthn.create", asked["challenge"].as_str().unwrap());
        let mut data = self.authenticator_data(ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        // {"fmt": "none", "attStmt": {}, "authData": bytes}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt");
        object.push(0x64);
        object.extend(b"none");
        object.push(0x67);
        object.extend(b"attStmt");
        object.push(0xa0);
        object.push(0x68);
        object.extend(b"authData");
        object.push(0x59);
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(data);
        json!({
            "id": BASE64.encode(&self.id), "rawId": BASE64.encode(&self.id), "type": "public-key",
            "response": { "clientDataJSON": BASE64.encode(client_data), "attestationObject": BASE64.encode(object) },
            "clientExtensionResults": { "credProps": { "rk": true } },
        })
    }

    /// Answers a question for any key.
    pub fn sign(&mut self, options: &Value) -> Value {
        self.sign_challenge(options["publicKey"]["challenge"].as_str().unwrap())
    }

    pub fn sign_challenge(&mut self, challenge: &str) -> Value {
        let client_data = self.client_data("webauthn.get", challenge);
        let data = self.authenticator_data(0);
        let mut signed = data.clone();
        signed.extend(digest(&SHA256, client_data.as_bytes()).as_ref());
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": BASE64.encode(&self.id), "rawId": BASE64.encode(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": BASE64.encode(client_data),
                "authenticatorData": BASE64.encode(data),
                "signature": BASE64.encode(signature.as_ref()),
                "userHandle": BASE64.encode(&self.handle),
            },
            "clientExtensionResults": {},
        })
    }

    fn client_data(&self, kind: &str, challenge: &str) -> String {
        let told = json!({
            "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.is_framed
        });
        told.to_string()
    }

    fn authenticator_data(&mut self, more: u8) -> Vec<u8> {
        self.counter += 1;
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        data.push(PRESENT | more | if self.is_unlocked { VERIFIED } else { 0 });
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// `{1: 2, 3: -7, -1: 1, -2: x, -3: y}`: an EC2 key for ES256 on P-256 (RFC 9053).
    fn cose(&self) -> Vec<u8> {
        let point = self.pair.public_key().as_ref();
        let mut map = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        map.extend(&point[1..33]);
        map.extend([0x22, 0x58, 0x20]);
        map.extend(&point[33..65]);
        map
    }
}
