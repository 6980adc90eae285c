//! Clients: registered websites and apps.

use mashang_login::client::{Client, ClientAuthentication, PkcePolicy};
use mashang_login::ids::ClientId;
use mashang_login::key::SigningAlgorithm;
use mashang_login::records::StoreError;
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel, Iterable, QueryOrder};

use super::db::{Db, Fetch, Run};
use super::entity::clients::{Column, Entity, Model};
use super::errors::{hash, json, known, read, text, time, time_or_none, to_json};

pub(super) async fn save(db: Db<'_>, client: &Client) -> Result<(), StoreError> {
    let replace = OnConflict::column(Column::Id).update_columns(Column::iter()).to_owned();
    Entity::insert(to_row(client).into_active_model()).on_conflict(replace).run(db).await?;
    Ok(())
}

pub(super) async fn add(db: Db<'_>, client: &Client) -> Result<(), StoreError> {
    db.insert(to_row(client)).await
}

/// Whoever changes it between the two steps undoes this intention, or waits for it.
pub(super) async fn change(db: Db<'_>, seen: &Client, next: &Client) -> Result<bool, StoreError> {
    debug_assert_eq!(seen.id, next.id, "a client keeps its id");
    let is_unchanged = one(db, &seen.id).await?.as_ref() == Some(seen);
    if is_unchanged {
        save(db, next).await?;
    }
    Ok(is_unchanged)
}

pub(super) async fn one(db: Db<'_>, id: &ClientId) -> Result<Option<Client>, StoreError> {
    let row = db.by_key::<Entity>(id.as_str()).await?;
    row.map(from_row).transpose()
}

pub(super) async fn all(db: Db<'_>) -> Result<Vec<Client>, StoreError> {
    let rows = Entity::find().order_by_asc(Column::Id).fetch(db).await?;
    rows.into_iter().map(from_row).collect()
}

fn to_row(client: &Client) -> Model {
    Model {
        id: client.id.to_string(),
        name: client.name.clone(),
        secret_hash: match &client.authentication {
            ClientAuthentication::Public => None,
            ClientAuthentication::Secret(hash) => Some(hash.to_text()),
        },
        redirect_uris: to_json(&client.redirect_uris),
        post_logout_redirect_uris: to_json(&client.post_logout_redirect_uris),
        pkce: pkce_word(client.pkce).to_owned(),
        id_token_alg: client.id_token_alg.as_str().to_owned(),
        refresh_tokens: client.refresh_tokens,
        settings: to_json(&client.settings),
        created_at: client.created_at.as_millisecond(),
        disabled_at: client.disabled_at.map(|at| at.as_millisecond()),
    }
}

pub(super) fn from_row(row: Model) -> Result<Client, StoreError> {
    read("clients", &row.id, || {
        Ok(Client {
            id: text("id", &row.id)?,
            authentication: match &row.secret_hash {
                None => ClientAuthentication::Public,
                Some(value) => ClientAuthentication::Secret(hash("secret_hash", value)?),
            },
            redirect_uris: json("redirect_uris", &row.redirect_uris)?,
            post_logout_redirect_uris: json("post_logout_redirect_uris", &row.post_logout_redirect_uris)?,
            pkce: known("pkce", read_pkce(&row.pkce))?,
            id_token_alg: known("id_token_alg", SigningAlgorithm::parse(&row.id_token_alg))?,
            refresh_tokens: row.refresh_tokens,
            settings: json("settings", &row.settings)?,
            created_at: time("created_at", row.created_at)?,
            disabled_at: time_or_none("disabled_at", row.disabled_at)?,
            name: row.name.clone(),
        })
    })
}

fn pkce_word(policy: PkcePolicy) -> &'static str {
    match policy {
        PkcePolicy::Required => "required",
        PkcePolicy::Optional => "optional",
    }
}

fn read_pkce(word: &str) -> Option<PkcePolicy> {
    [PkcePolicy::Required, PkcePolicy::Optional].into_iter().find(|policy| pkce_word(*policy) == word)
}
