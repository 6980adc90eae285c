//! The discovery document (OpenID Connect Discovery §3, RFC 8414): what this provider can do, and nothing it cannot.

use mashang_login::grant::Scope;
use mashang_login::key::SigningAlgorithm;
use serde_json::{Value, json};

use crate::issuer::Issuer;

/// Where the document lives, below the issuer.
pub const PATH: &str = "/.well-known/openid-configuration";

/// The paths of the endpoints below the issuer, each beginning with `/`. The server writes each once and routes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// Authorization endpoint.
    pub authorization: &'static str,
    /// Token endpoint.
    pub token: &'static str,
    /// Userinfo endpoint.
    pub userinfo: &'static str,
    /// JWKS.
    pub jwks: &'static str,
    /// Revocation endpoint (RFC 7009).
    pub revocation: &'static str,
    /// Logout (RP-Initiated Logout §2.1).
    pub end_session: &'static str,
}

/// Pages of the operator's that websites may show to people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// How data are used: `op_policy_uri`.
    pub privacy: Option<String>,
    /// Terms of service: `op_tos_uri`.
    pub terms: Option<String>,
}

impl Policies {
    /// Whether there is one at all.
    #[must_use]
    pub fn are_there(&self) -> bool {
        self.privacy.is_some() || self.terms.is_some()
    }
}

/// The document. Every address hangs on the configured issuer (SEC-62), but for the operator's own pages, which are left out
/// where there are none.
#[must_use]
pub fn document(issuer: &Issuer, paths: &Endpoints, policies: &Policies) -> Value {
    let client_authentication = ["client_secret_basic", "client_secret_post", "none"];
    let mut document = json!({
        "issuer": issuer.as_str(),
        "authorization_endpoint": issuer.endpoint(paths.authorization),
        "token_endpoint": issuer.endpoint(paths.token),
        "userinfo_endpoint": issuer.endpoint(paths.userinfo),
        "jwks_uri": issuer.endpoint(paths.jwks),
        "revocation_endpoint": issuer.endpoint(paths.revocation),
        "end_session_endpoint": issuer.endpoint(paths.end_session),
        "scopes_supported": Scope::ALL.map(Scope::as_str),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "web_message"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": SigningAlgorithm::ALL.map(SigningAlgorithm::as_str),
        "token_endpoint_auth_methods_supported": client_authentication,
        "revocation_endpoint_auth_methods_supported": client_authentication,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "select_account", "consent"],
        "ui_locales_supported": ["zh-CN", "en"],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "sid", "at_hash",
            "name", "nickname", "preferred_username", "picture", "updated_at",
            "phone_number", "phone_number_verified", "email", "email_verified",
            "wechat_openid", "wechat_appid", "wechat_unionid",
            "wecom_userid", "wecom_corpid", "wecom_departments", "userid", "departments",
            "roles", "groups",
        ],
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_request_uri_registration": false,
    });
    for (key, url) in [("op_policy_uri", &policies.privacy), ("op_tos_uri", &policies.terms)] {
        if let Some(url) = url {
            document[key] = url.as_str().into();
        }
    }
    document
}
