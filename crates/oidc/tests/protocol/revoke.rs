//! Revocation (RFC 7009): one's own tokens, whichever of them is shown.

use mashang_oidc::revoke::revoke;
use mashang_oidc::token::TokenRequest;
use mashang_oidc::userinfo::userinfo;

use crate::house::{House, SECRET, form, house};

async fn revoke_as(
    house: &House,
    client: &str,
    token: &str,
) -> Result<Option<mashang_oidc::revoke::Revoked>, mashang_oidc::token::TokenError> {
    let params = form(&[
        ("client_id", client),
        ("client_secret", if client == "app" { "" } else { SECRET }),
        ("token", token),
        ("token_type_hint", "nonsense"),
    ]);
    revoke(&house.provider, TokenRequest { authorization: None, params: &params }).await
}

#[tokio::test]
async fn rfc_7009_2_1_either_token_takes_the_whole_family_along() {
    let house = house().await;
    for pick in [true, false] {
        let tokens = house.tokens("app").await;
        let refresh = tokens.refresh_token.unwrap();
        let shown = if pick { &tokens.access_token } else { &refresh };
        assert_eq!(revoke_as(&house, "app", shown).await.unwrap().unwrap().client.as_str(), "app");
        assert!(userinfo(&house.provider, &tokens.access_token).await.is_err());
        assert_eq!(house.refresh("app", &refresh).await.0.unwrap_err().code, "invalid_grant");
        assert!(revoke_as(&house, "app", shown).await.is_ok(), "again is as good");
    }
}

#[tokio::test]
async fn rfc_7009_2_2_an_unknown_token_is_a_success() {
    let house = house().await;
    let code = house.code("site").await;
    let unknown = format!("msa_{}", "x".repeat(43));
    for token in ["x", &unknown, &code] {
        assert_eq!(revoke_as(&house, "site", token).await.unwrap(), None, "{token}");
    }
    assert!(house.exchange("site", &code).await.0.is_ok(), "a code is not a token");
}

#[tokio::test]
async fn sec_57_only_the_client_itself_may_revoke() {
    let house = house().await;
    let token = house.tokens("site").await.access_token;
    assert_eq!(revoke_as(&house, "other", &token).await.unwrap_err().code, "invalid_grant");
    assert_eq!(revoke_as(&house, "nobody", &token).await.unwrap_err().code, "invalid_client");
    assert!(userinfo(&house.provider, &token).await.is_ok());
}

#[tokio::test]
async fn malformed_revocations_are_refused() {
    let house = house().await;
    assert_eq!(revoke_as(&house, "site", "").await.unwrap_err().code, "invalid_request");
    let params = form(&[("client_id", "app"), ("token", "a"), ("token", "a")]);
    let twice = revoke(&house.provider, TokenRequest { authorization: None, params: &params }).await;
    assert_eq!(twice.unwrap_err().code, "invalid_request");
}

#[tokio::test]
async fn sec_82_a_failed_revocation_is_an_error() {
    let house = house().await;
    let token = house.tokens("site").await.access_token;
    house.records.cut();
    assert_eq!(revoke_as(&house, "site", &token).await.unwrap_err().status(), 503);
}
