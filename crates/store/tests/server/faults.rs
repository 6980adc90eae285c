//! What a server, or the way to it, can do to a node.

use std::time::Duration;

use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::credentials::{AddPasskey, Credentials, NewUser};
use mashang_login::records::{Fulfilled, Records, StoreError};
use mashang_store::conformance::fixtures::World;
use mashang_store::sql::{OpenError, SqlOptions, SqlRecords, Tables};
use tokio::time::Instant;

use super::proxy::{Network, Proxy};
use super::{Database, Server, options};

/// Little patience, so that tests need none.
fn impatient() -> SqlOptions {
    SqlOptions { patience: Duration::from_secs(1), ..options() }
}

/// Reads and writes once.
async fn works(records: &SqlRecords) -> Result<(), StoreError> {
    records.clients().await?;
    records.check().await
}

pub async fn four_nodes_migrate_an_empty_database_at_once<S: Server>() {
    for _ in 0..3 {
        let database = Database::<S>::create().await;
        let (a, b, c, d) = tokio::join!(database.open(), database.open(), database.open(), database.open());
        for node in [a, b, c, d] {
            works(&node).await.unwrap();
        }
    }
}

pub async fn a_newer_schema_is_refused_and_left_alone<S: Server>() {
    let database = Database::<S>::create().await;
    database.open().await;
    let future = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                  values (9000, 'from the future', true, 'x', 0)";
    S::administer(&database.url, future.to_owned()).await;
    let error = SqlRecords::connect(&database.url, options()).await.unwrap_err();
    assert!(matches!(error, OpenError::NewerSchema { found: 9000, known: 1..9000 }), "{error:?}");
}

pub async fn a_newer_schema_that_says_it_works_with_this_version_is_served<S: Server>() {
    let database = Database::<S>::create().await;
    let old = database.open().await;
    for sql in [
        "alter table users add column from_the_future bigint",
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         values (9000, 'from the future', true, 'x', 0)",
        "insert into schema_compatibility (migration, works_from) values (9000, 7)",
    ] {
        S::administer(&database.url, sql.to_owned()).await;
    }
    let world = World::default();
    // One that was running while the other version came, and one that starts afterwards.
    for (n, node) in [old, database.open().await].into_iter().enumerate() {
        let client = world.client("site");
        node.save_client(&client).await.unwrap();
        let grant = world.grant(&client);
        node.begin_grant(&grant).await.unwrap();
        let login = world.approval(&grant, world.proof("wx1", &format!("openid-{n}")));
        let done = node.fulfil_grant(&login, world.now).await.unwrap();
        assert!(matches!(done, Fulfilled::Done { created: true, .. }), "{done:?}");
    }
}

pub async fn tables_are_made_and_changed_only_by_who_is_asked_to<S: Server>() {
    let database = Database::<S>::create().await;
    let with = |tables| SqlRecords::connect(&database.url, SqlOptions { tables, ..options() });
    let refused = with(Tables::AsTheyAre).await.unwrap_err();
    assert!(matches!(refused, OpenError::NoTables), "{refused:?}");
    S::administer(&database.url, "create table songs (name varchar(10))".to_owned()).await;
    let refused = with(Tables::MadeIfNone).await.unwrap_err();
    assert!(matches!(refused, OpenError::OthersTables), "{refused:?}");
    S::administer(&database.url, "drop table songs".to_owned()).await;

    let (found, newest) = S::make_older(&database.url).await;
    for tables in [Tables::AsTheyAre, Tables::MadeIfNone] {
        let refused = with(tables).await.unwrap_err();
        assert!(matches!(refused, OpenError::OlderSchema { .. }), "{refused:?}");
    }
    let looked = SqlRecords::look(&database.url).await.unwrap();
    assert_eq!((looked.schema, looked.pending.len(), looked.pending[0].0), (found, 1, newest));
    with(Tables::BroughtUpToDate).await.unwrap();
    works(&with(Tables::AsTheyAre).await.unwrap()).await.unwrap();
}

pub async fn a_table_that_somebody_reads_is_waited_for_and_others_pass_meanwhile<S: Server>() {
    let database = Database::<S>::create().await;
    let (_, newest) = S::make_older(&database.url).await;
    let holder = S::hold(&database.url).await;
    let url = database.url.clone();
    let migrating = tokio::spawn(async move { SqlRecords::migrate(&url).await });
    // It tries, and lets go again although nothing has changed.
    let in_time = tokio::time::timeout(Duration::from_secs(60), async {
        while S::waiting(&database.url).await == 0 {}
        while S::waiting(&database.url).await > 0 {}
    });
    in_time.await.expect("who waits for a table keeps all others waiting");
    assert!(!migrating.is_finished());
    drop(holder);
    assert_eq!(migrating.await.unwrap().unwrap().schema, newest);
}

pub async fn promise_9_killed_connections_come_back_without_a_restart<S: Server>() {
    let database = Database::<S>::create().await;
    let records = database.open().await;
    let world = World::default();
    for round in 0..3 {
        let client = world.client(&format!("site-{round}"));
        // Every connection of both pools is there, and then gone.
        let busy = futures_util::future::join_all((0..12).map(|_| works(&records))).await;
        busy.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
        S::kill_connections(&database.admin, &database.name).await;
        assert_eq!(records.client(&client.id).await.unwrap(), None);
        records.save_client(&client).await.unwrap();
        assert_eq!(records.client(&client.id).await.unwrap(), Some(client));
    }
}

pub async fn promise_9_a_frozen_server_is_unavailable_in_time_and_comes_back<S: Server>() {
    let database = Database::<S>::create().await;
    let proxy = Proxy::to(database.host()).await;
    let records = SqlRecords::connect(&database.url_by(proxy.address), impatient()).await.unwrap();
    works(&records).await.unwrap();

    proxy.set(Network::Frozen);
    let began = Instant::now();
    let (read, written) = tokio::join!(records.clients(), records.check());
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());

    proxy.set(Network::Works);
    let answers = futures_util::future::join_all((0..12).map(|_| works(&records))).await;
    answers.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
}

pub async fn promise_9_connections_that_lead_nowhere_are_replaced<S: Server>() {
    let database = Database::<S>::create().await;
    let proxy = Proxy::to(database.host()).await;
    // A connection made anew takes its time where hundreds of other tests do the same.
    let patient = SqlOptions { patience: Duration::from_secs(8), ..options() };
    let records = SqlRecords::connect(&database.url_by(proxy.address), patient).await.unwrap();
    let busy = futures_util::future::join_all((0..12).map(|_| works(&records))).await;
    busy.into_iter().collect::<Result<Vec<_>, _>>().unwrap();

    proxy.forget_connections();
    assert!(works(&records).await.is_err(), "somebody has to notice");
    // Whoever comes next finds each of them out in a second, and several at once; on a busy machine fewer.
    let mut answer = works(&records).await;
    for _ in 0..16 {
        if answer.is_ok() {
            break;
        }
        answer = works(&records).await;
    }
    answer.unwrap();
}

pub async fn promise_9_an_unanswered_commit_is_told_as_unknown_and_not_done_twice<S: Server>() {
    let database = Database::<S>::create().await;
    let proxy = Proxy::to(database.host()).await;
    let records = SqlRecords::connect(&database.url_by(proxy.address), options()).await.unwrap();
    works(&records).await.unwrap();

    proxy.set(Network::CutsAtCommit);
    let event = AuditEvent::new(World::default().now, AuditKind::SignedIn);
    let error = records.record(&event).await.unwrap_err();
    let StoreError::Unavailable(why) = &error else { panic!("{error:?}") };
    assert!(why.to_string().contains("unknown"), "{why}");
    proxy.set(Network::Works);
    assert_eq!(records.audit_trail(10).await.unwrap(), [event], "it was written, once");
    works(&records).await.unwrap();
}

pub async fn a_server_that_is_not_there_is_told_in_time<S: Server>() {
    let database = Database::<S>::create().await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = database.url_by(nobody.local_addr().unwrap());
    let error = SqlRecords::connect(&silent, impatient()).await.unwrap_err();
    assert!(matches!(error, OpenError::NoAnswer(_)), "{error:?}");
    drop(nobody);
    let began = Instant::now();
    let error = SqlRecords::connect(&silent, impatient()).await.unwrap_err();
    assert!(matches!(error, OpenError::NoAnswer(_) | OpenError::Server(_)), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

pub async fn no_password_is_in_an_error<S: Server>() {
    let database = Database::<S>::create().await;
    let mut url = url::Url::parse(&database.url).unwrap();
    url.set_username("nobody-of-this-name").unwrap();
    url.set_password(Some("hunter2")).unwrap();
    for address in [url.as_str(), &url.as_str().replace(&database.name, "no-such-database")] {
        let error = SqlRecords::connect(address, options()).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

pub async fn what_is_too_long_is_refused_and_not_cut<S: Server>() {
    let database = Database::<S>::create().await;
    let records = database.open().await;
    let world = World::default();
    let user = NewUser { id: "person".parse().unwrap(), nickname: Some("长".repeat(3000)) };
    let new = world.password(&user.id, "zhangsan");
    records.create_user_with_password(&user, &new, world.now).await.unwrap();
    let stored = records.user(&user.id).await.unwrap().unwrap();
    assert_eq!(stored.nickname, user.nickname, "a long name is no key");
    let mut passkey = world.passkey(&user.id);
    passkey.key.subject = "k".repeat(1364);
    let signed_in = world.fresh(world.proof_here(&new.key));
    records.begin_session(&signed_in, None, world.now).await.unwrap();
    let channel = "passkey".parse().unwrap();
    let added = records.add_passkey(&passkey, &channel, &signed_in.session.id, world.now).await;
    let found = records.passkey(&passkey.key).await.unwrap();
    assert_eq!(found.is_some(), matches!(added, Ok(AddPasskey::Done)), "{added:?}");
    assert!(found.is_none_or(|found| found.key == passkey.key));
}
