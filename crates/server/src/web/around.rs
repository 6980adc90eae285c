//! What is around every handler, from outside in: the request's [name](super::request_id) and its count, the
//! [headers](super::headers) of each answer, a panic's end, and [words](super::problem) for what went wrong.
//!
//! One layer, because each one that a router is given costs every request a box around all that is inside of it, and a
//! future in another, and most requests are polls.

use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tracing::Instrument as _;

use super::headers;
use super::problem::{self, Problem};
use super::request_id::Named;
use super::visitor::Visitor;
use crate::state::App;

/// The layer.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let named = Named::read(&app, &request);
    let may_be_popup = headers::may_be_popup(request.uri().path());
    let (mut parts, body) = request.into_parts();
    // Read once: handlers find the same visitor in the request.
    let visitor = Visitor::read(&app, &parts);
    parts.extensions.insert(visitor.clone());
    let answer = AssertUnwindSafe(next.run(Request::from_parts(parts, body))).catch_unwind();
    let answered = async {
        let response = answer.await.unwrap_or_else(|panic| broken(&*panic));
        named.worded(response, |response| problem::worded(&app, &visitor, response))
    };
    let mut response = answered.instrument(named.span()).await;
    headers::complete(&app, may_be_popup, response.headers_mut());
    named.answered(&mut response);
    response
}

/// A panic is a broken invariant of ours: the person sees a page, and the panic hook has written down where it was.
fn broken(panic: &(dyn std::any::Any + Send)) -> Response {
    let words = panic.downcast_ref::<&str>().copied();
    let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic");
    Problem::Broken(words.to_owned()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_as_our_own_mistake() {
        for panicking in [async { panic!("here: {}", 1) }.boxed(), async { panic!("there") }.boxed()] {
            let panic = AssertUnwindSafe(panicking).catch_unwind().await.unwrap_err();
            let response = broken(&*panic);
            assert!(response.status().is_server_error());
            let told = response.extensions().get::<std::sync::Arc<Problem>>().unwrap();
            assert!(matches!(&**told, Problem::Broken(what) if what == "here: 1" || what == "there"));
        }
    }
}
