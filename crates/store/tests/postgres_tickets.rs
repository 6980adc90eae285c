//! The suites on PostgreSQL alone, each case in a database of its own.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod engines;

use std::sync::Arc;
use std::time::Duration;

use engines::postgres::fresh_database;
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
