//! The audit trail: appended to, read newest first, never changed. [`trail`](super::trail) looks after it.

use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::ids::UserId;
use mashang_login::records::StoreError;
use mashang_login::trail::Numbered;
use sea_orm::{ColumnTrait, EntityTrait, NotSet, QueryFilter, QueryOrder, QuerySelect, Select, Set};

use super::db::{Db, Fetch};
use super::entity::audit_events::{ActiveModel, Column, Entity, Model};
use super::errors::{known, read, text_or_none, time};

/// How long after it happened something may be appended: a QR that was drawn anew, when somebody scans it.
const LATE: Duration = Duration::from_secs(300);

pub(super) async fn append(db: Db<'_>, event: &AuditEvent) -> Result<(), StoreError> {
    let row = ActiveModel {
        seq: NotSet,
        at: Set(event.at.as_millisecond()),
        kind: Set(event.kind.as_str().to_owned()),
        ticket: Set(event.ticket.clone()),
        client_id: Set(event.client.as_ref().map(ToString::to_string)),
        user_id: Set(event.user.as_ref().map(ToString::to_string)),
        channel: Set(event.channel.as_ref().map(ToString::to_string)),
        address: Set(event.address.clone()),
        device: Set(event.device.clone()),
        other_user_id: Set(event.other.as_ref().map(ToString::to_string)),
    };
    db.insert(row).await
}

/// The newest, by the order in which they were appended: clocks of two nodes may differ, the trail does not.
pub(super) async fn newest(db: Db<'_>, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
    newest_in(db, Entity::find(), limit).await
}

/// As [`newest`], of what is about one person, of certain kinds.
pub(super) async fn newest_of(
    db: Db<'_>,
    user: &UserId,
    kinds: &[AuditKind],
    limit: u32,
) -> Result<Vec<AuditEvent>, StoreError> {
    let kinds = kinds.iter().map(|kind| kind.as_str());
    let events = Entity::find().filter(Column::UserId.eq(user.as_str())).filter(Column::Kind.is_in(kinds));
    newest_in(db, events, limit).await
}

/// Whether one of the last `look_back` numbers is of this kind and ticket; `None` where none is, and they begin after `since`.
/// The engine looks, so that no row comes here for it.
pub(super) async fn has(
    db: Db<'_>,
    kind: AuditKind,
    ticket: &str,
    since: Timestamp,
    look_back: u32,
) -> Result<Option<bool>, StoreError> {
    let before = newest_number(db).await? - i64::from(look_back);
    let looked_through = || Entity::find().filter(Column::Seq.gt(before));
    let wanted = looked_through().filter(Column::Ticket.eq(ticket)).filter(Column::Kind.eq(kind.as_str()));
    if wanted.limit(1).fetch_one(db).await?.is_some() {
        return Ok(Some(true));
    }
    let oldest = looked_through().order_by_asc(Column::Seq).limit(1).fetch_one(db).await?;
    // What is told late says when it happened: some minutes before it was appended.
    let surely = (since - LATE).as_millisecond();
    let reach_back = before <= 0 || oldest.is_some_and(|row| row.at < surely);
    Ok(reach_back.then_some(false))
}

/// The number of the newest record; 0 if there is none.
pub(super) async fn newest_number(db: Db<'_>) -> Result<i64, StoreError> {
    let newest = Entity::find().order_by_desc(Column::Seq).limit(1);
    Ok(newest.fetch_one(db).await?.map_or(0, |row| row.seq))
}

/// The records after the number `after` up to and including `until`, in their order, with their numbers.
pub(super) async fn between(
    db: Db<'_>,
    after: i64,
    until: i64,
    limit: u32,
) -> Result<Vec<Numbered>, StoreError> {
    let these = Entity::find().filter(Column::Seq.gt(after)).filter(Column::Seq.lte(until));
    let in_order = these.order_by_asc(Column::Seq).limit(u64::from(limit));
    in_order.fetch(db).await?.into_iter().map(|row| Ok((row.seq, from_row(row)?))).collect()
}

async fn newest_in(db: Db<'_>, events: Select<Entity>, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
    let newest_first = events.order_by_desc(Column::Seq).limit(u64::from(limit));
    let rows = newest_first.fetch(db).await?;
    rows.into_iter().map(from_row).collect()
}

fn from_row(row: Model) -> Result<AuditEvent, StoreError> {
    read("audit_events", &row.seq.to_string(), || {
        Ok(AuditEvent {
            at: time("at", row.at)?,
            kind: known("kind", AuditKind::read(&row.kind))?,
            client: text_or_none("client_id", row.client_id.as_deref())?,
            user: text_or_none("user_id", row.user_id.as_deref())?,
            other: text_or_none("other_user_id", row.other_user_id.as_deref())?,
            channel: text_or_none("channel", row.channel.as_deref())?,
            ticket: row.ticket.clone(),
            address: row.address.clone(),
            device: row.device.clone(),
        })
    })
}
