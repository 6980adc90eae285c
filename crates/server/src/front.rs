//! In front of the [routes](crate::routes): a browser that asks how its own ticket stands is answered here, and everything
//! else goes on to them.
//!
//! Such polls are most of the requests there are where neither sockets nor streams get through, and a request passes a dozen
//! boxes on its way to a handler and back, which costs more than the answer. What is not plainly a poll is left to the routes,
//! which answer every poll just so; a test compares the two.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Json, Router};
use http::{HeaderMap, HeaderValue, Method, Request};
use mashang_login::ids::ScanCode;
use tower::Service;

use crate::login::status::{Report, own};
use crate::state::App;
use crate::urls;
use crate::web::cookies::Brought;
use crate::web::headers;
use crate::web::limits::Counted;
use crate::web::problem::{self, Problem};
use crate::web::request_id::{self, Named};
use crate::web::visitor::Visitor;

/// The whole server, as a service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Front {
    app: App,
    routes: Router,
    /// Of a poll's answer: a copy costs less than ten insertions.
    usual: Arc<HeaderMap>,
}

impl Front {
    pub(crate) fn new(app: App, routes: Router) -> Self {
        let mut headers = Json(()).into_response().headers().clone();
        headers::complete(&app, headers::may_be_popup(urls::STATUS), &mut headers);
        // Keeps the place: each answer has its own.
        headers.insert(request_id::HEADER, HeaderValue::from_static(""));
        Self { app, routes, usual: Arc::new(headers) }
    }

    /// The routes alone.
    pub fn into_routes(self) -> Router {
        self.routes
    }
}

impl<B> Service<Request<B>> for Front
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    /// A box, or a connection would keep room for the routes' while an answer goes on for minutes.
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<B>>::poll_ready(&mut self.routes, context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Some(code) = ticket_polled(&request) else {
            return Box::pin(self.routes.call(request));
        };
        let (app, usual, request) = (self.app.clone(), Arc::clone(&self.usual), request.map(drop));
        Box::pin(async move { Ok(answer(&app, &usual, request, &code).await) })
    }
}

/// The ticket whose status is asked for, if the request asks for nothing else.
fn ticket_polled<B>(request: &Request<B>) -> Option<ScanCode> {
    if request.method() != Method::GET || request.uri().query().is_some() {
        return None;
    }
    let (grant, ticket) =
        request.uri().path().strip_prefix("/login/")?.strip_suffix("/status")?.split_once('/')?;
    // The handler does not look at the grant either: the browser's secret is what counts.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_plain = !grant.is_empty() && grant.bytes().all(is_plain);
    ScanCode::parse(ticket).ok().filter(|_| is_plain)
}

/// As [`around`](crate::web::around) the route's handler.
async fn answer(app: &App, usual: &HeaderMap, request: Request<()>, code: &ScanCode) -> Response {
    let named = Named::of_route(app, &request, urls::STATUS);
    let mut response = match status(app, &request, code).await {
        Ok(report) => {
            let body = serde_json::to_vec(&report).expect("a stage and two numbers");
            let mut response = Response::new(Body::from(body));
            *response.headers_mut() = usual.clone();
            response
        }
        Err(problem) => {
            let (parts, ()) = request.into_parts();
            let visitor = Visitor::read(app, &parts);
            let mut response =
                named.worded(problem.into_response(), |response| problem::worded(app, &visitor, response));
            headers::complete(app, headers::may_be_popup(urls::STATUS), response.headers_mut());
            response
        }
    };
    named.answered(&mut response);
    response
}

/// As [`login::status`](crate::login::status::status), without what a plain poll does not need.
async fn status(app: &App, request: &Request<()>, code: &ScanCode) -> Result<Report, Problem> {
    let address = Visitor::address_of(app, request.extensions(), request.headers());
    app.limits.count_here(Counted::Poll, address)?;
    let browser = Brought::from_headers(request.headers(), app.site.transport).browser;
    let glance = own(app, browser.map(|secret| secret.hash()), code).await?;
    Ok(Report::seen(&glance, app.now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polled(method: &str, path: &str) -> Option<String> {
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        ticket_polled(&request).map(|code| code.as_str().to_owned())
    }

    #[test]
    fn only_a_plain_poll_is_taken() {
        let (grant, ticket) = ("g_".repeat(16), "t-".repeat(16));
        let path = format!("/login/{grant}/{ticket}/status");
        assert_eq!(polled("GET", &path), Some(ticket.clone()));
        for method in ["HEAD", "POST", "OPTIONS"] {
            assert_eq!(polled(method, &path), None, "{method}");
        }
        for path in [
            format!("{path}?wait=25&seen=0"),
            format!("{path}/"),
            format!("/login/{grant}/{ticket}/events"),
            format!("/login/{grant}/{ticket}"),
            format!("/login//{ticket}/status"),
            format!("/login/%67/{ticket}/status"),
            format!("/login/{grant}/{ticket}/x/status"),
            format!("/login/{grant}/%74/status"),
            format!("/api/browser/logins/{grant}/{ticket}/status"),
        ] {
            assert_eq!(polled("GET", &path), None, "{path}");
        }
    }
}
