//! Redirect addresses: the first line is what an administrator registers, the second what a request presents (SEC-45).

#![no_main]

use libfuzzer_sys::fuzz_target;
use mashang_login::client::{
    Client, ClientAuthentication, ClientSettings, PkcePolicy, check_redirect_uri, is_loopback,
};
use mashang_login::ids::ClientId;
use mashang_login::key::SigningAlgorithm;
use url::{Host, Url};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (registered, presented) = text.split_once('\n').unwrap_or((&text, &text));
    if check_redirect_uri(registered).is_err() {
        return;
    }
    let home = Url::parse(registered).expect("it was accepted");
    assert!(registered.is_ascii() && !registered.contains([' ', '#', '*', '\\']));
    assert!(home.username().is_empty() && home.password().is_none() && home.fragment().is_none());
    assert!(home.scheme() != "http" || is_loopback(&home), "cleartext to another machine was registered");
    assert!(!matches!(home.scheme(), "javascript" | "data" | "file" | "blob" | "vbscript"));
    let client = client(registered);
    assert!(client.allows_redirect(registered));
    if presented == registered || !client.allows_redirect(presented) {
        return;
    }
    // Only a loopback literal may differ, and only in its port.
    let mut there = Url::parse(presented).expect("an address that nobody can parse was allowed");
    assert!(home.scheme() == "http" && !matches!(home.host(), Some(Host::Domain(_)) | None));
    assert!(there.username().is_empty() && there.password().is_none() && is_loopback(&there));
    there.set_port(home.port()).expect("http has ports");
    assert_eq!(there, home, "more than the port differs");
});

fn client(registered: &str) -> Client {
    Client {
        id: ClientId::parse("site").expect("it is an id"),
        name: "Site".to_owned(),
        authentication: ClientAuthentication::Public,
        redirect_uris: vec![registered.to_owned()],
        post_logout_redirect_uris: Vec::new(),
        pkce: PkcePolicy::Required,
        id_token_alg: SigningAlgorithm::Rs256,
        refresh_tokens: false,
        settings: ClientSettings::default(),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        disabled_at: None,
    }
}
