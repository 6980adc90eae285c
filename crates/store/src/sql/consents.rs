//! What people agreed to tell websites.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::consent::{Consent, Consents, Holding};
use mashang_login::ids::{ClientId, UserId};
use mashang_login::records::StoreError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::db::{Db, Fetch, Run};
use super::entity::consents::{Column, Entity, Model};
use super::errors::{json, read, text, time, to_json};
use super::writer::{Outcome, write};
use super::{SqlRecords, families, people};

#[async_trait]
impl Consents for SqlRecords {
    async fn consent(&self, user: &UserId, client: &ClientId) -> Result<Option<Consent>, StoreError> {
        self.reader.read(|db| one(db, user, client)).await
    }

    async fn save_consent(&self, user: &UserId, consent: &Consent) -> Result<(), StoreError> {
        let (user, consent) = (user.clone(), consent.clone());
        write!(self, |db| save(db, &user, &consent))
    }

    async fn consents_of(&self, user: &UserId) -> Result<Vec<Consent>, StoreError> {
        self.reader.read(|db| of(db, user)).await
    }

    async fn holdings_of(&self, user: &UserId, now: Timestamp) -> Result<Vec<Holding>, StoreError> {
        self.reader.read(|db| families::holdings_of(db, user, now)).await
    }

    async fn withdraw_consent(
        &self,
        user: &UserId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (user, client) = (user.clone(), client.clone());
        write!(self, |db| withdraw(db, &user, &client, now))
    }
}

async fn one(db: Db<'_>, user: &UserId, client: &ClientId) -> Result<Option<Consent>, StoreError> {
    let row = db.by_key::<Entity>((user.to_string(), client.to_string())).await?;
    row.map(from_row).transpose()
}

async fn of(db: Db<'_>, user: &UserId) -> Result<Vec<Consent>, StoreError> {
    let by_client = Entity::find().filter(Column::UserId.eq(user.as_str())).order_by_asc(Column::ClientId);
    by_client.fetch(db).await?.into_iter().map(from_row).collect()
}

async fn save(db: Db<'_>, user: &UserId, consent: &Consent) -> Result<(), StoreError> {
    let Some(former) = one(db, user, &consent.client).await? else {
        // Erased since they were asked: what they agreed to has gone with them.
        if people::user(db, user).await?.is_none() {
            return Ok(());
        }
        let row = Model {
            user_id: user.to_string(),
            client_id: consent.client.to_string(),
            scope: to_json(&consent.scope),
            agreed_at: consent.at.as_millisecond(),
        };
        db.insert(row).await?;
        return Ok(());
    };
    Entity::update_many()
        .col_expr(Column::Scope, Expr::value(to_json(&former.scope.union(&consent.scope))))
        .col_expr(Column::AgreedAt, Expr::value(consent.at.as_millisecond()))
        .filter(Column::UserId.eq(user.as_str()))
        .filter(Column::ClientId.eq(consent.client.as_str()))
        .run(db)
        .await?;
    Ok(())
}

async fn withdraw(db: Db<'_>, user: &UserId, client: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
    let gone = Entity::delete_many()
        .filter(Column::UserId.eq(user.as_str()))
        .filter(Column::ClientId.eq(client.as_str()))
        .run(db)
        .await?;
    families::revoke_of(db, user, client, now).await?;
    Ok(gone == 1)
}

fn from_row(row: Model) -> Result<Consent, StoreError> {
    read("consents", &format!("{} {}", row.user_id, row.client_id), || {
        Ok(Consent {
            client: text("client_id", &row.client_id)?,
            scope: json("scope", &row.scope)?,
            at: time("agreed_at", row.agreed_at)?,
        })
    })
}
