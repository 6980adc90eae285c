//! `/{file}.txt` and `/s/{file}.txt`: the files by which platforms check that this domain is ours (`MP_verify_….txt`,
//! `WW_verify_….txt`, and a mini-program's link rule, which looks beside the links).

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;

use crate::state::App;
use crate::web::problem::Problem;

/// A file of the configuration, as plain text.
pub async fn file(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    of(&app, &name).ok_or(Problem::NotFound)
}

/// The file of this name, if the operator configured it.
#[must_use]
pub fn of(app: &App, name: &str) -> Option<Response> {
    let content = app.site.verification_files.get(name)?.clone();
    Some(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], content).into_response())
}
