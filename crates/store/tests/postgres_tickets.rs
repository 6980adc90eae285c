//! The suites on PostgreSQL alone, each case in a database of its own.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod engines;
#[path = "server/proxy.rs"]
mod proxy;

use std::sync::Arc;
use std::time::Duration;

use engines::postgres::fresh_database;
use futures_util::FutureExt;
use mashang_login::Timestamp;
use mashang_login::challenge::Challenges;
use mashang_login::ids::ScanCode;
use mashang_login::records::StoreError;
use mashang_login::ticket::{Lifetimes, Ticket};
use mashang_login::tickets::{Handshakes, Tickets};
use mashang_store::conformance::Nodes;
use mashang_store::conformance::fixtures::World;
use mashang_store::memory::MemoryLimits;
use mashang_store::postgres::{PostgresOptions, PostgresTickets};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, timeout};

async fn node(url: &str, ceiling: usize) -> PostgresTickets {
    let limits = MemoryLimits {
        live_tickets: ceiling,
        live_handshakes: ceiling,
        provider_codes: ceiling,
        live_challenges: ceiling,
    };
    // A hundred connections in all, and forty tests at once.
    let options = PostgresOptions { limits, connections: 2 };
    PostgresTickets::connect(url, options).await.expect("PostgreSQL opens")
}

/// Two nodes on one fresh database.
async fn nodes<T: ?Sized>(ceiling: usize, share: impl Fn(PostgresTickets) -> Arc<T>) -> Nodes<T> {
    let url = fresh_database().await;
    let (a, b) = tokio::join!(node(&url, ceiling), node(&url, ceiling));
    Nodes::new(share(a), share(b), ())
}

mod tickets {
    use super::*;

    async fn nodes(ceiling: usize) -> Nodes<dyn Tickets> {
        super::nodes(ceiling, |node| Arc::new(node) as _).await
    }

    mashang_store::ticket_suite!(nodes);
}

mod handshakes {
    use super::*;

    async fn nodes(ceiling: usize) -> Nodes<dyn Handshakes> {
        super::nodes(ceiling, |node| Arc::new(node) as _).await
    }

    mashang_store::handshake_suite!(nodes);
}

mod challenges {
    use super::*;

    async fn nodes(ceiling: usize) -> Nodes<dyn Challenges> {
        super::nodes(ceiling, |node| Arc::new(node) as _).await
    }

    mashang_store::challenge_suite!(nodes);
}

mod counters {
    use super::*;

    async fn nodes(ceiling: usize) -> Nodes<dyn mashang_login::counters::Counters> {
        super::nodes(ceiling, |node| Arc::new(node) as _).await
    }

    mashang_store::counter_suite!(nodes);
}

async fn ticket_of(
    engine: &dyn Tickets,
    code: &ScanCode,
    now: Timestamp,
) -> Result<Option<Ticket>, StoreError> {
    engine.get(code, now).await
}

fn scanned(world: &World, ticket: &Ticket) -> Ticket {
    ticket.scan(world.proof("wx1", "o1"), world.hash(), world.now, &Lifetimes::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_watcher_wakes_after_every_connection_was_cut() {
    let url = fresh_database().await;
    let (world, engine, other) = (World::default(), node(&url, 10).await, node(&url, 10).await);
    let ticket = world.ticket();
    engine.create(&ticket, world.now).await.unwrap();
    let mut watch = engine.watch(&ticket.scan_code).await.unwrap();
    let mut beside = PgConnection::connect(&url).await.unwrap();
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()";
    sqlx::query(cut).execute(&mut beside).await.unwrap();
    let next = scanned(&world, &ticket);
    while other.advance(&ticket, &next, world.now).await.is_err() {}
    timeout(Duration::from_secs(8), watch.changed()).await.expect("sooner than by polling");
    let seen = loop {
        if let Ok(seen) = ticket_of(&engine, &ticket.scan_code, world.now).await {
            break seen;
        }
    };
    assert_eq!(seen, Some(next));
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_9_a_table_that_does_not_answer_is_told_in_time_and_used_again_afterwards() {
    let url = fresh_database().await;
    let (world, engine) = (World::default(), node(&url, 10).await);
    let ticket = world.ticket();
    engine.create(&ticket, world.now).await.unwrap();
    let mut beside = PgConnection::connect(&url).await.unwrap();
    let mut hold = beside.begin().await.unwrap();
    sqlx::query("lock table tickets in access exclusive mode").execute(&mut *hold).await.unwrap();
    let begun = Instant::now();
    let answer = ticket_of(&engine, &ticket.scan_code, world.now).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
    hold.rollback().await.unwrap();
    assert_eq!(ticket_of(&engine, &ticket.scan_code, world.now).await.unwrap(), Some(ticket));
}

/// A node with one connection, beside the one that listens.
async fn node_of_one(url: &str) -> PostgresTickets {
    let options = PostgresOptions { connections: 1, ..PostgresOptions::default() };
    PostgresTickets::connect(url, options).await.expect("PostgreSQL opens")
}

#[tokio::test]
async fn promise_9_a_caller_that_goes_away_frees_the_connection_though_its_question_is_not_answered() {
    let url = fresh_database().await;
    let (world, engine) = (World::default(), node_of_one(&url).await);
    let mut beside = PgConnection::connect(&url).await.unwrap();
    let mut hold = beside.begin().await.unwrap();
    sqlx::query("lock table tickets in access exclusive mode").execute(&mut *hold).await.unwrap();
    let ticket = world.ticket();
    let mut asking = Box::pin(ticket_of(&engine, &ticket.scan_code, world.now));
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'";
    let is_waiting = async {
        loop {
            assert!((&mut asking).now_or_never().is_none(), "the table is locked");
            if sqlx::query_as::<_, (i64,)>(waiting).fetch_one(&mut *hold).await.unwrap().0 > 0 {
                break;
            }
        }
    };
    timeout(Duration::from_secs(8), is_waiting).await.expect("the question has reached the server");
    drop(asking);
    let challenges: &dyn Challenges = &engine;
    let challenge = world.challenge();
    let freed = async { while challenges.put(&challenge, world.now).await.is_err() {} };
    timeout(Duration::from_secs(8), freed).await.expect("another question is answered, the lock still there");
    hold.rollback().await.unwrap();
}

#[tokio::test]
async fn promise_9_a_connection_that_leads_nowhere_when_it_goes_back_is_replaced() {
    let url = fresh_database().await;
    let server = url::Url::parse(&url).unwrap();
    let host = format!("{}:{}", server.host_str().unwrap(), server.port().unwrap());
    let proxy = proxy::Proxy::to(host.clone()).await;
    let engine = node_of_one(&url.replacen(&host, &proxy.address.to_string(), 1)).await;
    let (world, ticket) = (World::default(), World::default().ticket());
    engine.create(&ticket, world.now).await.unwrap();
    let get = async || ticket_of(&engine, &ticket.scan_code, world.now).await;
    let reached = async { while get().await.is_err() {} };
    timeout(Duration::from_secs(8), reached).await.expect("the network is well");
    // On one thread, so before the connection that has just answered says that it is well.
    proxy.forget_connections();
    let replaced = async { while get().await.is_err() {} };
    timeout(Duration::from_secs(8), replaced).await.expect("its place in the pool is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_long_ago_is_swept_and_what_lives_by_either_clock_is_not() {
    let url = fresh_database().await;
    let (world, engine) = (World::default(), node(&url, 10).await);
    let (old, live) = (world.ticket(), world.ticket());
    let live = Ticket { keep_until: world.after(3 * 3600), ..live };
    engine.create(&old, world.now).await.unwrap();
    engine.create(&live, world.now).await.unwrap();
    let mut beside = PgConnection::connect(&url).await.unwrap();
    let rows = async |beside: &mut PgConnection| {
        sqlx::query_as::<_, (i64,)>("select count(*) from tickets").fetch_one(beside).await.unwrap().0
    };
    assert_eq!(rows(&mut beside).await, 2);
    let trigger = Ticket { keep_until: world.after(3 * 3600), ..world.ticket() };
    engine.create(&trigger, world.after(2 * 3600)).await.unwrap();
    let swept = async { while rows(&mut beside).await != 2 {} };
    timeout(Duration::from_secs(10), swept).await.expect("the old one goes");
    assert!(ticket_of(&engine, &live.scan_code, world.now).await.unwrap().is_some());
}
