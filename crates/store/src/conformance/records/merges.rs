//! Two people made one, and two again.

use mashang_login::accounts::{Merge, MergePreview, MergeRefusal, Undone, Unlinked};
use mashang_login::audit::AuditKind;
use mashang_login::ids::{MergeId, UserId};
use mashang_login::records::Records;

use super::super::{Nodes, at_once};
use super::{Done, Scene};

impl<S: Records + ?Sized> Scene<S> {
    pub(super) async fn merge(&self, from: &UserId, into: &UserId) -> Result<Merge, MergeRefusal> {
        let id = self.world.merge_id();
        self.nodes.a.merge_users(&id, from, into, self.now()).await.unwrap()
    }

    pub(super) async fn undo(&self, id: &MergeId) -> Undone {
        self.nodes.b.undo_merge(id, self.now()).await.unwrap()
    }

    pub(super) async fn person(&self, app: &str) -> Done {
        self.approve(self.world.proof(app, "openid")).await
    }

    async fn apps_of(&self, user: &UserId) -> Vec<String> {
        let identities = self.nodes.b.identities_of(user).await.unwrap();
        identities.into_iter().map(|identity| identity.key.app).collect()
    }
}

pub async fn a_merge_is_previewed_without_doing_anything(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (from, into) = (scene.person("wx1").await, scene.person("wx2").await);
    let preview = scene.nodes.a.merge_preview(&from.user.id, &into.user.id, scene.now()).await.unwrap();
    let identities = scene.nodes.a.identities_of(&from.user.id).await.unwrap();
    let expected = MergePreview {
        from: from.user.clone(),
        into: into.user.clone(),
        identities,
        sessions: 1,
        clients: vec![scene.client.id.clone()],
    };
    assert_eq!(preview, Ok(expected));
    assert_eq!(scene.apps_of(&from.user.id).await, ["wx1"]);
    assert_eq!(scene.nodes.a.merges().await.unwrap(), []);
}

pub async fn merged_people_are_one_and_the_former_one_is_signed_out(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (from, into) = (scene.person("wx1").await, scene.person("wx2").await);
    let (gone, kept) = (scene.tokens(&from).await, scene.tokens(&into).await);
    let merge = scene.merge(&from.user.id, &into.user.id).await.unwrap();

    assert_eq!(scene.apps_of(&into.user.id).await.len(), 2);
    assert_eq!(scene.nodes.a.session(&from.session, scene.now()).await.unwrap(), None);
    assert!(!scene.speaks(&gone).await && scene.speaks(&kept).await);
    let again = scene.person("wx1").await;
    assert_eq!((again.user.id, again.created), (into.user.id.clone(), false));
    let former = scene.nodes.b.user(&from.user.id).await.unwrap().unwrap();
    assert_eq!(former.merged_into, Some(into.user.id.clone()));
    assert_eq!(scene.nodes.b.merges().await.unwrap(), [merge]);
    let trail = scene.nodes.b.audit_trail(100).await.unwrap();
    let event = trail.into_iter().find(|event| event.kind != AuditKind::SignedIn).unwrap();
    assert_eq!(
        (event.kind, event.user, event.other),
        (AuditKind::UsersMerged, Some(from.user.id), Some(into.user.id))
    );
}

pub async fn an_undone_merge_gives_back_what_is_still_there(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (from, into) = (scene.person("wx1").await, scene.person("wx2").await);
    for app in ["wx3", "wx4"] {
        scene.approve(scene.world.linked_proof(app, "openid", "ours", app)).await;
    }
    let (third, fourth) = (scene.person("wx3").await.user.id, scene.person("wx4").await.user.id);
    scene.merge(&third, &from.user.id).await.unwrap();
    scene.merge(&fourth, &from.user.id).await.unwrap();
    let merge = scene.merge(&from.user.id, &into.user.id).await.unwrap();
    let by_moved = scene.person("wx1").await;
    let tokens = scene.tokens(&by_moved).await;
    let key = scene.world.proof("wx3", "openid").key;
    let unlinked = scene.nodes.a.unlink_identity(&into.user.id, &key, scene.now()).await.unwrap();
    assert_eq!(unlinked, Unlinked::Done);

    let Undone::Done { identities, .. } = scene.undo(&merge.id).await else { panic!("it is undone") };
    assert_eq!(identities.len(), 2, "one was unlinked since");
    assert_eq!(scene.apps_of(&from.user.id).await, ["wx1", "wx4"]);
    assert_eq!(scene.apps_of(&into.user.id).await, ["wx2"]);
    assert!(!scene.speaks(&tokens).await, "signed in as the wrong person");
    assert_eq!(scene.nodes.a.session(&by_moved.session, scene.now()).await.unwrap(), None);
    assert_eq!(scene.person("wx1").await.user.id, from.user.id);
    assert_eq!(scene.nodes.a.user(&from.user.id).await.unwrap().unwrap().merged_into, None);
    assert_eq!(scene.undo(&merge.id).await, Undone::Before);
    assert_eq!(scene.undo(&scene.world.merge_id()).await, Undone::Unknown);
    let trail = scene.nodes.a.audit_trail(100).await.unwrap();
    let newest = trail.iter().map(|event| event.kind).find(|kind| *kind != AuditKind::SignedIn);
    assert_eq!(newest, Some(AuditKind::MergeUndone));
}

pub async fn sec_90_what_was_told_while_merged_goes_back_with_its_identity(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let called = |app: &str, name: &str| {
        let mut proof = scene.world.proof(app, "openid");
        proof.profile.nickname = Some(name.to_owned());
        proof
    };
    let from = scene.approve(called("wx1", "小红")).await.user.id;
    let into = scene.approve(called("wx2", "小刚")).await.user.id;
    let merge = scene.merge(&from, &into).await.unwrap();
    let name_of = async |user| scene.nodes.b.user(user).await.unwrap().unwrap().nickname.unwrap();
    assert_eq!(scene.approve(called("wx1", "小红")).await.user.nickname.as_deref(), Some("小红"));
    scene.undo(&merge.id).await;
    assert_eq!((name_of(&from).await, name_of(&into).await), ("小红".to_owned(), "小刚".to_owned()));
}

pub async fn sec_39_a_link_stays_with_one_person_when_a_merge_is_undone(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let one = scene.person("wx1").await.user.id;
    let other = scene.approve(scene.world.linked_proof("wx2", "two", "ours", "union")).await.user.id;
    let merge = scene.merge(&one, &other).await.unwrap();
    // Merged, the first identity may carry the link too.
    let linked = scene.approve(scene.world.linked_proof("wx1", "openid", "ours", "union")).await;
    assert_eq!(linked.union, None);
    scene.undo(&merge.id).await;
    let identity = scene.nodes.a.identity(&scene.world.proof("wx1", "openid").key).await.unwrap().unwrap();
    assert_eq!((identity.user, identity.union), (one, None));
}

pub async fn what_cannot_be_merged_is_named(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (one, other, third) = (
        scene.person("wx1").await.user.id,
        scene.person("wx2").await.user.id,
        scene.person("wx3").await.user.id,
    );
    let nobody: UserId = "nobody".parse().unwrap();
    assert_eq!(scene.merge(&one, &one).await, Err(MergeRefusal::SamePerson));
    assert_eq!(scene.merge(&nobody, &one).await, Err(MergeRefusal::Unknown(nobody.clone())));
    assert_eq!(scene.merge(&one, &nobody).await, Err(MergeRefusal::Unknown(nobody)));
    scene.nodes.a.set_user_disabled(&one, Some(scene.now())).await.unwrap();
    assert_eq!(scene.merge(&one, &other).await, Err(MergeRefusal::Disabled(one.clone())), "SEC-40");
    scene.nodes.a.set_user_disabled(&one, None).await.unwrap();
    scene.merge(&one, &other).await.unwrap();
    assert_eq!(scene.merge(&one, &third).await, Err(MergeRefusal::Merged(one.clone())));
    assert_eq!(scene.merge(&third, &one).await, Err(MergeRefusal::Merged(one)));
    assert_eq!(scene.nodes.a.merges().await.unwrap().len(), 1);
}

pub async fn merges_are_undone_in_the_order_they_lead(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (one, other, third) = (
        scene.person("wx1").await.user.id,
        scene.person("wx2").await.user.id,
        scene.person("wx3").await.user.id,
    );
    let first = scene.merge(&one, &other).await.unwrap();
    let second = scene.merge(&other, &third).await.unwrap();
    assert_eq!(scene.undo(&first.id).await, Undone::MergedFurther(third.clone()));
    assert_eq!(scene.apps_of(&third).await.len(), 3, "nothing was written");
    assert!(matches!(scene.undo(&second.id).await, Undone::Done { .. }));
    assert!(matches!(scene.undo(&first.id).await, Undone::Done { .. }));
    assert_eq!(
        (scene.apps_of(&one).await, scene.apps_of(&third).await),
        (vec!["wx1".to_owned()], vec!["wx3".to_owned()])
    );
}

pub async fn sec_40_a_merge_into_a_switched_off_person_is_not_undone(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (from, into) = (scene.person("wx1").await.user.id, scene.person("wx2").await.user.id);
    let merge = scene.merge(&from, &into).await.unwrap();
    scene.nodes.a.set_user_disabled(&into, Some(scene.now())).await.unwrap();
    assert_eq!(scene.undo(&merge.id).await, Undone::Disabled(into.clone()));
    assert_eq!(scene.apps_of(&into).await.len(), 2, "nothing was written");
    let former = scene.nodes.a.user(&from).await.unwrap().unwrap();
    assert_eq!(former.merged_into, Some(into.clone()));
    scene.nodes.a.set_user_disabled(&into, None).await.unwrap();
    assert!(
        matches!(scene.undo(&merge.id).await, Undone::Done { .. }),
        "it can be undone once they are back"
    );
}

pub async fn promise_3_of_20_merges_at_once_one_is_done(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (one, other) = (scene.person("wx1").await.user.id, scene.person("wx2").await.user.id);
    let answers = at_once(20, |n| {
        let (engine, id, now) = (scene.nodes.nth(n), scene.world.merge_id(), scene.now());
        let (from, into) =
            if n % 2 == 0 { (one.clone(), other.clone()) } else { (other.clone(), one.clone()) };
        async move { engine.merge_users(&id, &from, &into, now).await.unwrap() }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
}

pub async fn people_are_found_by_name_and_by_id(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let mut proof = scene.world.proof("wx1", "one");
    proof.profile.nickname = Some("Wang Xiaoming".into());
    let wang = scene.approve_at(proof, None, scene.world.after(1)).await.user;
    let ming = scene.approve_at(scene.world.proof("wx2", "two"), None, scene.world.after(2)).await.user;
    let found = |search: &'static str, limit| {
        let records = scene.nodes.b.clone();
        async move { records.users(search, limit).await.unwrap() }
    };
    assert_eq!(found("", 10).await, [ming.clone(), wang.clone()], "the latest first");
    assert_eq!(found("", 1).await, std::slice::from_ref(&ming));
    assert_eq!(found("明", 10).await, [ming]);
    assert_eq!(found("xiaom", 10).await, std::slice::from_ref(&wang));
    for nothing in ["nobody", "%", "_", "\\", "!"] {
        assert_eq!(found(nothing, 10).await, [], "{nothing}");
    }
    assert_eq!(scene.nodes.a.users(&wang.id.as_str()[..8], 10).await.unwrap(), std::slice::from_ref(&wang));
    assert_eq!(found("one", 10).await, [wang], "what they sign in by");
    assert_eq!(found("on", 10).await, [], "all of it");
}

pub async fn a_persons_live_sessions_are_listed(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (one, two) = (scene.sign_in().await, scene.sign_in().await);
    scene.person("wx2").await;
    let listed = scene.nodes.b.sessions_of(&one.user.id, scene.now()).await.unwrap();
    let mut ids: Vec<_> = listed.into_iter().map(|session| session.secret).collect();
    let mut expected = vec![one.session, two.session];
    ids.sort_by_key(|hash| hash.to_text());
    expected.sort_by_key(|hash| hash.to_text());
    assert_eq!(ids, expected);
    assert_eq!(scene.nodes.b.sessions_of(&one.user.id, scene.world.after(86_400)).await.unwrap(), []);
}
