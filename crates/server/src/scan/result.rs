//! `GET /s/{scan code}/result`: tells the phone what came of its scan. The outcome is a word in the address and nothing
//! but words on the page: it proves and changes nothing.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use minijinja::context;

use super::Outcome;
use crate::state::App;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// A calm sentence.
pub async fn result(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let outcome = Outcome::parse(&visitor.query("outcome").unwrap_or_default());
    let say = |part: &str| {
        let key = format!("result.{}.{part}", outcome.as_str());
        app.pages.words.say(visitor.language, &key, &[])
    };
    let phone_href =
        app.site.sandbox.as_ref().and_then(|sandbox| sandbox.join("phone").ok()).map(String::from);
    let heading = say("heading");
    let values = context! {
        outcome => outcome.as_str(),
        heading => heading.clone(),
        text => say("text"),
        remedy => (),
        reference => (),
        retry_href => (),
        phone_href,
    };
    Ok(app.pages.render_titled(&visitor, "phone_result.html", &heading, values)?.into_response())
}
