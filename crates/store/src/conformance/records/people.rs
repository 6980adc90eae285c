//! Who a proof belongs to.

use mashang_login::identity::{Attributes, Profile, Proof};
use mashang_login::records::{Fulfilled, Records};

use super::super::{Nodes, at_once};
use super::Scene;

pub async fn a_person_is_found_again_by_identity(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (first, second) = (scene.sign_in().await, scene.sign_in().await);
    assert!(first.created);
    assert!(!second.created);
    assert_eq!(first.user, second.user);
    let identities = scene.nodes.a.identities_of(&first.user.id).await.unwrap();
    assert_eq!(identities.len(), 1);
    assert_eq!(scene.nodes.b.user(&first.user.id).await.unwrap(), Some(first.user));
}

pub async fn sec_23_one_subject_in_two_apps_is_two_people(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let one = scene.approve(scene.world.proof("wx1", "openid")).await;
    let other = scene.approve(scene.world.proof("wx2", "openid")).await;
    assert!(other.created);
    assert_ne!(one.user.id, other.user.id);
}

pub async fn sec_23_subjects_are_compared_byte_for_byte(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let mut people = std::collections::HashSet::new();
    // Case, width and accent: what a database's collation likes to fold.
    for subject in ["oAbC", "oabc", "oÁbc", "oＡbC"] {
        people.insert(scene.approve(scene.world.proof("wx1", subject)).await.user.id);
    }
    assert_eq!(people.len(), 4);
    // No platform gives such ids. An engine that cannot tell them apart (MySQL: trailing blanks; PostgreSQL: no zeros in
    // text) refuses them: what it must not do is to let one in as somebody else.
    for subject in ["oabc ", "oabc\u{0}"] {
        let grant = scene.pending().await;
        let approval = scene.world.approval(&grant, scene.world.proof("wx1", subject));
        if let Ok(answer) = scene.nodes.a.fulfil_grant(&approval, scene.now()).await {
            assert!(
                matches!(&answer, Fulfilled::Done { user, .. } if people.insert(user.id.clone())),
                "{answer:?}"
            );
        }
    }
}

pub async fn promise_3_of_50_first_logins_at_once_one_creates_the_person(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let mut approvals = Vec::new();
    for _ in 0..50 {
        let grant = scene.pending().await;
        approvals.push(scene.world.approval(&grant, scene.world.proof("wx1", "openid")));
    }
    let answers = at_once(50, |n| {
        let (engine, fulfilment, now) = (scene.nodes.nth(n), approvals[n].clone(), scene.now());
        async move { engine.fulfil_grant(&fulfilment, now).await.unwrap() }
    })
    .await;
    let mut people = std::collections::HashSet::new();
    let mut creations = 0;
    for answer in answers {
        let Fulfilled::Done { user, created, .. } = answer else {
            panic!("every grant is answered: {answer:?}")
        };
        people.insert(user.id);
        creations += usize::from(created);
    }
    assert_eq!((people.len(), creations), (1, 1));
}

pub async fn sec_39_a_union_link_finds_the_person(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let web = scene.approve(scene.world.linked_proof("wx1", "web", "ours", "union")).await;
    let phone = scene.approve(scene.world.linked_proof("wx2", "phone", "ours", "union")).await;
    assert!(!phone.created);
    assert_eq!(web.user.id, phone.user.id);
    assert_eq!(scene.nodes.a.identities_of(&web.user.id).await.unwrap().len(), 2);
}

pub async fn sec_39_a_union_link_of_another_platform_account_does_not(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let ours = scene.approve(scene.world.linked_proof("wx1", "web", "ours", "union")).await;
    let theirs = scene.approve(scene.world.linked_proof("wx2", "phone", "theirs", "union")).await;
    let none = scene.approve(scene.world.proof("wx3", "union")).await;
    assert!(theirs.created && none.created);
    assert_ne!(ours.user.id, theirs.user.id);
}

pub async fn sec_39_an_exact_identity_goes_before_the_link(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let one = scene.approve(scene.world.proof("wx1", "one")).await;
    scene.approve(scene.world.linked_proof("wx2", "two", "ours", "union")).await;
    let again = scene.approve(scene.world.linked_proof("wx1", "one", "ours", "union")).await;
    assert_eq!(again.user.id, one.user.id, "nobody moves to another person by a link");
}

pub async fn the_profile_follows_the_proof(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let first = scene.sign_in().await;
    let profile = Profile {
        nickname: Some("大明".into()),
        picture: Some("https://thirdwx.qlogo.cn/mmopen/1/132".parse().unwrap()),
    };
    let proof = Proof {
        profile: profile.clone(),
        channel: "wechat-2".parse().unwrap(),
        ..scene.world.linked_proof("wx1", "openid", "ours", "union")
    };
    let later = scene.world.after(60);
    let second = scene.approve_at(proof.clone(), None, later).await.user;
    assert_eq!((&second.nickname, &second.picture), (&profile.nickname, &profile.picture));
    assert_eq!((second.created_at, second.updated_at), (first.user.created_at, later));
    assert_eq!(scene.nodes.a.user(&second.id).await.unwrap(), Some(second));

    let identity = scene.nodes.a.identity(&proof.key).await.unwrap().unwrap();
    assert_eq!((identity.profile, identity.union), (profile, proof.union));
    assert_eq!(identity.channel, proof.channel);
    assert_eq!((identity.created_at, identity.last_used_at), (scene.now(), later));
}

pub async fn what_a_proof_does_not_tell_stays(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let telling = scene.world.linked_proof("wx1", "openid", "ours", "union");
    let told = scene.approve(telling).await.user;
    let silent = Proof { profile: Profile::default(), ..scene.world.proof("wx1", "openid") };
    let later = scene.world.after(60);
    let user = scene.approve_at(silent.clone(), None, later).await.user;
    assert_eq!(user, told, "name and time of change are as they were");
    let identity = scene.nodes.a.identity(&silent.key).await.unwrap().unwrap();
    assert_eq!(identity.profile.nickname.as_deref(), Some("小明"));
    assert!(identity.union.is_some());
    assert_eq!(identity.last_used_at, later);
}

pub async fn a_phone_number_stays_and_what_a_directory_no_longer_tells_goes(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let attributes = Attributes {
        member_id: Some("ZhangSan".into()),
        departments: vec![2, 1],
        phone_number: Some("+8613800138000".into()),
        phone_proven_at: None,
        email: Some("zhangsan@corp.example".into()),
    };
    let mut proof = Proof { attributes: attributes.clone(), ..scene.world.proof("wx1", "openid") };
    let told = Attributes { phone_proven_at: Some(scene.now()), ..attributes };
    for _ in 0..2 {
        scene.approve(proof.clone()).await;
        let identity = scene.nodes.a.identity(&proof.key).await.unwrap().unwrap();
        assert_eq!(identity.attributes, told, "new, and again");
    }
    proof.proven_at = scene.world.after(60);
    proof.attributes = Attributes { departments: vec![7], ..Attributes::default() };
    scene.approve(proof.clone()).await;
    let phone_only = Attributes { member_id: None, departments: vec![7], email: None, ..told };
    let identity = scene.nodes.b.identity(&proof.key).await.unwrap().unwrap();
    assert_eq!(identity.attributes, phone_only, "proven when it was shared, not when the person came again");
    proof.attributes.phone_number = Some("+8613900139000".into());
    scene.approve(proof.clone()).await;
    let identity = scene.nodes.b.identity(&proof.key).await.unwrap().unwrap();
    assert_eq!(identity.attributes.phone_proven_at, Some(proof.proven_at));
}

pub async fn emoji_and_quotes_survive(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let name = "👨\u{200d}👩\u{200d}👧 O'Brien \"%_\\ 𠮷 🇨🇳";
    let mut proof = scene.world.proof("wx1", "o'; drop table users; --");
    proof.profile.nickname = Some(name.into());
    let user = scene.approve(proof.clone()).await.user;
    let stored = scene.nodes.b.user(&user.id).await.unwrap().unwrap();
    assert_eq!(stored.nickname.as_deref(), Some(name));
    assert_eq!(scene.nodes.b.identity(&proof.key).await.unwrap().unwrap().key, proof.key);
}

pub async fn identities_are_listed_oldest_first(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let mut user = None;
    for (second, app) in [(0, "wx9"), (1, "wx5"), (2, "wx7")] {
        let proof = scene.world.linked_proof(app, "openid", "ours", "union");
        user = Some(scene.approve_at(proof, None, scene.world.after(second)).await.user.id);
    }
    let identities = scene.nodes.a.identities_of(&user.unwrap()).await.unwrap();
    let apps: Vec<_> = identities.iter().map(|identity| identity.key.app.as_str()).collect();
    assert_eq!(apps, ["wx9", "wx5", "wx7"]);
}

pub async fn people_are_switched_off_and_on(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user;
    let at = Some(scene.world.after(9));
    assert!(scene.nodes.a.set_user_disabled(&user.id, at).await.unwrap());
    assert_eq!(scene.nodes.b.user(&user.id).await.unwrap().unwrap().disabled_at, at);
    assert!(scene.nodes.a.set_user_disabled(&user.id, None).await.unwrap());
    assert_eq!(scene.nodes.b.user(&user.id).await.unwrap(), Some(user));
    assert!(!scene.nodes.a.set_user_disabled(&"nobody".parse().unwrap(), at).await.unwrap());
}
