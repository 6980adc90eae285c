//! Drawing tickets: the first of a login, one more, and one that takes another's place.
//!
//! The trail tells of none of them here, but from when somebody acts on it ([`advance`](super::advance)): strangers may begin any
//! number of logins, and pages that lie open draw a QR every two minutes.

use mashang_login::client::Client;
use mashang_login::grant::Grant;
use mashang_login::secret::SecretHash;
use mashang_login::ticket::{Origin, Refusal, Status, Ticket};

use super::{Waiting, advance, host_of};
use crate::state::App;
use crate::web::device::Surroundings;
use crate::web::problem::Problem;
use crate::web::request_id;
use crate::web::visitor::Visitor;

/// Draws the first ticket of a grant that was brought just now, and stores the grant.
///
/// # Errors
/// [`Problem::Store`] when a store does not answer; a ticket whose grant was not stored leads nowhere, and expires.
pub async fn draw_first(
    app: &App,
    visitor: &Visitor,
    grant: &Grant,
    client: &Client,
    browser: &SecretHash,
) -> Result<Ticket, Problem> {
    let ticket = redraw(app, visitor, grant, client, browser).await?;
    app.records.begin_grant(grant).await?;
    count(app, client);
    Ok(ticket)
}

/// Draws a fresh ticket for a grant. Callers have counted the start (SEC-16), once per request.
///
/// # Errors
/// [`Problem::Store`] at the ceiling of live tickets.
pub async fn draw(
    app: &App,
    visitor: &Visitor,
    grant: &Grant,
    client: &Client,
    browser: &SecretHash,
) -> Result<Ticket, Problem> {
    let ticket = redraw(app, visitor, grant, client, browser).await?;
    count(app, client);
    Ok(ticket)
}

fn count(app: &App, client: &Client) {
    app.metrics.begun.get_or_create(&[("client", client.id.as_str().to_owned().into())]).inc();
}

/// The ticket that takes the place of the one at hand, which ends (SEC-05). One that was approved in this very moment stays: the
/// phone has told the person that they are signed in, and the page redeems it.
///
/// # Errors
/// As [`draw`].
pub async fn renew(app: &App, visitor: &Visitor, waiting: &Waiting) -> Result<Ticket, Problem> {
    if let Some(old) = &waiting.ticket {
        let ended = advance(app, &old.scan_code, |ticket, now| match ticket.status(now) {
            Status::Approved => Err(Refusal::Taken),
            // Already over is as good as abandoned.
            _ => ticket.abandon(&waiting.browser, now),
        });
        if ended.await? == Err(Refusal::Taken) {
            let now = app.now();
            let approved = app.tickets.get(&old.scan_code, now).await?;
            // Redeemed by another tab in between, it is over like any other.
            if let Some(approved) = approved.filter(|ticket| ticket.status(now) == Status::Approved) {
                return Ok(approved);
            }
        }
    }
    redraw(app, visitor, &waiting.grant, &waiting.client, &waiting.browser).await
}

/// Draws a ticket that takes another one's place, of a login that was counted before.
///
/// # Errors
/// As [`draw`].
pub async fn redraw(
    app: &App,
    visitor: &Visitor,
    grant: &Grant,
    client: &Client,
    browser: &SecretHash,
) -> Result<Ticket, Problem> {
    let now = app.now();
    let origin = Origin {
        client: client.id.clone(),
        site_name: client.name.clone(),
        site_host: host_of(&grant.request.redirect_uri),
        device: visitor.device(),
        on_phone: visitor.surroundings() != Surroundings::Desktop,
        address: visitor.address.to_string(),
        at: now,
    };
    let (grant, lifetimes) = (grant.id.clone(), &app.site.lifetimes);
    let ticket = Ticket::begin(grant, *browser, origin, now, lifetimes, &*app.entropy);
    app.tickets.create(&ticket, now).await?;
    request_id::about(&ticket.scan_code);
    Ok(ticket)
}
