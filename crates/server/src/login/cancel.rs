//! `POST …/cancel`: back to the website without a login, as `access_denied` (OpenID Connect Core §3.1.2.6).

use axum::extract::{Path, State};
use axum::response::Response;
use mashang_oidc::answer::refuse;
use mashang_oidc::authorize::AuthorizeError;

use crate::oauth::message;
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, flow};

/// Ends the ticket and the grant.
pub async fn cancel(
    State(app): State<App>,
    visitor: Visitor,
    Path((grant, ticket)): Path<(String, String)>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let waiting = flow::of_browser(&app, &visitor, &grant, &ticket).await?;
    if let Some(ticket) = &waiting.ticket {
        let _ = flow::advance(&app, &ticket.scan_code, |ticket, now| ticket.abandon(&waiting.browser, now))
            .await?;
    }
    match refuse(&app.provider, &waiting.grant, &AuthorizeError::access_denied()).await? {
        Some(response) => {
            audit::cancelled(&app, &visitor, &waiting.client.id, waiting.ticket.as_ref()).await;
            Ok(see_other(&message::address(&app, &waiting.browser, &response), &[]))
        }
        None => Err(flow::over(&waiting)),
    }
}
