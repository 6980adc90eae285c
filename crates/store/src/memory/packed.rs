//! A ticket as it lies in memory: a third of the size it has at work.
//!
//! Ids are their characters and nothing else, an address is its bytes, and what many tickets have in common (which
//! website, which kind of browser) is there once. Who scanned is known for few tickets at a time and stays as it is.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use mashang_login::Timestamp;
use mashang_login::ids::{ClientId, GrantId, ScanCode};
use mashang_login::secret::SecretHash;
use mashang_login::ticket::{Glance, MatchNumber, Origin, Stage, Ticket};

/// The 32 characters of a [`ScanCode`] or [`GrantId`].
pub(super) type Chars = [u8; 32];

/// The key of a ticket.
pub(super) fn key(code: &ScanCode) -> Chars {
    code.as_str().as_bytes().try_into().expect("a scan code has 32 characters")
}

/// What tickets of one website have in common when they were begun in the same kind of browser.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Common {
    client: ClientId,
    site_name: String,
    site_host: String,
    device: String,
    on_phone: bool,
}

/// Everything that tickets share, each once.
#[derive(Debug, Default)]
pub(super) struct Shared {
    known: HashSet<Arc<Common>>,
    /// When so many are known, those that no ticket needs any more are forgotten.
    look_at: usize,
}

impl Shared {
    fn of(&mut self, common: Common) -> Arc<Common> {
        if let Some(known) = self.known.get(&common) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.look_at {
            self.known.retain(|common| Arc::strong_count(common) > 1);
            self.look_at = 64.max(2 * self.known.len());
        }
        let common = Arc::new(common);
        self.known.insert(Arc::clone(&common));
        common
    }
}

/// [`Origin::address`].
#[derive(Clone)]
enum Address {
    Ip(IpAddr),
    /// Not written as an address is written, or not one.
    Other(Box<str>),
}

impl Address {
    fn pack(text: &str) -> Self {
        match text.parse::<IpAddr>() {
            Ok(address) if address.to_string() == text => Self::Ip(address),
            _ => Self::Other(text.into()),
        }
    }

    fn unpack(self) -> String {
        match self {
            Self::Ip(address) => address.to_string(),
            Self::Other(text) => text.into(),
        }
    }
}

/// [`Ticket::stage`], and who answered. Most tickets wait.
#[derive(Clone)]
enum PackedStage {
    Waiting(Timestamp),
    Other(Box<(Stage, Option<SecretHash>)>),
}

/// A ticket without its scan code, which is its key.
#[derive(Clone)]
pub(super) struct Packed {
    common: Arc<Common>,
    address: Address,
    at: Timestamp,
    grant: Chars,
    browser: SecretHash,
    number: MatchNumber,
    is_untold: bool,
    pub(super) version: u32,
    stage: PackedStage,
    keep_until: Timestamp,
}

impl Packed {
    pub(super) fn pack(ticket: &Ticket, shared: &mut Shared) -> Self {
        let Origin { client, site_name, site_host, device, on_phone, address, at } = &ticket.origin;
        Self {
            common: shared.of(Common {
                client: client.clone(),
                site_name: site_name.clone(),
                site_host: site_host.clone(),
                device: device.clone(),
                on_phone: *on_phone,
            }),
            address: Address::pack(address),
            at: *at,
            grant: ticket.grant.as_str().as_bytes().try_into().expect("a grant id has 32 characters"),
            browser: ticket.browser,
            number: ticket.number,
            is_untold: ticket.is_untold,
            version: ticket.version,
            stage: match &ticket.stage {
                Stage::Waiting { until } => PackedStage::Waiting(*until),
                other => PackedStage::Other(Box::new((other.clone(), ticket.answered_by))),
            },
            keep_until: ticket.keep_until,
        }
    }

    /// [`Ticket::glance`], in place.
    pub(super) fn glance(&self, now: Timestamp) -> Glance {
        let waiting;
        let stage = match &self.stage {
            PackedStage::Waiting(until) => {
                waiting = Stage::Waiting { until: *until };
                &waiting
            }
            PackedStage::Other(other) => &other.0,
        };
        Glance {
            browser: self.browser,
            status: stage.status(now),
            denial: stage.denial(),
            version: self.version,
            deadline: stage.deadline(),
        }
    }

    pub(super) fn unpack(self, code: &ScanCode) -> Ticket {
        let (stage, answered_by) = match self.stage {
            PackedStage::Waiting(until) => (Stage::Waiting { until }, None),
            PackedStage::Other(other) => *other,
        };
        let grant = std::str::from_utf8(&self.grant).ok().and_then(|text| GrantId::parse(text).ok());
        Ticket {
            scan_code: code.clone(),
            grant: grant.expect("it was packed from a grant id"),
            browser: self.browser,
            origin: Origin {
                client: self.common.client.clone(),
                site_name: self.common.site_name.clone(),
                site_host: self.common.site_host.clone(),
                device: self.common.device.clone(),
                on_phone: self.common.on_phone,
                address: self.address.unpack(),
                at: self.at,
            },
            number: self.number,
            version: self.version,
            stage,
            answered_by,
            is_untold: self.is_untold,
            keep_until: self.keep_until,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mashang_login::ambient::SystemEntropy;
    use mashang_login::ticket::Lifetimes;

    use super::*;

    fn ticket(address: &str, device: &str) -> Ticket {
        let at = Timestamp::from_second(1_800_000_000).unwrap() + Duration::from_nanos(123_456_789);
        let origin = Origin {
            client: "site".parse().unwrap(),
            site_name: "样例".into(),
            site_host: "site.example".into(),
            device: device.into(),
            on_phone: false,
            address: address.into(),
            at,
        };
        let grant = GrantId::random(&SystemEntropy);
        Ticket::begin(grant, SecretHash::of("x"), origin, at, &Lifetimes::default(), &SystemEntropy)
    }

    #[test]
    fn what_is_packed_is_unpacked_to_the_nanosecond() {
        let mut shared = Shared::default();
        for address in ["192.0.2.1", "2001:db8::1", "2001:0db8::1", "", "behind a proxy"] {
            let waiting = ticket(address, "Chrome · Linux");
            let ended = waiting.abandon(&waiting.browser, waiting.origin.at).unwrap();
            for ticket in [waiting, ended] {
                let packed = Packed::pack(&ticket, &mut shared);
                for later in [0, 119, 120, 1_000].map(Duration::from_secs) {
                    let now = ticket.origin.at + later;
                    assert_eq!(packed.glance(now), ticket.glance(now));
                }
                assert_eq!(packed.unpack(&ticket.scan_code), ticket);
            }
        }
        assert_eq!(shared.known.len(), 1);
    }

    #[test]
    fn what_no_ticket_needs_is_forgotten() {
        let mut shared = Shared::default();
        let kept = Packed::pack(&ticket("", "kept"), &mut shared);
        for number in 0..10_000 {
            Packed::pack(&ticket("", &number.to_string()), &mut shared);
        }
        assert!(shared.known.len() <= 64, "{}", shared.known.len());
        assert!(shared.known.contains(&kept.common));
    }

    #[test]
    fn a_waiting_ticket_takes_less_than_200_bytes() {
        assert!(size_of::<Packed>() <= 176, "{}", size_of::<Packed>());
    }
}
