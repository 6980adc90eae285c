//! The suites on one Redis server, and what happens when it is stopped, paused, flushed or cut off.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod engines;

use std::time::Duration;

use engines::redis::private::{SOON, Server, eventually};
use engines::redis::{node, suites};
use mashang_login::ambient::SystemEntropy;
use mashang_login::handshake::{Claim, Claimant};
use mashang_login::records::StoreError;
use mashang_login::ticket::{Lifetimes, Ticket};
use mashang_login::tickets::{Advance, Handshakes, Tickets};
use mashang_store::conformance::fixtures::World;
use mashang_store::redis::{RedisOptions, RedisTickets};
use tokio::time::{Instant, timeout};

suites!("MASHANG_TEST_REDIS");

fn scanned(world: &World, ticket: &Ticket) -> Ticket {
    ticket.scan(world.proof("wx1", "o1"), world.hash(), world.now, &Lifetimes::default()).unwrap()
}

/// An answer of the engine while Redis is away: unavailable, and told in time.
async fn is_refused_in_time(engine: &RedisTickets, ticket: &Ticket, world: &World) {
    let begun = Instant::now();
    let answer = engine.get(&ticket.scan_code, world.now).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_watcher_wakes_after_the_connection_was_cut() {
    let server = Server::start(&[]).await;
    let (world, engine) = (World::default(), node(&server.url(), "x", 10).await);
    let other = node(&server.url(), "x", 10).await;
    let ticket = world.ticket();
    engine.create(&ticket, world.now).await.unwrap();
    let mut watch = engine.watch(&ticket.scan_code).await.unwrap();
    for kind in ["pubsub", "normal"] {
        server.ask(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"]).await.unwrap();
    }
    let next = scanned(&world, &ticket);
    eventually(async || {
        matches!(other.advance(&ticket, &next, world.now).await, Ok(Advance::Won | Advance::Lost))
    })
    .await;
    timeout(Duration::from_secs(8), watch.changed()).await.expect("sooner than by polling");
    eventually(
        async || matches!(engine.get(&ticket.scan_code, world.now).await, Ok(Some(seen)) if seen == next),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_9_a_paused_server_is_told_in_time_and_used_again_afterwards() {
    let server = Server::start(&[]).await;
    let (world, engine) = (World::default(), node(&server.url(), "x", 10).await);
    let ticket = world.ticket();
    engine.create(&ticket, world.now).await.unwrap();
    server.ask(&["CLIENT", "PAUSE", "5000", "ALL"]).await.unwrap();
    is_refused_in_time(&engine, &ticket, &world).await;
    is_refused_in_time(&engine, &ticket, &world).await;
    eventually(async || engine.get(&ticket.scan_code, world.now).await.is_ok()).await;
    assert_eq!(engine.get(&ticket.scan_code, world.now).await.unwrap(), Some(ticket));
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_9_a_server_that_became_a_replica_wakes_nobody_until_it_takes_writes_again() {
    let (server, other) = (Server::start(&[]).await, Server::start(&[]).await);
    let (world, engine) = (World::default(), node(&server.url(), "x", 10).await);
    let ticket = world.ticket();
    engine.create(&ticket, world.now).await.unwrap();
    let mut watch = engine.watch(&ticket.scan_code).await.unwrap();
    server.ask(&["REPLICAOF", "127.0.0.1", &other.port.to_string()]).await.unwrap();
    // The second waits for a connection that is not handed out.
    for _ in 0..2 {
        let begun = Instant::now();
        let answer = engine.advance(&ticket, &scanned(&world, &ticket), world.now).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
    }
    assert!(timeout(Duration::ZERO, watch.changed()).await.is_err(), "there is nothing to read there");
    server.ask(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    eventually(async || engine.create(&world.ticket(), world.now).await.is_ok()).await;
    timeout(Duration::from_secs(8), watch.changed()).await.expect("sooner than by polling");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_9_a_server_that_does_not_say_what_it_is_is_connected_to_again_without_haste() {
    let (server, other) = (Server::start(&[]).await, Server::start(&[]).await);
    let user = "ACL SETUSER mashang on >word ~x:* &x:* +@all -role";
    server.ask(&user.split(' ').collect::<Vec<_>>()).await.unwrap();
    let url = format!("redis://mashang:word@127.0.0.1:{}", server.port);
    let (world, engine) = (World::default(), node(&url, "x", 10).await);
    server.ask(&["REPLICAOF", "127.0.0.1", &other.port.to_string()]).await.unwrap();
    let beside = redis::Client::open(server.url()).unwrap();
    let mut beside = beside.get_multiplexed_async_connection().await.unwrap();
    let mut connections = async || {
        let told: String = redis::cmd("INFO").arg("stats").query_async(&mut beside).await.unwrap();
        let line = told.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        line.expect("it counts").trim().parse::<u64>().unwrap()
    };
    let (before, begun) = (connections().await, Instant::now());
    while connections().await < before + 5 {
        assert!(engine.create(&world.ticket(), world.now).await.is_err(), "it takes no writes");
    }
    assert!(
        begun.elapsed() > Duration::from_millis(750),
        "after 50, 100, 200, 400 ms: {:?}",
        begun.elapsed()
    );
    server.ask(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    eventually(async || engine.create(&world.ticket(), world.now).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_a_server_that_restarts_empty_ends_open_scans_and_lets_nobody_in() {
    let mut server = Server::start(&[]).await;
    let (world, engine) = (World::default(), node(&server.url(), "x", 10).await);
    let ticket = world.ticket();
    engine.create(&ticket, world.now).await.unwrap();
    let mut watch = engine.watch(&ticket.scan_code).await.unwrap();
    server.kill();
    is_refused_in_time(&engine, &ticket, &world).await;
    is_refused_in_time(&engine, &ticket, &world).await;
    server.restart().await;
    timeout(SOON, watch.changed()).await.expect("whoever waits learns that it is over");
    eventually(async || matches!(engine.get(&ticket.scan_code, world.now).await, Ok(None))).await;
    let next = scanned(&world, &ticket);
    assert_eq!(engine.advance(&ticket, &next, world.now).await.unwrap(), Advance::Lost);
    engine.create(&world.ticket(), world.now).await.expect("a fresh QR");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_after_a_flush_nothing_is_known_and_nothing_succeeds() {
    let server = Server::start(&[]).await;
    let (world, engine) = (World::default(), node(&server.url(), "x", 10).await);
    let (ticket, trip, challenge) = (world.ticket(), world.handshake(), world.challenge());
    engine.create(&ticket, world.now).await.unwrap();
    engine.begin(&trip, world.now).await.unwrap();
    let challenges: &dyn mashang_login::challenge::Challenges = &engine;
    challenges.put(&challenge, world.now).await.unwrap();
    for flush in [&["FLUSHALL"][..], &["SCRIPT", "FLUSH"]] {
        server.ask(flush).await.unwrap();
    }
    let next = scanned(&world, &ticket);
    assert_eq!(engine.advance(&ticket, &next, world.now).await.unwrap(), Advance::Lost);
    let claimant = Claimant { state: trip.state, channel: &trip.channel, devices: &[trip.device] };
    assert_eq!(engine.claim(&claimant, world.now).await.unwrap(), Claim::Unknown);
    assert_eq!(challenges.attempt(&challenge.id, world.now).await.unwrap(), None);
    assert_eq!(challenges.take(&challenge.id, world.now).await.unwrap(), None);
    engine.create(&ticket, world.now).await.unwrap();
    assert_eq!(engine.advance(&ticket, &next, world.now).await.unwrap(), Advance::Won);
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_16_a_server_whose_memory_is_full_is_overloaded_and_pushes_nothing_out() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]).await;
    let (world, engine) = (World::default(), node(&server.url(), "x", 10).await);
    let ticket = world.ticket();
    engine.create(&ticket, world.now).await.unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    let answer = engine.create(&world.ticket(), world.now).await;
    assert!(matches!(answer, Err(StoreError::Overloaded)), "{answer:?}");
    assert_eq!(engine.get(&ticket.scan_code, world.now).await.unwrap(), Some(ticket));
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_10_a_refused_password_is_not_told() {
    let server = Server::start(&["--requirepass", "the-right-one"]).await;
    let url = format!("redis://:hunter2@127.0.0.1:{}", server.port);
    let refused = RedisTickets::connect(url.parse().unwrap(), RedisOptions::default(), &SystemEntropy).await;
    let error = refused.unwrap_err();
    let mut told = format!("{error:?} {error}");
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        told += &format!(" {error}");
        source = error.source();
    }
    assert!(told.contains("127.0.0.1") && !told.contains("hunter2"), "{told}");
    let right = format!("redis://:the-right-one@127.0.0.1:{}", server.port);
    node(&right, "x", 10).await;
}

/// The suites as a user who may do what the manual says, and nothing else.
mod as_the_user_of_the_manual {
    use std::sync::Arc;

    use mashang_store::conformance::Nodes;
    use mashang_store::redis::RedisTickets;

    use super::{Server, node};

    const MANUALS: [&str; 2] = ["operating.md", "operating.zh-CN.md"];

    /// The words between `~mashang:*` and the closing backtick, the same in both languages.
    fn rights() -> Vec<String> {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let [english, chinese] = MANUALS.map(|name| {
            let manual = std::fs::read_to_string(docs.join(name)).unwrap();
            let start = manual.find("`~mashang:* ").expect("the manual names the rights") + 1;
            let rights = &manual[start..];
            rights[..rights.find('`').unwrap()].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        });
        assert_eq!(english, chinese);
        english
    }

    /// A server that knows the user.
    async fn server() -> Server {
        let server = Server::start(&[]).await;
        let rights = rights();
        let user = ["ACL", "SETUSER", "mashang", "reset", "on", ">word"].into_iter();
        let user: Vec<&str> = user.chain(rights.iter().map(String::as_str)).collect();
        server.ask(&user).await.unwrap();
        server
    }

    /// Two nodes on a server of their own, whose other users are none of their business.
    async fn nodes<T: ?Sized>(ceiling: usize, share: impl Fn(RedisTickets) -> Arc<T>) -> Nodes<T> {
        let server = server().await;
        let url = format!("redis://mashang:word@127.0.0.1:{}", server.port);
        let (a, b) = (node(&url, "mashang", ceiling).await, node(&url, "mashang", ceiling).await);
        Nodes::new(share(a), share(b), server)
    }

    crate::engines::redis::suites_over_nodes!();

    #[tokio::test]
    async fn it_may_not_empty_the_server_nor_read_what_others_keep_there() {
        let server = server().await;
        for question in [&["FLUSHALL"][..], &["KEYS", "*"], &["GET", "other"], &["CONFIG", "GET", "*"]] {
            let told = server.ask(&[&["ACL", "DRYRUN", "mashang"][..], question].concat()).await;
            assert!(
                format!("{told:?}").contains("no permission") || format!("{told:?}").contains("has no"),
                "{question:?}: {told:?}"
            );
        }
        let told = server.ask(&["ACL", "DRYRUN", "mashang", "GET", "mashang:t:{1}:x"]).await;
        assert!(format!("{told:?}").contains("Ok"), "{told:?}");
    }
}
