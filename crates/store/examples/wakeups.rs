//! What one transition costs in messages as nodes are added: `cargo run --release -p mashang-store --features conformance
//! --example wakeups -- redis://127.0.0.1:6379`, on a server that does nothing else.
//!
//! One node moves tickets, the last one waits for each. Printed for 1, 2 and 4 nodes: bytes that Redis sent per
//! transition, and how long it took from asking for the transition until the other node's watcher woke.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, run by hand")]

use std::time::Duration;

use mashang_login::ambient::SystemEntropy;
use mashang_login::ticket::Ticket;
use mashang_login::tickets::Tickets;
use mashang_store::conformance::fixtures::World;
use mashang_store::redis::{RedisOptions, RedisTickets};
use tokio::time::Instant;

const TRANSITIONS: u32 = 2_000;

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).expect("the address of a Redis server");
    println!("nodes  bytes sent per transition  p50 µs  p99 µs");
    for count in [1, 2, 4] {
        let mut nodes = Vec::new();
        for _ in 0..count {
            let options = RedisOptions { prefix: "wakeups:".into(), ..Default::default() };
            nodes.push(RedisTickets::connect(url.parse().unwrap(), options, &SystemEntropy).await.unwrap());
        }
        measure(&url, &nodes).await;
    }
}

async fn measure(url: &str, nodes: &[RedisTickets]) {
    let world = World::default();
    let (mover, waiter) = (&nodes[0], nodes.last().unwrap());
    let mut seen =
        Ticket { scan_code: mashang_login::ids::ScanCode::random(&SystemEntropy), ..world.ticket() };
    mover.create(&seen, world.now).await.unwrap();
    let mut watch = waiter.watch(&seen.scan_code).await.unwrap();
    let before = sent(url).await;
    let mut took = Vec::new();
    for _ in 0..TRANSITIONS {
        let next = Ticket { version: seen.version + 1, ..seen.clone() };
        let begun = Instant::now();
        mover.advance(&seen, &next, world.now).await.unwrap();
        watch.changed().await;
        took.push(begun.elapsed());
        seen = next;
    }
    let bytes = (sent(url).await - before) / u64::from(TRANSITIONS);
    took.sort_unstable();
    let at = |part: usize| took[took.len() * part / 100].as_micros();
    assert!(took[0] < Duration::from_secs(1), "woken, not polled");
    println!("{:5}  {bytes:25}  {:6}  {:6}", nodes.len(), at(50), at(99));
}

/// All that the server has sent so far, in bytes.
async fn sent(url: &str) -> u64 {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let stats: String = redis::cmd("INFO").arg("stats").query_async(&mut connection).await.unwrap();
    let line = stats.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:")).unwrap();
    line.trim().parse().unwrap()
}
