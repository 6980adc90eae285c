//! Refresh tokens: rotated at every use, and a spent one coming back ends everything (SEC-50).

use mashang_login::Clock as _;
use mashang_login::client::Client;
use mashang_login::records::Records as _;
use mashang_login::secret::SecretHash;
use mashang_oidc::token::Happened;
use mashang_oidc::userinfo::userinfo;

use crate::house::{House, SECRET, claims_of, house};

async fn refused(house: &House, client: &str, token: &str) -> &'static str {
    house.refresh(client, token).await.0.unwrap_err().code
}

#[tokio::test]
async fn refreshing_rotates_and_keeps_auth_time_without_the_nonce() {
    let house = house().await;
    let first = house.tokens("site").await;
    house.wait(3600);
    let (second, happened) = house.refresh("site", first.refresh_token.as_ref().unwrap()).await;
    let second = second.unwrap();
    assert!(matches!(happened, Some(Happened::Refreshed)));
    assert_ne!(second.refresh_token, first.refresh_token);
    assert!(userinfo(&house.provider, &second.access_token).await.is_ok());
    let (old, new) = (claims_of(&first.id_token.unwrap()), claims_of(&second.id_token.unwrap()));
    for same in ["iss", "sub", "aud", "auth_time", "sid", "amr"] {
        assert_eq!(old[same], new[same], "{same}");
    }
    assert_eq!(new["iat"].as_i64(), old["iat"].as_i64().map(|iat| iat + 3600));
    assert_eq!(new.get("nonce"), None, "OpenID Connect Core §12.2");
}

#[tokio::test]
async fn sec_50_a_spent_token_that_comes_back_revokes_the_family() {
    let house = house().await;
    let first = house.tokens("app").await.refresh_token.unwrap();
    let second = house.refresh("app", &first).await.0.unwrap();
    let (answer, happened) = house.refresh("app", &first).await;
    assert_eq!(answer.unwrap_err().code, "invalid_grant");
    assert!(matches!(happened, Some(Happened::Replayed { .. })));
    assert!(userinfo(&house.provider, &second.access_token).await.is_err());
    assert_eq!(refused(&house, "app", &second.refresh_token.unwrap()).await, "invalid_grant");
}

#[tokio::test]
async fn sec_50_of_two_refreshes_at_the_same_moment_one_wins_and_the_other_ends_both() {
    let house = house().await;
    let token = house.tokens("site").await.refresh_token.unwrap();
    house.records.read_before_the_other_writes();
    let first = house.refresh("site", &token).await.0.unwrap();
    let (second, happened) = house.refresh("site", &token).await;
    assert_eq!(second.unwrap_err().code, "invalid_grant");
    assert!(matches!(happened, Some(Happened::Replayed { .. })));
    assert!(userinfo(&house.provider, &first.access_token).await.is_err());
}

#[tokio::test]
async fn sec_50_a_token_is_bound_to_its_client() {
    let house = house().await;
    let token = house.tokens("site").await.refresh_token.unwrap();
    for stranger in ["other", "app"] {
        let (answer, happened) = house.refresh(stranger, &token).await;
        assert_eq!((answer.unwrap_err().code, happened), ("invalid_grant", None));
    }
    assert!(house.refresh("site", &token).await.0.is_ok(), "the stranger spent nothing");
}

#[tokio::test]
async fn sec_61_a_code_or_access_token_is_no_refresh_token() {
    let house = house().await;
    let code = house.code("site").await;
    let tokens = house.tokens("site").await;
    for value in [&*code, &tokens.access_token, &tokens.id_token.unwrap(), "msr_", "x"] {
        assert_eq!(refused(&house, "site", value).await, "invalid_grant", "{value}");
    }
    assert_eq!(refused(&house, "site", "").await, "invalid_request");
}

#[tokio::test]
async fn rfc_6749_6_scope_may_not_grow() {
    let house = house().await;
    let code = house.sign_in("site", &[("scope", "openid offline_access")]).await.0;
    let token = house.exchange("site", &code).await.0.unwrap().refresh_token.unwrap();
    let with = async |scope| {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &*token),
            ("client_id", "site"),
            ("client_secret", SECRET),
            ("scope", scope),
        ];
        house.token(&pairs).await.0
    };
    assert_eq!(with("openid profile").await.unwrap_err().code, "invalid_scope");
    let narrowed = with("openid").await.unwrap();
    assert_eq!(narrowed.scope, "openid offline_access", "the answer says what the tokens carry");
}

#[tokio::test]
async fn sec_50_idle_and_absolute_ends_hold_without_any_sweeping() {
    let day = 24 * 3600;
    let house = house().await;
    let mut token = house.tokens("site").await.refresh_token.unwrap();
    for _ in 0..4 {
        house.wait(20 * day);
        token = house.refresh("site", &token).await.0.unwrap().refresh_token.unwrap();
    }
    house.wait(10 * day);
    assert_eq!(refused(&house, "site", &token).await, "invalid_grant", "90 days after the login");
    let idle = house.tokens("site").await.refresh_token.unwrap();
    house.wait(30 * day);
    assert_eq!(refused(&house, "site", &idle).await, "invalid_grant", "30 days unused");
    let record = house.records.refresh_token(&SecretHash::of(&idle)).await.unwrap().unwrap();
    assert_eq!(record.spent_at, None, "refused before the store was asked to spend it");
}

#[tokio::test]
async fn sec_40_a_person_or_client_switched_off_cannot_refresh() {
    let house = house().await;
    let tokens = house.tokens("site").await;
    let token = tokens.refresh_token.unwrap();
    house.change("site", |site: &mut Client| site.refresh_tokens = false).await;
    assert_eq!(refused(&house, "site", &token).await, "unauthorized_client");
    house.change("site", |site: &mut Client| site.refresh_tokens = true).await;
    let user = claims_of(&tokens.id_token.unwrap())["sub"].as_str().unwrap().parse().unwrap();
    house.records.set_user_disabled(&user, Some(house.clock.now())).await.unwrap();
    assert_eq!(refused(&house, "site", &token).await, "invalid_grant");
    house.records.set_user_disabled(&user, None).await.unwrap();
    house.disable_client("site").await;
    assert_eq!(refused(&house, "site", &token).await, "unauthorized_client");
}
