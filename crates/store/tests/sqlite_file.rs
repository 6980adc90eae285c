//! What belongs to a database in a file: opening, upgrading, surviving, and what happens when it is damaged.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use mashang_login::accounts::{UnionNews, Unlinked};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::Client;
use mashang_login::credentials::{Credentials, NewUser};
use mashang_login::grant::Grant;
use mashang_login::identity::{ChannelKind, IdentityKey, Proof};
use mashang_login::records::{Fulfilled, Login, Records, StoreError};
use mashang_store::conformance::fixtures::World;
use mashang_store::sql::{Durability, OpenError, SqlOptions, SqlRecords};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlitePool};

fn url(path: &Path) -> String {
    format!("sqlite:{}?mode=rwc", path.display())
}

async fn open(path: &Path) -> Result<SqlRecords, OpenError> {
    SqlRecords::connect(&url(path), SqlOptions::default()).await
}

/// The kinds of the identities that are remembered as unlinked, in order.
async fn unlinked_kinds(path: &Path) -> Vec<String> {
    let pool = SqlitePool::connect(&url(path)).await.unwrap();
    let kinds = sqlx::query_scalar("select kind from unlinked_identities order by kind");
    let kinds = kinds.fetch_all(&pool).await.unwrap();
    pool.close().await;
    kinds
}

/// Changes the file behind the store's back.
async fn meddle(path: &Path, sql: &str) {
    let pool = SqlitePool::connect(&url(path)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn opening_creates_the_folder_and_a_file_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("var/lib/mashang.db");
    open(&path).await.unwrap().check().await.unwrap();
    #[cfg(unix)]
    for name in ["mashang.db", "mashang.db-wal"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = path.with_file_name(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn opening_again_finds_everything_and_migrates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let world = World::default();
    let client = world.client("site");
    open(&path).await.unwrap().save_client(&client).await.unwrap();
    for _ in 0..3 {
        let records = open(&path).await.unwrap();
        assert_eq!(records.client(&client.id).await.unwrap().as_ref(), Some(&client));
    }
}

#[tokio::test]
async fn a_database_of_the_first_version_keeps_its_people() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let first = include_str!("../migrations/sqlite/0001_init.sql");
    let mut migrator = Migrator::with_migrations(vec![Migration::new(
        1,
        "init".into(),
        MigrationType::Simple,
        first.into_sql_str(),
        false,
    )]);
    migrator.set_locking(false);
    let pool = SqlitePool::connect(&url(&path)).await.unwrap();
    migrator.run(&pool).await.unwrap();
    pool.close().await;
    meddle(
        &path,
        "insert into users (id, nickname, created_at, updated_at) values ('person', '小明', 1, 1); \
         insert into identities (kind, app, subject, user_id, channel, created_at, last_used_at) \
         values ('wechat-official', 'wx1', 'openid', 'person', 'wechat', 1, 1); \
         insert into users (id, created_at, updated_at) values ('twin', 1, 1); \
         insert into identities \
         (kind, app, subject, union_platform, unionid, user_id, channel, created_at, last_used_at) \
         values ('wechat-official', 'wx2', 'a', 'ours', 'shared', 'person', 'wechat', 1, 1), \
         ('wechat-official', 'wx3', 'b', 'ours', 'shared', 'twin', 'wechat', 1, 1)",
    )
    .await;

    let records = open(&path).await.unwrap();
    let world = World::default();
    let client = world.client("site");
    records.save_client(&client).await.unwrap();
    let grant = world.grant(&client);
    records.begin_grant(&grant).await.unwrap();
    let login = world.approval(&grant, world.proof("wx1", "openid"));
    let done = records.fulfil_grant(&login, world.now).await.unwrap();
    assert!(matches!(&done, Fulfilled::Done { user, .. } if user.id.as_str() == "person"), "{done:?}");

    // SEC-39: then a link could be of two people. It chooses neither, and is recorded for nobody else.
    let grant = world.grant(&client);
    records.begin_grant(&grant).await.unwrap();
    let proof = world.linked_proof("wx4", "c", "ours", "shared");
    let done = records.fulfil_grant(&world.approval(&grant, proof.clone()), world.now).await.unwrap();
    assert!(
        matches!(&done, Fulfilled::Done { created: true, union: Some(UnionNews::Clash { .. }), .. }),
        "{done:?}"
    );
    assert_eq!(records.identity(&proof.key).await.unwrap().unwrap().union, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_openers_of_one_fresh_file_all_succeed() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mashang.db");
        let mut openers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let path = path.clone();
            openers.spawn(async move { open(&path).await?.check().await.map(|()| true).or(Ok(false)) });
        }
        for opened in openers.join_all().await {
            assert!(opened.map_err(|error: OpenError| format!("{error:?}")).unwrap());
        }
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    open(&path).await.unwrap();
    meddle(
        &path,
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         values (9000, 'from the future', true, x'00', 0)",
    )
    .await;
    let error = open(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::NewerSchema { found: 9000, known: 1..9000 }), "{error:?}");
    assert!(error.to_string().contains("9000"));
}

#[tokio::test]
async fn a_newer_schema_that_says_it_works_with_this_version_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    open(&path).await.unwrap();
    meddle(
        &path,
        "alter table users add column from_the_future text; \
         insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         values (9000, 'from the future', true, x'00', 0); \
         insert into schema_compatibility (migration, works_from) values (9000, 7)",
    )
    .await;
    let records = open(&path).await.unwrap();
    let world = World::default();
    let client = world.client("site");
    records.save_client(&client).await.unwrap();
    let grant = world.grant(&client);
    records.begin_grant(&grant).await.unwrap();
    let login = world.approval(&grant, world.proof("wx1", "openid"));
    let done = records.fulfil_grant(&login, world.now).await.unwrap();
    assert!(matches!(done, Fulfilled::Done { created: true, .. }), "{done:?}");
    assert_eq!(SqlRecords::migrate(&url(&path)).await.unwrap().schema, 9000);
}

#[tokio::test]
async fn migrating_tells_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let first = SqlRecords::migrate(&url(&path)).await.unwrap();
    assert_eq!(first.applied[..2], [(1, "init".to_owned()), (2, "accounts".to_owned())]);
    assert_eq!(first.applied.last().unwrap().0, first.schema);
    let second = SqlRecords::migrate(&url(&path)).await.unwrap();
    assert_eq!((second.applied, second.schema), (Vec::new(), first.schema));
}

#[tokio::test]
async fn addresses_of_other_engines_are_refused_without_repeating_a_password() {
    for address in [
        "oracle://mashang:hunter2@db/mashang",
        "postgres://m:hunter2@db:port/m",
        "mysql://m:hunter2@db:port/m",
        "hunter2",
        "",
    ] {
        let error = SqlRecords::connect(address, SqlOptions::default()).await.unwrap_err();
        assert!(matches!(error, OpenError::Address(_)), "{error:?}");
    }
    let error =
        SqlRecords::connect("postgres://mashang:hunter2@db/m", SqlOptions::default()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_folder_in_the_way_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = open(&folder.path().join("file/mashang.db")).await.unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
    assert!(open(folder.path()).await.is_err(), "a folder is no database");
    std::fs::write(folder.path().join("notes.txt"), "these are not the pages of a database".repeat(100))
        .unwrap();
    assert!(open(&folder.path().join("notes.txt")).await.is_err());
}

/// Somebody signs in to a website; who asked, and by which request.
async fn one_login(world: &World, records: &SqlRecords, proof: Proof) -> (Client, Grant) {
    let client = world.client("site");
    records.save_client(&client).await.unwrap();
    let grant = world.grant(&client);
    records.begin_grant(&grant).await.unwrap();
    let done = records.fulfil_grant(&world.approval(&grant, proof), world.now).await.unwrap();
    assert!(matches!(done, Fulfilled::Done { .. }));
    (client, grant)
}

#[tokio::test]
async fn a_corrupt_row_names_its_table_and_key_and_nothing_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let world = World::default();
    let records = open(&path).await.unwrap();
    let proof = world.proof("wx1", "oLongAndSecretOpenid");
    let (client, grant) = one_login(&world, &records, proof.clone()).await;

    meddle(
        &path,
        "update clients set redirect_uris = '{\"not\": \"a list\"'; update grants set stage = 'floating'; \
         update identities set created_at = 9223372036854775807",
    )
    .await;
    let error = records.client(&client.id).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Corrupt { table: "clients", key, what } if key == "site" && what.contains("redirect_uris")),
        "{error:?}"
    );
    let error = records.grant(&grant.id).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Corrupt { table: "grants", key, .. } if key == grant.id.as_str()),
        "{error:?}"
    );
    let error = records.identity(&proof.key).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { table: "identities", .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("SecretOpenid"), "promise 10: {error}");
}

#[tokio::test]
async fn sec_90_of_unlinked_identities_only_those_of_wechat_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let records = open(&path).await.unwrap();
    let world = World::default();
    one_login(&world, &records, world.proof("wx1", "openid")).await;
    let user = records.users("", 1).await.unwrap().remove(0).id;
    for kind in ChannelKind::ALL {
        let insert = format!(
            "insert into identities (kind, app, subject, user_id, channel, created_at, last_used_at) \
             values ('{}', 'app', 'subject', '{user}', 'some', 1, 1)",
            kind.as_str()
        );
        meddle(&path, &insert).await;
        let key = IdentityKey { kind, app: "app".into(), subject: "subject".into() };
        let unlinked = records.unlink_identity(&user, &key, world.now).await.unwrap();
        assert_eq!(unlinked, Unlinked::Done, "{kind:?}");
    }
    let of_wechat = ["wechat-mini", "wechat-official", "wechat-open"];
    assert_eq!(unlinked_kinds(&path).await, of_wechat);

    // What a version before remembered goes.
    for kind in ChannelKind::ALL {
        let row = format!(
            "insert into unlinked_identities values ('{}', 'app', 'former', '{user}', 1)",
            kind.as_str()
        );
        meddle(&path, &row).await;
    }
    let migration = include_str!("../migrations/sqlite/0013_unlinked_wechat.sql");
    meddle(&path, migration.split("insert into").next().unwrap()).await;
    assert_eq!(unlinked_kinds(&path).await, of_wechat.map(|kind| [kind, kind]).concat());
}

#[tokio::test]
async fn what_a_website_left_by_refreshing_for_months_is_swept_in_rounds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let world = World::default();
    let records = open(&path).await.unwrap();
    one_login(&world, &records, world.proof("wx1", "oOpenid")).await;
    meddle(
        &path,
        "insert into refresh_tokens (token, family_id, expires_at, spent_at) \
         with recursive times (n) as (select 1 union all select n + 1 from times where n < 2500) \
         select 'token ' || n, id, 1, 1 from families, times",
    )
    .await;
    let gone = records.sweep(world.after(400 * 24 * 3600)).await.unwrap();
    assert!(gone > 2500, "{gone}");
    let pool = SqlitePool::connect(&url(&path)).await.unwrap();
    let left = "select (select count(*) from refresh_tokens) + (select count(*) from families)";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&pool).await.unwrap(), 0);
}

#[tokio::test]
async fn a_corrupt_password_or_passkey_is_told_without_name_hash_or_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let world = World::default();
    let records = open(&path).await.unwrap();
    let user = NewUser { id: "person".parse().unwrap(), nickname: None };
    let new = world.password(&user.id, "zhangsan");
    records.create_user_with_password(&user, &new, world.now).await.unwrap();
    let passkey = world.passkey(&user.id);
    let signed_in = world.fresh(world.proof_here(&new.key));
    records.begin_session(&signed_in, None, world.now).await.unwrap();
    let channel = "passkey".parse().unwrap();
    records.add_passkey(&passkey, &channel, &signed_in.session.id, world.now).await.unwrap();

    meddle(
        &path,
        "update passwords set hash = 'TheWordItself'; update passkeys set created_at = 9223372036854775807",
    )
    .await;
    let password = records.password_by_username(&new.username).await.unwrap_err();
    assert!(matches!(&password, StoreError::Corrupt { table: "passwords", .. }), "{password:?}");
    let key = records.passkey(&passkey.key).await.unwrap_err();
    assert!(matches!(&key, StoreError::Corrupt { table: "passkeys", .. }), "{key:?}");
    let told = format!("{password} {password:?} {key} {key:?}");
    for secret in ["TheWordItself", "zhangsan", new.key.subject.as_str(), passkey.key.subject.as_str()] {
        assert!(!told.contains(secret), "promise 10: {told}");
    }
}

#[tokio::test]
async fn a_failed_intention_leaves_its_neighbours_in_the_same_commit() {
    let folder = tempfile::tempdir().unwrap();
    let records = open(&folder.path().join("mashang.db")).await.unwrap();
    let world = World::default();
    let client = world.client("site");
    let grants: Vec<_> = (0..20).map(|_| world.grant(&client)).collect();
    // On one thread all forty queue up before the writer runs: every second one is a duplicate.
    let mut tasks = tokio::task::JoinSet::new();
    for grant in grants.iter().flat_map(|grant| [grant.clone(), grant.clone()]) {
        let records = records.clone();
        tasks.spawn(async move { records.begin_grant(&grant).await });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 20);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(StoreError::Conflict))).count(), 20);
    for grant in grants {
        assert_eq!(records.grant(&grant.id).await.unwrap(), Some(grant));
    }
}

#[tokio::test]
async fn promise_8_what_cannot_be_told_in_the_trail_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let (records, world) = (open(&path).await.unwrap(), World::default());
    let client = world.client("site");
    records.save_client(&client).await.unwrap();
    let grant = world.grant(&client);
    records.begin_grant(&grant).await.unwrap();
    let approval = world.approval(&grant, world.proof("wx1", "openid"));
    let Login::Fresh(login) = &approval.login else { unreachable!("an approval is fresh") };
    let refuse = "create trigger refuse before insert on audit_events begin select raise(abort, 'full'); end";
    meddle(&path, refuse).await;
    let answer = records.fulfil_grant(&approval, world.now).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert_eq!(records.session(&login.session.secret, world.now).await.unwrap(), None);
    assert_eq!(records.user(&login.new_user).await.unwrap(), None);

    meddle(&path, "drop trigger refuse").await;
    let done = records.fulfil_grant(&approval, world.now).await.unwrap();
    assert!(matches!(done, Fulfilled::Done { created: true, .. }), "the grant was still open: {done:?}");
    meddle(&path, refuse).await;
    let tokens = world.tokens();
    let answer = records.exchange_code(&approval.code, &tokens, world.now).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert_eq!(records.bearer(&tokens.access, world.now).await.unwrap(), None);
    assert_eq!(records.code(&approval.code).await.unwrap().unwrap().spent_at, None);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_interrupt_its_intention() {
    let folder = tempfile::tempdir().unwrap();
    let records = open(&folder.path().join("mashang.db")).await.unwrap();
    let world = World::default();
    let grant = world.grant(&world.client("site"));
    tokio::select! {
        biased;
        _ = records.begin_grant(&grant) => panic!("it cannot be done at the first poll"),
        () = std::future::ready(()) => {}
    }
    // The queue is in order: when this is answered, the one before it is done.
    records.check().await.unwrap();
    assert_eq!(records.grant(&grant.id).await.unwrap(), Some(grant));
}

#[tokio::test]
async fn promise_9_a_locked_database_is_unavailable_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let impatient = SqlOptions { busy_timeout: Duration::from_millis(50), ..SqlOptions::default() };
    let records = SqlRecords::connect(&url(&path), impatient).await.unwrap();
    let world = World::default();
    let grant = world.grant(&world.client("site"));

    let other = SqlitePool::connect(&url(&path)).await.unwrap();
    let lock = other.begin_with("begin immediate").await.unwrap();
    let answer = records.begin_grant(&grant).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(records.check().await.is_err());
    assert_eq!(records.grant(&grant.id).await.unwrap(), None, "reading goes on");
    lock.rollback().await.unwrap();

    records.begin_grant(&grant).await.unwrap();
    records.check().await.unwrap();
}

#[tokio::test]
async fn the_weaker_durability_works_too() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqlOptions { durability: Durability::Normal, ..SqlOptions::default() };
    let path = folder.path().join("mashang.db");
    SqlRecords::connect(&url(&path), options).await.unwrap().check().await.unwrap();
}

/// Where the process that is to be killed finds its database.
const VICTIM_DATABASE: &str = "MASHANG_TEST_VICTIM_DATABASE";

#[tokio::test]
async fn promise_8_kill_9_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_killed", "--ignored", "--nocapture"])
        .env(VICTIM_DATABASE, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut acknowledged: Vec<String> =
        lines.filter_map(|line| line.strip_prefix("done ").map(str::to_owned)).take(300).collect();
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(acknowledged.len(), 300);

    let records = open(&path).await.unwrap();
    let mut stored: Vec<String> =
        records.audit_trail(u32::MAX).await.unwrap().into_iter().filter_map(|event| event.ticket).collect();
    stored.sort();
    stored.dedup();
    acknowledged.retain(|ticket| stored.binary_search(ticket).is_err());
    assert_eq!(acknowledged, [] as [String; 0], "lost");
    records.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the victim of promise_8_kill_9_loses_nothing_that_was_acknowledged"]
#[expect(clippy::disallowed_methods, reason = "the path comes from the test that starts this process")]
async fn writes_until_killed() {
    let Ok(path) = std::env::var(VICTIM_DATABASE) else { return };
    let records = open(Path::new(&path)).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let records = records.clone();
        writers.spawn(async move {
            for n in 0.. {
                let mut event = AuditEvent::new(World::default().now, AuditKind::SignedIn);
                event.ticket = Some(format!("{writer}-{n}"));
                records.record(&event).await.unwrap();
                println!("done {writer}-{n}");
            }
        });
    }
    writers.join_all().await;
}

/// What somebody who can write the file does to the trail is found, up to the newest checkpoint (SEC-78).
mod trail {
    use mashang_login::seal::{MasterKey, Sealer};
    use mashang_login::trail::{
        Checkpoint, Damage, MOST_COVERED, Numbered, Trail, Trimmed, Verified, cover, trim, verify,
    };

    use super::*;

    struct Archive {
        folder: tempfile::TempDir,
        records: SqlRecords,
        sealer: Sealer,
        world: World,
    }

    impl Archive {
        /// Records 1 to 3, 4 to 6 and 7 to 9 under a checkpoint each, and 10, newer than they are.
        async fn of_ten() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let records = open(&folder.path().join("mashang.db")).await.unwrap();
            let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
            let archive = Self { folder, records, sealer, world: World::default() };
            for n in 0..10 {
                let mut event = AuditEvent::new(archive.world.after(n), AuditKind::SignedIn);
                event.ticket = Some("abc123".into());
                event.client = Some("site".parse().unwrap());
                event.user = Some("person".parse().unwrap());
                event.other = Some("another".parse().unwrap());
                event.channel = Some("wechat".parse().unwrap());
                event.address = Some("203.0.113.7".into());
                event.device = Some("Chrome · Windows".into());
                archive.records.record(&event).await.unwrap();
            }
            for until in [3, 6, 9] {
                archive.cover(until).await;
            }
            archive
        }

        async fn cover(&self, until: i64) -> Checkpoint {
            cover(&self.records, &self.sealer, until).await.unwrap().expect("there is something to cover")
        }

        async fn verify(&self) -> Verified {
            verify(&self.records, &self.sealer, None).await.unwrap()
        }

        async fn trim(&self, horizon: mashang_login::Timestamp, most: u32) -> Result<u64, Damage> {
            trim(&self.records, &self.sealer, horizon, most).await.unwrap()
        }

        async fn damage_after(self, meddling: &str) -> Vec<Damage> {
            meddle(&self.folder.path().join("mashang.db"), meddling).await;
            self.verify().await.damage
        }
    }

    #[tokio::test]
    async fn sec_78_an_edited_record_is_found() {
        for edit in [
            "set at = at + 1",
            "set kind = 'signed_out'",
            "set kind = 'of_a_later_version'",
            "set ticket = 'abc124'",
            "set client_id = 'sites'",
            "set user_id = null",
            "set other_user_id = user_id, user_id = other_user_id",
            "set channel = 'wecom'",
            "set address = '203.0.113.8'",
            "set device = ''",
            "set device = null",
        ] {
            let damage = Archive::of_ten()
                .await
                .damage_after(&format!("update audit_events {edit} where seq = 5"))
                .await;
            assert_eq!(damage, [Damage::Changed { after: 3, last: 6 }], "{edit}");
        }
        let no_kind = "update audit_events set kind = 'Never happened' where seq = 5";
        let damage = Archive::of_ten().await.damage_after(no_kind).await;
        assert!(matches!(&damage[..], [Damage::Unreadable { after: 3, last: 6, .. }]), "{damage:?}");
    }

    #[tokio::test]
    async fn sec_78_a_removed_and_a_renumbered_record_is_found() {
        let removed = Archive::of_ten().await.damage_after("delete from audit_events where seq = 5").await;
        assert_eq!(removed, [Damage::Count { after: 3, last: 6, counted: 3, found: 2 }]);
        let last = Archive::of_ten().await.damage_after("delete from audit_events where seq = 9").await;
        assert_eq!(last, [Damage::Count { after: 6, last: 9, counted: 3, found: 2 }]);
        let swapped = "update audit_events set seq = 50 where seq = 4; update audit_events set seq = 4 where seq = 5; \
                       update audit_events set seq = 5 where seq = 50";
        let damage = Archive::of_ten().await.damage_after(swapped).await;
        assert_eq!(damage, [Damage::Changed { after: 3, last: 6 }]);
    }

    #[tokio::test]
    async fn sec_78_a_record_that_was_slipped_in_is_found() {
        let archive = Archive::of_ten().await;
        let slipped = "delete from audit_checkpoints; delete from audit_events where seq > 6; \
                       insert into audit_events (seq, at, kind) values (8, 1, 'signed_in')";
        // Gaps in the numbers are common: a write that failed takes its number along.
        meddle(&archive.folder.path().join("mashang.db"), slipped).await;
        archive.cover(8).await;
        assert_eq!(archive.verify().await.damage, []);
        let damage =
            archive.damage_after("insert into audit_events (seq, at, kind) values (7, 1, 'signed_in')").await;
        assert_eq!(damage, [Damage::Count { after: 0, last: 8, counted: 7, found: 8 }]);
    }

    #[tokio::test]
    async fn sec_78_a_missing_or_edited_checkpoint_is_found() {
        let missing = "delete from audit_checkpoints where after_seq = 3; delete from audit_events where seq in (4, 5, 6)";
        let damage = Archive::of_ten().await.damage_after(missing).await;
        assert_eq!(damage, [Damage::Gap { after: 3, next: 6 }]);
        let edited = "delete from audit_events where seq = 5; update audit_checkpoints set events = 2 where after_seq = 3";
        let damage = Archive::of_ten().await.damage_after(edited).await;
        assert_eq!(damage, [Damage::Changed { after: 3, last: 6 }]);
    }

    #[tokio::test]
    async fn sec_78_whoever_removes_the_beginning_or_the_end_is_found() {
        let beginning =
            "delete from audit_checkpoints where last_seq <= 6; delete from audit_events where seq <= 6";
        let damage = Archive::of_ten().await.damage_after(beginning).await;
        assert_eq!(damage, [Damage::Gap { after: 0, next: 6 }]);
        let forged = format!(
            "{beginning}; insert into audit_trimmed (id, last_seq, checkpoint, hash) \
             select 1, 6, previous, previous from audit_checkpoints where after_seq = 6"
        );
        let damage = Archive::of_ten().await.damage_after(&forged).await;
        assert_eq!(damage, [Damage::ForgedTrim { last: 6 }]);

        let archive = Archive::of_ten().await;
        let logged = archive.verify().await.newest.unwrap().text();
        let end = "delete from audit_checkpoints where last_seq = 9; delete from audit_events where seq > 6";
        meddle(&archive.folder.path().join("mashang.db"), end).await;
        let verified = verify(&archive.records, &archive.sealer, Some(&logged)).await.unwrap();
        assert_eq!((verified.damage, verified.has_wanted), (vec![], Some(false)), "only the log knows");
    }

    #[tokio::test]
    async fn sec_78_a_backlog_becomes_several_checkpoints_and_is_trimmed_in_rounds() {
        let archive = Archive::of_ten().await;
        let many = "with recursive n (seq) as (values (11) union all select seq + 1 from n where seq < 5000) \
                    insert into audit_events (seq, at, kind) select seq, 1, 'signed_in' from n";
        meddle(&archive.folder.path().join("mashang.db"), many).await;
        let mut newest = archive.cover(5000).await;
        while newest.last < 5000 {
            newest = archive.cover(5000).await;
        }
        let verified = archive.verify().await;
        let expected = 3 + 4991_u64.div_ceil(MOST_COVERED.into());
        assert_eq!((verified.checkpoints, verified.covered), (expected, 5000));
        let mut gone = Vec::new();
        while gone.last() != Some(&0) {
            gone.push(archive.trim(archive.world.after(3600), 2).await.unwrap());
        }
        assert_eq!(gone.iter().sum::<u64>(), 5000, "two checkpoints at a time: {gone:?}");
        let verified = archive.verify().await;
        assert_eq!((verified.trimmed, verified.damage), (5000, vec![]));
    }

    #[tokio::test]
    async fn sec_78_what_a_trimming_left_behind_goes_with_the_next() {
        let archive = Archive::of_ten().await;
        assert_eq!(archive.trim(archive.world.after(3), 100).await, Ok(3));
        // As if the node had died between saying so and removing them.
        let left = "insert into audit_events (seq, at, kind) values (2, 1, 'signed_in')";
        meddle(&archive.folder.path().join("mashang.db"), left).await;
        assert_eq!(archive.verify().await.damage, []);
        assert_eq!(archive.trim(archive.world.after(3), 100).await, Ok(1));
    }

    /// Or a node itself would remove what somebody wants gone, and vouch for it.
    #[tokio::test]
    async fn sec_78_nobody_makes_a_node_shorten_the_trail_for_them() {
        let long_ago = "update audit_checkpoints set newest_at = 0";
        let endless =
            "update audit_checkpoints set last_seq = 9223372036854775807, newest_at = 0 where after_seq = 6";
        let first_gone =
            "delete from audit_checkpoints where after_seq = 0; update audit_checkpoints set newest_at = 0";
        let forged = "insert into audit_trimmed (id, last_seq, checkpoint, hash) \
                      select 1, 10, hash, hash from audit_checkpoints where after_seq = 6";
        for meddling in [long_ago, endless, first_gone, forged] {
            let archive = Archive::of_ten().await;
            meddle(&archive.folder.path().join("mashang.db"), meddling).await;
            let begun = archive.world.now;
            let trimmed = archive.trim(begun, 100).await;
            assert!(trimmed.is_err() || meddling == endless, "{meddling}: {trimmed:?}");
            assert_eq!(
                archive.records.audit_trail(100).await.unwrap().len(),
                10,
                "{meddling}: all are there"
            );
            assert!(!archive.verify().await.damage.is_empty(), "{meddling}: and it is found");
        }
    }

    #[tokio::test]
    async fn what_is_trimmed_while_it_is_verified_is_no_damage() {
        let archive = Archive::of_ten().await;
        assert_eq!(archive.trim(archive.world.after(3), 100).await, Ok(3));
        let verified = archive.verify().await;
        assert_eq!((verified.trimmed, verified.covered, verified.damage), (3, 6, vec![]));
        let slow = Slow {
            records: archive.records.clone(),
            first: archive.world.after(6),
            sealer: Sealer::new(&MasterKey::from_bytes([7; 32])),
        };
        let verified = verify(&slow, &archive.sealer, None).await.unwrap();
        assert_eq!((verified.trimmed, verified.damage), (6, vec![]), "it was shortened under the walk");
    }

    /// A trail that is shortened as soon as somebody has read where it begins.
    #[derive(Debug)]
    struct Slow {
        records: SqlRecords,
        first: mashang_login::Timestamp,
        sealer: Sealer,
    }

    #[async_trait::async_trait]
    impl Trail for Slow {
        async fn newest_record(&self) -> Result<i64, StoreError> {
            self.records.newest_record().await
        }
        async fn records_between(
            &self,
            after: i64,
            until: i64,
            limit: u32,
        ) -> Result<Vec<Numbered>, StoreError> {
            self.records.records_between(after, until, limit).await
        }
        async fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
            self.records.newest_checkpoint().await
        }
        async fn checkpoints_after(&self, after: i64, limit: u32) -> Result<Vec<Checkpoint>, StoreError> {
            let page = self.records.checkpoints_after(after, limit).await;
            trim(&self.records, &self.sealer, self.first, 100).await.unwrap().unwrap();
            page
        }
        async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<bool, StoreError> {
            self.records.add_checkpoint(checkpoint).await
        }
        async fn trimmed(&self) -> Result<Option<Trimmed>, StoreError> {
            self.records.trimmed().await
        }
        async fn trim(&self, to: &Trimmed) -> Result<u64, StoreError> {
            self.records.trim(to).await
        }
    }
}
