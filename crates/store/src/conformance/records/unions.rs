//! What a unionid may do, and what it may not.

use mashang_login::accounts::UnionNews;
use mashang_login::identity::UnionLink;
use mashang_login::records::{Fulfilled, Records};

use super::super::Nodes;
use super::Scene;

pub async fn sec_39_a_unionid_that_comes_later_makes_no_second_person(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    // Both apps are bound to the platform account only after the first login.
    let before = scene.approve(scene.world.proof("wx1", "web")).await;
    let after = scene.approve(scene.world.linked_proof("wx1", "web", "ours", "union")).await;
    assert_eq!((after.user.id.clone(), after.created, after.union), (before.user.id.clone(), false, None));
    let phone = scene.approve(scene.world.linked_proof("wx2", "phone", "ours", "union")).await;
    assert_eq!((phone.user.id, phone.created), (before.user.id, false));
    assert_eq!(phone.union, Some(UnionNews::Attached), "an identity that was added is told");
    let again = scene.approve(scene.world.linked_proof("wx2", "phone", "ours", "union")).await;
    assert_eq!(again.union, None, "once");
}

pub async fn sec_39_a_link_of_somebody_else_merges_nobody_and_is_told(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let one = scene.approve(scene.world.proof("wx1", "one")).await.user;
    let other = scene.approve(scene.world.linked_proof("wx2", "two", "ours", "union")).await.user;
    for _ in 0..2 {
        let clash = scene.approve(scene.world.linked_proof("wx1", "one", "ours", "union")).await;
        assert_eq!(clash.user.id, one.id, "the login goes on as the identity's own person");
        assert_eq!(clash.union, Some(UnionNews::Clash { other: other.id.clone() }), "and is told each time");
    }
    let identity = scene.nodes.a.identity(&scene.world.proof("wx1", "one").key).await.unwrap().unwrap();
    assert_eq!(identity.union, None, "the link stays with one person");
    let third = scene.approve(scene.world.linked_proof("wx3", "three", "ours", "union")).await;
    assert_eq!((third.user.id, third.union), (other.id, Some(UnionNews::Attached)));
}

pub async fn sec_39_a_clash_keeps_the_link_that_was_there(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    scene.approve(scene.world.linked_proof("wx1", "one", "ours", "first")).await;
    scene.approve(scene.world.linked_proof("wx2", "two", "ours", "second")).await;
    let clash = scene.approve(scene.world.linked_proof("wx1", "one", "ours", "second")).await;
    assert!(matches!(clash.union, Some(UnionNews::Clash { .. })));
    let proof = scene.world.linked_proof("wx1", "one", "ours", "first");
    assert_eq!(scene.nodes.b.identity(&proof.key).await.unwrap().unwrap().union, proof.union);
}

pub async fn a_changed_unionid_is_recorded_if_free_and_told_once(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let first = scene.approve(scene.world.linked_proof("wx1", "one", "ours", "old")).await;
    assert_eq!(first.union, None);
    let moved = scene.approve(scene.world.linked_proof("wx1", "one", "new home", "new")).await;
    assert_eq!((moved.user.id, moved.union), (first.user.id, Some(UnionNews::Changed)));
    let again = scene.approve(scene.world.linked_proof("wx1", "one", "new home", "new")).await;
    assert_eq!(again.union, None);
    let identity = scene.nodes.a.identity(&scene.world.proof("wx1", "one").key).await.unwrap().unwrap();
    let union = UnionLink { platform: "new home".into(), unionid: "new".into() };
    assert_eq!(identity.union, Some(union));
}

pub async fn sec_40_a_unionid_does_not_lead_around_a_switched_off_person(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let user = scene.approve(scene.world.linked_proof("wx1", "one", "ours", "union")).await.user;
    scene.nodes.a.set_user_disabled(&user.id, Some(scene.now())).await.unwrap();
    let grant = scene.pending().await;
    let proof = scene.world.linked_proof("wx2", "two", "ours", "union");
    let answer = scene.nodes.b.fulfil_grant(&scene.world.approval(&grant, proof.clone()), scene.now()).await;
    assert_eq!(answer.unwrap(), Fulfilled::UserDisabled);
    assert_eq!(scene.nodes.a.identity(&proof.key).await.unwrap(), None, "nothing was written");
}
