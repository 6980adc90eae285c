//! `GET /channel/{channel}/returned`: what a platform's frame shows after it has come back. The page around it hears of
//! an approval by push; nothing is said to it from here. The outcome in the address is words and nothing else.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use mashang_login::ids::ChannelId;
use minijinja::context;

use crate::scan::Outcome;
use crate::state::App;
use crate::urls;
use crate::web::headers::Csp;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// `303` to this page.
pub fn returned_page(channel: &ChannelId, outcome: Outcome) -> Response {
    let page = urls::of_channel(urls::CHANNEL_RETURNED, channel);
    see_other(&format!("{page}?outcome={}", outcome.as_str()), &[])
}

/// A calm sentence inside the frame.
pub async fn returned(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let outcome = Outcome::parse(&visitor.query("outcome").unwrap_or_default());
    let group = if outcome == Outcome::Approved { "frame.returned" } else { "frame.not_signed_in" };
    let words = |part: &str| app.pages.words.say(visitor.language, &format!("{group}.{part}"), &[]);
    let (heading, text) = (words("heading"), words("text"));
    let values = context! { outcome => outcome.as_str(), heading => heading.clone(), text };
    let page = app.pages.render_titled(&visitor, "frame_returned.html", &heading, values)?;
    Ok(page.with_csp(Csp { framed_by_self: true, ..Csp::default() }).into_response())
}
