//! Members whom their directory told about: an id that is given again, and one that changes.

use mashang_login::accounts::{Linked, Renamed, Retired, Undone, Unlinked};
use mashang_login::identity::{ChannelKind, IdentityKey, Proof};
use mashang_login::records::{Fulfilled, Login, Records};

use super::super::Nodes;
use super::{Done, Scene};

impl Scene {
    /// What WeCom proves, `seconds` from now.
    fn member(&self, id: &str, seconds: u64) -> Proof {
        let mut proof = self.world.proof("ww1", id);
        proof.key.kind = ChannelKind::Wecom;
        proof.proven_at = self.world.after(seconds);
        proof
    }

    async fn member_signs_in(&self, id: &str, seconds: u64) -> Done {
        self.approve(self.member(id, seconds)).await
    }

    /// The member leaves a minute from now.
    async fn leaves(&self, id: &str) -> Option<Retired> {
        let (key, at) = (self.member(id, 0).key, self.world.after(60));
        self.nodes.a.retire_identity(&key, at, at).await.unwrap()
    }

    async fn has_new_id(&self, from: &str, to: &str) -> Renamed {
        let (from, to) = (self.member(from, 0).key, self.member(to, 0).key);
        let at = self.world.after(60);
        self.nodes.a.rename_identity(&from, &to, at, at).await.unwrap()
    }

    /// What becomes of a login whose member scanned `seconds` from now.
    async fn collects(&self, id: &str, seconds: u64) -> Fulfilled {
        let grant = self.pending().await;
        let approval = self.world.approval(&grant, self.member(id, seconds));
        self.nodes.b.fulfil_grant(&approval, self.world.after(seconds.max(60) + 1)).await.unwrap()
    }

    async fn keys_of(&self, done: &Done) -> Vec<IdentityKey> {
        let identities = self.nodes.b.identities_of(&done.user.id).await.unwrap();
        identities.into_iter().map(|identity| identity.key).collect()
    }
}

pub async fn sec_35_an_id_given_again_is_somebody_new(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let first = scene.member_signs_in("zhangsan", 0).await;
    let tokens = scene.tokens(&first).await;
    let user = first.user.id.clone();
    assert_eq!(scene.leaves("zhangsan").await, Some(Retired { user, ended: 1 }));
    assert_eq!(scene.leaves("zhangsan").await, None, "told twice");
    assert!(!scene.is_live(&first.session).await && !scene.speaks(&tokens).await);
    let kept = scene.keys_of(&first).await;
    assert_eq!(kept[0].left(), Some((scene.world.after(60), "zhangsan")));

    let second = scene.member_signs_in("zhangsan", 120).await;
    assert!(second.created);
    assert_ne!(second.user.id, first.user.id);
    let again = scene.member_signs_in("zhangsan", 180).await;
    assert_eq!((again.user.id, again.created), (second.user.id, false));
}

pub async fn sec_35_a_leaver_is_signed_out_of_everything_and_keeps_other_ways_in(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let member = scene.member_signs_in("zhangsan", 0).await;
    let private = scene.world.proof("wx1", "private");
    assert!(matches!(scene.link(&member, private.clone()).await, Linked::Done(_)));
    let by_private = scene.approve(private.clone()).await;
    let tokens = scene.tokens(&by_private).await;
    let colleague = scene.member_signs_in("lisi", 0).await;

    assert_eq!(scene.leaves("zhangsan").await.unwrap().ended, 2);
    assert!(!scene.is_live(&by_private.session).await && !scene.speaks(&tokens).await);
    assert!(scene.is_live(&colleague.session).await);
    assert_eq!(scene.approve(private).await.user.id, member.user.id);
}

pub async fn sec_35_a_proof_from_before_they_left_counts_for_nothing(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let member = scene.member_signs_in("zhangsan", 0).await;
    let other = scene.approve(scene.world.proof("wx1", "other")).await;
    scene.leaves("zhangsan").await;
    // Scanned before, collected after: else the leaver would be the first one with the id that is free.
    let stale = scene.member("zhangsan", 30);
    let grant = scene.pending().await;
    let approval = scene.world.approval(&grant, stale.clone());
    let answer = scene.nodes.b.fulfil_grant(&approval, scene.world.after(61)).await.unwrap();
    assert_eq!(answer, Fulfilled::UserDisabled);
    assert_eq!(scene.link(&other, stale.clone()).await, Linked::NotOpen);
    assert_eq!(scene.nodes.a.identity(&stale.key).await.unwrap(), None);
    let namesake = scene.member_signs_in("san", 30).await;
    assert!(namesake.created && namesake.user.id != member.user.id, "an id that ends alike is another");
}

pub async fn sec_35_a_scan_from_before_they_were_switched_off_counts_for_nothing(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let member = scene.member_signs_in("zhangsan", 0).await;
    let (key, at) = (scene.member("zhangsan", 0).key, scene.world.after(60));
    assert_eq!(scene.nodes.a.end_sessions_of(&key, at, at).await.unwrap(), 1);
    assert_eq!(
        scene.collects("zhangsan", 59).await,
        Fulfilled::UserDisabled,
        "scanned before, collected after"
    );
    let back = scene.member_signs_in("zhangsan", 60).await;
    assert_eq!(
        back.user.id, member.user.id,
        "the directory lets them in again, or it would not have proven them"
    );
    let newcomer = scene.member("lisi", 0).key;
    assert_eq!(scene.nodes.b.end_sessions_of(&newcomer, at, at).await.unwrap(), 0);
    assert_eq!(scene.collects("lisi", 30).await, Fulfilled::UserDisabled, "also who never signed in");
    scene.nodes.a.sweep(scene.world.after(60 + 86_399)).await.unwrap();
    assert_eq!(scene.collects("lisi", 30).await, Fulfilled::UserDisabled, "for a day");
    scene.nodes.a.sweep(scene.world.after(60 + 86_401)).await.unwrap();
    let later = scene.collects("lisi", 30).await;
    assert!(matches!(later, Fulfilled::Done { .. }), "then no scan can be under way: {later:?}");
}

pub async fn sec_35_a_scan_under_the_former_id_makes_nobody_after_the_new_one_was_told(
    nodes: Nodes<dyn Records>,
) {
    let scene = Scene::set(nodes).await;
    let member = scene.member_signs_in("zhangsan", 0).await;
    assert_eq!(scene.has_new_id("zhangsan", "zs001").await, Renamed::Done(member.user.id.clone()));
    assert_eq!(scene.collects("zhangsan", 30).await, Fulfilled::UserDisabled);
    let other = scene.approve(scene.world.proof("wx1", "other")).await;
    assert_eq!(scene.link(&other, scene.member("zhangsan", 30)).await, Linked::NotOpen);
    assert_eq!(scene.member_signs_in("zs001", 30).await.user.id, member.user.id, "the new one is theirs");
    assert!(scene.member_signs_in("zhangsan", 90).await.created, "and the former one somebody else's");
}

pub async fn sec_35_proofs_of_a_node_whose_clock_is_ahead_are_stale_too(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    scene.member_signs_in("zhangsan", 0).await;
    let (key, at, margin) = (scene.member("zhangsan", 0).key, scene.world.after(60), scene.world.after(90));
    scene.nodes.a.retire_identity(&key, margin, at).await.unwrap().unwrap();
    // An event that is told once more must not take the margin back.
    scene.nodes.b.retire_identity(&key, at, at).await.unwrap();
    assert_eq!(scene.collects("zhangsan", 89).await, Fulfilled::UserDisabled);
    assert!(scene.member_signs_in("zhangsan", 90).await.created);
}

pub async fn sec_35_whoever_signs_in_while_they_are_switched_off_does_not_stay_signed_in(
    nodes: Nodes<dyn Records>,
) {
    let scene = Scene::set(nodes).await;
    for n in 0..10 {
        let id = format!("member{n}");
        let grant = scene.pending().await;
        let approval = scene.world.approval(&grant, scene.member(&id, 0));
        let session = match &approval.login {
            Login::Fresh(login) => login.session.secret,
            Login::Continued(_) => unreachable!("an approval is fresh"),
        };
        let (key, at) = (scene.member(&id, 0).key, scene.world.after(1));
        let (a, b) = (scene.nodes.a.clone(), scene.nodes.b.clone());
        let gate = std::sync::Arc::new(tokio::sync::Barrier::new(2));
        let both = (gate.clone(), gate);
        let signing_in = async move {
            both.0.wait().await;
            a.fulfil_grant(&approval, at).await.unwrap()
        };
        let switching_off = async move {
            both.1.wait().await;
            b.end_sessions_of(&key, at, at).await.unwrap()
        };
        let (signed_in, ended) = tokio::join!(tokio::spawn(signing_in), tokio::spawn(switching_off));
        let came_in = matches!(signed_in.unwrap(), Fulfilled::Done { .. });
        assert_eq!(ended.unwrap(), u64::from(came_in), "what came in was ended");
        assert!(!scene.is_live(&session).await);
    }
}

pub async fn sec_35_whoever_keeps_only_a_tombstone_cannot_unlink_the_last_way_in(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let member = scene.member_signs_in("zhangsan", 0).await;
    let private = scene.world.proof("wx1", "private");
    scene.link(&member, private.clone()).await;
    scene.leaves("zhangsan").await;
    assert_eq!(scene.unlink(&member.user.id, &private).await, Unlinked::LastOne);
    assert_eq!(scene.keys_of(&member).await.len(), 2);
}

pub async fn sec_35_only_a_corps_member_is_put_away(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (follower, outsider) = (scene.sign_in().await, scene.member_signs_in("openid:o1", 0).await);
    for done in [&follower, &outsider] {
        let key = scene.keys_of(done).await.remove(0);
        let at = scene.world.after(60);
        assert_eq!(scene.nodes.a.retire_identity(&key, at, at).await.unwrap(), None);
        assert!(scene.is_live(&done.session).await);
    }
    assert_eq!(scene.leaves("nobody").await, None);
}

pub async fn a_member_with_a_new_id_stays_the_same_person(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let before = scene.member_signs_in("zhangsan", 0).await;
    let tokens = scene.tokens(&before).await;
    assert_eq!(scene.has_new_id("zhangsan", "zhangsan").await, Renamed::Nobody);
    assert!(scene.is_live(&before.session).await, "nothing changed");
    assert_eq!(scene.has_new_id("zhangsan", "zs001").await, Renamed::Done(before.user.id.clone()));
    assert_eq!(scene.has_new_id("zhangsan", "zs001").await, Renamed::Nobody, "told twice");
    assert!(!scene.is_live(&before.session).await && !scene.speaks(&tokens).await);
    let after = scene.member_signs_in("zs001", 120).await;
    assert_eq!((&after.user.id, after.created), (&before.user.id, false));
    let newcomer = scene.member_signs_in("zhangsan", 120).await;
    assert!(newcomer.created && newcomer.user.id != before.user.id, "SEC-35");
}

pub async fn sec_35_a_new_id_that_is_known_merges_nobody_and_frees_the_old_one(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (one, other) = (scene.member_signs_in("zhangsan", 0).await, scene.member_signs_in("zs001", 0).await);
    let (user, known) = (one.user.id.clone(), other.user.id.clone());
    assert_eq!(scene.has_new_id("zhangsan", "zs001").await, Renamed::Clash { user, other: known });
    assert!(!scene.is_live(&one.session).await && scene.is_live(&other.session).await);
    assert_eq!(scene.keys_of(&one).await[0].left(), Some((scene.world.after(60), "zhangsan")));
    assert_eq!(scene.member_signs_in("zs001", 120).await.user.id, other.user.id);
    assert!(scene.member_signs_in("zhangsan", 120).await.created);
}

pub async fn a_merge_is_undone_though_a_member_left_or_was_renamed(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let from = scene.member_signs_in("zhangsan", 0).await;
    assert!(matches!(scene.link(&from, scene.member("lisi", 0)).await, Linked::Done(_)));
    let into = scene.approve(scene.world.proof("wx1", "private")).await;
    let id = scene.world.merge_id();
    scene.nodes.a.merge_users(&id, &from.user.id, &into.user.id, scene.now()).await.unwrap().unwrap();
    assert_eq!(scene.leaves("zhangsan").await.unwrap().user, into.user.id);
    assert_eq!(scene.has_new_id("lisi", "lisi2").await, Renamed::Done(into.user.id.clone()));
    let undone = scene.nodes.b.undo_merge(&id, scene.world.after(90)).await.unwrap();
    assert!(matches!(undone, Undone::Done { identities, .. } if identities.len() == 2));
    assert_eq!(scene.member_signs_in("lisi2", 120).await.user.id, from.user.id);
    assert_eq!(scene.keys_of(&into).await.len(), 1);
}
