//! Channels: the adapters between a platform's client crate and a login. The only place where Tencent's words and ours
//! meet: `exchange` turns a platform's answer into a [`Proof`] or a [`ChannelFailure`] with words for the person.
//!
//! - [`wechat_open`]: the platform shows the QR and asks for consent; the browser itself returns.
//! - [`wechat_official`]: the phone that opened our QR is authorized inside WeChat, or WeChat's [`parametric`] QR was
//!   scanned and an event tells who it was ([`official_event`]); we ask for consent.
//! - [`wechat_mini`]: a mini-program's page asks, over [`crate::phone`].
//! - [`wecom`]: as the first in a browser, as the second inside WeCom.
//! - [`app`]: the operator's own app asks, over [`crate::phone`].
//! - [`passkey`], [`password`], [`email`], [`sms`]: the waiting browser itself proves the person, by a form of the login
//!   page ([`crate::login`]); nothing is scanned. The last two send a [`one_time_code`].
//!
//! [`start`], [`callback`] and [`returned`] are the endpoints of trips to a platform's page; [`events`] hears what a
//! platform tells by itself, and [`relay`] hands on what is not ours. What a channel calls its platform for goes through
//! [`crate::platform`].

pub mod app;
mod authorization_event;
mod build;
pub mod callback;
mod directory_event;
pub mod email;
pub mod events;
mod failure;
pub mod guesses;
mod official_event;
pub mod one_time_code;
pub mod parametric;
pub mod passkey;
pub mod password;
pub mod relay;
pub mod returned;
pub mod sms;
pub mod start;
pub mod wechat_account;
pub mod wechat_mini;
pub mod wechat_official;
pub mod wechat_open;
pub mod wecom;

use std::sync::Arc;
use std::time::Duration;

use mashang_login::Entropy;
use mashang_login::client::Client;
use mashang_login::grant::Purpose;
use mashang_login::handshake::{Handshake, Traveller};
use mashang_login::identity::{ChannelKind, Proof};
use mashang_login::ids::{ChannelId, ScanCode};
use mashang_login::secret::SecretHash;
use mashang_login::session::Session;
use mashang_login::ticket::Ticket;
use url::Url;

pub use self::failure::{ChannelFailure, FailureWords};
use crate::config::channel::{MiniQr, WecomQr};
use crate::config::{Config, ConfigError};
use crate::flow;
use crate::metrics::Metrics;
use crate::platform::Source;
use crate::platform::config::HubKey;
use crate::state::App;
use crate::web::language::{Language, Words};
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
    /// What its platform tells us by itself.
    pub events: Option<events::Events>,
    /// The key under which the operator's other systems fetch the app's token from us.
    pub hub: Option<HubKey>,
}

/// What a channel can do; the compiler lists the cases.
#[derive(Debug)]
pub enum Means {
    /// WeChat's own QR page.
    WechatOpen(wechat_open::WechatOpen),
    /// Our QR, opened inside WeChat; or WeChat's parametric QR.
    WechatOfficial(wechat_official::WechatOfficial),
    /// A mini-program's page asks.
    WechatMini(wechat_mini::WechatMini),
    /// WeCom's page or panel; or our QR, opened inside WeCom.
    Wecom(wecom::Wecom),
    /// The operator's own app.
    App(app::OwnApp),
    /// A key on the person's device.
    Passkey(passkey::Passkey),
    /// Name and password.
    Password(password::Password),
    /// A code by e-mail.
    Email(email::Email),
    /// A code by SMS.
    Sms(sms::Sms),
}

impl Channel {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ChannelKind {
        match self.means {
            Means::WechatOpen(_) => ChannelKind::WechatOpen,
            Means::WechatOfficial(_) => ChannelKind::WechatOfficial,
            Means::WechatMini(_) => ChannelKind::WechatMini,
            Means::Wecom(_) => ChannelKind::Wecom,
            Means::App(_) => ChannelKind::App,
            Means::Passkey(_) => ChannelKind::Passkey,
            Means::Password(_) => ChannelKind::Password,
            Means::Email(_) => ChannelKind::Email,
            Means::Sms(_) => ChannelKind::Sms,
        }
    }

    /// Where its app's token comes from, if it has such a token.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        match &self.means {
            Means::WechatOfficial(official) => Some(&official.account.source),
            Means::WechatMini(mini) => Some(&mini.account.source),
            Means::Wecom(wecom) => Some(&wecom.source),
            Means::WechatOpen(_)
            | Means::App(_)
            | Means::Passkey(_)
            | Means::Password(_)
            | Means::Email(_)
            | Means::Sms(_) => None,
        }
    }

    /// The appid or corpid whose people it proves, where the platform gives one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match &self.means {
            Means::WechatOpen(open) => Some(open.account.appid.as_str()),
            Means::WechatOfficial(official) => Some(official.account.appid.as_str()),
            Means::WechatMini(mini) => Some(mini.account.appid.as_str()),
            Means::Wecom(wecom) => Some(wecom.corp.as_str()),
            Means::App(_) | Means::Passkey(_) | Means::Password(_) | Means::Email(_) | Means::Sms(_) => None,
        }
    }

    /// Which app the person scans with.
    #[must_use]
    pub fn platform(&self) -> Platform {
        Platform::of(self.kind())
    }

    /// Text of its tab.
    #[must_use]
    pub fn label(&self, words: &Words, language: Language) -> String {
        let named = || words.say(language, &format!("channel.{}", self.kind().as_str()), &[]);
        self.label.clone().unwrap_or_else(named)
    }

    /// Exchanges a code that a trip brought back, once.
    ///
    /// # Errors
    /// [`ChannelFailure`] with words for the person and a line for the operator.
    pub async fn exchange(&self, app: &App, code: &str, language: Language) -> Result<Proof, ChannelFailure> {
        match &self.means {
            Means::WechatOpen(open) => open.account.prove(self, app, code, language).await,
            Means::WechatOfficial(official) => official.account.prove(self, app, code, language).await,
            Means::Wecom(wecom) => wecom.prove(app, self, code).await,
            _ => Err(ChannelFailure::unsupported(self)),
        }
    }

    /// The platform's page that the waiting browser's own window is sent to, if the channel has one.
    #[must_use]
    pub fn browser_page(&self, state: &str, language: Language) -> Option<Url> {
        match &self.means {
            Means::WechatOpen(open) => Some(open.page(state, language)),
            Means::Wecom(wecom) => Some(wecom.page(state, language)),
            _ => None,
        }
    }

    /// The platform's page that a phone is sent to which opened our link inside the platform's app, if there is one.
    ///
    /// # Errors
    /// [`Problem::Broken`] if our state were malformed, which the tests rule out.
    pub fn phone_page(&self, state: &str) -> Result<Option<Url>, Problem> {
        match &self.means {
            Means::WechatOfficial(official) => official.page(state).map(Some),
            Means::Wecom(wecom) => wecom.in_app_page(state).map(Some),
            _ => Ok(None),
        }
    }

    /// The platform's page for a frame of our login page.
    #[must_use]
    pub fn frame_page(&self, state: &str, language: Language) -> Option<Url> {
        match &self.means {
            Means::WechatOpen(open) => Some(open.frame(state, language)),
            Means::Wecom(wecom) => wecom.panel(state, language),
            _ => None,
        }
    }

    /// Width and height of that frame, in CSS pixels.
    #[must_use]
    pub fn frame_size(&self) -> (u16, u16) {
        match self.means {
            Means::Wecom(_) => mashang_wechat::wecom::PanelSize::Small.pixels(),
            _ => (300, 400),
        }
    }

    /// The host of the platform's page, which the person is told and the frame is allowed to show.
    #[must_use]
    pub fn page_host(&self) -> Option<&Url> {
        match &self.means {
            Means::WechatOpen(open) => Some(&open.account.client.hosts().open),
            Means::Wecom(wecom) => Some(wecom.page_host()),
            _ => None,
        }
    }

    /// What its tab shows on a computer.
    #[must_use]
    pub fn shown(&self) -> Shown {
        match &self.means {
            Means::WechatOpen(open) => Shown::Page { framed: open.embedded },
            Means::WechatOfficial(official) if official.parametric.is_some() => Shown::Code,
            Means::WechatMini(mini) if mini.qr == MiniQr::Code => Shown::Code,
            Means::Wecom(wecom) => match wecom.qr {
                WecomQr::Panel => Shown::Page { framed: !wecom.old_page },
                WecomQr::Page => Shown::Page { framed: false },
                WecomQr::Link => Shown::Link,
            },
            Means::WechatOfficial(_) | Means::WechatMini(_) | Means::App(_) => Shown::Link,
            Means::Passkey(_) | Means::Password(_) | Means::Email(_) | Means::Sms(_) => Shown::Form,
        }
    }

    /// What its tab shows on a computer for a grant. A platform's page speaks of signing in only, so whoever is added to
    /// an account is asked by ours (SEC-08, SEC-38).
    #[must_use]
    pub fn shown_for(&self, purpose: &Purpose) -> Shown {
        match (self.shown(), purpose) {
            (Shown::Page { .. }, Purpose::Link { .. }) if self.opens_our_link() => Shown::Link,
            (shown, _) => shown,
        }
    }

    /// As [`Channel::shown_for`], for a page that may not be ours. A platform's page cannot be put into a website's own page;
    /// where our link leads to the same people, it takes that page's place.
    #[must_use]
    pub fn shown_in(&self, place: Place, purpose: &Purpose) -> Shown {
        match (self.shown_for(purpose), place) {
            (Shown::Page { .. }, Place::TheirPage) if self.opens_our_link() => Shown::Link,
            (shown, _) => shown,
        }
    }

    /// Whether a website's own page can show it.
    #[must_use]
    pub fn fits_their_page(&self, purpose: &Purpose) -> bool {
        matches!(self.shown_in(Place::TheirPage, purpose), Shown::Link | Shown::Code)
    }

    /// Whether the person can be told what a grant ends in: by our own page, or over the phone API. Passwords and passkeys
    /// are added on the person's own page, not by a login.
    #[must_use]
    pub fn serves(&self, purpose: &Purpose) -> bool {
        let is_added_elsewhere =
            self.kind().is_held_here() || matches!(self.shown_for(purpose), Shown::Page { .. });
        !(is_added_elsewhere && matches!(purpose, Purpose::Link { .. }))
    }

    /// Has the platform draw its code for a ticket.
    ///
    /// # Errors
    /// [`ChannelFailure`] when the platform refuses or fails.
    pub async fn draw_code(&self, app: &App, ticket: &Ticket) -> Result<Code, ChannelFailure> {
        match &self.means {
            Means::WechatOfficial(official) => official.draw_code(app, self, ticket).await,
            Means::WechatMini(mini) => mini.draw_code(app, ticket).await,
            _ => Err(ChannelFailure::unsupported(self)),
        }
    }

    /// Whether the platform has drawn its code for a ticket, or need not be asked.
    #[must_use]
    pub fn has_drawn(&self, ticket: &Ticket) -> bool {
        match &self.means {
            Means::WechatOfficial(official) => official.has_drawn(ticket),
            Means::WechatMini(mini) => mini.has_drawn(ticket),
            _ => true,
        }
    }

    /// Whether our own link is of use to the platform's app at all: opened by it, or by what it hands the link to.
    #[must_use]
    pub fn takes_our_link(&self) -> bool {
        self.opens_our_link() || self.shown() == Shown::Link
    }

    /// A button that opens the operator's app on this phone with the scan code, where the operator named one.
    #[must_use]
    pub fn app_link(&self, code: &ScanCode) -> Option<String> {
        match &self.means {
            Means::App(app) => app.link(code),
            _ => None,
        }
    }

    /// Whether our own link, opened in the browser inside the platform's app, leads to a login.
    #[must_use]
    pub fn opens_our_link(&self) -> bool {
        matches!(self.means, Means::WechatOfficial(_) | Means::Wecom(_))
    }
}

/// What a channel's tab shows on a computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Our own link as a QR.
    Link,
    /// A code of the platform's, drawn for the ticket.
    Code,
    /// The platform's own page.
    Page {
        /// Inside our page.
        framed: bool,
    },
    /// A form of ours, filled in where one waits.
    Form,
}

/// Whose page a ticket is drawn into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Our login page.
    OurPage,
    /// A website's own page, which shows what [`crate::browser`] tells it.
    TheirPage,
}

/// A platform's code for one ticket.
#[derive(Debug, Clone, Default)]
pub struct Code {
    /// What the QR says; we draw it.
    pub text: Option<String>,
    /// The platform's picture as a `data:` address.
    pub picture: Option<String>,
}

/// The app on the phone that a channel's people scan with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// 微信.
    WeChat,
    /// 企业微信.
    Wecom,
    /// The operator's own.
    OwnApp,
    /// None: the waiting device itself is used.
    ThisDevice,
}

impl Platform {
    /// Every app that scans.
    pub const SCANNING: [Self; 3] = [Self::WeChat, Self::Wecom, Self::OwnApp];

    /// Whose people a kind of channel proves.
    #[must_use]
    pub fn of(kind: ChannelKind) -> Self {
        match kind {
            ChannelKind::WechatOpen | ChannelKind::WechatOfficial | ChannelKind::WechatMini => Self::WeChat,
            ChannelKind::Wecom => Self::Wecom,
            ChannelKind::App => Self::OwnApp,
            ChannelKind::Passkey | ChannelKind::Password | ChannelKind::Email | ChannelKind::Sms => {
                Self::ThisDevice
            }
        }
    }

    /// The group of its words: `platform.<word>.…` of the locales.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WeChat => "wechat",
            Self::Wecom => "wecom",
            Self::OwnApp => "app",
            Self::ThisDevice => "this_device",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn name(self, words: &Words, language: Language) -> String {
        words.say(language, &format!("platform.{}.name", self.as_str()), &[])
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
    pub fn new(config: &Config, metrics: &Arc<Metrics>) -> Result<Self, ConfigError> {
        let mut sections: Vec<_> = config.channel.iter().collect();
        sections.sort_by_key(|(id, section)| (section.order(), (*id).clone()));
        let workshop = build::Workshop::new(config, metrics)?;
        let (mut channels, mut wrong) = (Vec::new(), Vec::new());
        for (id, section) in sections {
            if !config.sandbox.enabled {
                wrong.extend(section.published(&format!("channel.{id}")));
            }
            match workshop.channel(id, section) {
                Ok(channel) => channels.push(channel),
                Err(error) => wrong.push(error.with_cause()),
            }
        }
        if wrong.is_empty() { Ok(Self(channels)) } else { Err(ConfigError::Wrong(wrong)) }
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

    /// Those that serve a grant, in order.
    pub fn serving(&self, purpose: &Purpose) -> impl Iterator<Item = &Channel> {
        self.0.iter().filter(|channel| channel.serves(purpose))
    }

    /// The one that is named, if it serves a grant.
    #[must_use]
    pub fn get_serving(&self, id: &str, purpose: &Purpose) -> Option<&Channel> {
        self.get(id).filter(|channel| channel.serves(purpose))
    }

    /// Those that serve a client's grant, in order: the operator may have named the ways into a client.
    pub fn for_client(&self, client: &Client, purpose: &Purpose) -> impl Iterator<Item = &Channel> {
        self.serving(purpose).filter(|channel| client.settings.admits(&channel.id))
    }

    /// The one that is named, if it serves a client's grant.
    #[must_use]
    pub fn get_for_client(&self, id: &str, client: &Client, purpose: &Purpose) -> Option<&Channel> {
        self.get_serving(id, purpose).filter(|channel| client.settings.admits(&channel.id))
    }

    /// The first that our own link leads to inside an app.
    #[must_use]
    pub fn behind_our_link(&self, platform: Platform) -> Option<&Channel> {
        self.0.iter().find(|channel| channel.platform() == platform && channel.opens_our_link())
    }

    /// Whether a session is of somebody who came by a way that the client admits. Two corps are two ways: the account at
    /// the platform counts, and not the kind of platform alone.
    #[must_use]
    pub fn admit_session(&self, client: &Client, session: &Session) -> bool {
        let came_by = |channel: &Channel| {
            let account = match &channel.means {
                // People vouched for by tokens of ours have identities of other kinds: which app it was, nobody knows.
                Means::App(app) => Some(app.issuer().unwrap_or_default()),
                _ => channel.account(),
            };
            channel.kind().as_str() == session.amr
                && account.is_none_or(|account| account == session.identity.app)
        };
        client.settings.channels.is_empty() || self.for_client(client, &Purpose::SignIn).any(came_by)
    }
}

/// How long a trip to a platform may take: WeChat's own QR lives five minutes (fact sheet §1.3).
const TRIP: Duration = Duration::from_secs(300);

/// 256 random bits as 64 characters: WeCom's in-app page takes letters and digits only, and 128 bytes are the most that
/// any platform takes (WeCom fact sheet §5, WeChat fact sheet §3).
fn random_state(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Begins a trip: counts it, mints the `state`, and remembers who travels (SEC-25). Returns the `state` value and the
/// ticket as it then stands: a browser that sets out for a platform's page is waited for as long as that page's QR lives.
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
    app.count(Counted::Start, visitor.address).await?;
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
    let state = random_state(&*app.entropy);
    let now = app.now();
    let handshake = Handshake {
        state: SecretHash::of(&state),
        channel: channel.id.clone(),
        ticket: ticket.scan_code.clone(),
        grant: ticket.grant.clone(),
        device,
        traveller,
        // What comes back when its login is forgotten leads nowhere, and takes no place until then.
        expires_at: (now + TRIP).min(ticket.keep_until),
    };
    app.handshakes.begin(&handshake, now).await?;
    Ok((state, ticket))
}
