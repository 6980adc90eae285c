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

mod number;
mod stage;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::number::MatchNumber;
pub use self::stage::{Denial, Glance, Seen, Stage, Status};
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

/// How much longer an approval waits for a page that lies behind another app. SEC-05's 30 s are enough for a page in sight; the
/// approval is that browser's alone either way.
const BEHIND: Duration = Duration::from_secs(90);

impl Lifetimes {
    /// [`Lifetimes::redeem`] for a browser of this origin.
    #[must_use]
    pub fn redeem_for(&self, origin: &Origin) -> Duration {
        if origin.on_phone { self.redeem + BEHIND } else { self.redeem }
    }
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
    /// Whether the browser is on a phone: whoever waits there approves in another app meanwhile, and has to come back.
    #[serde(default)]
    pub on_phone: bool,
    /// The browser's network address.
    pub address: String,
    /// When the QR was asked for.
    pub at: Timestamp,
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
    /// The phone that answered, so that a second tap on its button is told what the first one did.
    #[serde(default)]
    pub answered_by: Option<SecretHash>,
    /// The trail has its start from when somebody acts on it, and not from when it was drawn: anybody may draw any number. (Under its
    /// former name, so that nodes of the version before tell the start once too; theirs was told already.)
    #[serde(default, rename = "is_redrawn")]
    pub is_untold: bool,
    /// Until when the store keeps it: a while beyond the end of its stage, so that a late browser still gets a proper answer.
    /// It moves with each stage, for what is kept takes one of the places that all logins share (SEC-16).
    pub keep_until: Timestamp,
}

/// The longest that one QR is shown, whatever it waits for (SEC-05).
const LONGEST_SHOWN: Duration = Duration::from_secs(300);
/// How long a finished or expired ticket is kept for its browser to hear about it: longer than a browser's own pause between
/// two questions, and than the clocks of two nodes may differ. Afterwards it is unknown, and the page draws another.
const GRACE: Duration = Duration::from_secs(60);

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
        let until = now + lifetimes.waiting;
        Self {
            scan_code: ScanCode::random(entropy),
            grant,
            browser,
            origin,
            number: MatchNumber::random(entropy),
            version: 0,
            stage: Stage::Waiting { until },
            answered_by: None,
            is_untold: true,
            keep_until: until + GRACE,
        }
    }

    /// Whether a move from this one to `next` is somebody's act, so that there is something to tell of this ticket: it leaves
    /// `Waiting` otherwise than by ending unused.
    #[must_use]
    pub fn is_acted_on(&self, next: &Self) -> bool {
        let waits = |ticket: &Self| matches!(ticket.stage, Stage::Waiting { .. });
        waits(self) && !waits(next) && !matches!(next.stage, Stage::Expired)
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
                Ok(self.moved(Stage::Waiting { until: longest.max(*until) }, now))
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
                Ok(self.moved(Stage::Scanned { by, phone, by_message: false, until }, now))
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
        Ok(self.moved(Stage::Scanned { by, phone: link, by_message: true, until }, now))
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
        Ok(self.moved(Stage::Scanned { by, phone, by_message: false, until }, now))
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
        let stage = match answer {
            Answer::Deny => Stage::Denied { why: Denial::Declined },
            Answer::Approve { number } if !self.number.matches(number) => {
                Stage::Denied { why: Denial::WrongNumber }
            }
            Answer::Approve { .. } => {
                Stage::Approved { by: by.clone(), until: now + lifetimes.redeem_for(&self.origin) }
            }
        };
        Ok(Self { answered_by: Some(*phone), ..self.moved(stage, now) })
    }

    /// What this phone has answered, if it has: yes, or why the login ended.
    #[must_use]
    pub fn answer_of(&self, phone: &SecretHash) -> Option<Result<(), Denial>> {
        if self.answered_by != Some(*phone) {
            return None;
        }
        match &self.stage {
            Stage::Approved { .. } | Stage::Redeemed => Some(Ok(())),
            Stage::Denied { why } => Some(Err(*why)),
            Stage::Waiting { .. } | Stage::Scanned { .. } | Stage::Expired => None,
        }
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
            Status::Waiting => {
                let until = now + lifetimes.redeem_for(&self.origin);
                Ok(self.moved(Stage::Approved { by, until }, now))
            }
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
            (Status::Approved, Stage::Approved { by, .. }) => {
                Ok((self.moved(Stage::Redeemed, now), by.clone()))
            }
            (Status::Waiting | Status::Scanned, _) => Err(Refusal::TooEarly),
            (Status::Expired, _) => Err(Refusal::Expired),
            _ => Err(Refusal::Finished),
        }
    }

    /// The starting browser gives it up (refresh or cancel): any live stage → `Expired`.
    ///
    /// # Errors
    /// [`Refusal::NotYours`] for another browser, [`Refusal::Finished`] when it is already over.
    pub fn abandon(&self, browser: &SecretHash, now: Timestamp) -> Result<Self, Refusal> {
        if !self.belongs_to(browser) {
            return Err(Refusal::NotYours);
        }
        match self.stage {
            Stage::Waiting { .. } | Stage::Scanned { .. } | Stage::Approved { .. } => {
                Ok(self.moved(Stage::Expired, now))
            }
            Stage::Redeemed | Stage::Denied { .. } | Stage::Expired => Err(Refusal::Finished),
        }
    }

    fn moved(&self, stage: Stage, now: Timestamp) -> Self {
        let keep_until = stage.deadline().unwrap_or(now) + GRACE;
        Self { version: self.version + 1, stage, keep_until, ..self.clone() }
    }
}
