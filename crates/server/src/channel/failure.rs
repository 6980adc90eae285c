//! A platform said no, or nothing sensible: words for the person, a line for the operator.

use mashang_wechat::FailureKind;

use super::Channel;
use crate::outgoing::causes;

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
#[derive(Debug, Clone)]
pub struct ChannelFailure {
    /// What the person is told.
    pub words: FailureWords,
    /// The platform's errcode.
    pub errcode: Option<i64>,
    /// What the operator is told, once, with the reference the person sees (promise 9).
    pub log: String,
}

impl ChannelFailure {
    /// Our own mistake on the way to the platform.
    #[must_use]
    pub fn broken(error: &dyn std::error::Error) -> Self {
        Self { words: FailureWords::Other, errcode: None, log: format!("our own mistake: {error}") }
    }

    /// The platform answered each call in time, but all of them together took too long.
    #[must_use]
    pub fn too_slow() -> Self {
        Self {
            words: FailureWords::Down,
            errcode: None,
            log: "the platform answers so slowly that people would leave; if it lasts, look at the way to it first / 平台应答过慢；如持续出现，请先检查到平台的网络".into(),
        }
    }

    /// A channel was asked for something its kind does not have.
    #[must_use]
    pub fn unsupported(channel: &Channel) -> Self {
        Self {
            words: FailureWords::Other,
            errcode: None,
            log: format!("{} has no such step", channel.kind().as_str()),
        }
    }
}

/// Whether the token that was refused is a person's, made from their code a moment ago, and not the app's.
fn is_of_person(error: &mashang_wechat::Error) -> bool {
    matches!(error, mashang_wechat::Error::Platform(refusal) if refusal.call.starts_with("sns/"))
}

/// What an operator can do about a failure that has no errcode.
fn remedy_without_errcode(kind: FailureKind) -> Option<&'static str> {
    match kind {
        FailureKind::Unreachable => Some(
            "check DNS, firewall and proxy from this machine to the platform's host on port 443, which is api.weixin.qq.com for WeChat and qyapi.weixin.qq.com for WeCom / 请检查本机到平台 443 端口的 DNS、防火墙和代理：微信是 api.weixin.qq.com，企业微信是 qyapi.weixin.qq.com",
        ),
        FailureKind::Malformed => Some(
            "something between this machine and the platform answered instead of it, or the platform is disturbed; look at proxies first / 可能有代理代替平台作了应答，或平台暂时异常；请先检查代理",
        ),
        _ => None,
    }
}

impl From<mashang_wechat::Error> for ChannelFailure {
    fn from(error: mashang_wechat::Error) -> Self {
        let words = match error.kind() {
            FailureKind::CodeSpent | FailureKind::CodeInvalid => FailureWords::Code,
            FailureKind::TokenInvalid if is_of_person(&error) => FailureWords::Code,
            // The app's own, which was replaced once already: two systems fetch it, or the one that hands it out is behind.
            FailureKind::TokenInvalid | FailureKind::BadCredentials | FailureKind::NotAllowed => {
                FailureWords::Setup
            }
            FailureKind::UserLimited | FailureKind::OutOfRange | FailureKind::UnknownMember => {
                FailureWords::Person
            }
            FailureKind::RateLimited | FailureKind::Busy => FailureWords::Busy,
            FailureKind::Unreachable | FailureKind::Malformed => FailureWords::Down,
            _ => FailureWords::Other,
        };
        let remedy = error.explanation().map(|found| {
            let address = error.refused_address();
            let (en, zh) = (&found.en, &found.zh);
            format!(
                " — {} {} / {} {}",
                en.what,
                en.remedy_naming(address),
                zh.what,
                zh.remedy_naming(address)
            )
        });
        let remedy = remedy.or_else(|| remedy_without_errcode(error.kind()).map(|text| format!(" — {text}")));
        Self { words, errcode: error.errcode(), log: causes(&error) + remedy.as_deref().unwrap_or_default() }
    }
}
