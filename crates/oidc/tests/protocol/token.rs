//! Codes become tokens: once, for the right client, with the right proof.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mashang_login::audit::AuditKind;
use mashang_login::records::Records as _;
use mashang_login::secret::SecretHash;
use mashang_login::{Clock as _, Timestamp};
use mashang_oidc::token::{Happened, TokenError};
use mashang_oidc::userinfo::{BearerError, userinfo};

use crate::house::{Answer, House, ISSUER, SECRET, VERIFIER, callback, claims_of, encoded, house};

fn error(answer: Answer) -> TokenError {
    answer.0.unwrap_err()
}

/// A correct exchange by `site`, with `extra` replacing parameters of the same name; an empty value removes one.
async fn exchange_with(house: &House, client: &str, code: &str, extra: &[(&str, &str)]) -> Answer {
    let callback = callback(client);
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &*callback),
        ("code_verifier", VERIFIER),
        ("client_id", client),
        ("client_secret", SECRET),
    ];
    pairs.retain(|(name, _)| extra.iter().all(|(other, _)| other != name));
    pairs.extend_from_slice(extra);
    house.token(&pairs).await
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

async fn spent_at(house: &House, code: &str) -> Option<Timestamp> {
    house.records.code(&SecretHash::of(code)).await.unwrap().unwrap().spent_at
}

#[tokio::test]
async fn a_code_becomes_tokens_with_every_claim_of_the_id_token() {
    let house = house().await;
    let (code, session) = house.sign_in("site", &[]).await;
    house.wait(30);
    let (answer, happened) = house.exchange("site", &code).await;
    let answer = answer.unwrap();
    assert_eq!((answer.token_type, answer.expires_in), ("Bearer", 600));
    assert_eq!(answer.scope, "openid profile offline_access wechat_openid wechat_unionid");
    assert!(answer.access_token.starts_with("msa_"));
    assert!(answer.refresh_token.as_ref().unwrap().starts_with("msr_"));
    let claims = claims_of(answer.id_token.as_ref().unwrap());
    let now = house.clock.now().as_second();
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["sub"], session.user.as_str());
    assert_eq!(claims["aud"], "site");
    assert_eq!((&claims["iat"], &claims["exp"]), (&now.into(), &(now + 600).into()));
    assert_eq!(claims["auth_time"], now - 30);
    assert_eq!(claims["nonce"], "n-0S6");
    assert_eq!(claims["amr"], serde_json::json!(["wechat-official"]));
    assert_eq!(claims["sid"], session.id.as_str());
    // SEC-51: nothing about the person that the userinfo endpoint guards by scope.
    let mut names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"]);
    assert!(matches!(happened, Some(Happened::Issued)));
    // SEC-78: what the trail says goes to the store with the tokens.
    let told = house.records.audit_trail(1).await.unwrap().remove(0);
    assert_eq!((told.kind, told.user), (AuditKind::TokensIssued, Some(session.user)));
    assert_eq!((told.client.unwrap().as_str(), told.address.as_deref()), ("site", Some("192.0.2.7")));
    // Promise 10.
    assert!(!format!("{answer:?}").contains("msa_") && !format!("{answer:?}").contains("msr_"));
}

#[tokio::test]
async fn a_public_client_needs_no_secret_and_one_without_refresh_tokens_gets_none() {
    let house = house().await;
    assert!(house.tokens("app").await.refresh_token.is_some());
    let tokens = house.tokens("old").await;
    assert_eq!(tokens.refresh_token, None);
    assert!(!tokens.scope.contains("offline_access"));
}

#[tokio::test]
async fn rfc_6749_2_3_1_basic_credentials_are_form_decoded() {
    let house = house().await;
    let callback = callback("site");
    let form = |code| {
        [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &*callback),
            ("code_verifier", VERIFIER),
        ]
    };
    let code = house.code("site").await;
    let good = basic("site", SECRET);
    assert!(house.token_with(Some(&good), &form(&code)).await.0.is_ok());
    // The same id in the form is no second method.
    let code = house.code("site").await;
    let pairs = [&form(&code)[..], &[("client_id", "site")]].concat();
    assert!(house.token_with(Some(&good.replacen("Basic", "basic", 1)), &pairs).await.0.is_ok());
    // Unencoded, the `%` or `+` of a secret would mean something else: it is refused, not guessed.
    house
        .change("site", |site| {
            site.authentication = mashang_login::client::ClientAuthentication::Secret(SecretHash::of("100%"));
        })
        .await;
    let raw = format!("Basic {}", STANDARD.encode("site:100%"));
    assert_eq!(error(house.token_with(Some(&raw), &form("x")).await).code, "invalid_client");
}

#[tokio::test]
async fn rfc_6749_2_3_more_than_one_method_is_refused() {
    let house = house().await;
    let header = basic("site", SECRET);
    let both = house.token_with(Some(&header), &[("client_id", "site"), ("client_secret", SECRET)]).await;
    assert_eq!(error(both).code, "invalid_request");
    let other = house.token_with(Some(&header), &[("client_id", "other")]).await;
    assert_eq!(error(other).code, "invalid_request");
}

#[tokio::test]
async fn sec_57_a_client_that_does_not_prove_itself_is_refused_alike() {
    let house = house().await;
    let mut seen = Vec::new();
    for pairs in [
        &[("client_id", "site"), ("client_secret", "wrong")][..],
        &[("client_id", "site")],
        &[("client_id", "nobody"), ("client_secret", SECRET)],
        &[("client_id", "nobody")],
        &[("client_id", "no body"), ("client_secret", SECRET)],
        &[("client_id", "app"), ("client_secret", SECRET)],
        &[("client_secret", SECRET)],
        &[],
    ] {
        let error = error(house.token(pairs).await);
        assert_eq!(
            (error.code, error.status(), error.challenge),
            ("invalid_client", 400, false),
            "{pairs:?}"
        );
        seen.push(error.description);
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "one sentence for all of them");
}

#[tokio::test]
async fn rfc_6749_5_2_a_failed_authorization_header_is_401_with_a_challenge() {
    let house = house().await;
    for header in [
        &*basic("site", "wrong"),
        &basic("nobody", SECRET),
        &basic("app", SECRET),
        &basic("site", ""),
        "Basic",
        "Basic !!!",
        "Basic c2l0ZQ==",
        "Basic //8=",
        "Bearer abc",
        "",
    ] {
        let error = error(house.token_with(Some(header), &[("grant_type", "authorization_code")]).await);
        assert_eq!((error.code, error.status(), error.challenge), ("invalid_client", 401, true), "{header}");
    }
    // An empty password is no secret, so a public client may send one (RFC 6749 §2.3.1).
    let public = house.token_with(Some(&basic("app", "")), &[]).await;
    assert_eq!(error(public).code, "invalid_request");
}

#[tokio::test]
async fn sec_47_other_grant_types_are_refused() {
    let house = house().await;
    let with = async |grant_type| {
        let pairs = [("client_id", "site"), ("client_secret", SECRET), ("grant_type", grant_type)];
        error(house.token(&pairs).await).code
    };
    for grant_type in
        ["password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"]
    {
        assert_eq!(with(grant_type).await, "unsupported_grant_type");
    }
    assert_eq!(with("").await, "invalid_request");
}

#[tokio::test]
async fn rfc_6749_3_2_every_known_parameter_sent_twice_is_refused() {
    let house = house().await;
    for name in [
        "client_id",
        "client_secret",
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "scope",
    ] {
        let error = error(exchange_with(&house, "site", "x", &[(name, "a"), (name, "a")]).await);
        assert_eq!(error.code, "invalid_request", "{name}");
        assert!(error.description.contains(name));
    }
}

#[tokio::test]
async fn sec_48_pkce_must_be_finished_in_both_directions() {
    let house = house().await;
    let wrong = "x".repeat(43);
    let code = house.code("site").await;
    for verifier in ["", "short", crate::house::CHALLENGE, &wrong] {
        let error = error(exchange_with(&house, "site", &code, &[("code_verifier", verifier)]).await);
        assert_eq!(error.code, "invalid_grant", "{verifier}");
    }
    assert!(house.exchange("site", &code).await.0.is_ok(), "a wrong verifier spends nothing");

    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = house.sign_in("old", &without).await.0;
    let downgraded = error(exchange_with(&house, "old", &code, &[]).await);
    assert_eq!(downgraded.code, "invalid_grant", "a verifier without a challenge");
    let plain = exchange_with(&house, "old", &code, &[("code_verifier", "")]).await;
    assert!(plain.0.is_ok());

    let code = house.sign_in("old", &without).await.0;
    house.change("old", |old| old.pkce = mashang_login::client::PkcePolicy::Required).await;
    let error = error(exchange_with(&house, "old", &code, &[("code_verifier", "")]).await);
    assert_eq!(error.code, "invalid_grant", "required since");
}

#[tokio::test]
async fn sec_49_a_code_is_bound_to_its_client_and_address() {
    let house = house().await;
    let code = house.code("site").await;
    let site = callback("site");
    let foreign = exchange_with(&house, "other", &code, &[("redirect_uri", &site)]).await;
    assert_eq!(error(foreign).code, "invalid_grant");
    for (uri, why) in [
        ("", "invalid_request"),
        ("https://site.example/", "invalid_grant"),
        ("https://site.example/index.php?f=callback&m=sso", "invalid_grant"),
    ] {
        assert_eq!(error(exchange_with(&house, "site", &code, &[("redirect_uri", uri)]).await).code, why);
    }
    assert!(house.exchange("site", &code).await.0.is_ok(), "nothing of that spent it");
}

#[tokio::test]
async fn sec_49_a_code_lives_sixty_seconds() {
    let house = house().await;
    let (in_time, late) = (house.code("site").await, house.code("site").await);
    house.wait(59);
    assert!(house.exchange("site", &in_time).await.0.is_ok());
    house.wait(1);
    assert_eq!(error(house.exchange("site", &late).await).code, "invalid_grant");
    assert_eq!(spent_at(&house, &late).await, None, "refused before the store was asked to spend it");
}

#[tokio::test]
async fn sec_49_a_code_of_a_revoked_family_is_refused_before_it_is_spent() {
    let house = house().await;
    let code = house.code("site").await;
    let hash = SecretHash::of(&code);
    let family = house.records.code(&hash).await.unwrap().unwrap().family.id;
    house.records.revoke_family(&family, house.clock.now()).await.unwrap();
    assert_eq!(error(house.exchange("site", &code).await).code, "invalid_grant");
    assert_eq!(spent_at(&house, &code).await, None);
}

#[tokio::test]
async fn sec_49_a_code_that_comes_back_revokes_its_tokens() {
    let house = house().await;
    let code = house.code("site").await;
    let tokens = house.exchange("site", &code).await.0.unwrap();
    assert!(userinfo(&house.provider, &tokens.access_token).await.is_ok());
    house.wait(30);
    let (answer, happened) = house.exchange("site", &code).await;
    assert_eq!(answer.unwrap_err().code, "invalid_grant");
    assert!(matches!(happened, Some(Happened::Replayed { .. })));
    let dead = userinfo(&house.provider, &tokens.access_token).await;
    assert!(matches!(dead, Err(BearerError::InvalidToken)));
    let refresh = house.refresh("site", &tokens.refresh_token.unwrap()).await;
    assert_eq!(error(refresh).code, "invalid_grant");
}

#[tokio::test]
async fn sec_49_of_two_exchanges_at_the_same_moment_one_wins_and_the_other_ends_both() {
    let house = house().await;
    let code = house.code("site").await;
    house.records.read_before_the_other_writes();
    let first = house.exchange("site", &code).await.0.unwrap();
    let (second, happened) = house.exchange("site", &code).await;
    assert_eq!(second.unwrap_err().code, "invalid_grant");
    assert!(matches!(happened, Some(Happened::Replayed { .. })));
    assert!(userinfo(&house.provider, &first.access_token).await.is_err());
}

#[tokio::test]
async fn sec_49_a_stranger_cannot_revoke_by_replaying() {
    let house = house().await;
    let code = house.code("site").await;
    let tokens = house.exchange("site", &code).await.0.unwrap();
    let (answer, happened) = house.exchange("other", &code).await;
    assert_eq!((answer.unwrap_err().code, happened), ("invalid_grant", None));
    assert!(userinfo(&house.provider, &tokens.access_token).await.is_ok());
}

#[tokio::test]
async fn sec_61_values_of_another_kind_are_no_codes() {
    let house = house().await;
    let tokens = house.tokens("site").await;
    let refresh = tokens.refresh_token.unwrap();
    for value in [&*tokens.access_token, &refresh, &tokens.id_token.unwrap(), "msc_short", "x"] {
        assert_eq!(error(house.exchange("site", value).await).code, "invalid_grant", "{value}");
    }
    assert_eq!(error(exchange_with(&house, "site", "", &[]).await).code, "invalid_request");
}

#[tokio::test]
async fn sec_40_a_client_or_person_switched_off_gets_no_tokens() {
    let house = house().await;
    let (code, session) = house.sign_in("site", &[]).await;
    house.records.set_user_disabled(&session.user, Some(house.clock.now())).await.unwrap();
    assert_eq!(error(house.exchange("site", &code).await).code, "invalid_grant");
    house.disable_client("site").await;
    assert_eq!(error(house.exchange("site", &code).await).code, "unauthorized_client");
    let wrong = exchange_with(&house, "site", &code, &[("client_secret", "wrong")]).await;
    assert_eq!(error(wrong).code, "invalid_client", "a stranger does not learn that it is switched off");
}

#[tokio::test]
async fn sec_50_no_token_outlives_its_family() {
    let mut house = house().await;
    house.provider.policy.family = std::time::Duration::from_secs(90);
    let code = house.code("site").await;
    house.wait(30);
    assert_eq!(house.exchange("site", &code).await.0.unwrap().expires_in, 60);
}

#[tokio::test]
async fn sec_82_a_store_that_does_not_answer_is_503_and_no_token() {
    let house = house().await;
    let code = house.code("site").await;
    house.records.cut();
    let error = error(house.exchange("site", &code).await);
    assert_eq!((error.code, error.status(), error.challenge), ("server_error", 503, false));
    assert!(!error.body().to_string().contains("cable"), "the cause is not the client's business");
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.source().unwrap().to_string().contains("cable"), "but the log's: {cause}");
}

#[tokio::test]
async fn the_answer_to_the_browser_and_the_token_agree_on_the_issuer() {
    let house = house().await;
    let grant = house.grant(&House::request("site", &[])).await;
    let answered = mashang_oidc::answer::fulfil(&house.provider, &grant, house.fresh("a").1).await.unwrap();
    let mashang_oidc::answer::Answered::Done { response, .. } = answered else { panic!("open") };
    let tokens = house.exchange("site", response.get("code").unwrap()).await.0.unwrap();
    assert_eq!(response.get("iss").unwrap(), claims_of(&tokens.id_token.unwrap())["iss"]);
}
