//! Access tokens as JWTs (RFC 9068): for clients whose back end reads them, and still ours to take back.

use mashang_login::Clock as _;
use mashang_login::client::{AccessTokenFormat, ClientSettings};
use mashang_oidc::claims::{ClaimPolicy, Rule};
use mashang_oidc::revoke::revoke;
use mashang_oidc::token::{TokenRequest, TokenResponse};
use mashang_oidc::userinfo::{BearerError, userinfo};
use serde_json::{Value, json};

use crate::house::{House, ISSUER, SECRET, claims_of, form, house};

async fn house_with_jwts() -> House {
    let rule = Rule { roles: vec!["user".into()], groups: vec!["all".into()], ..Rule::default() };
    let house = house().await.telling(ClaimPolicy { rules: vec![rule], email_pattern: None });
    let settings = ClientSettings { access_token: AccessTokenFormat::Jwt, ..ClientSettings::default() };
    house.change("site", |site| site.settings = settings).await;
    house
}

fn header_of(token: &str) -> Value {
    use base64::Engine as _;
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

async fn tokens(house: &House, scope: &str) -> TokenResponse {
    let code = house.sign_in("site", &[("scope", scope)]).await.0;
    house.exchange("site", &code).await.0.unwrap()
}

#[tokio::test]
async fn rfc_9068_2_2_the_token_has_every_claim_and_its_own_type() {
    let house = house_with_jwts().await;
    let (code, session) = house.sign_in("site", &[("scope", "openid profile roles")]).await;
    house.wait(5);
    let tokens = house.exchange("site", &code).await.0.unwrap();
    let header = header_of(&tokens.access_token);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("RS256")));
    let keys = house.provider.keys.jwks(house.clock.now());
    assert!(keys["keys"].as_array().unwrap().iter().any(|key| key["kid"] == header["kid"]));
    let claims = claims_of(&tokens.access_token);
    let now = house.clock.now().as_second();
    assert!(claims["jti"].as_str().unwrap().len() >= 20);
    let mut rest = claims.clone();
    rest.as_object_mut().unwrap().remove("jti");
    assert_eq!(
        rest,
        json!({
            "iss": ISSUER, "sub": session.user, "aud": "site", "client_id": "site",
            "scope": "openid profile roles", "iat": now, "exp": now + 600, "auth_time": now - 5,
            "amr": ["wechat-official"], "sid": session.id, "roles": ["user"],
        })
    );
    assert_ne!(claims["jti"], claims_of(&self::tokens(&house, "openid").await.access_token)["jti"]);
}

#[tokio::test]
async fn a_revoked_jwt_tells_nothing_here_any_more() {
    let house = house_with_jwts().await;
    let tokens = tokens(&house, "openid profile offline_access").await;
    assert_eq!(userinfo(&house.provider, &tokens.access_token).await.unwrap()["name"], "小明");
    let params = form(&[("client_id", "site"), ("client_secret", SECRET), ("token", &tokens.access_token)]);
    let request = TokenRequest { authorization: None, params: &params };
    assert!(revoke(&house.provider, request).await.unwrap().is_some());
    let refused = userinfo(&house.provider, &tokens.access_token).await;
    assert!(matches!(refused, Err(BearerError::InvalidToken)));
    assert!(house.refresh("site", &tokens.refresh_token.unwrap()).await.0.is_err(), "the family is over");
}

#[tokio::test]
async fn a_jwt_ends_by_time_and_by_any_altered_letter() {
    let house = house_with_jwts().await;
    let token = tokens(&house, "openid").await.access_token;
    for other in [format!("{token}A"), token.replacen("eyJ", "eyK", 1), token[..token.len() - 1].to_owned()] {
        assert!(matches!(userinfo(&house.provider, &other).await, Err(BearerError::InvalidToken)));
    }
    house.wait(600);
    assert!(matches!(userinfo(&house.provider, &token).await, Err(BearerError::InvalidToken)));
}

#[tokio::test]
async fn sec_61_an_id_token_is_no_access_token_and_the_other_way_round() {
    let house = house_with_jwts().await;
    let tokens = tokens(&house, "openid").await;
    let (access, id_token) = (tokens.access_token, tokens.id_token.unwrap());
    assert!(matches!(userinfo(&house.provider, &id_token).await, Err(BearerError::InvalidToken)));
    assert_eq!(header_of(&id_token)["typ"], "JWT");
    let (keys, issuer) = (&house.provider.keys, &house.provider.issuer);
    assert!(keys.verify_own_id_token(&id_token, issuer).is_some());
    assert_eq!(keys.verify_own_id_token(&access, issuer), None);
}

#[tokio::test]
async fn each_refresh_gives_another_jwt_with_the_roles_of_now() {
    let house = house_with_jwts().await;
    let first = tokens(&house, "openid roles groups offline_access").await;
    house.wait(60);
    let house = house.telling(ClaimPolicy::default());
    let next = house.refresh("site", &first.refresh_token.unwrap()).await.0.unwrap();
    assert_eq!(claims_of(&first.access_token)["roles"], json!(["user"]));
    assert_eq!(claims_of(&next.access_token)["roles"], json!([]));
    assert!(userinfo(&house.provider, &next.access_token).await.is_ok());
}

#[tokio::test]
async fn a_code_that_comes_twice_revokes_the_jwt() {
    let house = house_with_jwts().await;
    let code = house.sign_in("site", &[]).await.0;
    let token = house.exchange("site", &code).await.0.unwrap().access_token;
    assert!(house.exchange("site", &code).await.0.is_err());
    assert!(matches!(userinfo(&house.provider, &token).await, Err(BearerError::InvalidToken)));
}

#[tokio::test]
async fn keycloak_s_roles_are_in_the_jwt_where_they_are_switched_on() {
    let house = house_with_jwts().await;
    house.change("site", |site| site.settings.realm_roles = true).await;
    let claims = claims_of(&tokens(&house, "openid").await.access_token);
    assert_eq!(claims["realm_access"], json!({ "roles": ["user"] }));
    assert_eq!(claims["resource_access"]["site"], json!({ "roles": ["user"] }));
    assert_eq!(claims.get("roles"), None);
}
