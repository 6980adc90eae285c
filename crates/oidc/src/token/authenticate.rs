//! How a client proves itself at the token and revocation endpoints (RFC 6749 §2.3, OpenID Connect Core §9).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mashang_login::client::{Client, ClientAuthentication};
use mashang_login::ids::ClientId;
use mashang_login::records::Records;
use mashang_login::secret::SecretHash;
use zeroize::Zeroizing;

use super::{KNOWN, TokenError, TokenRequest};
use crate::params::decode;

/// HTTP Basic is standard base64; a missing padding does not make it ambiguous.
const BASIC: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl TokenRequest<'_> {
    /// The id of the client whose secret is presented, whether it is the right one or not; `None` where there is no secret that could
    /// be wrong.
    #[must_use]
    pub fn presents_secret_of(self) -> Option<String> {
        presented(self).ok().filter(|presented| presented.secret.is_some()).map(|presented| presented.id)
    }
}

/// What was presented, by exactly one method.
struct Presented {
    id: String,
    secret: Option<Zeroizing<String>>,
    by_header: bool,
}

/// Finds the client and checks its proof (SEC-57). All failures look alike and do the same work, whether the client
/// exists or not; only then its being switched off is told (SEC-40).
pub(crate) async fn authenticate(
    records: &dyn Records,
    request: TokenRequest<'_>,
) -> Result<Client, TokenError> {
    request.params.refuse_duplicates(&KNOWN)?;
    let presented = presented(request)?;
    let client = match ClientId::parse(&presented.id) {
        Ok(id) => records.client(&id).await?,
        Err(_) => None,
    };
    let authentication = client.as_ref().map(|client| &client.authentication);
    // Where there is no secret to compare with, a stand-in makes the work the same (SEC-80).
    let expected = match authentication {
        Some(ClientAuthentication::Secret(hash)) => *hash,
        _ => SecretHash::of(""),
    };
    let matches = presented.secret.as_ref().map(|secret| expected == SecretHash::of(secret));
    let proven = match authentication {
        Some(ClientAuthentication::Public) => matches.is_none(),
        Some(ClientAuthentication::Secret(_)) => matches == Some(true),
        None => false,
    };
    let refused = TokenError::invalid_client(presented.by_header);
    match client {
        Some(client) if proven && client.is_enabled() => Ok(client),
        Some(client) if proven => {
            Err(TokenError::unauthorized_client("this application is switched off").of(&client.id))
        }
        Some(client) => Err(refused.of(&client.id)),
        None => Err(refused),
    }
}

fn presented(request: TokenRequest<'_>) -> Result<Presented, TokenError> {
    let form_id = request.params.get("client_id");
    let form_secret = request.params.get("client_secret");
    let Some(header) = request.authorization else {
        let id = form_id.ok_or_else(|| TokenError::invalid_client(false))?.to_owned();
        let secret = form_secret.map(|secret| Zeroizing::new(secret.to_owned()));
        return Ok(Presented { id, secret, by_header: false });
    };
    if form_secret.is_some() {
        let twice = "the client proves itself both in the Authorization header and in the form";
        return Err(TokenError::invalid_request(twice));
    }
    let (id, secret) = basic(header).ok_or_else(|| TokenError::invalid_client(true))?;
    if form_id.is_some_and(|form_id| form_id != id) {
        let other = "the client_id in the form is not the one in the Authorization header";
        return Err(TokenError::invalid_request(other));
    }
    // RFC 6749 §2.3.1: an empty secret may be left out, so it is none.
    let secret = Some(Zeroizing::new(secret)).filter(|secret| !secret.is_empty());
    Ok(Presented { id, secret, by_header: true })
}

/// Reads `Basic base64(form-encoded id ":" form-encoded secret)` (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = Zeroizing::new(BASIC.decode(credentials.trim()).ok()?);
    let colon = credentials.iter().position(|&b| b == b':')?;
    Some((decode(&credentials[..colon]).ok()?, decode(&credentials[colon + 1..]).ok()?))
}
