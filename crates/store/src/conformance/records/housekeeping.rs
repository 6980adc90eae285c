//! Keys, audit, sweeping, readiness.

use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::key::{SigningAlgorithm, SigningKey};
use mashang_login::records::{Records, Spent, StoreError};
use mashang_login::token::NewTokens;

use super::super::fixtures::World;
use super::super::{Nodes, at_once, is_near_ours};
use super::Scene;

const DAY: u64 = 86_400;

pub async fn a_database_remembers_that_it_was_used_with_a_sandbox(nodes: Nodes<dyn Records>) {
    let world = World::default();
    assert_eq!(nodes.a.sandbox_since().await.unwrap(), None);
    let noted = at_once(20, |n| {
        let (node, now) = (nodes.nth(n), world.now);
        async move { node.note_sandbox(now).await }
    })
    .await;
    assert!(noted.iter().all(Result::is_ok), "{noted:?}");
    nodes.b.note_sandbox(world.after(60)).await.unwrap();
    assert_eq!(nodes.a.sandbox_since().await.unwrap(), Some(world.now), "the first time counts");
}

pub async fn of_20_claims_for_a_master_key_at_once_one_holds_and_all_are_told(nodes: Nodes<dyn Records>) {
    assert_eq!(nodes.a.master_key_check().await.unwrap(), None, "nobody has said anything");
    let told = at_once(20, |n| {
        let node = nodes.nth(n);
        // Any bytes: they are sealed.
        async move { node.claim_for_master_key(&[0, 255, 39, u8::try_from(n).unwrap()]).await.unwrap() }
    })
    .await;
    let held = nodes.b.master_key_check().await.unwrap().expect("one of them holds");
    assert!(told.iter().all(|answer| *answer == held), "{told:?}");
    assert!(held.starts_with(&[0, 255, 39]) && held[3] < 20, "{held:?}");
}

pub async fn records_that_are_claimed_stay_so(nodes: Nodes<dyn Records>) {
    assert_eq!(nodes.a.claim_for_master_key(b"first").await.unwrap(), b"first");
    assert_eq!(nodes.b.claim_for_master_key(b"second").await.unwrap(), b"first");
    assert_eq!(nodes.a.claim_for_master_key(b"first").await.unwrap(), b"first");
    assert_eq!(nodes.a.master_key_check().await.unwrap().as_deref(), Some(&b"first"[..]));
}

pub async fn a_key_is_added_and_others_retire_with_it(nodes: Nodes<dyn Records>) {
    let world = World::default();
    let until = world.after(DAY);
    let old = world.key("zzz", world.now);
    nodes.a.add_signing_key(&old, &[], until).await.unwrap();
    let kept = world.key("mmm", world.after(1));
    nodes.a.add_signing_key(&kept, &[], until).await.unwrap();
    let new = world.key("aaa", world.after(2));
    nodes.b.add_signing_key(&new, std::slice::from_ref(&old.id), until).await.unwrap();
    let retired = SigningKey { published_until: Some(until), ..old };
    assert_eq!(nodes.a.signing_keys().await.unwrap(), [retired, kept, new], "oldest first");
}

pub async fn of_20_first_keys_at_once_one_is_kept(nodes: Nodes<dyn Records>) {
    let world = World::default();
    let added = at_once(20, |n| {
        let (engine, key) = (nodes.nth(n), world.key(&format!("key-{n}"), world.now));
        async move { engine.add_first_signing_key(&key).await.unwrap().then_some(key) }
    })
    .await;
    let kept = nodes.b.signing_keys().await.unwrap();
    assert_eq!(kept, added.into_iter().flatten().collect::<Vec<_>>(), "one, whose node was told so");
    assert_eq!(kept.len(), 1);
    let until = world.after(DAY);
    let other = world.key("other", world.now);
    let unlike = SigningAlgorithm::ALL.into_iter().find(|one| *one != other.algorithm).unwrap();
    let unlike = SigningKey { algorithm: unlike, id: "unlike".parse().unwrap(), ..other.clone() };
    assert!(nodes.a.add_first_signing_key(&unlike).await.unwrap(), "each algorithm for itself");
    let next = world.key("next", world.after(1));
    nodes.a.add_signing_key(&next, std::slice::from_ref(&kept[0].id), until).await.unwrap();
    assert!(!nodes.b.add_first_signing_key(&other).await.unwrap(), "a successor counts");
}

pub async fn a_key_that_exists_conflicts_and_retires_nothing(nodes: Nodes<dyn Records>) {
    let world = World::default();
    let key = world.key("kid", world.now);
    nodes.a.add_signing_key(&key, &[], world.now).await.unwrap();
    let answer = nodes.b.add_signing_key(&key, std::slice::from_ref(&key.id), world.now).await;
    assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    assert_eq!(nodes.a.signing_keys().await.unwrap(), [key]);
}

pub async fn the_audit_trail_is_newest_first(nodes: Nodes<dyn Records>) {
    let world = World::default();
    let mut written = Vec::new();
    for (n, kind) in (0..).zip(AuditKind::ALL) {
        // Two nodes' clocks may differ; the order of appending counts.
        let event = AuditEvent {
            ticket: Some("abc123".into()),
            client: Some("site".parse().unwrap()),
            user: (n % 2 == 0).then(|| "person".parse().unwrap()),
            other: (n % 3 == 0).then(|| "another".parse().unwrap()),
            channel: Some("wechat".parse().unwrap()),
            address: Some("2001:db8::1".into()),
            device: Some("微信 · iPhone".into()),
            ..AuditEvent::new(world.after(100 - n), kind)
        };
        nodes.nth(usize::from(n % 2 == 1)).record(&event).await.unwrap();
        written.push(event);
    }
    written.reverse();
    assert_eq!(nodes.a.audit_trail(100).await.unwrap(), written);
    assert_eq!(nodes.b.audit_trail(3).await.unwrap(), written[..3]);
    assert_eq!(nodes.b.audit_trail(0).await.unwrap(), []);
}

pub async fn of_200_audit_events_at_once_none_is_lost(nodes: Nodes<dyn Records>) {
    let world = World::default();
    at_once(200, |n| {
        let mut event = AuditEvent::new(world.now, AuditKind::SignedIn);
        event.ticket = Some(format!("{n:06}"));
        let engine = nodes.nth(n);
        async move { engine.record(&event).await.unwrap() }
    })
    .await;
    let trail = nodes.a.audit_trail(1_000).await.unwrap();
    let tickets: std::collections::HashSet<_> = trail.into_iter().map(|event| event.ticket).collect();
    assert_eq!(tickets.len(), 200);
}

pub async fn promise_8_a_login_and_its_tokens_are_stored_with_what_the_trail_says_of_them(
    nodes: Nodes<dyn Records>,
) {
    use AuditKind::{SessionContinued, SignedIn, TokensIssued, TokensRefreshed, UserCreated};
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let issued = scene.tokens(&done).await;
    let rotated = NewTokens { told: scene.world.told(TokensRefreshed), ..scene.world.tokens() };
    let refresh = issued.refresh.unwrap().0;
    let spent = scene.nodes.b.rotate_refresh_token(&refresh, &rotated, scene.now()).await.unwrap();
    assert_eq!(spent, Spent::Issued);
    scene
        .nodes
        .a
        .begin_session(&scene.world.fresh(scene.world.proof("wx1", "openid")), None, scene.now())
        .await
        .unwrap();
    let continued = scene.world.continuation(&scene.pending().await, &scene.session(&done).await);
    scene.nodes.a.fulfil_grant(&continued, scene.now()).await.unwrap();

    // What is refused leaves nothing: a grant that was answered, a code and a token that were spent.
    scene.nodes.b.fulfil_grant(&continued, scene.now()).await.unwrap();
    let tokens = scene.world.tokens();
    scene.nodes.b.exchange_code(&done.fulfilment.code, &tokens, scene.now()).await.unwrap();
    scene.nodes.b.rotate_refresh_token(&refresh, &tokens, scene.now()).await.unwrap();

    let mut trail = scene.nodes.b.audit_trail(100).await.unwrap();
    trail.reverse();
    let person = |kind| AuditEvent { user: Some(done.user.id.clone()), ..scene.world.told(kind) };
    let expected = [
        person(UserCreated),
        person(SignedIn),
        scene.world.told(TokensIssued),
        scene.world.told(TokensRefreshed),
        person(SignedIn),
        person(SessionContinued),
    ];
    assert_eq!(trail, expected);
}

pub async fn sweeping_takes_what_is_long_over_and_keeps_what_is_live(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let tokens = scene.tokens(&done).await;
    let grant = scene.pending().await;
    let trail = scene.nodes.a.audit_trail(10).await.unwrap();
    assert_eq!(scene.nodes.a.sweep(scene.world.after(60)).await.unwrap(), 0, "nothing is over yet");
    assert!(scene.nodes.a.grant(&grant.id).await.unwrap().is_some());

    // Four days on: grants, session and access token are over, the refresh token is not.
    let later = scene.world.after(4 * DAY);
    assert!(scene.nodes.a.sweep(later).await.unwrap() >= 4);
    assert_eq!(scene.nodes.b.grant(&grant.id).await.unwrap(), None);
    let (refresh, _) = tokens.refresh.unwrap();
    let next = scene.world.tokens();
    assert_eq!(scene.nodes.b.rotate_refresh_token(&refresh, &next, later).await.unwrap(), Spent::Issued);

    // Two months on, the family and all of its kind are over; people, clients and the trail stay.
    scene.nodes.b.sweep(scene.world.after(60 * DAY)).await.unwrap();
    assert_eq!(scene.nodes.a.family_of(&refresh).await.unwrap(), None);
    assert_eq!(scene.nodes.a.code(&done.fulfilment.code).await.unwrap(), None);
    assert_eq!(scene.nodes.a.user(&done.user.id).await.unwrap(), Some(done.user));
    assert_eq!(scene.nodes.a.clients().await.unwrap().len(), 1);
    assert_eq!(scene.nodes.a.audit_trail(10).await.unwrap()[1..], trail, "with the rotation's own before it");
    assert_eq!(scene.nodes.a.sweep(scene.world.after(60 * DAY)).await.unwrap(), 0);
}

pub async fn sec_79_an_unanswered_grant_is_swept_two_hours_after_its_end(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let answered = scene.sign_in().await.fulfilment.grant;
    let (pending, refused) = (scene.pending().await, scene.pending().await);
    assert!(scene.nodes.a.refuse_grant(&refused.id, scene.now()).await.unwrap());
    assert_eq!(scene.nodes.a.sweep(scene.world.after(600 + 7_199)).await.unwrap(), 0, "both end after 600 s");
    assert_eq!(scene.nodes.a.sweep(scene.world.after(600 + 7_200)).await.unwrap(), 2);
    assert_eq!(scene.nodes.b.grant(&pending.id).await.unwrap(), None);
    assert_eq!(scene.nodes.b.grant(&refused.id).await.unwrap(), None);
    assert!(scene.nodes.b.grant(&answered).await.unwrap().is_some(), "what led to a login stays for a day");
}

pub async fn sec_49_a_replay_is_recognised_after_sweeping(nodes: Nodes<dyn Records>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let (refresh, _) = scene.tokens(&done).await.refresh.unwrap();
    let later = scene.world.after(10 * DAY);
    scene.nodes.a.sweep(later).await.unwrap();
    let answer = scene.nodes.b.exchange_code(&done.fulfilment.code, &scene.world.tokens(), later).await;
    assert_eq!(answer.unwrap(), Spent::Replayed);
    let family = scene.nodes.a.family_of(&refresh).await.unwrap().unwrap();
    assert_eq!(family.revoked_at, Some(later));
}

pub async fn the_readiness_check_answers(nodes: Nodes<dyn Records>) {
    nodes.a.check().await.unwrap();
    nodes.b.check().await.unwrap();
}

pub async fn the_engines_clock_is_told_alike_to_every_node(nodes: Nodes<dyn Records>) {
    let told = [nodes.a.engine_time().await.unwrap(), nodes.b.engine_time().await.unwrap()];
    is_near_ours(told);
}
