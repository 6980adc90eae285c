//! Writes the audit trail (SEC-78). An event that cannot be written does not undo what happened: it is logged as an
//! error, with everything the record would have said.

use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::Client;
use mashang_login::ids::{ChannelId, ClientId, ScanCode, UserId};
use mashang_login::ticket::Ticket;

use crate::state::App;
use crate::web::visitor::Visitor;

/// Something happened to a ticket that is at hand.
pub async fn of_ticket(
    app: &App,
    visitor: &Visitor,
    kind: AuditKind,
    ticket: &Ticket,
    channel: Option<&ChannelId>,
) {
    note(app, visitor, kind, &ticket.scan_code, channel).await;
}

/// Something happened to a ticket known by its scan code.
pub async fn note(
    app: &App,
    visitor: &Visitor,
    kind: AuditKind,
    ticket: &ScanCode,
    channel: Option<&ChannelId>,
) {
    let mut event = by(app, visitor, kind);
    event.ticket = Some(ticket.short().to_owned());
    event.channel = channel.cloned();
    write(app, event).await;
}

/// Something happened to a person at a website.
pub async fn of_person(app: &App, visitor: &Visitor, kind: AuditKind, client: &Client, user: &UserId) {
    let mut event = by(app, visitor, kind);
    event.client = Some(client.id.clone());
    event.user = Some(user.clone());
    write(app, event).await;
}

/// A website's server did something, for a person or not.
pub async fn of_client(
    app: &App,
    visitor: &Visitor,
    kind: AuditKind,
    client: &ClientId,
    user: Option<&UserId>,
) {
    let mut event = by(app, visitor, kind);
    event.client = Some(client.clone());
    event.user = user.cloned();
    write(app, event).await;
}

fn by(app: &App, visitor: &Visitor, kind: AuditKind) -> AuditEvent {
    let mut event = AuditEvent::new(app.now(), kind);
    event.address = Some(visitor.address.to_string());
    event.device = Some(visitor.device.clone());
    event
}

/// Writes an event that is ready.
pub async fn write(app: &App, event: AuditEvent) {
    if let Err(error) = app.records.record(&event).await {
        tracing::error!(%error, ?event, "audit event {} was not written: {error}", event.kind.as_str());
    }
}
