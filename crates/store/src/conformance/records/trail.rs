//! The audit trail over the years: its checkpoints, and shortening it. What somebody does to it behind the store's back is
//! in the tests of one engine.

use std::sync::Arc;

use mashang_login::Timestamp;
use mashang_login::ambient::SeededEntropy;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::seal::{MasterKey, Sealer};
use mashang_login::trail::{Checkpoint, Damage, Trail, Verified, cover, trim, verify};

use super::super::fixtures::World;
use super::super::{Nodes, at_once};
use super::People;

/// `trail_suite!(engine)`: runs every case on `async fn engine() -> Nodes<dyn People>`.
#[macro_export]
macro_rules! trail_suite {
    ($engine:expr) => {
        $crate::conformance_cases!(
            records,
            ($engine)(),
            [
                sec_78_what_was_written_is_whole_and_what_is_newer_not_covered_yet,
                sec_78_a_record_reads_back_as_it_was_hashed,
                sec_78_of_10_checkpoints_at_once_one_is_taken,
                sec_78_a_checkpoint_of_another_master_key_does_not_count,
                sec_78_what_is_old_is_trimmed_and_the_rest_is_whole,
                sec_78_a_trail_that_was_trimmed_away_goes_on,
                sec_78_two_that_trim_at_once_leave_it_whole,
                sec_78_what_nobody_covered_is_not_trimmed,
            ]
        );
    };
}

const DAY: u64 = 86_400;

struct Archive {
    nodes: Nodes<dyn People>,
    world: World,
    sealer: Arc<Sealer>,
}

impl Archive {
    fn of(nodes: Nodes<dyn People>) -> Self {
        let sealer = Arc::new(Sealer::new(&MasterKey::random(&SeededEntropy::new(7))));
        Self { nodes, world: World::default(), sealer }
    }

    async fn write(&self, at: Timestamp, records: usize) {
        for n in 0..records {
            let mut event = AuditEvent::new(at, AuditKind::SignedIn);
            event.ticket = Some(format!("{n:06}"));
            event.user = Some("person".parse().unwrap());
            self.nodes.nth(n).record(&event).await.unwrap();
        }
    }

    async fn cover(&self) -> Option<Checkpoint> {
        let until = self.nodes.a.newest_record().await.unwrap();
        cover(trail(&self.nodes.b), &self.sealer, until).await.unwrap()
    }

    async fn verify(&self) -> Verified {
        verify(trail(&self.nodes.a), &self.sealer, None).await.unwrap()
    }

    async fn trim(&self, horizon: Timestamp) -> u64 {
        trim(trail(&self.nodes.b), &self.sealer, horizon, 100).await.unwrap().expect("nothing was changed")
    }
}

fn trail(engine: &Arc<dyn People>) -> &dyn Trail {
    &**engine
}

pub async fn sec_78_what_was_written_is_whole_and_what_is_newer_not_covered_yet(nodes: Nodes<dyn People>) {
    let archive = Archive::of(nodes);
    assert_eq!(archive.nodes.a.newest_record().await.unwrap(), 0);
    assert_eq!(archive.cover().await, None, "there is nothing");
    assert_eq!(archive.verify().await, Verified::default());
    archive.write(archive.world.now, 3).await;
    let first = archive.cover().await.unwrap();
    assert_eq!((first.after, first.events, first.newest_at), (0, 3, archive.world.now));
    assert_eq!(archive.cover().await, None, "nothing came since");
    archive.write(archive.world.after(60), 4).await;
    let second = archive.cover().await.unwrap();
    assert_eq!((second.after, second.events, second.previous), (first.last, 4, first.hash));
    archive.write(archive.world.after(61), 2).await;
    let expected = Verified {
        checkpoints: 2,
        covered: 7,
        newest: Some(second.clone()),
        uncovered: 2,
        ..Verified::default()
    };
    assert_eq!(archive.verify().await, expected);
    for (wanted, has) in [(first.text(), true), (second.text()[..8].to_owned(), true), ("x".into(), false)] {
        let verified = verify(trail(&archive.nodes.b), &archive.sealer, Some(&wanted)).await.unwrap();
        assert_eq!(verified.has_wanted, Some(has), "{wanted}");
    }
}

pub async fn sec_78_a_record_reads_back_as_it_was_hashed(nodes: Nodes<dyn People>) {
    let archive = Archive::of(nodes);
    let mut told = AuditEvent::new(archive.world.now, AuditKind::UsersMerged);
    told.ticket = Some("abc123".into());
    told.client = Some("site".parse().unwrap());
    told.user = Some("person".parse().unwrap());
    told.other = Some("another".parse().unwrap());
    told.channel = Some("wechat".parse().unwrap());
    told.address = Some("2001:db8::1".into());
    told.device = Some("微信 · iPhone 🐼".into());
    archive.nodes.a.record(&told).await.unwrap();
    archive.nodes.b.record(&AuditEvent::new(archive.world.now, AuditKind::KeysRotated)).await.unwrap();
    let read = archive.nodes.b.records_between(0, i64::MAX, 10).await.unwrap();
    assert_eq!(read[0].1, told);
    archive.cover().await.unwrap();
    let verified = archive.verify().await;
    assert_eq!((verified.covered, verified.damage), (2, Vec::new()), "word by word");
}

pub async fn sec_78_of_10_checkpoints_at_once_one_is_taken(nodes: Nodes<dyn People>) {
    let archive = Archive::of(nodes);
    archive.write(archive.world.now, 5).await;
    let until = archive.nodes.a.newest_record().await.unwrap();
    let taken = at_once(10, |n| {
        let (node, sealer) = (archive.nodes.nth(n), archive.sealer.clone());
        async move { cover(trail(&node), &sealer, until).await.unwrap() }
    })
    .await;
    assert_eq!(taken.iter().flatten().count(), 1, "{taken:?}");
    let verified = archive.verify().await;
    assert_eq!((verified.checkpoints, verified.covered, verified.damage), (1, 5, Vec::new()));
}

pub async fn sec_78_a_checkpoint_of_another_master_key_does_not_count(nodes: Nodes<dyn People>) {
    let archive = Archive::of(nodes);
    archive.write(archive.world.now, 2).await;
    let forger = Sealer::new(&MasterKey::random(&SeededEntropy::new(8)));
    cover(trail(&archive.nodes.a), &forger, i64::MAX).await.unwrap().unwrap();
    let later = archive.world.after(1);
    let refused = trim(trail(&archive.nodes.b), &archive.sealer, later, 100).await.unwrap();
    assert!(
        matches!(refused, Err(Damage::Changed { .. })),
        "what somebody else vouches for is not removed: {refused:?}"
    );
    trim(trail(&archive.nodes.a), &forger, later, 100).await.unwrap().unwrap();
    let damage = archive.verify().await.damage;
    assert_eq!(damage.len(), 1, "what says that it was shortened is forged: {damage:?}");
    archive.write(archive.world.now, 2).await;
    cover(trail(&archive.nodes.a), &forger, i64::MAX).await.unwrap().unwrap();
    let damage = archive.verify().await.damage;
    assert_eq!(damage.len(), 2, "and so is the checkpoint: {damage:?}");
    let refused = trim(trail(&archive.nodes.b), &archive.sealer, later, 100).await.unwrap();
    assert!(matches!(refused, Err(Damage::ForgedTrim { .. })), "{refused:?}");
    assert_eq!(archive.nodes.a.audit_trail(10).await.unwrap().len(), 2, "and nothing goes");
}

pub async fn sec_78_what_is_old_is_trimmed_and_the_rest_is_whole(nodes: Nodes<dyn People>) {
    let archive = Archive::of(nodes);
    let days = |n: u64| archive.world.after(n * DAY);
    for day in 0..4 {
        archive.write(days(day), 3).await;
        archive.cover().await.unwrap();
    }
    archive.write(days(4), 1).await;
    assert_eq!(archive.trim(days(0)).await, 0, "nothing is older than the first day");
    assert_eq!(archive.trim(days(2)).await, 6, "the first two days");
    assert_eq!(archive.trim(days(2)).await, 0);
    assert_eq!(archive.trim(days(1)).await, 0, "a node whose clock is behind");
    let verified = archive.verify().await;
    assert_eq!((verified.checkpoints, verified.covered, verified.uncovered), (2, 6, 1));
    assert_eq!(verified.damage, []);
    let kept = archive.nodes.b.records_between(0, i64::MAX, 100).await.unwrap();
    assert_eq!((kept.len(), kept[0].1.at), (7, days(2)));
    assert!(verified.trimmed > 0 && kept[0].0 > verified.trimmed);
}

pub async fn sec_78_a_trail_that_was_trimmed_away_goes_on(nodes: Nodes<dyn People>) {
    let archive = Archive::of(nodes);
    archive.write(archive.world.now, 3).await;
    let first = archive.cover().await.unwrap();
    assert_eq!(archive.trim(archive.world.after(DAY)).await, 3);
    assert_eq!(archive.nodes.b.newest_checkpoint().await.unwrap(), None);
    archive.write(archive.world.after(DAY), 2).await;
    let second = archive.cover().await.unwrap();
    assert_eq!((second.after, second.previous), (first.last, first.hash), "it follows what went");
    let verified = archive.verify().await;
    assert_eq!((verified.trimmed, verified.covered, verified.damage), (first.last, 2, Vec::new()));
}

pub async fn sec_78_two_that_trim_at_once_leave_it_whole(nodes: Nodes<dyn People>) {
    let archive = Archive::of(nodes);
    let days = |n: u64| archive.world.after(n * DAY);
    for day in 0..3 {
        archive.write(days(day), 20).await;
        archive.cover().await.unwrap();
    }
    let gone = at_once(4, |n| {
        let (node, sealer, horizon) = (archive.nodes.nth(n), archive.sealer.clone(), days(1 + n as u64 % 2));
        async move { trim(trail(&node), &sealer, horizon, 100).await.unwrap().expect("nothing was changed") }
    })
    .await;
    // Whoever met another one left it to them; the next look does the rest.
    let rest = archive.trim(days(2)).await;
    assert_eq!(gone.iter().sum::<u64>() + rest, 40, "{gone:?}, {rest}");
    let verified = archive.verify().await;
    assert_eq!((verified.checkpoints, verified.covered, verified.damage), (1, 20, Vec::new()));
}

pub async fn sec_78_what_nobody_covered_is_not_trimmed(nodes: Nodes<dyn People>) {
    let archive = Archive::of(nodes);
    archive.write(archive.world.now, 3).await;
    assert_eq!(archive.trim(archive.world.after(1000 * DAY)).await, 0);
    assert_eq!(archive.nodes.a.audit_trail(10).await.unwrap().len(), 3);
}
