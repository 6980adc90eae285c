//! What every engine of [`PlatformTokens`] must do.

#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::platform_token::{PlatformTokens, StoredToken, TokenName};

use super::fixtures::World;
use super::{Nodes, at_once, count};

/// `platform_token_suite!(engine)`: runs every case on `async fn engine() -> Nodes<dyn PlatformTokens>`.
#[macro_export]
macro_rules! platform_token_suite {
    ($engine:expr) => {
        $crate::conformance_cases!(
            platform_tokens,
            ($engine)(),
            [
                a_name_without_a_token_has_none,
                a_saved_token_reads_back_on_every_node,
                each_token_is_the_next_generation,
                sec_44_of_100_nodes_one_gets_the_lease,
                a_holder_may_extend_its_lease,
                promise_4_a_lease_ends_by_the_clock,
                only_the_leaseholder_saves,
                a_node_that_was_taken_over_saves_nothing,
                saving_gives_the_lease_back,
                a_released_lease_is_free,
                nobody_releases_anothers_lease,
                an_expired_token_is_still_told,
                sec_23_two_apps_do_not_meet,
            ]
        );
    };
}

const LEASE: Duration = Duration::from_secs(15);

fn name(app: &str) -> TokenName {
    TokenName::of(&["wechat", app]).unwrap()
}

async fn lease(engine: &dyn PlatformTokens, app: &str, holder: &str, now: Timestamp) -> bool {
    engine.lease_platform_token(&name(app), holder, now + LEASE, now).await.unwrap()
}

/// Saves `sealed` with two hours to live.
async fn save(engine: &dyn PlatformTokens, sealed: &[u8], holder: &str, now: Timestamp) -> Option<u64> {
    let ends = now + Duration::from_secs(7200);
    engine.save_platform_token(&name("wx1"), sealed, ends, holder, now).await.unwrap()
}

async fn saved(engine: &dyn PlatformTokens) -> Option<StoredToken> {
    engine.platform_token(&name("wx1")).await.unwrap()
}

pub async fn a_name_without_a_token_has_none(nodes: Nodes<dyn PlatformTokens>) {
    assert_eq!(saved(&*nodes.a).await, None);
    assert!(lease(&*nodes.a, "wx1", "a", World::default().now).await);
    assert_eq!(saved(&*nodes.b).await, None, "a lease is no token");
}

pub async fn a_saved_token_reads_back_on_every_node(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    let sealed: Vec<u8> = (0..=255).cycle().take(600).collect();
    assert!(lease(&*nodes.a, "wx1", "a", now).await);
    assert_eq!(save(&*nodes.a, &sealed, "a", now).await, Some(1));
    let expected = StoredToken { sealed, expires_at: now + Duration::from_secs(7200), generation: 1 };
    assert_eq!(saved(&*nodes.a).await.as_ref(), Some(&expected));
    assert_eq!(saved(&*nodes.b).await, Some(expected));
}

pub async fn each_token_is_the_next_generation(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    for generation in 1..=4 {
        let (engine, holder) = if generation % 2 == 0 { (&nodes.a, "a") } else { (&nodes.b, "b") };
        assert!(lease(&**engine, "wx1", holder, now).await);
        assert_eq!(
            save(&**engine, &[u8::try_from(generation).unwrap()], holder, now).await,
            Some(generation)
        );
    }
    let newest = saved(&*nodes.a).await.unwrap();
    assert_eq!((newest.generation, newest.sealed), (4, vec![4]));
}

pub async fn sec_44_of_100_nodes_one_gets_the_lease(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    for _round in 0..2 {
        let answers = at_once(100, |n| {
            let engine = nodes.nth(n);
            async move { lease(&*engine, "wx1", &format!("node {n}"), now).await.then_some(n) }
        })
        .await;
        let winners: Vec<usize> = answers.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        // The second round begins with a row that is there.
        nodes.a.release_platform_token(&name("wx1"), &format!("node {}", winners[0])).await.unwrap();
    }
}

pub async fn a_holder_may_extend_its_lease(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    assert!(lease(&*nodes.a, "wx1", "a", now).await);
    assert!(lease(&*nodes.a, "wx1", "a", now + LEASE / 2).await);
    assert!(!lease(&*nodes.b, "wx1", "b", now + LEASE).await);
}

pub async fn promise_4_a_lease_ends_by_the_clock(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    assert!(lease(&*nodes.a, "wx1", "a", now).await);
    assert!(!lease(&*nodes.b, "wx1", "b", now + LEASE - Duration::from_millis(1)).await);
    let takers = at_once(20, |n| {
        let engine = nodes.nth(n);
        async move { lease(&*engine, "wx1", &format!("node {n}"), now + LEASE).await }
    })
    .await;
    assert_eq!(count(&takers, &true), 1);
}

pub async fn only_the_leaseholder_saves(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    assert_eq!(save(&*nodes.a, b"early", "a", now).await, None, "no row yet");
    assert!(lease(&*nodes.a, "wx1", "a", now).await);
    assert_eq!(save(&*nodes.b, b"foreign", "b", now).await, None);
    assert_eq!(saved(&*nodes.a).await, None);
    assert_eq!(save(&*nodes.a, b"good", "a", now).await, Some(1));
}

pub async fn a_node_that_was_taken_over_saves_nothing(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    assert!(lease(&*nodes.a, "wx1", "a", now).await);
    assert_eq!(save(&*nodes.a, b"late", "a", now + LEASE).await, None, "its lease has run out");
    assert!(lease(&*nodes.b, "wx1", "b", now + LEASE).await);
    assert_eq!(save(&*nodes.a, b"late", "a", now + LEASE).await, None);
    assert_eq!(save(&*nodes.b, b"good", "b", now + LEASE).await, Some(1));
    assert_eq!(saved(&*nodes.a).await.unwrap().sealed, b"good");
}

pub async fn saving_gives_the_lease_back(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    assert!(lease(&*nodes.a, "wx1", "a", now).await);
    assert_eq!(save(&*nodes.a, b"one", "a", now).await, Some(1));
    assert_eq!(save(&*nodes.a, b"two", "a", now).await, None);
    assert!(lease(&*nodes.b, "wx1", "b", now).await);
    assert_eq!(saved(&*nodes.b).await.unwrap().sealed, b"one", "a lease leaves the token in place");
}

pub async fn a_released_lease_is_free(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    assert!(lease(&*nodes.a, "wx1", "a", now).await);
    nodes.a.release_platform_token(&name("wx1"), "a").await.unwrap();
    assert!(lease(&*nodes.b, "wx1", "b", now).await);
}

pub async fn nobody_releases_anothers_lease(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    nodes.b.release_platform_token(&name("wx1"), "b").await.unwrap();
    assert!(lease(&*nodes.a, "wx1", "a", now).await);
    nodes.b.release_platform_token(&name("wx1"), "b").await.unwrap();
    assert!(!lease(&*nodes.b, "wx1", "b", now).await);
}

pub async fn an_expired_token_is_still_told(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    assert!(lease(&*nodes.a, "wx1", "a", now).await);
    assert_eq!(
        nodes.a.save_platform_token(&name("wx1"), b"old", now - LEASE, "a", now).await.unwrap(),
        Some(1)
    );
    assert_eq!(saved(&*nodes.b).await.unwrap().expires_at, now - LEASE);
}

pub async fn sec_23_two_apps_do_not_meet(nodes: Nodes<dyn PlatformTokens>) {
    let now = World::default().now;
    assert!(lease(&*nodes.a, "wx1", "a", now).await);
    assert!(lease(&*nodes.b, "WX1", "b", now).await, "names are compared byte for byte");
    assert_eq!(save(&*nodes.a, b"one", "a", now).await, Some(1));
    assert_eq!(nodes.a.platform_token(&name("WX1")).await.unwrap(), None);
}
