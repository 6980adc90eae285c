//! Where a ticket stands, and what its browser is told of that.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::Proof;
use crate::secret::SecretHash;

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
        let name = match self {
            Self::Waiting { .. } => Status::Waiting,
            Self::Scanned { .. } => Status::Scanned,
            Self::Approved { .. } => Status::Approved,
            Self::Redeemed => Status::Redeemed,
            Self::Denied { .. } => Status::Denied,
            Self::Expired => Status::Expired,
        };
        name.at(self.deadline(), now)
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

    /// What it is at `now`, if it ends by time at `deadline` (promise 4).
    #[must_use]
    fn at(self, deadline: Option<Timestamp>, now: Timestamp) -> Self {
        if deadline.is_some_and(|deadline| now >= deadline) { Self::Expired } else { self }
    }

    /// Whether nothing more can happen.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Redeemed | Self::Denied | Self::Expired)
    }
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

/// A ticket as [`Ticket`](super::Ticket) is written (JSON, for one), read for what a glance needs and nothing else: most of
/// the questions an engine is asked are polls.
#[derive(Debug, Deserialize)]
pub struct Seen {
    browser: SecretHash,
    version: u32,
    stage: SeenStage,
}

/// [`Stage`], whose tag is a [`Status`]'s name.
#[derive(Debug, Deserialize)]
struct SeenStage {
    stage: Status,
    until: Option<Timestamp>,
    why: Option<Denial>,
}

impl Seen {
    /// As [`Ticket::glance`](super::Ticket::glance).
    #[must_use]
    pub fn glance(&self, now: Timestamp) -> Glance {
        let SeenStage { stage, until, why } = self.stage;
        Glance {
            browser: self.browser,
            status: stage.at(until, now),
            denial: why,
            version: self.version,
            deadline: until,
        }
    }
}
