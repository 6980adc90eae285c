//! WeCom: the web page and the panel, authorization inside the app, who is admitted, and news of the directory.

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use mashang_login::Clock as _;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::ids::UserId;
use mashang_sandbox::{
    DEMO_CORP_AGENTID, DEMO_CORP_SECRET, DEMO_CORPID, DEMO_OFFICIAL_AES_KEY, DEMO_OFFICIAL_TOKEN,
};
use mashang_wechat::callback::{CallbackToken, EncodingAesKey, sign};
use serde_json::json;
use tower::ServiceExt as _;

use crate::account::{press_link, sign_in};
use crate::support::*;

const WECOM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 wxwork/4.1.22 MicroMessenger/7.0.1 Language/zh";
/// A member of the sandbox's corp, one outside the app's visible range, a disabled one, and somebody who is none.
const MEMBER: &str = "xiaoming";
const OUT_OF_RANGE: &str = "xiaohong";
const DISABLED: &str = "plain";
const STRANGER: &str = "ada";

fn channel(more: &str) -> String {
    format!(
        r#"
[channel.corp]
kind = "wecom"
corpid = "{DEMO_CORPID}"
agentid = {DEMO_CORP_AGENTID}
secret = "{DEMO_CORP_SECRET}"
order = 3
{more}
[channel.corp.events]
token = "{DEMO_OFFICIAL_TOKEN}"
aes_key = "{DEMO_OFFICIAL_AES_KEY}"
"#
    )
}

async fn start() -> TestApp {
    TestApp::with_config(&channel("")).await
}

fn wecom_phone(app: &TestApp) -> Device {
    Device { user_agent: WECOM, ..app.phone() }
}

/// WeCom's panel and page say "sign in" only, so a link is asked by our own page inside WeCom.
#[tokio::test]
async fn sec_38_a_member_is_linked_by_our_own_link_and_not_by_wecoms_page() {
    let app = start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let page = app.login_page(&browser, &press_link(&browser, "corp").await).await;
    assert!(page.html.contains("data-qr") && !page.html.contains("<iframe"), "{}", page.html);
    let start = browser.get(&format!("/channel/corp/start/{}/{}", page.grant, page.ticket)).await;
    assert_eq!(start.status, StatusCode::NOT_FOUND);
    let to_sign_in = app.desktop().get(&app.authorize_path(&[("login_hint", "corp")])).await;
    assert!(to_sign_in.location().starts_with("/login/"));
    let refreshed = browser.fetch(&format!("{}?channel=corp", page.url("refresh"))).await;
    assert_eq!(refreshed.json()["mode"], "qr");
}

/// As far as the address WeCom's page sends the browser back to.
async fn back_from_page(app: &TestApp, page: &LoginPage, person: &str, answer: &str) -> String {
    let start = page.browser.get(&format!("/channel/corp/start/{}/{}", page.grant, page.ticket)).await;
    assert_eq!(start.status, StatusCode::SEE_OTHER, "{}", start.body);
    assert!(
        start.location().contains("/login.work.weixin.qq.com/wwlogin/sso/login?"),
        "{}",
        start.location()
    );
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let html = http.get(start.location()).send().await.unwrap().text().await.unwrap();
    let (_, rest) = html.split_once("data-key=\"").unwrap_or_else(|| panic!("no key in {html}"));
    let key: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    app.sandbox("scan", json!({ "uuid": key, "person": person })).await;
    let answered = app.sandbox(answer, json!({ "uuid": key, "person": person })).await;
    answered["redirect"].as_str().unwrap_or_default().to_owned()
}

async fn log_in(app: &TestApp, browser: &Device, person: &str) -> Answer {
    let page = app.open_login(browser).await;
    let back = back_from_page(app, &page, person, "allow").await;
    browser.get(&back).await
}

/// Where the website's silent question leads.
async fn silently(app: &TestApp, browser: &Device) -> String {
    browser.get(&app.authorize_path(&[("prompt", "none")])).await.location().to_owned()
}

#[tokio::test]
async fn a_member_signs_in_by_wecoms_page_with_departments_as_claims() {
    let app = start().await;
    let browser = app.desktop();
    let page = app.open_login_with(&browser, &[("scope", "openid profile wecom email")]).await;
    let back = back_from_page(&app, &page, MEMBER, "allow").await;
    let done = browser.get(&back).await;
    assert!(done.location().starts_with(SITE), "{}: {}", done.status, done.body);
    let tokens = app.exchange(&param(done.location(), "code")).await.json();
    let claims = app.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(claims["name"], "王小明");
    assert_eq!(claims["wecom_userid"], "XiaoMing");
    assert_eq!(claims["wecom_corpid"], DEMO_CORPID);
    assert_eq!(claims["wecom_departments"], json!([2]));
    assert_eq!(claims["email"], serde_json::Value::Null, "WeCom tells newer apps no address");
}

#[tokio::test]
async fn saying_no_on_wecoms_page_leads_back_to_the_login_page() {
    let app = start().await;
    let page = app.open_login(&app.desktop()).await;
    let back = back_from_page(&app, &page, MEMBER, "deny").await;
    let returned = page.browser.get(&back).await;
    assert!(returned.location().starts_with("/login/"), "{}: {}", returned.status, returned.body);
    assert_eq!(page.stage().await, "waiting");
}

#[tokio::test]
async fn inside_wecom_our_link_is_authorized_and_our_page_asks() {
    let app = start().await;
    let page = app.open_login(&app.desktop()).await;
    let phone = wecom_phone(&app);
    let opened = phone.get(&format!("/s/{}", page.ticket)).await;
    assert!(opened.location().contains("/connect/oauth2/authorize?appid=ww"), "{}", opened.location());
    assert!(param(opened.location(), "state").bytes().all(|b| b.is_ascii_alphanumeric()), "WeCom's rule");
    let token = app.scan(&phone, &page.ticket, MEMBER).await;
    assert_eq!(page.stage().await, "scanned", "silent authorization never finishes a login (SEC-37)");
    let approved = app.approve(&phone, &page, &token, &page.number).await;
    assert!(approved.location().ends_with("outcome=approved"), "{}", approved.location());
    assert!(page.redeem().await.starts_with(SITE));
}

#[tokio::test]
async fn sec_35_only_members_whom_the_app_may_see_are_admitted() {
    let app = start().await;
    for (person, why) in [
        (OUT_OF_RANGE, "outside the visible range"),
        (DISABLED, "switched off"),
        (STRANGER, "not of the corp"),
    ] {
        let page = app.open_login(&app.desktop()).await;
        let phone = wecom_phone(&app);
        let refused = app.callback_of(&phone, &page.ticket, person).await;
        assert_eq!(refused.status, StatusCode::BAD_GATEWAY, "{why}: {}", refused.location());
        assert!(refused.body.contains("不能在这里登录"), "{why}: {}", refused.body);
        assert_eq!(page.stage().await, "waiting", "{why}");
    }
}

#[tokio::test]
async fn sec_35_strangers_are_admitted_only_by_name_and_never_as_members() {
    let app = TestApp::with_config(&channel("allow_outsiders = true")).await;
    let done = {
        let page = app.open_login(&app.desktop()).await;
        let phone = wecom_phone(&app);
        let token = app.scan(&phone, &page.ticket, STRANGER).await;
        app.approve(&phone, &page, &token, &page.number).await;
        page.redeem().await
    };
    let tokens = app.exchange(&param(&done, "code")).await.json();
    let user = claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().parse().unwrap();
    let identities = app.app.records.identities_of(&user).await.unwrap();
    assert!(identities[0].key.subject.starts_with("openid:"), "no member's id has a colon");
    assert_eq!(identities[0].attributes.member_id, None);
}

#[tokio::test]
async fn a_member_is_the_same_person_however_the_directory_spells_the_id() {
    let app = start().await;
    let first = log_in(&app, &app.desktop(), MEMBER).await;
    let tokens = app.exchange(&param(first.location(), "code")).await.json();
    let user = claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().parse().unwrap();
    let identity = app.app.records.identities_of(&user).await.unwrap().remove(0);
    assert_eq!(identity.key.subject, "xiaoming");
    assert_eq!(identity.attributes.member_id.as_deref(), Some("XiaoMing"));
}

#[tokio::test]
async fn an_address_that_wecom_does_not_trust_is_named_to_the_operator() {
    let app = start().await;
    let agent = format!("wecom/corps/{DEMO_CORPID}/agents/{DEMO_CORP_AGENTID}");
    app.sandbox(&agent, json!({ "trusted_ips": ["203.0.113.9"] })).await;
    let page = app.open_login(&app.desktop()).await;
    let back = back_from_page(&app, &page, MEMBER, "allow").await;
    let refused = page.browser.get(&back).await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY);
    assert!(refused.body.contains("60020") && refused.body.contains("可信 IP"), "{}", refused.body);
}

/// The directory's news, a second later: what changed about XIAOMING.
async fn tell(app: &TestApp, change: &str) {
    app.pass(Duration::from_secs(1));
    let created_at = app.clock.now().as_second();
    let message = format!(
        "<xml><ToUserName><![CDATA[{DEMO_CORPID}]]></ToUserName><FromUserName>sys</FromUserName><CreateTime>{created_at}</CreateTime><MsgType>event</MsgType><Event>change_contact</Event>{change}<UserID>XIAOMING</UserID></xml>"
    );
    let key: EncodingAesKey = DEMO_OFFICIAL_AES_KEY.parse().unwrap();
    let token: CallbackToken = DEMO_OFFICIAL_TOKEN.parse().unwrap();
    let encrypted = key.seal(&message, DEMO_CORPID, *b"0123456789abcdef");
    let at = app.clock.now().as_second().to_string();
    let signed = sign(&token, &[&at, "n", &encrypted]);
    let body = format!(
        "<xml><ToUserName><![CDATA[{DEMO_CORPID}]]></ToUserName><AgentID>{DEMO_CORP_AGENTID}</AgentID><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    );
    let request =
        Request::post(format!("/channel/corp/events?msg_signature={signed}&timestamp={at}&nonce=n"))
            .body(Body::from(body))
            .unwrap();
    let answered = app.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
}

/// Who the website learns that the member is.
async fn sub_of_member(app: &TestApp, browser: &Device) -> UserId {
    let done = log_in(app, browser, MEMBER).await;
    let tokens = app.exchange(&param(done.location(), "code")).await.json();
    claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().parse().unwrap()
}

async fn last_told(app: &TestApp, kind: AuditKind) -> AuditEvent {
    let trail = app.app.records.audit_trail(50).await.unwrap();
    trail.into_iter().find(|event| event.kind == kind).unwrap_or_else(|| panic!("no {kind:?}"))
}

#[tokio::test]
async fn sec_35_a_leaver_is_signed_out_and_their_id_given_again_is_somebody_else() {
    let app = start().await;
    let browser = app.desktop();
    let leaver = sub_of_member(&app, &browser).await;
    assert!(silently(&app, &browser).await.contains("code="), "signed in");
    tell(&app, "<ChangeType>delete_user</ChangeType>").await;
    assert!(silently(&app, &browser).await.contains("error=login_required"), "signed out");
    assert_eq!(last_told(&app, AuditKind::MemberLeft).await.user, Some(leaver.clone()));

    app.pass(Duration::from_secs(1));
    let newcomer = sub_of_member(&app, &app.desktop()).await;
    assert_ne!(newcomer, leaver);
    let kept = app.app.records.identities_of(&leaver).await.unwrap().remove(0).key;
    assert!(kept.subject.starts_with("left:") && kept.subject.ends_with(":xiaoming"), "{}", kept.subject);
}

#[tokio::test]
async fn sec_35_an_id_given_again_is_somebody_else_although_nobody_told_of_the_leaver() {
    let app = start().await;
    let browser = app.desktop();
    let leaver = sub_of_member(&app, &browser).await;
    app.pass(Duration::from_secs(61));
    tell(&app, "<ChangeType>create_user</ChangeType>").await;
    assert!(silently(&app, &browser).await.contains("error=login_required"), "signed out");
    assert_eq!(last_told(&app, AuditKind::MemberLeft).await.user, Some(leaver.clone()));

    app.pass(Duration::from_secs(1));
    let newcomer = sub_of_member(&app, &browser).await;
    assert_ne!(newcomer, leaver);
    tell(&app, "<ChangeType>create_user</ChangeType>").await;
    assert!(
        silently(&app, &browser).await.contains("code="),
        "news of the newcomer that come late sign nobody out"
    );
    assert_eq!(sub_of_member(&app, &app.desktop()).await, newcomer);
}

#[tokio::test]
async fn sec_35_a_member_who_is_switched_off_is_signed_out_and_stays_the_same_person() {
    let app = start().await;
    let browser = app.desktop();
    let member = sub_of_member(&app, &browser).await;
    tell(&app, "<ChangeType>update_user</ChangeType><Status>2</Status>").await;
    assert!(silently(&app, &browser).await.contains("error=login_required"), "signed out");
    assert_eq!(sub_of_member(&app, &browser).await, member, "switched on again");
}

#[tokio::test]
async fn sec_35_a_member_with_a_new_id_stays_the_same_person() {
    let app = start().await;
    let browser = app.desktop();
    let before = sub_of_member(&app, &browser).await;
    tell(&app, "<ChangeType>update_user</ChangeType><NewUserID>Ming001</NewUserID>").await;
    assert!(silently(&app, &browser).await.contains("error=login_required"), "the old id's logins end");
    assert_eq!(last_told(&app, AuditKind::MemberRenamed).await.user, Some(before.clone()));
    let member = format!("wecom/corps/{DEMO_CORPID}/members/XiaoMing");
    app.sandbox(&member, json!({ "userid": "Ming001" })).await;
    assert_eq!(sub_of_member(&app, &app.desktop()).await, before);
    let identity = app.app.records.identities_of(&before).await.unwrap().remove(0);
    assert_eq!(identity.attributes.member_id.as_deref(), Some("Ming001"));
}

#[tokio::test]
async fn sec_35_a_new_id_that_leads_to_somebody_merges_nobody_and_is_told() {
    let app = start().await;
    let before = sub_of_member(&app, &app.desktop()).await;
    let member = format!("wecom/corps/{DEMO_CORPID}/members");
    app.sandbox(&format!("{member}/XiaoMing"), json!({ "userid": "Ming001" })).await;
    let after = sub_of_member(&app, &app.desktop()).await;
    assert_ne!(after, before, "they logged in before the news came");
    tell(&app, "<ChangeType>update_user</ChangeType><NewUserID>Ming001</NewUserID>").await;
    let told = last_told(&app, AuditKind::MemberClash).await;
    assert_eq!((told.user, told.other), (Some(before), Some(after)));
}

#[tokio::test]
async fn the_panel_is_framed_and_returns_inside_the_frame() {
    let app = start().await;
    let browser = app.desktop();
    let page = app.open_login(&browser).await;
    let tab = browser.get(&format!("{}?channel=corp", page.path)).await;
    let src = tab.between("<iframe src=\"", "\"").replace("&amp;", "&").replace("&#x2f;", "/");
    assert!(src.contains("/wwlogin/sso/login?") && src.contains("redirect_type=self"), "{src}");
    assert!(tab.header("content-security-policy").contains(&format!("frame-src 'self' {}", app.sandbox_url)));
}

#[tokio::test]
async fn verification_files_are_served_at_the_root_and_beside_the_links() {
    let app = TestApp::with_config(
        "[server.verification_files]\n\"WW_verify_0aB1.txt\" = \"0aB1\"\n\"MP_verify_x.txt\" = \"x\"",
    )
    .await;
    for path in ["/WW_verify_0aB1.txt", "/s/WW_verify_0aB1.txt"] {
        let file = app.desktop().get(path).await;
        assert_eq!((file.status, file.body.as_str()), (StatusCode::OK, "0aB1"), "{path}");
        assert!(file.header("content-type").starts_with("text/plain"));
    }
    assert_eq!(app.desktop().get("/WW_verify_other.txt").await.status, StatusCode::NOT_FOUND);
}
