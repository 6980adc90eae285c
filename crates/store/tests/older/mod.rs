//! A database as the version before this one left it.

use std::path::Path;

use sqlx::migrate::{Migrate, Migrator};

/// Applies all migrations of a dialect's folder but the last. Gives the number of the newest one in the database, and that of the
/// newest there is.
pub async fn make(dialect: &str, connection: &mut impl Migrate) -> (i64, i64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
    let all = Migrator::new(folder).await.unwrap();
    let (last, before) = all.migrations.split_last().unwrap();
    let mut older = Migrator::with_migrations(before.to_vec());
    // MariaDB answers the lock of sqlx with null, and nobody else is here.
    older.set_locking(false);
    older.run_direct(None, connection, false).await.unwrap();
    (before.last().unwrap().version, last.version)
}
