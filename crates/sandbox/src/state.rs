//! What the sandbox remembers while it runs, behind one mutex, bounded, in memory only.
//!
//! The lock is held for short sections and never across an await.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;

use crate::cgi::{AppTokens, Calls};
use crate::events::{Deliveries, EventTarget};
use crate::faults::{Board, FaultName, Platform};
use crate::ids::{self, Entropy};
use crate::mini::{MiniProgram, MiniWorld};
use crate::official::{Chats, Consent, QrTicket};
use crate::open::QrLogin;
use crate::options::{App, Options, allow_callback, unthinkable_callback};
use crate::outbox::Outbox;
use crate::pages::Pages;
use crate::people::{People, Person};
use crate::sns::{Code, Grant};
use crate::wecom::{Corp, Office};

/// Live uuids, codes, tokens: beyond this the oldest is forgotten.
const MOST_LIVE: usize = 10_000;
/// Warnings kept for `GET /sandbox/api/warnings`.
const MOST_WARNINGS: usize = 100;

/// Answers unix milliseconds.
pub type Clock = dyn Fn() -> i64 + Send + Sync;

/// A pretend WeChat. Cloning it gives another handle to the same one.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    options: Options,
    clock: Arc<Clock>,
    /// How far a script has moved the time on, in milliseconds. Beside the world, whose lock may be held by who asks.
    ahead_ms: AtomicI64,
    entropy: Arc<Entropy>,
    pages: Pages,
    world: Mutex<World>,
    /// Made when first needed; most sandboxes call nobody.
    http: OnceLock<Option<reqwest::Client>>,
}

impl Sandbox {
    /// Starts one with nobody logged in. `clock` answers unix milliseconds; `entropy` fills a buffer with random
    /// bytes (a fixed sequence makes its codes and tokens predictable, which only tests should want).
    pub fn new(options: Options, clock: Arc<Clock>, entropy: Arc<Entropy>) -> Self {
        let world = Mutex::new(World::new(options.corps.clone()));
        Self(Arc::new(Inner {
            options,
            clock,
            ahead_ms: AtomicI64::new(0),
            entropy,
            pages: Pages::embedded(),
            world,
            http: OnceLock::new(),
        }))
    }

    /// Everything it serves: all pretend hosts below their path prefixes (and by `Host` header), the phone page and
    /// the script API.
    pub fn router(&self) -> Router {
        crate::hosts::router(self.clone())
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    /// The time here: the caller's clock, and what scripts have added.
    pub(crate) fn now_ms(&self) -> i64 {
        (self.0.clock)() + self.ahead_ms()
    }

    /// What scripts have added to the clock.
    pub(crate) fn ahead_ms(&self) -> i64 {
        self.0.ahead_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn advance_ms(&self, ms: i64) {
        self.0.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Everything as at the start, the time too.
    pub(crate) fn reset(&self) {
        let mut world = self.world();
        self.0.ahead_ms.store(0, Ordering::Relaxed);
        *world = World::new(self.options().corps.clone());
    }

    pub(crate) fn entropy(&self) -> &Entropy {
        self.0.entropy.as_ref()
    }

    pub(crate) fn pages(&self) -> &Pages {
        &self.0.pages
    }

    /// For calls to addresses that the operator configured. No proxy and no redirects: they would lead elsewhere.
    pub(crate) fn http(&self) -> Option<&reqwest::Client> {
        let make = || {
            let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
            builder.build().inspect_err(|error| tracing::error!(%error, "no HTTP client: {error}")).ok()
        };
        self.0.http.get_or_init(make).as_ref()
    }

    /// Where an official account's events go now.
    pub(crate) fn event_target(&self, app: &App) -> Option<EventTarget> {
        let world = self.world();
        world.event_targets.get(&app.appid).cloned().unwrap_or_else(|| app.events.clone())
    }

    /// Whose app or company this is, if there is one.
    pub(crate) fn platform_of(&self, appid: &str) -> Option<Platform> {
        match self.options().app(appid) {
            Some(_) => Some(Platform::WeChat),
            None => crate::wecom::is_corp(self, appid).then_some(Platform::WeCom),
        }
    }

    /// A mini-program's settings now.
    pub(crate) fn mini_program(&self, app: &App) -> MiniProgram {
        self.world().mini.programs.get(&app.appid).unwrap_or(&app.mini).clone()
    }

    /// An app's callback domains now.
    pub(crate) fn callback_domains(&self, app: &App) -> Vec<String> {
        self.world().callback_domains.get(&app.appid).unwrap_or(&app.domains).clone()
    }

    /// Whether a browser is sent back there. What only `*` lets pass and WeChat never would is noted.
    pub(crate) fn allows_callback(&self, app: &App, redirect_uri: &str) -> bool {
        let allowed = allow_callback(&self.callback_domains(app), redirect_uri);
        if let Some(why) = unthinkable_callback(redirect_uri).filter(|_| allowed) {
            self.world().note(format!("{}: {why}", app.appid));
        }
        allowed
    }

    /// The sites that the operator or a script told us about; no other is ever called.
    pub(crate) fn configured_sites(&self) -> Vec<url::Origin> {
        let apps = &self.options().apps;
        let bases = apps.iter().filter_map(|app| self.mini_program(app).demo_api_base);
        let targets = apps.iter().filter_map(|app| self.event_target(app)).map(|target| target.url);
        bases.chain(targets).map(|url| url.origin()).collect()
    }

    /// The world, locked. A panic elsewhere leaves it usable: every section below leaves it consistent.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh code of `app` for `person`, or nothing when the fault "callback without code" is due.
    pub(crate) fn issue_code(
        &self,
        world: &mut World,
        app: &App,
        person: &Person,
        scope: &str,
        snapshot: bool,
    ) -> Option<String> {
        if world.faults.take_browser(FaultName::CallbackWithoutCode, &app.appid).is_some() {
            return None;
        }
        let code = ids::code(self.entropy());
        let virtual_person = snapshot.then(|| ids::handle(self.entropy()));
        world.codes.insert(code.clone(), Code::new(app, person, scope, virtual_person, self.now_ms()));
        Some(code)
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// Everything that changes.
pub(crate) struct World {
    pub(crate) people: People,
    pub(crate) faults: Board,
    /// By uuid.
    pub(crate) qr_logins: Bounded<String, QrLogin>,
    /// By their handle.
    pub(crate) consents: Bounded<String, Consent>,
    /// By the code.
    pub(crate) codes: Bounded<String, Code>,
    /// By refresh token.
    pub(crate) grants: Bounded<String, Grant>,
    /// Access token → refresh token.
    pub(crate) access_tokens: Bounded<String, String>,
    /// Parametric codes, by ticket.
    pub(crate) qr_tickets: Bounded<String, QrTicket>,
    /// The end of a parametric code's link → its ticket.
    pub(crate) qr_links: Bounded<String, String>,
    pub(crate) chats: Chats,
    /// Callback domains that a script changed, by appid.
    pub(crate) callback_domains: HashMap<String, Vec<String>>,
    /// Server settings that a script changed, by appid; none: taken away.
    pub(crate) event_targets: HashMap<String, Option<EventTarget>>,
    pub(crate) deliveries: Deliveries,
    pub(crate) mini: MiniWorld,
    pub(crate) outbox: Outbox,
    /// Tokens of `cgi-bin`.
    pub(crate) app_tokens: AppTokens,
    /// How often which API path was called.
    pub(crate) calls: Calls,
    /// WeCom's companies, codes and tokens.
    pub(crate) office: Office,
    warnings: VecDeque<String>,
}

impl World {
    /// Everything as at the start.
    pub(crate) fn new(corps: Vec<Corp>) -> Self {
        Self {
            people: People::default(),
            faults: Board::default(),
            qr_logins: Bounded::new(MOST_LIVE),
            consents: Bounded::new(MOST_LIVE),
            codes: Bounded::new(MOST_LIVE),
            grants: Bounded::new(MOST_LIVE),
            access_tokens: Bounded::new(MOST_LIVE),
            qr_tickets: Bounded::new(MOST_LIVE),
            qr_links: Bounded::new(MOST_LIVE),
            chats: Chats::new(MOST_LIVE),
            callback_domains: HashMap::new(),
            event_targets: HashMap::new(),
            deliveries: Deliveries::default(),
            mini: MiniWorld::default(),
            outbox: Outbox::default(),
            app_tokens: AppTokens::new(MOST_LIVE),
            calls: Calls::default(),
            office: Office::new(corps),
            warnings: VecDeque::new(),
        }
    }

    /// Records something which the real WeChat might refuse and we let pass. What was said before is not said again.
    pub(crate) fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            tracing::warn!(sandbox.warning = %warning, "the real WeChat may refuse this: {warning}");
        }
        self.note(warning);
    }

    /// The same without a line in the log: for what everybody does who tries things out on their own machine.
    pub(crate) fn note(&mut self, warning: String) {
        if self.warnings.contains(&warning) {
            return;
        }
        if self.warnings.len() == MOST_WARNINGS {
            self.warnings.pop_front();
        }
        self.warnings.push_back(warning);
    }

    /// Wakes every page that waits, to look at its attempt again.
    pub(crate) fn wake(&self) {
        let attempts = self.office.logins.iter().map(|(_, login)| login.attempt());
        self.qr_logins.iter().map(|(_, login)| login).chain(attempts).for_each(QrLogin::wake);
    }

    pub(crate) fn warnings(&self) -> impl Iterator<Item = &String> {
        self.warnings.iter()
    }
}

/// A map that forgets its oldest entry rather than grow beyond `most`.
pub(crate) struct Bounded<K, V> {
    most: usize,
    next: u64,
    entries: HashMap<K, (u64, V)>,
    by_age: BTreeMap<u64, K>,
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, next: 0, entries: HashMap::new(), by_age: BTreeMap::new() }
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        while self.entries.len() >= self.most {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            self.entries.remove(&oldest);
        }
        self.by_age.insert(self.next, key.clone());
        self.entries.insert(key, (self.next, value));
        self.next += 1;
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// The key of the newest entry that fits.
    pub(crate) fn newest(&self, fits: impl Fn(&V) -> bool) -> Option<&K> {
        self.by_age.values().rev().find(|key| self.get(*key).is_some_and(&fits))
    }

    pub(crate) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let (age, value) = self.entries.remove(key)?;
        self.by_age.remove(&age);
        Some(value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, (_, value))| (key, value))
    }

    /// Forgets every entry that `keep` does not want.
    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        let by_age = &mut self.by_age;
        self.entries.retain(|_, (age, value)| {
            let kept = keep(value);
            if !kept {
                by_age.remove(age);
            }
            kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_map_forgets_its_oldest_entry() {
        let mut map = Bounded::new(3);
        for n in 0..5 {
            map.insert(n.to_string(), n);
        }
        assert_eq!((map.get("1"), map.get("2"), map.get("4")), (None, Some(&2), Some(&4)));
        map.remove("3");
        map.insert("5".to_owned(), 5);
        assert_eq!((map.get("2"), map.get("4"), map.get("5")), (Some(&2), Some(&4), Some(&5)));
        assert_eq!(map.by_age.len(), 3);
    }
}
