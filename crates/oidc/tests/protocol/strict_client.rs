//! `openidconnect`, a strict relying party written by others, verifies what we issue.

use chrono::DateTime;
use mashang_login::Clock as _;
use mashang_login::key::SigningAlgorithm;
use openidconnect::core::{
    CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm, CoreUserInfoClaims,
};
use openidconnect::{AccessToken, AccessTokenHash, ClientId, ClientSecret, IssuerUrl, Nonce};

use crate::house::{House, ISSUER, SECRET, house};

fn verifier(house: &House, algorithm: CoreJwsSigningAlgorithm) -> CoreIdTokenVerifier<'static> {
    let now = house.clock.now();
    let jwks: CoreJsonWebKeySet = serde_json::from_value(house.provider.keys.jwks(now)).unwrap();
    CoreIdTokenVerifier::new_confidential_client(
        ClientId::new("site".into()),
        ClientSecret::new(SECRET.into()),
        IssuerUrl::new(ISSUER.into()).unwrap(),
        jwks,
    )
    .set_allowed_algs([algorithm])
    .set_time_fn(move || DateTime::from_timestamp(now.as_second(), 0).unwrap())
}

#[tokio::test]
async fn sec_51_a_strict_client_verifies_every_algorithm() {
    let house = house().await;
    for (ours, theirs) in [
        (SigningAlgorithm::Rs256, CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
        (SigningAlgorithm::Es256, CoreJwsSigningAlgorithm::EcdsaP256Sha256),
        (SigningAlgorithm::EdDsa, CoreJwsSigningAlgorithm::EdDsa),
    ] {
        house.change("site", |site| site.id_token_alg = ours).await;
        let tokens = house.tokens("site").await;
        let token: CoreIdToken = tokens.id_token.unwrap().parse().unwrap();
        let verifier = verifier(&house, theirs);
        let claims = token.claims(&verifier, &Nonce::new("n-0S6".into())).unwrap();
        assert!(token.claims(&verifier, &Nonce::new("other".into())).is_err());

        let access = AccessToken::new(tokens.access_token);
        let (alg, key) = (token.signing_alg().unwrap(), token.signing_key(&verifier).unwrap());
        let at_hash = AccessTokenHash::from_token(&access, alg, key).unwrap();
        assert_eq!(claims.access_token_hash(), Some(&at_hash), "{ours:?}");

        house.wait(601);
        let late = self::verifier(&house, CoreJwsSigningAlgorithm::EdDsa);
        assert!(token.claims(&late, &Nonce::new("n-0S6".into())).is_err(), "expired");
    }
}

#[tokio::test]
async fn a_strict_client_reads_userinfo() {
    let house = house().await;
    let tokens = house.tokens("site").await;
    let userinfo = mashang_oidc::userinfo::userinfo(&house.provider, &tokens.access_token).await.unwrap();
    let json = userinfo.to_string();
    let claims = CoreUserInfoClaims::from_json::<std::io::Error>(json.as_bytes(), None).unwrap();
    assert_eq!(claims.nickname().unwrap().get(None).unwrap().as_str(), "小明");
    assert_eq!(claims.updated_at().unwrap().timestamp(), house.clock.now().as_second());
}
