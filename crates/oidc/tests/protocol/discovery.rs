//! The discovery document says what the provider does.

use mashang_oidc::Issuer;
use mashang_oidc::discovery::{Endpoints, Policies, document};

use crate::house::ISSUER;

const PATHS: Endpoints = Endpoints {
    authorization: "/authorize",
    token: "/token",
    userinfo: "/userinfo",
    jwks: "/jwks.json",
    revocation: "/revoke",
    end_session: "/logout",
};

#[test]
fn a_strict_client_reads_the_document() {
    use openidconnect::core::CoreProviderMetadata;
    let document = document(&Issuer::parse(ISSUER).unwrap(), &PATHS, &Policies::default());
    let metadata: CoreProviderMetadata = serde_json::from_value(document).unwrap();
    assert_eq!(metadata.issuer().as_str(), ISSUER);
    assert_eq!(metadata.authorization_endpoint().as_str(), "https://login.example/authorize");
    assert_eq!(metadata.token_endpoint().unwrap().as_str(), "https://login.example/token");
    assert_eq!(metadata.jwks_uri().as_str(), "https://login.example/jwks.json");
    assert_eq!(metadata.request_uri_parameter_supported(), Some(false));
}

#[test]
fn sec_47_and_sec_48_nothing_weaker_is_offered() {
    let document = document(&Issuer::parse("https://example.com/sso").unwrap(), &PATHS, &Policies::default());
    assert_eq!(document["response_types_supported"], serde_json::json!(["code"]));
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true, "RFC 9207 §3");
    assert_eq!(document["end_session_endpoint"], "https://example.com/sso/logout");
    for (name, value) in document.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            assert!(value.as_str().unwrap().starts_with("https://example.com/sso/"), "SEC-62: {name}");
        }
    }
}

#[test]
fn the_operators_policies_are_told_where_there_are_some() {
    use openidconnect::core::CoreProviderMetadata;
    let issuer = Issuer::parse(ISSUER).unwrap();
    let none = document(&issuer, &PATHS, &Policies::default());
    assert!(none.get("op_policy_uri").is_none() && none.get("op_tos_uri").is_none(), "not null: {none}");
    let policies = Policies {
        privacy: Some("https://www.example/privacy".into()),
        terms: Some("https://www.example/terms".into()),
    };
    let metadata: CoreProviderMetadata =
        serde_json::from_value(document(&issuer, &PATHS, &policies)).unwrap();
    assert_eq!(metadata.op_policy_uri().unwrap().as_str(), "https://www.example/privacy");
    assert_eq!(metadata.op_tos_uri().unwrap().as_str(), "https://www.example/terms");
}
