//! The address that carries the answer back. The registered address stays its beginning, byte for byte (SEC-45), and
//! `iss` is always there, in errors too (RFC 9207, SEC-52).

use mashang_login::grant::AuthorizationRequest;
use mashang_login::secret::AuthorizationCode;

use super::error::AuthorizeError;
use crate::issuer::Issuer;
use crate::params::append;

/// The address for a successful answer (RFC 6749 §4.1.2).
#[must_use]
pub fn success_redirect(request: &AuthorizationRequest, issuer: &Issuer, code: &AuthorizationCode) -> String {
    append(
        &request.redirect_uri,
        &[("code", Some(code.expose())), ("state", request.state.as_deref()), ("iss", Some(issuer.as_str()))],
    )
}

/// The address for a refusal (RFC 6749 §4.1.2.1). Only for a proven `redirect_uri`.
#[must_use]
pub fn error_redirect(
    redirect_uri: &str,
    state: Option<&str>,
    issuer: &Issuer,
    error: &AuthorizeError,
) -> String {
    append(
        redirect_uri,
        &[
            ("error", Some(error.code)),
            ("error_description", Some(&error.description)),
            ("state", state),
            ("iss", Some(issuer.as_str())),
        ],
    )
}
