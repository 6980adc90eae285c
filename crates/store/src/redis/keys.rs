//! Names of keys and channels. What one script touches shares a hash tag (`{…}`), and so lies in one slot of a cluster.

use mashang_login::ids::{ChannelId, ScanCode};
use mashang_login::secret::SecretHash;

use crate::signal::fnv;

/// Channels, and parts that tickets lie in. Enough to spread over any cluster, few enough to listen to all.
pub(super) const SHARDS: u32 = 64;

#[derive(Clone)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// All channels, for whoever listens.
    pub(super) fn channels(&self) -> Vec<String> {
        (0..SHARDS).map(|shard| self.channel(shard)).collect()
    }

    pub(super) fn channel_of(&self, code: &ScanCode) -> String {
        self.channel(shard(code))
    }

    fn channel(&self, shard: u32) -> String {
        format!("{}ev:{{{shard}}}", self.prefix)
    }

    pub(super) fn ticket(&self, code: &ScanCode) -> String {
        format!("{}t:{{{}}}:{code}", self.prefix, shard(code))
    }

    pub(super) fn live_tickets(&self) -> String {
        format!("{}live:t", self.prefix)
    }

    pub(super) fn handshake(&self, state: &SecretHash) -> String {
        format!("{}{{h}}:{}", self.prefix, state.to_text())
    }

    pub(super) fn trip_end(&self, state: &SecretHash) -> String {
        format!("{}{{h}}:{}:end", self.prefix, state.to_text())
    }

    pub(super) fn live_handshakes(&self) -> String {
        format!("{}{{h}}:live", self.prefix)
    }

    pub(super) fn provider_code(&self, channel: &ChannelId, code: &SecretHash) -> String {
        format!("{}{{p}}:{channel}:{}", self.prefix, code.to_text())
    }

    pub(super) fn live_provider_codes(&self) -> String {
        format!("{}{{p}}:live", self.prefix)
    }

    pub(super) fn challenge(&self, id: &SecretHash) -> String {
        format!("{}{{c}}:{}", self.prefix, id.to_text())
    }

    pub(super) fn counter(&self, key: &SecretHash) -> String {
        format!("{}n:{}", self.prefix, key.to_text())
    }

    pub(super) fn live_challenges(&self) -> String {
        format!("{}{{c}}:live", self.prefix)
    }
}

fn shard(code: &ScanCode) -> u32 {
    fnv(code.as_str()) % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_lies_where_its_channel_does() {
        let keys = Keys::new("x:".into());
        let code = ScanCode::parse(&"q".repeat(32)).unwrap();
        let tag =
            |key: &str| key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).unwrap().0.to_owned();
        assert_eq!(tag(&keys.ticket(&code)), tag(&keys.channel_of(&code)));
        assert!(keys.channels().contains(&keys.channel_of(&code)));
    }
}
