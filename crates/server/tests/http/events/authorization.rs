//! News of people's authorizations: withdrawn, closed with the account, or with another profile.

use std::time::Duration;

use http::StatusCode;
use mashang_login::audit::AuditKind;
use mashang_login::identity::Profile;
use mashang_login::ids::UserId;
use mashang_sandbox::{DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_ORIGINAL_ID};
use mashang_wechat::callback::sign;

use super::{Delivery, Handler, channel, start, token};
use crate::account::{press_link, sign_in};
use crate::support::{Device, TestApp};

/// The news as WeChat writes it: its sender is a service of the platform.
fn news(app: &TestApp, event: &str, openid: &str, more: &str) -> String {
    let at = app.app.now().as_second();
    format!(
        "<xml><ToUserName>{DEMO_OFFICIAL_ORIGINAL_ID}</ToUserName><FromUserName>gh_push_service</FromUserName>\
         <CreateTime>{at}</CreateTime><MsgType>event</MsgType><Event>{event}</Event><OpenID>{openid}</OpenID>\
         <AppID>{DEMO_OFFICIAL_APPID}</AppID>{more}</xml>"
    )
}

fn revoked(app: &TestApp, openid: &str, item: &str) -> String {
    news(app, "user_authorization_revoke", openid, &format!("<RevokeInfo>{item}</RevokeInfo>"))
}

async fn tell(app: &TestApp, message: &str) {
    let (status, answer) = Delivery::of(app, message).post(app).await;
    assert_eq!((status, answer.as_str()), (StatusCode::OK, "success"));
}

/// The one person there is, and their openids, oldest first.
async fn somebody(app: &TestApp) -> (UserId, Vec<String>) {
    let user = app.app.records.users("", 10).await.unwrap().remove(0).id;
    let identities = app.app.records.identities_of(&user).await.unwrap();
    (user, identities.into_iter().map(|identity| identity.key.subject).collect())
}

async fn is_signed_in(browser: &Device) -> bool {
    browser.get("/account").await.status == StatusCode::OK
}

async fn kinds(app: &TestApp, of: &UserId) -> Vec<AuditKind> {
    let told = [AuditKind::AuthorizationWithdrawn, AuditKind::ProfileForgotten, AuditKind::PersonErased];
    let events = app.app.records.audit_of(of, &told, 10).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn sec_90_whoever_closed_their_account_or_withdrew_everything_is_erased_if_it_was_their_only_way() {
    for message in [
        |app: &TestApp, openid: &str| news(app, "user_authorization_cancellation", openid, ""),
        |app: &TestApp, openid: &str| revoked(app, openid, "301"),
    ] {
        let app = start().await;
        let (browser, person) = (app.desktop(), app.person("小明").await);
        sign_in(&app, &browser, &person).await;
        let (user, openids) = somebody(&app).await;
        tell(&app, &message(&app, &openids[0])).await;
        assert!(!is_signed_in(&browser).await);
        assert_eq!(app.app.records.user(&user).await.unwrap(), None);
        assert_eq!(kinds(&app, &user).await, [AuditKind::PersonErased, AuditKind::AuthorizationWithdrawn]);
        tell(&app, &message(&app, &openids[0])).await;
        sign_in(&app, &browser, &person).await;
        assert_ne!(somebody(&app).await.0, user);
    }
}

#[tokio::test]
async fn sec_90_whoever_has_another_way_keeps_their_account_and_loses_what_they_withdrew() {
    let app = start().await;
    let (browser, there) = (app.desktop(), app.desktop());
    let (person, second) = (app.person("小明").await, app.person("小号").await);
    sign_in(&app, &browser, &person).await;
    app.pass(Duration::from_secs(1));
    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    let phone = app.phone();
    let confirm = app.scan(&phone, &page.ticket, &second).await;
    app.approve(&phone, &page, &confirm, &page.number).await;
    assert_eq!(page.redeem().await, "/account?notice=linked");
    sign_in(&app, &there, &second).await;
    let (user, openids) = somebody(&app).await;
    tell(&app, &revoked(&app, &openids[1], "301")).await;
    assert!(is_signed_in(&browser).await && !is_signed_in(&there).await);
    assert_eq!(somebody(&app).await, (user.clone(), vec![openids[0].clone()]));
    assert_eq!(kinds(&app, &user).await, [AuditKind::AuthorizationWithdrawn]);
}

/// Else they could withdraw, allow it again, and be somebody new.
#[tokio::test]
async fn sec_40_whoever_is_switched_off_does_not_come_back_by_withdrawing() {
    let app = start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let (user, openids) = somebody(&app).await;
    app.app.records.set_user_disabled(&user, Some(app.app.now())).await.unwrap();
    tell(&app, &news(&app, "user_authorization_cancellation", &openids[0], "")).await;
    assert_eq!(somebody(&app).await, (user.clone(), openids));
    assert_eq!(app.app.records.user(&user).await.unwrap().unwrap().nickname, None, "that much is forgotten");
    assert_eq!(kinds(&app, &user).await, [AuditKind::ProfileForgotten]);
}

#[tokio::test]
async fn sec_90_a_name_and_picture_that_count_no_more_are_forgotten_until_the_next_login() {
    let app = start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    for item in ["205", ""] {
        sign_in(&app, &browser, &person).await;
        let (user, openids) = somebody(&app).await;
        let message = match item {
            "" => news(&app, "user_info_modified", &openids[0], "").replace("OpenID", "openid"),
            item => revoked(&app, &openids[0], item),
        };
        assert!(browser.get("/account").await.body.contains("小明"));
        tell(&app, &message).await;
        assert!(!browser.get("/account").await.body.contains("小明"), "{message}");
        let identity = app.app.records.identities_of(&user).await.unwrap().remove(0);
        assert_eq!(identity.profile, Profile::default());
        assert_eq!(kinds(&app, &user).await[0], AuditKind::ProfileForgotten);
        app.pass(Duration::from_secs(1));
        let other = app.desktop();
        sign_in(&app, &other, &person).await;
        assert!(browser.get("/account").await.body.contains("小明"), "told again");
        browser.cookies.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn news_that_is_not_understood_or_not_of_somebody_here_deletes_nothing() {
    let app = start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let (user, openids) = somebody(&app).await;
    let openid = &openids[0];
    let late = app.app.now().as_second();
    let cancelled = news(&app, "user_authorization_cancellation", openid, "");
    for message in [
        cancelled.replace(openid, "oSomebodyElse000000000000000"),
        // The sender is not the person.
        cancelled.replace(openid, "").replace("gh_push_service", openid),
        cancelled.replace(DEMO_OFFICIAL_APPID, "wx0000000000000009"),
        cancelled.replace(&format!("<CreateTime>{late}"), &format!("<CreateTime>{}", late - 60)),
        revoked(&app, openid, "206"),
        revoked(&app, openid, "999"),
        revoked(&app, openid, ""),
    ] {
        tell(&app, &message).await;
        assert!(is_signed_in(&browser).await, "{message}");
    }
    assert!(kinds(&app, &user).await.is_empty());
    tell(&app, &cancelled).await;
    assert!(!is_signed_in(&browser).await, "the real one counts");
}

/// SEC-28: in plain mode the signature does not cover the body, and anybody who saw a query can write one.
#[tokio::test]
async fn sec_28_nobody_is_erased_by_news_in_plain_mode_and_the_operators_handler_hears_all_of_it() {
    let handler = Handler::start("theirs").await;
    for mode in ["plain", "secure"] {
        let events = format!("mode = \"{mode}\"\nrelay = \"{}/wx\"", handler.url);
        let linked = channel(&events).replace("qr = \"parametric\"", "qr = \"link\"");
        let app = TestApp::with_config(&linked).await;
        let browser = app.desktop();
        sign_in(&app, &browser, &app.person("小明").await).await;
        let (_, openids) = somebody(&app).await;
        let message = news(&app, "user_authorization_cancellation", &openids[0], "");
        let at = app.app.now().as_second().to_string();
        let delivery = match mode {
            "plain" => Delivery {
                query: format!("signature={}&timestamp={at}&nonce=n", sign(&token(), &[&at, "n"])),
                body: message,
            },
            _ => Delivery::of(&app, &message),
        };
        assert_eq!(delivery.post(&app).await, (StatusCode::OK, "theirs".to_owned()), "{mode}");
        assert_eq!(is_signed_in(&browser).await, mode == "plain", "{mode}");
    }
    assert_eq!(handler.seen().len(), 2);
}
