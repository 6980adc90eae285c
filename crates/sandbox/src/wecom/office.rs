//! What the pretend WeCom remembers while it runs: companies as they are now, app tokens, login codes, user tickets.

use std::collections::VecDeque;

use crate::ids::{self, Entropy};
use crate::open::QrLogin;
use crate::state::Bounded;

use super::corp::{Agent, Corp, Member, Standing};
use super::in_app::Consent;
use super::news::Delivery;

/// §6: an app token lives two hours, unless a script says otherwise.
pub(super) const TOKEN_MS: i64 = 7_200_000;
/// §1: a code dies after five minutes.
const CODE_MS: i64 = 300_000;
/// §1: a user ticket lives 1800 s for self-built apps.
const TICKET_MS: i64 = 1_800_000;
const MOST_LIVE: usize = 10_000;
const MOST_DELIVERIES: usize = 100;

/// Everything of WeCom that changes.
pub(crate) struct Office {
    pub(super) corps: Vec<Corp>,
    /// By the token.
    pub(super) tokens: Bounded<String, AppToken>,
    /// By the code.
    pub(super) codes: Bounded<String, LoginCode>,
    /// By the ticket.
    pub(super) tickets: Bounded<String, UserTicket>,
    /// Scan logins, by the key in the QR.
    pub(crate) logins: Bounded<String, WebLogin>,
    /// In-app consent pages, by their handle.
    pub(super) consents: Bounded<String, Consent>,
    /// The last directory events and what came of them, oldest first.
    pub(super) deliveries: VecDeque<Delivery>,
    pub(super) token_ms: i64,
}

/// Whose calls an app token allows.
#[derive(Clone, Debug)]
pub(super) struct AppToken {
    pub(super) corpid: String,
    /// Absent: the contact-sync secret's.
    pub(super) agentid: Option<u32>,
    pub(super) expires_ms: i64,
}

/// Which page a code comes from: only the in-app consent gives a ticket (§2, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Scan login, or silent in-app OAuth.
    Base,
    /// In-app OAuth with consent.
    Private,
}

/// A login code. Who it names is decided when it is redeemed.
#[derive(Clone, Debug)]
pub(super) struct LoginCode {
    pub(super) corpid: String,
    pub(super) agentid: Option<u32>,
    pub(super) person: String,
    pub(super) scope: Scope,
    expires_ms: i64,
    used: bool,
}

impl LoginCode {
    /// True once, within five minutes.
    pub(super) fn spend(&mut self, now_ms: i64) -> bool {
        now_ms < self.expires_ms && !std::mem::replace(&mut self.used, true)
    }
}

/// What lets an app read private fields of one member.
#[derive(Clone, Debug)]
pub(super) struct UserTicket {
    pub(super) corpid: String,
    pub(super) agentid: u32,
    pub(super) userid: String,
    pub(super) expires_ms: i64,
}

/// A scan login: the attempt that WeChat's pages have too, for one app of a company.
pub(crate) struct WebLogin {
    pub(super) attempt: QrLogin,
    pub(super) agentid: u32,
}

impl WebLogin {
    pub(crate) fn attempt(&self) -> &QrLogin {
        &self.attempt
    }
}

impl Office {
    pub(crate) fn new(corps: Vec<Corp>) -> Self {
        Self {
            corps,
            tokens: Bounded::new(MOST_LIVE),
            codes: Bounded::new(MOST_LIVE),
            tickets: Bounded::new(MOST_LIVE),
            logins: Bounded::new(MOST_LIVE),
            consents: Bounded::new(MOST_LIVE),
            deliveries: VecDeque::new(),
            token_ms: TOKEN_MS,
        }
    }

    /// The name of each company and what this person is there.
    pub(crate) fn standings(&self, person: &str) -> Vec<(&str, Standing)> {
        self.corps.iter().map(|corp| (corp.name.as_str(), corp.standing(person))).collect()
    }

    pub(super) fn corp(&self, corpid: &str) -> Option<&Corp> {
        self.corps.iter().find(|corp| corp.corpid == corpid)
    }

    pub(super) fn corp_mut(&mut self, corpid: &str) -> Option<&mut Corp> {
        self.corps.iter_mut().find(|corp| corp.corpid == corpid)
    }

    /// The app of a scan login or of in-app OAuth.
    pub(super) fn agent(&self, corpid: &str, agentid: u32) -> Option<(&Corp, &Agent)> {
        let corp = self.corp(corpid)?;
        Some((corp, corp.agent(agentid)?))
    }

    /// The live token of a (corp, secret) pair, or a new one: within its life it stays the same (§6).
    pub(super) fn token(
        &mut self,
        corpid: &str,
        agentid: Option<u32>,
        entropy: &Entropy,
        now_ms: i64,
    ) -> (String, i64) {
        let own = |token: &AppToken| token.corpid == corpid && token.agentid == agentid;
        let live = self.tokens.iter().find(|(_, token)| own(token) && now_ms < token.expires_ms);
        if let Some((text, token)) = live {
            return (text.clone(), (token.expires_ms - now_ms) / 1000);
        }
        let text = ids::corp_token(entropy);
        let token = AppToken { corpid: corpid.to_owned(), agentid, expires_ms: now_ms + self.token_ms };
        self.tokens.insert(text.clone(), token);
        (text, self.token_ms / 1000)
    }

    /// Keeps a delivery for scripts to see.
    pub(super) fn delivered(&mut self, delivery: Delivery) {
        if self.deliveries.len() == MOST_DELIVERIES {
            self.deliveries.pop_front();
        }
        self.deliveries.push_back(delivery);
    }

    /// The company a call is for, by parameter or token.
    pub(crate) fn called_for(&self, corpid: &str, access_token: &str) -> Option<String> {
        let by_token = || self.tokens.get(access_token).map(|token| token.corpid.clone());
        self.corp(corpid).map(|corp| corp.corpid.clone()).or_else(by_token)
    }

    pub(super) fn issue_code(
        &mut self,
        corpid: &str,
        agentid: Option<u32>,
        person: &str,
        scope: Scope,
        entropy: &Entropy,
        now_ms: i64,
    ) -> String {
        let code = ids::corp_code(entropy);
        let (corpid, person) = (corpid.to_owned(), person.to_owned());
        let stored = LoginCode { corpid, agentid, person, scope, expires_ms: now_ms + CODE_MS, used: false };
        self.codes.insert(code.clone(), stored);
        code
    }

    pub(super) fn issue_ticket(
        &mut self,
        corpid: &str,
        agentid: u32,
        member: &Member,
        entropy: &Entropy,
        now_ms: i64,
    ) -> (String, i64) {
        let ticket = ids::corp_token(entropy);
        let stored = UserTicket {
            corpid: corpid.to_owned(),
            agentid,
            userid: member.userid.clone(),
            expires_ms: now_ms + TICKET_MS,
        };
        self.tickets.insert(ticket.clone(), stored);
        (ticket, TICKET_MS / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wecom::corp::{DEMO_CORPID, default_corps};
    use std::sync::atomic::{AtomicU8, Ordering};

    fn entropy() -> impl Fn(&mut [u8]) + Send + Sync {
        let next = AtomicU8::new(1);
        move |bytes: &mut [u8]| bytes.iter_mut().for_each(|byte| *byte = next.fetch_add(37, Ordering::SeqCst))
    }

    #[test]
    fn token_of_an_app_stays_until_it_ends_and_is_not_another_apps() {
        let (entropy, mut office) = (entropy(), Office::new(default_corps()));
        let (first, life) = office.token(DEMO_CORPID, Some(1), &entropy, 0);
        assert_eq!((life, first.len() > 200), (7200, true));
        assert_eq!(office.token(DEMO_CORPID, Some(1), &entropy, 60_000), (first.clone(), 7140));
        assert_ne!(office.token(DEMO_CORPID, None, &entropy, 60_000).0, first);
        assert_ne!(office.token(DEMO_CORPID, Some(1), &entropy, TOKEN_MS).0, first);
    }

    #[test]
    fn code_is_good_once_and_for_five_minutes() {
        let (entropy, mut office) = (entropy(), Office::new(default_corps()));
        let mut issue = || office.issue_code(DEMO_CORPID, Some(1), "ada", Scope::Base, &entropy, 0);
        let (early, late) = (issue(), issue());
        assert_eq!(early.len(), 43);
        assert!(office.codes.get_mut(&early).unwrap().spend(CODE_MS - 1));
        assert!(!office.codes.get_mut(&early).unwrap().spend(CODE_MS - 1));
        assert!(!office.codes.get_mut(&late).unwrap().spend(CODE_MS));
    }
}
