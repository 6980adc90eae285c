//! Clients that only people in certain groups may sign in to.

use std::sync::Arc;

use mashang_login::Clock as _;
use mashang_login::ids::UserId;
use mashang_login::records::Records as _;
use mashang_oidc::answer::{Answered, fulfil};
use mashang_oidc::claims::{ClaimPolicy, Rule};
use mashang_oidc::userinfo::{BearerError, userinfo};

use crate::house::{House, house};

/// Only `user` is of the staff.
fn staff(user: &UserId) -> ClaimPolicy {
    let rule = Rule { groups: vec!["staff".into()], users: Some(vec![user.clone()]), ..Rule::default() };
    ClaimPolicy { email_pattern: None, rules: vec![rule] }
}

async fn for_staff_and_ops(house: &House) {
    house.change("site", |site| site.settings.require_groups = vec!["ops".into(), "staff".into()]).await;
}

/// Ming, who has been here before, and a house whose rules know him.
async fn where_ming_is_staff() -> (House, UserId) {
    let house = house().await;
    let ming = house.sign_in("other", &[]).await.1.user;
    let house = house.telling(staff(&ming));
    for_staff_and_ops(&house).await;
    (house, ming)
}

#[tokio::test]
async fn sec_40_a_client_that_requires_groups_answers_for_whoever_is_in_one_of_them() {
    let (house, ming) = where_ming_is_staff().await;
    let (code, session) = house.sign_in("site", &[]).await;
    assert_eq!(session.user, ming);
    let tokens = house.exchange("site", &code).await.0.unwrap();
    assert!(userinfo(&house.provider, &tokens.access_token).await.is_ok());
    let grant = house.grant(&House::request("site", &[])).await;
    let answered = fulfil(&house.provider, &grant, house.continued(session)).await.unwrap();
    assert!(matches!(answered, Answered::Done { .. }), "{answered:?}");
}

#[tokio::test]
async fn sec_40_nobody_outside_the_required_groups_gets_a_code_by_a_scan_or_by_a_session() {
    let (house, ming) = where_ming_is_staff().await;
    let grant = house.grant(&House::request("site", &[])).await;
    let (secret, login) = house.fresh("openid-of-a-stranger");
    let answered = fulfil(&house.provider, &grant, login).await.unwrap();
    let Answered::NotAdmitted(stranger) = answered else { panic!("{answered:?}") };
    assert!(stranger != ming);
    assert_eq!(house.records.session(&secret, house.clock.now()).await.unwrap(), None, "signed in nowhere");

    let (_, login) = house.fresh("openid-of-a-stranger");
    let other = house.grant(&House::request("other", &[])).await;
    let answered = fulfil(&house.provider, &other, login.clone()).await.unwrap();
    assert!(matches!(answered, Answered::Done { .. }), "another client is open: {answered:?}");
    let mashang_login::records::Login::Fresh(login) = login else { unreachable!() };
    let session = house.records.session(&login.session.secret, house.clock.now()).await.unwrap().unwrap();
    let answered = fulfil(&house.provider, &grant, house.continued(session)).await.unwrap();
    assert!(matches!(answered, Answered::NotAdmitted(user) if user == stranger));
    let open = house.records.grant(&grant.id).await.unwrap().unwrap();
    assert!(open.is_open(house.clock.now()), "somebody else may still sign in by it");
}

#[tokio::test]
async fn sec_40_a_group_that_does_not_exist_admits_nobody() {
    let (house, _) = where_ming_is_staff().await;
    house.change("site", |site| site.settings.require_groups = vec!["stafff".into()]).await;
    let grant = house.grant(&House::request("site", &[])).await;
    let (_, login) = house.fresh("openid-of-ming");
    let answered = fulfil(&house.provider, &grant, login).await.unwrap();
    assert!(matches!(answered, Answered::NotAdmitted(_)), "{answered:?}");
}

#[tokio::test]
async fn sec_40_whoever_leaves_the_groups_gets_no_more_tokens_and_is_told_of_no_more() {
    let (house, _) = where_ming_is_staff().await;
    let code = house.code("site").await;
    let tokens = house.tokens("site").await;
    let provider = mashang_oidc::Provider { claims: Arc::default(), ..house.provider.clone() };
    let house = House { provider, ..house };
    let late = house.exchange("site", &code).await.0.unwrap_err();
    let refreshed = house.refresh("site", &tokens.refresh_token.unwrap()).await.0.unwrap_err();
    assert_eq!((late.code, refreshed.code), ("invalid_grant", "invalid_grant"));
    assert!(refreshed.description.contains("may not sign in"), "{}", refreshed.description);
    let refused = userinfo(&house.provider, &tokens.access_token).await;
    assert!(matches!(refused, Err(BearerError::InvalidToken)), "{refused:?}");
}
