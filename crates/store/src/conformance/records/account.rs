//! What the person's own page asks for: sessions that begin without a grant and end by name or all at once, and the
//! trail of what happened to them.

use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::ids::{SessionId, UserId};
use mashang_login::records::{FreshLogin, Fulfilled, Records};

use super::super::{Nodes, at_once, count};
use super::{Done, Scene};

impl<S: Records + ?Sized> Scene<S> {
    pub(super) async fn begin(&self, login: &FreshLogin, hinted: Option<&UserId>) -> Fulfilled {
        self.nodes.b.begin_session(login, hinted, self.now()).await.unwrap()
    }

    pub(super) async fn session_id(&self, done: &Done) -> SessionId {
        self.session(done).await.id
    }
}

pub async fn a_session_begins_without_a_grant_and_continues_into_a_website(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let login = scene.world.fresh(scene.world.proof("wx1", "openid"));
    let Fulfilled::Done { user, created: true, union: None } = scene.begin(&login, None).await else {
        panic!("somebody new")
    };
    let session = scene.nodes.a.session(&login.session.secret, scene.now()).await.unwrap().unwrap();
    assert_eq!((&session.user, &session.id), (&user.id, &login.session.id));
    let grant = scene.pending().await;
    let continued = scene.world.continuation(&grant, &session);
    let answer = scene.nodes.a.fulfil_grant(&continued, scene.now()).await.unwrap();
    assert_eq!(answer, Fulfilled::Done { user, created: false, union: None });
}

pub async fn promise_3_of_20_first_sessions_at_once_one_creates_the_person(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let logins: Vec<_> = (0..20).map(|_| scene.world.fresh(scene.world.proof("wx1", "openid"))).collect();
    let answers = at_once(20, |n| {
        let (engine, login, now) = (scene.nodes.nth(n), logins[n].clone(), scene.now());
        async move { engine.begin_session(&login, None, now).await.unwrap() }
    })
    .await;
    let created = answers.iter().filter(|answer| matches!(answer, Fulfilled::Done { created: true, .. }));
    assert_eq!(created.count(), 1);
    let user = scene.nodes.a.users("", 10).await.unwrap().remove(0);
    assert_eq!(scene.nodes.a.users("", 10).await.unwrap().len(), 1);
    assert_eq!(scene.nodes.b.sessions_of(&user.id, scene.now()).await.unwrap().len(), 20);
}

pub async fn sec_17_a_session_that_begins_replaces_the_browsers_former_one(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let former = scene.sign_in().await;
    let tokens = scene.tokens(&former).await;
    let login = scene.world.fresh(scene.world.proof("wx1", "openid"));
    let login = FreshLogin { replaces: Some(former.session), ..login };
    scene.begin(&login, None).await;
    assert!(!scene.is_live(&former.session).await);
    assert!(scene.speaks(&tokens).await, "signing in again signs nobody out");
    scene.nodes.a.end_session(&login.session.secret, scene.now()).await.unwrap();
    assert!(!scene.speaks(&tokens).await, "and signing out reaches what was issued before");
}

pub async fn sec_55_only_the_hinted_person_begins_a_session(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let expected = scene.sign_in().await;
    let login = scene.world.fresh(scene.world.proof("wx1", "somebody-else"));
    let login = FreshLogin { replaces: Some(expected.session), ..login };
    assert_eq!(scene.begin(&login, Some(&expected.user.id)).await, Fulfilled::OtherPerson);
    assert_eq!(scene.nodes.a.users("", 10).await.unwrap().len(), 1, "nobody was created");
    assert!(scene.is_live(&expected.session).await && !scene.is_live(&login.session.secret).await);
    let login = scene.world.fresh(scene.world.proof("wx1", "openid"));
    let answer = scene.begin(&login, Some(&expected.user.id)).await;
    assert!(matches!(answer, Fulfilled::Done { created: false, .. }), "{answer:?}");
}

pub async fn sec_40_a_switched_off_person_begins_no_session(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user;
    scene.nodes.a.set_user_disabled(&user.id, Some(scene.now())).await.unwrap();
    let login = scene.world.fresh(scene.world.proof("wx1", "openid"));
    assert_eq!(scene.begin(&login, None).await, Fulfilled::UserDisabled);
    scene.nodes.a.set_user_disabled(&user.id, None).await.unwrap();
    assert!(!scene.is_live(&login.session.secret).await, "nothing was written");
}

pub async fn a_session_ends_by_its_name_once_and_for_its_person_only(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (mine, elsewhere) = (scene.sign_in().await, scene.sign_in().await);
    let stranger = scene.approve(scene.world.proof("wx2", "stranger")).await;
    let (tokens, other_tokens) = (scene.tokens(&mine).await, scene.tokens(&elsewhere).await);
    let name = scene.session_id(&mine).await;

    assert!(!scene.nodes.a.end_session_of(&stranger.user.id, &name, scene.now()).await.unwrap());
    assert!(scene.is_live(&mine.session).await && scene.speaks(&tokens).await);
    let answers = at_once(20, |n| {
        let (engine, user, name, now) = (scene.nodes.nth(n), mine.user.id.clone(), name.clone(), scene.now());
        async move { engine.end_session_of(&user, &name, now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
    assert!(!scene.is_live(&mine.session).await && !scene.speaks(&tokens).await);
    assert!(scene.is_live(&elsewhere.session).await && scene.speaks(&other_tokens).await);
}

pub async fn this_was_not_me_ends_all_but_the_session_that_asked(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let (over, theirs, mine) = (scene.sign_in().await, scene.sign_in().await, scene.sign_in().await);
    let stranger = scene.approve(scene.world.proof("wx2", "stranger")).await;
    let mut tokens = Vec::new();
    for done in [&over, &theirs, &mine, &stranger] {
        tokens.push(scene.tokens(done).await);
    }
    // Its session is no longer there, but what it issued lives for thirty days.
    let proof = scene.world.proof("wx1", "openid");
    let keep = scene.session_id(&mine).await;
    scene.approve_at(proof, Some(over.session), scene.now()).await;

    let ended = scene.nodes.a.end_all_sessions(&mine.user.id, Some(&keep), scene.now()).await.unwrap();
    assert_eq!(ended, 2, "theirs and the successor of the one that is over");
    let left = scene.nodes.b.sessions_of(&mine.user.id, scene.now()).await.unwrap();
    assert_eq!(left.into_iter().map(|session| session.id).collect::<Vec<_>>(), [keep]);
    let mut speak = Vec::new();
    for issued in &tokens {
        speak.push(scene.speaks(issued).await);
    }
    assert_eq!(speak, [false, false, true, true]);

    let after_its_end = scene.world.after(86_400);
    assert_eq!(scene.nodes.b.end_all_sessions(&mine.user.id, None, after_its_end).await.unwrap(), 0);
    assert!(!scene.speaks(&tokens[2]).await, "what an expired session issued is revoked all the same");
    assert!(scene.is_live(&stranger.session).await && scene.speaks(&tokens[3]).await);
}

pub async fn a_session_that_is_not_theirs_spares_nothing(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let mine = scene.sign_in().await;
    let tokens = scene.tokens(&mine).await;
    let stranger = scene.approve(scene.world.proof("wx2", "stranger")).await;
    let foreign = scene.session_id(&stranger).await;
    let ended = scene.nodes.a.end_all_sessions(&mine.user.id, Some(&foreign), scene.now()).await.unwrap();
    assert_eq!(ended, 1);
    assert!(!scene.is_live(&mine.session).await && !scene.speaks(&tokens).await);
    assert!(scene.is_live(&stranger.session).await);
}

pub async fn a_persons_trail_is_newest_first_and_theirs_alone(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let me = scene.sign_in().await.user.id;
    let you = scene.approve(scene.world.proof("wx2", "you")).await.user.id;
    let about = |user: &UserId, other: Option<&UserId>, kind| AuditEvent {
        user: Some(user.clone()),
        other: other.cloned(),
        address: Some("203.0.113.7".into()),
        ..AuditEvent::new(scene.now(), kind)
    };
    let before = scene.nodes.a.audit_of(&me, &AuditKind::ALL, 10).await.unwrap();
    let first = about(&me, None, AuditKind::PasswordSet);
    let second = about(&me, Some(&you), AuditKind::UnionClash);
    for event in [
        first.clone(),
        about(&you, None, AuditKind::PasswordSet),
        second.clone(),
        about(&you, Some(&me), AuditKind::LinkRefused),
        AuditEvent::new(scene.now(), AuditKind::KeysRotated),
    ] {
        scene.nodes.a.record(&event).await.unwrap();
    }
    let trail = scene.nodes.b.audit_of(&me, &AuditKind::ALL, 10).await.unwrap();
    assert_eq!(trail, [&[second.clone(), first.clone()][..], &before].concat());
    let passwords = scene.nodes.b.audit_of(&me, &[AuditKind::PasswordSet], 1).await.unwrap();
    assert_eq!(passwords, [first], "what is of another kind takes no place");
    assert_eq!(scene.nodes.b.audit_of(&me, &AuditKind::ALL, 1).await.unwrap(), [second]);
    assert_eq!(scene.nodes.b.audit_of(&"nobody".parse().unwrap(), &AuditKind::ALL, 10).await.unwrap(), []);
}
