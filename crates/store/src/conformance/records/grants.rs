//! Grants: stored, answered once.

use mashang_login::client::Client;
use mashang_login::grant::GrantStage;
use mashang_login::records::{Fulfilled, Login, Records, StoreError};

use super::super::{Nodes, at_once, count};
use super::Scene;

pub async fn a_grant_reads_back_with_its_whole_request(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let grant = scene.pending().await;
    assert_eq!(scene.nodes.b.grant(&grant.id).await.unwrap(), Some(grant));
    assert_eq!(scene.nodes.b.grant(&scene.world.grant(&scene.client).id).await.unwrap(), None);
}

pub async fn a_grant_comes_with_the_client_that_it_names(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let grant = scene.pending().await;
    let asked = async |id| scene.nodes.b.grant_and_client(id).await.unwrap();
    assert_eq!(asked(&grant.id).await, Some((grant.clone(), Some(scene.client.clone()))));
    let never_begun = scene.world.grant(&scene.client);
    assert_eq!(asked(&never_begun.id).await, None);
    // Our own pages' client is stored nowhere.
    let own = scene.world.grant(&scene.world.client("own"));
    scene.nodes.a.begin_grant(&own).await.unwrap();
    assert_eq!(asked(&own.id).await, Some((own.clone(), None)));
    // Whether it may still ask is for the caller to say.
    let switched_off = Client { disabled_at: Some(scene.now()), ..scene.client.clone() };
    scene.nodes.a.save_client(&switched_off).await.unwrap();
    assert_eq!(asked(&grant.id).await, Some((grant.clone(), Some(switched_off))));
}

pub async fn beginning_a_grant_twice_conflicts(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let grant = scene.pending().await;
    let answer = scene.nodes.b.begin_grant(&grant).await;
    assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
}

pub async fn promise_3_a_grant_is_fulfilled_by_one_of_100(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let grant = scene.pending().await;
    let answers = at_once(100, |n| {
        let proof = scene.world.proof("wx1", &format!("openid-{n}"));
        let (engine, fulfilment, now) =
            (scene.nodes.nth(n), scene.world.approval(&grant, proof), scene.now());
        async move { (engine.fulfil_grant(&fulfilment, now).await.unwrap(), fulfilment) }
    })
    .await;
    let mut winners = 0;
    for (answer, fulfilment) in answers {
        let Login::Fresh(login) = &fulfilment.login else { unreachable!("all were fresh") };
        let won = matches!(answer, Fulfilled::Done { created: true, .. });
        winners += usize::from(won);
        assert!(won || answer == Fulfilled::NotOpen, "{answer:?}");
        // The losers left nothing behind.
        let code = scene.nodes.a.code(&fulfilment.code).await.unwrap();
        let session = scene.nodes.a.session(&login.session.secret, scene.now()).await.unwrap();
        let user = scene.nodes.a.user(&login.new_user).await.unwrap();
        assert_eq!((code.is_some(), session.is_some(), user.is_some()), (won, won, won));
    }
    assert_eq!(winners, 1);
    let stage = scene.nodes.a.grant(&grant.id).await.unwrap().unwrap().stage;
    assert_eq!(stage, GrantStage::Fulfilled);
}

pub async fn promise_3_refusing_and_fulfilling_at_once_has_one_winner(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let grant = scene.pending().await;
    let answers = at_once(20, |n| {
        let proof = scene.world.proof("wx1", "openid");
        let (engine, fulfilment, now) =
            (scene.nodes.nth(n), scene.world.approval(&grant, proof), scene.now());
        async move {
            if n < 10 {
                engine.refuse_grant(&fulfilment.grant, now).await.unwrap()
            } else {
                engine.fulfil_grant(&fulfilment, now).await.unwrap() != Fulfilled::NotOpen
            }
        }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
}

pub async fn promise_4_an_expired_grant_is_not_open(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let grant = scene.pending().await;
    let approval = scene.world.approval(&grant, scene.world.proof("wx1", "openid"));
    let answer = scene.nodes.a.fulfil_grant(&approval, grant.expires_at).await.unwrap();
    assert_eq!(answer, Fulfilled::NotOpen);
    assert!(!scene.nodes.a.refuse_grant(&grant.id, grant.expires_at).await.unwrap());
    assert_eq!(scene.nodes.a.grant(&grant.id).await.unwrap().unwrap().stage, GrantStage::Pending);
}

pub async fn a_refused_grant_is_not_open(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let grant = scene.pending().await;
    assert!(scene.nodes.a.refuse_grant(&grant.id, scene.now()).await.unwrap());
    assert!(!scene.nodes.b.refuse_grant(&grant.id, scene.now()).await.unwrap());
    let approval = scene.world.approval(&grant, scene.world.proof("wx1", "openid"));
    assert_eq!(scene.nodes.b.fulfil_grant(&approval, scene.now()).await.unwrap(), Fulfilled::NotOpen);
    assert_eq!(scene.nodes.a.grant(&grant.id).await.unwrap().unwrap().stage, GrantStage::Refused);
}

pub async fn an_unknown_grant_is_not_open(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let grant = scene.world.grant(&scene.client);
    let approval = scene.world.approval(&grant, scene.world.proof("wx1", "openid"));
    assert_eq!(scene.nodes.a.fulfil_grant(&approval, scene.now()).await.unwrap(), Fulfilled::NotOpen);
    assert!(!scene.nodes.a.refuse_grant(&grant.id, scene.now()).await.unwrap());
}

pub async fn a_session_continues_into_a_second_website(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let session = scene.session(&done).await;
    let grant = scene.pending().await;
    let fulfilment = scene.world.continuation(&grant, &session);
    let answer = scene.nodes.b.fulfil_grant(&fulfilment, scene.now()).await.unwrap();
    assert_eq!(answer, Fulfilled::Done { user: done.user.clone(), created: false, union: None });
    let family = scene.nodes.a.code(&fulfilment.code).await.unwrap().unwrap().family;
    assert_eq!((family.session, family.user, family.amr), (session.id, done.user.id, session.amr));
}

pub async fn sec_40_a_disabled_person_is_refused_and_nothing_is_written(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user;
    assert!(scene.nodes.a.set_user_disabled(&user.id, Some(scene.now())).await.unwrap());

    let grant = scene.pending().await;
    let mut proof = scene.world.proof("wx1", "openid");
    proof.profile.nickname = Some("new name".into());
    let approval = scene.world.approval(&grant, proof);
    let answer = scene.nodes.b.fulfil_grant(&approval, scene.now()).await.unwrap();
    assert_eq!(answer, Fulfilled::UserDisabled);

    let Login::Fresh(login) = &approval.login else { unreachable!("an approval is fresh") };
    assert_eq!(scene.nodes.a.grant(&grant.id).await.unwrap(), Some(grant), "still pending");
    assert_eq!(scene.nodes.a.code(&approval.code).await.unwrap(), None);
    scene.nodes.a.set_user_disabled(&user.id, None).await.unwrap();
    assert_eq!(scene.nodes.a.session(&login.session.secret, scene.now()).await.unwrap(), None);
    assert_eq!(scene.nodes.a.user(&user.id).await.unwrap(), Some(user));
}

pub async fn sec_55_another_person_than_the_hinted_one_is_refused_and_nothing_is_written(
    nodes: Nodes<dyn Records>,
) {
    let scene = Scene::set(nodes).await;
    let hinted = scene.sign_in().await.user;
    let mut grant = scene.world.grant(&scene.client);
    grant.request.hinted = Some(hinted.id.clone());
    scene.nodes.a.begin_grant(&grant).await.unwrap();
    let other = scene.world.approval(&grant, scene.world.proof("wx1", "somebody else"));
    let answer = scene.nodes.b.fulfil_grant(&other, scene.now()).await.unwrap();
    assert_eq!(answer, Fulfilled::OtherPerson);
    assert_eq!(scene.nodes.a.grant(&grant.id).await.unwrap(), Some(grant.clone()), "still pending");
    assert_eq!(scene.nodes.a.code(&other.code).await.unwrap(), None);
    let same = scene.world.approval(&grant, scene.world.proof("wx1", "openid"));
    let answer = scene.nodes.a.fulfil_grant(&same, scene.now()).await.unwrap();
    assert!(matches!(answer, Fulfilled::Done { user, .. } if user.id == hinted.id));
}

pub async fn sec_40_a_disabled_person_cannot_continue(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let session = scene.session(&done).await;
    scene.nodes.a.set_user_disabled(&done.user.id, Some(scene.now())).await.unwrap();
    let grant = scene.pending().await;
    let fulfilment = scene.world.continuation(&grant, &session);
    let answer = scene.nodes.b.fulfil_grant(&fulfilment, scene.now()).await.unwrap();
    assert_eq!(answer, Fulfilled::NotOpen);
    assert_eq!(scene.nodes.a.grant(&grant.id).await.unwrap(), Some(grant), "still pending");
}

pub async fn promise_8_an_ended_session_cannot_continue(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let session = scene.session(&done).await;
    assert!(scene.nodes.a.end_session(&done.session, scene.now()).await.unwrap());
    let grant = scene.pending().await;
    let fulfilment = scene.world.continuation(&grant, &session);
    let answer = scene.nodes.b.fulfil_grant(&fulfilment, scene.now()).await.unwrap();
    assert_eq!(answer, Fulfilled::NotOpen);
    assert_eq!(scene.nodes.a.code(&fulfilment.code).await.unwrap(), None);
    assert_eq!(scene.nodes.a.grant(&grant.id).await.unwrap(), Some(grant), "a fresh scan may answer it");
}
