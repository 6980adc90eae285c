//! Access and refresh tokens.

use mashang_login::client::Client;
use mashang_login::records::{Records, Spent};
use mashang_login::secret::SecretHash;
use mashang_login::token::NewTokens;

use super::super::{Nodes, at_once, count};
use super::Scene;

fn refresh_of(tokens: &NewTokens) -> SecretHash {
    tokens.refresh.expect("a refresh token was issued").0
}

pub async fn a_bearer_names_person_client_and_family(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;
    let bearer = scene.nodes.b.bearer(&tokens.access, scene.now()).await.unwrap().unwrap();
    assert_eq!(bearer.family.id, done.fulfilment.family);
    assert_eq!(bearer.client, scene.client);
    assert_eq!(bearer.user, done.user);
}

pub async fn promise_4_an_access_token_ends_by_the_clock(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;
    let end = tokens.access_expires_at;
    let last = end - std::time::Duration::from_millis(1);
    assert!(scene.nodes.a.bearer(&tokens.access, last).await.unwrap().is_some());
    assert!(scene.nodes.a.bearer(&tokens.access, end).await.unwrap().is_none());
}

pub async fn sec_40_a_bearer_ends_with_person_client_or_family(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;
    assert!(scene.speaks(&tokens).await);

    scene.nodes.a.set_user_disabled(&done.user.id, Some(scene.now())).await.unwrap();
    assert!(!scene.speaks(&tokens).await);
    scene.nodes.a.set_user_disabled(&done.user.id, None).await.unwrap();
    assert!(!scene.speaks(&tokens).await, "it has ended");
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;

    let off = Client { disabled_at: Some(scene.now()), ..scene.client.clone() };
    scene.nodes.a.save_client(&off).await.unwrap();
    assert!(!scene.speaks(&tokens).await);
    scene.nodes.a.save_client(&scene.client).await.unwrap();
    assert!(scene.speaks(&tokens).await);

    scene.nodes.a.revoke_family(&done.fulfilment.family, scene.now()).await.unwrap();
    assert!(!scene.speaks(&tokens).await);
}

pub async fn sec_50_refresh_tokens_rotate_along_a_chain(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let first = scene.tokens(&done).await;
    let mut tokens = first.clone();
    for n in 0..5 {
        let next = scene.world.tokens();
        let (engine, token) = (scene.nodes.nth(n), refresh_of(&tokens));
        assert_eq!(engine.rotate_refresh_token(&token, &next, scene.now()).await.unwrap(), Spent::Issued);
        let spent = engine.refresh_token(&token).await.unwrap().unwrap();
        assert_eq!((spent.spent_at, spent.family.id), (Some(scene.now()), done.fulfilment.family.clone()));
        tokens = next;
    }
    assert!(scene.speaks(&tokens).await);

    let thief = scene.world.tokens();
    let answer = scene.nodes.a.rotate_refresh_token(&refresh_of(&first), &thief, scene.now()).await.unwrap();
    assert_eq!(answer, Spent::Replayed);
    assert!(!scene.speaks(&tokens).await && !scene.speaks(&thief).await);
    let late = scene.world.tokens();
    let answer = scene.nodes.a.rotate_refresh_token(&refresh_of(&tokens), &late, scene.now()).await.unwrap();
    assert_eq!(answer, Spent::Unknown, "the newest token fell with its family");
}

pub async fn sec_50_of_100_rotations_at_once_one_wins_and_the_rest_revoke(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let token = refresh_of(&scene.tokens(&done).await);
    let answers = at_once(100, |n| {
        let (engine, tokens, now) = (scene.nodes.nth(n), scene.world.tokens(), scene.now());
        async move { engine.rotate_refresh_token(&token, &tokens, now).await.unwrap() }
    })
    .await;
    assert_eq!((count(&answers, &Spent::Issued), count(&answers, &Spent::Replayed)), (1, 99));
    let family = scene.nodes.b.family_of(&token).await.unwrap().unwrap();
    assert_eq!(family.revoked_at, Some(scene.now()));
}

pub async fn sec_50_an_expired_refresh_token_is_unknown(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let (token, end) = scene.tokens(&done).await.refresh.unwrap();
    let answer = scene.nodes.a.rotate_refresh_token(&token, &scene.world.tokens(), end).await.unwrap();
    assert_eq!(answer, Spent::Unknown);
    let record = scene.nodes.b.refresh_token(&token).await.unwrap().unwrap();
    assert_eq!((record.expires_at, record.spent_at), (end, None));
    assert_eq!(record.family.revoked_at, None);
}

pub async fn sec_50_the_family_ends_every_token(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let end = done.fulfilment.family_expires_at;
    let beyond = NewTokens {
        access: scene.world.hash(),
        access_expires_at: end + std::time::Duration::from_secs(60),
        refresh: Some((scene.world.hash(), end + std::time::Duration::from_secs(60))),
        ..scene.world.tokens()
    };
    scene.nodes.a.exchange_code(&done.fulfilment.code, &beyond, scene.now()).await.unwrap();
    assert!(scene.speaks(&beyond).await);
    assert!(scene.nodes.b.bearer(&beyond.access, end).await.unwrap().is_none());
    let answer = scene.nodes.b.rotate_refresh_token(&refresh_of(&beyond), &scene.world.tokens(), end).await;
    assert_eq!(answer.unwrap(), Spent::Unknown);
}

pub async fn sec_61_an_access_token_is_no_refresh_token(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;
    let next = scene.world.tokens();
    let answer = scene.nodes.a.rotate_refresh_token(&tokens.access, &next, scene.now()).await.unwrap();
    assert_eq!(answer, Spent::Unknown);
    assert!(scene.nodes.a.bearer(&refresh_of(&tokens), scene.now()).await.unwrap().is_none());
    assert!(scene.nodes.a.refresh_token(&tokens.access).await.unwrap().is_none());
}

pub async fn a_family_is_found_by_either_token(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;
    for token in [tokens.access, refresh_of(&tokens)] {
        let family = scene.nodes.b.family_of(&token).await.unwrap().unwrap();
        assert_eq!(family.id, done.fulfilment.family);
    }
    assert_eq!(scene.nodes.b.family_of(&done.fulfilment.code).await.unwrap(), None);
}
