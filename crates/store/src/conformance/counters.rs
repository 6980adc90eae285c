//! What every engine of [`Counters`] must do.

#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::time::Duration;

use mashang_login::counters::{Counters, Share};

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
            ]
        );
    };
}

const THREE: Share = Share { most: 3, period: Duration::from_secs(60) };

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
