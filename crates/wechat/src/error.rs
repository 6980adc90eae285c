//! What can go wrong between us and WeChat, and how a caller tells the cases apart.
//!
//! No error here carries an app secret, a code, a token or a request address: the address of an `sns` call holds all
//! three. What the platform wrote is kept, cleaned, because the errcode is what an operator searches for.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;

use crate::errcodes::{self, Explanation};
use crate::hosts::Platform;
use crate::{mini, sns, token, wecom};

/// A failed call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// WeChat or WeCom answered and refused.
    #[error(transparent)]
    Platform(PlatformError),
    /// No usable HTTP answer arrived.
    #[error("the platform could not be reached: {kind}")]
    Transport {
        /// At which point it failed.
        kind: TransportKind,
        /// The cause, without the request's address.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// An answer arrived that is not what WeChat or WeCom documents.
    #[error("{what}")]
    Malformed {
        /// The call and the defect, as a sentence: who tells the error once more needs to add nothing. Never a value from
        /// the answer.
        what: String,
    },
    /// The code is empty, too long or not plain ASCII, so WeChat cannot have issued it. Nothing was sent.
    #[error("the authorization code is not one that WeChat could have issued")]
    UnusableCode,
    /// The request breaks a documented rule and WeChat would refuse it. Nothing was sent.
    #[error("the request was not sent: {what}")]
    NotSendable {
        /// The rule. Never a value of the request.
        what: &'static str,
    },
}

/// Where an HTTP exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportKind {
    /// No connection: name resolution, TCP, proxy or TLS. The request was not sent.
    Connect,
    /// The time for the call ran out. The request may have been carried out.
    Timeout,
    /// The connection broke before the answer was complete. The request may have been carried out.
    Body,
    /// An HTTP status other than 200, redirects included. WeChat reports its own errors with 200.
    Http(u16),
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("no connection"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Body => f.write_str("the connection broke off"),
            Self::Http(status) => write!(f, "HTTP status {status}"),
        }
    }
}

/// WeChat's own error number, `errcode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrCode(pub i64);

impl fmt::Display for ErrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An answer with a non-zero `errcode`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{call}: errcode {code} ({message}){}", RidSuffix(.rid))]
pub struct PlatformError {
    /// The error number.
    pub code: ErrCode,
    /// `errmsg` without its request id, control characters replaced, at most 256 characters. Hostile text: encode
    /// it wherever it is shown.
    pub message: String,
    /// The request id, which Tencent's support asks for.
    pub rid: Option<String>,
    /// The call that was refused, such as `sns/oauth2/access_token`.
    pub call: &'static str,
    /// Who refused it.
    pub platform: Platform,
}

struct RidSuffix<'a>(&'a Option<String>);

impl fmt::Display for RidSuffix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|rid| write!(f, ", rid {rid}"))
    }
}

/// Calls that send an app's secret rather than a token.
const CALLS_WITH_SECRET: [&str; 3] = [sns::EXCHANGE, token::STABLE_TOKEN, mini::SESSION];

/// What a failure means for the login in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The code was exchanged before: most often the callback arrived twice (WeChat fact sheet §8 no. 1).
    CodeSpent,
    /// The code, or WeCom's user ticket, is wrong, expired or another app's, or the person did not authorize the
    /// call. Start again.
    CodeInvalid,
    /// The app's id or secret is wrong, missing or frozen. The operator must act.
    BadCredentials,
    /// An access token, refresh token or openid is no longer accepted. If it was the person's, they authorize again;
    /// if it was the app's, get a new one and make the call again, once.
    TokenInvalid,
    /// Too many calls. Wait.
    RateLimited,
    /// The app may not make this call, or not like this: scope, qualification, IP list, a page or rule that was not
    /// published. The operator must act.
    NotAllowed,
    /// WeChat has restricted this person's account. Refuse the login.
    UserLimited,
    /// WeCom: the app may not see this member. Refuse the login; an administrator can widen its visible range.
    OutOfRange,
    /// WeCom: there is no such member, or the app may not see them. Refuse the login.
    UnknownMember,
    /// WeChat is busy. Try again soon.
    Busy,
    /// WeChat did not answer, or not with HTTP 200.
    Unreachable,
    /// WeChat's answer could not be understood.
    Malformed,
    /// A refusal without a rule of its own. See [`Error::explanation`].
    Other,
}

impl Error {
    /// WeChat's error number, if it gave one.
    #[must_use]
    pub fn errcode(&self) -> Option<i64> {
        match self {
            Self::Platform(refusal) => Some(refusal.code.0),
            _ => None,
        }
    }

    /// What the failure means for the login in progress.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Platform(refusal) => refusal.kind(),
            Self::Transport { .. } => FailureKind::Unreachable,
            Self::Malformed { .. } => FailureKind::Malformed,
            Self::UnusableCode => FailureKind::CodeInvalid,
            Self::NotSendable { .. } => FailureKind::Other,
        }
    }

    /// What happened and what to do, for a person, if WeChat gave a number that is known.
    #[must_use]
    pub fn explanation(&self) -> Option<&'static Explanation> {
        match self {
            Self::Platform(refusal) => errcodes::explain_on(refusal.platform, refusal.code.0),
            _ => None,
        }
    }

    /// The address of ours that the platform does not accept calls from, if it named one: with 40164, 89503 and
    /// their like, and WeCom's 60020. It belongs into the operator's IP list.
    #[must_use]
    pub fn refused_address(&self) -> Option<IpAddr> {
        match self {
            Self::Platform(refusal) => refusal.named_address(),
            _ => None,
        }
    }

    pub(crate) fn malformed(call: &str, defect: impl fmt::Display) -> Self {
        Self::Malformed { what: format!("{call}: the answer is malformed: {defect}") }
    }

    pub(crate) fn timed_out(elapsed: tokio::time::error::Elapsed) -> Self {
        Self::Transport { kind: TransportKind::Timeout, source: Some(Box::new(elapsed)) }
    }

    pub(crate) fn http_status(status: u16) -> Self {
        Self::Transport { kind: TransportKind::Http(status), source: None }
    }

    /// A failure of the HTTP library, stripped of the address and thereby of every secret in it.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let kind = if error.is_connect() {
            TransportKind::Connect
        } else if error.is_timeout() {
            TransportKind::Timeout
        } else {
            TransportKind::Body
        };
        Self::Transport { kind, source: Some(Box::new(error.without_url())) }
    }

    /// Notes who refused. What reads an answer need not know whose it is.
    pub(crate) fn refused_by(self, platform: Platform) -> Self {
        match self {
            Self::Platform(refusal) => Self::Platform(PlatformError { platform, ..refusal }),
            other => other,
        }
    }

    /// Removes values we sent from what the platform wrote back.
    pub(crate) fn without(self, sent: &[&str]) -> Self {
        match self {
            Self::Platform(refusal) => Self::Platform(refusal.without(sent)),
            other => other,
        }
    }
}

impl PlatformError {
    /// WeChat fact sheet §2.7 and §5, mini-program fact sheet §1 to §3 and §6.
    fn kind(&self) -> FailureKind {
        if self.platform == Platform::WeCom {
            return wecom::refusal::kind(self.code.0, self.call);
        }
        match self.code.0 {
            40163 => FailureKind::CodeSpent,
            // 50001: the person did not authorize the call. WeCom's 50001 is a matter of the operator.
            40029 | 41008 | 42003 | 50001 => FailureKind::CodeInvalid,
            // The same number means the secret where one was sent, and the token everywhere else.
            40001 if CALLS_WITH_SECRET.contains(&self.call) => FailureKind::BadCredentials,
            40013 | 40125 | 40243 | 41002 | 41004 => FailureKind::BadCredentials,
            40001 | 40014 | 41001 | 42001 => FailureKind::TokenInvalid,
            // About a person's own token. The app's token is not to blame for a wrong openid.
            40003 if !self.call.starts_with("sns/") => FailureKind::Other,
            40003 | 40030 | 41003 | 41009 | 42002 | 42007 => FailureKind::TokenInvalid,
            44990 | 45009 | 45011 => FailureKind::RateLimited,
            40164
            | 40188
            | 41030
            | 48001
            | 48004
            | 50004
            | 50007
            | 61007
            | 61024
            | 85066..=85076
            | 85095..=85096
            | 89501
            | 89503
            | 89506
            | 89507
            | 886_000 => FailureKind::NotAllowed,
            40226 | 50002 => FailureKind::UserLimited,
            -1 | 61450 | 886_001 => FailureKind::Busy,
            _ => FailureKind::Other,
        }
    }

    /// `invalid ip A.B.C.D ipv6 ::ffff:A.B.C.D, not in whitelist` (WeChat fact sheet §4.1), or
    /// `…, from ip: A.B.C.D, more info at …` (WeCom fact sheet §11).
    fn named_address(&self) -> Option<IpAddr> {
        if !matches!(self.code.0, 40164 | 60020 | 89501 | 89503 | 89506 | 89507) {
            return None;
        }
        let is_of_address = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
        self.message
            .split(|c| !is_of_address(c))
            .filter_map(|word| word.parse::<IpAddr>().ok())
            .map(|address| address.to_canonical())
            .next()
    }

    fn without(mut self, sent: &[&str]) -> Self {
        for value in sent.iter().filter(|value| !value.is_empty()) {
            self.message = self.message.replace(value, "[redacted]");
            self.rid = self.rid.filter(|rid| !rid.contains(value));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64, call: &'static str) -> Error {
        Error::Platform(PlatformError {
            code: ErrCode(code),
            message: "m".into(),
            rid: None,
            call,
            platform: Platform::WeChat,
        })
    }

    #[test]
    fn each_errcode_has_its_meaning() {
        use FailureKind as K;
        let expected = [
            (40163, K::CodeSpent),
            (40029, K::CodeInvalid),
            (42003, K::CodeInvalid),
            (40001, K::BadCredentials),
            (40125, K::BadCredentials),
            (40013, K::BadCredentials),
            (41002, K::BadCredentials),
            (41004, K::BadCredentials),
            (42001, K::TokenInvalid),
            (45009, K::RateLimited),
            (45011, K::RateLimited),
            (48001, K::NotAllowed),
            (50001, K::CodeInvalid),
            (40164, K::NotAllowed),
            (50002, K::UserLimited),
            (40226, K::UserLimited),
            (-1, K::Busy),
            (99999, K::Other),
        ];
        for (code, kind) in expected {
            assert_eq!(refused(code, sns::EXCHANGE).kind(), kind, "{code}");
        }
        assert_eq!(refused(40001, sns::USERINFO).kind(), K::TokenInvalid);
    }

    #[test]
    fn a_refused_token_is_told_from_a_refused_secret() {
        use FailureKind as K;
        for call in CALLS_WITH_SECRET {
            assert_eq!(refused(40001, call).kind(), K::BadCredentials, "{call}");
            assert_eq!(refused(40125, call).kind(), K::BadCredentials, "{call}");
        }
        for code in [40001, 40014, 42001, 41001] {
            assert_eq!(refused(code, "cgi-bin/qrcode/create").kind(), K::TokenInvalid, "{code}");
        }
        assert_eq!(refused(40003, sns::USERINFO).kind(), K::TokenInvalid);
        assert_eq!(refused(40003, "cgi-bin/user/info").kind(), K::Other, "a new token would not help");
    }

    #[test]
    fn the_address_a_platform_names_is_found() {
        let named = |code, message: &str| {
            let refusal = PlatformError {
                code: ErrCode(code),
                message: message.into(),
                rid: None,
                call: "c",
                platform: Platform::WeChat,
            };
            Error::Platform(refusal).refused_address().map(|address| address.to_string())
        };
        let cases = [
            (40164, "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist", Some("203.0.113.7")),
            (40164, "invalid ip ::ffff:203.0.113.7, not in whitelist", Some("203.0.113.7")),
            (40164, "invalid ip 2001:db8::7, not in whitelist", Some("2001:db8::7")),
            (
                60020,
                "not allow to access from your ip, hint: [16], from ip: 203.0.113.9, more info at https://open.work.weixin.qq.com/devtool/query?e=60020",
                Some("203.0.113.9"),
            ),
            (89503, "", None),
            (40001, "from ip: 203.0.113.7", None),
        ];
        for (code, message, address) in cases {
            assert_eq!(named(code, message).as_deref(), address, "{message}");
        }
    }

    #[test]
    fn values_we_sent_are_removed_from_what_comes_back() {
        let echoed = PlatformError {
            code: ErrCode(40029),
            message: "invalid code 061AbC".into(),
            rid: Some("061AbC".into()),
            call: sns::EXCHANGE,
            platform: Platform::WeChat,
        };
        let shown = format!("{:?}", Error::Platform(echoed).without(&["", "061AbC"]));
        assert!(!shown.contains("061AbC") && shown.contains("invalid code [redacted]"), "{shown}");
    }

    /// WeCom's failures are told by the same errors as WeChat's.
    #[test]
    fn failures_without_an_errcode_name_the_call_and_no_wrong_platform() {
        let malformed = Error::malformed("cgi-bin/auth/getuserinfo", "no userid");
        let told = malformed.to_string();
        assert_eq!(told, "cgi-bin/auth/getuserinfo: the answer is malformed: no userid");
        let again = Error::Malformed { what: told.clone() };
        assert_eq!(again.to_string(), told, "told once more, nothing is said twice");
        assert_eq!(Error::http_status(502).to_string(), "the platform could not be reached: HTTP status 502");
    }

    #[test]
    fn display_names_call_errcode_and_rid() {
        let refusal = PlatformError {
            code: ErrCode(40029),
            message: "invalid code".into(),
            rid: Some("6aac007a-6c02c771-26bf69c4".into()),
            call: sns::EXCHANGE,
            platform: Platform::WeChat,
        };
        assert_eq!(
            Error::Platform(refusal).to_string(),
            "sns/oauth2/access_token: errcode 40029 (invalid code), rid 6aac007a-6c02c771-26bf69c4"
        );
    }
}
