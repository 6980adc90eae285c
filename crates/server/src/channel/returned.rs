//! `GET /channel/{channel}/returned`: what a platform's frame shows after it has come back. The page around it has
//! already heard by push; nothing is said to it from here.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use minijinja::context;

use crate::state::App;
use crate::web::headers::Csp;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// A calm sentence inside the frame.
pub async fn returned(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let words = |part: &str| app.pages.words.say(visitor.language, part, &[]);
    let (heading, text) = (words("frame.returned.heading"), words("frame.returned.text"));
    let page = app.pages.render(
        &visitor,
        "frame_returned.html",
        "frame.returned.heading",
        context! { heading, text },
    )?;
    Ok(page.with_csp(Csp { framed_by_self: true, ..Csp::default() }).into_response())
}
