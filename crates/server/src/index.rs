//! `GET /`: says what this is, to whoever types the bare address.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use minijinja::context;

use crate::state::App;
use crate::urls;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// Two sentences and the discovery address.
pub async fn index(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let values = context! {
        version => env!("CARGO_PKG_VERSION"),
        discovery_href => urls::DISCOVERY,
        issuer => app.provider.issuer.as_str(),
    };
    let page = app.pages.render(&visitor, "index.html", "index.title", values)?;
    Ok(page.into_response())
}
