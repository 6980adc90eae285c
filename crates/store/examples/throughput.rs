//! How many logins a second the records carry: `cargo run --release -p mashang-store --example throughput -- sqlite:/tmp/x.db`.
//!
//! One login is `begin_grant`, `fulfil_grant`, `exchange_code` and two audit events, each acknowledged before the next.

use std::sync::Arc;

use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::records::{Fulfilled, Records, Spent};
use mashang_store::conformance::fixtures::World;
use mashang_store::sql::{SqlOptions, SqlRecords};
use tokio::time::Instant;

const LOGINS: usize = 4_000;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "printing is its purpose")]
async fn main() {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite::memory:".into());
    let records: Arc<dyn Records> =
        Arc::new(SqlRecords::connect(&url, SqlOptions::default()).await.expect("the database opens"));
    let world = Arc::new(World::default());
    records.save_client(&world.client("site")).await.expect("the client is saved");
    for people in [1, 8, 64, 256] {
        let begun = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for person in 0..people {
            let (records, world) = (Arc::clone(&records), Arc::clone(&world));
            tasks.spawn(async move {
                for _ in 0..LOGINS.min(people * 500) / people {
                    login(&*records, &world, person).await;
                }
            });
        }
        tasks.join_all().await;
        let logins = LOGINS.min(people * 500) / people * people;
        let seconds = begun.elapsed().as_secs_f64();
        println!("{people:>4} at a time: {:>6.0} logins/s", logins as f64 / seconds);
    }
}

async fn login(records: &dyn Records, world: &World, person: usize) {
    let grant = world.grant(&world.client("site"));
    records.begin_grant(&grant).await.expect("the grant is stored");
    let approval = world.approval(&grant, world.proof("wx1", &format!("openid-{person}")));
    let done = records.fulfil_grant(&approval, world.now).await.expect("the store answers");
    assert!(matches!(done, Fulfilled::Done { .. }));
    records.record(&AuditEvent::new(world.now, AuditKind::SignedIn)).await.expect("the event is stored");
    let spent = records.exchange_code(&approval.code, &world.tokens(), world.now).await.expect("it answers");
    assert_eq!(spent, Spent::Issued);
    records.record(&AuditEvent::new(world.now, AuditKind::TokensIssued)).await.expect("the event is stored");
}
