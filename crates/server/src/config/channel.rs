//! `[channel.<id>]`: one section per way to prove who holds the phone. `kind` decides which keys a section has; any
//! other key is refused by name.

use std::path::PathBuf;

use mashang_login::identity::ChannelKind;
use mashang_login::ids::ChannelId;
use mashang_wechat::AppId;
use mashang_wechat::mini::code::is_page;
use serde::Deserialize;
use url::Url;

use super::app::AppSection;
use super::this_device::{EmailSection, PasskeySection, PasswordSection, SmsSection};
use crate::platform::config::{TokenHubSection, TokenSourceSection};

use super::Hidden;
use super::secret::{SecretPlace, secret_of};

/// One section.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ChannelSection {
    /// A website app of the Open Platform (网站应用).
    WechatOpen(WechatOpenSection),
    /// A service account (服务号).
    WechatOfficial(WechatOfficialSection),
    /// A mini-program (小程序).
    WechatMini(WechatMiniSection),
    /// An app of a WeCom corp (企业微信自建应用).
    Wecom(WecomSection),
    /// The operator's own app.
    App(AppSection),
    /// A key on the person's device.
    Passkey(PasskeySection),
    /// Name and password.
    Password(PasswordSection),
    /// A code by e-mail.
    Email(EmailSection),
    /// A code by SMS.
    Sms(SmsSection),
}

/// `kind = "wechat-open"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatOpenSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
    /// The website app's appid.
    pub appid: AppId,
    /// The AppSecret itself …
    pub secret: Option<Hidden>,
    /// … or the file that holds it.
    pub secret_file: Option<PathBuf>,
    /// The operator's name for the open-platform account the app is bound to.
    pub open_platform: Option<String>,
    /// WeChat's QR inside our page, rather than a button that leads to WeChat's page.
    #[serde(default = "yes")]
    pub embedded: bool,
}

/// `kind = "wechat-official"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatOfficialSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
    /// The service account's appid.
    pub appid: AppId,
    /// The AppSecret itself …
    pub secret: Option<Hidden>,
    /// … or the file that holds it.
    pub secret_file: Option<PathBuf>,
    /// The operator's name for the open-platform account the app is bound to.
    pub open_platform: Option<String>,
    /// Which QR is shown.
    #[serde(default)]
    pub qr: OfficialQr,
    /// Where WeChat sends what happens to the account; needed by `qr = "parametric"`.
    pub events: Option<EventsSection>,
    /// Other systems may fetch the app's token from us.
    pub token_hub: Option<TokenHubSection>,
    /// We fetch the app's token from another system.
    pub token_source: Option<TokenSourceSection>,
}

/// The QR of an official account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfficialQr {
    /// Our own link, opened inside WeChat: web authorization (网页授权).
    #[default]
    Link,
    /// WeChat's parametric QR (带参数二维码): people follow the account, and an event tells who scanned.
    Parametric,
}

/// `[channel.<id>.events]`: the server address that the platform's console was told (服务器配置).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsSection {
    /// The Token typed into the console …
    pub token: Option<Hidden>,
    /// … or the file that holds it.
    pub token_file: Option<PathBuf>,
    /// The EncodingAESKey of the console: 43 characters …
    pub aes_key: Option<Hidden>,
    /// … or the file that holds it.
    pub aes_key_file: Option<PathBuf>,
    /// The account's original id (原始 ID), `gh_…`; events for another one are refused.
    pub original_id: Option<String>,
    /// How events arrive.
    #[serde(default)]
    pub mode: EventMode,
    /// The operator's own handler, which gets everything that is not ours, unchanged.
    pub relay: Option<Url>,
}

/// The console's message encryption setting (消息加解密方式).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventMode {
    /// 安全模式: encrypted and signed.
    #[default]
    Secure,
    /// 兼容模式: ciphertext beside plaintext; only the ciphertext is read.
    Compatible,
    /// WEAKER, 明文模式: the signature does not cover the body.
    Plain,
}

/// `kind = "wechat-mini"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatMiniSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
    /// The mini-program's appid.
    pub appid: AppId,
    /// The AppSecret itself …
    pub secret: Option<Hidden>,
    /// … or the file that holds it.
    pub secret_file: Option<PathBuf>,
    /// The operator's name for the open-platform account the app is bound to.
    pub open_platform: Option<String>,
    /// Which QR is shown.
    #[serde(default)]
    pub qr: MiniQr,
    /// The page that asks, without a leading slash; the mini-program's home page when absent.
    pub page: Option<String>,
    /// Which build opens.
    #[serde(default)]
    pub version: MiniVersion,
    /// Whether `page` must exist in the released version; off while it is not released yet.
    #[serde(default = "yes")]
    pub check_page: bool,
    /// Other systems may fetch the app's token from us.
    pub token_hub: Option<TokenHubSection>,
    /// We fetch the app's token from another system.
    pub token_source: Option<TokenSourceSection>,
}

/// The QR of a mini-program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MiniQr {
    /// WeChat's mini-program code (小程序码), one per ticket.
    #[default]
    Code,
    /// Our own link, which a published rule opens in the mini-program (扫普通链接二维码打开小程序).
    Link,
}

/// The build of a mini-program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MiniVersion {
    /// 正式版.
    #[default]
    Release,
    /// 体验版.
    Trial,
    /// 开发版.
    Develop,
}

/// `kind = "wecom"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WecomSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
    /// 企业 ID.
    pub corpid: String,
    /// AgentId of the self-built app.
    pub agentid: u64,
    /// The app's Secret itself …
    pub secret: Option<Hidden>,
    /// … or the file that holds it.
    pub secret_file: Option<PathBuf>,
    /// Which QR is shown.
    #[serde(default)]
    pub qr: WecomQr,
    /// WEAKER in looks, not in safety: the old page (`qrConnect`) instead of the new one.
    #[serde(default)]
    pub old_page: bool,
    /// Ask for the member's private fields (e-mail) inside WeCom; shows WeCom's own consent page.
    #[serde(default)]
    pub private_info: bool,
    /// WEAKER: people outside the corp may sign in too, as identities of their own.
    #[serde(default)]
    pub allow_outsiders: bool,
    /// The fixed address WeCom must see (企业可信 IP): calls go through this HTTP proxy.
    pub proxy: Option<Url>,
    /// Where WeCom sends directory changes (通讯录变更), so that leavers are signed out at once.
    pub events: Option<EventsSection>,
    /// Other systems may fetch the app's token from us.
    pub token_hub: Option<TokenHubSection>,
    /// We fetch the app's token from another system.
    pub token_source: Option<TokenSourceSection>,
}

/// The QR of a WeCom app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WecomQr {
    /// WeCom's login panel inside our page.
    #[default]
    Panel,
    /// A button that leads to WeCom's page.
    Page,
    /// Our own link, opened inside WeCom.
    Link,
}

fn yes() -> bool {
    true
}

impl ChannelSection {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::WechatOpen(_) => ChannelKind::WechatOpen,
            Self::WechatOfficial(_) => ChannelKind::WechatOfficial,
            Self::WechatMini(_) => ChannelKind::WechatMini,
            Self::Wecom(_) => ChannelKind::Wecom,
            Self::App(_) => ChannelKind::App,
            Self::Passkey(_) => ChannelKind::Passkey,
            Self::Password(_) => ChannelKind::Password,
            Self::Email(_) => ChannelKind::Email,
            Self::Sms(_) => ChannelKind::Sms,
        }
    }

    /// Position of its tab.
    #[must_use]
    pub fn order(&self) -> i32 {
        match self {
            Self::WechatOpen(section) => section.order,
            Self::WechatOfficial(section) => section.order,
            Self::WechatMini(section) => section.order,
            Self::Wecom(section) => section.order,
            Self::App(section) => section.order,
            Self::Passkey(section) => section.order,
            Self::Password(section) => section.order,
            Self::Email(section) => section.order,
            Self::Sms(section) => section.order,
        }
    }

    /// Text of its tab.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::WechatOpen(section) => section.label.as_deref(),
            Self::WechatOfficial(section) => section.label.as_deref(),
            Self::WechatMini(section) => section.label.as_deref(),
            Self::Wecom(section) => section.label.as_deref(),
            Self::App(section) => section.label.as_deref(),
            Self::Passkey(section) => section.label.as_deref(),
            Self::Password(section) => section.label.as_deref(),
            Self::Email(section) => section.label.as_deref(),
            Self::Sms(section) => section.label.as_deref(),
        }
    }

    /// Whether other systems may fetch its app's token from us.
    #[must_use]
    pub fn token_hub(&self) -> Option<&TokenHubSection> {
        match self {
            Self::WechatOfficial(section) => section.token_hub.as_ref(),
            Self::WechatMini(section) => section.token_hub.as_ref(),
            Self::Wecom(section) => section.token_hub.as_ref(),
            _ => None,
        }
    }

    /// Where its app's token comes from, if not from the platform.
    #[must_use]
    pub fn token_source(&self) -> Option<&TokenSourceSection> {
        match self {
            Self::WechatOfficial(section) => section.token_source.as_ref(),
            Self::WechatMini(section) => section.token_source.as_ref(),
            Self::Wecom(section) => section.token_source.as_ref(),
            _ => None,
        }
    }

    /// What is wrong with it, in sentences.
    pub(super) fn check(&self, id: &ChannelId, wrong: &mut Vec<String>) {
        let place = format!("channel.{id}");
        if let Some(hub) = self.token_hub() {
            hub.check(&place, wrong);
        }
        if let Some(source) = self.token_source() {
            source.check(&place, wrong);
        }
        if let Some(account) = self.account() {
            account.secret.check(&place, "secret", account.id, wrong);
            if let Some(events) = account.events {
                events.check(&place, matches!(self, Self::WechatOfficial(_)), wrong);
            }
        }
        match self {
            Self::WechatOfficial(section) if section.qr == OfficialQr::Parametric => match &section.events {
                Some(events) if events.mode == EventMode::Plain => wrong.push(format!(
                    "{place}.events.mode: in 明文模式 anybody who sees one request could sign in as anybody; choose 安全模式 in the console and leave the mode out here"
                )),
                Some(_) => {}
                None => wrong.push(format!(
                    "{place}: qr = \"parametric\" needs [{place}.events] with token, aes_key and original_id, as typed into 公众平台 › 设置与开发 › 基本配置 › 服务器配置"
                )),
            },
            Self::WechatMini(section) if !section.page.as_deref().is_none_or(is_page) => wrong.push(format!(
                "{place}.page: not empty, without a leading slash and without a query, such as pages/confirm/confirm"
            )),
            Self::App(section) => section.check(id, wrong),
            // What the others have beside that is looked at in `Config::check`, which knows the server's address and the sandbox.
            _ => {}
        }
    }
}

/// What a platform knows an operator by.
pub(super) struct Account<'a> {
    /// The key of its id in the section.
    pub(super) key: &'static str,
    pub(super) id: &'a str,
    pub(super) secret: SecretPlace<'a>,
    pub(super) events: Option<&'a EventsSection>,
}

impl ChannelSection {
    /// Who the operator is at WeChat or WeCom, for channels of these.
    pub(super) fn account(&self) -> Option<Account<'_>> {
        let (key, id, secret, file, events) = match self {
            Self::WechatOpen(section) => {
                ("appid", section.appid.as_str(), &section.secret, &section.secret_file, None)
            }
            Self::WechatOfficial(WechatOfficialSection { appid, secret, secret_file, events, .. }) => {
                ("appid", appid.as_str(), secret, secret_file, events.as_ref())
            }
            Self::WechatMini(section) => {
                ("appid", section.appid.as_str(), &section.secret, &section.secret_file, None)
            }
            Self::Wecom(WecomSection { corpid, secret, secret_file, events, .. }) => {
                ("corpid", corpid.as_str(), secret, secret_file, events.as_ref())
            }
            Self::App(_) | Self::Passkey(_) | Self::Password(_) | Self::Email(_) | Self::Sms(_) => {
                return None;
            }
        };
        Some(Account { key, id, secret: secret_of(secret, file.as_deref()), events })
    }
}

impl EventsSection {
    fn check(&self, place: &str, official: bool, wrong: &mut Vec<String>) {
        let place = format!("{place}.events");
        secret_of(&self.token, self.token_file.as_deref()).check(&place, "token", "the console", wrong);
        if self.mode != EventMode::Plain {
            secret_of(&self.aes_key, self.aes_key_file.as_deref()).check(
                &place,
                "aes_key",
                "the console",
                wrong,
            );
        }
        if official && self.original_id.is_none() {
            wrong.push(format!(
                "{place}.original_id: the account's 原始 ID, gh_…, found in 公众平台 › 设置与开发 › 账号设置"
            ));
        }
        if !official && self.mode != EventMode::Secure {
            wrong.push(format!("{place}.mode: WeCom always encrypts; leave it out"));
        }
    }
}
