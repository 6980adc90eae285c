//! Where an official account's events go, and how they are protected (WeChat fact sheet §4.5–4.8).

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// The event Token of the official account in [`default_apps`](crate::default_apps). Public knowledge.
pub const DEMO_OFFICIAL_TOKEN: &str = "sandboxEventToken";
/// Its EncodingAESKey. The last character has non-zero trailing bits, as three of four real keys have: decoders that
/// insist on zeros fail on it (§4.8).
pub const DEMO_OFFICIAL_AES_KEY: &str = "SandboxEventKeySandboxEventKeySandboxEvent1";

/// The server settings (服务器配置) of one official account.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTarget {
    /// http or https. The real console allows ports 80 and 443 only; here any port will do.
    pub url: Url,
    /// Signs; 3 to 32 letters and digits. Not shown by `Debug`.
    pub token: String,
    /// EncodingAESKey: 43 letters and digits. Not shown by `Debug`.
    pub aes_key: String,
    /// How the body travels.
    #[serde(default)]
    pub mode: EventMode,
}

impl EventTarget {
    /// The demo account's settings in secure mode, for this address.
    pub fn demo(url: Url) -> Self {
        Self {
            url,
            token: DEMO_OFFICIAL_TOKEN.to_owned(),
            aes_key: DEMO_OFFICIAL_AES_KEY.to_owned(),
            mode: EventMode::Secure,
        }
    }
}

impl fmt::Debug for EventTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventTarget")
            .field("url", &self.url.as_str())
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// 消息加解密方式 of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventMode {
    /// 明文模式: nothing is encrypted.
    Plain,
    /// 兼容模式: plain elements and the ciphertext side by side.
    Compatible,
    /// 安全模式: ciphertext only.
    #[default]
    Secure,
}
