//! The back end of somebody's app: signs tokens, and tells its keys as long as it is up.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

pub struct Issuer {
    pub url: String,
    pub state: Arc<Published>,
    pair: Mutex<(String, EcdsaKeyPair)>,
}

#[derive(Default)]
pub struct Published {
    pub keys: Mutex<Vec<Value>>,
    pub is_down: AtomicBool,
    pub asked: AtomicUsize,
}

impl Issuer {
    pub async fn start() -> Self {
        let state = Arc::<Published>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/jwks", get(jwks))
            .route("/.well-known/openid-configuration", get(discovery))
            .with_state((state.clone(), url.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let issuer = Self { url, state, pair: Mutex::new(fresh("first")) };
        issuer.publish();
        issuer
    }

    fn publish(&self) {
        let pair = self.pair.lock().unwrap();
        let (x, y) = pair.1.public_key().as_ref()[1..].split_at(32);
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = json!({ "kty": "EC", "crv": "P-256", "kid": pair.0, "use": "sig", "x": encode(x), "y": encode(y) });
        self.state.keys.lock().unwrap().push(key);
    }

    /// Signs with another key from now on.
    pub fn rotate(&self, kid: &str) {
        *self.pair.lock().unwrap() = fresh(kid);
        self.publish();
    }

    /// As [`Issuer::rotate`], but the key is in no document.
    pub fn sign_with_an_unpublished_key(&self, kid: &str) {
        *self.pair.lock().unwrap() = fresh(kid);
    }

    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    pub fn set_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::SeqCst);
    }

    /// The configuration of a channel `myapp` for this issuer.
    pub fn section(&self) -> String {
        format!(
            "[channel.myapp]\nkind = \"app\"\nissuer = \"{}\"\naudience = \"login\"\norder = 9\n",
            self.url
        )
    }

    /// The claims of a good token for `sub`.
    pub fn claims(&self, sub: &str) -> Value {
        json!({ "iss": self.url, "aud": "login", "sub": sub, "exp": 4_000_000_000_u64, "name": sub })
    }

    pub fn token(&self, sub: &str) -> String {
        self.sign(self.claims(sub))
    }

    pub fn sign(&self, claims: Value) -> String {
        let pair = self.pair.lock().unwrap();
        let message = message(&json!({ "alg": "ES256", "typ": "JWT", "kid": pair.0 }), &claims);
        let signature = pair.1.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// The signed part of a JWT.
pub fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn fresh(kid: &str) -> (String, EcdsaKeyPair) {
    (kid.to_owned(), EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
}

type Shared = (Arc<Published>, String);

async fn jwks(State((state, _)): State<Shared>) -> (StatusCode, String) {
    state.asked.fetch_add(1, Ordering::SeqCst);
    if state.is_down.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    (StatusCode::OK, json!({ "keys": *state.keys.lock().unwrap() }).to_string())
}

async fn discovery(State((_, url)): State<Shared>) -> String {
    json!({ "issuer": url, "jwks_uri": format!("{url}/jwks") }).to_string()
}
