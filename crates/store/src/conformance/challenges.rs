//! What every engine of [`Challenges`] must do.

#![allow(missing_docs, reason = "the name of a case says what it shows")]

use mashang_login::challenge::{Challenge, ChallengeKind, Challenges};
use mashang_login::records::StoreError;

use super::fixtures::World;
use super::{CEILING, Nodes, at_once, count};

/// `challenge_suite!(engine)`: runs every case on `async fn engine(ceiling: usize) -> Nodes<dyn Challenges>`.
#[macro_export]
macro_rules! challenge_suite {
    ($engine:expr) => {
        $crate::conformance_cases!(
            challenges,
            ($engine)($crate::conformance::CEILING),
            [
                a_challenge_reads_back_on_every_node,
                promise_3_a_challenge_is_taken_by_one_of_100,
                of_100_attempts_at_once_no_more_succeed_than_there_were,
                a_challenge_without_attempts_is_there_until_it_is_taken,
                promise_4_an_expired_challenge_is_gone_for_every_question,
                putting_again_replaces_answer_and_attempts,
                a_challenge_that_was_taken_can_be_put_again,
                sec_16_the_ceiling_answers_overloaded_until_challenges_expire_or_go,
            ]
        );
    };
}

async fn put(nodes: &Nodes<dyn Challenges>, world: &World) -> Challenge {
    let challenge = world.challenge();
    nodes.a.put(&challenge, world.now).await.unwrap();
    challenge
}

pub async fn a_challenge_reads_back_on_every_node(nodes: Nodes<dyn Challenges>) {
    let world = World::default();
    for kind in [
        ChallengeKind::EmailCode,
        ChallengeKind::SmsCode,
        ChallengeKind::PasskeyLogin,
        ChallengeKind::PasskeyAdd,
    ] {
        let answer = (kind == ChallengeKind::EmailCode).then(|| world.hash());
        let challenge = Challenge { kind, answer, ..world.challenge() };
        nodes.a.put(&challenge, world.now).await.unwrap();
        assert_eq!(nodes.b.get(&challenge.id, world.now).await.unwrap(), Some(challenge));
    }
    assert_eq!(nodes.b.get(&world.hash(), world.now).await.unwrap(), None);
}

pub async fn promise_3_a_challenge_is_taken_by_one_of_100(nodes: Nodes<dyn Challenges>) {
    let world = World::default();
    let challenge = put(&nodes, &world).await;
    let answers = at_once(100, |n| {
        let (engine, id, now) = (nodes.nth(n), challenge.id, world.now);
        async move { engine.take(&id, now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &Some(challenge.clone())), 1);
    assert_eq!(count(&answers, &None), 99);
    assert_eq!(nodes.a.get(&challenge.id, world.now).await.unwrap(), None);
    assert_eq!(nodes.b.attempt(&challenge.id, world.now).await.unwrap(), None);
}

pub async fn of_100_attempts_at_once_no_more_succeed_than_there_were(nodes: Nodes<dyn Challenges>) {
    let world = World::default();
    let challenge = put(&nodes, &world).await;
    let answers = at_once(100, |n| {
        let (engine, id, now) = (nodes.nth(n), challenge.id, world.now);
        async move { engine.attempt(&id, now).await.unwrap() }
    })
    .await;
    let mut left: Vec<_> = answers.into_iter().flatten().map(|challenge| challenge.attempts_left).collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4], "each one is told what is left after it");
}

pub async fn a_challenge_without_attempts_is_there_until_it_is_taken(nodes: Nodes<dyn Challenges>) {
    let world = World::default();
    let challenge = put(&nodes, &world).await;
    for _ in 0..5 {
        assert!(nodes.a.attempt(&challenge.id, world.now).await.unwrap().is_some());
    }
    assert_eq!(nodes.b.attempt(&challenge.id, world.now).await.unwrap(), None);
    let spent = Some(Challenge { attempts_left: 0, ..challenge.clone() });
    assert_eq!(nodes.b.get(&challenge.id, world.now).await.unwrap(), spent);
    assert_eq!(nodes.a.take(&challenge.id, world.now).await.unwrap(), spent);
}

pub async fn promise_4_an_expired_challenge_is_gone_for_every_question(nodes: Nodes<dyn Challenges>) {
    let world = World::default();
    let challenge = put(&nodes, &world).await;
    let last = challenge.expires_at - std::time::Duration::from_millis(1);
    assert!(nodes.b.attempt(&challenge.id, last).await.unwrap().is_some());
    assert_eq!(nodes.b.get(&challenge.id, challenge.expires_at).await.unwrap(), None);
    assert_eq!(nodes.b.attempt(&challenge.id, challenge.expires_at).await.unwrap(), None);
    assert_eq!(nodes.b.take(&challenge.id, challenge.expires_at).await.unwrap(), None);
}

pub async fn putting_again_replaces_answer_and_attempts(nodes: Nodes<dyn Challenges>) {
    let world = World::default();
    let first = put(&nodes, &world).await;
    nodes.a.attempt(&first.id, world.now).await.unwrap();
    let second = Challenge { id: first.id, expires_at: world.after(600), ..world.challenge() };
    nodes.b.put(&second, world.after(60)).await.unwrap();
    assert_eq!(nodes.a.get(&first.id, first.expires_at).await.unwrap(), Some(second.clone()));
    assert_eq!(nodes.a.take(&first.id, first.expires_at).await.unwrap(), Some(second));
    assert_eq!(nodes.b.take(&first.id, world.now).await.unwrap(), None, "the former one is nowhere");
}

pub async fn a_challenge_that_was_taken_can_be_put_again(nodes: Nodes<dyn Challenges>) {
    let world = World::default();
    let challenge = put(&nodes, &world).await;
    nodes.b.take(&challenge.id, world.now).await.unwrap();
    nodes.b.put(&challenge, world.now).await.unwrap();
    assert_eq!(nodes.a.take(&challenge.id, world.now).await.unwrap(), Some(challenge));
}

pub async fn sec_16_the_ceiling_answers_overloaded_until_challenges_expire_or_go(
    nodes: Nodes<dyn Challenges>,
) {
    let world = World::default();
    let kept = put(&nodes, &world).await;
    for n in 1..CEILING {
        nodes.nth(n).put(&world.challenge(), world.now).await.unwrap();
    }
    let answer = nodes.b.put(&world.challenge(), world.now).await;
    assert!(matches!(answer, Err(StoreError::Overloaded)), "{answer:?}");
    nodes.b.put(&kept, world.now).await.expect("one in the place of another needs no room");
    nodes.a.take(&kept.id, world.now).await.unwrap();
    put(&nodes, &world).await;
    let late = Challenge { expires_at: world.after(600), ..world.challenge() };
    nodes.b.put(&late, world.after(300)).await.expect("expired ones make room");
}
