//! What every engine of [`Tickets`] must do.

#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::sync::Arc;

use mashang_login::Timestamp;
use mashang_login::records::StoreError;
use mashang_login::ticket::{Answer, Lifetimes, Stage, Status, Ticket};
use mashang_login::tickets::{Advance, Tickets, Watch};
use tokio::time::timeout;

use super::fixtures::World;
use super::{CEILING, Nodes, SOON, at_once, count, is_near_ours};

/// `ticket_suite!(engine)`: runs every case on `async fn engine(ceiling: usize) -> Nodes<dyn Tickets>`.
#[macro_export]
macro_rules! ticket_suite {
    ($engine:expr) => {
        $crate::conformance_cases!(
            tickets,
            ($engine)($crate::conformance::CEILING),
            [
                a_fresh_ticket_reads_back_on_every_node,
                an_unknown_ticket_is_none,
                creating_twice_conflicts,
                of_100_creations_of_one_code_exactly_one_wins,
                a_whole_login_passes_through_both_nodes,
                promise_11_a_glance_tells_what_the_ticket_tells,
                promise_3_of_1000_advances_from_one_version_exactly_one_wins,
                promise_3_a_stale_version_loses_and_changes_nothing,
                promise_4_a_ticket_is_gone_at_keep_until_without_any_sweep,
                promise_4_an_expired_ticket_cannot_be_advanced,
                promise_7_a_watcher_on_the_other_node_wakes,
                promise_7_a_change_between_subscription_and_wait_is_not_lost,
                promise_7_a_dropped_wait_loses_nothing,
                promise_7_every_watcher_wakes_and_reads_the_new_stage,
                promise_7_a_lost_advance_leaves_the_winner_to_be_read,
                sec_16_a_ticket_that_is_over_is_kept_a_minute_for_its_page_and_no_longer,
                sec_16_the_ceiling_answers_overloaded_until_tickets_expire,
                the_engines_clock_is_told_alike_to_every_node,
            ]
        );
    };
}

fn scanned(world: &World, ticket: &Ticket) -> Ticket {
    ticket.scan(world.proof("wx1", "o1"), world.hash(), world.now, &Lifetimes::default()).unwrap()
}

async fn created(nodes: &Nodes<dyn Tickets>, world: &World) -> Ticket {
    let ticket = world.ticket();
    nodes.a.create(&ticket, world.now).await.unwrap();
    ticket
}

async fn wakes(watch: &mut Box<dyn Watch>) {
    timeout(SOON, watch.changed()).await.expect("the watcher wakes");
}

pub async fn a_fresh_ticket_reads_back_on_every_node(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let ticket = created(&nodes, &world).await;
    assert_eq!(nodes.a.get(&ticket.scan_code, world.now).await.unwrap().as_ref(), Some(&ticket));
    assert_eq!(nodes.b.get(&ticket.scan_code, world.now).await.unwrap().as_ref(), Some(&ticket));
}

pub async fn an_unknown_ticket_is_none(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    created(&nodes, &world).await;
    let stranger = world.ticket();
    assert_eq!(nodes.a.get(&stranger.scan_code, world.now).await.unwrap(), None);
    let next = scanned(&world, &stranger);
    assert_eq!(nodes.a.advance(&stranger, &next, world.now).await.unwrap(), Advance::Lost);
    assert_eq!(nodes.a.get(&stranger.scan_code, world.now).await.unwrap(), None);
}

pub async fn creating_twice_conflicts(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let ticket = created(&nodes, &world).await;
    let impostor = Ticket { browser: world.hash(), ..ticket.clone() };
    let answer = nodes.b.create(&impostor, world.now).await;
    assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    assert_eq!(nodes.a.get(&ticket.scan_code, world.now).await.unwrap(), Some(ticket));
}

pub async fn of_100_creations_of_one_code_exactly_one_wins(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let ticket = world.ticket();
    let answers = at_once(100, |n| {
        let (engine, ticket, now) = (nodes.nth(n), ticket.clone(), world.now);
        async move { engine.create(&ticket, now).await.is_ok() }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
}

pub async fn a_whole_login_passes_through_both_nodes(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let waiting = created(&nodes, &world).await;
    let phone = world.hash();
    let proof = world.proof("wx1", "o1");
    let lifetimes = Lifetimes::default();

    let scanned = waiting.scan(proof.clone(), phone, world.now, &lifetimes).unwrap();
    assert_eq!(nodes.b.advance(&waiting, &scanned, world.now).await.unwrap(), Advance::Won);
    let seen = nodes.a.get(&waiting.scan_code, world.now).await.unwrap().unwrap();
    assert_eq!(seen, scanned);

    let number = seen.number.digits();
    let yes = Answer::Approve { number: &number };
    let approved = seen.answer(&phone, yes, world.now, &lifetimes).unwrap();
    assert_eq!(nodes.a.advance(&seen, &approved, world.now).await.unwrap(), Advance::Won);
    let seen = nodes.b.get(&waiting.scan_code, world.now).await.unwrap().unwrap();

    let (redeemed, by) = seen.redeem(&waiting.browser, world.now).unwrap();
    assert_eq!(by, proof);
    assert_eq!(nodes.b.advance(&seen, &redeemed, world.now).await.unwrap(), Advance::Won);
    let seen = nodes.a.get(&waiting.scan_code, world.now).await.unwrap().unwrap();
    assert_eq!(seen.status(world.now), Status::Redeemed);
}

pub async fn promise_11_a_glance_tells_what_the_ticket_tells(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let lifetimes = Lifetimes::default();
    let phone = world.hash();
    let scan = |seen: &Ticket| seen.scan(world.proof("wx1", "o1"), phone, world.now, &lifetimes).unwrap();
    let answer = |seen: &Ticket, is_yes| {
        let number = seen.number.digits();
        let answer = if is_yes { Answer::Approve { number: &number } } else { Answer::Deny };
        seen.answer(&phone, answer, world.now, &lifetimes).unwrap()
    };
    type Step<'a> = &'a dyn Fn(&Ticket) -> Ticket;
    let redeem: Step<'_> = &|seen| seen.redeem(&seen.browser, world.now).unwrap().0;
    let abandon: Step<'_> = &|seen| seen.abandon(&seen.browser, world.now).unwrap();
    let (yes, no): (Step<'_>, Step<'_>) = (&|seen| answer(seen, true), &|seen| answer(seen, false));
    for steps in [[&scan, yes, redeem].as_slice(), &[&scan, no], &[abandon]] {
        let mut ticket = created(&nodes, &world).await;
        for step in [None].into_iter().chain(steps.iter().map(Some)) {
            if let Some(step) = step {
                let next = step(&ticket);
                assert_eq!(nodes.a.advance(&ticket, &next, world.now).await.unwrap(), Advance::Won);
                ticket = next;
            }
            for now in [0, 29, 30, 119, 120].map(|seconds| world.after(seconds)) {
                for node in [&nodes.a, &nodes.b] {
                    let glance = node.glance(&ticket.scan_code, now).await.unwrap();
                    let kept = (now < ticket.keep_until).then(|| ticket.glance(now));
                    assert_eq!(glance, kept, "{:?} at {now}", ticket.stage);
                }
            }
        }
        assert_eq!(nodes.b.glance(&ticket.scan_code, ticket.keep_until).await.unwrap(), None, "not kept");
    }
    assert_eq!(nodes.a.glance(&world.ticket().scan_code, world.now).await.unwrap(), None, "never was");
}

pub async fn promise_3_of_1000_advances_from_one_version_exactly_one_wins(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let seen = created(&nodes, &world).await;
    let answers = at_once(1_000, |n| {
        let (engine, seen, now) = (nodes.nth(n), seen.clone(), world.now);
        let next = scanned(&world, &seen);
        async move { (engine.advance(&seen, &next, now).await.unwrap(), next) }
    })
    .await;
    let winners: Vec<_> = answers.into_iter().filter(|(answer, _)| *answer == Advance::Won).collect();
    assert_eq!(winners.len(), 1);
    let stored = nodes.b.get(&seen.scan_code, world.now).await.unwrap();
    assert_eq!(stored.as_ref(), Some(&winners[0].1), "what is stored is the winner's");
}

pub async fn promise_3_a_stale_version_loses_and_changes_nothing(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let seen = created(&nodes, &world).await;
    let first = scanned(&world, &seen);
    assert_eq!(nodes.a.advance(&seen, &first, world.now).await.unwrap(), Advance::Won);
    let abandoned = seen.abandon(&seen.browser, world.now).unwrap();
    assert_eq!(nodes.b.advance(&seen, &abandoned, world.now).await.unwrap(), Advance::Lost);
    assert_eq!(nodes.b.get(&seen.scan_code, world.now).await.unwrap(), Some(first));
}

pub async fn promise_4_a_ticket_is_gone_at_keep_until_without_any_sweep(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let ticket = created(&nodes, &world).await;
    let last = ticket.keep_until - std::time::Duration::from_millis(1);
    assert!(nodes.b.get(&ticket.scan_code, last).await.unwrap().is_some());
    assert!(nodes.b.get(&ticket.scan_code, ticket.keep_until).await.unwrap().is_none());
}

pub async fn promise_4_an_expired_ticket_cannot_be_advanced(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let ticket = created(&nodes, &world).await;
    let next = scanned(&world, &ticket);
    let answer = nodes.a.advance(&ticket, &next, ticket.keep_until).await.unwrap();
    assert_eq!(answer, Advance::Lost);
}

pub async fn promise_7_a_watcher_on_the_other_node_wakes(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let ticket = created(&nodes, &world).await;
    let mut watch = nodes.b.watch(&ticket.scan_code).await.unwrap();
    let waiting = tokio::spawn(async move { wakes(&mut watch).await });
    let next = scanned(&world, &ticket);
    nodes.a.advance(&ticket, &next, world.now).await.unwrap();
    waiting.await.unwrap();
}

pub async fn promise_7_a_change_between_subscription_and_wait_is_not_lost(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let mut seen = created(&nodes, &world).await;
    let mut watch = nodes.a.watch(&seen.scan_code).await.unwrap();
    // Also when it wakes, and the next change comes before the next wait.
    for _ in 0..3 {
        let next = Ticket { version: seen.version + 1, ..seen.clone() };
        assert_eq!(nodes.b.advance(&seen, &next, world.now).await.unwrap(), Advance::Won);
        wakes(&mut watch).await;
        seen = next;
    }
}

pub async fn promise_7_a_dropped_wait_loses_nothing(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let ticket = created(&nodes, &world).await;
    let mut watch = nodes.a.watch(&ticket.scan_code).await.unwrap();
    tokio::select! {
        biased;
        () = watch.changed() => {}
        () = std::future::ready(()) => {}
    }
    let next = scanned(&world, &ticket);
    nodes.b.advance(&ticket, &next, world.now).await.unwrap();
    wakes(&mut watch).await;
}

pub async fn promise_7_every_watcher_wakes_and_reads_the_new_stage(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let ticket = created(&nodes, &world).await;
    let mut waiting = tokio::task::JoinSet::new();
    for n in 0..100 {
        let engine: Arc<dyn Tickets> = nodes.nth(n);
        let mut watch = engine.watch(&ticket.scan_code).await.unwrap();
        let (code, now) = (ticket.scan_code.clone(), world.now);
        waiting.spawn(async move { status_once_moved(&*engine, &mut watch, &code, now).await });
    }
    let next = scanned(&world, &ticket);
    nodes.a.advance(&ticket, &next, world.now).await.unwrap();
    assert_eq!(waiting.join_all().await, [Status::Scanned; 100]);
}

async fn status_once_moved(
    engine: &dyn Tickets,
    watch: &mut Box<dyn Watch>,
    code: &mashang_login::ids::ScanCode,
    now: Timestamp,
) -> Status {
    loop {
        let ticket = engine.get(code, now).await.unwrap().unwrap();
        if ticket.status(now) != Status::Waiting {
            return ticket.status(now);
        }
        wakes(watch).await;
    }
}

pub async fn promise_7_a_lost_advance_leaves_the_winner_to_be_read(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let ticket = created(&nodes, &world).await;
    let winner = ticket.abandon(&ticket.browser, world.now).unwrap();
    nodes.a.advance(&ticket, &winner, world.now).await.unwrap();
    let loser = scanned(&world, &ticket);
    assert_eq!(nodes.b.advance(&ticket, &loser, world.now).await.unwrap(), Advance::Lost);
    let read = nodes.b.get(&ticket.scan_code, world.now).await.unwrap().unwrap();
    assert_eq!(read.stage, Stage::Expired);
}

pub async fn sec_16_the_ceiling_answers_overloaded_until_tickets_expire(nodes: Nodes<dyn Tickets>) {
    let world = World::default();
    let mut last = world.ticket();
    for n in 0..CEILING {
        last = world.ticket();
        nodes.nth(n).create(&last, world.now).await.unwrap();
    }
    let answer = nodes.a.create(&world.ticket(), world.now).await;
    assert!(matches!(answer, Err(StoreError::Overloaded)), "{answer:?}");
    assert!(nodes.a.get(&last.scan_code, world.now).await.unwrap().is_some(), "nobody was pushed out");
    let later = last.keep_until;
    let late = Ticket { keep_until: later + std::time::Duration::from_secs(60), ..world.ticket() };
    nodes.b.create(&late, later).await.expect("expired tickets make room");
}

/// Places are everybody's: what nobody scans any more takes none.
pub async fn sec_16_a_ticket_that_is_over_is_kept_a_minute_for_its_page_and_no_longer(
    nodes: Nodes<dyn Tickets>,
) {
    let world = World::default();
    let ticket = created(&nodes, &world).await;
    let over = ticket.abandon(&ticket.browser, world.after(1)).unwrap();
    assert_eq!(nodes.a.advance(&ticket, &over, world.after(1)).await.unwrap(), Advance::Won);
    let read = async |second| nodes.b.get(&ticket.scan_code, world.after(second)).await.unwrap();
    assert_eq!(read(60).await.map(|ticket| ticket.stage), Some(Stage::Expired), "its page is told");
    assert_eq!(read(61).await, None);
}

pub async fn the_engines_clock_is_told_alike_to_every_node(nodes: Nodes<dyn Tickets>) {
    let told = [nodes.a.engine_time().await.unwrap(), nodes.b.engine_time().await.unwrap()];
    is_near_ours(told);
}
