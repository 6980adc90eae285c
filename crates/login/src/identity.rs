//! What a channel proved about the person holding the phone.
//!
//! An identity is keyed by (channel kind, appid or corpid, subject): an openid means nothing without its appid, and two
//! apps never mix (SEC-23). A unionid is a link inside one declared open-platform account, never a key (SEC-39).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::ids::{ChannelId, UserId};

/// The kinds of channel this build can talk to. The text form is the `amr` value and the name in configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelKind {
    /// WeChat Open Platform website login (网站应用): WeChat's own page shows the QR.
    WechatOpen,
    /// WeChat official account (服务号): web authorization behind our own QR, or its parametric QR and its events.
    WechatOfficial,
    /// WeChat mini-program (小程序): its page asks, after its own code or our QR was scanned.
    WechatMini,
    /// WeCom (企业微信): its web login page or panel, or its in-app authorization behind our own QR.
    Wecom,
    /// The operator's own app, whose people it vouches for by a token.
    App,
    /// A key on the person's device (WebAuthn), unlocked by finger, face or PIN.
    Passkey,
    /// A name and a password, kept here as a hash.
    Password,
    /// An address that received a code by e-mail.
    Email,
    /// A telephone number that received a code by SMS.
    Sms,
}

impl ChannelKind {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 9] = [
        Self::WechatOpen,
        Self::WechatOfficial,
        Self::WechatMini,
        Self::Wecom,
        Self::App,
        Self::Passkey,
        Self::Password,
        Self::Email,
        Self::Sms,
    ];

    /// The name in configuration, `amr` and audit.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WechatOpen => "wechat-open",
            Self::WechatOfficial => "wechat-official",
            Self::WechatMini => "wechat-mini",
            Self::Wecom => "wecom",
            Self::App => "app",
            Self::Passkey => "passkey",
            Self::Password => "password",
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }

    /// Whether the subject is an openid of WeChat.
    #[must_use]
    pub fn is_wechat(self) -> bool {
        match self {
            Self::WechatOpen | Self::WechatOfficial | Self::WechatMini => true,
            Self::Wecom | Self::App | Self::Passkey | Self::Password | Self::Email | Self::Sms => false,
        }
    }

    /// Whether what proves it is kept here, with the person it belongs to: such a proof leads to a person we know, and
    /// never makes a new one.
    #[must_use]
    pub fn is_held_here(self) -> bool {
        matches!(self, Self::Passkey | Self::Password)
    }

    /// Reads [`ChannelKind::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What makes two proofs the same account.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdentityKey {
    /// The kind of channel.
    pub kind: ChannelKind,
    /// The appid or corpid the subject belongs to.
    pub app: String,
    /// The platform's identifier of the person inside that app; compared byte for byte.
    pub subject: String,
}

/// What the subject of a member who left begins with. No member's id has a colon (WeCom fact sheet §1).
const LEFT: &str = "left:";

impl IdentityKey {
    /// Where the key of a corp's member is kept once they left at `at`, as `left:<Unix milliseconds>:<subject>`: the corp
    /// may give the id to somebody else, who must be nobody we know (SEC-35). `None` for keys that no directory gives again.
    #[must_use]
    pub fn tombstone(&self, at: Timestamp) -> Option<Self> {
        let is_member = self.kind == ChannelKind::Wecom && !self.subject.contains(':');
        let subject = format!("{LEFT}{}:{}", at.as_millisecond(), self.subject);
        is_member.then(|| Self { subject, ..self.clone() })
    }

    /// When the member left and as whom, if this is a [`tombstone`](Self::tombstone).
    #[must_use]
    pub fn left(&self) -> Option<(Timestamp, &str)> {
        let rest = self.subject.strip_prefix(LEFT).filter(|_| self.kind == ChannelKind::Wecom)?;
        let (at, subject) = rest.split_once(':')?;
        Some((Timestamp::from_millisecond(at.parse().ok()?).ok()?, subject))
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Promise 10: a whole openid never reaches a log.
        let shown: String = self.subject.chars().take(4).collect();
        write!(f, "{}:{}:{shown}…", self.kind.as_str(), self.app)
    }
}

/// A unionid with the open-platform account it is valid in, as the operator declared it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UnionLink {
    /// The operator's name for the open-platform account.
    pub platform: String,
    /// The platform-wide identifier.
    pub unionid: String,
}

impl fmt::Debug for UnionLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:[redacted]", self.platform)
    }
}

/// What the platform says about a person: chosen by the person, changeable, never a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Display name, already cleaned by [`clean_name`].
    pub nickname: Option<String>,
    /// Avatar address; https only.
    pub picture: Option<Url>,
}

/// What a platform's directory or the person's own consent told beyond name and picture. Reaches a website by scope only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    /// The member's id as the corp's directory writes it; the key holds it in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_id: Option<String>,
    /// Ids of the departments the member belongs to, in the directory's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub departments: Vec<u64>,
    /// Telephone number that the platform verified, in E.164 form such as `+8613800138000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// When the person shared that number last; no proof says it, [`Attributes::over`] does. Numbers are given to other
    /// people, so a number is verified for a while only. `None` if it was stored before this was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_proven_at: Option<Timestamp>,
    /// Address that the platform's directory tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl Attributes {
    /// These as a proof of `proven_at` told them, over what was `known` before. What a directory was asked for and did not
    /// tell is gone: a member of no department is in none. A telephone number stays, with the time when it was proven: a
    /// person shares it once and is not asked at each login.
    #[must_use]
    pub fn over(&self, known: Self, proven_at: Timestamp) -> Self {
        let told = self.clone();
        let (phone_number, phone_proven_at) = match told.phone_number {
            Some(number) => (Some(number), Some(proven_at)),
            None => (known.phone_number, known.phone_proven_at),
        };
        Self { phone_number, phone_proven_at, ..told }
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Promise 10: which are there, not what they say.
        f.debug_struct("Attributes")
            .field("member_id", &self.member_id.is_some())
            .field("departments", &self.departments.len())
            .field("phone_number", &self.phone_number.is_some())
            .field("email", &self.email.is_some())
            .finish()
    }
}

/// One successful proof, made by our own server-side exchange with the platform (SEC-22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The configured channel it came through.
    pub channel: ChannelId,
    /// The account.
    pub key: IdentityKey,
    /// The unionid, when the platform gave one and the operator declared the platform account.
    pub union: Option<UnionLink>,
    /// What to call the person.
    pub profile: Profile,
    /// What else the platform told.
    #[serde(default)]
    pub attributes: Attributes,
    /// When the platform answered.
    pub proven_at: Timestamp,
    /// Of a password: when the one that was typed had been set. If another is set before the proof is used, it proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_set_at: Option<Timestamp>,
}

/// An identity as it is stored: a proof seen before, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub key: IdentityKey,
    /// The unionid last seen with it.
    pub union: Option<UnionLink>,
    /// The person.
    pub user: UserId,
    /// The channel that proved it last.
    pub channel: ChannelId,
    /// The profile last seen.
    pub profile: Profile,
    /// What else was last told, by [`Attributes::over`].
    pub attributes: Attributes,
    /// First seen.
    pub created_at: Timestamp,
    /// Last used to sign in.
    pub last_used_at: Timestamp,
}

/// Makes a name from outside harmless to show: control, bidirectional and zero-width characters go (but the joiner
/// inside emoji stays), white space collapses, at most 64 characters remain (SEC-68). `None` when nothing is left.
#[must_use]
pub fn clean_name(raw: &str) -> Option<String> {
    let is_bidi = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_invisible = |c: char| {
        matches!(
            c,
            '\u{200b}'
                | '\u{200c}'
                | '\u{2060}'
                | '\u{feff}'
                | '\u{00ad}'
                | '\u{034f}'
                | '\u{2028}'
                | '\u{2029}'
        )
    };
    let spaced: String = raw
        .chars()
        .filter(|&c| !is_bidi(c) && !is_invisible(c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let name: String = spaced.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(64).collect();
    let visible = name.chars().any(|c| !c.is_whitespace() && c != '\u{200d}');
    visible.then(|| name.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_68_names_lose_what_deceives_and_keep_what_is_theirs() {
        assert_eq!(clean_name("  小明 \n\t 🐼 "), Some("小明 🐼".into()));
        assert_eq!(clean_name("admin\u{202e}nimda"), Some("adminnimda".into()));
        assert_eq!(clean_name("👨\u{200d}👩\u{200d}👧"), Some("👨\u{200d}👩\u{200d}👧".into()));
        assert_eq!(clean_name("<script>"), Some("<script>".into()), "encoding is the template's duty");
        assert_eq!(clean_name("\u{200b}\u{feff} "), None);
        assert_eq!(clean_name(&"字".repeat(500)).map(|name| name.chars().count()), Some(64));
    }

    #[test]
    fn sec_35_a_tombstone_says_who_left_and_only_members_have_one() {
        let at = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        let key = |kind, subject: &str| IdentityKey { kind, app: "ww1".into(), subject: subject.into() };
        let member = key(ChannelKind::Wecom, "zhangsan");
        assert_eq!(member.left(), None);
        let tombstone = member.tombstone(at).unwrap();
        assert_eq!(tombstone, key(ChannelKind::Wecom, "left:1700000000123:zhangsan"));
        assert_eq!(tombstone.left(), Some((at, "zhangsan")));
        assert_eq!(tombstone.tombstone(at), None, "nobody leaves twice");
        assert_eq!(key(ChannelKind::Wecom, "openid:o1").tombstone(at), None);
        assert_eq!(key(ChannelKind::WechatOfficial, "o1").tombstone(at), None);
        assert_eq!(key(ChannelKind::App, "left:1:me").left(), None, "an app's own words");
    }

    #[test]
    fn channel_kinds_read_back() {
        for kind in ChannelKind::ALL {
            assert_eq!(ChannelKind::parse(kind.as_str()), Some(kind));
        }
    }
}
