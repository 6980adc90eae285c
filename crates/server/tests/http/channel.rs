//! `/channel/…`: platforms send people back.

use http::StatusCode;
use serde_json::json;

use crate::support::*;

/// Signs in through the website app's own page, in the whole window.
pub async fn log_in_on_platform_page(app: &TestApp, browser: &Device, person: &str) -> String {
    let page = app.open_login(browser).await;
    let back = callback_from_platform(app, &page, person).await;
    let done = browser.get(&back).await;
    assert!(done.location().starts_with(SITE), "{}: {}", done.status, done.location());
    done.location().to_owned()
}

/// As far as the address the platform's page navigates to.
pub async fn callback_from_platform(app: &TestApp, page: &LoginPage, person: &str) -> String {
    let start = page.browser.get(&format!("/channel/web/start/{}/{}", page.grant, page.ticket)).await;
    assert_eq!(start.status, StatusCode::SEE_OTHER, "{}", start.body);
    scan_and_allow(app, start.location(), person).await
}

async fn scan_and_allow(app: &TestApp, qr_page: &str, person: &str) -> String {
    let html = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(qr_page)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let from = html.find("/connect/qrcode/").unwrap_or_else(|| panic!("{qr_page}: {html}")) + 16;
    let uuid: String =
        html[from..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_=-".contains(*c)).collect();
    app.sandbox("scan", json!({ "uuid": uuid, "person": person })).await;
    let allowed = app.sandbox("allow", json!({ "uuid": uuid, "person": person })).await;
    allowed["redirect"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_website_app_signs_in_by_redirect() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let back = log_in_on_platform_page(&app, &app.desktop(), &person).await;
    let tokens = app.exchange(&param(&back, "code")).await.json();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["amr"], json!(["wechat-open"]));
}

#[tokio::test]
async fn the_website_app_signs_in_inside_our_frame() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let browser = app.desktop();
    let page = app.open_login(&browser).await;
    let tab = browser.get(&format!("{}?channel=web", page.path)).await;
    assert!(tab.header("content-security-policy").contains(&format!("frame-src 'self' {}", app.sandbox_url)));
    let src = tab.between("<iframe", "</iframe>").split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let src = src.replace("&#x2f;", "/").replace("&amp;", "&");
    assert!(src.contains("login_type=jssdk&self_redirect=true"), "{src}");
    let back = scan_and_allow(&app, &src, &person).await;
    let framed = browser.clone().with("sec-fetch-dest", "iframe").get(&back).await;
    assert_eq!(framed.location(), "/channel/web/returned?outcome=approved", "sec_41: a clean address");
    let shown = browser.get(framed.location()).await;
    assert!(shown.header("content-security-policy").contains("frame-ancestors 'self'"));
    assert_eq!(page.stage().await, "approved");
    assert!(page.redeem().await.starts_with(SITE));
}

#[tokio::test]
async fn a_frame_without_our_cookie_asks_again_before_anything_is_spent() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let back = callback_from_platform(&app, &page, &person).await;
    let bare = app.desktop().with("sec-fetch-dest", "iframe").get(&back).await;
    assert_eq!(bare.status, StatusCode::OK);
    assert!(bare.body.contains("again=1"));
    assert!(page.browser.get(&back).await.location().starts_with(SITE), "nothing was spent");
}

#[tokio::test]
async fn sec_25_a_state_is_bound_to_its_device_and_not_spent_by_another() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let back = callback_from_platform(&app, &page, &person).await;
    // Login CSRF: the victim's browser is sent to the attacker's callback.
    let victim = app.desktop();
    app.open_login(&victim).await;
    assert_eq!(victim.get(&back).await.status, StatusCode::NOT_FOUND);
    assert_eq!(page.stage().await, "waiting");
    // Nor did a visit without any cookie, such as a prefetch, spoil it for the browser that set out.
    let bare = app.desktop().with("sec-fetch-dest", "document").get(&back).await;
    assert_eq!(bare.status, StatusCode::NOT_FOUND);
    assert!(page.browser.get(&back).await.location().starts_with(SITE));
    // A made-up, missing or foreign state never reaches the platform.
    for path in [
        "/channel/web/callback?code=x",
        "/channel/web/callback?code=x&state=y",
        "/channel/none/callback?code=x&state=y",
    ] {
        assert_eq!(page.browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // And one channel's state does not open another channel.
    let page = app.open_login(&app.desktop()).await;
    let back =
        callback_from_platform(&app, &page, &person).await.replace("/channel/web/", "/channel/wechat/");
    assert_eq!(page.browser.get(&back).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sec_16_whoever_keeps_bringing_a_foreign_state_fills_no_trail() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let back = callback_from_platform(&app, &page, &person).await;
    let stranger = app.desktop().with("sec-fetch-dest", "document");
    for _ in 0..60 {
        assert_eq!(stranger.get(&back).await.status, StatusCode::NOT_FOUND);
    }
    let trail = app.app.records.audit_trail(200).await.unwrap();
    let rows = trail.iter().filter(|event| event.kind.as_str() == "foreign_state_refused").count();
    assert!((30..60).contains(&rows), "{rows}");
}

#[tokio::test]
async fn a_second_callback_follows_the_first_without_a_second_exchange() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let back = app.authorize_at_wechat(&phone, &page.ticket, &person).await;
    app.fault(json!({ "fault": "used_code", "target": "access_token" })).await;
    app.fault(json!({ "fault": "used_code", "on": false })).await;
    let first = phone.get(&back).await;
    let second = phone.get(&back).await;
    assert_eq!(first.location(), second.location());
    assert_eq!(page.stage().await, "scanned");
}

#[tokio::test]
async fn sec_26_a_platform_code_in_another_trip_is_refused_without_asking_the_platform() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let (one, two) = (app.open_login(&app.desktop()).await, app.open_login(&app.desktop()).await);
    let phone = app.phone();
    let first = app.authorize_at_wechat(&phone, &one.ticket, &person).await;
    let second = app.authorize_at_wechat(&phone, &two.ticket, &person).await;
    phone.get(&first).await;
    let code = param(&first, "code");
    let mixed = second.replace(&param(&second, "code"), &code);
    assert!(phone.get(&mixed).await.location().ends_with("outcome=expired"));
    assert_eq!(two.stage().await, "waiting");
}

#[tokio::test]
async fn a_person_who_declines_at_the_platform_can_scan_again() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let back = app.authorize_at_wechat(&phone, &page.ticket, &person).await;
    let without_code = format!("/channel/wechat/callback?state={}", param(&back, "state"));
    assert!(phone.get(&without_code).await.location().ends_with("outcome=denied"));
    assert_eq!(page.stage().await, "waiting");
    app.scan(&phone, &page.ticket, &person).await;
}

#[tokio::test]
async fn snapshot_people_are_refused_with_a_sentence() {
    let app = TestApp::start().await;
    let person = app.sandbox("people", json!({ "name": "快照", "snapshot": true })).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = app.open_login(&app.desktop()).await;
    let answer = app.callback_of(&app.phone(), &page.ticket, &person).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.body.contains("快照"), "{}", answer.body);
    assert_eq!(page.stage().await, "waiting");
}

#[tokio::test]
async fn the_full_page_after_a_snapshot_signs_in_the_real_person() {
    let app = TestApp::start().await;
    let made = app.sandbox("people", json!({ "name": "快照", "snapshot": true })).await;
    let (invented, person) = (made["id"].as_str().unwrap().to_owned(), app.person("小明").await);
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let at_wechat = app.set_out(&phone, &format!("/s/{}", page.ticket)).await.location().to_owned();
    let back = async |person: &str| {
        let body = json!({ "url": at_wechat, "person": person, "answer": "allow" });
        app.sandbox("authorize", body).await["redirect"].as_str().unwrap().to_owned()
    };
    let snapshot = back(&invented).await;
    assert!(phone.get(&snapshot).await.body.contains("使用完整服务"));
    // WeChat's own button leads back with the same state, and a code of the real person.
    let full = back(&person).await;
    let confirm = format!("/s/{}/confirm", page.ticket);
    assert_eq!(phone.get(&full).await.location(), confirm);
    assert_eq!(page.stage().await, "scanned");
    assert_eq!(phone.get(&full).await.location(), confirm, "once more");
    assert_eq!(phone.get(&snapshot).await.location(), confirm, "whichever page is left open");
    let another = back(&app.person("小红").await).await;
    assert_eq!(phone.get(&another).await.location(), confirm, "nobody else's code counts any more");
    let trail = app.app.records.audit_trail(100).await.unwrap();
    assert_eq!(trail.iter().filter(|event| event.kind.as_str() == "ticket_scanned").count(), 1);
}

#[tokio::test]
async fn a_snapshot_without_our_cookies_is_told_how_to_open_the_full_page() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let back = app.authorize_at_wechat(&phone, &page.ticket, &person).await;
    let bare = app.phone().with("sec-fetch-dest", "document").get(&back).await;
    assert!(bare.body.contains("使用完整服务"), "{}", bare.body);
    assert_eq!(page.stage().await, "waiting", "SEC-25: its code was not exchanged");
    assert_eq!(phone.get(&back).await.location(), format!("/s/{}/confirm", page.ticket));
}

#[tokio::test]
async fn promise_9_every_fault_of_the_platform_ends_in_a_clear_page_in_both_languages() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let faults = [
        (json!({ "fault": "invalid_code" }), Some("40029")),
        (json!({ "fault": "used_code" }), Some("40163")),
        (json!({ "fault": "system_error" }), Some("-1")),
        (json!({ "fault": "empty_body" }), None),
        (json!({ "fault": "html_body" }), None),
        (json!({ "fault": "garbage_json" }), None),
        (json!({ "fault": "slow", "ms": 60_000 }), None),
    ];
    for (fault, errcode) in faults {
        for language in ["zh-CN", "en"] {
            let page = app.open_login(&app.desktop()).await;
            let phone = app.phone().with("accept-language", language);
            let back = app.authorize_at_wechat(&phone, &page.ticket, &person).await;
            app.fault(fault.clone()).await;
            let answer = phone.get(&back).await;
            app.fault(json!({ "on": false })).await;
            assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{fault} {}", answer.body);
            assert!(answer.body.contains(&format!("<html lang=\"{language}\"")), "{fault}");
            if let Some(errcode) = errcode {
                assert!(answer.body.contains(errcode), "{fault}: {}", answer.body);
            }
            assert!(answer.body.contains(&format!("&#x2f;s&#x2f;{}", page.ticket)), "a way to try again");
            assert_eq!(page.stage().await, "waiting", "{fault}: nobody is logged in");
            // And trying again works.
            app.scan(&phone, &page.ticket, &person).await;
        }
    }
}

#[tokio::test]
async fn promise_9_a_fault_inside_the_frame_is_seen_there_and_leads_out_of_it() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let back = callback_from_platform(&app, &page, &person).await;
    app.fault(json!({ "fault": "html_body" })).await;
    let framed = page.browser.clone().with("sec-fetch-dest", "iframe").get(&back).await;
    assert_eq!(framed.status, StatusCode::BAD_GATEWAY);
    assert!(framed.header("content-security-policy").contains("frame-ancestors 'self'"));
    assert_eq!(framed.header("x-frame-options"), "SAMEORIGIN");
    assert!(framed.body.contains("target=\"_top\""), "{}", framed.body);
}

#[tokio::test]
async fn a_frame_that_comes_back_too_late_does_not_claim_to_be_signing_in() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let start = page.browser.get(&format!("{}?channel=web", page.path)).await;
    let src =
        start.between("<iframe", "</iframe>").split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let back = scan_and_allow(&app, &src.replace("&#x2f;", "/").replace("&amp;", "&"), &person).await;
    page.browser.fetch(&page.url("refresh")).await;
    let late = page.browser.get(&back).await;
    assert_eq!(late.location(), "/channel/web/returned?outcome=expired");
    let shown = page.browser.get(late.location()).await;
    assert!(shown.body.contains("没有登录"), "{}", shown.body);
}

#[tokio::test]
async fn a_callback_that_hangs_up_is_finished_and_the_second_visit_finds_its_scan() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let back = app.authorize_at_wechat(&phone, &page.ticket, &person).await;
    app.fault(json!({ "fault": "slow", "ms": 300, "remaining": 1 })).await;
    {
        // Polled until the platform has its request, then dropped, as when a web view closes its connection.
        let has_arrived = async {
            while !app.faults().await.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = phone.get(&back) => panic!("the platform is slow"),
            () = has_arrived => {}
        }
    }
    let second = phone.get(&back).await;
    assert_eq!(second.location(), format!("/s/{}/confirm", page.ticket));
    assert_eq!(page.stage().await, "scanned");
    assert_eq!(phone.get(second.location()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_failed_callback_called_twice_shows_its_failure_twice_and_asks_once() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let back = app.authorize_at_wechat(&phone, &page.ticket, &person).await;
    app.fault(json!({ "fault": "invalid_code", "remaining": 1 })).await;
    assert_eq!(phone.get(&back).await.status, StatusCode::BAD_GATEWAY);
    let again =
        tokio::time::timeout(std::time::Duration::from_secs(2), phone.get(&back)).await.expect("at once");
    assert_eq!(again.status, StatusCode::BAD_GATEWAY, "no second trip, no loop: {}", again.location());
    assert!(again.body.contains("40029"));
    let declined = format!(
        "/channel/wechat/callback?state={}",
        param(&app.authorize_at_wechat(&phone, &page.ticket, &person).await, "state")
    );
    for _ in 0..2 {
        assert!(phone.get(&declined).await.location().ends_with("outcome=denied"));
    }
}

#[tokio::test]
async fn wechats_own_qr_is_waited_for_as_long_as_it_lives() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    app.pass(std::time::Duration::from_secs(60));
    let back = callback_from_platform(&app, &page, &person).await;
    app.pass(std::time::Duration::from_secs(200));
    assert!(page.browser.get(&back).await.location().starts_with(SITE), "260 s after the drawing");
    let page = app.open_login_with(&app.desktop(), &[("prompt", "login")]).await;
    let back = callback_from_platform(&app, &page, &person).await;
    app.pass(std::time::Duration::from_secs(300));
    assert!(!page.browser.get(&back).await.location().starts_with(SITE));
}

#[tokio::test]
async fn sec_71_a_code_or_state_that_comes_twice_is_refused_and_spends_nothing() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let back = app.authorize_at_wechat(&phone, &page.ticket, &person).await;
    for twice in ["&code=other", "&state=other"] {
        assert_eq!(phone.get(&format!("{back}{twice}")).await.status, StatusCode::BAD_REQUEST, "{twice}");
    }
    assert!(phone.get(&back).await.location().ends_with("/confirm"));
}
