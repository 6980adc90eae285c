//! Looks at what a login needs, by the ways that a login takes, and says what a person would meet there. For `mashang doctor`.
//!
//! Each channel's platform is asked what a login asks it, with a code that nobody has. What it says of such a code shows that
//! the app, its secret and the way to the platform are right; anything else is what people would be refused for. No token is
//! replaced, nothing is sent to anybody, and a server may run beside it.

mod public_url;
mod waiting;

use std::time::Duration;

use mashang_login::identity::Proof;

use crate::channel::{Channel, ChannelFailure, FailureWords, Means};
use crate::clock_skew::{self, Skew};
use crate::config::Config;
use crate::config::channel::MiniQr;
use crate::health;
use crate::message::Sender;
use crate::outgoing::causes;
use crate::phone::mini;
use crate::platform::Source;
use crate::state::App;
use crate::web::language::Language;

/// To be reached at our own public address, and to be answered there.
const CONNECT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);
/// As many characters as WeChat's own codes have.
const NOBODYS_CODE: &str = "mashang-doctor-asks-nobodys-code";
/// Of nicknames, which nobody gets here.
const LANGUAGE: Language = Language::ZhCn;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Works.
    Well,
    /// Works, but somebody should know.
    Doubtful,
    /// People will be refused.
    Ill,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The setting to look at, such as `server.public_url` or `channel.wechat`.
    pub place: String,
    /// How it is.
    pub health: Health,
    /// A sentence, with what to do unless all is well.
    pub said: String,
}

impl Finding {
    /// Of `place`.
    pub fn new(place: impl Into<String>, health: Health, said: impl Into<String>) -> Self {
        Self { place: place.into(), health, said: said.into() }
    }
}

/// Tells each finding when it is there.
pub type Tell<'a> = dyn FnMut(Finding) + Send + 'a;

/// What the configuration says that somebody should know.
pub fn configuration(config: &Config, tell: &mut Tell<'_>) {
    for hint in config.hints() {
        tell(Finding::new("configuration", Health::Doubtful, hint));
    }
}

/// Our own side: engines, clock, whether websites and phones get here, and whether browsers can wait here.
pub async fn ours(app: &App, tell: &mut Tell<'_>) {
    tell(engines(app).await);
    for skew in clock_skew::measure(app).await.into_iter().filter(Skew::is_too_much) {
        tell(Finding::new("clock", Health::Ill, skew.to_string()));
    }
    let place = "server.public_url";
    match public_url::look(app).await {
        Ok(()) => {
            tell(Finding::new(place, Health::Well, format!("{} leads here", app.site.public_url)));
            for (health, said) in waiting::look(app).await {
                tell(Finding::new(place, health, said));
            }
        }
        Err(said) => tell(Finding::new(place, Health::Ill, said)),
    }
}

/// What each channel needs of others.
pub async fn channels(app: &App, tell: &mut Tell<'_>) {
    for channel in app.channels.iter() {
        let mut found = of_channel(app, channel).await;
        // One cause fails several questions.
        found.dedup();
        for (health, said) in found {
            tell(Finding::new(format!("channel.{}", channel.id), health, said));
        }
    }
}

async fn engines(app: &App) -> Finding {
    match health::check(app).await {
        Ok(()) => Finding::new("store, tickets", Health::Well, "the engines answer"),
        Err(why) => Finding::new("store, tickets", Health::Ill, causes(&why)),
    }
}

/// What people would meet who sign in by a channel.
async fn of_channel(app: &App, channel: &Channel) -> Vec<(Health, String)> {
    match &channel.means {
        Means::WechatOpen(_) => vec![code_of(channel.exchange(app, NOBODYS_CODE, LANGUAGE).await)],
        Means::WechatOfficial(official) => {
            let code = code_of(channel.exchange(app, NOBODYS_CODE, LANGUAGE).await);
            // Web authorization needs no token; WeChat's own QR, and unionids of followers, do.
            let needs_token = official.parametric.is_some() || channel.events.is_some();
            if needs_token { vec![code, token_of(&official.account.source).await] } else { vec![code] }
        }
        Means::WechatMini(mini) => {
            let code = code_of(mini::prove(app, &channel.id, &mini.account, NOBODYS_CODE).await);
            let mut found = vec![code, token_of(&mini.account.source).await];
            if mini.qr == MiniQr::Code {
                found.push(drawn(mini.look(app).await));
            }
            found
        }
        Means::Wecom(wecom) => {
            vec![token_of(&wecom.source).await, code_of(channel.exchange(app, NOBODYS_CODE, LANGUAGE).await)]
        }
        Means::App(own) => match own.look().await {
            Ok(true) => vec![(Health::Well, "the issuer's keys can be fetched".to_owned())],
            Ok(false) => vec![(Health::Well, "needs nobody else".to_owned())],
            Err(why) => vec![(Health::Ill, why)],
        },
        Means::Email(email) => vec![sender_of(email.codes.sender()).await],
        Means::Sms(sms) => vec![sender_of(sms.codes.sender()).await],
        Means::Passkey(_) | Means::Password(_) => vec![(Health::Well, "needs nobody else".to_owned())],
    }
}

/// By what the platform says of a code that nobody has.
fn code_of(answer: Result<Proof, ChannelFailure>) -> (Health, String) {
    match answer {
        Err(ChannelFailure { words: FailureWords::Code, errcode: Some(errcode), .. }) => (
            Health::Well,
            format!("the platform answers, and takes a made-up code for what it is (errcode {errcode})"),
        ),
        Err(failure) => of_failure(failure),
        Ok(_) => (
            Health::Ill,
            "the platform takes a made-up code for a person's: it is none that you know".to_owned(),
        ),
    }
}

fn drawn(answer: Result<(), ChannelFailure>) -> (Health, String) {
    match answer {
        Ok(()) => (Health::Well, "WeChat draws its code for the page".to_owned()),
        Err(failure) => of_failure(failure),
    }
}

fn of_failure(failure: ChannelFailure) -> (Health, String) {
    let health = if failure.words == FailureWords::Busy { Health::Doubtful } else { Health::Ill };
    (health, failure.log)
}

async fn token_of(source: &Source) -> (Health, String) {
    match source.look().await.map_err(ChannelFailure::from) {
        Ok(()) => (Health::Well, "the app's token is handed out: its secret is right".to_owned()),
        Err(failure) => of_failure(failure),
    }
}

async fn sender_of(sender: &dyn Sender) -> (Health, String) {
    match sender.look().await {
        Ok(true) => (Health::Well, "the mail server takes mail from us".to_owned()),
        Ok(false) => (
            Health::Doubtful,
            "whether messages arrive shows only when one is sent: sign in by this channel once".to_owned(),
        ),
        Err(error) => (Health::Ill, error.log),
    }
}
