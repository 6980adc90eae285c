//! What websites are told, by configuration and by switches of the client; and the ways into one client.

use std::path::Path;

use http::StatusCode;
use mashang_login::client::{AccessTokenFormat, Client, ClientSettings};
use serde_json::json;

use crate::support::{PHONE, SITE, TestApp, claims, param};

async fn switched(app: &TestApp, settings: ClientSettings) {
    let client = app.app.records.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    app.save_client(Client { settings, ..client }).await;
}

const RULES: &str = r#"
[[claims.rule]]
roles = ["user"]
[[claims.rule]]
roles = ["scanner"]
groups = ["phones"]
client = ["site"]
channels = ["wechat"]
[[claims.rule]]
roles = ["nobody"]
channels = ["web"]
"#;

#[tokio::test]
async fn rules_of_the_configuration_reach_a_website_that_asks() {
    let app = TestApp::with_config(RULES).await;
    let person = app.person("小明").await;
    let scope = [("scope", "openid roles groups")];
    let code = param(&app.log_in_with(&app.desktop(), &person, &scope).await, "code");
    let tokens = app.exchange(&code).await.json();
    let told = app.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!((&told["roles"], &told["groups"]), (&json!(["scanner", "user"]), &json!(["phones"])));
    assert_eq!(claims(tokens["id_token"].as_str().unwrap()).get("roles"), None);
}

#[tokio::test]
async fn a_client_with_jwts_gets_one_that_our_own_endpoints_take_until_it_is_revoked() {
    let app = TestApp::with_config(RULES).await;
    let settings = ClientSettings {
        access_token: AccessTokenFormat::Jwt,
        realm_roles: true,
        claims_in_id_token: true,
        omit_iss: true,
        ..ClientSettings::default()
    };
    switched(&app, settings).await;
    let person = app.person("小明").await;
    let website = app.log_in(&app.desktop(), &person).await;
    assert_eq!(param(&website, "iss"), "", "{website}");
    let tokens = app.exchange(&param(&website, "code")).await.json();
    let (access, id_token) = (tokens["access_token"].as_str().unwrap(), tokens["id_token"].as_str().unwrap());
    assert_eq!(claims(access)["realm_access"]["roles"], json!(["scanner", "user"]));
    assert_eq!(
        (&claims(id_token)["name"], &claims(id_token)["groups"]),
        (&json!("小明"), &json!(["phones"]))
    );
    assert_eq!(app.userinfo(access).await.json()["name"], "小明");
    assert_eq!(app.userinfo(id_token).await.status, StatusCode::UNAUTHORIZED);
    let revoked =
        app.desktop().with("authorization", &app.basic()).post("/revoke", &[("token", access)]).await;
    assert_eq!(revoked.status, StatusCode::OK);
    assert_eq!(app.userinfo(access).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn only_the_channels_of_a_client_are_tabs_and_no_other_approval_is_taken() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let open = app.open_login(&browser).await;
    assert!(open.html.contains("channel=web") && open.html.contains("channel=wechat"));
    let phone = app.phone();
    let person = app.person("小明").await;
    let token = app.scan(&phone, &open.ticket, &person).await;
    app.approve(&phone, &open, &token, &open.number).await;
    // While the person was on the phone, the operator changed the ways in.
    switched(&app, ClientSettings { channels: vec!["web".parse().unwrap()], ..ClientSettings::default() })
        .await;
    let refused = browser.fetch(&open.url("redeem")).await;
    assert_eq!(
        (refused.status, refused.json()["error"].as_str()),
        (StatusCode::FORBIDDEN, Some("way_not_admitted"))
    );
    assert_eq!(browser.cookie("mashang_session"), None, "nobody is signed in");
    let page = app.open_login(&app.desktop()).await;
    assert!(!page.html.contains("channel=wechat"), "{}", page.html);
    let named = app.open_login_with(&app.desktop(), &[("login_hint", "wechat")]).await;
    assert!(named.html.contains("data-mode=\"frame\"") || !named.html.contains("channel=wechat"));
    let scanned = app.phone().get(&format!("/s/{}", page.ticket)).await;
    assert!(!scanned.location().starts_with(&app.sandbox_url), "our link leads to no other channel");
    let start = app.desktop();
    let page = app.open_login(&start).await;
    let path = format!("/channel/wechat/start/{}/{}", page.grant, page.ticket);
    assert!(start.get(&path).await.status.is_client_error());
    let refreshed = start.fetch(&page.url("refresh?channel=wechat")).await;
    assert_eq!(refreshed.json()["mode"], "frame", "{}", refreshed.body);
}

#[tokio::test]
async fn a_session_that_came_by_another_way_does_not_open_the_client() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let person = app.person("小明").await;
    app.log_in(&browser, &person).await;
    assert!(browser.get(&app.authorize_path(&[])).await.location().starts_with(SITE));
    switched(&app, ClientSettings { channels: vec!["web".parse().unwrap()], ..ClientSettings::default() })
        .await;
    assert!(browser.get(&app.authorize_path(&[])).await.location().starts_with("/login/"));
    let silent = browser.get(&app.authorize_path(&[("prompt", "none")])).await;
    assert_eq!(param(silent.location(), "error"), "login_required");
    switched(&app, ClientSettings { channels: vec!["wechat".parse().unwrap()], ..ClientSettings::default() })
        .await;
    assert!(browser.get(&app.authorize_path(&[])).await.location().starts_with(SITE));
}

#[tokio::test]
async fn redirect_addresses_with_a_query_several_of_them_and_loopback_ports_work_to_the_end() {
    let app = TestApp::start().await;
    let client = app.app.records.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    let mut redirect_uris = client.redirect_uris.clone();
    redirect_uris.push("http://127.0.0.1/native?app=1".into());
    app.save_client(Client { redirect_uris, ..client }).await;
    let person = app.person("小明").await;
    for address in [
        SITE,
        "https://zt.example/index.php?m=sso&f=cb",
        "http://127.0.0.1:49152/native?app=1",
        "http://127.0.0.1:50000/native?app=1",
    ] {
        let website = app.log_in_with(&app.desktop(), &person, &[("redirect_uri", address)]).await;
        let sign = if address.contains('?') { '&' } else { '?' };
        assert!(website.starts_with(&format!("{address}{sign}code=")), "{website}");
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &param(&website, "code")),
            ("redirect_uri", address),
            ("code_verifier", crate::support::VERIFIER),
        ];
        let tokens = app.desktop().with("authorization", &app.basic()).post("/token", &form).await;
        assert_eq!(tokens.status, StatusCode::OK, "{address}: {}", tokens.body);
        let page = app.open_login_with(&app.device(PHONE), &[("redirect_uri", address)]).await;
        let cancelled = page.browser.post(&page.url("cancel"), &[]).await;
        assert!(
            cancelled.location().starts_with(&format!("{address}{sign}error=access_denied")),
            "{}",
            cancelled.location()
        );
    }
    let other =
        app.desktop().get(&app.authorize_path(&[("redirect_uri", "http://127.0.0.1:1/native")])).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
}

#[test]
fn grafanas_role_in_the_manual_is_by_a_group_that_the_manuals_rules_give() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let manual = |name: &str| std::fs::read_to_string(docs.join(name)).unwrap();
    for (rules, products) in [("connect.md", "examples.md"), ("connect.zh-CN.md", "examples.zh-CN.md")] {
        let (rules, products) = (manual(rules), manual(products));
        let (_, after) = products.split_once("contains(groups[*], '").unwrap();
        let group = after.split('\'').next().unwrap();
        assert!(rules.contains(&format!("groups = [\"{group}\"]")), "{group}");
    }
}
