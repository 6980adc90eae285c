//! The answer to an authorization request, as parts: what the client is told, and how it travels. The registered address
//! stays the beginning of the address that carries it, byte for byte (SEC-45), and `iss` is there, in errors too (RFC 9207,
//! SEC-52), unless the operator left it out for a client.

use std::fmt;

use mashang_login::client::Client;
use mashang_login::grant::{AuthorizationRequest, ResponseMode};
use mashang_login::secret::AuthorizationCode;
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::AuthorizeError;
use super::prove::Proven;
use crate::issuer::Issuer;
use crate::params::append;

/// What goes back to the client. It may hold a code: it must not be logged, and `Debug` shows names only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationResponse {
    /// Where the client awaits it, exactly as it was proven.
    pub redirect_uri: String,
    /// How it travels.
    pub mode: ResponseMode,
    params: Vec<(String, String)>,
}

impl AuthorizationResponse {
    /// A successful answer (RFC 6749 §4.1.2).
    #[must_use]
    pub fn success(request: &AuthorizationRequest, issuer: &Issuer, code: &AuthorizationCode) -> Self {
        let params = [("code", Some(code.expose()))];
        Self::new(request, &params, issuer)
    }

    /// A refusal (RFC 6749 §4.1.2.1) of a request that was checked.
    #[must_use]
    pub fn error(request: &AuthorizationRequest, issuer: &Issuer, error: &AuthorizeError) -> Self {
        let params = [("error", Some(error.code)), ("error_description", Some(&error.description))];
        Self::new(request, &params, issuer)
    }

    /// As the client takes it: without `iss` where the operator said so, for libraries that refuse what they do not know.
    #[must_use]
    pub fn as_taken_by(mut self, client: &Client) -> Self {
        self.params.retain(|(name, _)| !(client.settings.omit_iss && name == "iss"));
        self
    }

    /// A refusal of a request whose client and address are proven, and nothing else.
    #[must_use]
    pub fn refusal(proven: &Proven, issuer: &Issuer, error: &AuthorizeError) -> Self {
        let refusal = Self {
            redirect_uri: proven.redirect_uri.clone(),
            mode: proven.response_mode,
            params: owned(&[
                ("error", Some(error.code)),
                ("error_description", Some(&error.description)),
                ("state", proven.state.as_deref()),
                ("iss", Some(issuer.as_str())),
            ]),
        };
        refusal.as_taken_by(&proven.client)
    }

    fn new(request: &AuthorizationRequest, first: &[(&str, Option<&str>)], issuer: &Issuer) -> Self {
        let last = [("state", request.state.as_deref()), ("iss", Some(issuer.as_str()))];
        Self {
            redirect_uri: request.redirect_uri.clone(),
            mode: request.response_mode,
            params: owned(&[first, &last].concat()),
        }
    }

    /// One of its parameters.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All of them, in order.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The address that carries it in the query.
    #[must_use]
    pub fn address(&self) -> String {
        let pairs: Vec<_> = self.params().map(|(name, value)| (name, Some(value))).collect();
        append(&self.redirect_uri, &pairs)
    }

    /// The origin of the page that awaits it; none for apps.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        web_origin(&self.redirect_uri)
    }
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.params().map(|(name, _)| name).collect();
        f.debug_struct("AuthorizationResponse")
            .field("mode", &self.mode)
            .field("params", &names)
            .finish_non_exhaustive()
    }
}

fn owned(pairs: &[(&str, Option<&str>)]) -> Vec<(String, String)> {
    pairs.iter().filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned()))).collect()
}

/// The origin of a page at this address, as browsers write it.
pub(super) fn web_origin(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(url.origin().ascii_serialization())
}
