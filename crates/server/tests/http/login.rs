//! `/login/…`: the waiting browser.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use mashang_login::ids::UserId;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::support::*;

#[tokio::test]
async fn the_qr_in_the_html_holds_the_scan_address_and_nothing_else() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let svg = &page.html[page.html.find("<svg aria-hidden").unwrap()..];
    let svg = &svg[..svg.find("</svg>").unwrap()];
    assert_eq!(read_qr(svg), format!("http://127.0.0.1:8080/s/{}", page.ticket), "sec_20");
}

/// Draws the one path our QR is made of, runs of dark modules, onto a grid and reads it.
fn read_qr(svg: &str) -> String {
    let size: usize = {
        let from = svg.find("viewBox=\"0 0 ").unwrap() + 13;
        svg[from..].split(' ').next().unwrap().parse().unwrap()
    };
    let path = svg.split_once(" d=\"M").unwrap().1.split('"').next().unwrap();
    let mut dark = vec![vec![false; size]; size];
    for run in path.split('M') {
        // `M{x},{y}h{length}v1h-{length}z`
        let mut numbers = run.split(|c: char| !c.is_ascii_digit()).filter(|text| !text.is_empty());
        let mut number = || numbers.next().unwrap().parse::<usize>().unwrap();
        let (x, y, length) = (number(), number(), number());
        dark[y][x..x + length].fill(true);
    }
    let scale = 8;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(size * scale, size * scale, |x, y| {
        if dark[y / scale][x / scale] { 0 } else { 255 }
    });
    image.detect_grids().first().expect("a QR is found").decode().unwrap().1
}

#[tokio::test]
async fn status_waits_until_the_ticket_moves() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let waiting = {
        let page = page.clone();
        tokio::spawn(async move { page.browser.get(&page.url("status?wait=20&seen=0")).await })
    };
    let phone = app.phone();
    app.scan(&phone, &page.ticket, &person).await;
    let answer = tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("woken").unwrap();
    assert_eq!(answer.json()["status"], "scanned");
    let at_once = page.browser.get(&page.url("status?wait=20&seen=0")).await;
    assert_eq!(at_once.json()["version"], 1, "a version that is past is answered at once");
}

#[tokio::test]
async fn events_tell_each_stage_and_end_with_the_last() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let stream = {
        let page = page.clone();
        tokio::spawn(async move { page.browser.get(&page.url("events")).await })
    };
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    phone.post(&format!("/s/{}/deny", page.ticket), &[("confirm_token", &token)]).await;
    let answer =
        tokio::time::timeout(Duration::from_secs(5), stream).await.expect("the stream ends").unwrap();
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("x-accel-buffering"), "no");
    assert!(answer.body.contains("\"status\":\"denied\""), "{}", answer.body);
    assert!(answer.body.starts_with("event: status\n"));
}

#[tokio::test]
async fn promise_4_a_stream_tells_expiry_though_nobody_announces_it_and_gives_signs_of_life_before() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    tokio::time::pause();
    let events = page.url("events");
    let reading = page.browser.get(&events);
    let passing = async {
        tokio::time::sleep(Duration::from_secs(40)).await;
        app.pass(Duration::from_secs(121));
    };
    let (answer, ()) = tokio::join!(reading, passing);
    let told: Vec<&str> = answer.body.split_terminator("\n\n").collect();
    let (last, before) = told.split_last().unwrap();
    assert!(before[0].contains("\"waiting\"") && last.contains("\"expired\""), "{told:?}");
    assert_eq!(before[1..], [": "; 7], "a comment every fifteen seconds");
}

#[tokio::test]
async fn sec_05_a_refresh_kills_the_old_ticket() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    let fresh = page.browser.fetch(&page.url("refresh")).await;
    assert_eq!(fresh.status, StatusCode::OK, "{}", fresh.body);
    assert_ne!(fresh.json()["ticket"]["scan_code"], page.ticket.as_str());
    let late = app.approve(&phone, &page, &token, &page.number).await;
    assert!(late.location().ends_with("outcome=expired"));
    assert_eq!(page.stage().await, "expired");
}

/// The phone has just said “you are signed in”; the page believes that its time is over, or somebody presses the button.
#[tokio::test]
async fn a_refresh_that_meets_an_approval_keeps_it_and_the_page_redeems_it() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &token, &page.number).await;
    let answer = page.browser.fetch(&page.url("refresh")).await.json();
    assert_eq!(answer["ticket"]["scan_code"], page.ticket.as_str());
    assert_eq!(answer["ticket"]["status"], "approved");
    let plain = page.browser.post(&page.url("refresh"), &[]).await;
    assert!(plain.location().starts_with(page.url("").trim_end_matches('/')), "{}", plain.location());
    assert!(!param(&page.redeem().await, "code").is_empty());
    // Once it is too late to redeem it, a fresh one is drawn.
    let page = app.open_login(&app.desktop()).await;
    let token = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &token, &page.number).await;
    app.pass(Duration::from_secs(31));
    let answer = page.browser.fetch(&page.url("refresh")).await.json();
    assert_ne!(answer["ticket"]["scan_code"], page.ticket.as_str());
    assert_eq!(answer["ticket"]["status"], "waiting");
}

/// Anybody may begin any number of logins, and a page that lies open draws a fresh QR every two minutes: the trail is not made
/// of that.
#[tokio::test]
async fn sec_78_a_login_is_recorded_from_when_somebody_scans_its_qr() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let mut face = page.browser.fetch(&page.url("refresh")).await.json();
    face = page.browser.fetch(face["urls"]["refresh"].as_str().unwrap()).await.json();
    let kinds = async || {
        let trail = app.app.records.audit_trail(20).await.unwrap();
        let tickets = trail.into_iter().rev().filter(|event| event.ticket.is_some());
        tickets.map(|event| (event.kind.as_str(), event.ticket, event.device)).collect::<Vec<_>>()
    };
    let start =
        |ticket: &str| ("ticket_started", Some(ticket[..6].to_owned()), Some("Chrome · Windows".to_owned()));
    assert_eq!(kinds().await, [], "nobody has done anything yet");
    let ticket = face["ticket"]["scan_code"].as_str().unwrap();
    app.pass(Duration::from_secs(20));
    app.scan(&app.phone(), ticket, &person).await;
    let told = kinds().await;
    assert_eq!(told[0], start(ticket), "whose QR it was, from which browser");
    assert_eq!((told[1].0, told[1].1.as_deref(), told.len()), ("ticket_scanned", Some(&ticket[..6]), 2));
    let asked_at = app.app.records.audit_trail(2).await.unwrap()[1].at;
    assert_eq!(asked_at + Duration::from_secs(20), app.app.now(), "when it was drawn");
}

#[tokio::test]
async fn without_a_script_refresh_and_redeem_are_plain_forms() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let early = page.browser.post(&page.url("redeem"), &[]).await;
    assert_eq!(early.status, StatusCode::SEE_OTHER);
    assert_eq!(early.location(), page.url("").trim_end_matches('/'), "too early: back to the page");
    let refreshed = page.browser.post(&page.url("refresh"), &[]).await;
    assert_eq!(refreshed.status, StatusCode::SEE_OTHER, "sec_66");
    let page = app.login_page(&page.browser, refreshed.location()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &token, &page.number).await;
    let done = page.browser.post(&page.url("redeem"), &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(done.location().starts_with(SITE));
}

#[tokio::test]
async fn a_reload_keeps_the_ticket_at_every_stage() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    assert!(page.browser.get(&page.path).await.body.contains("data-status=\"waiting\""));
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    assert!(page.browser.get(&page.path).await.body.contains("data-status=\"scanned\""));
    app.approve(&phone, &page, &token, &page.number).await;
    assert!(page.browser.get(&page.path).await.body.contains("data-status=\"approved\""));
    assert!(page.redeem().await.starts_with(SITE));
}

#[tokio::test]
async fn two_tabs_are_two_logins() {
    let app = TestApp::start().await;
    let (first, second) = (app.person("小明").await, app.person("小红").await);
    let browser = app.desktop();
    let one = app.open_login(&browser).await;
    let two = app.open_login(&browser).await;
    for (page, person) in [(&two, &second), (&one, &first)] {
        let phone = app.phone();
        let token = app.scan(&phone, &page.ticket, person).await;
        app.approve(&phone, page, &token, &page.number).await;
    }
    assert!(one.redeem().await.starts_with(SITE));
    assert!(two.redeem().await.starts_with(SITE));
}

#[tokio::test]
async fn cancelling_answers_the_website_once_and_kills_the_ticket() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let back = page.browser.post(&page.url("cancel"), &[]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    assert_eq!(param(back.location(), "error"), "access_denied");
    assert_eq!(param(back.location(), "state"), "st4te");
    assert_eq!(param(back.location(), "iss"), "http://127.0.0.1:8080", "sec_52");
    assert_eq!(page.browser.post(&page.url("cancel"), &[]).await.status, StatusCode::GONE);
    assert_eq!(page.browser.fetch(&page.url("refresh")).await.json()["gone"], true);
    assert_eq!(page.browser.get(&page.path).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn sec_17_a_login_gets_a_new_session_and_ends_the_old_one() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let browser = app.desktop();
    browser.cookies.lock().unwrap().insert("mashang_session".into(), format!("mss_{}", "A".repeat(43)));
    app.log_in(&browser, &person).await;
    let first = browser.cookie("mashang_session").unwrap();
    assert_ne!(first, format!("mss_{}", "A".repeat(43)), "a planted session is not taken over");
    app.log_in_with(&browser, &person, &[("prompt", "login")]).await;
    let second = browser.cookie("mashang_session").unwrap();
    assert_ne!(first, second);
    browser.cookies.lock().unwrap().insert("mashang_session".into(), first);
    let old = browser.get(&app.authorize_path(&[("prompt", "none")])).await;
    assert_eq!(param(old.location(), "error"), "login_required");
}

#[tokio::test]
async fn on_a_phone_the_page_offers_a_way_to_continue_instead_of_a_qr() {
    let app = TestApp::start().await;
    let inside = app.open_login(&app.phone()).await;
    assert!(inside.html.contains(&format!("&#x2f;s&#x2f;{}?via=wechat", inside.ticket)), "sec_11");
    let desktop = app.open_login(&app.desktop()).await;
    assert!(!desktop.html.contains("via=wechat"));
}

#[tokio::test]
async fn inside_wechat_the_same_device_continues_without_a_number() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let wechat = app.phone();
    let page = app.open_login(&wechat).await;
    let token = app.scan(&wechat, &page.ticket, &person).await;
    let confirm = wechat.get(&format!("/s/{}/confirm", page.ticket)).await;
    assert!(!confirm.body.contains("name=\"number\""));
    let done = wechat.post(&format!("/s/{}/approve", page.ticket), &[("confirm_token", &token)]).await;
    assert!(done.location().starts_with(SITE), "{}", done.location());
}

#[tokio::test]
async fn sec_40_a_client_switched_off_while_the_person_scans_gets_no_code() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &token, &page.number).await;
    let mut client = app.app.records.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    client.disabled_at = Some(app.app.now());
    app.save_client(client).await;
    assert_eq!(page.browser.fetch(&page.url("redeem")).await.status, StatusCode::NOT_FOUND);
}

/// Somebody who has signed in before: at WeChat, here, and what the website got.
async fn somebody_known(app: &TestApp) -> (String, UserId, Value) {
    let person = app.person("小明").await;
    let back = app.log_in(&app.desktop(), &person).await;
    let tokens = app.exchange(&param(&back, "code")).await.json();
    let user = claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().parse().unwrap();
    (person, user, tokens)
}

#[tokio::test]
async fn sec_40_a_person_switched_off_is_told_when_they_scan_and_the_ticket_stays_free() {
    let app = TestApp::start().await;
    let (person, user, tokens) = somebody_known(&app).await;
    app.app.records.set_user_disabled(&user, Some(app.app.now())).await.unwrap();
    assert_eq!(app.userinfo(tokens["access_token"].as_str().unwrap()).await.status, StatusCode::UNAUTHORIZED);
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let refused = app.callback_of(&phone, &page.ticket, &person).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("停用"), "{}", refused.body);
    let other = app.person("小红").await;
    app.scan(&app.phone(), &page.ticket, &other).await;
}

#[tokio::test]
async fn sec_40_a_person_switched_off_after_their_scan_gets_no_code_and_the_page_can_say_why() {
    let app = TestApp::start().await;
    let (person, user, _) = somebody_known(&app).await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    app.app.records.set_user_disabled(&user, Some(app.app.now())).await.unwrap();
    app.approve(&phone, &page, &token, &page.number).await;
    let refused = page.browser.fetch(&page.url("redeem")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let told = refused.json();
    assert_eq!(told["error"], "person_disabled");
    assert!(told["title"].as_str().is_some_and(|title| title.contains("停用")), "{told}");
    assert!(told["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{told}");
}

/// What a service says to a poll: all of it, but for the request's own name.
async fn answer_of<S>(service: S, path: &str, device: &Device) -> (StatusCode, HeaderMap, String)
where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error: std::fmt::Debug>,
{
    let request = Request::get(path).header("user-agent", device.user_agent);
    let request = request.header("cookie", device.cookie_header()).body(Body::empty()).unwrap();
    let (mut parts, body) = service.oneshot(request).await.unwrap().into_parts();
    assert!(parts.headers.remove("x-request-id").is_some(), "{path}");
    // Told by routes here, and of everything else by the connection.
    parts.headers.remove("content-length");
    let body = body.collect().await.unwrap().to_bytes();
    // A page has the request's name in it, and is the routes' in any case.
    let body =
        if parts.status.is_success() { String::from_utf8(body.to_vec()).unwrap() } else { String::new() };
    (parts.status, parts.headers, body)
}

#[tokio::test]
async fn a_poll_is_answered_in_front_just_as_by_its_route() {
    let app = TestApp::start().await;
    let (browser, stranger) = (app.desktop(), app.desktop());
    let person = app.person("小明").await;
    let never = "x".repeat(32);
    for stage in ["waiting", "scanned", "denied", "expired"] {
        let (page, other) = (app.open_login(&browser).await, app.open_login(&stranger).await);
        let phone = app.phone();
        if stage == "scanned" || stage == "denied" {
            let token = app.scan(&phone, &page.ticket, &person).await;
            if stage == "denied" {
                phone.post(&format!("/s/{}/deny", page.ticket), &[("confirm_token", &token)]).await;
            }
        }
        if stage == "expired" {
            app.pass(Duration::from_secs(121));
        }
        let paths = [
            page.url("status"),
            page.url("status?lang=en"),
            page.url("status?wait=1&seen=9"),
            page.url("status/"),
            format!("/login/{}/{}/status", other.grant, page.ticket),
            format!("/login/{}/{never}/status", page.grant),
            format!("/login/{}/short/status", page.grant),
            format!("/login//{}/status", page.ticket),
            format!("/login/%67/{}/status", page.ticket),
        ];
        for device in [&browser, &stranger, &app.desktop()] {
            for path in &paths {
                let front = answer_of(app.router.clone(), path, device).await;
                let route = answer_of(app.router.clone().into_routes(), path, device).await;
                assert_eq!(front, route, "{stage}: {path}");
            }
        }
        let (status, _, body) = answer_of(app.router.clone(), &page.url("status"), &browser).await;
        assert!(status == StatusCode::OK && body.contains(stage), "{status} {body}");
    }
}
