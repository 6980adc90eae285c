//! The person's own page: opening it, adding identities, taking them away; and members who are switched off.

use mashang_login::Timestamp;
use mashang_login::accounts::{Linked, Linking, UnionNews, Unlinked};
use mashang_login::grant::{Grant, GrantStage, Purpose};
use mashang_login::identity::Proof;
use mashang_login::ids::UserId;
use mashang_login::records::{Fulfilled, Login, Records};
use mashang_login::secret::SecretHash;

use super::super::{Nodes, at_once, count};
use super::{Done, Scene};

impl<S: Records + ?Sized> Scene<S> {
    async fn asking(&self, purpose: Purpose) -> Grant {
        let grant = Grant { purpose, ..self.world.grant(&self.client) };
        self.nodes.a.begin_grant(&grant).await.unwrap();
        grant
    }

    async fn asking_to_link(&self, user: &UserId) -> Grant {
        self.asking(Purpose::Link { user: user.clone() }).await
    }

    fn linking(&self, grant: &Grant, session: SecretHash, proof: Proof) -> Linking {
        Linking { grant: grant.id.clone(), session, fresh_since: self.now(), proof }
    }

    pub(super) async fn link(&self, done: &Done, proof: Proof) -> Linked {
        let grant = self.asking_to_link(&done.user.id).await;
        let linking = self.linking(&grant, done.session, proof);
        self.nodes.b.link_identity(&linking, self.now()).await.unwrap()
    }

    pub(super) async fn unlink(&self, user: &UserId, proof: &Proof) -> Unlinked {
        self.nodes.a.unlink_identity(user, &proof.key, self.now()).await.unwrap()
    }

    pub(super) async fn is_live(&self, session: &SecretHash) -> bool {
        self.nodes.a.session(session, self.now()).await.unwrap().is_some()
    }
}

pub async fn grants_of_every_purpose_read_back(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    for purpose in [Purpose::SignIn, Purpose::Account, Purpose::Link { user }] {
        let grant = scene.asking(purpose).await;
        assert_eq!(scene.nodes.b.grant(&grant.id).await.unwrap(), Some(grant));
    }
}

pub async fn opening_the_account_begins_a_session_without_a_code(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let grant = scene.asking(Purpose::Account).await;
    let approval = scene.world.approval(&grant, scene.world.proof("wx1", "openid"));
    let Login::Fresh(login) = &approval.login else { unreachable!("an approval is fresh") };
    let answers = at_once(20, |n| {
        let (engine, id, login, now) = (scene.nodes.nth(n), grant.id.clone(), login.clone(), scene.now());
        async move { engine.open_account(&id, &login, now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &Fulfilled::NotOpen), 19, "promise 3");
    assert!(scene.is_live(&login.session.secret).await);
    assert_eq!(scene.nodes.a.code(&approval.code).await.unwrap(), None);
}

pub async fn a_grant_is_answered_for_its_own_purpose_only(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let proof = || scene.world.proof("wx2", "other");
    for purpose in [Purpose::SignIn, Purpose::Account, Purpose::Link { user: done.user.id.clone() }] {
        let grant = scene.asking(purpose.clone()).await;
        let approval = scene.world.approval(&grant, proof());
        let Login::Fresh(login) = &approval.login else { unreachable!("an approval is fresh") };
        if purpose != Purpose::SignIn {
            let answer = scene.nodes.a.fulfil_grant(&approval, scene.now()).await.unwrap();
            assert_eq!(answer, Fulfilled::NotOpen, "{purpose:?}");
        }
        if purpose != Purpose::Account {
            let answer = scene.nodes.a.open_account(&grant.id, login, scene.now()).await.unwrap();
            assert_eq!(answer, Fulfilled::NotOpen, "{purpose:?}");
        }
        if !matches!(purpose, Purpose::Link { .. }) {
            let linking = scene.linking(&grant, done.session, proof());
            let answer = scene.nodes.a.link_identity(&linking, scene.now()).await.unwrap();
            assert_eq!(answer, Linked::NotOpen, "{purpose:?}");
        }
        assert_eq!(scene.nodes.b.grant(&grant.id).await.unwrap().unwrap().stage, GrantStage::Pending);
    }
    assert_eq!(scene.nodes.a.identity(&proof().key).await.unwrap(), None);
}

pub async fn sec_38_a_linked_identity_leads_to_the_person(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let second = scene.world.proof("wx2", "second");
    assert_eq!(scene.link(&done, second.clone()).await, Linked::Done(done.user.id.clone()));
    assert_eq!(scene.link(&done, second.clone()).await, Linked::AlreadyYours(done.user.id.clone()));
    let by_second = scene.approve(second).await;
    assert_eq!((by_second.user.id, by_second.created), (done.user.id, false));
}

pub async fn sec_38_of_20_links_at_once_one_is_done(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let grant = scene.asking_to_link(&done.user.id).await;
    let answers = at_once(20, |n| {
        let proof = scene.world.proof("wx2", &format!("second-{n}"));
        let (engine, linking, now) =
            (scene.nodes.nth(n), scene.linking(&grant, done.session, proof), scene.now());
        async move { engine.link_identity(&linking, now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &Linked::NotOpen), 19);
    assert_eq!(scene.nodes.a.identities_of(&done.user.id).await.unwrap().len(), 2);
}

pub async fn sec_38_what_belongs_to_another_person_stays_theirs(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let theirs = scene.world.linked_proof("wx2", "theirs", "ours", "union");
    let other = scene.approve(theirs.clone()).await.user.id;
    assert_eq!(scene.link(&done, theirs.clone()).await, Linked::OwnedByOther(other.clone()));
    let same_union = scene.world.linked_proof("wx3", "new", "ours", "union");
    assert_eq!(scene.link(&done, same_union.clone()).await, Linked::OwnedByOther(other.clone()));
    assert_eq!(scene.nodes.a.identity(&theirs.key).await.unwrap().unwrap().user, other);
    assert_eq!(scene.nodes.a.identity(&same_union.key).await.unwrap(), None);
}

pub async fn sec_38_linking_needs_a_live_fresh_session_of_the_same_person(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let other = scene.approve(scene.world.proof("wx1", "other")).await;
    let proof = scene.world.proof("wx2", "second");
    let try_at = async |session: SecretHash, fresh_since: Timestamp| {
        let grant = scene.asking_to_link(&done.user.id).await;
        let linking = Linking { fresh_since, ..scene.linking(&grant, session, proof.clone()) };
        scene.nodes.a.link_identity(&linking, scene.now()).await.unwrap()
    };
    assert_eq!(try_at(other.session, scene.now()).await, Linked::NotOpen, "another person's");
    assert_eq!(try_at(scene.world.hash(), scene.now()).await, Linked::NotOpen, "none");
    assert_eq!(try_at(done.session, scene.world.after(1)).await, Linked::NotOpen, "not fresh");
    let grant = scene.pending().await;
    let mut website = scene.world.approval(&grant, scene.world.proof("wx1", "openid"));
    let Login::Fresh(login) = &mut website.login else { unreachable!("an approval is fresh") };
    login.session.confirmed_at = None;
    let session = login.session.secret;
    scene.nodes.b.fulfil_grant(&website, scene.now()).await.unwrap();
    assert_eq!(try_at(session, scene.now()).await, Linked::NotOpen, "a website's login");
    scene.nodes.a.set_user_disabled(&done.user.id, Some(scene.now())).await.unwrap();
    scene.nodes.a.set_user_disabled(&done.user.id, None).await.unwrap();
    assert_eq!(try_at(done.session, scene.now()).await, Linked::NotOpen, "ended");
    assert_eq!(scene.nodes.b.identity(&proof.key).await.unwrap(), None);
}

pub async fn an_unlinked_identity_signs_its_browsers_out_and_leads_nowhere(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let kept = scene.tokens(&done).await;
    let second = scene.world.proof("wx2", "second");
    scene.link(&done, second.clone()).await;
    let by_second = scene.approve(second.clone()).await;
    let gone = scene.tokens(&by_second).await;

    assert_eq!(scene.unlink(&done.user.id, &second).await, Unlinked::Done);
    assert_eq!(scene.unlink(&done.user.id, &second).await, Unlinked::NotYours);
    assert!(!scene.is_live(&by_second.session).await && !scene.speaks(&gone).await);
    assert!(scene.is_live(&done.session).await && scene.speaks(&kept).await, "the other one stays");
    let again = scene.approve(second).await;
    assert!(again.created, "now it is somebody new");
}

pub async fn sec_90_what_an_unlinked_identity_told_goes_with_it(nodes: Nodes<dyn Records>) {
    let mut scene = Scene::set(nodes).await;
    let told = |app: &str, name: Option<&str>, picture: Option<&str>| {
        let mut proof = scene.world.proof(app, "openid");
        proof.profile.nickname = name.map(str::to_owned);
        proof.profile.picture = picture.map(|url| url.parse().unwrap());
        proof
    };
    let work = told("work", Some("王小明"), None);
    let earlier = told("earlier", Some("明哥"), Some("https://pictures.example/earlier"));
    let private = told("private", Some("夜猫子"), Some("https://pictures.example/private"));
    let silent = told("silent", None, None);
    let done = scene.approve(work.clone()).await;
    let user = done.user.id.clone();
    for proof in [&earlier, &private, &silent] {
        assert_eq!(scene.link(&done, proof.clone()).await, Linked::Done(user.clone()));
    }
    let mut seconds = 0;
    for proof in [earlier.clone(), work.clone(), private.clone(), silent.clone()] {
        seconds += 60;
        scene.world.now = scene.world.after(seconds);
        scene.approve(proof).await;
    }
    let called = async || {
        let user = scene.nodes.b.user(&user).await.unwrap().unwrap();
        (user.nickname, user.picture.map(|url| url.to_string()), user.updated_at)
    };
    let (name, picture, before) = called().await;
    assert_eq!(
        (name.as_deref(), picture.as_deref()),
        (Some("夜猫子"), Some("https://pictures.example/private"))
    );
    assert_eq!(scene.unlink(&user, &silent).await, Unlinked::Done);
    assert_eq!(called().await.2, before, "it told nothing");

    assert_eq!(scene.unlink(&user, &private).await, Unlinked::Done);
    let (name, picture, after) = called().await;
    assert_eq!(name.as_deref(), Some("王小明"), "of the one used last");
    assert_eq!(picture.as_deref(), Some("https://pictures.example/earlier"), "of the one that tells one");
    assert!(after > before, "websites see that it changed");
    assert_eq!(scene.unlink(&user, &earlier).await, Unlinked::Done);
    let (name, picture, _) = called().await;
    assert_eq!((name.as_deref(), picture), (Some("王小明"), None), "nobody tells one any more");
}

pub async fn sec_39_a_unionid_does_not_lead_an_unlinked_identity_back(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let [web, mini, official] =
        ["web", "mini", "official"].map(|app| scene.world.linked_proof(app, "openid", "ours", "union"));
    let person = scene.approve(web.clone()).await.user.id;
    scene.approve(mini.clone()).await;
    assert_eq!(scene.unlink(&person, &mini).await, Unlinked::Done);

    let other = scene.approve(mini.clone()).await;
    assert!(other.created && other.user.id != person, "somebody new");
    assert_eq!(other.union, Some(UnionNews::Clash { other: person.clone() }), "and it is told");
    let again = scene.approve(mini.clone()).await;
    assert_eq!((again.user.id, again.created), (other.user.id, false), "the same one from then on");
    assert_eq!(scene.approve(web).await.user.id, person, "the one that was not unlinked still leads there");
    assert_eq!(scene.approve(official).await.user.id, person, "and so does one that nobody unlinked");
}

pub async fn sec_39_a_link_that_is_free_again_is_taken_by_who_comes_first(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let [web, mini] = ["web", "mini"].map(|app| scene.world.linked_proof(app, "openid", "ours", "union"));
    let done = scene.approve(web.clone()).await;
    scene.approve(mini.clone()).await;
    scene.link(&done, scene.world.proof("wx9", "stays")).await;
    for proof in [&web, &mini] {
        assert_eq!(scene.unlink(&done.user.id, proof).await, Unlinked::Done);
    }
    let fresh = scene.approve(mini).await;
    assert_eq!((fresh.created, fresh.union), (true, None), "nobody has the link any more");
    let second = scene.approve(web).await;
    assert_eq!(
        (second.user.id, second.created),
        (fresh.user.id, false),
        "both are one again, and not the former"
    );
}

pub async fn sec_38_an_unlinked_identity_that_is_linked_again_is_as_before(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let [web, mini] = ["web", "mini"].map(|app| scene.world.linked_proof(app, "openid", "ours", "union"));
    let done = scene.approve(web).await;
    scene.approve(mini.clone()).await;
    scene.unlink(&done.user.id, &mini).await;
    assert_eq!(scene.link(&done, mini.clone()).await, Linked::Done(done.user.id.clone()));
    let again = scene.approve(mini.clone()).await;
    assert_eq!((again.user.id, again.union), (done.user.id.clone(), None));
    assert_eq!(scene.unlink(&done.user.id, &mini).await, Unlinked::Done);
    assert!(scene.approve(mini).await.created, "each time it is unlinked");
}

pub async fn sec_39_unlinked_while_merged_is_unlinked_from_both(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let [web, mini, official] =
        ["web", "mini", "official"].map(|app| scene.world.linked_proof(app, "openid", "ours", "union"));
    let from = scene.approve(web).await.user.id;
    scene.approve(mini.clone()).await;
    scene.approve(official.clone()).await;
    let into = scene.approve(scene.world.proof("wx9", "openid")).await.user.id;
    scene.unlink(&from, &official).await;
    let merge = scene.world.merge_id();
    scene.nodes.a.merge_users(&merge, &from, &into, scene.now()).await.unwrap().unwrap();
    assert!(scene.approve(official).await.created, "unlinked before the merge");
    assert_eq!(scene.unlink(&into, &mini).await, Unlinked::Done);

    scene.nodes.b.undo_merge(&merge, scene.now()).await.unwrap();
    let other = scene.approve(mini).await;
    assert_eq!((other.created, other.union), (true, Some(UnionNews::Clash { other: from })));
}

pub async fn the_last_identity_cannot_be_unlinked(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let proofs: Vec<_> = (0..5).map(|n| scene.world.proof(&format!("wx{n}"), "more")).collect();
    for proof in &proofs {
        scene.link(&done, proof.clone()).await;
    }
    scene.unlink(&done.user.id, &scene.world.proof("wx1", "openid")).await;
    let answers = at_once(5, |n| {
        let (engine, user, key, now) =
            (scene.nodes.nth(n), done.user.id.clone(), proofs[n].key.clone(), scene.now());
        async move { engine.unlink_identity(&user, &key, now).await.unwrap() }
    })
    .await;
    assert_eq!((count(&answers, &Unlinked::Done), count(&answers, &Unlinked::LastOne)), (4, 1));
    assert_eq!(scene.nodes.a.identities_of(&done.user.id).await.unwrap().len(), 1);
    let stranger = scene.approve(scene.world.proof("wx9", "stranger")).await.user.id;
    assert_eq!(scene.unlink(&stranger, &proofs[0]).await, Unlinked::NotYours);
}

pub async fn sec_35_a_member_who_is_switched_off_is_signed_out_everywhere(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;
    let other = scene.approve(scene.world.proof("wx2", "other")).await;
    let second = scene.sign_in().await;
    let key = scene.world.proof("wx1", "openid").key;
    assert_eq!(scene.nodes.a.end_sessions_of(&key, scene.now(), scene.now()).await.unwrap(), 2);
    assert_eq!(scene.nodes.a.end_sessions_of(&key, scene.now(), scene.now()).await.unwrap(), 0);
    assert!(!scene.is_live(&done.session).await && !scene.is_live(&second.session).await);
    assert!(!scene.speaks(&tokens).await);
    assert!(scene.is_live(&other.session).await);
    let nobody = scene.world.proof("wx8", "nobody").key;
    assert_eq!(scene.nodes.b.end_sessions_of(&nobody, scene.now(), scene.now()).await.unwrap(), 0);
}

pub async fn sec_35_what_a_member_opened_ends_though_another_session_replaced_theirs(
    nodes: Nodes<dyn Records>,
) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;
    let second = scene.world.proof("wx2", "second");
    scene.link(&done, second.clone()).await;
    // The same person, in the same browser, by another identity: the website stays signed in.
    let successor = scene.approve_at(second, Some(done.session), scene.now()).await;
    assert!(scene.speaks(&tokens).await);
    let key = scene.world.proof("wx1", "openid").key;
    scene.nodes.a.end_sessions_of(&key, scene.now(), scene.now()).await.unwrap();
    assert!(!scene.speaks(&tokens).await);
    assert!(scene.is_live(&successor.session).await);
}
