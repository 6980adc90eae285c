//! Sessions, and what ends with them.

use mashang_login::records::{Fulfilled, Records};

use super::super::{Nodes, at_once, count};
use super::Scene;

pub async fn a_session_is_live_until_its_end(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let session = scene.session(&done).await;
    assert_eq!((session.secret, &session.user), (done.session, &done.user.id));
    assert_eq!((session.device.as_str(), session.address.as_str()), ("Chrome · macOS", "203.0.113.7"));
    let last = session.expires_at - std::time::Duration::from_millis(1);
    assert!(scene.nodes.b.session(&done.session, last).await.unwrap().is_some());
    assert!(scene.nodes.b.session(&done.session, session.expires_at).await.unwrap().is_none());
    assert!(scene.nodes.b.session(&scene.world.hash(), scene.now()).await.unwrap().is_none());
}

pub async fn an_ended_session_is_gone_on_every_node(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    assert!(scene.nodes.a.end_session(&done.session, scene.now()).await.unwrap());
    assert!(!scene.nodes.b.end_session(&done.session, scene.now()).await.unwrap());
    assert_eq!(scene.nodes.b.session(&done.session, scene.now()).await.unwrap(), None);
}

pub async fn of_50_sign_outs_at_once_one_ends_the_session(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let secret = scene.sign_in().await.session;
    let answers = at_once(50, |n| {
        let (engine, now) = (scene.nodes.nth(n), scene.now());
        async move { engine.end_session(&secret, now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
}

pub async fn ending_a_session_revokes_what_came_from_it(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;
    let elsewhere = scene.sign_in().await;
    let other_tokens = scene.tokens(&elsewhere).await;

    // A second website in the same browser.
    let grant = scene.pending().await;
    let second = scene.world.continuation(&grant, &scene.session(&done).await);
    let answer = scene.nodes.a.fulfil_grant(&second, scene.now()).await.unwrap();
    assert!(matches!(answer, Fulfilled::Done { .. }));

    scene.nodes.b.end_session(&done.session, scene.now()).await.unwrap();
    assert!(!scene.speaks(&tokens).await);
    let family = scene.nodes.a.code(&second.code).await.unwrap().unwrap().family;
    assert_eq!(family.revoked_at, Some(scene.now()));
    assert!(scene.speaks(&other_tokens).await, "the other browser stays signed in");
}

pub async fn sec_17_a_new_login_replaces_the_former_session(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let former = scene.sign_in().await;
    let proof = scene.world.proof("wx1", "openid");
    let fresh = scene.approve_at(proof, Some(former.session), scene.now()).await;
    assert_eq!(scene.nodes.a.session(&former.session, scene.now()).await.unwrap(), None);
    assert!(scene.nodes.a.session(&fresh.session, scene.now()).await.unwrap().is_some());
}

pub async fn sec_17_signing_out_reaches_what_the_former_session_issued(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let former = scene.sign_in().await;
    let tokens = scene.tokens(&former).await;
    let proof = scene.world.proof("wx1", "openid");
    let fresh = scene.approve_at(proof, Some(former.session), scene.now()).await;
    assert!(scene.speaks(&tokens).await, "signing in again signs nobody out");
    scene.nodes.a.end_session(&fresh.session, scene.now()).await.unwrap();
    assert!(!scene.speaks(&tokens).await);
}

pub async fn sec_17_another_person_in_the_same_browser_signs_the_former_out(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let former = scene.sign_in().await;
    let tokens = scene.tokens(&former).await;
    let other = scene.world.proof("wx1", "somebody-else");
    scene.approve_at(other, Some(former.session), scene.now()).await;
    assert_eq!(scene.nodes.a.session(&former.session, scene.now()).await.unwrap(), None);
    assert!(!scene.speaks(&tokens).await);
}

pub async fn sec_40_whoever_is_switched_off_is_signed_out_for_good(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    scene.nodes.a.set_user_disabled(&done.user.id, Some(scene.now())).await.unwrap();
    assert_eq!(scene.nodes.b.session(&done.session, scene.now()).await.unwrap(), None);
    scene.nodes.a.set_user_disabled(&done.user.id, None).await.unwrap();
    assert_eq!(scene.nodes.b.session(&done.session, scene.now()).await.unwrap(), None, "also afterwards");
}
