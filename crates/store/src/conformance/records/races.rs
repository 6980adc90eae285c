//! Two nodes that change what the other one is deciding about, at the same moment. Whatever comes out must be what one
//! after the other would have made; several rounds each, as chance must have its chance.

use std::collections::HashSet;

use mashang_login::accounts::Unlinked;
use mashang_login::ids::UserId;
use mashang_login::records::{Fulfilled, Login, Records, Spent};

use super::super::{Nodes, at_once, count};
use super::Scene;

const ROUNDS: usize = 6;

pub async fn promise_3_of_20_apps_that_meet_one_unionid_at_once_one_makes_the_person(
    nodes: Nodes<dyn Records>,
) {
    let scene = Scene::set(nodes).await;
    for round in 0..ROUNDS {
        let mut approvals = Vec::new();
        for app in 0..20 {
            let grant = scene.pending().await;
            let (app, union) = (format!("wx{app}"), format!("u{round}"));
            let proof = scene.world.linked_proof(&app, &format!("o{round}"), "ours", &union);
            approvals.push(scene.world.approval(&grant, proof));
        }
        let answers = at_once(20, |n| {
            let (engine, approval, now) = (scene.nodes.nth(n), approvals[n].clone(), scene.now());
            async move {
                match engine.fulfil_grant(&approval, now).await.unwrap() {
                    Fulfilled::Done { user, created, .. } => (user.id, created),
                    other => panic!("it is accepted, not {other:?}"),
                }
            }
        })
        .await;
        let people: HashSet<UserId> = answers.iter().map(|(user, _)| user.clone()).collect();
        assert_eq!(people.len(), 1, "one person");
        assert_eq!(answers.iter().filter(|(_, created)| *created).count(), 1, "made once");
    }
}

pub async fn of_two_that_unlink_the_last_two_identities_at_once_one_is_refused(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    for round in 0..ROUNDS {
        let one = scene.world.linked_proof("wx1", &format!("a{round}"), "ours", &format!("u{round}"));
        let two = scene.world.linked_proof("wx2", &format!("b{round}"), "ours", &format!("u{round}"));
        let user = scene.approve(one.clone()).await.user.id;
        assert_eq!(scene.approve(two.clone()).await.user.id, user);
        let keys = [one.key, two.key];
        let answers = at_once(2, |n| {
            let (engine, user, key, now) = (scene.nodes.nth(n), user.clone(), keys[n].clone(), scene.now());
            async move { engine.unlink_identity(&user, &key, now).await.unwrap() }
        })
        .await;
        assert_eq!(count(&answers, &Unlinked::Done), 1, "{answers:?}");
        assert_eq!(count(&answers, &Unlinked::LastOne), 1, "{answers:?}");
        assert_eq!(scene.nodes.a.identities_of(&user).await.unwrap().len(), 1);
    }
}

pub async fn merges_that_lead_to_each_other_at_once_make_no_ring(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    for round in 0..ROUNDS {
        let mut people = Vec::new();
        for n in 0..3 {
            let proof = scene.world.proof("wx1", &format!("{round}-{n}"));
            people.push(scene.approve(proof).await.user.id);
        }
        let answers = at_once(3, |n| {
            let (engine, id, now) = (scene.nodes.nth(n), scene.world.merge_id(), scene.now());
            let (from, into) = (people[n].clone(), people[(n + 1) % 3].clone());
            async move { engine.merge_users(&id, &from, &into, now).await.unwrap() }
        })
        .await;
        let done = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!((1..3).contains(&done), "{answers:?}");
        let mut remaining = 0;
        for id in &people {
            let person = scene.nodes.b.user(id).await.unwrap().unwrap();
            let owned = scene.nodes.b.identities_of(id).await.unwrap().len();
            if person.merged_into.is_none() {
                remaining += 1;
            } else {
                assert_eq!(owned, 0, "who is merged owns nothing");
            }
        }
        assert_eq!(remaining, 3 - done, "each merge takes one away");
    }
}

pub async fn whoever_signs_in_while_they_are_merged_is_signed_out_or_the_other_one(
    nodes: Nodes<dyn Records>,
) {
    let scene = Scene::set(nodes).await;
    for round in 0..ROUNDS {
        let proof = scene.world.proof("wx1", &format!("from{round}"));
        let from = scene.approve(proof.clone()).await.user.id;
        let into = scene.approve(scene.world.proof("wx2", &format!("into{round}"))).await.user.id;
        let grant = scene.pending().await;
        let approval = scene.world.approval(&grant, proof.clone());
        let merge = scene.world.merge_id();
        at_once(2, |n| {
            let engine = scene.nodes.nth(n);
            let (approval, merge, now) = (approval.clone(), merge.clone(), scene.now());
            let (from, into) = (from.clone(), into.clone());
            async move {
                if n == 0 {
                    let answer = engine.fulfil_grant(&approval, now).await.unwrap();
                    assert!(matches!(answer, Fulfilled::Done { .. }), "{answer:?}");
                } else {
                    engine.merge_users(&merge, &from, &into, now).await.unwrap().unwrap();
                }
            }
        })
        .await;
        assert_eq!(scene.nodes.a.sessions_of(&from, scene.now()).await.unwrap(), []);
        assert_eq!(scene.nodes.a.identity(&proof.key).await.unwrap().unwrap().user, into);
    }
}

pub async fn whoever_signs_in_by_an_identity_while_it_is_unlinked_does_not_stay_signed_in(
    nodes: Nodes<dyn Records>,
) {
    let scene = Scene::set(nodes).await;
    for round in 0..ROUNDS {
        let stays = scene.world.linked_proof("wx1", &format!("a{round}"), "ours", &format!("u{round}"));
        let goes = scene.world.linked_proof("wx2", &format!("b{round}"), "ours", &format!("u{round}"));
        let user = scene.approve(stays).await.user.id;
        scene.approve(goes.clone()).await;
        let grant = scene.pending().await;
        let approval = scene.world.approval(&grant, goes.clone());
        at_once(2, |n| {
            let engine = scene.nodes.nth(n);
            let (approval, user, key, now) = (approval.clone(), user.clone(), goes.key.clone(), scene.now());
            async move {
                if n == 0 {
                    engine.fulfil_grant(&approval, now).await.unwrap();
                } else {
                    assert_eq!(engine.unlink_identity(&user, &key, now).await.unwrap(), Unlinked::Done);
                }
            }
        })
        .await;
        let theirs = scene.nodes.b.sessions_of(&user, scene.now()).await.unwrap();
        assert!(theirs.iter().all(|session| session.identity != goes.key), "{theirs:?}");
    }
}

pub async fn promise_8_signing_out_while_the_session_is_replaced_reaches_what_it_opened(
    nodes: Nodes<dyn Records>,
) {
    let scene = Scene::set(nodes).await;
    for round in 0..ROUNDS {
        let proof = scene.world.proof("wx1", &format!("o{round}"));
        let former = scene.approve(proof.clone()).await;
        let tokens = scene.tokens(&former).await;
        let grant = scene.pending().await;
        let mut approval = scene.world.approval(&grant, proof);
        let Login::Fresh(login) = &mut approval.login else { unreachable!("an approval is fresh") };
        login.replaces = Some(former.session);
        let ended = at_once(2, |n| {
            let engine = scene.nodes.nth(n);
            let (approval, session, now) = (approval.clone(), former.session, scene.now());
            async move {
                if n == 0 {
                    engine.fulfil_grant(&approval, now).await.unwrap();
                    return false;
                }
                engine.end_session(&session, now).await.unwrap()
            }
        })
        .await;
        let signed_out = ended.contains(&true);
        assert_eq!(scene.speaks(&tokens).await, !signed_out, "round {round}");
    }
}

pub async fn sec_49_of_a_code_on_two_nodes_and_its_replay_nothing_stays_live(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    for round in 0..ROUNDS {
        let done = scene.approve(scene.world.proof("wx1", &format!("o{round}"))).await;
        let fresh = [scene.world.tokens(), scene.world.tokens()];
        let answers = at_once(2, |n| {
            let (engine, code) = (scene.nodes.nth(n), done.fulfilment.code);
            let (tokens, now) = (fresh[n].clone(), scene.now());
            async move { engine.exchange_code(&code, &tokens, now).await.unwrap() }
        })
        .await;
        assert_eq!(count(&answers, &Spent::Issued), 1, "{answers:?}");
        assert_eq!(count(&answers, &Spent::Replayed), 1, "{answers:?}");
        for tokens in &fresh {
            assert!(!scene.speaks(tokens).await);
        }
    }
}
