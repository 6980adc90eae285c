//! A ticket: one attempt to log in by scanning.
//!
//! ```text
//!              scan            approve             redeem
//!   Waiting ─────────► Scanned ─────────► Approved ─────────► Redeemed
//!      │  └───────── platform page ──────────►│
//!      └──────────────┬──────┴───────────────┘
//!                     ▼
//!            Denied (by the person)   Expired (by time, refresh or cancel)
//! ```
//!
//! No arrow goes back. Each transition is a pure function from the ticket as it was seen to the ticket as it shall be;
//! the store then writes it only if nobody else was faster ([`crate::tickets::Tickets::advance`], promise 3).
//! Expiry by time is asked with `now` in every function (promise 4).

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::Entropy;
use crate::identity::Proof;
use crate::ids::{ClientId, GrantId, ScanCode};
use crate::secret::SecretHash;

/// How long each stage may last (SEC-05).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Shown, waiting for a scan.
    pub waiting: Duration,
    /// Scanned, waiting for the person's answer.
    pub confirm: Duration,
    /// Approved, waiting for the browser.
    pub redeem: Duration,
}

impl Default for Lifetimes {
    /// 120 s, 120 s, 30 s.
    fn default() -> Self {
        Self {
            waiting: Duration::from_secs(120),
            confirm: Duration::from_secs(120),
            redeem: Duration::from_secs(30),
        }
    }
}

/// The number shown in the browser and typed on the phone (SEC-09): two digits, 10 to 99.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchNumber(u8);

impl MatchNumber {
    /// A fresh number, without modulo bias.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        loop {
            let mut byte = [0];
            entropy.fill(&mut byte);
            if byte[0] < 180 {
                return Self(10 + byte[0] % 90);
            }
        }
    }

    /// The digits, for the browser's page only.
    #[must_use]
    pub fn digits(self) -> String {
        self.0.to_string()
    }

    /// Whether the person typed it; white space and full-width digits (from Chinese keyboards) are accepted.
    #[must_use]
    pub fn matches(self, typed: &str) -> bool {
        let plain: String = typed
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| match c {
                '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32).unwrap_or(c),
                other => other,
            })
            .collect();
        self.digits().as_bytes().ct_eq(plain.as_bytes()).into()
    }
}

impl fmt::Debug for MatchNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MatchNumber([redacted])")
    }
}

/// What the confirm page tells the person about the request (SEC-08). Taken from the browser's start request, never
/// from the phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The website.
    pub client: ClientId,
    /// Its registered name.
    pub site_name: String,
    /// The host of its redirect address.
    pub site_host: String,
    /// Browser and system, such as `Chrome · Windows`.
    pub device: String,
    /// The browser's network address.
    pub address: String,
    /// When the QR was asked for.
    pub at: Timestamp,
}

/// Why a ticket ended without a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// The person said no.
    Declined,
    /// The number typed on the phone was wrong (SEC-09).
    WrongNumber,
}

/// Where a ticket stands; each stage carries its own facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Shown, nobody has scanned.
    Waiting {
        /// Last moment for a scan.
        until: Timestamp,
    },
    /// Scanned; the first scanner owns it (SEC-06).
    Scanned {
        /// Who scanned.
        by: Proof,
        /// The phone that scanned; only it may answer.
        phone: SecretHash,
        /// `phone` is still the one-time link that the scanner was sent by message: nobody has opened it.
        #[serde(default)]
        by_message: bool,
        /// Last moment for an answer.
        until: Timestamp,
    },
    /// Approved; the browser may redeem.
    Approved {
        /// Who approved.
        by: Proof,
        /// Last moment for the browser.
        until: Timestamp,
    },
    /// Redeemed, once and for all.
    Redeemed,
    /// Ended by the person.
    Denied {
        /// Why.
        why: Denial,
    },
    /// Ended by a refresh or by cancelling. (Ending by time needs no write: see [`Ticket::status`].)
    Expired,
}

impl Stage {
    /// Its name at `now`, with expiry by time (promise 4).
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        match self {
            Self::Waiting { until } | Self::Scanned { until, .. } | Self::Approved { until, .. }
                if now >= *until =>
            {
                Status::Expired
            }
            Self::Waiting { .. } => Status::Waiting,
            Self::Scanned { .. } => Status::Scanned,
            Self::Approved { .. } => Status::Approved,
            Self::Redeemed => Status::Redeemed,
            Self::Denied { .. } => Status::Denied,
            Self::Expired => Status::Expired,
        }
    }

    /// When it ends by time; `None` once it is final.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::Waiting { until } | Self::Scanned { until, .. } | Self::Approved { until, .. } => {
                Some(*until)
            }
            Self::Redeemed | Self::Denied { .. } | Self::Expired => None,
        }
    }

    /// Why it ended without a login.
    #[must_use]
    pub fn denial(&self) -> Option<Denial> {
        match self {
            Self::Denied { why } => Some(*why),
            _ => None,
        }
    }
}

/// The name of a stage at a moment: all that a waiting browser ever learns (SEC-03, SEC-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Shown.
    Waiting,
    /// Scanned.
    Scanned,
    /// Approved.
    Approved,
    /// Redeemed.
    Redeemed,
    /// Refused on the phone.
    Denied,
    /// Over.
    Expired,
}

impl Status {
    /// The name in events and pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Scanned => "scanned",
            Self::Approved => "approved",
            Self::Redeemed => "redeemed",
            Self::Denied => "denied",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing more can happen.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Redeemed | Self::Denied | Self::Expired)
    }
}

/// Why a transition was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The caller does not hold the secret that this step needs. Shown as unknown (SEC-14).
    #[error("not the device this ticket belongs to")]
    NotYours,
    /// Somebody else scanned first.
    #[error("already scanned by another phone")]
    Taken,
    /// The step before has not happened.
    #[error("not yet at that stage")]
    TooEarly,
    /// Too late by the clock, refreshed, or cancelled.
    #[error("expired")]
    Expired,
    /// Already answered.
    #[error("already answered")]
    Finished,
}

/// The person's answer on the phone.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// Yes, with the number as typed.
    Approve {
        /// What was typed.
        number: &'a str,
    },
    /// No.
    Deny,
}

/// One attempt to log in by scanning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The public half, inside the QR.
    pub scan_code: ScanCode,
    /// The grant it answers.
    pub grant: GrantId,
    /// Hash of the browser secret: needed to watch, cancel and redeem (promise 1).
    pub browser: SecretHash,
    /// What the phone is told about the request.
    pub origin: Origin,
    /// Shown in the browser, typed on the phone.
    pub number: MatchNumber,
    /// Counts transitions; the store compares it (promise 3).
    pub version: u32,
    /// Where it stands.
    pub stage: Stage,
    /// Until when the store keeps it, so that a late browser still gets a proper answer.
    pub keep_until: Timestamp,
}

/// What the browser that holds the secret may know of a ticket at a moment (SEC-03): most questions are about nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// Hash of the browser secret.
    pub browser: SecretHash,
    /// The stage's name.
    pub status: Status,
    /// Why it ended without a login.
    pub denial: Option<Denial>,
    /// Counts transitions.
    pub version: u32,
    /// When the present stage ends by time.
    pub deadline: Option<Timestamp>,
}

impl Glance {
    /// Whether `browser` started the ticket.
    #[must_use]
    pub fn belongs_to(&self, browser: &SecretHash) -> bool {
        self.browser == *browser
    }

    /// Whole seconds until the present stage ends by time, none once it is final.
    #[must_use]
    pub fn seconds_left(&self, now: Timestamp) -> u64 {
        let Some(deadline) = self.deadline else { return 0 };
        let left = deadline.as_millisecond() - now.as_millisecond();
        u64::try_from(left).unwrap_or(0).div_ceil(1000)
    }
}

/// The longest that one QR is shown, whatever it waits for (SEC-05).
const LONGEST_SHOWN: Duration = Duration::from_secs(300);
/// How long a finished or expired ticket is kept for its browser to hear about it.
const GRACE: Duration = Duration::from_secs(300);

impl Ticket {
    /// A fresh ticket, waiting.
    #[must_use]
    pub fn begin(
        grant: GrantId,
        browser: SecretHash,
        origin: Origin,
        now: Timestamp,
        lifetimes: &Lifetimes,
        entropy: &dyn Entropy,
    ) -> Self {
        let longest = lifetimes.waiting + lifetimes.confirm + lifetimes.redeem;
        Self {
            scan_code: ScanCode::random(entropy),
            grant,
            browser,
            origin,
            number: MatchNumber::random(entropy),
            version: 0,
            stage: Stage::Waiting { until: now + lifetimes.waiting },
            keep_until: now + longest + GRACE,
        }
    }

    /// The stage's name at `now`, with expiry by time.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        self.stage.status(now)
    }

    /// When the present stage ends by time; `None` once it is final.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.stage.deadline()
    }

    /// What its browser may know of it at `now`.
    #[must_use]
    pub fn glance(&self, now: Timestamp) -> Glance {
        Glance {
            browser: self.browser,
            status: self.status(now),
            denial: self.stage.denial(),
            version: self.version,
            deadline: self.deadline(),
        }
    }

    /// Whether `browser` started it.
    #[must_use]
    pub fn belongs_to(&self, browser: &SecretHash) -> bool {
        self.browser == *browser
    }

    /// The starting browser sets out for a platform's own page, whose QR lives longer than ours (WeChat: 300 s, fact
    /// sheet §1.3): it is waited for as long, but never beyond 300 s from the drawing (SEC-05). The stage stays
    /// `Waiting`.
    ///
    /// # Errors
    /// [`Refusal::NotYours`] for another browser, [`Refusal::Finished`] when it is no longer waiting.
    pub fn depart(&self, browser: &SecretHash, now: Timestamp, trip: Duration) -> Result<Self, Refusal> {
        if !self.belongs_to(browser) {
            return Err(Refusal::NotYours);
        }
        match (self.status(now), &self.stage) {
            (Status::Waiting, Stage::Waiting { until }) => {
                let longest = (now + trip).min(self.origin.at + LONGEST_SHOWN);
                Ok(self.moved(Stage::Waiting { until: longest.max(*until) }))
            }
            _ => Err(Refusal::Finished),
        }
    }

    /// A phone proved who holds it: `Waiting → Scanned`. It approves nothing (promise 2).
    ///
    /// # Errors
    /// [`Refusal::Taken`] for a second scanner, [`Refusal::Expired`] or [`Refusal::Finished`] when too late.
    pub fn scan(
        &self,
        by: Proof,
        phone: SecretHash,
        now: Timestamp,
        lifetimes: &Lifetimes,
    ) -> Result<Self, Refusal> {
        match self.status(now) {
            Status::Waiting => {
                let until = now + lifetimes.confirm;
                Ok(self.moved(Stage::Scanned { by, phone, by_message: false, until }))
            }
            Status::Scanned | Status::Approved => Err(Refusal::Taken),
            Status::Expired => Err(Refusal::Expired),
            Status::Redeemed | Status::Denied => Err(Refusal::Finished),
        }
    }

    /// A platform told by itself who scanned, and that person is sent `link` by message: `Waiting → Scanned`. When the
    /// same person scans again before opening it, the new link takes the former's place: messages get lost.
    ///
    /// # Errors
    /// [`Refusal::Taken`] for a second person or once the link was opened, [`Refusal::Expired`] or
    /// [`Refusal::Finished`] when too late.
    pub fn scan_by_message(
        &self,
        by: Proof,
        link: SecretHash,
        now: Timestamp,
        lifetimes: &Lifetimes,
    ) -> Result<Self, Refusal> {
        let until = match (self.status(now), &self.stage) {
            (Status::Waiting, _) => now + lifetimes.confirm,
            (Status::Scanned, Stage::Scanned { by: owner, by_message: true, until, .. })
                if owner.key == by.key =>
            {
                *until
            }
            // Refuses as it does a phone.
            _ => return self.scan(by, link, now, lifetimes),
        };
        Ok(self.moved(Stage::Scanned { by, phone: link, by_message: true, until }))
    }

    /// The one-time link that the scanner was sent is opened: the phone that opens it takes the link's place, and from
    /// then on only it may answer. What was learned of the person since goes into the proof by `change`. The stage stays
    /// `Scanned`, with its deadline.
    ///
    /// # Errors
    /// [`Refusal::NotYours`] for another link or a second opening, [`Refusal::TooEarly`] before a scan,
    /// [`Refusal::Expired`] or [`Refusal::Finished`] when too late.
    pub fn hand_over(
        &self,
        link: &SecretHash,
        phone: SecretHash,
        change: impl FnOnce(&mut Proof),
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let (by, until) = self.scanned_by(link, now)?;
        let mut by = by.clone();
        change(&mut by);
        Ok(self.moved(Stage::Scanned { by, phone, by_message: false, until }))
    }

    /// The phone that scanned proved something more, such as its number. The stage stays `Scanned`, with its deadline.
    ///
    /// # Errors
    /// As [`Ticket::hand_over`].
    pub fn amend(
        &self,
        phone: &SecretHash,
        change: impl FnOnce(&mut Proof),
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        self.hand_over(phone, *phone, change, now)
    }

    /// Who scanned and until when an answer is awaited, told only to the phone that owns the ticket.
    ///
    /// # Errors
    /// [`Refusal::NotYours`] for another phone, [`Refusal::TooEarly`] before a scan, [`Refusal::Expired`] or
    /// [`Refusal::Finished`] when too late.
    pub fn scanned_by(&self, phone: &SecretHash, now: Timestamp) -> Result<(&Proof, Timestamp), Refusal> {
        match (self.status(now), &self.stage) {
            (Status::Scanned, Stage::Scanned { phone: owner, .. }) if owner != phone => {
                Err(Refusal::NotYours)
            }
            (Status::Scanned, Stage::Scanned { by, until, .. }) => Ok((by, *until)),
            (Status::Waiting, _) => Err(Refusal::TooEarly),
            (Status::Expired, _) => Err(Refusal::Expired),
            _ => Err(Refusal::Finished),
        }
    }

    /// The person's answer on the phone that scanned: `Scanned → Approved` or `Denied`. A wrong number ends the ticket
    /// (SEC-09).
    ///
    /// # Errors
    /// [`Refusal::NotYours`] from another phone, [`Refusal::TooEarly`] before a scan, [`Refusal::Expired`] or
    /// [`Refusal::Finished`] when too late.
    pub fn answer(
        &self,
        phone: &SecretHash,
        answer: Answer<'_>,
        now: Timestamp,
        lifetimes: &Lifetimes,
    ) -> Result<Self, Refusal> {
        let (by, _) = self.scanned_by(phone, now)?;
        Ok(self.moved(match answer {
            Answer::Deny => Stage::Denied { why: Denial::Declined },
            Answer::Approve { number } if !self.number.matches(number) => {
                Stage::Denied { why: Denial::WrongNumber }
            }
            Answer::Approve { .. } => Stage::Approved { by: by.clone(), until: now + lifetimes.redeem },
        }))
    }

    /// The platform's own page got the person's consent and the starting browser itself came back with the proof:
    /// `Waiting → Approved`. The caller has checked that the browser is the one that set out.
    ///
    /// # Errors
    /// [`Refusal::NotYours`] for another browser, [`Refusal::Taken`] if a phone owns it already, [`Refusal::Expired`]
    /// or [`Refusal::Finished`] when too late.
    pub fn approve_on_platform(
        &self,
        browser: &SecretHash,
        by: Proof,
        now: Timestamp,
        lifetimes: &Lifetimes,
    ) -> Result<Self, Refusal> {
        if !self.belongs_to(browser) {
            return Err(Refusal::NotYours);
        }
        match self.status(now) {
            Status::Waiting => Ok(self.moved(Stage::Approved { by, until: now + lifetimes.redeem })),
            Status::Scanned => Err(Refusal::Taken),
            Status::Expired => Err(Refusal::Expired),
            Status::Approved | Status::Redeemed | Status::Denied => Err(Refusal::Finished),
        }
    }

    /// The starting browser collects the approval, once: `Approved → Redeemed`, with who approved.
    ///
    /// # Errors
    /// [`Refusal::NotYours`] for another browser, [`Refusal::TooEarly`] before approval, [`Refusal::Expired`] or
    /// [`Refusal::Finished`] when too late.
    pub fn redeem(&self, browser: &SecretHash, now: Timestamp) -> Result<(Self, Proof), Refusal> {
        if !self.belongs_to(browser) {
            return Err(Refusal::NotYours);
        }
        match (self.status(now), &self.stage) {
            (Status::Approved, Stage::Approved { by, .. }) => Ok((self.moved(Stage::Redeemed), by.clone())),
            (Status::Waiting | Status::Scanned, _) => Err(Refusal::TooEarly),
            (Status::Expired, _) => Err(Refusal::Expired),
            _ => Err(Refusal::Finished),
        }
    }

    /// The starting browser gives it up (refresh or cancel): any live stage → `Expired`.
    ///
    /// # Errors
    /// [`Refusal::NotYours`] for another browser, [`Refusal::Finished`] when it is already over.
    pub fn abandon(&self, browser: &SecretHash) -> Result<Self, Refusal> {
        if !self.belongs_to(browser) {
            return Err(Refusal::NotYours);
        }
        match self.stage {
            Stage::Waiting { .. } | Stage::Scanned { .. } | Stage::Approved { .. } => {
                Ok(self.moved(Stage::Expired))
            }
            Stage::Redeemed | Stage::Denied { .. } | Stage::Expired => Err(Refusal::Finished),
        }
    }

    fn moved(&self, stage: Stage) -> Self {
        Self { version: self.version + 1, stage, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
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
            key: IdentityKey {
                kind: ChannelKind::WechatOfficial,
                app: "wx1".into(),
                subject: subject.into(),
            },
            union: None,
            profile: Profile::default(),
            attributes: Attributes::default(),
            proven_at: start(),
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
            self.scanned()
                .answer(&self.phone, Answer::Approve { number: &number }, start(), &LIFETIMES)
                .unwrap()
        }
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
        assert_eq!(scene.ticket.abandon(&stranger()).unwrap_err(), Refusal::NotYours);
        assert_eq!(
            scene.ticket.approve_on_platform(&stranger(), proof("a"), start(), &LIFETIMES).unwrap_err(),
            Refusal::NotYours
        );
    }

    #[test]
    fn sec_09_one_wrong_number_ends_the_ticket() {
        let scene = scene();
        let wrong = if scene.ticket.number.matches("10") { "11" } else { "10" };
        let ended = scene
            .scanned()
            .answer(&scene.phone, Answer::Approve { number: wrong }, start(), &LIFETIMES)
            .unwrap();
        assert_eq!(ended.stage, Stage::Denied { why: Denial::WrongNumber });
        let right = ended.number.digits();
        let again = ended.answer(&scene.phone, Answer::Approve { number: &right }, start(), &LIFETIMES);
        assert_eq!(again, Err(Refusal::Finished));
    }

    #[test]
    fn numbers_typed_on_a_chinese_keyboard_match() {
        for value in 10..=99_u8 {
            let number = MatchNumber(value);
            let wide: String =
                number.digits().chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
            assert!(number.matches(&format!(" {wide} ")));
            assert!(!number.matches(""));
            assert!(!number.matches(&format!("{value}0")));
        }
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
        assert_eq!(
            gone.depart(&scene.browser, after(290), trip).unwrap().status(after(300)),
            Status::Expired
        );
        assert_eq!(scene.scanned().depart(&scene.browser, start(), trip), Err(Refusal::Finished));
    }

    #[test]
    fn sec_04_final_stages_stay_final() {
        let scene = scene();
        let (redeemed, _) = scene.approved().redeem(&scene.browser, start()).unwrap();
        assert_eq!(redeemed.redeem(&scene.browser, start()).unwrap_err(), Refusal::Finished);
        assert_eq!(redeemed.abandon(&scene.browser).unwrap_err(), Refusal::Finished);
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
                    Step::Abandon(mine) => ticket.abandon(if mine { &scene.browser } else { &other_browser }),
                };
                if let Ok(next) = next {
                    prop_assert_eq!(next.version, ticket.version + 1);
                    prop_assert!(rank(next.status(now)) >= rank(before));
                    approved |= next.status(now) == Status::Approved;
                    ticket = next;
                }
                prop_assert!(redeemed <= 1);
                prop_assert!(redeemed == 0 || approved);
            }
        }
    }
}
