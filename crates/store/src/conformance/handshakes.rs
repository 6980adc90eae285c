//! What every engine of [`Handshakes`] must do.

#![allow(missing_docs, reason = "the name of a case says what it shows")]

use mashang_login::Timestamp;
use mashang_login::handshake::{Claim, Claimant, Handshake, TripEnd};
use mashang_login::ids::ChannelId;
use mashang_login::records::StoreError;
use mashang_login::tickets::Handshakes;

use super::fixtures::World;
use super::{CEILING, Nodes, at_once, count};

/// `handshake_suite!(engine)`: runs every case on `async fn engine(ceiling: usize) -> Nodes<dyn Handshakes>`.
#[macro_export]
macro_rules! handshake_suite {
    ($engine:expr) => {
        $crate::conformance_cases!(
            handshakes,
            ($engine)($crate::conformance::CEILING),
            [
                sec_25_a_state_is_claimed_first_by_one_of_100,
                sec_25_the_second_visit_is_recognised_on_the_other_node,
                sec_25_a_foreign_state_is_unknown,
                sec_25_another_device_or_channel_spends_nothing,
                promise_4_an_expired_state_is_unknown_claimed_or_not,
                sec_26_a_provider_code_is_spent_by_one_of_100,
                sec_26_codes_of_two_channels_do_not_meet,
                sec_26_a_spent_code_is_remembered_until_its_end,
                sec_16_the_ceilings_answer_overloaded_until_things_expire,
            ]
        );
    };
}

async fn begun(nodes: &Nodes<dyn Handshakes>, world: &World) -> Handshake {
    let handshake = world.handshake();
    nodes.a.begin(&handshake, world.now).await.unwrap();
    handshake
}

/// The device that set out presents its state.
async fn claim(engine: &dyn Handshakes, handshake: &Handshake, now: Timestamp) -> Claim {
    let (state, channel) = (handshake.state, &handshake.channel);
    engine.claim(&Claimant { state, channel, devices: &[handshake.device] }, now).await.unwrap()
}

fn channel(name: &str) -> ChannelId {
    name.parse().unwrap()
}

pub async fn sec_25_a_state_is_claimed_first_by_one_of_100(nodes: Nodes<dyn Handshakes>) {
    let world = World::default();
    let handshake = begun(&nodes, &world).await;
    let answers = at_once(100, |n| {
        let (engine, handshake, now) = (nodes.nth(n), handshake.clone(), world.now);
        async move { claim(&*engine, &handshake, now).await }
    })
    .await;
    assert_eq!(count(&answers, &Claim::First(handshake.clone())), 1);
    assert_eq!(count(&answers, &Claim::Again { trip: handshake, end: None }), 99);
}

pub async fn sec_25_the_second_visit_is_recognised_on_the_other_node(nodes: Nodes<dyn Handshakes>) {
    let world = World::default();
    let handshake = begun(&nodes, &world).await;
    assert_eq!(claim(&*nodes.b, &handshake, world.now).await, Claim::First(handshake.clone()));
    let again = |end| Claim::Again { trip: handshake.clone(), end };
    assert_eq!(claim(&*nodes.a, &handshake, world.now).await, again(None));
    let end = TripEnd::Failed { words: "channel_busy".into(), errcode: Some(-1) };
    nodes.b.end_trip(&handshake.state, &end, world.now).await.unwrap();
    assert_eq!(claim(&*nodes.a, &handshake, world.now).await, again(Some(end)));
    // A snapshot's end is followed by the full page's.
    nodes.a.end_trip(&handshake.state, &TripEnd::Moved, world.now).await.unwrap();
    assert_eq!(claim(&*nodes.b, &handshake, world.now).await, again(Some(TripEnd::Moved)));
}

pub async fn sec_25_a_foreign_state_is_unknown(nodes: Nodes<dyn Handshakes>) {
    let world = World::default();
    let handshake = begun(&nodes, &world).await;
    for foreign in [world.hash(), handshake.device] {
        let other = Handshake { state: foreign, ..handshake.clone() };
        assert_eq!(claim(&*nodes.a, &other, world.now).await, Claim::Unknown);
    }
    assert_eq!(claim(&*nodes.a, &handshake, world.now).await, Claim::First(handshake));
}

pub async fn sec_25_another_device_or_channel_spends_nothing(nodes: Nodes<dyn Handshakes>) {
    let world = World::default();
    let handshake = begun(&nodes, &world).await;
    let elsewhere = channel("elsewhere");
    let state = handshake.state;
    for claimant in [
        Claimant { state, channel: &handshake.channel, devices: &[] },
        Claimant { state, channel: &handshake.channel, devices: &[world.hash(), world.hash()] },
        Claimant { state, channel: &elsewhere, devices: &[handshake.device] },
    ] {
        assert_eq!(nodes.a.claim(&claimant, world.now).await.unwrap(), Claim::Foreign);
    }
    let devices = [world.hash(), handshake.device];
    let owner = Claimant { state, channel: &handshake.channel, devices: &devices };
    assert_eq!(nodes.b.claim(&owner, world.now).await.unwrap(), Claim::First(handshake));
}

pub async fn promise_4_an_expired_state_is_unknown_claimed_or_not(nodes: Nodes<dyn Handshakes>) {
    let world = World::default();
    let (idle, used) = (begun(&nodes, &world).await, begun(&nodes, &world).await);
    claim(&*nodes.a, &used, world.now).await;
    for handshake in [idle, used] {
        let answer = claim(&*nodes.b, &handshake, handshake.expires_at).await;
        assert_eq!(answer, Claim::Unknown);
    }
}

pub async fn sec_26_a_provider_code_is_spent_by_one_of_100(nodes: Nodes<dyn Handshakes>) {
    let world = World::default();
    let code = world.hash();
    let answers = at_once(100, |n| {
        let (engine, until, now) = (nodes.nth(n), world.after(600), world.now);
        async move { engine.spend_provider_code(&channel("wechat"), &code, until, now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
}

pub async fn sec_26_codes_of_two_channels_do_not_meet(nodes: Nodes<dyn Handshakes>) {
    let world = World::default();
    let (code, until) = (world.hash(), world.after(600));
    for name in ["wechat", "wechat-2"] {
        assert!(nodes.a.spend_provider_code(&channel(name), &code, until, world.now).await.unwrap());
        assert!(!nodes.b.spend_provider_code(&channel(name), &code, until, world.now).await.unwrap());
    }
}

pub async fn sec_26_a_spent_code_is_remembered_until_its_end(nodes: Nodes<dyn Handshakes>) {
    let world = World::default();
    let (code, wechat) = (world.hash(), channel("wechat"));
    let (until, later) = (world.after(600), world.after(1_200));
    assert!(nodes.a.spend_provider_code(&wechat, &code, until, world.now).await.unwrap());
    assert!(!nodes.b.spend_provider_code(&wechat, &code, later, world.after(599)).await.unwrap());
    assert!(nodes.b.spend_provider_code(&wechat, &code, later, until).await.unwrap());
}

pub async fn sec_16_the_ceilings_answer_overloaded_until_things_expire(nodes: Nodes<dyn Handshakes>) {
    let world = World::default();
    let (wechat, until) = (channel("wechat"), world.after(600));
    for n in 0..CEILING {
        nodes.nth(n).begin(&world.handshake(), world.now).await.unwrap();
        nodes.nth(n).spend_provider_code(&wechat, &world.hash(), until, world.now).await.unwrap();
    }
    let answer = nodes.a.begin(&world.handshake(), world.now).await;
    assert!(matches!(answer, Err(StoreError::Overloaded)), "{answer:?}");
    let answer = nodes.a.spend_provider_code(&wechat, &world.hash(), until, world.now).await;
    assert!(matches!(answer, Err(StoreError::Overloaded)), "{answer:?}");

    let late = Handshake { expires_at: world.after(1_200), ..world.handshake() };
    nodes.b.begin(&late, until).await.expect("expired trips make room");
    assert!(nodes.b.spend_provider_code(&wechat, &world.hash(), world.after(1_200), until).await.unwrap());
}
