//! The promises of the design that are visible over HTTP, by number.

use std::time::Duration;

use http::StatusCode;
use mashang_login::audit::AuditKind;
use mashang_login::ids::{ChannelId, UserId};
use mashang_server::config;
use mashang_server::open::{self, Surroundings};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn the_whole_path_ends_with_claims_about_the_person_who_approved() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let back = app
        .log_in_with(&app.desktop(), &person, &[("scope", "openid profile wechat_openid wechat_unionid")])
        .await;
    assert!(back.starts_with(SITE));
    assert_eq!(param(&back, "state"), "st4te");
    assert_eq!(param(&back, "iss"), "http://127.0.0.1:8080");
    let tokens = app.exchange(&param(&back, "code")).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    assert_eq!(tokens.header("cache-control"), "no-store");
    let id = claims(tokens.json()["id_token"].as_str().unwrap());
    assert_eq!(id["amr"], json!(["wechat-official"]));
    assert_eq!(id["nonce"], "n0nce");
    assert_eq!(id["aud"], "site");
    let info = app.userinfo(tokens.json()["access_token"].as_str().unwrap()).await.json();
    assert_eq!(info["sub"], id["sub"]);
    assert_eq!(info["name"], "小明");
    assert_eq!(info["wechat_openid"].as_str().unwrap().len(), 28);
    assert_eq!(info["wechat_unionid"].as_str().unwrap().len(), 28);
}

#[tokio::test]
async fn promise_1_seeing_the_qr_lets_nobody_watch_redeem_refresh_or_cancel() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &token, &page.number).await;
    // The attacker has the whole page source and a valid cookie of an own login.
    let attacker = app.desktop();
    app.open_login(&attacker).await;
    let never = attacker.fetch(&format!("/login/{}/{}/redeem", "x".repeat(32), "y".repeat(32))).await;
    for end in ["status", "events"] {
        let answer = attacker.get(&page.url(end)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{end}");
    }
    for end in ["redeem", "refresh", "cancel"] {
        let answer = attacker.fetch(&page.url(end)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{end}: {}", answer.body);
        assert_eq!(answer.json()["error"], never.json()["error"], "sec_14: one answer for all");
    }
    assert_eq!(attacker.get(&page.path).await.status, StatusCode::NOT_FOUND);
    let bare = app.desktop();
    assert_eq!(bare.get(&page.url("status")).await.status, StatusCode::NOT_FOUND);
    // And the owner is not disturbed.
    assert!(page.redeem().await.starts_with(SITE));
}

#[tokio::test]
async fn promise_2_no_get_on_the_phone_approves_anything() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    app.scan(&phone, &page.ticket, &person).await;
    for end in ["", "/confirm", "/approve", "/deny", "/result", "/result?outcome=approved"] {
        phone.get(&format!("/s/{}{end}", page.ticket)).await;
    }
    assert_eq!(page.stage().await, "scanned");
    assert_eq!(page.browser.fetch(&page.url("redeem")).await.status, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_3_of_100_parallel_redemptions_exactly_one_wins() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &token, &page.number).await;
    let tries: Vec<_> = (0..100)
        .map(|_| {
            let page = page.clone();
            tokio::spawn(async move { page.browser.fetch(&page.url("redeem")).await.status })
        })
        .collect();
    let mut won = 0;
    for one in tries {
        let status = one.await.unwrap();
        won += usize::from(status == StatusCode::OK);
        assert!(status == StatusCode::OK || status.is_client_error(), "{status}");
    }
    assert_eq!(won, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_3_of_100_parallel_exchanges_one_wins_and_the_replay_revokes_its_tokens() {
    let app = std::sync::Arc::new(TestApp::start().await);
    let person = app.person("小明").await;
    let code = param(&app.log_in(&app.desktop(), &person).await, "code");
    let tries: Vec<_> = (0..100)
        .map(|_| {
            let (app, code) = (app.clone(), code.clone());
            tokio::spawn(async move { app.exchange(&code).await })
        })
        .collect();
    let mut winners = Vec::new();
    for one in tries {
        let answer = one.await.unwrap();
        match answer.status {
            StatusCode::OK => winners.push(answer.json()["access_token"].as_str().unwrap().to_owned()),
            status => {
                assert_eq!(status, StatusCode::BAD_REQUEST, "{}", answer.body);
                assert_eq!(answer.json()["error"], "invalid_grant");
            }
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(app.userinfo(&winners[0]).await.status, StatusCode::UNAUTHORIZED, "sec_49");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_3_of_parallel_approvals_and_denials_exactly_one_counts() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    let tries: Vec<_> = (0..50)
        .map(|n| {
            let (phone, page, token) = (phone.clone(), page.clone(), token.clone());
            tokio::spawn(async move {
                let end = if n % 2 == 0 { "approve" } else { "deny" };
                let form = [("confirm_token", token.as_str()), ("number", page.number.as_str())];
                phone.post(&format!("/s/{}/{end}", page.ticket), &form).await.location().to_owned()
            })
        })
        .collect();
    let mut told = Vec::new();
    for one in tries {
        told.push(one.await.unwrap());
    }
    assert!(told.iter().all(|location| *location == told[0]), "all hear of the one that counts: {told:?}");
    let (expected, kind) = if told[0].ends_with("outcome=approved") {
        ("approved", AuditKind::TicketApproved)
    } else {
        ("denied", AuditKind::TicketDenied)
    };
    assert_eq!(page.stage().await, expected, "{}", told[0]);
    let trail = app.app.records.audit_trail(200).await.unwrap();
    let answers = [AuditKind::TicketApproved, AuditKind::TicketDenied, AuditKind::WrongNumber];
    let answers: Vec<_> =
        trail.iter().map(|event| event.kind).filter(|kind| answers.contains(kind)).collect();
    assert_eq!(answers, [kind]);
}

#[tokio::test]
async fn promise_4_each_stage_ends_by_the_clock_alone() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let (browser, phone) = (app.desktop(), app.phone());

    let page = app.open_login(&browser).await;
    app.pass(Duration::from_secs(120));
    assert_eq!(page.stage().await, "expired");
    assert!(phone.get(&format!("/s/{}", page.ticket)).await.location().ends_with("outcome=expired"));

    let page = app.open_login(&browser).await;
    let token = app.scan(&phone, &page.ticket, &person).await;
    app.pass(Duration::from_secs(120));
    let late = app.approve(&phone, &page, &token, &page.number).await;
    assert!(late.location().ends_with("outcome=expired"));

    let page = app.open_login(&browser).await;
    let token = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &token, &page.number).await;
    app.pass(Duration::from_secs(30));
    let late = page.browser.fetch(&page.url("redeem")).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(late.json()["status"], "expired");
}

#[tokio::test]
async fn promise_6_two_apps_of_one_open_platform_account_are_one_person_by_unionid() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let by_scan = app.log_in(&app.desktop(), &person).await;
    let by_page = crate::channel::log_in_on_platform_page(&app, &app.desktop(), &person).await;
    let subject = async |back: &str| {
        let tokens = app.exchange(&param(back, "code")).await.json();
        claims(tokens["id_token"].as_str().unwrap())["sub"].clone()
    };
    let sub = subject(&by_scan).await;
    assert_eq!(sub, subject(&by_page).await);
    let trail = app.app.records.audit_trail(100).await.unwrap();
    let mut added = trail.iter().filter(|event| event.kind == AuditKind::IdentityLinked);
    let event = added.next().expect("that an identity was added is written down");
    assert_eq!(event.user.as_ref().map(UserId::as_str), sub.as_str());
    assert_eq!(event.other, event.user, "by the unionid of the person themself");
    assert_eq!(event.channel.as_ref().map(ChannelId::as_str), Some("web"));
    assert!(event.ticket.is_some() && event.client.is_some() && event.address.is_some());
    assert_eq!(added.next(), None, "once");
    let other = app.person("小红").await;
    let by_other = app.log_in(&app.desktop(), &other).await;
    assert_ne!(subject(&by_other).await, subject(&app.log_in(&app.desktop(), &person).await).await);
}

#[tokio::test]
async fn promise_8_a_crash_at_any_stage_lets_nobody_in_and_loses_no_person() {
    let mut app = TestApp::start().await;
    // One of the sandbox's own people, who is there again after a restart, with the same openid.
    let person = "xiaoming".to_owned();
    let first = app.log_in(&app.desktop(), &person).await;
    let sub = claims(app.exchange(&param(&first, "code")).await.json()["id_token"].as_str().unwrap())["sub"]
        .clone();
    for stage in ["waiting", "scanned", "approved"] {
        let browser = app.desktop();
        let page = app.open_login(&browser).await;
        if stage != "waiting" {
            let phone = app.phone();
            let token = app.scan(&phone, &page.ticket, &person).await;
            if stage == "approved" {
                app.approve(&phone, &page, &token, &page.number).await;
            }
        }
        assert_eq!(page.stage().await, stage);
        app = app.crash_and_restart().await;
        let browser = Device { cookies: browser.cookies, ..app.desktop() };
        let lost = browser.fetch(&page.url("redeem")).await;
        assert!(lost.status.is_client_error(), "{stage}: {}", lost.body);
        // The open page recovers by itself: its script asks for a fresh QR, and the login goes on.
        let fresh = browser.fetch(&page.url("refresh")).await;
        assert_eq!(fresh.status, StatusCode::OK, "{stage}: {}", fresh.body);
        let page_path = fresh.json()["urls"]["page"].as_str().unwrap().to_owned();
        let page = app.login_page(&browser, &page_path).await;
        let phone = app.phone();
        let token = app.scan(&phone, &page.ticket, &person).await;
        app.approve(&phone, &page, &token, &page.number).await;
        assert!(page.redeem().await.starts_with(SITE));
    }
    let again = app.log_in(&app.desktop(), &person).await;
    let tokens = app.exchange(&param(&again, "code")).await.json();
    assert_eq!(
        claims(tokens["id_token"].as_str().unwrap())["sub"],
        sub,
        "the same person as before every crash"
    );
}

#[tokio::test]
async fn promise_10_a_waiting_browser_learns_nothing_about_who_scanned() {
    let app = TestApp::start().await;
    let person = app.person("很特别的名字").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    let told = [page.status().await.body, page.browser.get(&page.path).await.body];
    app.approve(&phone, &page, &token, &page.number).await;
    let approved = page.status().await;
    assert_eq!(
        approved.json().as_object().unwrap().keys().collect::<Vec<_>>(),
        ["seconds_left", "status", "version"],
        "sec_03: state only"
    );
    for text in told {
        assert!(!text.contains("很特别的名字"), "sec_13");
    }
}

/// SEC-22, SEC-24, promise 5.
#[tokio::test]
async fn promise_5_an_openid_sent_by_a_browser_or_a_phone_is_refused_everywhere() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let back = app.authorize_at_wechat(&phone, &page.ticket, &person).await;
    for claim in
        ["openid=oVictim", "unionid=oVictim", "UserId=victim", "access_token=stolen", "phone_number=1"]
    {
        let named = phone.get(&format!("{back}&{claim}")).await;
        assert_eq!(named.status, StatusCode::BAD_REQUEST, "{claim}");
        let looked = page.browser.get(&format!("{}?{claim}", page.path)).await;
        assert_eq!(looked.status, StatusCode::BAD_REQUEST, "{claim}");
    }
    assert_eq!(page.stage().await, "waiting");
    let confirm = phone.get(&back).await;
    assert!(confirm.location().ends_with("/confirm"), "the code was not spent: {}", confirm.body);
    let form = phone.get(confirm.location()).await;
    let token = form.between("name=\"confirm_token\" value=\"", "\"").to_owned();
    let fields = [("confirm_token", token.as_str()), ("number", page.number.as_str()), ("openid", "oVictim")];
    let approved = phone.post(&format!("/s/{}/approve", page.ticket), &fields).await;
    assert_eq!(approved.status, StatusCode::BAD_REQUEST);
    assert_eq!(page.stage().await, "scanned");
    let trail = app.app.records.audit_trail(100).await.unwrap();
    let refused = trail.iter().filter(|event| event.kind.as_str() == "identity_in_request_refused").count();
    assert_eq!(refused, 11);
}

/// SEC-16: refusals are recorded, but nobody fills the trail with them.
#[tokio::test]
async fn sec_16_an_address_that_goes_on_naming_people_is_refused_without_a_row_each() {
    let app = TestApp::start().await;
    let stranger = app.desktop();
    for _ in 0..60 {
        assert_eq!(stranger.get("/?openid=oVictim").await.status, StatusCode::BAD_REQUEST);
    }
    let trail = app.app.records.audit_trail(200).await.unwrap();
    let rows = trail.iter().filter(|event| event.kind.as_str() == "identity_in_request_refused").count();
    assert!((30..60).contains(&rows), "{rows}");
}

#[tokio::test]
async fn promise_12_a_database_that_was_used_with_the_sandbox_is_told_as_such_when_it_goes_live() {
    let app = TestApp::start().await;
    let day = app.app.now().strftime("%F").to_string();
    app.pass(Duration::from_secs(7 * 86_400));
    let told = open::sandbox_remains(&*app.app.records).await.unwrap().unwrap();
    assert!(told.contains("anyone can be anyone") && told.contains(&day), "{told}");
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[store]\nurl = \"sqlite:{0}/m.db\"\nmaster_key_file = \"{0}/m.key\"\n",
        folder.path().display()
    );
    let own = open::app(&config::from_text(&text).unwrap(), Surroundings::default()).await.unwrap();
    assert_eq!(open::sandbox_remains(&*own.records).await.unwrap(), None);
}
