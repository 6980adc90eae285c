//! Userinfo: exactly what the granted scopes open.

use std::time::Duration;

use mashang_login::Clock as _;
use mashang_login::grant::Scope;
use mashang_login::identity::{Attributes, ChannelKind, IdentityKey, Profile, Proof};
use mashang_login::records::Records as _;
use mashang_oidc::answer::{Answered, fulfil};
use mashang_oidc::userinfo::{BearerError, bearer_token, userinfo};
use serde_json::{Value, json};

use crate::house::{House, claims_of, form, house};

async fn with_scope(house: &House, scope: &str) -> Value {
    let code = house.sign_in("site", &[("scope", scope)]).await.0;
    let tokens = house.exchange("site", &code).await.0.unwrap();
    let mut claims = userinfo(&house.provider, &tokens.access_token).await.unwrap();
    assert!(claims.as_object_mut().unwrap().remove("sub").is_some());
    claims
}

#[tokio::test]
async fn sec_51_each_scope_opens_its_own_claims() {
    let house = house().await;
    let updated_at = house.clock.now().as_second();
    assert_eq!(with_scope(&house, "openid").await, json!({}));
    assert_eq!(
        with_scope(&house, "openid profile").await,
        json!({
            "name": "小明", "nickname": "小明", "picture": "https://img.example/1.png", "updated_at": updated_at
        })
    );
    assert_eq!(
        with_scope(&house, "openid wechat_openid").await,
        json!({ "wechat_openid": "openid-of-ming", "wechat_appid": "wx0123456789abcdef" })
    );
    assert_eq!(
        with_scope(&house, "openid wechat_unionid").await,
        json!({ "wechat_unionid": "union-of-openid-of-ming" })
    );
}

/// What somebody of the kind of channel with these attributes is told as, and the `amr` of their ID token.
async fn told(house: &House, kind: ChannelKind, attributes: Attributes) -> (Value, Value) {
    let scope = "openid phone email wechat_openid wechat_unionid wecom";
    let grant = house.grant(&House::request("site", &[("scope", scope)])).await;
    let proof = Proof {
        channel: "channel".parse().unwrap(),
        key: IdentityKey { kind, app: "app-or-corp".into(), subject: "zhangsan".into() },
        union: None,
        profile: Profile::default(),
        attributes,
        proven_at: house.clock.now(),
        password_set_at: None,
    };
    let Answered::Done { response, .. } =
        fulfil(&house.provider, &grant, house.fresh_by(proof).1).await.unwrap()
    else {
        panic!("open");
    };
    let tokens = house.exchange("site", response.get("code").unwrap()).await.0.unwrap();
    let mut claims = userinfo(&house.provider, &tokens.access_token).await.unwrap();
    claims.as_object_mut().unwrap().remove("sub").unwrap();
    (claims, claims_of(&tokens.id_token.unwrap())["amr"].clone())
}

#[tokio::test]
async fn each_kind_of_channel_tells_its_own_claims() {
    let house = house().await;
    for kind in ChannelKind::ALL {
        let (claims, amr) = told(&house, kind, Attributes::default()).await;
        let expected = match kind {
            ChannelKind::WechatOpen | ChannelKind::WechatOfficial | ChannelKind::WechatMini => {
                json!({ "wechat_openid": "zhangsan", "wechat_appid": "app-or-corp" })
            }
            ChannelKind::Wecom => json!({ "wecom_corpid": "app-or-corp" }),
            ChannelKind::Email => json!({ "email": "zhangsan", "email_verified": true }),
            // Nobody knows when the code was typed, so nobody vouches for it.
            ChannelKind::Sms => json!({ "phone_number": "zhangsan", "phone_number_verified": false }),
            ChannelKind::App | ChannelKind::Passkey | ChannelKind::Password => json!({}),
        };
        assert_eq!(claims, expected, "{kind:?}");
        assert_eq!(amr, json!([kind.as_str()]));
    }
}

#[tokio::test]
async fn a_wecom_member_is_told_as_the_directory_writes_them() {
    let house = house().await;
    let attributes = Attributes {
        member_id: Some("ZhangSan".into()),
        departments: vec![1, 24],
        phone_number: Some("+8613800138000".into()),
        phone_proven_at: Some(house.clock.now()),
        email: Some("zhangsan@corp.example".into()),
    };
    let (claims, _) = told(&house, ChannelKind::Wecom, attributes).await;
    let expected = json!({
        "wecom_userid": "ZhangSan", "wecom_corpid": "app-or-corp", "wecom_departments": [1, 24],
        "userid": "ZhangSan", "departments": [1, 24],
        "phone_number": "+8613800138000", "phone_number_verified": true,
        "email": "zhangsan@corp.example", "email_verified": false,
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_phone_number_is_verified_for_thirty_days() {
    let now = house().await.clock.now();
    let days = |days: u64| Duration::from_secs(days * 86_400);
    for (proven_at, verified) in [
        (Some(now), true),
        (Some(now - days(30) + Duration::from_secs(1)), true),
        (Some(now - days(30)), false),
        (None, false),
    ] {
        let house = house().await;
        let phone_number = Some("+8613800138000".to_owned());
        let attributes = Attributes { phone_number, phone_proven_at: proven_at, ..Attributes::default() };
        let (claims, _) = told(&house, ChannelKind::WechatMini, attributes).await;
        assert_eq!(claims["phone_number"], "+8613800138000", "{proven_at:?}");
        assert_eq!(claims["phone_number_verified"], verified, "{proven_at:?}");
    }
}

#[tokio::test]
async fn sec_61_only_a_live_access_token_opens_it() {
    let house = house().await;
    let tokens = house.tokens("site").await;
    let code = house.code("site").await;
    for value in [&*tokens.refresh_token.unwrap(), &tokens.id_token.unwrap(), &code, "msa_x", ""] {
        let refused = userinfo(&house.provider, value).await;
        assert!(matches!(refused, Err(BearerError::InvalidToken)), "{value}");
    }
    house.wait(599);
    assert!(userinfo(&house.provider, &tokens.access_token).await.is_ok());
    house.wait(1);
    assert!(userinfo(&house.provider, &tokens.access_token).await.is_err(), "expired");
}

#[tokio::test]
async fn rfc_6750_3_1_a_token_without_openid_is_of_insufficient_scope() {
    let house = house().await;
    let mut grant = house.grant(&House::request("site", &[])).await;
    grant.request.scope = grant.request.scope.iter().filter(|scope| *scope != Scope::Openid).collect();
    house.records.begin_grant(&grant).await.unwrap();
    let Answered::Done { response, .. } = fulfil(&house.provider, &grant, house.fresh("a").1).await.unwrap()
    else {
        panic!("open");
    };
    let tokens = house.exchange("site", response.get("code").unwrap()).await.0.unwrap();
    let refused = userinfo(&house.provider, &tokens.access_token).await;
    assert!(matches!(refused, Err(BearerError::InsufficientScope)));
}

#[tokio::test]
async fn sec_40_a_person_or_client_switched_off_closes_it() {
    let house = house().await;
    let (code, session) = house.sign_in("site", &[]).await;
    let token = house.exchange("site", &code).await.0.unwrap().access_token;
    house.records.set_user_disabled(&session.user, Some(house.clock.now())).await.unwrap();
    assert!(userinfo(&house.provider, &token).await.is_err());
    house.records.set_user_disabled(&session.user, None).await.unwrap();
    assert!(userinfo(&house.provider, &token).await.is_err(), "it has ended");
    let (code, _) = house.sign_in("site", &[]).await;
    let token = house.exchange("site", &code).await.0.unwrap().access_token;
    assert!(userinfo(&house.provider, &token).await.is_ok());
    house.disable_client("site").await;
    assert!(userinfo(&house.provider, &token).await.is_err());
}

#[tokio::test]
async fn sec_82_a_store_that_does_not_answer_is_503_without_a_challenge() {
    let house = house().await;
    let token = house.tokens("site").await.access_token;
    house.records.cut();
    let error = userinfo(&house.provider, &token).await.unwrap_err();
    assert_eq!((error.status(), error.challenge()), (503, None));
}

#[test]
fn rfc_6750_2_the_token_travels_in_the_header_or_in_a_form_but_not_in_both() {
    let posted = form(&[("access_token", "msa_form")]);
    let twice = form(&[("access_token", "a"), ("access_token", "a")]);
    assert_eq!(bearer_token(Some("Bearer msa_h"), None).unwrap(), "msa_h");
    assert_eq!(bearer_token(Some("bearer msa_h"), Some(&form(&[]))).unwrap(), "msa_h");
    assert_eq!(bearer_token(None, Some(&posted)).unwrap(), "msa_form");
    assert!(matches!(bearer_token(Some("Bearer x"), Some(&posted)), Err(BearerError::InvalidRequest)));
    assert!(matches!(bearer_token(None, Some(&twice)), Err(BearerError::InvalidRequest)));
    for nothing in [None, Some(""), Some("Bearer"), Some("Basic eDp5")] {
        assert!(matches!(bearer_token(nothing, None), Err(BearerError::Missing)), "{nothing:?}");
    }
}

#[test]
fn rfc_6750_3_challenges_name_the_error_except_when_there_was_no_token() {
    assert_eq!(BearerError::Missing.challenge().unwrap(), "Bearer");
    assert_eq!(BearerError::Missing.status(), 401);
    let challenge = BearerError::InvalidToken.challenge().unwrap();
    assert!(challenge.starts_with(r#"Bearer error="invalid_token", "#), "{challenge}");
    assert_eq!(BearerError::InsufficientScope.status(), 403);
    assert_eq!(BearerError::InvalidRequest.status(), 400);
}
