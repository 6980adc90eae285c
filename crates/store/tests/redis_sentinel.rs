//! The suites on a master that Sentinels watch.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod engines;

use engines::redis::private::{SOON, Server, eventually};
use engines::redis::{node, suites};
use mashang_login::ticket::{Lifetimes, Status, Ticket};
use mashang_login::tickets::{Advance, Tickets};
use mashang_store::conformance::fixtures::World;
use mashang_store::redis::RedisTickets;
use tokio::time::timeout;

suites!("MASHANG_TEST_REDIS_SENTINEL");

/// A master, its replica and a Sentinel, for one test alone.
async fn private_sentinel() -> (Server, Server, Server) {
    let master = Server::start(&["--repl-diskless-sync-delay", "0"]).await;
    let of = master.port.to_string();
    let replica = Server::start(&["--replicaof", "127.0.0.1", &of]).await;
    let sentinel = Server::sentinel(master.port).await;
    eventually(async || {
        let known = sentinel.ask(&["SENTINEL", "REPLICAS", "mashang"]).await;
        let linked = replica.ask(&["INFO", "replication"]).await;
        let told = format!("{linked:?}");
        matches!(known, Ok(redis::Value::Array(all)) if !all.is_empty())
            && told.contains("master_link_status:up")
    })
    .await;
    (master, replica, sentinel)
}

async fn two_nodes(sentinel: &Server) -> (RedisTickets, RedisTickets) {
    let url = format!("redis+sentinel://127.0.0.1:{}/mashang", sentinel.port);
    (node(&url, "x", 100).await, node(&url, "x", 100).await)
}

/// A fresh ticket, once the replica has it too.
async fn known_to_the_replica(engine: &RedisTickets, replica: &Server, world: &World) -> Ticket {
    let ticket = world.ticket();
    engine.create(&ticket, world.now).await.unwrap();
    eventually(async || {
        let keys = replica.ask(&["KEYS", "x:t:*"]).await;
        matches!(keys, Ok(redis::Value::Array(keys)) if keys.len() == 1)
    })
    .await;
    ticket
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_a_failover_is_followed_and_waiting_browsers_are_woken() {
    let (_master, replica, sentinel) = private_sentinel().await;
    let (a, b) = two_nodes(&sentinel).await;
    let world = World::default();
    let ticket = known_to_the_replica(&a, &replica, &world).await;
    let mut watch = b.watch(&ticket.scan_code).await.unwrap();
    eventually(async || sentinel.ask(&["SENTINEL", "FAILOVER", "mashang"]).await.is_ok()).await;
    eventually(async || {
        format!("{:?}", replica.ask(&["ROLE"]).await).contains("master")
            && !format!("{:?}", replica.ask(&["INFO", "replication"]).await).contains("role:slave")
    })
    .await;

    let next = Ticket { version: 1, ..ticket.clone() };
    eventually(async || a.advance(&ticket, &next, world.now).await.is_ok()).await;
    timeout(SOON, watch.changed()).await.expect("the watcher wakes");
    eventually(
        async || matches!(b.get(&ticket.scan_code, world.now).await, Ok(Some(seen)) if seen.version == 1),
    )
    .await;
    let answer = replica.ask(&["KEYS", "x:t:*"]).await.unwrap();
    assert!(matches!(answer, redis::Value::Array(keys) if keys.len() == 1), "both are at the new master");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_3_a_transition_that_a_replica_never_heard_of_may_be_decided_again_but_only_once() {
    let (master, replica, sentinel) = private_sentinel().await;
    let (a, b) = two_nodes(&sentinel).await;
    let world = World::default();
    let ticket = known_to_the_replica(&a, &replica, &world).await;
    // The replica stops listening, the master goes on, and the replica takes over as it was.
    replica.ask(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    let scanned =
        ticket.scan(world.proof("wx1", "o1"), world.hash(), world.now, &Lifetimes::default()).unwrap();
    assert_eq!(a.advance(&ticket, &scanned, world.now).await.unwrap(), Advance::Won);
    drop(master);
    let promoted = node(&replica.url(), "x", 100).await;
    let seen = promoted.get(&ticket.scan_code, world.now).await.unwrap().unwrap();
    assert_eq!(seen.status(world.now), Status::Waiting, "the scan is forgotten: nothing was let in");
    let again =
        ticket.scan(world.proof("wx1", "o2"), world.hash(), world.now, &Lifetimes::default()).unwrap();
    let other = node(&replica.url(), "x", 100).await;
    let answers =
        tokio::join!(promoted.advance(&seen, &again, world.now), other.advance(&seen, &scanned, world.now),);
    let won =
        [answers.0.unwrap(), answers.1.unwrap()].into_iter().filter(|answer| *answer == Advance::Won).count();
    assert_eq!(won, 1);
    drop(b);
}
