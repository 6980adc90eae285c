//! A login without a scan: the waiting browser itself proved who sits before it, by a form of the login page.

use mashang_login::identity::Proof;
use mashang_login::ticket::Ticket;

use super::{GoTo, Waiting, advance, answer, redraw};
use crate::state::App;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// Approves and collects at once, by the same ticket that a scan would have moved. Where that ticket is of no use any more
/// (its time ran out while somebody typed, or a phone scanned it meanwhile), a fresh one takes its place: the form proves the
/// person by itself, and whoever scanned gets nothing.
///
/// # Errors
/// As [`answer::redeem`].
pub async fn prove_here(
    app: &App,
    visitor: &Visitor,
    waiting: Waiting,
    proof: Proof,
) -> Result<GoTo, Problem> {
    if !waiting.grant.is_open(app.now()) {
        return Err(super::over(&waiting));
    }
    let ticket = match &waiting.ticket {
        Some(shown) => match approve(app, shown, &waiting, &proof).await? {
            Some(approved) => approved,
            None => instead(app, visitor, &waiting, &proof).await?,
        },
        None => instead(app, visitor, &waiting, &proof).await?,
    };
    let waiting = Waiting { ticket: Some(ticket), ..waiting };
    answer::redeem(app, visitor, &waiting).await
}

async fn approve(
    app: &App,
    ticket: &Ticket,
    waiting: &Waiting,
    proof: &Proof,
) -> Result<Option<Ticket>, Problem> {
    let moved = advance(app, &ticket.scan_code, |ticket, now| {
        ticket.approve_on_platform(&waiting.browser, proof.clone(), now, &app.site.lifetimes)
    })
    .await?;
    Ok(moved.ok())
}

async fn instead(app: &App, visitor: &Visitor, waiting: &Waiting, proof: &Proof) -> Result<Ticket, Problem> {
    if let Some(old) = &waiting.ticket {
        // Already over is as good as abandoned.
        let _ = advance(app, &old.scan_code, |ticket, now| ticket.abandon(&waiting.browser, now)).await?;
    }
    let fresh = redraw(app, visitor, &waiting.grant, &waiting.client, &waiting.browser).await?;
    approve(app, &fresh, waiting, proof).await?.ok_or(Problem::UnknownLogin)
}
