//! Codes: spent once.

use mashang_login::records::{Records, Spent};

use super::super::{Nodes, at_once, count};
use super::Scene;

pub async fn a_code_reads_back_with_its_family(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let session = scene.session(&done).await;
    let record = scene.nodes.b.code(&done.fulfilment.code).await.unwrap().unwrap();
    let request = scene.world.grant(&scene.client).request;
    assert_eq!(record.code, done.fulfilment.code);
    assert_eq!(record.redirect_uri, request.redirect_uri);
    assert_eq!((record.code_challenge, record.nonce), (request.code_challenge, request.nonce));
    assert_eq!((record.expires_at, record.spent_at), (done.fulfilment.code_expires_at, None));
    let family = record.family;
    assert_eq!((family.id, family.client), (done.fulfilment.family.clone(), scene.client.id.clone()));
    assert_eq!((family.user, family.session), (done.user.id, session.id));
    assert_eq!((family.identity, family.scope), (session.identity, request.scope));
    assert_eq!((family.auth_time, family.amr), (session.auth_time, session.amr));
    assert_eq!((family.expires_at, family.revoked_at), (done.fulfilment.family_expires_at, None));
}

pub async fn sec_49_a_code_is_exchanged_by_one_of_100_and_the_rest_revoke(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let answers = at_once(100, |n| {
        let (engine, code, tokens) = (scene.nodes.nth(n), done.fulfilment.code, scene.world.tokens());
        let now = scene.now();
        async move { (engine.exchange_code(&code, &tokens, now).await.unwrap(), tokens) }
    })
    .await;
    for (_, tokens) in &answers {
        assert!(!scene.speaks(tokens).await, "the family is revoked");
    }
    let answers: Vec<_> = answers.into_iter().map(|(answer, _)| answer).collect();
    assert_eq!((count(&answers, &Spent::Issued), count(&answers, &Spent::Replayed)), (1, 99));
    let record = scene.nodes.a.code(&done.fulfilment.code).await.unwrap().unwrap();
    assert_eq!((record.spent_at, record.family.revoked_at), (Some(scene.now()), Some(scene.now())));
}

pub async fn sec_49_a_replay_after_expiry_still_revokes(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;
    assert!(scene.speaks(&tokens).await);
    let (code, later) = (done.fulfilment.code, scene.world.after(1_000));
    let answer = scene.nodes.b.exchange_code(&code, &scene.world.tokens(), later).await.unwrap();
    assert_eq!(answer, Spent::Replayed);
    assert!(!scene.speaks(&tokens).await);
}

pub async fn sec_49_an_expired_code_is_unknown_and_unspent(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let (code, end) = (done.fulfilment.code, done.fulfilment.code_expires_at);
    let tokens = scene.world.tokens();
    assert_eq!(scene.nodes.a.exchange_code(&code, &tokens, end).await.unwrap(), Spent::Unknown);
    assert_eq!(scene.nodes.a.exchange_code(&code, &tokens, end).await.unwrap(), Spent::Unknown);
    assert!(!scene.speaks(&tokens).await);
    let record = scene.nodes.a.code(&code).await.unwrap().unwrap();
    assert_eq!((record.spent_at, record.family.revoked_at), (None, None));
}

pub async fn sec_49_a_code_of_a_revoked_family_is_unknown(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    scene.nodes.a.revoke_family(&done.fulfilment.family, scene.now()).await.unwrap();
    let tokens = scene.world.tokens();
    let answer = scene.nodes.b.exchange_code(&done.fulfilment.code, &tokens, scene.now()).await.unwrap();
    assert_eq!(answer, Spent::Unknown);
    assert_eq!(scene.nodes.a.family_of(&tokens.access).await.unwrap(), None);
}

pub async fn sec_40_a_disabled_person_gets_no_tokens(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    scene.nodes.a.set_user_disabled(&done.user.id, Some(scene.now())).await.unwrap();
    let tokens = scene.world.tokens();
    let answer = scene.nodes.b.exchange_code(&done.fulfilment.code, &tokens, scene.now()).await.unwrap();
    assert_eq!(answer, Spent::Unknown);
    assert_eq!(scene.nodes.a.family_of(&tokens.access).await.unwrap(), None);
}

pub async fn an_unknown_code_is_unknown(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let code = scene.world.hash();
    let answer = scene.nodes.a.exchange_code(&code, &scene.world.tokens(), scene.now()).await.unwrap();
    assert_eq!(answer, Spent::Unknown);
    assert_eq!(scene.nodes.a.code(&code).await.unwrap(), None);
}
