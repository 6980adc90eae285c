//! What was begun is finished, even if the caller hangs up.
//!
//! hyper drops a handler when its connection closes. WeChat's web view is known to abort a callback and send it again
//! (fact sheet §8.1): the first visit would have spent the code and lost the answer. So handlers that act run in a task of
//! their own; a spent code or ticket always has its effect, and its audit record.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use crate::traces;
use crate::web::problem::Problem;

/// The layer.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    match tokio::spawn(traces::follow(next.run(request).in_current_span())).await {
        Ok(response) => response,
        // A panic is a broken invariant of ours: the person sees a page, the log has the panic's own message.
        Err(error) => Problem::Broken(error.to_string()).into_response(),
    }
}
