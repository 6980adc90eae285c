//! Writes the audit trail (SEC-78). An event that cannot be written does not undo what happened: it is logged as an
//! error, with everything the record would have said. What signs somebody in or hands out tokens is not written here: its records
//! are stored with it, or it did not happen.

pub mod keeper;

use mashang_login::accounts::UnionNews;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::ids::{ChannelId, ClientId, ScanCode, UserId};
use mashang_login::ticket::{Stage, Ticket};

use crate::outgoing::causes;
use crate::state::App;
use crate::web::limits::{Counted, Whose};
use crate::web::visitor::Visitor;

/// A ticket was drawn, as it says of itself.
pub async fn started(app: &App, ticket: &Ticket) {
    let origin = &ticket.origin;
    let mut event = AuditEvent::new(origin.at, AuditKind::TicketStarted);
    event.address = Some(origin.address.clone());
    event.device = Some(origin.device.clone());
    event.ticket = Some(ticket.scan_code.short().to_owned());
    event.client = Some(origin.client.clone());
    write(app, event).await;
}

/// Something happened to a ticket.
pub async fn of_ticket(
    app: &App,
    visitor: &Visitor,
    kind: AuditKind,
    ticket: &Ticket,
    channel: Option<&ChannelId>,
) {
    let mut event = by(app, visitor, kind);
    event.ticket = Some(ticket.scan_code.short().to_owned());
    event.client = Some(ticket.origin.client.clone());
    event.channel = channel.cloned();
    write(app, event).await;
}

/// How many of the newest records are looked through for one.
const LOOK_BACK: u32 = 2_000;

/// Whether the trail has this record of a ticket; `None` where so much happened since the ticket was drawn that it cannot be told.
pub async fn is_recorded(app: &App, kind: AuditKind, ticket: &Ticket) -> Option<bool> {
    let looked = app.records.audit_has(kind, ticket.scan_code.short(), ticket.origin.at, LOOK_BACK).await;
    looked.ok()?
}

/// Something happened on a trip to a platform.
pub async fn of_trip(app: &App, visitor: &Visitor, kind: AuditKind, ticket: &ScanCode, channel: &ChannelId) {
    let mut event = by(app, visitor, kind);
    event.ticket = Some(ticket.short().to_owned());
    event.channel = Some(channel.clone());
    write(app, event).await;
}

/// As [`of_trip`], of a platform that refused or failed: strangers can have that of it by a code that they made up, so no more
/// of them are told than of other refusals.
pub async fn failed(app: &App, visitor: &Visitor, ticket: &ScanCode, channel: &ChannelId) {
    let whose = Whose::to_one(visitor.address, channel.as_str());
    if app.count(Counted::Refusal, whose).await.is_ok() {
        of_trip(app, visitor, AuditKind::ChannelFailed, ticket, channel).await;
    }
}

/// A browser gave its login up. Of one that a phone had scanned the trail tells in any case.
pub async fn cancelled(app: &App, visitor: &Visitor, client: &ClientId, ticket: Option<&Ticket>) {
    let is_idle = ticket.is_none_or(|ticket| matches!(ticket.stage, Stage::Waiting { .. } | Stage::Expired));
    if !is_idle || app.count(Counted::Refusal, visitor.address).await.is_ok() {
        of_client(app, visitor, AuditKind::LoginCancelled, client, None).await;
    }
}

/// Something happened between a website and a person, or a website alone.
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

/// A login's unionid showed what an operator must look at. People are never merged by it (SEC-39). `user` is who signed in.
pub fn warn_of_union(user: &UserId, news: Option<&UnionNews>) {
    if let Some(UnionNews::Clash { other }) = news {
        // Whoever made it happen may be either of the two, so it does not say which one should stay.
        tracing::warn!(
            user.id = %user,
            other.id = %other,
            "the unionid of {user} leads to {other} too: nothing was merged. To see whether they are one person, look \
             with `mashang user show {user}` and `mashang user show {other}`"
        );
    }
}

/// An event of this moment and this device; fill in the rest and [`write`] it.
pub fn by(app: &App, visitor: &Visitor, kind: AuditKind) -> AuditEvent {
    let mut event = AuditEvent::new(app.now(), kind);
    event.address = Some(visitor.address.to_string());
    event.device = Some(visitor.device());
    event
}

/// Writes an event that is ready.
pub async fn write(app: &App, event: AuditEvent) {
    if let Err(error) = app.records.record(&event).await {
        app.metrics.audit_failures.inc();
        let error = causes(&error);
        tracing::error!(error, ?event, "audit event {} was not written: {error}", event.kind.as_str());
    }
}
