//! The operator's own app, whose people bring tokens of its own issuer.

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use mashang_login::audit::AuditKind;
use mashang_login::identity::{ChannelKind, IdentityKey};
use serde_json::{Value, json};

use super::issuer::{Issuer, message};
use super::{Caller, recorded, refusal, refused};
use crate::support::*;

async fn house() -> (Issuer, TestApp) {
    let issuer = Issuer::start().await;
    let app = TestApp::with_config(&issuer.section()).await;
    (issuer, app)
}

fn caller<'a>(app: &'a TestApp, issuer: &Issuer, sub: &str) -> Caller<'a> {
    Caller { app, channel: "myapp", bearer: Some(issuer.token(sub)) }
}

#[tokio::test]
async fn a_person_scans_with_the_app_types_the_number_and_is_signed_in() {
    let (issuer, app) = house().await;
    let page = app.open_login(&app.desktop()).await;
    let phone = caller(&app, &issuer, "u1");
    let scanned = phone.call(&page.ticket, "scan", json!({})).await.json();
    let login = &scanned["login"];
    assert_eq!(login["host"], "127.0.0.1:9", "sec_08");
    assert_eq!(login["device"], "Chrome · Windows");
    assert_eq!(login["number_digits"], 2);
    assert!(login["at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(scanned["expires_in"], 120);
    assert!(!scanned.to_string().contains(&format!("\"{}\"", page.number)), "sec_09");
    assert_eq!(page.stage().await, "scanned");
    let phone_token = scanned["phone_token"].as_str().unwrap();
    app.pass(Duration::from_secs(20));
    let context = phone.call(&page.ticket, "context", json!({ "phone_token": phone_token })).await.json();
    assert_eq!(context["status"], "scanned");
    assert_eq!(context["login"], *login);
    assert_eq!(context["expires_in"], 100);
    let approved = phone.approve(&page.ticket, phone_token, &page.number).await;
    assert_eq!(approved.json(), json!({ "status": "approved" }));
    assert!(page.redeem().await.starts_with(SITE));
    let key = IdentityKey { kind: ChannelKind::App, app: issuer.url.clone(), subject: "u1".into() };
    assert!(app.app.records.identity(&key).await.unwrap().is_some());
    for kind in [AuditKind::TicketScanned, AuditKind::TicketApproved, AuditKind::SignedIn] {
        assert_eq!(recorded(&app, kind).await, 1);
    }
}

#[tokio::test]
async fn a_no_is_final_and_one_wrong_number_ends_the_login() {
    let (issuer, app) = house().await;
    let phone = caller(&app, &issuer, "u1");
    let page = app.open_login(&app.desktop()).await;
    let token = phone.scan(&page.ticket, json!({})).await;
    let denied = phone.call(&page.ticket, "deny", json!({ "phone_token": token })).await;
    assert_eq!(denied.json(), json!({ "status": "denied" }));
    assert_eq!(refusal(&phone.approve(&page.ticket, &token, &page.number).await), refused(409, "finished"));
    assert_eq!(page.stage().await, "denied", "sec_12");
    let page = app.open_login(&app.desktop()).await;
    let token = phone.scan(&page.ticket, json!({})).await;
    let wrong = phone.approve(&page.ticket, &token, page.wrong_number()).await;
    assert_eq!(wrong.json(), json!({ "status": "wrong_number" }), "sec_09");
    assert_eq!(refusal(&phone.approve(&page.ticket, &token, &page.number).await), refused(409, "finished"));
    assert_eq!(recorded(&app, AuditKind::WrongNumber).await, 1);
}

#[tokio::test]
async fn sec_06_a_second_phone_is_told_taken_and_the_first_goes_on() {
    let (issuer, app) = house().await;
    let page = app.open_login(&app.desktop()).await;
    let (first, second) = (caller(&app, &issuer, "u1"), caller(&app, &issuer, "u2"));
    let token = first.scan(&page.ticket, json!({})).await;
    assert_eq!(refusal(&second.call(&page.ticket, "scan", json!({})).await), refused(409, "taken"));
    // Even the same person on another phone.
    assert_eq!(refusal(&first.call(&page.ticket, "scan", json!({})).await), refused(409, "taken"));
    assert_eq!(recorded(&app, AuditKind::SecondScanRefused).await, 2);
    let made_up = format!("msp_{}", "A".repeat(43));
    for token in [made_up.as_str(), "", "x", page.number.as_str()] {
        let answer = first.approve(&page.ticket, token, &page.number).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{}", answer.body);
    }
    assert_eq!(first.approve(&page.ticket, &token, &page.number).await.status, StatusCode::OK);
}

#[tokio::test]
async fn sec_36_only_the_person_who_scanned_may_answer() {
    let (issuer, app) = house().await;
    let page = app.open_login(&app.desktop()).await;
    let (first, second) = (caller(&app, &issuer, "u1"), caller(&app, &issuer, "u2"));
    let token = first.scan(&page.ticket, json!({})).await;
    let body = json!({ "phone_token": token });
    for step in ["context", "deny"] {
        let stolen = second.call(&page.ticket, step, body.clone()).await;
        assert_eq!(refusal(&stolen), refused(401, "unauthorized"), "{step}");
    }
    let stolen = second.approve(&page.ticket, &token, &page.number).await;
    assert_eq!(refusal(&stolen), refused(401, "unauthorized"));
    assert_eq!(page.stage().await, "scanned", "not even the wrong person's no counts");
    // A fresh token of the same person does.
    let renewed = caller(&app, &issuer, "u1");
    assert_eq!(renewed.approve(&page.ticket, &token, &page.number).await.status, StatusCode::OK);
}

#[tokio::test]
async fn sec_36_tokens_that_are_not_meant_for_us_prove_nobody() {
    let (issuer, app) = house().await;
    let page = app.open_login(&app.desktop()).await;
    let with = |claim: &str, value: Value| {
        let mut claims = issuer.claims("u1");
        claims[claim] = value;
        issuer.sign(claims)
    };
    let good = issuer.token("u1");
    let now = app.app.now().as_second();
    let public = issuer.state.keys.lock().unwrap()[0].to_string();
    let hmac = {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let signed = message(&json!({ "alg": "HS256", "kid": "first" }), &issuer.claims("u1"));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(public.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", base64url(&mac.finalize().into_bytes()))
    };
    let unsigned = message(&json!({ "alg": "none" }), &issuer.claims("u1"));
    for (what, bearer) in [
        ("aud", Some(with("aud", json!("another-app")))),
        ("iss", Some(with("iss", json!("https://elsewhere.example")))),
        ("exp", Some(with("exp", json!(now - 61)))),
        ("nbf", Some(with("nbf", json!(now + 3600)))),
        ("sub", Some(with("sub", json!("")))),
        ("none", Some(format!("{unsigned}."))),
        ("none in capitals", Some(format!("{}.", message(&json!({ "alg": "NONE" }), &issuer.claims("u1"))))),
        ("HS256 with the public key", Some(hmac)),
        ("signature", Some(format!("{}AA", &good[..good.len() - 2]))),
        ("not a JWT", Some("x".into())),
        ("ours, but not listed", Some(format!("msa_{}", "A".repeat(43)))),
        ("nothing", None),
    ] {
        let phone = Caller { app: &app, channel: "myapp", bearer };
        let answer = phone.call(&page.ticket, "scan", json!({})).await;
        assert_eq!(refusal(&answer), refused(401, "unauthorized"), "{what}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    assert_eq!(page.stage().await, "waiting");
    assert_eq!(
        caller(&app, &issuer, "u1").call(&page.ticket, "scan", json!({})).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_key_that_is_new_is_asked_for_once_and_strangers_cannot_make_us_ask() {
    let (issuer, app) = house().await;
    let page = app.open_login(&app.desktop()).await;
    let phone = caller(&app, &issuer, "u1");
    phone.scan(&page.ticket, json!({})).await;
    assert_eq!(issuer.asked(), 1);
    issuer.sign_with_an_unpublished_key("made-up");
    for _ in 0..5 {
        let answer =
            caller(&app, &issuer, "u1").call(&page.ticket, "context", json!({ "phone_token": "x" })).await;
        assert_eq!(refusal(&answer), refused(401, "unauthorized"));
    }
    assert_eq!(issuer.asked(), 1, "not within the pause");
    issuer.rotate("second");
    app.pass(Duration::from_secs(31));
    let page = app.open_login(&app.desktop()).await;
    caller(&app, &issuer, "u1").scan(&page.ticket, json!({})).await;
    assert_eq!(issuer.asked(), 2, "and then a new key is found at the first try");
}

#[tokio::test]
async fn an_issuer_that_is_down_shuts_out_only_who_needs_a_new_key() {
    let (issuer, app) = house().await;
    issuer.set_down(true);
    let page = app.open_login(&app.desktop()).await;
    let early = caller(&app, &issuer, "u1").call(&page.ticket, "scan", json!({})).await;
    assert_eq!(refusal(&early), refused(503, "platform_unavailable"));
    issuer.set_down(false);
    app.pass(Duration::from_secs(31));
    caller(&app, &issuer, "u1").scan(&page.ticket, json!({})).await;
    issuer.set_down(true);
    app.pass(Duration::from_secs(3600));
    let page = app.open_login(&app.desktop()).await;
    caller(&app, &issuer, "u1").scan(&page.ticket, json!({})).await;
    issuer.rotate("second");
    app.pass(Duration::from_secs(31));
    let page = app.open_login(&app.desktop()).await;
    let late = caller(&app, &issuer, "u1").call(&page.ticket, "scan", json!({})).await;
    assert_eq!(refusal(&late), refused(503, "platform_unavailable"));
}

#[tokio::test]
async fn many_first_scans_at_once_ask_the_issuer_once() {
    let (issuer, app) = house().await;
    let app = std::sync::Arc::new(app);
    let page = app.open_login(&app.desktop()).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (app, ticket) = (app.clone(), page.ticket.clone());
        let bearer = Some(issuer.token(&format!("u{n}")));
        calls.spawn(async move {
            Caller { app: &app, channel: "myapp", bearer }.call(&ticket, "scan", json!({})).await.status
        });
    }
    let statuses = calls.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 1, "promise_3");
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::CONFLICT).count(), 19);
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn sec_14_unknown_expired_used_and_other_channels_logins_look_alike() {
    let (issuer, app) = house().await;
    let phone = caller(&app, &issuer, "u1");
    let used = app.open_login(&app.desktop()).await;
    let token = phone.scan(&used.ticket, json!({})).await;
    phone.approve(&used.ticket, &token, &used.number).await;
    used.redeem().await;
    let expired = app.open_login(&app.desktop()).await;
    app.pass(Duration::from_secs(121));
    let live = app.open_login(&app.desktop()).await;
    let unknown = "A".repeat(32);
    let mut seen = Vec::new();
    for (channel, ticket) in [
        ("myapp", unknown.as_str()),
        ("myapp", used.ticket.as_str()),
        ("myapp", expired.ticket.as_str()),
        ("myapp", "short"),
        ("wechat", live.ticket.as_str()),
        ("nobody", live.ticket.as_str()),
    ] {
        let phone = Caller { app: &app, channel, bearer: Some(issuer.token("u1")) };
        let answer = phone.call(ticket, "scan", json!({})).await;
        assert_eq!(refusal(&answer), refused(404, "unknown_login"), "{channel} {ticket}");
        seen.push((answer.status, answer.body));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "byte for byte");
}

#[tokio::test]
async fn sec_22_a_request_that_names_a_person_is_refused_and_recorded() {
    let (issuer, app) = house().await;
    let page = app.open_login(&app.desktop()).await;
    let phone = caller(&app, &issuer, "u1");
    let names = ["openid", "unionid", "userid", "user_id", "phone", "phone_number", "mobile", "sub"];
    for name in names {
        let answer = phone.call(&page.ticket, "scan", json!({ name: "u2" })).await;
        assert_eq!(refusal(&answer), refused(400, "identity_in_request"), "{name}");
    }
    assert_eq!(recorded(&app, AuditKind::IdentityInRequestRefused).await, names.len());
    assert_eq!(page.stage().await, "waiting");
    let token = phone.scan(&page.ticket, json!({})).await;
    let body = json!({ "phone_token": token, "number": page.number, "user_id": "u2" });
    assert_eq!(
        refusal(&phone.call(&page.ticket, "approve", body).await),
        refused(400, "identity_in_request")
    );
    assert_eq!(page.stage().await, "scanned");
}

#[tokio::test]
async fn sec_24_a_token_anywhere_but_in_the_header_is_refused() {
    let (issuer, app) = house().await;
    let page = app.open_login(&app.desktop()).await;
    let nobody = Caller { app: &app, channel: "myapp", bearer: None };
    for name in ["token", "access_token", "id_token", "session_key", "bearer"] {
        let answer = nobody.call(&page.ticket, "scan", json!({ name: issuer.token("u1") })).await;
        assert_eq!(refusal(&answer), refused(400, "identity_in_request"), "{name}");
    }
    let uri = format!("/api/phone/myapp/{}/scan?access_token={}", page.ticket, issuer.token("u1"));
    let request =
        Request::post(uri).header("content-type", "application/json").body(Body::from("{}")).unwrap();
    assert_eq!(refusal(&nobody.answer(request).await), refused(400, "identity_in_request"));
    assert_eq!(page.stage().await, "waiting");
}

#[tokio::test]
async fn sec_40_a_person_or_a_website_that_was_switched_off_gets_no_further() {
    let (issuer, app) = house().await;
    let phone = caller(&app, &issuer, "u1");
    let page = app.open_login(&app.desktop()).await;
    let token = phone.scan(&page.ticket, json!({})).await;
    phone.approve(&page.ticket, &token, &page.number).await;
    page.redeem().await;
    let key = IdentityKey { kind: ChannelKind::App, app: issuer.url.clone(), subject: "u1".into() };
    let user = app.app.records.identity(&key).await.unwrap().unwrap().user;
    let page = app.open_login(&app.desktop()).await;
    let token = phone.scan(&page.ticket, json!({})).await;
    app.app.records.set_user_disabled(&user, Some(app.app.now())).await.unwrap();
    let late = phone.approve(&page.ticket, &token, &page.number).await;
    assert_eq!(refusal(&late), refused(403, "person_disabled"));
    let next = app.open_login(&app.desktop()).await;
    assert_eq!(refusal(&phone.call(&next.ticket, "scan", json!({})).await), refused(403, "person_disabled"));
    let other = caller(&app, &issuer, "u2");
    let mut client = app.app.records.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    client.disabled_at = Some(app.app.now());
    app.save_client(client).await;
    assert_eq!(refusal(&other.call(&next.ticket, "scan", json!({})).await), refused(404, "unknown_login"));
}

#[tokio::test]
async fn requests_of_another_form_are_refused_in_json() {
    let (issuer, app) = house().await;
    let page = app.open_login(&app.desktop()).await;
    let phone = caller(&app, &issuer, "u1");
    for body in ["", "[]", "{", "{\"a\":\"b\"}", "{\"code\":\"c\"}", "null"] {
        let answer = phone.send(&page.ticket, "scan", body).await;
        assert_eq!(refusal(&answer), refused(400, "bad_request"), "{body}");
    }
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(40_000));
    assert_eq!(refusal(&phone.send(&page.ticket, "scan", &long).await).1, "bad_request");
    let get = Request::get(format!("/api/phone/myapp/{}/scan", page.ticket)).body(Body::empty()).unwrap();
    assert_eq!(refusal(&phone.answer(get).await), refused(405, "bad_request"));
    let form = Request::post(format!("/api/phone/myapp/{}/scan", page.ticket))
        .header("content-type", "text/plain")
        .header("authorization", format!("Bearer {}", issuer.token("u1")))
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(
        refusal(&phone.answer(form).await),
        refused(400, "bad_request"),
        "no simple cross-site request"
    );
    let token = phone.scan(&page.ticket, json!({})).await;
    let number = phone.call(&page.ticket, "phone-number", json!({ "phone_token": token, "code": "c" })).await;
    assert_eq!(refusal(&number), refused(400, "bad_request"), "an app has no such code");
    let unnumbered = phone.call(&page.ticket, "approve", json!({ "phone_token": token })).await;
    assert_eq!(refusal(&unnumbered), refused(400, "bad_request"));
    assert_eq!(page.stage().await, "scanned");
}

#[tokio::test]
async fn an_address_that_calls_too_often_or_guesses_tokens_is_told_to_wait() {
    let issuer = Issuer::start().await;
    let limits = "[limits]\nstarts_per_minute = 3\ntoken_errors_per_minute = 2\n";
    let app = TestApp::with_config(&format!("{limits}{}", issuer.section())).await;
    let page = app.open_login(&app.desktop()).await;
    let phone = caller(&app, &issuer, "u1");
    phone.scan(&page.ticket, json!({})).await;
    let mut answer = phone.call(&page.ticket, "scan", json!({})).await;
    while answer.status == StatusCode::CONFLICT {
        answer = phone.call(&page.ticket, "scan", json!({})).await;
    }
    assert_eq!(refusal(&answer), refused(429, "too_many"));
    assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
    let guesser = Caller { app: &app, channel: "myapp", bearer: Some("guess".into()) };
    let body = json!({ "phone_token": "x" });
    for _ in 0..2 {
        let answer = guesser.call(&page.ticket, "context", body.clone()).await;
        assert_eq!(refusal(&answer), refused(401, "unauthorized"));
    }
    let last = guesser.call(&page.ticket, "context", body.clone()).await;
    assert_eq!(refusal(&last), refused(429, "too_many"));
    let neighbour = phone.call(&page.ticket, "context", body).await;
    assert_eq!(refusal(&neighbour), refused(404, "unknown_login"), "whose token is good does not wait");
}

#[tokio::test]
async fn phones_learn_that_our_links_open_the_app() {
    let issuer = Issuer::start().await;
    let print = ["AB"; 32].join(":");
    let links = format!(
        "{}android_package = \"com.example.app\"\nsha256_cert_fingerprints = [\"{print}\"]\nios_app_ids = [\"A1B2C3D4E5.com.example.app\"]\nlink_template = \"myapp://login?code={{scan_code}}\"\n",
        issuer.section()
    );
    let app = TestApp::with_config(&links).await;
    let android = app.device(PHONE).get("/.well-known/assetlinks.json").await.json();
    assert_eq!(android[0]["target"]["package_name"], "com.example.app");
    assert_eq!(android[0]["target"]["sha256_cert_fingerprints"][0], print);
    let ios = app.device(PHONE).get("/.well-known/apple-app-site-association").await;
    assert!(ios.header("content-type").starts_with("application/json"));
    let details = &ios.json()["applinks"]["details"][0];
    assert_eq!(details["appIDs"][0], "A1B2C3D4E5.com.example.app");
    assert_eq!(details["components"], json!([{ "/": "/s/*" }]));
    let without = TestApp::start().await;
    for path in ["/.well-known/assetlinks.json", "/.well-known/apple-app-site-association"] {
        assert_eq!(without.device(PHONE).get(path).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_plain_phone_browser_is_offered_the_app() {
    let issuer = Issuer::start().await;
    let section = format!("{}link_template = \"myapp://login?a=1&code={{scan_code}}\"\n", issuer.section());
    let app = TestApp::reconfigured(|text| without_sandbox(text) + &section).await;
    let page = app.open_login(&app.desktop()).await;
    let told = app.device(PHONE).get(&format!("/s/{}", page.ticket)).await;
    assert_eq!(told.status, StatusCode::OK);
    // Escaped as attributes are.
    let link = told.between("href=\"myapp:", "\"").replace("&#x2f;", "/").replace("&amp;", "&");
    assert_eq!(link, format!("//login?a=1&code={}", page.ticket));
    assert_eq!(page.stage().await, "waiting", "sec_07");
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
