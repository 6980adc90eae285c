//! `GET /healthz` and `GET /readyz`: for whoever runs the process, on the public listener and on the one for
//! [`operations`](crate::operations). What the public one says is one word.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use mashang_login::ids::ScanCode;
use mashang_login::records::StoreError;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::outgoing::causes;
use crate::state::App;

/// How long all engines together may take. Balancers ask every few seconds, and give up after one or two.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long strangers are told what was found last: each question to the engines is a commit, and there may be any number.
const FRESH: Duration = Duration::from_secs(1);

/// What the public was told last, of everything and of the records alone.
#[derive(Debug, Default)]
pub struct Told {
    everything: Mutex<Option<(Instant, Outcome)>>,
    records: Mutex<Option<(Instant, Outcome)>>,
}

/// Ready, or the word for why not.
type Outcome = Result<(), String>;

/// Why a node takes no new browsers.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// Somebody asked it to stop.
    #[error("stopping")]
    Stopping,
    /// An engine failed.
    #[error("the store does not answer")]
    Store(#[from] StoreError),
    /// An engine takes too long.
    #[error("the store does not answer in time")]
    Slow,
}

/// The process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// Whether this node takes new browsers: nobody asked it to stop, records can be written and read, and the tickets'
/// engine answers a question.
///
/// # Errors
/// [`NotReady`].
pub async fn check(app: &App) -> Result<(), NotReady> {
    let outcome = if app.is_leaving() { Err(NotReady::Stopping) } else { engines(app).await };
    app.metrics.ready.set(outcome.is_ok().into());
    app.metrics.stopping.set(matches!(outcome, Err(NotReady::Stopping)).into());
    outcome
}

/// As [`check`], if the question is of everything. `?records` asks for the records alone: for a balancer that has no better
/// node to go to when the tickets' engine, which all share, is away. Tokens, keys and people's facts need none.
///
/// # Errors
/// [`NotReady`].
pub async fn check_what(app: &App, question: Option<&str>) -> Result<(), NotReady> {
    match question {
        Some("records") if app.is_leaving() => Err(NotReady::Stopping),
        Some("records") => {
            timeout(PATIENCE, app.records.check()).await.map_err(|_| NotReady::Slow)?.map_err(NotReady::Store)
        }
        _ => check(app).await,
    }
}

async fn engines(app: &App) -> Result<(), NotReady> {
    // No ticket has this name; whoever says so has answered.
    let nobody = ScanCode::random(&*app.entropy);
    let asked = async {
        app.records.check().await?;
        app.tickets.get(&nobody, app.now()).await
    };
    timeout(PATIENCE, asked).await.map_err(|_| NotReady::Slow)??;
    Ok(())
}

/// [`check_what`] once a second, for balancers: the log has the cause, the answer does not, since strangers may read it.
pub async fn ready(State(app): State<App>, RawQuery(question): RawQuery) -> Response {
    match asked_lately(&app, question.as_deref()).await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// Whoever asks while somebody else does waits for the same answer.
async fn asked_lately(app: &App, question: Option<&str>) -> Outcome {
    let told = if question == Some("records") { &app.told.records } else { &app.told.everything };
    let mut last = told.lock().await;
    if let Some((at, outcome)) = &*last
        && at.elapsed() < FRESH
        && !app.is_leaving()
    {
        return outcome.clone();
    }
    let outcome = check_what(app, question).await.map_err(|why| {
        if !matches!(why, NotReady::Stopping) {
            let error = causes(&why);
            tracing::error!(error, "not ready: {error}");
        }
        why.to_string()
    });
    *last = Some((Instant::now(), outcome.clone()));
    outcome
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt as _;
    use mashang_login::Timestamp;
    use mashang_login::ticket::{Glance, Ticket};
    use mashang_login::tickets::{Advance, Tickets, Watch};
    use tower::ServiceExt as _;

    use super::*;
    use crate::log::Overheard;
    use crate::open::{self, Surroundings};
    use crate::{config, operations, routes, urls};

    /// Tickets whose engine is away.
    #[derive(Debug)]
    struct Away;

    fn away<T>() -> Result<T, StoreError> {
        Err(StoreError::Unavailable("connection refused".into()))
    }

    #[async_trait]
    impl Tickets for Away {
        async fn create(&self, _: &Ticket, _: Timestamp) -> Result<(), StoreError> {
            away()
        }

        async fn get(&self, _: &ScanCode, _: Timestamp) -> Result<Option<Ticket>, StoreError> {
            away()
        }

        async fn glance(&self, _: &ScanCode, _: Timestamp) -> Result<Option<Glance>, StoreError> {
            away()
        }

        async fn advance(&self, _: &Ticket, _: &Ticket, _: Timestamp) -> Result<Advance, StoreError> {
            away()
        }

        async fn watch(&self, _: &ScanCode) -> Result<Box<dyn Watch>, StoreError> {
            away()
        }
    }

    async fn told(response: Response) -> String {
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    async fn open(folder: &std::path::Path) -> App {
        let path = |name: &str| folder.join(name).display().to_string();
        let text = format!(
            "[server]\npublic_url = 'https://login.example'\n[store]\nurl = 'sqlite:{}'\nmaster_key_file = '{}'\n",
            path("test.db"),
            path("master.key")
        );
        open::app(&config::from_text(&text).unwrap(), Surroundings::default()).await.unwrap()
    }

    #[tokio::test]
    async fn sec_79_strangers_cause_one_check_of_the_engines_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let app = open(folder.path()).await;
        let router = routes::service(app.clone());
        let began = Instant::now();
        for _ in 0..50 {
            let request = Request::get(urls::READY).body(Body::empty()).unwrap();
            assert_eq!(router.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
        }
        let told = app.metrics.render();
        let counted = "mashang_engine_seconds_count{engine=\"records\",operation=\"check\"} ";
        let checks = told.lines().find_map(|line| line.strip_prefix(counted)).unwrap();
        assert!(checks.parse::<u64>().unwrap() <= 1 + began.elapsed().as_secs(), "{checks} checks");
    }

    #[tokio::test]
    async fn operators_are_told_why_a_store_does_not_answer_and_strangers_that_it_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let app = open(folder.path()).await.with(|parts| parts.tickets = Arc::new(Away));
        let overheard = Overheard::by("error");
        let ask = || Request::get(urls::READY).body(Body::empty()).unwrap();
        let public = routes::service(app.clone()).oneshot(ask()).await.unwrap();
        assert_eq!(told(public).await, "the store does not answer\n");
        let why = "the store does not answer: the store is unavailable: connection refused";
        let logged = overheard.told();
        assert!(logged.contains(&format!("not ready: {why}")), "{logged}");
        let operators = operations::router(app).oneshot(ask()).await.unwrap();
        assert_eq!(told(operators).await, format!("{why}\n"));
    }
}
