//! The query of `/authorize`: parameters, what is asked, and the address that carries the answer back (SEC-45 to
//! SEC-48, SEC-71).

#![no_main]

use libfuzzer_sys::fuzz_target;
use mashang_login::client::{Client, ClientAuthentication, ClientSettings, PkcePolicy};
use mashang_login::grant::{ResponseMode, Scope};
use mashang_login::ids::ClientId;
use mashang_login::key::SigningAlgorithm;
use mashang_oidc::Issuer;
use mashang_oidc::authorize::{AuthorizationResponse, Proven, check};
use mashang_oidc::params::Params;
use url::Url;

const WEBSITE: &str = "https://site.example/cb?m=sso";

fuzz_target!(|raw: &[u8]| {
    let Ok(params) = Params::parse(raw) else { return };
    assert!(raw.len() <= 16 * 1024);
    let state = params.one("state").ok().flatten().map(str::to_owned);
    for pkce in [PkcePolicy::Required, PkcePolicy::Optional] {
        let mode = params.one("response_mode").ok().flatten().and_then(ResponseMode::parse);
        let proven = Proven {
            client: client(pkce),
            redirect_uri: WEBSITE.to_owned(),
            response_mode: mode.unwrap_or_default(),
            state: state.clone(),
        };
        match check(&proven, &params) {
            Ok(checked) => {
                let asked = checked.request;
                assert_eq!((asked.redirect_uri.as_str(), &asked.state), (WEBSITE, &state));
                assert_eq!(params.one("response_type"), Ok(Some("code")));
                assert!(asked.scope.contains(Scope::Openid) && !asked.scope.contains(Scope::OfflineAccess));
                assert!(asked.code_challenge.is_some() || pkce == PkcePolicy::Optional, "PKCE was left out");
                assert!(asked.code_challenge.is_none_or(|text| text.len() == 43));
                assert!(!(asked.silent && asked.force_login));
            }
            Err(error) => {
                let issuer = Issuer::parse("https://login.example.com").expect("it is an issuer");
                let refusal = AuthorizationResponse::refusal(&proven, &issuer, &error);
                assert_eq!(refusal.origin().as_deref(), Some("https://site.example"));
                check_address(&refusal.address(), state.as_deref(), error.code);
                let is_allowed = |c: char| (' '..='~').contains(&c) && !matches!(c, '"' | '\\');
                assert!(error.description.chars().all(is_allowed) && error.description.len() < 200);
            }
        }
    }
});

/// The registered address stays the beginning, and the website reads what we wrote, once.
fn check_address(address: &str, state: Option<&str>, code: &str) {
    assert!(address.starts_with(WEBSITE) && address.is_ascii());
    let url = Url::parse(address).expect("it is an address");
    let values = |name: &str| -> Vec<String> {
        url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
    };
    assert_eq!(values("state"), state.map(str::to_owned).into_iter().collect::<Vec<_>>());
    assert_eq!(
        (values("error"), values("iss")),
        (vec![code.to_owned()], vec!["https://login.example.com".to_owned()])
    );
    assert!(url.fragment().is_none() && values("code").is_empty());
}

fn client(pkce: PkcePolicy) -> Client {
    Client {
        id: ClientId::parse("site").expect("it is an id"),
        name: "Site".to_owned(),
        authentication: ClientAuthentication::Public,
        redirect_uris: vec![WEBSITE.to_owned()],
        post_logout_redirect_uris: Vec::new(),
        pkce,
        id_token_alg: SigningAlgorithm::Rs256,
        refresh_tokens: false,
        settings: ClientSettings::default(),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        disabled_at: None,
    }
}
