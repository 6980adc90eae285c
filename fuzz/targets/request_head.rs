//! What the server reads before it knows anybody: a scene of an event, cookies, forwarded addresses, languages and user
//! agents (SEC-31, SEC-63, SEC-72). One input serves as each.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use mashang_server::channel::parametric::ticket_of_scene;
use mashang_server::web::cookies::{Brought, Transport};
use mashang_server::web::{address, device, language};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Some(code) = ticket_of_scene(&text) {
        assert_eq!(format!("ms_{code}"), text, "another account's scene was taken as ours");
    }
    let _ =
        (device::surroundings(&text), language::Language::accepted(&text), language::Language::of_tag(&text));
    assert!(device::label(&text).chars().count() < 100, "a user agent decides how long our pages are");
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let headers: HeaderMap =
        [(http::header::COOKIE, value.clone()), (http::HeaderName::from_static("x-forwarded-for"), value)]
            .into_iter()
            .collect();
    let stranger = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
    let trusted = ["10.0.0.0/8".parse().expect("it is a network")];
    assert_eq!(
        address::of_visitor(stranger, &headers, &trusted),
        stranger,
        "a stranger's header was believed"
    );
    let _ = address::limit_key(address::of_visitor(PROXY, &headers, &trusted));
    for transport in [Transport::Https, Transport::Cleartext] {
        let brought = Brought::from_headers(&headers, transport);
        if let Some(secret) = &brought.browser {
            assert!(text.contains(secret.expose()) && !format!("{brought:?}").contains(secret.expose()));
        }
    }
});
