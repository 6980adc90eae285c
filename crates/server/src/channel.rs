//! Channels: the adapters between a platform's client crate and a login. The only place where Tencent's words and ours
//! meet: `exchange` turns a platform's answer into a [`Proof`] or a [`ChannelFailure`] with words for the person.
//!
//! - [`wechat_open`]: the platform shows the QR and asks for consent; the browser itself returns.
//! - [`wechat_official`]: the phone that opened our QR is authorized inside WeChat; we ask for consent.
//!
//! [`start`], [`callback`] and [`returned`] are the endpoints they share.

pub mod callback;
pub mod returned;
pub mod start;
pub mod wechat_account;
pub mod wechat_official;
pub mod wechat_open;

use std::time::Duration;

use mashang_login::handshake::{Handshake, Traveller};
use mashang_login::identity::{ChannelKind, Proof};
use mashang_login::ids::ChannelId;
use mashang_login::secret::{SecretHash, random_text};
use mashang_login::ticket::Ticket;
use mashang_wechat::{Client, ClientOptions, FailureKind, Hosts};

use crate::config::{Config, ConfigError};
use crate::flow;
use crate::state::App;
use crate::web::language::Language;
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// One configured channel.
#[derive(Debug)]
pub struct Channel {
    /// The operator's name for it.
    pub id: ChannelId,
    /// Text of its tab; the language's default when absent.
    pub label: Option<String>,
    /// What it can do.
    pub means: Means,
}

/// What a channel can do; the compiler lists the cases.
#[derive(Debug)]
pub enum Means {
    /// WeChat's own QR page.
    WechatOpen(wechat_open::WechatOpen),
    /// Our QR, opened inside WeChat.
    WechatOfficial(wechat_official::WechatOfficial),
}

impl Channel {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ChannelKind {
        match self.means {
            Means::WechatOpen(_) => ChannelKind::WechatOpen,
            Means::WechatOfficial(_) => ChannelKind::WechatOfficial,
        }
    }

    /// Exchanges a code with the platform, once.
    ///
    /// # Errors
    /// [`ChannelFailure`] with words for the person and a line for the operator.
    pub async fn exchange(&self, app: &App, code: &str, language: Language) -> Result<Proof, ChannelFailure> {
        let account = match &self.means {
            Means::WechatOpen(open) => &open.account,
            Means::WechatOfficial(official) => &official.account,
        };
        account.prove(self, app.now(), code, language).await
    }
}

/// All configured channels, in the order of their tabs.
#[derive(Debug, Default)]
pub struct Channels(Vec<Channel>);

impl Channels {
    /// Builds the channels of a configuration, reading their secrets.
    ///
    /// # Errors
    /// [`ConfigError`] naming the channel.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let sandbox = config.sandbox_url();
        let hosts = sandbox.as_ref().map_or_else(Hosts::default, Hosts::sandbox);
        let options = ClientOptions { no_proxy: sandbox.is_some(), ..ClientOptions::default() };
        let client =
            Client::new(hosts, options).map_err(|error| ConfigError::Malformed(error.to_string()))?;
        let callbacks = config.server.public_url.as_str().trim_end_matches('/');
        let mut sections: Vec<_> = config.channel.iter().collect();
        sections.sort_by_key(|(id, section)| (section.order, (*id).clone()));
        let channels = sections.into_iter().map(|(id, section)| {
            let secret = section.read_secret(id)?;
            let callback =
                format!("{callbacks}{}", crate::urls::of_channel(crate::urls::CHANNEL_CALLBACK, id));
            let callback = callback
                .parse()
                .map_err(|_| ConfigError::Malformed(format!("channel.{id}: bad callback address")))?;
            let account = wechat_account::WechatAccount {
                client: client.clone(),
                appid: section.appid.clone(),
                secret,
                callback,
                platform: section.open_platform.clone(),
            };
            let means = match section.kind {
                ChannelKind::WechatOpen => {
                    Means::WechatOpen(wechat_open::WechatOpen { account, embedded: section.embedded })
                }
                ChannelKind::WechatOfficial => {
                    Means::WechatOfficial(wechat_official::WechatOfficial { account })
                }
            };
            Ok(Channel { id: id.clone(), label: section.label.clone(), means })
        });
        channels.collect::<Result<_, _>>().map(Self)
    }

    /// One channel by name.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Channel> {
        self.0.iter().find(|channel| channel.id.as_str() == id)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.0.iter()
    }

    /// The first that works behind our own QR inside WeChat.
    #[must_use]
    pub fn behind_our_qr(&self) -> Option<&Channel> {
        self.0.iter().find(|channel| matches!(channel.means, Means::WechatOfficial(_)))
    }
}

/// Which words tell a person about a platform's failure: the group `problem.<words>.…` of the locales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureWords {
    /// The code was spent, expired or wrong: scan again.
    Code,
    /// The operator must change a setting.
    Setup,
    /// The platform refuses this person.
    Person,
    /// The platform is busy: try again.
    Busy,
    /// The platform was not reached, or did not answer sensibly.
    Down,
    /// The page was opened as a snapshot.
    Snapshot,
    /// Anything else, by its errcode.
    Other,
}

impl FailureWords {
    const ALL: [Self; 7] =
        [Self::Code, Self::Setup, Self::Person, Self::Busy, Self::Down, Self::Snapshot, Self::Other];

    /// The group's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "channel_code",
            Self::Setup => "channel_setup",
            Self::Person => "channel_person",
            Self::Busy => "channel_busy",
            Self::Down => "channel_down",
            Self::Snapshot => "channel_snapshot",
            Self::Other => "channel_other",
        }
    }

    /// Reads [`FailureWords::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|words| words.as_str() == text).unwrap_or(Self::Other)
    }
}

/// A platform said no, or nothing sensible.
#[derive(Debug)]
pub struct ChannelFailure {
    /// What the person is told.
    pub words: FailureWords,
    /// The platform's errcode.
    pub errcode: Option<i64>,
    /// What the operator is told, once, with the reference the person sees (promise 9).
    pub log: String,
}

/// What an operator can do about a failure that has no errcode.
fn remedy_without_errcode(kind: FailureKind) -> Option<&'static str> {
    match kind {
        FailureKind::Unreachable => Some(
            "check DNS, firewall and proxy from this machine to api.weixin.qq.com:443 / 请检查本机到 api.weixin.qq.com:443 的 DNS、防火墙和代理",
        ),
        FailureKind::Malformed => Some(
            "something between this machine and WeChat answered instead of it, or WeChat is disturbed; look at proxies first / 可能有代理代替微信作了应答，或微信暂时异常；请先检查代理",
        ),
        _ => None,
    }
}

impl From<mashang_wechat::Error> for ChannelFailure {
    fn from(error: mashang_wechat::Error) -> Self {
        let words = match error.kind() {
            FailureKind::CodeSpent | FailureKind::CodeInvalid | FailureKind::TokenInvalid => {
                FailureWords::Code
            }
            FailureKind::BadCredentials | FailureKind::NotAllowed => FailureWords::Setup,
            FailureKind::UserLimited => FailureWords::Person,
            FailureKind::RateLimited | FailureKind::Busy => FailureWords::Busy,
            FailureKind::Unreachable | FailureKind::Malformed => FailureWords::Down,
            _ => FailureWords::Other,
        };
        let remedy = error.explanation().map(|found| {
            format!(" — {} {} / {} {}", found.en.what, found.en.remedy, found.zh.what, found.zh.remedy)
        });
        let mut causes = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            causes.push_str(": ");
            causes.push_str(&cause.to_string());
            source = cause.source();
        }
        let remedy = remedy.or_else(|| remedy_without_errcode(error.kind()).map(|text| format!(" — {text}")));
        Self { words, errcode: error.errcode(), log: causes + remedy.as_deref().unwrap_or_default() }
    }
}

/// How long a trip to a platform may take: WeChat's own QR lives five minutes (fact sheet §1.3).
const TRIP: Duration = Duration::from_secs(300);

/// Begins a trip: counts it, mints the `state`, and remembers who travels (SEC-25). Returns the `state` value (43
/// characters, far below the 128 bytes that official accounts allow, fact sheet §3) and the ticket as it then stands: a
/// browser that sets out for a platform's page is waited for as long as that page's QR lives.
///
/// # Errors
/// [`Problem::TooMany`] over the limit of starts (SEC-16), [`Problem::Store`] when it cannot be stored.
pub async fn begin_trip(
    app: &App,
    visitor: &Visitor,
    channel: &Channel,
    ticket: &Ticket,
    traveller: (Traveller, SecretHash),
) -> Result<(String, Ticket), Problem> {
    app.limits.count(Counted::Start, visitor.address)?;
    let (traveller, device) = traveller;
    let ticket = match traveller {
        Traveller::Phone => ticket.clone(),
        Traveller::Browser | Traveller::BrowserFrame => {
            let departed =
                flow::advance(app, &ticket.scan_code, |ticket, now| ticket.depart(&device, now, TRIP))
                    .await?;
            departed.unwrap_or_else(|_| ticket.clone())
        }
    };
    let state = random_text(&*app.entropy, 32);
    let now = app.now();
    let handshake = Handshake {
        state: SecretHash::of(&state),
        channel: channel.id.clone(),
        ticket: ticket.scan_code.clone(),
        grant: ticket.grant.clone(),
        device,
        traveller,
        expires_at: now + TRIP,
    };
    app.handshakes.begin(&handshake, now).await?;
    Ok((state, ticket))
}
