//! One attempt to log in by an Open Platform QR: its stages, who may move it, and what the waiting page is told.
//!
//! ```text
//! Waiting ─scan─► Scanned ─allow─► Allowed ─told to the page─► Told
//!                   ▲   └─deny─► Cancelled ┐
//!                   └────────scan──────────┘      any of them, after 300 s: expired
//! ```

use thiserror::Error;
use tokio::sync::watch;

use crate::hosts;
use crate::options::Options;

/// §1.3: a QR lives five minutes.
const LIFETIME_MS: i64 = 300_000;

/// What a QR encodes (§1.3), on the sandbox's own address.
pub(crate) fn confirm_url(options: &Options, uuid: &str) -> String {
    format!("{}/{}/connect/confirm?uuid={uuid}", options.public_base(), hosts::OPEN)
}

/// An attempt, from the drawn page to the code.
#[derive(Debug)]
pub(crate) struct QrLogin {
    pub(crate) appid: String,
    /// As it came, decoded once. The page appends to it naively (§1.5).
    pub(crate) redirect_uri: String,
    pub(crate) state: String,
    pub(crate) scope: String,
    expires_ms: i64,
    stage: Stage,
    /// Sends on every change of stage; dropped with the attempt, which wakes waiters too.
    changed: watch::Sender<()>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Scanned { person: String },
    Cancelled,
    Allowed(Callback),
    Told,
}

/// How the page goes back to the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Callback {
    /// Absent: with `state` only.
    pub(crate) code: Option<String>,
    /// The browser requests the callback twice.
    pub(crate) twice: bool,
    /// What the person answered: a refusal may go back to the site too.
    pub(crate) allowed: bool,
}

/// Why the phone may not do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    #[error("no such uuid")]
    Unknown,
    #[error("the QR code has expired")]
    Expired,
    #[error("someone else has scanned this QR code")]
    ScannedByOther,
    #[error("scan the QR code first")]
    NotScanned,
    #[error("this login has been answered already")]
    Answered,
}

/// What the long poll says (§1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    Scanned,
    Cancelled,
    Done(Callback),
    Expired,
}

impl QrLogin {
    pub(crate) fn new(
        appid: String,
        redirect_uri: String,
        state: String,
        scope: String,
        now_ms: i64,
    ) -> Self {
        let expires_ms = now_ms + LIFETIME_MS;
        let changed = watch::Sender::new(());
        Self { appid, redirect_uri, state, scope, expires_ms, stage: Stage::Waiting, changed }
    }

    /// Wakes when the stage changes or the attempt is forgotten. Subscribe, then read, then wait.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Wakes who waits, without a change: time has moved.
    pub(crate) fn wake(&self) {
        self.changed.send_replace(());
    }

    /// Milliseconds to live, not below 0.
    pub(crate) fn remaining_ms(&self, now_ms: i64) -> u64 {
        u64::try_from(self.expires_ms - now_ms).unwrap_or(0)
    }

    /// The stage in one word, for scripts.
    pub(crate) fn stage_name(&self, now_ms: i64) -> &'static str {
        match self.stage {
            Stage::Told => "told",
            _ if self.remaining_ms(now_ms) == 0 => "expired",
            Stage::Waiting => "waiting",
            Stage::Scanned { .. } => "scanned",
            Stage::Cancelled | Stage::Allowed(Callback { allowed: false, .. }) => "cancelled",
            Stage::Allowed(_) => "allowed",
        }
    }

    /// A person's phone opened the QR. Scanning one's own again changes nothing; a cancelled one may be scanned anew.
    pub(crate) fn scan(&mut self, person: &str, now_ms: i64) -> Result<(), Refusal> {
        self.check_alive(now_ms)?;
        match &self.stage {
            Stage::Scanned { person: first } if first == person => Ok(()),
            Stage::Scanned { .. } => Err(Refusal::ScannedByOther),
            Stage::Waiting | Stage::Cancelled => {
                self.enter(Stage::Scanned { person: person.to_owned() });
                Ok(())
            }
            Stage::Allowed(_) | Stage::Told => Err(Refusal::Answered),
        }
    }

    /// Whether this person may answer now.
    pub(crate) fn check_answerable(&self, person: &str, now_ms: i64) -> Result<(), Refusal> {
        self.check_alive(now_ms)?;
        match &self.stage {
            Stage::Scanned { person: first } if first == person => Ok(()),
            Stage::Scanned { .. } => Err(Refusal::ScannedByOther),
            Stage::Waiting | Stage::Cancelled => Err(Refusal::NotScanned),
            Stage::Allowed(_) | Stage::Told => Err(Refusal::Answered),
        }
    }

    /// The scanner answered, and the page shall go back to the site.
    pub(crate) fn finish(&mut self, person: &str, callback: Callback, now_ms: i64) -> Result<(), Refusal> {
        self.check_answerable(person, now_ms)?;
        self.enter(Stage::Allowed(callback));
        Ok(())
    }

    /// The scanner said no; the same QR may be scanned again (§1.4, 403).
    pub(crate) fn cancel(&mut self, person: &str, now_ms: i64) -> Result<(), Refusal> {
        self.check_answerable(person, now_ms)?;
        self.enter(Stage::Cancelled);
        Ok(())
    }

    /// What a page that has already seen `last` (a code of §1.4, or nothing) is told now; `None`: hold it.
    /// A code is told once; later polls find the uuid used.
    pub(crate) fn report(&mut self, last: &str, now_ms: i64) -> Option<Report> {
        if self.remaining_ms(now_ms) == 0 {
            return Some(Report::Expired);
        }
        match &self.stage {
            Stage::Waiting => None,
            Stage::Scanned { .. } => (last != "404").then_some(Report::Scanned),
            Stage::Cancelled => (last != "403").then_some(Report::Cancelled),
            Stage::Told => Some(Report::Expired),
            Stage::Allowed(callback) => {
                let callback = callback.clone();
                self.stage = Stage::Told;
                Some(Report::Done(callback))
            }
        }
    }

    fn check_alive(&self, now_ms: i64) -> Result<(), Refusal> {
        if self.remaining_ms(now_ms) == 0 { Err(Refusal::Expired) } else { Ok(()) }
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.changed.send_replace(());
    }
}

/// Where the page's script goes: a naive append, as the real one does it (§1.5).
pub(crate) fn callback_url(redirect_uri: &str, state: &str, code: Option<&str>) -> String {
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    match code {
        Some(code) => format!("{redirect_uri}{joint}code={code}&state={state}"),
        None => format!("{redirect_uri}{joint}state={state}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> QrLogin {
        QrLogin::new("wx1".into(), "https://a/cb".into(), "s".into(), "snsapi_login".into(), 0)
    }

    fn allowed() -> Callback {
        Callback { code: Some("0code".into()), twice: false, allowed: true }
    }

    #[test]
    fn only_the_scanner_answers_and_only_once() {
        let mut login = attempt();
        assert_eq!(login.finish("ming", allowed(), 1), Err(Refusal::NotScanned));
        login.scan("ming", 1).unwrap();
        login.scan("ming", 2).unwrap();
        assert_eq!(login.scan("hong", 2), Err(Refusal::ScannedByOther));
        assert_eq!(login.finish("hong", allowed(), 2), Err(Refusal::ScannedByOther));
        login.finish("ming", allowed(), 3).unwrap();
        assert_eq!(login.cancel("ming", 3), Err(Refusal::Answered));
        assert_eq!(login.scan("hong", 3), Err(Refusal::Answered));
    }

    #[test]
    fn cancelled_login_can_be_scanned_again_by_anyone() {
        let mut login = attempt();
        login.scan("ming", 1).unwrap();
        login.cancel("ming", 1).unwrap();
        assert_eq!(login.report("404", 1), Some(Report::Cancelled));
        assert_eq!(login.report("403", 1), None);
        login.scan("hong", 2).unwrap();
        assert_eq!(login.report("403", 2), Some(Report::Scanned));
    }

    #[test]
    fn code_is_told_to_one_poll() {
        let mut login = attempt();
        login.scan("ming", 1).unwrap();
        login.finish("ming", allowed(), 1).unwrap();
        assert_eq!(login.report("404", 2), Some(Report::Done(allowed())));
        assert_eq!(login.report("404", 3), Some(Report::Expired));
    }

    #[test]
    fn everything_ends_after_five_minutes() {
        let mut login = attempt();
        assert_eq!(login.report("", LIFETIME_MS - 1), None);
        assert_eq!(login.report("", LIFETIME_MS), Some(Report::Expired));
        assert_eq!(login.scan("ming", LIFETIME_MS), Err(Refusal::Expired));
    }

    #[test]
    fn append_is_as_naive_as_the_real_one() {
        assert_eq!(callback_url("https://a/cb", "s", Some("0c")), "https://a/cb?code=0c&state=s");
        assert_eq!(callback_url("https://a/cb?x=1", "s", Some("0c")), "https://a/cb?x=1&code=0c&state=s");
        assert_eq!(callback_url("https://a/#/login", "s", Some("0c")), "https://a/#/login?code=0c&state=s");
        assert_eq!(callback_url("https://a/#/x?y", "s", None), "https://a/#/x?y&state=s");
    }
}
