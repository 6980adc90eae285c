//! What a code and a token stand for: one person in one app, for one scope.

use crate::ids::{self, Entropy};
use crate::options::{App, AppKind, Options};
use crate::people::Person;

/// §1.8: ten minutes for a website app.
const WEBSITE_CODE_MS: i64 = 600_000;
/// §1.8: five minutes for an official account, and for a mini-program (mini-program fact sheet §1).
const OFFICIAL_CODE_MS: i64 = 300_000;
/// §10: an access token lives two hours.
pub(super) const ACCESS_TOKEN_S: i64 = 7200;
/// §2.3: a refresh token lives thirty days.
const REFRESH_TOKEN_MS: i64 = 30 * 24 * 3_600_000;

/// The scope of a `wx.login` code. No page and no call ever asks for it by name.
pub(crate) const MINI_SCOPE: &str = "wx.login";

/// Who a code or token is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(super) appid: String,
    pub(super) person: String,
    pub(super) scope: String,
    /// For a snapshot: the made-up person whose openid and unionid the site is shown (§3).
    pub(super) virtual_person: Option<String>,
}

impl Subject {
    pub(super) fn openid(&self, options: &Options) -> String {
        ids::openid(&options.platform_seed, &self.appid, self.seen_as())
    }

    /// Nothing when the app is bound to no Open Platform account (§6).
    pub(super) fn unionid(&self, options: &Options) -> Option<String> {
        let platform = &options.app(&self.appid)?.platform;
        (!platform.is_empty()).then(|| ids::unionid(&options.platform_seed, platform, self.seen_as()))
    }

    fn seen_as(&self) -> &str {
        self.virtual_person.as_deref().unwrap_or(&self.person)
    }
}

/// An OAuth code.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    subject: Subject,
    expires_ms: i64,
    used: bool,
}

/// What came of presenting a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spent {
    Good(Subject),
    /// Expired, or another app's.
    Invalid,
    Used,
}

impl Code {
    pub(crate) fn new(
        app: &App,
        person: &Person,
        scope: &str,
        virtual_person: Option<String>,
        now_ms: i64,
    ) -> Self {
        let lifetime_ms = match app.kind {
            AppKind::Website => WEBSITE_CODE_MS,
            AppKind::OfficialAccount | AppKind::MiniProgram => OFFICIAL_CODE_MS,
        };
        let subject = Subject {
            appid: app.appid.clone(),
            person: person.id.clone(),
            scope: scope.to_owned(),
            virtual_person,
        };
        Self { subject, expires_ms: now_ms + lifetime_ms, used: false }
    }

    /// Any attempt by an app that proved its secret burns the code, also one that fails (§1.8).
    pub(super) fn spend(&mut self, appid: &str, now_ms: i64) -> Spent {
        if now_ms >= self.expires_ms {
            return Spent::Invalid;
        }
        if std::mem::replace(&mut self.used, true) {
            return Spent::Used;
        }
        if self.subject.appid == appid { Spent::Good(self.subject.clone()) } else { Spent::Invalid }
    }
}

/// A refresh token and the access token that it stands behind.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(super) subject: Subject,
    pub(super) access_token: String,
    access_expires_ms: i64,
    refresh_expires_ms: i64,
}

impl Grant {
    pub(super) fn new(subject: Subject, entropy: &Entropy, now_ms: i64) -> Self {
        Self {
            subject,
            access_token: ids::token(entropy),
            access_expires_ms: now_ms + ACCESS_TOKEN_S * 1000,
            refresh_expires_ms: now_ms + REFRESH_TOKEN_MS,
        }
    }

    /// The app that it is for.
    pub(crate) fn appid(&self) -> &str {
        &self.subject.appid
    }

    pub(super) fn access_expired(&self, now_ms: i64) -> bool {
        now_ms >= self.access_expires_ms
    }

    pub(super) fn refresh_expired(&self, now_ms: i64) -> bool {
        now_ms >= self.refresh_expires_ms
    }

    /// §2.3: a live access token is prolonged, an expired one replaced. The refresh token's own end does not move.
    pub(super) fn renew(&mut self, entropy: &Entropy, now_ms: i64) {
        if self.access_expired(now_ms) {
            self.access_token = ids::token(entropy);
        }
        self.access_expires_ms = now_ms + ACCESS_TOKEN_S * 1000;
    }
}
