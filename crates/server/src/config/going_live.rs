//! What is well in the sandbox or on this machine, and not at the real platforms.

use mashang_login::ids::ChannelId;
use url::{Host, Url};

use super::channel::{ChannelSection, WechatMiniSection, WechatOfficialSection, WechatOpenSection};
use super::secret::secret_of;

/// What the built-in sandbox publishes in its manual: ids of its apps, their secrets, and the Token and EncodingAESKey that sign its
/// events. With these and without the sandbox, anybody could send us a platform's events (SEC-76).
pub(super) const SANDBOXES: [&str; 11] = [
    "wx5a9d0b0c0de00001",
    "5a9d0b0c0de0000100000000deadbeef",
    "wx5a9d0b0c0de00002",
    "5a9d0b0c0de0000200000000deadbeef",
    "wx5a9d0b0c0de00003",
    "5a9d0b0c0de0000300000000deadbeef",
    "ww5a9d0b0c0de00003",
    "5a9d-b0c0de_0000300000000deadbeef0000000001",
    "5a9d-b0c0de_0000300000000deadbeef0000000002",
    "sandboxEventToken",
    "SandboxEventKeySandboxEventKeySandboxEvent1",
];

impl ChannelSection {
    /// What WeChat will not take, as far as the address and the form of its ids tell.
    pub(super) fn hint(&self, id: &ChannelId, public_url: &Url) -> Option<String> {
        let (Self::WechatOpen(WechatOpenSection { appid, .. })
        | Self::WechatOfficial(WechatOfficialSection { appid, .. })
        | Self::WechatMini(WechatMiniSection { appid, .. })) = self
        else {
            return None;
        };
        let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
        if !appid.as_str().strip_prefix("wx").is_some_and(|rest| rest.len() == 16 && is_hex(rest)) {
            return Some(format!(
                "channel.{id}.appid: `{appid}` does not look like one, which is wx and 16 characters of 0-9 and a-f; copy it from the console again"
            ));
        }
        // Where people come back to us. A mini-program does not.
        if matches!(self, Self::WechatMini(_)) {
            return None;
        }
        let what = match public_url.host() {
            Some(Host::Domain(name)) if name != "localhost" && !name.ends_with(".localhost") => {
                match public_url.port_or_known_default() {
                    Some(80 | 443) => return None,
                    _ => "a port",
                }
            }
            _ => "this machine's or a bare address",
        };
        Some(format!(
            "channel.{id}: WeChat sends people back only to a domain name on ports 80 and 443, and server.public_url is {what} ({public_url}): they will see 10003, redirect_uri 域名与后台配置不一致"
        ))
    }

    /// What of it is the sandbox's own and known to everybody, in sentences.
    pub(crate) fn published(&self, place: &str) -> Vec<String> {
        let Some(account) = self.account() else { return Vec::new() };
        let mut values = vec![(account.key, Some(account.id.to_owned())), ("secret", account.secret.peek())];
        if let Some(events) = account.events {
            let token = secret_of(&events.token, events.token_file.as_deref()).peek();
            let key = secret_of(&events.aes_key, events.aes_key_file.as_deref()).peek();
            values.extend([("events.token", token), ("events.aes_key", key)]);
        }
        values.retain(|(_, value)| value.as_deref().is_some_and(|value| SANDBOXES.contains(&value)));
        let sentence = |(key, _)| {
            format!(
                "{place}.{key}: this is the sandbox's, which everybody knows; take your own from the console, or say sandbox.enabled = true on a machine of your own"
            )
        };
        values.into_iter().map(sentence).collect()
    }
}
