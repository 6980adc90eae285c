//! `POST …/refresh`: a fresh ticket for the same request, under the same or another channel; the old one is dead from
//! then on (SEC-05). Works as well when the old one is gone, as after a restart. One that was approved in this moment is
//! answered as it is: it is to be redeemed.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::call::{At, login_of};
use super::face::{draw, is_drawn, select};
use super::refused::Refused;
use super::{body_of, told};
use crate::flow;
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::visitor::Visitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    channel: Option<String>,
}

/// Draws anew.
pub async fn refresh((State(app), visitor, Path(at)): At, request: Request) -> Response {
    let outcome = anew(&app, &visitor, &at, request).await;
    told(&app, &visitor, outcome.map(|face| (StatusCode::OK, face)))
}

async fn anew(
    app: &App,
    visitor: &Visitor,
    at: &(String, String),
    request: Request,
) -> Result<Value, Refused> {
    let waiting = login_of(app, visitor, request.headers(), at).await?;
    if !waiting.grant.is_open(app.now()) {
        return Err(Refused::LoginOver);
    }
    let asked: Asked = body_of(request).await?;
    let visitor = visitor.clone().preferring(&waiting.grant.request.ui_locales);
    let named = asked.channel.as_deref().or(waiting.grant.request.login_hint.as_deref());
    let channel = select(app, &visitor, &waiting.client, named)?;
    if !is_drawn(&waiting.client, channel) {
        return Err(Refused::invalid("this channel needs our own page: open /authorize in a window"));
    }
    app.count(Counted::Start, visitor.address).await?;
    let fresh = flow::renew(app, &visitor, &waiting).await?;
    draw(app, &visitor, &fresh, channel).await
}
