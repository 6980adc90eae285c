//! `POST …/redeem`: the browser collects the approval. The script asks for JSON and follows the address itself; the
//! button without a script gets a redirect.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use mashang_login::ticket::Status;
use serde_json::json;

use crate::flow::{self, Next};
use crate::state::App;
use crate::urls;
use crate::web::limits::Counted;
use crate::web::pages::{see_other, set_cookies};
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// Collects, or says how the ticket stands.
pub async fn redeem(
    State(app): State<App>,
    visitor: Visitor,
    Path((grant, ticket)): Path<(String, String)>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let waiting = flow::of_browser(&app, &visitor, &grant, &ticket).await?;
    match flow::next(&waiting.grant, waiting.ticket.as_ref(), app.now()) {
        Next::Over => return Err(flow::over(&waiting)),
        Next::Draw => return Err(Problem::UnknownLogin),
        Next::Show => {
            let status = waiting.ticket.as_ref().map_or(Status::Expired, |ticket| ticket.status(app.now()));
            if visitor.wants_json {
                return Ok((StatusCode::CONFLICT, Json(json!({ "status": status }))).into_response());
            }
            // The button was pressed too early: the page says what is missing.
            let page = waiting.ticket.as_ref().map_or_else(
                || urls::login(&waiting.grant.id),
                |ticket| urls::of_ticket(urls::LOGIN_TICKET, &waiting.grant.id, &ticket.scan_code),
            );
            return Ok(see_other(&page, &[]));
        }
        Next::Redeem => {}
    }
    let gone = flow::redeem(&app, &visitor, &waiting).await?;
    if !visitor.wants_json {
        return Ok(gone.into_redirect());
    }
    let mut response = Json(json!({ "redirect": gone.address })).into_response();
    set_cookies(&mut response, &gone.cookies);
    Ok(response)
}
