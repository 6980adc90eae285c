//! What all pages share.

use http::{Method, StatusCode};
use mashang_login::ambient::SystemEntropy;
use mashang_login::client::Client;
use mashang_login::ids::ClientId;
use mashang_login::secret::{ClientSecret, RefreshToken};

use crate::support::*;

#[tokio::test]
async fn sec_65_every_answer_carries_the_protective_headers_errors_too() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    assert_eq!(app.desktop().get("/s/x/result").await.header("cross-origin-opener-policy"), "same-origin");
    let popup = page.browser.get(&page.path).await;
    assert!(
        popup.header("cross-origin-opener-policy").is_empty(),
        "a website's popup finds its opener again"
    );
    for path in
        ["/", "/nowhere", "/authorize", "/token", "/userinfo", "/login/x/y", "/s/x", &page.path, "/logout"]
    {
        let answer = app.desktop().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(answer.status.as_u16() < 500, "{path}");
    }
}

#[tokio::test]
async fn sec_62_a_forged_host_changes_no_link() {
    let app = TestApp::start().await;
    let browser = app.desktop().with("host", "evil.example").with("x-forwarded-host", "evil.example");
    let document = browser.get("/.well-known/openid-configuration").await;
    assert!(!document.body.contains("evil.example"));
    assert_eq!(document.json()["issuer"], "http://127.0.0.1:8080");
    let page = app.open_login(&browser).await;
    assert!(!page.html.contains("evil.example"));
}

#[tokio::test]
async fn sec_64_another_sites_page_cannot_change_state() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let forged = page.browser.clone().with("sec-fetch-site", "cross-site");
    for end in ["redeem", "refresh", "cancel"] {
        assert_eq!(forged.post(&page.url(end), &[]).await.status, StatusCode::FORBIDDEN, "{end}");
    }
    assert_eq!(page.stage().await, "waiting");
}

#[tokio::test]
async fn pages_speak_the_visitors_language_and_remember_a_choice() {
    let app = TestApp::start().await;
    let english = app.desktop().with("accept-language", "en-GB,en;q=0.8");
    assert!(app.open_login(&english).await.html.contains("<html lang=\"en\""));
    let chinese = app.desktop().with("accept-language", "zh-CN");
    assert!(app.open_login(&chinese).await.html.contains("<html lang=\"zh-CN\""));
    let asked = app.open_login_with(&chinese, &[("ui_locales", "fr en")]).await;
    assert!(asked.html.contains("<html lang=\"en\""), "ui_locales of the website");
    chinese.get("/?lang=zh-CN").await;
    let chosen = app.open_login_with(&chinese, &[("ui_locales", "en")]).await;
    assert!(chosen.html.contains("<html lang=\"zh-CN\""), "the person's own choice wins");
}

#[tokio::test]
async fn sec_71_garbage_is_answered_with_4xx_and_never_hangs() {
    let app = TestApp::start().await;
    let device = app.desktop().with("sec-fetch-dest", "document");
    let long = "a".repeat(20_000);
    for path in [
        "/authorize?client_id=%ff%fe",
        "/authorize?client_id=site&client_id=site",
        "/login/%00/%ff",
        "/s/..%2f..",
        "/channel/wechat/callback?code=%ff&state=%ff",
        "/channel/none/callback?code=x&state=y",
        "/assets/x/..%2f..%2fCargo.toml",
        &format!("/authorize?client_id=site&state={long}"),
    ] {
        let answer = device.get(path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(answer.location().is_empty(), "{path}");
    }
    for path in ["/token", "/userinfo", "/revoke", "/authorize"] {
        let answer = device.send(Method::POST, path, Some("x".repeat(200_000))).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
    let unreadable = device.get("/login/%ff/x").await;
    assert!(unreadable.header("content-type").starts_with("text/html"), "a page, not a line of English");
    let reflected = device.get("//evil.example/x").await;
    assert!(!reflected.body.contains("evil.example"), "{}", reflected.body);
    assert_eq!(device.send(Method::DELETE, "/token", None).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn sec_15_a_flood_of_questions_from_one_address_is_slowed_down() {
    let app = TestApp::with_config("[limits]\npolls_per_minute = 5\n").await;
    let page = app.open_login(&app.desktop()).await;
    let mut last = page.status().await;
    for _ in 0..5 {
        last = page.status().await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn sec_15_held_questions_take_the_places_of_streams_and_are_answered_at_once_without_one() {
    let app = TestApp::with_config("[limits]\nstreams_per_address = 1\n").await;
    let page = app.open_login(&app.desktop()).await;
    let here = std::net::IpAddr::from([0, 0, 0, 0]);
    let place = app.app.limits.open_stream(here).unwrap();
    let path = page.url("status?wait=25&seen=0");
    let held = tokio::time::timeout(std::time::Duration::from_secs(15), page.browser.get(&path));
    let answer = held.await.expect("it is not held");
    assert_eq!(answer.json()["status"], "waiting");
    drop(place);
    let held = page.browser.clone();
    let held = tokio::spawn(async move { held.get(&path).await });
    while app.app.limits.open_stream(here).is_ok() {
        tokio::task::yield_now().await;
    }
    page.browser.post(&page.url("cancel"), &[]).await;
    assert_eq!(held.await.unwrap().status, StatusCode::OK, "and gives it back at the end");
    assert!(app.app.limits.open_stream(here).is_ok());
}

#[tokio::test]
async fn sec_16_the_ceiling_of_live_tickets_answers_busy_and_not_broken() {
    let app = TestApp::with_config("[limits]\nlive_tickets = 2\n").await;
    app.open_login(&app.desktop()).await;
    app.open_login(&app.desktop()).await;
    let answer = app.desktop().get(&app.authorize_path(&[])).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    let refused = app.app.metrics.refused_by_limit.get_or_create_owned(&[("limit", "full".into())]);
    assert_eq!(refused.get(), 1, "operators are told of it");
    app.pass(std::time::Duration::from_secs(3600));
    app.open_login(&app.desktop()).await;
}

#[tokio::test]
async fn whoever_is_over_a_limit_is_told_how_long_and_finds_the_way_back() {
    let app = TestApp::with_config("[limits]\nstarts_per_minute = 1\n").await;
    let browser = app.desktop().with("accept-language", "en");
    let path = app.authorize_path(&[]);
    browser.get(&path).await;
    let refused = browser.get(&path).await;
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!(
        (1..=61).contains(&wait) && refused.body.contains(&format!("try again in {wait} s")),
        "{}",
        refused.body
    );
    let href = refused.between("button-big\" href=\"", "\"").replace("&#x2f;", "/").replace("&amp;", "&");
    assert_eq!(href, path);
    let form = app.desktop().post("/authorize?client_id=site", &[("client_id", "site")]).await;
    assert!(!form.body.contains("button-big"), "what a form sent is not sent anew by a link");
}

/// Each address of a ticket that is gone draws a fresh one: that is a start, whoever asks.
#[tokio::test]
async fn sec_16_addresses_of_lost_tickets_draw_no_more_than_an_address_may_begin() {
    let app = TestApp::with_config("[limits]\nstarts_per_minute = 5\n").await;
    let page = app.open_login(&app.desktop()).await;
    let lost = |n: usize| format!("/login/{}/{n:0>32}", page.grant);
    let mut statuses = Vec::new();
    for n in 0..8 {
        statuses.push(page.browser.get(&lost(n)).await.status);
    }
    assert_eq!(statuses[..4], [StatusCode::SEE_OTHER; 4], "the first of five began the login");
    assert_eq!(statuses[4..], [StatusCode::TOO_MANY_REQUESTS; 4]);
    let begun = app.app.metrics.begun.get_or_create_owned(&[("client", "site".into())]);
    assert_eq!(begun.get(), 5);
    let trail = app.app.records.audit_trail(100).await.unwrap();
    assert!(trail.iter().all(|event| event.ticket.is_none()), "sec_78: and filled no trail");
    assert_eq!(page.status().await.status, StatusCode::OK, "who waits goes on waiting");
}

#[tokio::test]
async fn promise_12_the_sandbox_shows_itself_on_every_page() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    assert!(page.html.contains("仿真环境"));
    assert!(app.desktop().get("/").await.body.contains("仿真环境"));
}

#[tokio::test]
async fn health_is_told_to_whoever_runs_the_process() {
    let app = TestApp::start().await;
    assert_eq!(app.desktop().get("/healthz").await.body, "ok\n");
    assert_eq!(app.desktop().get("/readyz").await.status, StatusCode::OK);
    app.app.stopping.cancel();
    assert_eq!(app.desktop().get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn assets_are_kept_for_ever_by_their_hash() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let href = page
        .html
        .split("href=\"")
        .find(|part| part.contains("mashang.css"))
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let answer = app.desktop().get(&href.replace("&#x2f;", "/")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("cache-control").contains("immutable"));
    assert_eq!(app.desktop().get("/assets/old/mashang.css").await.header("cache-control"), "no-store");
    assert_eq!(app.desktop().get("/assets/x/none.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sec_79_guessing_client_secrets_makes_the_right_one_wait_too() {
    let app = TestApp::with_config("[limits]\ntoken_errors_per_minute = 3\n").await;
    let wrong = app.desktop().with("authorization", "Basic c2l0ZTp3cm9uZw==");
    for _ in 0..4 {
        assert_eq!(
            wrong.post("/token", &[("grant_type", "authorization_code")]).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let right = app.exchange("anything").await;
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(right.json()["error"], "temporarily_unavailable");
    assert!(right.header("retry-after").parse::<u64>().unwrap() >= 1);
    let trail = app.app.records.audit_trail(10).await.unwrap();
    let refused = trail.iter().find(|event| event.kind.as_str() == "client_refused").unwrap();
    assert_eq!(refused.client.as_ref().map(ClientId::as_str), Some("site"), "the trail names it");
}

/// Behind one address are all of a company's products.
#[tokio::test]
async fn sec_79_a_client_with_an_old_secret_keeps_no_other_client_behind_its_address_waiting() {
    let app = TestApp::with_config("[limits]\ntoken_errors_per_minute = 3\n").await;
    let secret = ClientSecret::random(&SystemEntropy);
    app.register("wiki", Client::authentication_by(&secret)).await;
    for _ in 0..4 {
        ask(&app, "site", "old").await;
    }
    assert_eq!(ask(&app, "site", "old").await.status, StatusCode::TOO_MANY_REQUESTS);
    let other = ask(&app, "wiki", secret.expose()).await;
    assert_eq!(other.json()["error"], "invalid_request", "who it is, is heard: {}", other.body);
    let public = app.desktop().post("/token", &[("grant_type", "refresh_token"), ("client_id", "spa")]).await;
    assert_eq!(public.status, StatusCode::BAD_REQUEST, "{}", public.body);
    // Clients that do not exist are as many as somebody likes, and one share.
    for n in 0..3 {
        assert_eq!(ask(&app, &format!("none{n}"), "x").await.json()["error"], "invalid_client");
    }
    assert_eq!(ask(&app, "none", "x").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask(&app, "wiki", secret.expose()).await.json()["error"], "invalid_request");
}

async fn ask(app: &TestApp, client: &str, secret: &str) -> Answer {
    let form = [("grant_type", "authorization_code"), ("client_id", client), ("client_secret", secret)];
    app.desktop().post("/token", &form).await
}

/// What one address asks is work, whether it is about somebody or made up.
#[tokio::test]
async fn sec_79_no_endpoint_is_asked_without_end_from_one_address() {
    let app = TestApp::with_config("[limits]\ncalls_per_minute = 3\npolls_per_minute = 3\n").await;
    let page = app.open_login_with(&app.desktop(), &[("prompt", "login")]).await;
    let made_up = app.desktop().with("authorization", "Bearer mat_x");
    for path in ["/token", "/revoke", "/userinfo"] {
        let mut last = made_up.post(path, &[("token", "x")]).await;
        for _ in 0..3 {
            last = made_up.post(path, &[("token", "x")]).await;
        }
        assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert_eq!(last.json()["error"], "temporarily_unavailable", "{path}");
        assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1, "{path}");
    }
    for _ in 0..3 {
        app.desktop().get("/logout").await;
    }
    for path in ["/logout", "/s/x/confirm"] {
        assert_eq!(app.desktop().get(path).await.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    for path in ["redeem", "cancel"] {
        let answer = page.browser.post(&page.url(path), &[]).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
}

/// A page that refreshes in a loop.
#[tokio::test]
async fn sec_79_one_login_is_refreshed_so_often_and_the_refusal_spends_no_token() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let asked = [("scope", "openid offline_access")];
    let code = param(&app.log_in_with(&app.desktop(), &person, &asked).await, "code");
    let mut token = app.exchange(&code).await.json()["refresh_token"].as_str().unwrap().to_owned();
    let refresh = async |token: &str| {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        app.desktop().with("authorization", &app.basic()).post("/token", &form).await
    };
    for _ in 0..90 {
        let answer = refresh(&token).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            let hash = RefreshToken::parse(&token).unwrap().hash();
            let kept = app.app.records.refresh_token(&hash).await.unwrap().unwrap();
            assert_eq!(kept.spent_at, None);
            return;
        }
        token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    }
    panic!("ninety refreshes were let through");
}

#[tokio::test]
async fn without_a_channel_the_page_says_so_instead_of_showing_a_qr() {
    let app = TestApp::without_channels().await;
    for language in ["zh-CN", "en"] {
        let answer = app.desktop().with("accept-language", language).get(&app.authorize_path(&[])).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.body.contains("[channel."), "{}", answer.body);
    }
}
