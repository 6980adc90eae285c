//! People who are erased, and what happens to them at the same moment.

use mashang_login::accounts::{Linked, Linking};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::consent::Consent;
use mashang_login::credentials::{AddPasskey, SetPassword};
use mashang_login::erasure::{Erased, ErasurePreview, ErasureRefusal};
use mashang_login::grant::{Grant, Purpose, ScopeSet};
use mashang_login::identity::Profile;
use mashang_login::ids::{MergeId, UserId};
use mashang_login::records::{Fulfilled, Spent};

use super::super::{Nodes, at_once};
use super::{Done, People, Scene};

/// How often a race is run, as chance must have its chance.
const ROUNDS: usize = 6;

/// `erasure_suite!(engine)`: runs every case on `async fn engine() -> Nodes<dyn People>`.
#[macro_export]
macro_rules! erasure_suite {
    ($engine:expr) => {
        $crate::conformance_cases!(
            records,
            ($engine)(),
            [
                sec_90_erasing_is_previewed_without_doing_anything,
                sec_90_nothing_leads_to_an_erased_person,
                sec_90_the_trail_stays_and_says_who_was_erased,
                sec_90_the_same_phone_is_somebody_new_afterwards,
                sec_90_whoever_was_merged_into_them_goes_with_them,
                sec_90_a_merge_that_was_undone_takes_nobody_along,
                sec_90_who_is_merged_into_another_goes_with_that_one_only,
                sec_90_no_open_grant_asks_for_an_erased_person,
                sec_90_what_was_under_way_finds_nobody,
                sec_90_whatever_is_written_while_they_are_erased_leaves_nothing,
                sec_90_a_withdrawn_identity_goes_with_what_it_opened_and_the_person_stays,
                sec_90_with_the_last_way_in_that_is_withdrawn_the_person_goes,
                sec_90_a_profile_that_is_forgotten_is_the_persons_own_only_if_it_came_from_there,
                sec_90_of_20_that_withdraw_one_identity_at_once_one_does,
                promise_3_of_20_that_erase_one_person_at_once_one_does,
            ]
        );
    };
}

impl Scene<dyn People> {
    async fn erase(&self, user: &UserId) -> Result<Erased, ErasureRefusal> {
        let told = AuditEvent { client: None, ..self.world.told(AuditKind::PersonErased) };
        self.nodes.b.erase_user(user, &told, self.now()).await.unwrap()
    }

    fn agreement(&self) -> Consent {
        Consent { client: self.client.id.clone(), scope: ScopeSet::parse("openid profile"), at: self.now() }
    }

    /// A grant of the person's own, to add a way to sign in.
    async fn wish_to_link(&self, done: &Done, subject: &str) -> Linking {
        let purpose = Purpose::Link { user: done.user.id.clone() };
        let grant = Grant { purpose, ..self.world.grant(&self.client) };
        self.nodes.a.begin_grant(&grant).await.unwrap();
        Linking {
            grant: grant.id,
            session: done.session,
            fresh_since: self.now(),
            proof: self.world.proof("wx-linked", subject),
        }
    }

    /// Whether anything that can be asked for leads to the person.
    async fn is_gone(&self, user: &UserId) {
        assert_eq!(self.nodes.a.user(user).await.unwrap(), None);
        assert_eq!(self.nodes.a.identities_of(user).await.unwrap(), []);
        assert_eq!(self.nodes.a.sessions_of(user, self.now()).await.unwrap(), []);
        assert_eq!(self.nodes.a.consents_of(user).await.unwrap(), []);
        assert_eq!(self.nodes.a.password_of(user).await.unwrap(), None);
        assert_eq!(self.nodes.a.passkeys_of(user).await.unwrap(), []);
        assert!(self.nodes.a.users("", 1000).await.unwrap().iter().all(|one| one.id != *user));
        let merges = self.nodes.a.merges().await.unwrap();
        assert!(merges.iter().all(|merge| merge.from != *user && merge.into != *user), "{merges:?}");
    }

    async fn merged(&self, from: &UserId, into: &UserId) -> MergeId {
        let id = self.world.merge_id();
        self.nodes.a.merge_users(&id, from, into, self.now()).await.unwrap().unwrap();
        id
    }

    async fn somebody(&self, subject: &str) -> UserId {
        self.approve(self.world.proof("wx1", subject)).await.user.id
    }
}

pub async fn sec_90_erasing_is_previewed_without_doing_anything(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let user = done.user.id.clone();
    let former = scene.somebody("former").await;
    scene.merged(&former, &user).await;
    let other = Consent { client: "another".parse().unwrap(), ..scene.agreement() };
    scene.nodes.a.save_consent(&former, &other).await.unwrap();
    let expected = ErasurePreview {
        user: done.user.clone(),
        merged: vec![scene.nodes.a.user(&former).await.unwrap().unwrap()],
        identities: scene.nodes.a.identities_of(&user).await.unwrap(),
        sessions: 1,
        clients: vec![other.client, scene.client.id.clone()],
    };
    assert_eq!(expected.identities.len(), 2);
    let preview = scene.nodes.b.erasure_preview(&user, scene.now()).await.unwrap();
    assert_eq!(preview, Ok(expected));
    assert!(scene.nodes.a.user(&user).await.unwrap().is_some());
    let nobody: UserId = "nobody".parse().unwrap();
    let preview = scene.nodes.b.erasure_preview(&nobody, scene.now()).await.unwrap();
    assert_eq!(preview, Err(ErasureRefusal::Unknown(nobody)));
}

pub async fn sec_90_nothing_leads_to_an_erased_person(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let (user, session) = (done.user.id.clone(), scene.session(&done).await);
    let password = scene.world.password(&user, "ada");
    scene.nodes.a.set_password(&password, scene.now()).await.unwrap();
    let passkey = scene.world.passkey(&user);
    let channel = "passkey".parse().unwrap();
    scene.nodes.a.add_passkey(&passkey, &channel, &session.id, scene.now()).await.unwrap();
    scene.nodes.a.save_consent(&user, &scene.agreement()).await.unwrap();
    let tokens = scene.tokens(&done).await;
    let (refresh, _) = tokens.refresh.unwrap();
    let unspent = scene.sign_in().await.fulfilment.code;

    let erased = scene.erase(&user).await;
    assert_eq!(erased, Ok(Erased { user: user.clone(), merged: Vec::new(), sessions: 2 }));
    scene.is_gone(&user).await;
    assert!(!scene.speaks(&tokens).await);
    assert_eq!(scene.nodes.a.session(&done.session, scene.now()).await.unwrap(), None);
    assert_eq!(scene.nodes.a.refresh_token(&refresh).await.unwrap(), None);
    assert_eq!(scene.nodes.a.family_of(&tokens.access).await.unwrap(), None);
    for code in [done.fulfilment.code, unspent] {
        assert_eq!(scene.nodes.a.code(&code).await.unwrap(), None);
    }
    assert_eq!(scene.nodes.a.password_by_username(&password.username).await.unwrap(), None);
    assert_eq!(scene.nodes.a.passkey(&passkey.key).await.unwrap(), None);
    assert_eq!(scene.erase(&user).await, Err(ErasureRefusal::Unknown(user)));
}

pub async fn sec_90_the_trail_stays_and_says_who_was_erased(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let (user, former) = (scene.sign_in().await.user.id, scene.somebody("former").await);
    scene.merged(&former, &user).await;
    let before = scene.nodes.a.audit_trail(1000).await.unwrap();
    scene.erase(&user).await.unwrap();
    let mut trail = scene.nodes.a.audit_trail(1000).await.unwrap();
    let told = AuditEvent { client: None, ..scene.world.told(AuditKind::PersonErased) };
    let with_them = AuditEvent { user: Some(former), other: Some(user.clone()), ..told.clone() };
    assert_eq!(trail.remove(0), with_them);
    assert_eq!(trail.remove(0), AuditEvent { user: Some(user), ..told });
    assert_eq!(trail, before, "append-only");
}

pub async fn sec_90_the_same_phone_is_somebody_new_afterwards(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let one = scene.world.linked_proof("wx1", "openid", "ours", "union");
    let other = scene.world.linked_proof("wx2", "openid", "ours", "union");
    let user = scene.approve(one.clone()).await.user.id;
    scene.approve(other.clone()).await;
    // Also a way that was taken from them.
    scene.nodes.a.unlink_identity(&user, &other.key, scene.now()).await.unwrap();
    scene.erase(&user).await.unwrap();
    let again = scene.approve(one).await;
    assert!(again.created && again.user.id != user);
    let second = scene.approve(other).await;
    assert_eq!((second.user.id, second.created), (again.user.id, false), "nothing is remembered");
}

pub async fn sec_90_whoever_was_merged_into_them_goes_with_them(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let (first, second, user) =
        (scene.somebody("1").await, scene.somebody("2").await, scene.somebody("3").await);
    let stays = scene.somebody("4").await;
    scene.nodes.a.save_consent(&first, &scene.agreement()).await.unwrap();
    scene.merged(&first, &second).await;
    scene.merged(&second, &user).await;
    let erased = scene.erase(&user).await.unwrap();
    assert_eq!(erased.merged, [second.clone(), first.clone()]);
    for gone in [&first, &second, &user] {
        scene.is_gone(gone).await;
    }
    assert!(scene.nodes.a.user(&stays).await.unwrap().is_some());
    assert_eq!(scene.nodes.a.identities_of(&stays).await.unwrap().len(), 1);
}

pub async fn sec_90_a_merge_that_was_undone_takes_nobody_along(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let (former, user) = (scene.somebody("1").await, scene.somebody("2").await);
    let merge = scene.merged(&former, &user).await;
    scene.nodes.a.undo_merge(&merge, scene.now()).await.unwrap();
    assert_eq!(scene.erase(&user).await.unwrap().merged, []);
    scene.is_gone(&user).await;
    assert!(scene.nodes.a.user(&former).await.unwrap().is_some());
    assert_eq!(scene.somebody("1").await, former);
}

pub async fn sec_90_who_is_merged_into_another_goes_with_that_one_only(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let (user, into) = (scene.somebody("1").await, scene.somebody("2").await);
    scene.merged(&user, &into).await;
    let refusal = ErasureRefusal::Merged { user: user.clone(), into: into.clone() };
    assert_eq!(scene.erase(&user).await, Err(refusal.clone()));
    assert_eq!(scene.nodes.a.erasure_preview(&user, scene.now()).await.unwrap(), Err(refusal));
    assert_eq!(scene.nodes.a.identities_of(&into).await.unwrap().len(), 2);
    scene.nodes.a.set_user_disabled(&into, Some(scene.now())).await.unwrap();
    assert!(scene.erase(&into).await.is_ok(), "also who is switched off");
    scene.is_gone(&user).await;
}

pub async fn sec_90_no_open_grant_asks_for_an_erased_person(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let (user, other) = (done.user.id.clone(), scene.somebody("other").await);
    let linking = scene.wish_to_link(&done, "o").await;
    let mut hinted = Vec::new();
    for who in [&user, &other] {
        let mut grant = scene.world.grant(&scene.client);
        grant.request.hinted = Some(who.clone());
        scene.nodes.a.begin_grant(&grant).await.unwrap();
        hinted.push(grant.id);
    }
    let anybody = scene.pending().await.id;
    scene.erase(&user).await.unwrap();
    for gone in [&linking.grant, &hinted[0]] {
        assert_eq!(scene.nodes.a.grant(gone).await.unwrap(), None);
    }
    for open in [&hinted[1], &anybody] {
        assert!(scene.nodes.a.grant(open).await.unwrap().is_some());
    }
    assert_eq!(scene.nodes.a.link_identity(&linking, scene.now()).await.unwrap(), Linked::NotOpen);
}

pub async fn sec_90_what_was_under_way_finds_nobody(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let (user, session) = (done.user.id.clone(), scene.session(&done).await);
    let password = scene.world.password(&user, "ada");
    scene.nodes.a.set_password(&password, scene.now()).await.unwrap();
    let (refresh, _) = scene.tokens(&done).await.refresh.unwrap();
    let code = scene.sign_in().await.fulfilment.code;
    let (continued, by_password, approved) =
        (scene.pending().await, scene.pending().await, scene.pending().await);
    scene.erase(&user).await.unwrap();

    let now = scene.now();
    let engine = &scene.nodes.a;
    let answer = engine.fulfil_grant(&scene.world.continuation(&continued, &session), now).await.unwrap();
    assert_eq!(answer, Fulfilled::NotOpen);
    let proof = scene.world.proof_here(&password.key);
    let answer = engine.fulfil_grant(&scene.world.approval(&by_password, proof), now).await.unwrap();
    assert_eq!(answer, Fulfilled::UserDisabled);
    assert_eq!(engine.exchange_code(&code, &scene.world.tokens(), now).await.unwrap(), Spent::Unknown);
    let rotated = engine.rotate_refresh_token(&refresh, &scene.world.tokens(), now).await.unwrap();
    assert_eq!(rotated, Spent::Unknown);
    engine.save_consent(&user, &scene.agreement()).await.unwrap();
    assert!(!engine.withdraw_consent(&user, &scene.client.id, now).await.unwrap());
    let (passkey, channel) = (scene.world.passkey(&user), "passkey".parse().unwrap());
    let added = engine.add_passkey(&passkey, &channel, &session.id, now).await.unwrap();
    assert_eq!(added, AddPasskey::SessionOver);
    assert_eq!(engine.set_password(&password, now).await.unwrap(), SetPassword::NoSuchUser);
    assert!(!engine.set_user_disabled(&user, Some(now)).await.unwrap());
    assert_eq!(engine.end_all_sessions(&user, None, now).await.unwrap(), 0);
    scene.is_gone(&user).await;

    let approval = scene.world.approval(&approved, scene.world.proof("wx1", "openid"));
    match engine.fulfil_grant(&approval, now).await.unwrap() {
        Fulfilled::Done { user: new, created, .. } => assert!(created && new.id != user),
        other => panic!("an approval from before leads to somebody new, not {other:?}"),
    }
}

pub async fn sec_90_whatever_is_written_while_they_are_erased_leaves_nothing(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    for round in 0..ROUNDS {
        let proof = scene.world.proof("wx1", &format!("o{round}"));
        let done = scene.approve(proof.clone()).await;
        let (user, session) = (done.user.id.clone(), scene.session(&done).await);
        let (refresh, _) = scene.tokens(&done).await.refresh.unwrap();
        let (approved, continued) = (scene.pending().await, scene.pending().await);
        let approval = scene.world.approval(&approved, proof.clone());
        let continuation = scene.world.continuation(&continued, &session);
        let (tokens, linking) = (scene.world.tokens(), scene.wish_to_link(&done, &format!("l{round}")).await);
        let (agreement, passkey) = (scene.agreement(), scene.world.passkey(&user));
        let password = scene.world.password(&user, &format!("ada{round}"));
        let told = scene.world.told(AuditKind::PersonErased);
        // None of them may fail; what each is answered depends on who comes first.
        at_once(9, |n| {
            let (engine, now, user) = (scene.nodes.nth(n), scene.now(), user.clone());
            let (approval, continuation, linking) = (approval.clone(), continuation.clone(), linking.clone());
            let (tokens, agreement, passkey) = (tokens.clone(), agreement.clone(), passkey.clone());
            let (password, told, session) = (password.clone(), told.clone(), session.clone());
            async move {
                match n {
                    0 => drop(engine.erase_user(&user, &told, now).await.unwrap().unwrap()),
                    1 => drop(engine.fulfil_grant(&approval, now).await.unwrap()),
                    2 => drop(engine.fulfil_grant(&continuation, now).await.unwrap()),
                    3 => drop(engine.rotate_refresh_token(&refresh, &tokens, now).await.unwrap()),
                    4 => drop(engine.link_identity(&linking, now).await.unwrap()),
                    5 => engine.save_consent(&user, &agreement).await.unwrap(),
                    6 => drop(engine.set_password(&password, now).await.unwrap()),
                    7 => {
                        let channel = "passkey".parse().unwrap();
                        engine.add_passkey(&passkey, &channel, &session.id, now).await.map(drop).unwrap();
                    }
                    _ => drop(engine.end_all_sessions(&user, None, now).await.unwrap()),
                }
            }
        })
        .await;
        scene.is_gone(&user).await;
        assert!(!scene.speaks(&tokens).await);
        assert_eq!(scene.nodes.a.identity(&linking.proof.key).await.unwrap(), None);
        // Whoever came in behind it is somebody else.
        if let Some(identity) = scene.nodes.a.identity(&proof.key).await.unwrap() {
            assert_ne!(identity.user, user);
        }
    }
}

pub async fn sec_90_a_withdrawn_identity_goes_with_what_it_opened_and_the_person_stays(
    nodes: Nodes<dyn People>,
) {
    let scene = Scene::set(nodes).await;
    let stays = scene.world.linked_proof("wx1", "openid", "ours", "union");
    let goes = scene.world.linked_proof("wx2", "openid", "ours", "union");
    let (kept, gone) = (scene.approve(stays).await, scene.approve(goes.clone()).await);
    let (kept_tokens, gone_tokens) = (scene.tokens(&kept).await, scene.tokens(&gone).await);
    let told = scene.world.told(AuditKind::AuthorizationWithdrawn);
    let withdrawn = scene.nodes.a.withdraw_identity(&goes.key, &told, scene.now()).await.unwrap().unwrap();
    assert_eq!((withdrawn.user, withdrawn.ended, withdrawn.erased), (kept.user.id.clone(), 1, None));
    assert!(scene.speaks(&kept_tokens).await && !scene.speaks(&gone_tokens).await);
    assert_eq!(scene.nodes.b.session(&gone.session, scene.now()).await.unwrap(), None);
    assert_eq!(scene.nodes.b.identities_of(&kept.user.id).await.unwrap().len(), 1);
    let newest = scene.nodes.b.audit_trail(1).await.unwrap().remove(0);
    assert_eq!((newest.kind, newest.user), (told.kind, Some(kept.user.id.clone())));
    let again = scene.nodes.a.withdraw_identity(&goes.key, &told, scene.now()).await.unwrap();
    assert_eq!(again, None, "told twice");
    let back = scene.approve(goes).await;
    assert_eq!((back.user.id, back.created), (kept.user.id, false), "allowed again, the unionid leads back");
}

pub async fn sec_90_with_the_last_way_in_that_is_withdrawn_the_person_goes(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let told = scene.world.told(AuditKind::AuthorizationWithdrawn);
    let key = scene.world.proof("wx1", "openid").key;
    let withdrawn = scene.nodes.a.withdraw_identity(&key, &told, scene.now()).await.unwrap().unwrap();
    assert_eq!(withdrawn.clients.iter().collect::<Vec<_>>(), [&scene.client.id]);
    let erased = Erased { user: done.user.id.clone(), merged: Vec::new(), sessions: 1 };
    assert_eq!((withdrawn.ended, withdrawn.erased), (1, Some(erased)));
    scene.is_gone(&done.user.id).await;
    let trail = scene.nodes.b.audit_trail(2).await.unwrap();
    let kinds: Vec<AuditKind> = trail.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [AuditKind::PersonErased, AuditKind::AuthorizationWithdrawn]);
    assert!(scene.sign_in().await.created, "whoever allows it again is somebody new");
}

pub async fn sec_90_a_profile_that_is_forgotten_is_the_persons_own_only_if_it_came_from_there(
    nodes: Nodes<dyn People>,
) {
    let scene = Scene::set(nodes).await;
    let one = scene.world.linked_proof("wx1", "openid", "ours", "union");
    let mut other = scene.world.linked_proof("wx2", "openid", "ours", "union");
    other.profile.nickname = Some("小红".into());
    other.profile.picture = Some("https://pictures.example/1".parse().unwrap());
    let user = scene.approve(one.clone()).await.user.id;
    scene.approve(other.clone()).await;
    let told = scene.world.told(AuditKind::ProfileForgotten);
    let forgotten = scene.nodes.a.forget_profile(&one.key, &told, scene.now()).await.unwrap();
    assert_eq!(forgotten, Some(user.clone()));
    let person = scene.nodes.b.user(&user).await.unwrap().unwrap();
    assert_eq!(
        (person.nickname.as_deref(), person.picture.is_some()),
        (Some("小红"), true),
        "from elsewhere"
    );
    assert_eq!(scene.nodes.b.identity(&one.key).await.unwrap().unwrap().profile, Profile::default());
    scene.nodes.a.forget_profile(&other.key, &told, scene.now()).await.unwrap();
    let person = scene.nodes.b.user(&user).await.unwrap().unwrap();
    assert_eq!((person.nickname, person.picture), (None, None));
    let nobody = scene.world.proof("wx3", "openid").key;
    assert_eq!(scene.nodes.a.forget_profile(&nobody, &told, scene.now()).await.unwrap(), None);
    assert_eq!(scene.nodes.b.audit_of(&user, &[told.kind], 10).await.unwrap().len(), 2);
}

pub async fn sec_90_of_20_that_withdraw_one_identity_at_once_one_does(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    let (told, key) =
        (scene.world.told(AuditKind::AuthorizationWithdrawn), scene.world.proof("wx1", "openid").key);
    let answers = at_once(20, |n| {
        let (engine, told, key, now) = (scene.nodes.nth(n), told.clone(), key.clone(), scene.now());
        async move { engine.withdraw_identity(&key, &told, now).await.unwrap() }
    })
    .await;
    assert_eq!(answers.iter().flatten().count(), 1, "{answers:?}");
    scene.is_gone(&user).await;
}

pub async fn promise_3_of_20_that_erase_one_person_at_once_one_does(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    let told = scene.world.told(AuditKind::PersonErased);
    let answers = at_once(20, |n| {
        let (engine, user, told, now) = (scene.nodes.nth(n), user.clone(), told.clone(), scene.now());
        async move { engine.erase_user(&user, &told, now).await.unwrap() }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    let trail = scene.nodes.a.audit_trail(100).await.unwrap();
    assert_eq!(trail.iter().filter(|event| event.kind == AuditKind::PersonErased).count(), 1);
}
