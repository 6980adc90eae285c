//! `/api/browser/…`: a website's own page that shows the QR itself, from its beginning to its code.

mod bounds;
mod cors;
mod refused;
mod sdk;
mod web_message;

use std::time::Duration;

use http::{Method, StatusCode};
use mashang_login::audit::AuditKind;
use serde_json::{Value, json};

use crate::support::*;

pub const ORIGIN: &str = "http://127.0.0.1:9";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A website's page that began a login.
pub struct Page {
    pub browser: Device,
    pub told: Value,
}

impl Page {
    pub fn secret(&self) -> &str {
        self.told["secret"].as_str().unwrap()
    }

    /// The present ticket's address.
    pub fn url(&self, end: &str) -> String {
        self.told["face"]["urls"][end].as_str().unwrap().to_owned()
    }

    pub fn ticket(&self) -> &str {
        self.told["face"]["ticket"]["scan_code"].as_str().unwrap()
    }

    pub fn number(&self) -> &str {
        self.told["face"]["ticket"]["number"].as_str().unwrap()
    }

    pub fn holder(&self) -> Device {
        self.browser.clone().with("authorization", &format!("Bearer {}", self.secret()))
    }

    pub async fn call(&self, end: &str) -> Answer {
        let method = if matches!(end, "status" | "events") { Method::GET } else { Method::POST };
        self.holder().send(method, &self.url(end), None).await
    }

    pub async fn stage(&self) -> String {
        self.call("status").await.json()["status"].as_str().unwrap_or("unknown").to_owned()
    }

    /// A fresh ticket, which the page then shows.
    pub async fn refresh(&mut self, channel: Option<&str>) -> Answer {
        let body = channel.map(|id| json!({ "channel": id }).to_string());
        let answer = self
            .holder()
            .with("content-type", "application/json")
            .send(Method::POST, &self.url("refresh"), body)
            .await;
        if answer.status == StatusCode::OK {
            self.told["face"] = answer.json();
        }
        answer
    }
}

/// The browser in which the website's page is open.
pub fn website(app: &TestApp) -> Device {
    app.desktop().with("origin", ORIGIN)
}

pub async fn ask(browser: &Device, changes: Value) -> Answer {
    let mut body = json!({
        "client_id": "site", "redirect_uri": SITE, "state": "st4te", "nonce": "n0nce",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    post_json(browser, "/api/browser/logins", &body.to_string()).await
}

pub async fn post_json(browser: &Device, path: &str, body: &str) -> Answer {
    browser
        .clone()
        .with("content-type", "application/json")
        .send(Method::POST, path, Some(body.to_owned()))
        .await
}

pub async fn begin(app: &TestApp) -> Page {
    begin_with(&website(app), json!({})).await
}

pub async fn begin_with(browser: &Device, changes: Value) -> Page {
    let answer = ask(browser, changes).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    Page { browser: browser.clone(), told: answer.json() }
}

/// The number of a ticket that nobody was shown.
async fn number_of(app: &TestApp, ticket: &str) -> String {
    use mashang_login::Clock as _;
    let code = mashang_login::ids::ScanCode::parse(ticket).unwrap();
    app.app.tickets.get(&code, app.clock.now()).await.unwrap().unwrap().number.digits()
}

/// The person scans what the page shows and says yes.
pub async fn approve(app: &TestApp, page: &Page, person: &str) {
    let phone = app.phone();
    let token = app.scan(&phone, page.ticket(), person).await;
    let form = [("confirm_token", token.as_str()), ("number", page.number())];
    let answer = phone.post(&format!("/s/{}/approve", page.ticket()), &form).await;
    assert!(answer.location().ends_with("outcome=approved"), "{} {}", answer.status, answer.location());
}

#[tokio::test]
async fn a_page_gets_its_code_without_a_navigation_and_without_a_cookie() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = begin(&app).await;
    assert_eq!(page.told["issuer"], "http://127.0.0.1:8080");
    assert_eq!(page.told["redirect_uri"], SITE);
    assert_eq!(
        page.told["site"],
        json!({ "name": "样例 <Site>", "host": "127.0.0.1:9", "logo_uri": null, "brand_color": null })
    );
    assert_eq!((&page.told["channel"], &page.told["device"]), (&json!("wechat"), &json!("desktop")));
    assert_eq!(page.told["platform"]["name"], "微信");
    let face = &page.told["face"];
    assert_eq!(face["mode"], "qr");
    assert_eq!(face["ticket"]["scan_url"], format!("http://127.0.0.1:8080/s/{}", page.ticket()));
    assert!(face["ticket"]["qr_svg"].as_str().unwrap().starts_with("<svg"));
    assert_eq!(page.stage().await, "waiting");

    approve(&app, &page, &person).await;
    assert_eq!(page.stage().await, "approved");
    let answer = page.call("redeem").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    let told = answer.json();
    assert_eq!(told["state"], "st4te");
    assert_eq!(told["iss"], "http://127.0.0.1:8080", "sec_52");
    assert_eq!(told["redirect_uri"], SITE);
    assert!(page.browser.cookies.lock().unwrap().is_empty(), "no cookie is set");

    let tokens = app.exchange(told["code"].as_str().unwrap()).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    let id = claims(tokens.json()["id_token"].as_str().unwrap());
    assert_eq!((&id["nonce"], &id["amr"]), (&json!("n0nce"), &json!(["wechat-official"])));
    let info = app.userinfo(tokens.json()["access_token"].as_str().unwrap()).await.json();
    assert_eq!((&info["name"], &info["sub"]), (&json!("小明"), &id["sub"]));
}

#[tokio::test]
async fn what_is_not_said_has_a_default_and_a_public_client_needs_no_secret() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let body = json!({ "client_id": "spa", "code_challenge": CHALLENGE, "code_challenge_method": "S256" });
    let answer = post_json(&website(&app), "/api/browser/logins", &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let page = Page { browser: website(&app), told: answer.json() };
    assert_eq!(page.told["redirect_uri"], SITE, "the only registered address of that origin");
    approve(&app, &page, &person).await;
    let told = page.call("redeem").await.json();
    assert!(told.get("state").is_none(), "none was sent");
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "spa"),
        ("redirect_uri", SITE),
        ("code", told["code"].as_str().unwrap()),
        ("code_verifier", VERIFIER),
    ];
    let tokens = app.desktop().post("/token", &form).await;
    assert_eq!(tokens.json()["scope"], "openid profile");
}

#[tokio::test]
async fn the_phone_and_the_records_are_told_what_they_always_are() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = begin(&app).await;
    let phone = app.phone();
    app.scan(&phone, page.ticket(), &person).await;
    let confirm = phone.get(&format!("/s/{}/confirm", page.ticket())).await.body;
    for fact in ["样例 &lt;Site&gt;", "127.0.0.1:9", "Chrome · Windows", "name=\"number\""] {
        assert!(confirm.contains(fact), "sec_08: {fact} in {confirm}");
    }
    let page = begin(&app).await;
    approve(&app, &page, &person).await;
    page.call("redeem").await;
    let trail = app.app.records.audit_trail(20).await.unwrap();
    for kind in
        [AuditKind::TicketStarted, AuditKind::TicketScanned, AuditKind::TicketApproved, AuditKind::SignedIn]
    {
        let event = trail.iter().find(|event| event.kind == kind).unwrap_or_else(|| panic!("{kind:?}"));
        assert_eq!(event.client.as_ref().unwrap().as_str(), "site");
    }
    assert!(!format!("{trail:?}").contains(page.secret()), "promise 10");
}

#[tokio::test]
async fn events_tell_each_stage_and_end_with_the_last() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = begin(&app).await;
    let stream = {
        let (holder, url) = (page.holder(), page.url("events"));
        tokio::spawn(async move { holder.get(&url).await })
    };
    let phone = app.phone();
    let token = app.scan(&phone, page.ticket(), &person).await;
    phone.post(&format!("/s/{}/deny", page.ticket()), &[("confirm_token", &token)]).await;
    let answer =
        tokio::time::timeout(Duration::from_secs(5), stream).await.expect("the stream ends").unwrap();
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
    assert!(answer.body.starts_with("event: status\n"));
    assert!(answer.body.contains("\"status\":\"denied\",\"reason\":\"declined\""), "{}", answer.body);
}

#[tokio::test]
async fn status_waits_until_the_ticket_moves() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = begin(&app).await;
    let waiting = {
        let (holder, url) = (page.holder(), page.url("status") + "?wait=20&seen=0");
        tokio::spawn(async move { holder.get(&url).await })
    };
    app.scan(&app.phone(), page.ticket(), &person).await;
    let answer = tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("woken").unwrap();
    assert_eq!(answer.json()["status"], "scanned");
}

#[tokio::test]
async fn a_person_who_declines_or_types_a_wrong_number_is_told_apart() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    for (end, reason) in [("deny", "declined"), ("approve", "wrong_number")] {
        let page = begin(&app).await;
        let phone = app.phone();
        let token = app.scan(&phone, page.ticket(), &person).await;
        let wrong = if page.number() == "10" { "11" } else { "10" };
        let form = [("confirm_token", token.as_str()), ("number", wrong)];
        phone.post(&format!("/s/{}/{end}", page.ticket()), &form).await;
        let status = page.call("status").await.json();
        assert_eq!((&status["status"], &status["reason"]), (&json!("denied"), &json!(reason)));
        let refused = page.call("redeem").await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(
            (&refused.json()["error"], &refused.json()["status"]),
            (&json!("not_approved"), &json!("denied"))
        );
    }
}

#[tokio::test]
async fn sec_05_a_refresh_kills_the_old_ticket_and_may_change_the_channel() {
    let app = TestApp::with_config(&wecom("panel")).await;
    let person = app.person("小明").await;
    let mut page = begin(&app).await;
    let phone = app.phone();
    let (old, number) = (page.ticket().to_owned(), page.number().to_owned());
    let token = app.scan(&phone, &old, &person).await;
    let old_status = page.url("status");
    let fresh = page.refresh(None).await;
    assert_eq!(fresh.status, StatusCode::OK, "{}", fresh.body);
    assert_ne!(page.ticket(), old);
    let form = [("confirm_token", token.as_str()), ("number", &number)];
    let late = phone.post(&format!("/s/{old}/approve"), &form).await;
    assert!(late.location().ends_with("outcome=expired"), "{}", late.location());
    assert_eq!(page.holder().get(&old_status).await.json()["status"], "expired");

    assert_eq!(page.refresh(Some("corp")).await.status, StatusCode::OK);
    let ours = format!("http://127.0.0.1:8080/s/{}", page.ticket());
    assert_eq!(page.told["face"]["ticket"]["scan_url"], ours, "wecom's panel does not fit a foreign page");
    for other in ["web", "nobody", ""] {
        let refused = page.refresh(Some(other)).await;
        assert_eq!(
            (refused.status, &refused.json()["error"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_request")),
            "{other}"
        );
    }
    assert_eq!(page.stage().await, "waiting", "a refused refresh kills nothing");
    approve(&app, &page, &person).await;
    assert_eq!(page.call("redeem").await.status, StatusCode::OK);
}

pub fn wecom(qr: &str) -> String {
    use mashang_sandbox::{DEMO_CORP_AGENTID, DEMO_CORP_SECRET, DEMO_CORPID};
    format!(
        "[channel.corp]\nkind = \"wecom\"\ncorpid = \"{DEMO_CORPID}\"\nagentid = {DEMO_CORP_AGENTID}\nsecret = \"{DEMO_CORP_SECRET}\"\nqr = \"{qr}\"\norder = 3\n"
    )
}

#[tokio::test]
async fn channels_say_whether_the_page_can_draw_them() {
    for qr in ["panel", "page", "link"] {
        let app = TestApp::with_config(&wecom(qr)).await;
        let page = begin(&app).await;
        let how: Vec<(&str, &str, &str)> = page.told["channels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (one["id"].as_str().unwrap(), one["how"].as_str().unwrap(), one["platform"].as_str().unwrap())
            })
            .collect();
        assert_eq!(
            how,
            [("wechat", "qr", "wechat"), ("web", "window", "wechat"), ("corp", "qr", "wecom")],
            "{qr}"
        );
        let named = begin_with(&website(&app), json!({ "channel": "corp" })).await;
        assert_eq!(
            (&named.told["channel"], &named.told["platform"]["id"]),
            (&json!("corp"), &json!("wecom"))
        );
        assert_eq!(named.told["face"]["mode"], "qr");
    }
}

#[tokio::test]
async fn a_channel_that_needs_our_page_is_named_and_not_drawn() {
    let app = TestApp::start().await;
    let page = begin_with(&website(&app), json!({ "channel": "web" })).await;
    assert_eq!(page.told["channel"], "web");
    assert!(page.told["face"].is_null());
    let refresh = format!(
        "/api/browser/logins/{}/{}/refresh",
        page.told["grant"].as_str().unwrap(),
        page.told["ticket"].as_str().unwrap()
    );
    let face = post_json(&page.holder(), &refresh, "{\"channel\":\"wechat\"}").await;
    assert_eq!(face.json()["mode"], "qr", "{}", face.body);
}

#[tokio::test]
async fn a_client_that_asks_for_consent_is_neither_drawn_nor_answered_outside_our_page() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let mut client = app.client("careful", mashang_login::client::ClientAuthentication::Public);
    client.settings.consent = true;
    client.settings.brand_color = Some("#1677ff".parse().unwrap());
    app.save_client(client).await;
    let page = begin_with(&website(&app), json!({ "client_id": "careful" })).await;
    assert!(page.told["face"].is_null());
    assert_eq!(page.told["site"]["brand_color"], "#1677ff");
    assert!(page.told["channels"].as_array().unwrap().iter().all(|one| one["how"] == "window"));
    // A page that draws the ticket all the same gets nothing for it.
    let ticket = page.told["ticket"].as_str().unwrap();
    let number = number_of(&app, ticket).await;
    let phone = app.phone();
    let token = app.scan(&phone, ticket, &person).await;
    let form = [("confirm_token", token.as_str()), ("number", number.as_str())];
    phone.post(&format!("/s/{ticket}/approve"), &form).await;
    let redeem = format!("/api/browser/logins/{}/{ticket}/redeem", page.told["grant"].as_str().unwrap());
    let refused = page.holder().send(Method::POST, &redeem, None).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (StatusCode::FORBIDDEN, &json!("way_not_admitted"))
    );
}

#[tokio::test]
async fn a_client_is_offered_its_own_channels_only() {
    let app = TestApp::with_config(&wecom("link")).await;
    let mut client = app.client("picky", mashang_login::client::ClientAuthentication::Public);
    client.settings.channels = vec!["corp".parse().unwrap()];
    app.save_client(client).await;
    let page = begin_with(&website(&app), json!({ "client_id": "picky" })).await;
    assert_eq!(page.told["channel"], "corp");
    assert_eq!(page.told["channels"].as_array().unwrap().len(), 1);
    let refused = ask(&website(&app), json!({ "client_id": "picky", "channel": "wechat" })).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_page_speaks_the_language_it_asks_for() {
    let app = TestApp::start().await;
    let english = begin_with(&website(&app), json!({ "lang": "en" })).await;
    assert_eq!(english.told["platform"]["name"], "WeChat");
    let by_locales = begin_with(&website(&app), json!({ "ui_locales": "fr en" })).await;
    assert_eq!(by_locales.told["platform"]["name"], "WeChat");
    let header = website(&app).with("accept-language", "en");
    assert_eq!(begin_with(&header, json!({})).await.told["platform"]["name"], "WeChat");
    assert_eq!(begin_with(&header, json!({ "lang": "zh-CN" })).await.told["platform"]["name"], "微信");
    let refused = ask(&header, json!({ "prompt": "none" })).await.json();
    assert!(refused["error_description"].as_str().unwrap().contains("prompt=none"), "{refused}");
}

#[tokio::test]
async fn on_a_phone_the_page_is_told_so_and_gets_our_link() {
    let app = TestApp::start().await;
    let phone = begin_with(&app.device(PHONE).with("origin", ORIGIN), json!({})).await;
    assert_eq!(phone.told["device"], "phone");
    let link = phone.told["face"]["continue_href"].as_str().unwrap();
    assert_eq!(link, format!("http://127.0.0.1:8080/s/{}", phone.ticket()));
    let inside = begin_with(&app.phone().with("origin", ORIGIN), json!({})).await;
    assert_eq!(inside.told["device"], "inside");
    assert!(inside.told["face"]["continue_href"].as_str().unwrap().ends_with("?via=wechat&tapped=1"));
}

#[tokio::test]
async fn a_platform_in_trouble_is_told_of_and_the_login_goes_on_elsewhere() {
    use mashang_sandbox::{DEMO_MINI_APPID, DEMO_MINI_SECRET, DEMO_PLATFORM};
    let mini = format!(
        "[channel.mini]\nkind = \"wechat-mini\"\nappid = \"{DEMO_MINI_APPID}\"\nsecret = \"{DEMO_MINI_SECRET}\"\nopen_platform = \"{DEMO_PLATFORM}\"\norder = 4\n"
    );
    let app = TestApp::with_config(&mini).await;
    let mut page = begin_with(&website(&app), json!({ "channel": "mini" })).await;
    assert_eq!(page.told["face"]["mode"], "code", "{}", page.told["face"]);
    assert!(page.told["face"]["ticket"]["picture"].as_str().unwrap().starts_with("data:image/"));
    assert!(page.told["face"]["ticket"]["scan_url"].is_null(), "only the platform's code is of use");
    app.fault(json!({ "fault": "errcode", "code": 40165, "target": "wxacode" })).await;
    page.refresh(Some("mini")).await;
    let face = page.told["face"].clone();
    assert_eq!(face["mode"], "trouble", "{face}");
    assert!(face["trouble"]["heading"].is_string() && face["trouble"].get("retry_href").is_none());
    assert_eq!(page.refresh(Some("wechat")).await.json()["mode"], "qr");
}

#[tokio::test]
async fn after_a_restart_the_page_draws_anew_with_the_same_secret() {
    let app = TestApp::start().await;
    let mut page = begin(&app).await;
    let app = app.crash_and_restart().await;
    page.browser.router = app.router.clone();
    assert_eq!(page.call("status").await.status, StatusCode::NOT_FOUND);
    let redeem = page.call("redeem").await;
    assert_eq!((redeem.status, redeem.json()["status"].clone()), (StatusCode::CONFLICT, json!("expired")));
    assert_eq!(page.refresh(None).await.status, StatusCode::OK);
    let person = app.person("小红").await;
    approve(&app, &page, &person).await;
    assert_eq!(page.call("redeem").await.status, StatusCode::OK);
}
