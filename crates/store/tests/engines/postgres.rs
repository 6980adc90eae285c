//! A fresh database on the PostgreSQL beside the tests.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{address, fresh_name};

/// Makes one, and returns its address.
pub async fn fresh_database() -> String {
    let url = address("MASHANG_TEST_POSTGRES");
    let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL answers");
    let name = format!("t{}", fresh_name());
    sqlx::query(AssertSqlSafe(format!("create database {name} template template0")))
        .execute(&mut connection)
        .await
        .expect("a superuser may create databases");
    let mut url: url::Url = url.parse().expect("an address");
    url.set_path(&name);
    url.into()
}
