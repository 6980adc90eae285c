//! The scopes that an operator named for a client: nothing else is granted, whoever asks (SEC-90).

use mashang_login::client::{AccessTokenFormat, ClientSettings};
use mashang_login::grant::ScopeSet;
use mashang_oidc::claims::{ClaimPolicy, Rule};
use mashang_oidc::userinfo::userinfo;
use serde_json::json;

use crate::house::{House, SECRET, claims_of, house};

/// What the sites of the house ask for.
const ALL_ASKED: &str = "openid profile offline_access wechat_openid wechat_unionid";

async fn only(house: &House, scopes: &str, settings: ClientSettings) {
    let settings = ClientSettings { scopes: ScopeSet::parse(scopes), ..settings };
    house.change("site", |site| site.settings = settings).await;
}

fn everybody_is_an_admin() -> ClaimPolicy {
    let rule = Rule { roles: vec!["admin".into()], groups: vec!["staff".into()], ..Rule::default() };
    ClaimPolicy { rules: vec![rule], email_pattern: None }
}

#[tokio::test]
async fn sec_90_what_a_client_may_not_have_is_left_out_and_the_answer_says_so() {
    let house = house().await;
    only(&house, "openid profile", ClientSettings::default()).await;
    let checked = house.check(&House::request("site", &[])).await.unwrap();
    assert_eq!(checked.request.scope.to_string(), "openid profile");
    assert_eq!(checked.left_out.to_string(), "offline_access wechat_openid wechat_unionid");
    let tokens = house.tokens("site").await;
    assert_eq!(tokens.scope, "openid profile", "RFC 6749 §5.1");
    assert_eq!(tokens.refresh_token, None, "though it may have refresh tokens by its own switch");
    let claims = userinfo(&house.provider, &tokens.access_token).await.unwrap();
    assert_eq!((claims.get("name"), claims.get("wechat_openid")), (Some(&json!("小明")), None));
    let other = house.check(&House::request("other", &[])).await.unwrap();
    assert_eq!((other.request.scope.to_string().as_str(), other.left_out.is_empty()), (ALL_ASKED, true));
}

#[tokio::test]
async fn sec_90_openid_is_always_granted_and_refresh_tokens_stay_a_switch_of_their_own() {
    let house = house().await;
    only(&house, "profile offline_access", ClientSettings::default()).await;
    house.change("site", |site| site.refresh_tokens = false).await;
    let checked = house.check(&House::request("site", &[])).await.unwrap();
    assert_eq!(checked.request.scope.to_string(), "openid profile");
    assert_eq!(
        checked.left_out.to_string(),
        "wechat_openid wechat_unionid",
        "that was told at the other switch"
    );
}

#[tokio::test]
async fn sec_90_a_scope_that_is_taken_from_a_client_ends_for_the_tokens_it_has() {
    let house = house().await;
    let first = house.tokens("site").await;
    let known = userinfo(&house.provider, &first.access_token).await.unwrap();
    assert!(known.get("wechat_openid").is_some(), "{known}");
    let jwt = ClientSettings { access_token: AccessTokenFormat::Jwt, ..ClientSettings::default() };
    only(&house, "openid offline_access", jwt).await;
    let claims = userinfo(&house.provider, &first.access_token).await.unwrap();
    let names: Vec<_> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["sub"]);
    // A library repeats what it asked for.
    let pairs = [
        ("grant_type", "refresh_token"),
        ("refresh_token", first.refresh_token.as_deref().unwrap()),
        ("client_id", "site"),
        ("client_secret", SECRET),
        ("scope", ALL_ASKED),
    ];
    let second = house.token(&pairs).await.0.unwrap();
    assert_eq!(second.scope, "openid offline_access");
    assert_eq!(claims_of(&second.access_token)["scope"], "openid offline_access");
    only(&house, "openid", ClientSettings::default()).await;
    let refused = house.refresh("site", &second.refresh_token.unwrap()).await.0.unwrap_err();
    assert_eq!(refused.code, "unauthorized_client", "offline_access is a scope like the others");
}

#[tokio::test]
async fn sec_90_a_code_is_worth_no_more_than_its_client_may_have_when_it_comes_with_it() {
    let house = house().await;
    let code = house.code("site").await;
    only(&house, "openid", ClientSettings::default()).await;
    let tokens = house.exchange("site", &code).await.0.unwrap();
    assert_eq!((tokens.scope.as_str(), tokens.refresh_token), ("openid", None));
}

#[tokio::test]
async fn sec_90_claims_in_the_id_token_are_limited_likewise_roles_and_groups_too() {
    let house = house().await.telling(everybody_is_an_admin());
    let told = ClientSettings { claims_in_id_token: true, ..ClientSettings::default() };
    only(&house, "profile groups", told).await;
    let id_token = claims_of(&house.tokens("site").await.id_token.unwrap());
    assert_eq!((&id_token["name"], &id_token["groups"]), (&json!("小明"), &json!(["staff"])));
    for left_out in ["roles", "wechat_openid", "wechat_unionid"] {
        assert_eq!(id_token.get(left_out), None, "{left_out}");
    }
    only(&house, "openid", ClientSettings { realm_roles: true, ..ClientSettings::default() }).await;
    let id_token = claims_of(&house.tokens("site").await.id_token.unwrap());
    assert_eq!(id_token["realm_access"], json!({ "roles": ["admin"] }), "asked for by a name of its own");
}
