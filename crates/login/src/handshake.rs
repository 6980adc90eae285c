//! One trip to a platform and back: the `state` parameter as a one-use record (SEC-25).
//!
//! A handshake begins when a device is sent to the platform and is claimed when it returns with a `code`. It is bound
//! to the device's cookie, the channel and the ticket, and is consumed before the code is exchanged. WeChat is known
//! to call back twice (prefetch, web-view retry, the back button; fact sheet §8.1): the second visit by the same device
//! is recognised and led to where the first one went, without a second exchange. One end may be followed by another: that of a
//! snapshot, by whatever the full page comes to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, GrantId, ScanCode};
use crate::secret::SecretHash;
use crate::ticket::Refusal;

/// Which device set out, and where it returns to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Traveller {
    /// The waiting browser itself, in its own window (platform page by redirect).
    Browser,
    /// The waiting browser, inside a frame of our login page.
    BrowserFrame,
    /// The phone that opened the scan link.
    Phone,
}

/// A trip to a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// Hash of the `state` value.
    pub state: SecretHash,
    /// The channel it goes through.
    pub channel: ChannelId,
    /// The ticket it is for.
    pub ticket: ScanCode,
    /// The grant that ticket answers.
    pub grant: GrantId,
    /// Hash of the device's own cookie.
    pub device: SecretHash,
    /// Who travels.
    pub traveller: Traveller,
    /// After this it can no longer be claimed.
    pub expires_at: Timestamp,
}

/// Who presents a `state`: the cookies of the device it arrived from, at the callback of one channel.
#[derive(Debug, Clone, Copy)]
pub struct Claimant<'a> {
    /// Hash of the `state` value.
    pub state: SecretHash,
    /// Whose callback it arrived at.
    pub channel: &'a ChannelId,
    /// Hashes of the browser's and the phone's half, as far as the device brought them.
    pub devices: &'a [SecretHash],
}

impl Handshake {
    /// Whether this is the device that set out, back through the channel it went.
    #[must_use]
    pub fn belongs_to(&self, claimant: &Claimant<'_>) -> bool {
        self.channel == *claimant.channel && claimant.devices.contains(&self.device)
    }
}

/// How a trip ended: told alike to every visit, so that a second one neither exchanges nor begins anything, but after a
/// snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TripEnd {
    /// The platform proved who it is, and the ticket moved.
    Moved,
    /// The person said no on the platform's page.
    Declined,
    /// The ticket refused the proof.
    Refused(Refusal),
    /// The platform refused or failed.
    Failed {
        /// Which words tell it.
        words: String,
        /// The platform's errcode.
        errcode: Option<i64>,
    },
}

/// The answer to presenting a `state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The first time: go on and exchange the code.
    First(Handshake),
    /// It was claimed before and has not expired: show what came of it.
    Again {
        /// The trip.
        trip: Handshake,
        /// How the first visit ended; `None` while it is still under way.
        end: Option<TripEnd>,
    },
    /// Issued to another device or for another channel. Nothing was consumed: a prefetch without cookies, or somebody who
    /// saw the address, does not spoil it for the device that set out. Told like [`Claim::Unknown`] (SEC-14).
    Foreign,
    /// Never issued, expired, or another kind of value.
    Unknown,
}
