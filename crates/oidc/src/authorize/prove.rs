//! Who asks, and where may we answer.

use mashang_login::client::Client;
use mashang_login::client::mismatch::Mismatch;
use mashang_login::grant::ResponseMode;
use mashang_login::ids::ClientId;
use mashang_login::records::Records;

use super::error::LocalError;
use super::response::web_origin;
use crate::params::Params;

/// The longest `state` that is carried, in bytes.
pub(super) const MAX_STATE: usize = 2048;

/// A client that exists, is switched on, and registered the address we may answer to.
#[derive(Debug, Clone)]
pub struct Proven {
    /// Who asks.
    pub client: Client,
    /// Where to answer, exactly as presented.
    pub redirect_uri: String,
    /// How to answer; the query when nothing usable is said, which [`super::check`] reports.
    pub response_mode: ResponseMode,
    /// To be returned unchanged; `None` when absent, or unusable (sent twice, or too long), which [`super::check`]
    /// reports.
    pub state: Option<String>,
}

/// Proves the client and its redirect address. Until this succeeds the error is shown here, never redirected
/// (SEC-45, SEC-46).
///
/// # Errors
/// [`LocalError`] says what is missing or wrong.
pub async fn prove(records: &dyn Records, params: &Params) -> Result<Proven, LocalError> {
    let client_id = params.one("client_id")?.ok_or(LocalError::ClientIdMissing)?;
    let redirect_uri = params.one("redirect_uri")?;
    let client_id = ClientId::parse(client_id).map_err(|_| LocalError::UnknownClient)?;
    let client = records.client(&client_id).await?.ok_or(LocalError::UnknownClient)?;
    if !client.is_enabled() {
        return Err(LocalError::ClientDisabled);
    }
    let redirect_uri = redirect_uri.ok_or(LocalError::RedirectUriMissing)?.to_owned();
    if !client.allows_redirect(&redirect_uri) {
        let mismatch = Mismatch::between(&redirect_uri, &client.redirect_uris);
        return Err(LocalError::RedirectUriMismatch(mismatch));
    }
    let response_mode = params.get("response_mode").and_then(ResponseMode::parse).unwrap_or_default();
    if response_mode == ResponseMode::WebMessage && web_origin(&redirect_uri).is_none() {
        return Err(LocalError::NoWebPage);
    }
    let state = params.get("state").filter(|state| state.len() <= MAX_STATE).map(str::to_owned);
    Ok(Proven { client, redirect_uri, response_mode, state })
}
