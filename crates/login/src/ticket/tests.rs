use proptest::prelude::*;

use super::*;
use crate::ambient::SystemEntropy;
use crate::identity::{Attributes, ChannelKind, IdentityKey, Profile};
use crate::secret::{BrowserSecret, PhoneSecret};

const LIFETIMES: Lifetimes = Lifetimes {
    waiting: Duration::from_secs(120),
    confirm: Duration::from_secs(60),
    redeem: Duration::from_secs(30),
};

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn after(seconds: u64) -> Timestamp {
    start() + Duration::from_secs(seconds)
}

fn proof(subject: &str) -> Proof {
    Proof {
        channel: "wechat".parse().unwrap(),
        key: IdentityKey { kind: ChannelKind::WechatOfficial, app: "wx1".into(), subject: subject.into() },
        union: None,
        profile: Profile::default(),
        attributes: Attributes::default(),
        proven_at: start(),
        password_set_at: None,
    }
}

struct Scene {
    ticket: Ticket,
    browser: SecretHash,
    phone: SecretHash,
}

fn scene() -> Scene {
    let browser = BrowserSecret::random(&SystemEntropy).hash();
    let origin = Origin {
        client: "site".parse().unwrap(),
        site_name: "Site".into(),
        site_host: "site.example".into(),
        device: "Chrome · Linux".into(),
        on_phone: false,
        address: "192.0.2.1".into(),
        at: start(),
    };
    let grant = GrantId::random(&SystemEntropy);
    let ticket = Ticket::begin(grant, browser, origin, start(), &LIFETIMES, &SystemEntropy);
    Scene { ticket, browser, phone: PhoneSecret::random(&SystemEntropy).hash() }
}

impl Scene {
    fn scanned(&self) -> Ticket {
        self.ticket.scan(proof("a"), self.phone, start(), &LIFETIMES).unwrap()
    }

    fn approved(&self) -> Ticket {
        let number = self.ticket.number.digits();
        self.scanned().answer(&self.phone, Answer::Approve { number: &number }, start(), &LIFETIMES).unwrap()
    }
}

#[test]
fn an_approval_waits_longer_for_a_page_that_lies_behind_another_app() {
    let mut scene = scene();
    scene.ticket.origin.on_phone = true;
    assert!(scene.approved().redeem(&scene.browser, after(119)).is_ok());
    assert_eq!(scene.approved().redeem(&scene.browser, after(120)).unwrap_err(), Refusal::Expired);
    assert_eq!(scene.approved().keep_until, after(120 + 60));
}

fn stranger() -> SecretHash {
    BrowserSecret::random(&SystemEntropy).hash()
}

#[test]
fn a_link_sent_to_the_scanner_is_worth_one_phone() {
    let (scene, link) = (scene(), stranger());
    let sent = scene.ticket.scan_by_message(proof("a"), link, start(), &LIFETIMES).unwrap();
    let opened = sent.hand_over(&link, scene.phone, |_| {}, after(1)).unwrap();
    assert_eq!(opened.deadline(), sent.deadline(), "opening buys no time");
    assert_eq!(opened.hand_over(&link, stranger(), |_| {}, after(1)), Err(Refusal::NotYours));
    let number = opened.number.digits();
    let yes = Answer::Approve { number: &number };
    assert_eq!(opened.answer(&link, yes, after(1), &LIFETIMES), Err(Refusal::NotYours));
    assert_eq!(
        opened.answer(&scene.phone, yes, after(1), &LIFETIMES).unwrap().status(after(1)),
        Status::Approved
    );
    assert_eq!(scene.ticket.hand_over(&link, scene.phone, |_| {}, start()), Err(Refusal::TooEarly));
    assert_eq!(sent.hand_over(&link, scene.phone, |_| {}, after(60)), Err(Refusal::Expired));
}

#[test]
fn a_lost_message_is_sent_again_to_its_own_person_until_its_link_is_opened() {
    let (scene, first, second) = (scene(), stranger(), stranger());
    let sent = scene.ticket.scan_by_message(proof("a"), first, start(), &LIFETIMES).unwrap();
    let other = sent.scan_by_message(proof("b"), second, after(1), &LIFETIMES);
    assert_eq!(other, Err(Refusal::Taken));
    let again = sent.scan_by_message(proof("a"), second, after(1), &LIFETIMES).unwrap();
    assert_eq!(again.deadline(), sent.deadline(), "scanning again buys no time");
    assert_eq!(again.hand_over(&first, scene.phone, |_| {}, after(1)), Err(Refusal::NotYours));
    let opened = again.hand_over(&second, scene.phone, |_| {}, after(1)).unwrap();
    let late = opened.scan_by_message(proof("a"), stranger(), after(1), &LIFETIMES);
    assert_eq!(late, Err(Refusal::Taken));
    let here = scene.ticket.scan(proof("a"), scene.phone, start(), &LIFETIMES).unwrap();
    assert_eq!(here.scan_by_message(proof("a"), second, start(), &LIFETIMES), Err(Refusal::Taken));
}

#[test]
fn only_the_phone_that_scanned_may_add_to_its_proof() {
    let scene = scene();
    let tell = |proof: &mut Proof| proof.attributes.phone_number = Some("+8613800138000".into());
    let told = scene.scanned().amend(&scene.phone, tell, after(1)).unwrap();
    let (by, _) = told.scanned_by(&scene.phone, after(1)).unwrap();
    assert_eq!(by.attributes.phone_number.as_deref(), Some("+8613800138000"));
    assert_eq!(scene.scanned().amend(&stranger(), tell, after(1)), Err(Refusal::NotYours));
    assert_eq!(scene.approved().amend(&scene.phone, tell, after(1)), Err(Refusal::Finished));
}

#[test]
fn the_whole_path_ends_redeemed_by_the_person_who_approved() {
    let scene = scene();
    let (redeemed, by) = scene.approved().redeem(&scene.browser, after(1)).unwrap();
    assert_eq!(redeemed.status(after(1)), Status::Redeemed);
    assert_eq!(by.key.subject, "a");
    assert_eq!(redeemed.version, 3);
}

#[test]
fn sec_06_first_scanner_owns_the_ticket() {
    let scene = scene();
    let scanned = scene.scanned();
    assert_eq!(scanned.scan(proof("b"), stranger(), start(), &LIFETIMES), Err(Refusal::Taken));
    let number = scanned.number.digits();
    let answer = Answer::Approve { number: &number };
    assert_eq!(scanned.answer(&stranger(), answer, start(), &LIFETIMES), Err(Refusal::NotYours));
    assert_eq!(scanned.answer(&stranger(), Answer::Deny, start(), &LIFETIMES), Err(Refusal::NotYours));
}

#[test]
fn promise_2_a_scan_approves_nothing() {
    let scene = scene();
    assert_eq!(scene.scanned().redeem(&scene.browser, start()).unwrap_err(), Refusal::TooEarly);
    assert_eq!(scene.ticket.redeem(&scene.browser, start()).unwrap_err(), Refusal::TooEarly);
}

#[test]
fn promise_1_another_browser_can_neither_redeem_nor_cancel() {
    let scene = scene();
    assert_eq!(scene.approved().redeem(&stranger(), start()).unwrap_err(), Refusal::NotYours);
    assert_eq!(scene.ticket.abandon(&stranger(), start()).unwrap_err(), Refusal::NotYours);
    assert_eq!(
        scene.ticket.approve_on_platform(&stranger(), proof("a"), start(), &LIFETIMES).unwrap_err(),
        Refusal::NotYours
    );
}

#[test]
fn sec_09_one_wrong_number_ends_the_ticket() {
    let scene = scene();
    let wrong = if scene.ticket.number.matches("10") { "11" } else { "10" };
    let ended =
        scene.scanned().answer(&scene.phone, Answer::Approve { number: wrong }, start(), &LIFETIMES).unwrap();
    assert_eq!(ended.stage, Stage::Denied { why: Denial::WrongNumber });
    let right = ended.number.digits();
    let again = ended.answer(&scene.phone, Answer::Approve { number: &right }, start(), &LIFETIMES);
    assert_eq!(again, Err(Refusal::Finished));
}

#[test]
fn sec_05_expired_tickets_cannot_move_even_if_nothing_swept_them() {
    let scene = scene();
    assert_eq!(scene.ticket.status(after(119)), Status::Waiting);
    assert_eq!(scene.ticket.status(after(120)), Status::Expired);
    assert_eq!(scene.ticket.scan(proof("a"), scene.phone, after(120), &LIFETIMES), Err(Refusal::Expired));
    let number = scene.ticket.number.digits();
    let late =
        scene.scanned().answer(&scene.phone, Answer::Approve { number: &number }, after(60), &LIFETIMES);
    assert_eq!(late, Err(Refusal::Expired));
    assert_eq!(scene.approved().redeem(&scene.browser, after(30)).unwrap_err(), Refusal::Expired);
}

#[test]
fn sec_05_a_platform_page_is_waited_for_longer_but_never_beyond_the_cap() {
    let scene = scene();
    let trip = Duration::from_secs(300);
    assert_eq!(scene.ticket.depart(&stranger(), start(), trip), Err(Refusal::NotYours));
    let gone = scene.ticket.depart(&scene.browser, after(100), trip).unwrap();
    assert_eq!(gone.status(after(299)), Status::Waiting);
    assert_eq!(gone.status(after(300)), Status::Expired, "from the drawing, not from the departure");
    assert_eq!(gone.depart(&scene.browser, after(290), trip).unwrap().status(after(300)), Status::Expired);
    assert_eq!(scene.scanned().depart(&scene.browser, start(), trip), Err(Refusal::Finished));
}

#[test]
fn a_glance_at_what_is_written_is_a_glance_at_the_ticket() {
    let scene = scene();
    let (scanned, approved) = (scene.scanned(), scene.approved());
    let denied = scanned.answer(&scene.phone, Answer::Deny, after(1), &LIFETIMES).unwrap();
    let (redeemed, _) = approved.redeem(&scene.browser, after(1)).unwrap();
    let expired = scene.ticket.abandon(&scene.browser, start()).unwrap();
    for ticket in [&scene.ticket, &scanned, &approved, &denied, &redeemed, &expired] {
        let seen: Seen = serde_json::from_str(&serde_json::to_string(ticket).unwrap()).unwrap();
        for now in [0, 29, 30, 59, 60, 119, 120, 1_000].map(after) {
            assert_eq!(seen.glance(now), ticket.glance(now), "{:?} at {now}", ticket.stage);
        }
    }
}

#[test]
fn sec_04_final_stages_stay_final() {
    let scene = scene();
    let (redeemed, _) = scene.approved().redeem(&scene.browser, start()).unwrap();
    assert_eq!(redeemed.redeem(&scene.browser, start()).unwrap_err(), Refusal::Finished);
    assert_eq!(redeemed.abandon(&scene.browser, start()).unwrap_err(), Refusal::Finished);
    let denied = scene.scanned().answer(&scene.phone, Answer::Deny, start(), &LIFETIMES).unwrap();
    assert_eq!(denied.scan(proof("a"), scene.phone, start(), &LIFETIMES), Err(Refusal::Finished));
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Scan(bool),
    Approve(bool, bool),
    Deny(bool),
    Platform(bool),
    Redeem(bool),
    Abandon(bool),
    Wait(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        any::<bool>().prop_map(Step::Scan),
        any::<(bool, bool)>().prop_map(|(phone, number)| Step::Approve(phone, number)),
        any::<bool>().prop_map(Step::Deny),
        any::<bool>().prop_map(Step::Platform),
        any::<bool>().prop_map(Step::Redeem),
        any::<bool>().prop_map(Step::Abandon),
        (0..100_u16).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..24)
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Waiting => 0,
        Status::Scanned => 1,
        Status::Approved => 2,
        Status::Redeemed | Status::Denied | Status::Expired => 3,
    }
}

proptest! {
    /// Whatever happens in whatever order: stages only move forward, final ones stay, at most one redemption, and
    /// never one without a right number from the right phone or the platform's consent in the right browser.
    #[test]
    fn no_order_of_events_moves_a_ticket_back_or_redeems_without_approval(steps in steps()) {
        let scene = scene();
        let (other_browser, other_phone) = (stranger(), stranger());
        let mut ticket = scene.ticket.clone();
        let (mut now, mut approved, mut redeemed) = (start(), false, 0);
        for step in steps {
            let before = ticket.status(now);
            let next = match step {
                Step::Wait(seconds) => { now += Duration::from_secs(seconds.into()); continue; }
                Step::Scan(first) => {
                    let phone = if first { scene.phone } else { other_phone };
                    ticket.scan(proof("a"), phone, now, &LIFETIMES)
                }
                Step::Approve(owner, right) => {
                    let phone = if owner { scene.phone } else { other_phone };
                    let number = if right { ticket.number.digits() } else { "9".into() };
                    ticket.answer(&phone, Answer::Approve { number: &number }, now, &LIFETIMES)
                }
                Step::Deny(owner) => {
                    ticket.answer(if owner { &scene.phone } else { &other_phone }, Answer::Deny, now, &LIFETIMES)
                }
                Step::Platform(mine) => {
                    let browser = if mine { &scene.browser } else { &other_browser };
                    ticket.approve_on_platform(browser, proof("a"), now, &LIFETIMES)
                }
                Step::Redeem(mine) => {
                    let browser = if mine { &scene.browser } else { &other_browser };
                    ticket.redeem(browser, now).map(|(next, _)| { redeemed += 1; next })
                }
                Step::Abandon(mine) => {
                    ticket.abandon(if mine { &scene.browser } else { &other_browser }, now)
                }
            };
            if let Ok(next) = next {
                prop_assert_eq!(next.version, ticket.version + 1);
                prop_assert!(rank(next.status(now)) >= rank(before));
                // Its browser is told how it stands, and a minute later it takes nobody's place (SEC-16).
                let ends = next.deadline().unwrap_or(now);
                prop_assert_eq!(next.keep_until, ends + Duration::from_secs(60));
                approved |= next.status(now) == Status::Approved;
                ticket = next;
            }
            prop_assert!(redeemed <= 1);
            prop_assert!(redeemed == 0 || approved);
        }
    }
}
