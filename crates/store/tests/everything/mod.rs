//! A database with something in every table that lasts.

use std::time::Duration;

use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::consent::{Consent, Consents};
use mashang_login::credentials::{Credentials, NewUser};
use mashang_login::grant::ScopeSet;
use mashang_login::identity::ChannelKind;
use mashang_login::platform_token::{PlatformTokens, TokenName};
use mashang_login::records::{Fulfilled, Fulfilment, Records};
use mashang_login::seal::{MasterKey, Sealer};
use mashang_login::trail;
use mashang_store::conformance::fixtures::World;
use mashang_store::sql::SqlRecords;
use mashang_store::sql::moving::{self, MoveError, Moved};

/// Fills every table, with nulls and awkward text.
pub async fn fill(records: &SqlRecords) {
    let world = World::default();
    let client = world.client("site");
    records.save_client(&client).await.unwrap();
    let mut people = Vec::new();
    for n in 0..5 {
        let app = format!("wx{n}");
        let mut proof = world.linked_proof(&app, &format!("openid\"\\'\n{n}"), "ours", &format!("union{n}"));
        proof.profile.nickname = Some(format!("小明 🐼 '\"\\ {n}\t"));
        let (user, fulfilment) = sign_in(records, &world, proof.clone()).await;
        let tokens = world.tokens();
        records.exchange_code(&fulfilment.code, &tokens, world.now).await.unwrap();
        if n == 1 {
            // Spent, and replayed: the family is revoked.
            let (old, _) = tokens.refresh.unwrap();
            records.rotate_refresh_token(&old, &world.tokens(), world.now).await.unwrap();
            records.rotate_refresh_token(&old, &world.tokens(), world.now).await.unwrap();
        }
        let second = world.linked_proof(&format!("{app}-second"), "b", "ours", &format!("union{n}"));
        sign_in(records, &world, second.clone()).await;
        if n == 2 {
            records.unlink_identity(&user, &second.key, world.now).await.unwrap();
        }
        people.push(user);
    }
    records.merge_users(&world.merge_id(), &people[3], &people[4], world.now).await.unwrap().unwrap();
    let mut member = world.proof("ww1", "zhangsan").key;
    member.kind = ChannelKind::Wecom;
    records.end_sessions_of(&member, world.now, world.now).await.unwrap();
    records.set_user_disabled(&people[0], Some(world.now)).await.unwrap();
    let user = NewUser { id: "person".parse().unwrap(), nickname: None };
    let password = world.password(&user.id, "ZhangSan");
    records.create_user_with_password(&user, &password, world.now).await.unwrap();
    let signed_in = world.fresh(world.proof_here(&password.key));
    records.begin_session(&signed_in, None, world.now).await.unwrap();
    let (passkey, channel) = (world.passkey(&user.id), "passkey".parse().unwrap());
    records.add_passkey(&passkey, &channel, &signed_in.session.id, world.now).await.unwrap();
    let consent =
        Consent { client: client.id.clone(), scope: ScopeSet::parse("openid profile"), at: world.now };
    records.save_consent(&user.id, &consent).await.unwrap();
    records.claim_for_master_key(&[0, 255, 39]).await.unwrap();
    records.note_sandbox(world.now).await.unwrap();
    records.add_signing_key(&world.key("one", world.now), &[], world.now).await.unwrap();
    for (app, saved) in [("wx1", true), ("wx2", false)] {
        let name = TokenName::of(&["wechat", app]).unwrap();
        let until = world.now + Duration::from_secs(15);
        records.lease_platform_token(&name, "a node", until, world.now).await.unwrap();
        if saved {
            records.save_platform_token(&name, &[0, 255, 39], until, "a node", world.now).await.unwrap();
        }
    }
    for n in 0..300 {
        let mut event = AuditEvent::new(world.now, AuditKind::SignedIn);
        event.ticket = Some(format!("ticket {n}"));
        records.record(&event).await.unwrap();
    }
    let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
    for (until, horizon) in [(30, world.after(1)), (i64::MAX, world.now)] {
        trail::cover(records, &sealer, until).await.unwrap();
        trail::trim(records, &sealer, horizon, 100).await.unwrap().unwrap();
    }
}

async fn sign_in(
    records: &SqlRecords,
    world: &World,
    proof: mashang_login::identity::Proof,
) -> (mashang_login::ids::UserId, Fulfilment) {
    let grant = world.grant(&world.client("site"));
    records.begin_grant(&grant).await.unwrap();
    let fulfilment = world.approval(&grant, proof);
    match records.fulfil_grant(&fulfilment, world.now).await.unwrap() {
        Fulfilled::Done { user, .. } => (user.id, fulfilment),
        other => panic!("it is accepted, not {other:?}"),
    }
}

/// Shortens the whole trail away: what is left of it is up to where.
pub async fn trim_all(records: &SqlRecords) {
    let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
    let after = World::default().after(1_000_000);
    while trail::cover(records, &sealer, i64::MAX).await.unwrap().is_some() {}
    while trail::trim(records, &sealer, after, 100).await.unwrap().unwrap() > 0 {}
    assert_eq!(records.audit_trail(1).await.unwrap(), []);
}

/// A new record is not taken for one that was shortened away.
pub async fn goes_on_behind_what_was_trimmed(records: &SqlRecords) {
    let event = AuditEvent::new(World::default().now, AuditKind::SignedOut);
    records.record(&event).await.unwrap();
    let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
    trail::trim(records, &sealer, World::default().now, 100).await.unwrap().unwrap();
    assert_eq!(records.audit_trail(10).await.unwrap(), [event]);
}

/// The export of a database, which has a row of every kind if it was [`fill`]ed.
pub async fn exported(url: &str) -> (Vec<u8>, Moved) {
    let mut text = Vec::new();
    let moved = moving::export(url, &mut text, &mut |_| {}).await.unwrap();
    (text, moved)
}

/// Imports an export whose keys are ours.
pub async fn import(url: &str, mut text: &[u8]) -> Result<Moved, MoveError> {
    moving::import(url, &mut text, &|_, _| true, &mut |_| {}).await
}

/// Erases everybody, one after the other, and looks each time that no row but those of the trail names them or what they were
/// called; in the end, that no table has a row of anybody.
pub async fn erases_everybody(records: &SqlRecords, url: &str) {
    let world = World::default();
    let told = AuditEvent::new(world.now, AuditKind::PersonErased);
    let people = records.users("", 100).await.unwrap();
    for person in people.iter().filter(|person| person.merged_into.is_none()) {
        let preview = records.erasure_preview(&person.id, world.now).await.unwrap().unwrap();
        let erased = records.erase_user(&person.id, &told, world.now).await.unwrap().unwrap();
        let text = String::from_utf8(exported(url).await.0).unwrap();
        let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with("[\"audit_events\"")).collect();
        let gone = std::iter::once(&erased.user).chain(&erased.merged).map(ToString::to_string);
        let subjects = preview.identities.iter().map(|identity| identity.key.subject.clone());
        let unions = preview.identities.iter().filter_map(|identity| Some(identity.union.clone()?.unionid));
        for word in gone.chain(subjects.filter(|subject| subject != "b")).chain(unions) {
            let word = serde_json::to_string(&word).unwrap();
            let left: Vec<_> = rows.iter().filter(|row| row.contains(&word)).collect();
            assert!(left.is_empty(), "{word} of {person:?} is left in {left:?}");
        }
    }
    let rows = exported(url).await.1.rows;
    for table in [
        "users",
        "identities",
        "passwords",
        "passkeys",
        "merges",
        "merged_identities",
        "unlinked_identities",
        "consents",
        "sessions",
        "families",
        "codes",
        "access_tokens",
        "refresh_tokens",
    ] {
        assert_eq!(rows[table], 0, "{table}");
    }
    assert!(rows["audit_events"] > 0 && rows["clients"] > 0, "{rows:?}");
}
