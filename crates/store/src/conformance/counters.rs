//! What every engine of [`Counters`] must do.

#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::time::Duration;

use mashang_login::counters::{Counters, Rate, Share};

use super::fixtures::World;
use super::{Nodes, at_once, count};

/// `counter_suite!(engine)`: runs every case on `async fn engine(ceiling: usize) -> Nodes<dyn Counters>`.
#[macro_export]
macro_rules! counter_suite {
    ($engine:expr) => {
        $crate::conformance_cases!(
            counters,
            ($engine)($crate::conformance::CEILING),
            [
                sec_79_both_nodes_count_one_share,
                sec_79_of_100_at_once_no_more_are_counted_than_the_share,
                sec_79_one_key_does_not_starve_another,
                promise_4_what_is_older_than_the_period_no_longer_counts,
                what_is_refused_is_not_counted,
                what_is_given_back_does_not_count,
                the_last_count_is_told_on_the_other_node,
                sec_16_both_nodes_count_against_one_rate,
                sec_16_of_100_at_once_no_more_pass_than_the_rate_allows,
                a_rate_comes_back_one_by_one,
                a_rate_of_hundreds_is_as_exact,
                a_rate_that_is_none_refuses_nobody_for_a_clock,
            ]
        );
    };
}

const THREE: Share = Share { most: 3, period: Duration::from_secs(60) };

const THREE_A_MINUTE: Rate = Rate { most: 3, period: Duration::from_secs(60) };

pub async fn sec_79_both_nodes_count_one_share(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let key = world.hash();
    for n in 0..3 {
        assert_eq!(nodes.nth(n).take(&key, THREE, world.now).await.unwrap(), None);
    }
    let minute = Some(Duration::from_secs(60));
    assert_eq!(nodes.a.take(&key, THREE, world.now).await.unwrap(), minute);
    assert_eq!(nodes.b.take(&key, THREE, world.now).await.unwrap(), minute);
}

pub async fn sec_79_of_100_at_once_no_more_are_counted_than_the_share(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let key = world.hash();
    let answers = at_once(100, |n| {
        let (engine, now) = (nodes.nth(n), world.now);
        async move { engine.take(&key, THREE, now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &None), 3);
}

pub async fn sec_79_one_key_does_not_starve_another(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let (busy, other) = (world.hash(), world.hash());
    for _ in 0..4 {
        nodes.a.take(&busy, THREE, world.now).await.unwrap();
    }
    assert_eq!(nodes.a.take(&other, THREE, world.now).await.unwrap(), None);
}

pub async fn promise_4_what_is_older_than_the_period_no_longer_counts(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let key = world.hash();
    for seconds in [0, 20, 40] {
        assert_eq!(nodes.a.take(&key, THREE, world.after(seconds)).await.unwrap(), None);
    }
    let wait = nodes.b.take(&key, THREE, world.after(45)).await.unwrap();
    assert_eq!(wait, Some(Duration::from_secs(15)));
    assert_eq!(nodes.b.take(&key, THREE, world.after(60)).await.unwrap(), None, "the first is forgotten");
    let wait = nodes.a.take(&key, THREE, world.after(60)).await.unwrap();
    assert_eq!(wait, Some(Duration::from_secs(20)), "the others are not");
}

pub async fn what_is_refused_is_not_counted(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let key = world.hash();
    for _ in 0..10 {
        nodes.a.take(&key, THREE, world.now).await.unwrap();
    }
    assert_eq!(nodes.b.take(&key, THREE, world.after(60)).await.unwrap(), None);
}

pub async fn what_is_given_back_does_not_count(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let key = world.hash();
    nodes.a.give_back(&key).await.unwrap();
    for _ in 0..5 {
        assert_eq!(nodes.a.take(&key, THREE, world.now).await.unwrap(), None);
        nodes.b.give_back(&key).await.unwrap();
    }
    assert_eq!(nodes.a.last(&key).await.unwrap(), None);
}

pub async fn the_last_count_is_told_on_the_other_node(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let key = world.hash();
    nodes.a.take(&key, THREE, world.now).await.unwrap();
    nodes.a.take(&key, THREE, world.after(10)).await.unwrap();
    assert_eq!(nodes.b.last(&key).await.unwrap(), Some(world.after(10)));
}

pub async fn sec_16_both_nodes_count_against_one_rate(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let (busy, other) = (world.hash(), world.hash());
    for n in 0..3 {
        assert_eq!(nodes.nth(n).pass(&busy, THREE_A_MINUTE, world.now).await.unwrap(), None);
    }
    let one = Some(Duration::from_secs(20));
    assert_eq!(nodes.a.pass(&busy, THREE_A_MINUTE, world.now).await.unwrap(), one);
    assert_eq!(nodes.b.pass(&busy, THREE_A_MINUTE, world.now).await.unwrap(), one);
    assert_eq!(nodes.b.pass(&other, THREE_A_MINUTE, world.now).await.unwrap(), None, "another key");
}

pub async fn sec_16_of_100_at_once_no_more_pass_than_the_rate_allows(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let key = world.hash();
    let answers = at_once(100, |n| {
        let (engine, now) = (nodes.nth(n), world.now);
        async move { engine.pass(&key, THREE_A_MINUTE, now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &None), 3);
}

pub async fn a_rate_comes_back_one_by_one(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let key = world.hash();
    for _ in 0..10 {
        nodes.a.pass(&key, THREE_A_MINUTE, world.now).await.unwrap();
    }
    let early = nodes.b.pass(&key, THREE_A_MINUTE, world.after(15)).await.unwrap();
    assert_eq!(early, Some(Duration::from_secs(5)), "what was refused is not counted");
    assert_eq!(nodes.b.pass(&key, THREE_A_MINUTE, world.after(20)).await.unwrap(), None);
    assert_eq!(
        nodes.a.pass(&key, THREE_A_MINUTE, world.after(20)).await.unwrap(),
        Some(Duration::from_secs(20))
    );
    for _ in 0..3 {
        assert_eq!(nodes.a.pass(&key, THREE_A_MINUTE, world.after(600)).await.unwrap(), None);
    }
    assert!(nodes.b.pass(&key, THREE_A_MINUTE, world.after(600)).await.unwrap().is_some(), "and no more");
}

pub async fn a_rate_of_hundreds_is_as_exact(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let key = world.hash();
    let rate = Rate { most: 600, period: Duration::from_secs(60) };
    let mut passed = 0;
    for n in 0..650 {
        passed += usize::from(nodes.nth(n).pass(&key, rate, world.now).await.unwrap().is_none());
    }
    assert_eq!(passed, 600);
    let wait = nodes.a.pass(&key, rate, world.now).await.unwrap();
    assert_eq!(wait, Some(Duration::from_millis(100)));
}

pub async fn a_rate_that_is_none_refuses_nobody_for_a_clock(nodes: Nodes<dyn Counters>) {
    let world = World::default();
    let key = world.hash();
    let rate = Rate { most: u32::MAX, period: Duration::from_secs(60) };
    for seconds in [30, 0, 30, 0] {
        assert_eq!(nodes.a.pass(&key, rate, world.after(seconds)).await.unwrap(), None);
    }
}
