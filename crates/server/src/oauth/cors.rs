//! Cross-origin answers (SEC-59): discovery and keys for everyone, token, userinfo and the Browser API for the exact
//! origins of registered clients, nothing anywhere else, and never with cookies.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use mashang_login::client::Client;
use tokio::time::Instant;

use crate::state::App;

/// For documents that are public anyway.
pub async fn public(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// For endpoints that single-page apps call.
pub async fn of_clients(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else { return next.run(request).await };
    let is_preflight = *request.method() == Method::OPTIONS;
    let is_known = is_registered(&app, &origin).await;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if is_known {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
        if is_preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("authorization, content-type"),
            );
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
    }
    response
}

/// `OPTIONS`: the layer adds what the origin is allowed to know.
pub async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn is_registered(app: &App, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    if let Some(answer) = app.origins.remembered(origin) {
        return answer;
    }
    // A store that does not answer grants nothing that it did not before (SEC-82): or every website would be told that it is not
    // registered, where it has to be told to come again.
    let Ok(clients) = app.records.clients().await else { return app.origins.was_known(origin) };
    let enabled = clients.iter().filter(|client| client.is_enabled());
    app.origins.remember(enabled.flat_map(Client::origins).collect()).contains(origin)
}

/// How long an origin that was registered is taken to be so still, and the list is not read again for one that was not: a
/// stranger's requests must not read every client, logos and all, each time.
const KNOWN: Duration = Duration::from_secs(5);
const UNKNOWN: Duration = Duration::from_secs(1);

/// The origins of all clients that are switched on, as they were lately.
#[derive(Debug, Default)]
pub struct Origins(RwLock<Option<(Instant, Arc<HashSet<String>>)>>);

impl Origins {
    /// Whether `origin` is one; `None` if the clients must be asked.
    fn remembered(&self, origin: &str) -> Option<bool> {
        let lately = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (at, origins) = lately.as_ref()?;
        let answer = origins.contains(origin);
        (at.elapsed() < if answer { KNOWN } else { UNKNOWN }).then_some(answer)
    }

    /// Whether it was one when the clients could last be asked.
    fn was_known(&self, origin: &str) -> bool {
        let lately = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lately.as_ref().is_some_and(|(_, origins)| origins.contains(origin))
    }

    fn remember(&self, origins: HashSet<String>) -> Arc<HashSet<String>> {
        let origins = Arc::new(origins);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), origins.clone()));
        origins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sec_59_a_strangers_origin_reads_the_clients_once_a_second_and_a_new_one_counts_by_then() {
        let origins = Origins::default();
        assert_eq!(origins.remembered("https://site.example"), None);
        origins.remember(HashSet::from(["https://site.example".to_owned()]));
        assert_eq!(origins.remembered("https://site.example"), Some(true));
        assert_eq!(origins.remembered("https://evil.example"), Some(false));
        tokio::time::advance(UNKNOWN).await;
        assert_eq!(origins.remembered("https://evil.example"), None, "it may have been registered since");
        assert_eq!(origins.remembered("https://site.example"), Some(true));
        tokio::time::advance(KNOWN).await;
        assert_eq!(origins.remembered("https://site.example"), None, "it may have been switched off since");
        assert!(origins.was_known("https://site.example") && !origins.was_known("https://evil.example"));
    }
}
