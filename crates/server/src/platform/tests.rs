//! Tokens over a store and a platform that keep their state in memory. Time is paused and moves only where somebody waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mashang_login::ambient::{SeededEntropy, SystemEntropy, TestClock};
use mashang_login::platform_token::{PlatformTokens, StoredToken, TokenName};
use mashang_login::records::StoreError;
use mashang_login::seal::{MasterKey, Sealer};
use mashang_login::{Clock as _, Timestamp};
use mashang_wechat::{AccessToken, ErrCode, Error, FailureKind, IssuedToken, PlatformError, TransportKind};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::failure::TheirsFailure;
use super::{Breaker, Failure, Source, Supply, Tokens, breaker};

/// A store in memory that can be cut off.
#[derive(Debug, Default)]
struct Store {
    rows: Mutex<HashMap<TokenName, Row>>,
    is_down: AtomicBool,
}

#[derive(Debug, Default)]
struct Row {
    token: Option<StoredToken>,
    lease: Option<(String, Timestamp)>,
}

impl Store {
    fn row<T>(&self, name: &TokenName, look: impl FnOnce(&mut Row) -> T) -> Result<T, StoreError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("cut off".into()));
        }
        Ok(look(self.rows.lock().unwrap().entry(name.clone()).or_default()))
    }
}

#[async_trait]
impl PlatformTokens for Store {
    async fn platform_token(&self, name: &TokenName) -> Result<Option<StoredToken>, StoreError> {
        self.row(name, |row| row.token.clone())
    }

    async fn lease_platform_token(
        &self,
        name: &TokenName,
        holder: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.row(name, |row| {
            let is_free = row.lease.as_ref().is_none_or(|(other, until)| other == holder || *until <= now);
            if is_free {
                row.lease = Some((holder.to_owned(), until));
            }
            is_free
        })
    }

    async fn save_platform_token(
        &self,
        name: &TokenName,
        sealed: &[u8],
        expires_at: Timestamp,
        holder: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        self.row(name, |row| {
            row.lease.take_if(|(other, until)| other == holder && *until > now)?;
            let generation = row.token.as_ref().map_or(0, |token| token.generation) + 1;
            row.token = Some(StoredToken { sealed: sealed.to_vec(), expires_at, generation });
            Some(generation)
        })
    }

    async fn release_platform_token(&self, name: &TokenName, holder: &str) -> Result<(), StoreError> {
        self.row(name, |row| drop(row.lease.take_if(|(other, _)| other == holder)))
    }
}

/// A platform that numbers its tokens and takes only the latest.
#[derive(Debug)]
struct Platform {
    fetches: AtomicUsize,
    latest: AtomicUsize,
    /// Fetching goes on only as permits are added.
    gate: Semaphore,
    life: Mutex<u64>,
    next: Mutex<Vec<Failing>>,
    /// Whether another token comes when one is to be replaced.
    is_stubborn: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
enum Failing {
    Errcode(i64),
    Timeout,
    Panic,
}

impl Failing {
    fn error(self, call: &'static str) -> Error {
        match self {
            Self::Errcode(code) => Error::Platform(PlatformError {
                code: ErrCode(code),
                message: "no".into(),
                rid: None,
                call,
                platform: mashang_wechat::Platform::WeChat,
            }),
            Self::Timeout => Error::Transport { kind: TransportKind::Timeout, source: None },
            Self::Panic => panic!("a broken invariant"),
        }
    }
}

impl Platform {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            fetches: AtomicUsize::new(0),
            latest: AtomicUsize::new(0),
            gate: Semaphore::new(10_000),
            life: Mutex::new(7200),
            next: Mutex::default(),
            is_stubborn: AtomicBool::new(false),
        })
    }

    fn fails(&self, with: &[Failing]) {
        self.next.lock().unwrap().extend(with.iter().rev());
    }

    /// Ends the token that is out.
    fn end_token(&self) {
        self.latest.fetch_add(1, Ordering::SeqCst);
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// What a call with a token gets.
    fn answer(&self, token: &AccessToken) -> Result<String, Error> {
        let is_latest = token.expose() == format!("token-{}", self.latest.load(Ordering::SeqCst));
        if is_latest {
            Ok(token.expose().to_owned())
        } else {
            Err(Failing::Errcode(40001).error("cgi-bin/qrcode/create"))
        }
    }
}

#[async_trait]
impl Supply for Platform {
    async fn fetch(&self, instead_of: Option<&AccessToken>) -> Result<IssuedToken, Failure> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        // The others arrive meanwhile.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let failing = self.next.lock().unwrap().pop();
        if let Some(failing) = failing {
            return Err(failing.error("cgi-bin/stable_token").into());
        }
        let latest = format!("token-{}", self.latest.load(Ordering::SeqCst));
        let text = match instead_of {
            Some(bad) if self.is_stubborn.load(Ordering::SeqCst) => bad.expose().to_owned(),
            Some(bad) if bad.expose() == latest => {
                self.end_token();
                format!("token-{}", self.latest.load(Ordering::SeqCst))
            }
            _ => latest,
        };
        Ok(IssuedToken { token: AccessToken::new(text), expires_in: *self.life.lock().unwrap() })
    }
}

/// One app, and as many nodes as a test wants.
struct Scene {
    store: Arc<Store>,
    platform: Arc<Platform>,
    clock: Arc<TestClock>,
    sealer: Arc<Sealer>,
    source: Source,
}

impl Scene {
    fn new() -> Self {
        let platform = Platform::new();
        Self {
            store: Arc::default(),
            clock: Arc::default(),
            sealer: Arc::new(Sealer::new(&MasterKey::random(&SystemEntropy))),
            source: source("wx1", &platform),
            platform,
        }
    }

    fn node(&self, seed: u64) -> Tokens {
        Tokens::new(
            self.store.clone(),
            self.sealer.clone(),
            self.clock.clone(),
            Arc::new(SeededEntropy::new(seed)),
        )
    }

    /// Until the fetch under way has ended: while time is paused, it moves only when nobody else has anything to do.
    async fn flights_land(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    /// A call with the app's token.
    async fn call(&self, node: &Tokens) -> Result<String, Failure> {
        node.with(&self.source, async |token| self.platform.answer(&token)).await
    }

    /// So many calls at once, each by a task of its own, on these nodes in turn.
    fn calls(&self, nodes: &[Tokens], n: usize) -> JoinSet<Result<String, Failure>> {
        (0..n)
            .map(|index| {
                let (node, platform) = (nodes[index % nodes.len()].clone(), self.platform.clone());
                let source = self.source.clone();
                async move { node.with(&source, async |token| platform.answer(&token)).await }
            })
            .collect()
    }
}

fn source(app: &str, platform: &Arc<Platform>) -> Source {
    let name = TokenName::of(&["wechat", app]).unwrap();
    Source::new(name, platform.clone(), Arc::new(Breaker::new(app)))
}

fn all_are(answers: &[Result<String, Failure>], token: &str) -> bool {
    answers.iter().all(|answer| answer.as_ref().is_ok_and(|text| text == token))
}

#[tokio::test(start_paused = true)]
async fn sec_44_a_hundred_parallel_logins_make_one_token_call() {
    let scene = Scene::new();
    let answers = scene.calls(&[scene.node(1)], 100).join_all().await;
    assert!(all_are(&answers, "token-0"), "{answers:?}");
    assert_eq!(scene.platform.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn sec_44_a_hundred_logins_on_three_nodes_make_one_token_call() {
    let scene = Scene::new();
    let answers = scene.calls(&[scene.node(1), scene.node(2), scene.node(3)], 100).join_all().await;
    assert!(all_are(&answers, "token-0"), "{answers:?}");
    assert_eq!(scene.platform.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn sec_44_a_hundred_refused_calls_replace_the_token_once() {
    let scene = Scene::new();
    let nodes = [scene.node(1), scene.node(2)];
    assert!(all_are(&scene.calls(&nodes, 10).join_all().await, "token-0"));
    scene.platform.end_token();
    assert!(all_are(&scene.calls(&nodes, 100).join_all().await, "token-1"));
    assert_eq!(scene.platform.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_is_made_once_more_and_no_third_time() {
    let scene = Scene::new();
    let calls = AtomicUsize::new(0);
    let node = scene.node(1);
    for code in [40001, 40014, 42001] {
        calls.store(0, Ordering::SeqCst);
        let refused = node.with(&scene.source, |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Err::<(), _>(Failing::Errcode(code).error("cgi-bin/qrcode/create")))
        });
        assert_eq!(refused.await.unwrap_err().kind(), Some(FailureKind::TokenInvalid));
        assert_eq!(calls.load(Ordering::SeqCst), 2, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_refusal_neither_repeats_nor_replaces() {
    let scene = Scene::new();
    let calls = AtomicUsize::new(0);
    let node = scene.node(1);
    for failing in [Failing::Errcode(48001), Failing::Errcode(45009), Failing::Errcode(-1), Failing::Timeout]
    {
        calls.store(0, Ordering::SeqCst);
        let failed = node.with(&scene.source, |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Err::<(), _>(failing.error("cgi-bin/qrcode/create")))
        });
        failed.await.unwrap_err();
        assert_eq!((calls.load(Ordering::SeqCst), scene.platform.fetches()), (1, 1), "{failing:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_no_other_token_comes_the_platform_is_left_alone() {
    let scene = Scene::new();
    let node = scene.node(1);
    scene.call(&node).await.unwrap();
    scene.platform.is_stubborn.store(true, Ordering::SeqCst);
    scene.platform.end_token();
    for _ in 0..10 {
        assert_eq!(scene.call(&node).await.unwrap_err().kind(), Some(FailureKind::TokenInvalid));
    }
    assert_eq!(scene.platform.fetches(), 2);
    scene.platform.is_stubborn.store(false, Ordering::SeqCst);
    scene.clock.advance(Duration::from_secs(30));
    assert_eq!(scene.call(&node).await.unwrap(), "token-1");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_strand_the_others() {
    let scene = Scene::new();
    let node = scene.node(1);
    scene.platform.gate.forget_permits(10_000);
    let mut impatient = Box::pin(scene.call(&node));
    assert!(futures_util::poll!(&mut impatient).is_pending());
    let others = scene.calls(std::slice::from_ref(&node), 5);
    drop(impatient);
    scene.platform.gate.add_permits(1);
    assert!(all_are(&others.join_all().await, "token-0"));
    assert_eq!(scene.platform.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_nobody_waits_for_any_more_still_brings_its_token() {
    let scene = Scene::new();
    let node = scene.node(1);
    scene.platform.gate.forget_permits(10_000);
    let mut impatient = Box::pin(scene.call(&node));
    assert!(futures_util::poll!(&mut impatient).is_pending());
    drop(impatient);
    scene.platform.gate.add_permits(1);
    assert_eq!(scene.call(&node).await.unwrap(), "token-0");
    assert_eq!(scene.platform.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn promise_8_a_restart_and_another_node_use_the_saved_token() {
    let scene = Scene::new();
    scene.call(&scene.node(1)).await.unwrap();
    for seed in 2..5 {
        assert_eq!(scene.call(&scene.node(seed)).await.unwrap(), "token-0");
    }
    assert_eq!(scene.platform.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn sec_43_the_token_is_saved_sealed_for_its_own_app() {
    let scene = Scene::new();
    scene.call(&scene.node(1)).await.unwrap();
    let stored = scene.store.platform_token(&scene.source.name).await.unwrap().unwrap();
    assert!(!stored.sealed.windows(5).any(|window| window == b"token"));
    // Moved to another app's row it does not open, and that app fetches its own.
    let other = source("wx2", &scene.platform);
    scene.store.row(&other.name, |row| row.token = Some(stored)).unwrap();
    let node = scene.node(1);
    node.with(&other, |token| std::future::ready(scene.platform.answer(&token))).await.unwrap();
    assert_eq!(scene.platform.fetches(), 2);
    assert!(!format!("{node:?} {:?}", scene.store).contains("token-0"));
}

#[tokio::test(start_paused = true)]
async fn a_token_near_its_end_is_renewed_and_outlives_a_failed_renewal() {
    let scene = Scene::new();
    let node = scene.node(1);
    scene.call(&node).await.unwrap();
    scene.clock.advance(Duration::from_secs(7200 - 201));
    scene.call(&node).await.unwrap();
    assert_eq!(scene.platform.fetches(), 1);
    scene.clock.advance(Duration::from_secs(2));
    scene.platform.fails(&[Failing::Timeout]);
    assert_eq!(scene.call(&node).await.unwrap(), "token-0", "it lives for three more minutes");
    scene.flights_land().await;
    assert_eq!(scene.platform.fetches(), 2);
    assert_eq!(scene.call(&node).await.unwrap(), "token-0");
    scene.flights_land().await;
    assert_eq!(scene.platform.fetches(), 3, "renewed");
    scene.call(&node).await.unwrap();
    scene.flights_land().await;
    assert_eq!(scene.platform.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_slow_renewal_while_the_token_at_hand_works() {
    let scene = Scene::new();
    let node = scene.node(1);
    scene.call(&node).await.unwrap();
    scene.clock.advance(Duration::from_secs(7200 - 100));
    let held = scene.platform.gate.forget_permits(usize::MAX);
    for answer in scene.calls(std::slice::from_ref(&node), 20).join_all().await {
        assert_eq!(answer.unwrap(), "token-0");
    }
    scene.platform.gate.add_permits(held);
    scene.flights_land().await;
    scene.call(&node).await.unwrap();
    assert_eq!(scene.platform.fetches(), 2, "one for all of them");
}

#[tokio::test(start_paused = true)]
async fn in_its_last_moments_a_token_is_neither_used_nor_handed_on_while_another_can_be_had() {
    let scene = Scene::new();
    let node = scene.node(1);
    scene.call(&node).await.unwrap();
    scene.clock.advance(Duration::from_millis(7_199_500));
    scene.platform.end_token();
    let (token, seconds) = node.current(&scene.source).await.unwrap();
    assert_eq!((token.expose(), seconds), ("token-1", 7200));
    assert_eq!((scene.call(&node).await.unwrap().as_str(), scene.platform.fetches()), ("token-1", 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_with_little_life_is_used_for_half_of_it() {
    let scene = Scene::new();
    let node = scene.node(1);
    *scene.platform.life.lock().unwrap() = 100;
    for _ in 0..20 {
        scene.call(&node).await.unwrap();
    }
    assert_eq!(scene.platform.fetches(), 1);
    scene.clock.advance(Duration::from_secs(51));
    scene.call(&node).await.unwrap();
    scene.flights_land().await;
    assert_eq!(scene.platform.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_died_while_fetching_holds_nobody_up_for_long() {
    let scene = Scene::new();
    let (name, now) = (&scene.source.name, scene.clock.now());
    let until = now + Duration::from_secs(15);
    assert!(scene.store.lease_platform_token(name, "dead", until, now).await.unwrap());
    let node = scene.node(1);
    assert!(matches!(scene.call(&node).await.unwrap_err(), Failure::Awaited));
    assert_eq!(scene.platform.fetches(), 0);
    scene.clock.advance(Duration::from_secs(15));
    assert_eq!(scene.call(&node).await.unwrap(), "token-0");
}

#[tokio::test(start_paused = true)]
async fn a_refused_fetch_is_told_to_all_and_not_repeated_for_a_while() {
    let scene = Scene::new();
    let node = scene.node(1);
    scene.platform.fails(&[Failing::Errcode(40125)]);
    for answer in scene.calls(std::slice::from_ref(&node), 50).join_all().await {
        assert_eq!(answer.unwrap_err().kind(), Some(FailureKind::BadCredentials));
    }
    assert_eq!(scene.platform.fetches(), 1);
    scene.clock.advance(Duration::from_secs(30));
    assert_eq!(scene.call(&node).await.unwrap(), "token-0");
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_fetch_another_node_may_try_at_once() {
    let scene = Scene::new();
    scene.platform.fails(&[Failing::Timeout]);
    scene.call(&scene.node(1)).await.unwrap_err();
    assert_eq!(scene.call(&scene.node(2)).await.unwrap(), "token-0");
}

#[tokio::test(start_paused = true)]
async fn sec_85_a_platform_that_does_not_answer_is_left_alone_and_other_apps_do_not_notice() {
    let scene = Scene::new();
    let node = scene.node(1);
    let faults = usize::try_from(breaker::FAULTS).unwrap();
    scene.platform.fails(&vec![Failing::Timeout; faults]);
    for _ in 0..faults {
        assert_eq!(scene.call(&node).await.unwrap_err().kind(), Some(FailureKind::Unreachable));
    }
    for answer in scene.calls(std::slice::from_ref(&node), 20).join_all().await {
        assert!(matches!(answer, Err(Failure::Resting { .. })));
    }
    assert_eq!(scene.platform.fetches(), faults);
    let other = Platform::new();
    node.with(&source("wx2", &other), |token| std::future::ready(other.answer(&token))).await.unwrap();
    scene.clock.advance(breaker::REST);
    assert!(all_are(&scene.calls(std::slice::from_ref(&node), 20).join_all().await, "token-0"));
}

/// The operator's own system, which is down.
#[derive(Debug, Default)]
struct Portal(AtomicUsize);

#[async_trait]
impl Supply for Portal {
    async fn fetch(&self, _instead_of: Option<&AccessToken>) -> Result<IssuedToken, Failure> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(Failure::Theirs(TheirsFailure::Unreachable))
    }
}

#[tokio::test(start_paused = true)]
async fn sec_85_a_token_source_that_does_not_answer_rests_alone() {
    let scene = Scene::new();
    let portal = Arc::new(Portal::default());
    let (node, source) = (scene.node(1), scene.source.clone().supplied_by(portal.clone()));
    let call = async || node.with(&source, async |token| scene.platform.answer(&token)).await;
    for _ in 0..breaker::FAULTS {
        assert!(matches!(call().await.unwrap_err(), Failure::Theirs(_)));
    }
    let resting = call().await.unwrap_err();
    assert!(matches!(resting, Failure::Resting { .. }));
    assert!(resting.to_string().contains("token_source"), "{resting}");
    assert_eq!(portal.0.load(Ordering::SeqCst), usize::try_from(breaker::FAULTS).unwrap());
    // What needs no token of the app still reaches the platform.
    let exchange = async { Ok::<_, Error>("openid") };
    assert_eq!(source.breaker().run(&*scene.clock, exchange).await.unwrap(), "openid");
}

#[tokio::test(start_paused = true)]
async fn one_failed_fetch_that_many_waited_for_is_one_fault() {
    let scene = Scene::new();
    let node = scene.node(1);
    scene.platform.fails(&[Failing::Timeout]);
    let answers = scene.calls(std::slice::from_ref(&node), 50).join_all().await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(scene.call(&node).await.unwrap(), "token-0");
}

#[tokio::test(start_paused = true)]
async fn sec_82_without_a_store_no_token_is_fetched_and_one_at_hand_is_used() {
    let scene = Scene::new();
    let (node, fresh) = (scene.node(1), scene.node(2));
    scene.call(&node).await.unwrap();
    scene.store.is_down.store(true, Ordering::SeqCst);
    assert_eq!(scene.call(&node).await.unwrap(), "token-0");
    assert!(matches!(scene.call(&fresh).await.unwrap_err(), Failure::Store(_)));
    assert_eq!(scene.platform.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_panics_fails_alone() {
    let scene = Scene::new();
    let node = scene.node(1);
    scene.platform.fails(&[Failing::Panic]);
    assert!(matches!(scene.call(&node).await.unwrap_err(), Failure::Broken));
    scene.clock.advance(Duration::from_secs(15));
    assert_eq!(scene.call(&node).await.unwrap(), "token-0");
}

#[tokio::test(start_paused = true)]
async fn only_the_current_token_can_be_reported() {
    let scene = Scene::new();
    let node = scene.node(1);
    let (current, left) = node.current(&scene.source).await.unwrap();
    assert_eq!((current.expose(), left), ("token-0", 7200));
    node.replace(&scene.source, &AccessToken::new("token-of-yesterday")).await.unwrap();
    assert_eq!(node.current(&scene.source).await.unwrap().0.expose(), "token-0");
    node.replace(&scene.source, &current).await.unwrap();
    node.replace(&scene.source, &current).await.unwrap();
    assert_eq!(node.current(&scene.source).await.unwrap().0.expose(), "token-1");
    assert_eq!(scene.platform.fetches(), 2);
}
