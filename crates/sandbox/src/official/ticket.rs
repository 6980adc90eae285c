//! Parametric QR codes: what a ticket stands for, and its real layout (WeChat fact sheet §4.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ids::{self, Entropy};

/// A made code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QrTicket {
    pub(crate) appid: String,
    pub(crate) scene: Scene,
    /// What the picture holds.
    pub(crate) url: String,
    /// Unix milliseconds; a permanent code has no end.
    expires_ms: Option<i64>,
}

/// The parameter in the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    Id(u32),
    Text(String),
}

impl Scene {
    /// As in EventKey.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl QrTicket {
    /// `life_s` of zero: permanent.
    pub(crate) fn new(appid: &str, scene: Scene, url: String, life_s: u32, now_ms: i64) -> Self {
        let expires_ms = (life_s > 0).then(|| now_ms + i64::from(life_s) * 1000);
        Self { appid: appid.to_owned(), scene, url, expires_ms }
    }

    pub(crate) fn is_live(&self, now_ms: i64) -> bool {
        self.expires_ms.is_none_or(|end| now_ms < end)
    }
}

/// The 96 characters: 81 01, two varying bytes, the length of the rest, the link, creation time, life.
pub(crate) fn ticket_text(link_id: &str, life_s: u32, entropy: &Entropy, now_ms: i64) -> String {
    let link = format!("http://weixin.qq.com/q/{link_id}\0");
    let mut rest = vec![0x01, u8::try_from(link.len()).expect("the link has 46 bytes")];
    rest.extend_from_slice(link.as_bytes());
    rest.extend_from_slice(&[0x02, 0x04]);
    // Seconds fit until 2106.
    rest.extend_from_slice(&((now_ms / 1000) as u32).to_le_bytes());
    rest.extend_from_slice(&[0x03, 0x04]);
    rest.extend_from_slice(&life_s.to_le_bytes());
    let mut varying = [0u8; 2];
    entropy(&mut varying);
    let mut ticket = vec![0x81, 0x01, varying[0], varying[1]];
    ticket.extend_from_slice(&(rest.len() as u64).to_le_bytes());
    ticket.extend(rest);
    URL_SAFE_NO_PAD.encode(ticket)
}

/// A fresh name for a link.
pub(crate) fn link_id(entropy: &Entropy) -> String {
    ids::scene_link(entropy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticket_has_the_real_layout() {
        let text =
            ticket_text("02abcdefghijklmnopqrst", 300, &|bytes: &mut [u8]| bytes.fill(9), 1_700_000_000_000);
        assert_eq!(text.len(), 96);
        assert!(text.starts_with("gQE"), "{text}");
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        assert_eq!(bytes[4..12], 60u64.to_le_bytes());
        assert_eq!(&bytes[14..60], b"http://weixin.qq.com/q/02abcdefghijklmnopqrst\0");
        assert_eq!(bytes[62..66], 1_700_000_000u32.to_le_bytes());
        assert_eq!(bytes[68..72], 300u32.to_le_bytes());
    }
}
