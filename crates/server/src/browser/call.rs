//! One call about a login that a page began: of the page that holds its secret, and of an origin of its client.

use axum::extract::{Path, State};
use http::HeaderMap;
use mashang_login::client::Client;
use mashang_login::ids::{GrantId, ScanCode};
use mashang_login::secret::{PageSecret, SecretHash};
use mashang_login::ticket::Ticket;

use super::origin_of;
use super::refused::Refused;
use crate::flow::{self, Waiting};
use crate::oauth::authorization;
use crate::state::App;
use crate::web::visitor::Visitor;

/// What every handler takes: the server, the page's browser, and the grant and scan code of the address.
pub type At = (State<App>, Visitor, Path<(String, String)>);

/// The login of a page that wants to change something.
///
/// # Errors
/// [`Refused::UnknownLogin`] for every login that is not this page's (SEC-14), [`Refused::OriginNotAllowed`] when the
/// secret has wandered to a page of another origin (SEC-59).
pub async fn login_of(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    (grant, ticket): &(String, String),
) -> Result<Waiting, Refused> {
    let page = page_of(headers)?;
    let waiting = flow::held_by(app, visitor.language, page, (grant, ticket)).await?;
    check_origin(headers, &waiting.client)?;
    Ok(waiting)
}

/// The ticket of a page that watches it. The grant is not read, so that watching costs little.
///
/// # Errors
/// As [`login_of`].
pub async fn ticket_of(
    app: &App,
    headers: &HeaderMap,
    page: SecretHash,
    (grant, ticket): &(String, String),
) -> Result<Ticket, Refused> {
    let unknown = |_| Refused::UnknownLogin;
    let (grant, code) = (GrantId::parse(grant).map_err(unknown)?, ScanCode::parse(ticket).map_err(unknown)?);
    let found = app.tickets.get(&code, app.now()).await?;
    let ticket = found
        .filter(|ticket| ticket.belongs_to(&page) && ticket.grant == grant)
        .ok_or(Refused::UnknownLogin)?;
    if origin_of(headers).is_some() {
        let client = app.records.client(&ticket.origin.client).await?.filter(Client::is_enabled);
        check_origin(headers, &client.ok_or(Refused::UnknownLogin)?)?;
    }
    Ok(ticket)
}

/// Hash of the secret in `Authorization: Bearer …`.
///
/// # Errors
/// [`Refused::UnknownLogin`] without one.
pub fn page_of(headers: &HeaderMap) -> Result<SecretHash, Refused> {
    let sent = authorization(headers);
    let secret = sent.as_deref().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") { PageSecret::parse(token.trim()) } else { None }
    });
    secret.map(|secret| secret.hash()).ok_or(Refused::UnknownLogin)
}

/// Browsers say where a page is from and pages cannot; what is no browser says nothing, and has the secret all the same.
fn check_origin(headers: &HeaderMap, client: &Client) -> Result<(), Refused> {
    match origin_of(headers) {
        Some(origin) if !client.owns_origin(origin) => Err(Refused::OriginNotAllowed),
        _ => Ok(()),
    }
}
