//! ID tokens coming back to us as `id_token_hint`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mashang_login::ids::{ClientId, KeyId, SessionId, UserId};
use mashang_login::key::SigningAlgorithm;
use serde::Deserialize;

use super::KeyRing;
use crate::issuer::Issuer;

/// The longest ID token that is looked at as a hint, in bytes.
const MAX_HINT: usize = 8 * 1024;

/// What an ID token of ours says about itself, read back from an `id_token_hint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdTokenHint {
    /// The person.
    pub sub: UserId,
    /// The client it was issued to.
    pub aud: ClientId,
    /// The browser session it came from.
    pub sid: Option<SessionId>,
}

#[derive(Deserialize)]
struct Header {
    alg: SigningAlgorithm,
    kid: KeyId,
    typ: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    aud: ClientId,
    sid: Option<SessionId>,
}

impl KeyRing {
    /// Reads an `id_token_hint`: an ID token that one of our keys signed, for this issuer; retired ones included, leaked ones not.
    /// Its expiry does not matter (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). `None` for anything else.
    #[must_use]
    pub fn verify_own_id_token(&self, token: &str, issuer: &Issuer) -> Option<IdTokenHint> {
        if token.len() > MAX_HINT {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let is_id_token = header.typ.as_deref() == Some("JWT");
        let keys = self.keys();
        let mut ours = keys.iter().filter(|key| !key.is_leaked());
        let key = ours.find(|key| key.id == header.kid && key.algorithm == header.alg)?;
        let genuine = key.public.verifies(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?);
        if !is_id_token || !genuine {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        (claims.iss == issuer.as_str()).then_some(IdTokenHint {
            sub: claims.sub,
            aud: claims.aud,
            sid: claims.sid,
        })
    }
}
