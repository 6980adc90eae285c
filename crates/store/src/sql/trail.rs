//! The audit trail as it is looked after: its checkpoints, and what goes when it is shortened.

use async_trait::async_trait;
use mashang_login::records::StoreError;
use mashang_login::trail::{Checkpoint, Numbered, Trail, Trimmed};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::db::{Db, Fetch, Run};
use super::entity::{audit_checkpoints, audit_events, audit_trimmed};
use super::errors::{hash, read, time};
use super::writer::{Outcome, write};
use super::{SqlRecords, audit};

/// The number of the only row of `audit_trimmed`.
const ONLY: i64 = 1;

/// Most records that one intention deletes: logins pass in between.
const ROUND: u64 = 1000;

#[async_trait]
impl Trail for SqlRecords {
    async fn newest_record(&self) -> Result<i64, StoreError> {
        self.reader.read(audit::newest_number).await
    }

    async fn records_between(&self, after: i64, until: i64, limit: u32) -> Result<Vec<Numbered>, StoreError> {
        self.reader.read(|db| audit::between(db, after, until, limit)).await
    }

    async fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        self.reader.read(newest_checkpoint).await
    }

    async fn checkpoints_after(&self, after: i64, limit: u32) -> Result<Vec<Checkpoint>, StoreError> {
        self.reader.read(|db| checkpoints_after(db, after, limit)).await
    }

    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<bool, StoreError> {
        let checkpoint = checkpoint.clone();
        let added: Result<(), StoreError> = write!(self, |db| add(db, &checkpoint));
        match added {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn trimmed(&self) -> Result<Option<Trimmed>, StoreError> {
        self.reader.read(trimmed).await
    }

    async fn trim(&self, to: &Trimmed) -> Result<u64, StoreError> {
        let (to, mut gone) = (to.clone(), 0);
        let last = write!(self, |db| say_trimmed(db, &to))?;
        loop {
            let round = write!(self, |db| delete_some(db, last))?;
            gone += round;
            if round < ROUND {
                return Ok(gone);
            }
        }
    }
}

async fn newest_checkpoint(db: Db<'_>) -> Result<Option<Checkpoint>, StoreError> {
    use audit_checkpoints::{Column, Entity};
    let newest = Entity::find().order_by_desc(Column::AfterSeq).limit(1);
    newest.fetch_one(db).await?.map(from_row).transpose()
}

/// By where they end, so that one which begins where it should not is found too.
async fn checkpoints_after(db: Db<'_>, after: i64, limit: u32) -> Result<Vec<Checkpoint>, StoreError> {
    use audit_checkpoints::{Column, Entity};
    let next = Entity::find().filter(Column::LastSeq.gt(after)).order_by_asc(Column::LastSeq);
    next.limit(u64::from(limit)).fetch(db).await?.into_iter().map(from_row).collect()
}

async fn add(db: Db<'_>, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    db.insert(audit_checkpoints::Model {
        after_seq: checkpoint.after,
        last_seq: checkpoint.last,
        events: i64::try_from(checkpoint.events).unwrap_or(i64::MAX),
        newest_at: checkpoint.newest_at.as_millisecond(),
        format: checkpoint.format,
        previous: checkpoint.previous.to_text(),
        hash: checkpoint.hash.to_text(),
    })
    .await
}

async fn trimmed(db: Db<'_>) -> Result<Option<Trimmed>, StoreError> {
    let row = db.by_key::<audit_trimmed::Entity>(ONLY).await?;
    row.map(|row| {
        read("audit_trimmed", "1", || {
            Ok(Trimmed {
                last: row.last_seq,
                checkpoint: hash("checkpoint", &row.checkpoint)?,
                hash: hash("hash", &row.hash)?,
            })
        })
    })
    .transpose()
}

/// Writes up to where the trail is shortened, unless it already is further; returns up to where it is then.
async fn say_trimmed(db: Db<'_>, to: &Trimmed) -> Result<i64, StoreError> {
    use audit_trimmed::{Column, Entity, Model};
    match db.by_key::<Entity>(ONLY).await? {
        Some(row) if row.last_seq > to.last => return Ok(row.last_seq),
        Some(row) if row.last_seq == to.last => {}
        Some(_) => {
            let further = Entity::update_many()
                .col_expr(Column::LastSeq, Expr::value(to.last))
                .col_expr(Column::Checkpoint, Expr::value(to.checkpoint.to_text()))
                .col_expr(Column::Hash, Expr::value(to.hash.to_text()));
            further.filter(Column::Id.eq(ONLY)).run(db).await?;
        }
        None => {
            let (checkpoint, hash) = (to.checkpoint.to_text(), to.hash.to_text());
            db.insert(Model { id: ONLY, last_seq: to.last, checkpoint, hash }).await?;
        }
    }
    let over = audit_checkpoints::Column::LastSeq.lte(to.last);
    audit_checkpoints::Entity::delete_many().filter(over).run(db).await?;
    Ok(to.last)
}

/// Deletes the oldest records up to `last`, not more than [`ROUND`].
async fn delete_some(db: Db<'_>, last: i64) -> Result<u64, StoreError> {
    use audit_events::{Column, Entity};
    let oldest = Entity::find().filter(Column::Seq.lte(last)).order_by_asc(Column::Seq);
    let end_of_round = oldest.offset(ROUND - 1).limit(1).fetch_one(db).await?;
    let end = end_of_round.map_or(last, |row| row.seq);
    Entity::delete_many().filter(Column::Seq.lte(end)).run(db).await
}

fn from_row(row: audit_checkpoints::Model) -> Result<Checkpoint, StoreError> {
    read("audit_checkpoints", &row.after_seq.to_string(), || {
        Ok(Checkpoint {
            after: row.after_seq,
            last: row.last_seq,
            events: u64::try_from(row.events).map_err(|_| "events is negative".to_owned())?,
            newest_at: time("newest_at", row.newest_at)?,
            format: row.format,
            previous: hash("previous", &row.previous)?,
            hash: hash("hash", &row.hash)?,
        })
    })
}
