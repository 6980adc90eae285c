//! `POST …/refresh`: a fresh ticket for the same request; the old one is dead from then on (SEC-05). Or the same one, if it was
//! approved in this moment: it is to be redeemed.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use super::face::Face;
use crate::channel::Place;
use crate::flow;
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// Draws anew. Works as well when the old ticket is gone, as after a restart.
pub async fn refresh(
    State(app): State<App>,
    visitor: Visitor,
    Path((grant, ticket)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let waiting = flow::of_browser(&app, &visitor, &grant, &ticket).await?;
    if !waiting.grant.is_open(app.now()) {
        return Err(flow::over(&waiting));
    }
    app.count(Counted::Start, visitor.address).await?;
    let fresh = flow::renew(&app, &visitor, &waiting).await?;
    let visitor = visitor.preferring(&waiting.grant.request.ui_locales);
    let asked = visitor.query("channel");
    let purpose = &waiting.grant.purpose;
    let client = &waiting.client;
    let named = asked.as_deref().and_then(|id| app.channels.get_for_client(id, client, purpose));
    let channel = named.or_else(|| app.channels.for_client(client, purpose).next());
    let face = Face::draw(&app, &visitor, Place::OurPage, (purpose, &fresh), channel).await?;
    if visitor.wants_json { Ok(Json(face).into_response()) } else { Ok(see_other(face.page(), &[])) }
}
