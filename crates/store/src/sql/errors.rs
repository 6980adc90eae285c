//! From the engine's words to ours: errors, and rows that cannot be read.

use mashang_login::Timestamp;
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use sea_orm::{DbErr, RuntimeErr};
use serde::de::DeserializeOwned;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;

use super::in_place::Refused;

/// A lost race for a unique value is [`StoreError::Conflict`]; everything else is [`StoreError::Unavailable`].
pub(super) fn store_error(error: DbErr) -> StoreError {
    match of_engine(&error) {
        Some(sqlx::Error::Database(told)) if told.is_unique_violation() => StoreError::Conflict,
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

/// The engine's own words.
pub(super) fn of_engine(error: &DbErr) -> Option<&sqlx::Error> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    Some(error)
}

/// What an error says about trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Two transactions got into each other's way, and the engine undid this one.
    Collision,
    /// A value that must be unique was there, or a row that another one refers to is gone, or is still referred to: whoever wrote
    /// that may have committed only now.
    KeyRace,
    /// The connection is gone, and what it had begun is undone.
    ConnectionLost,
    /// The server behind this connection takes no writes any more: another one does, or it is out of room.
    ReadOnly,
    /// Another process has locked the file.
    Busy,
    /// It would fail the same way.
    Final,
}

/// What an error of an intention or a read says about trying again.
pub(super) fn fault(error: &StoreError) -> Fault {
    match error {
        StoreError::Conflict => Fault::KeyRace,
        StoreError::Unavailable(error) => error.downcast_ref().map_or(Fault::Final, fault_of),
        StoreError::Corrupt { .. } | StoreError::Overloaded => Fault::Final,
    }
}

/// As [`fault`], of the engine's own error.
pub(super) fn fault_of(error: &DbErr) -> Fault {
    match of_engine(error) {
        Some(sqlx::Error::Io(_)) => Fault::ConnectionLost,
        Some(sqlx::Error::Database(error)) => match error.try_downcast_ref::<MySqlDatabaseError>() {
            Some(error) => fault_of_mysql(error.number()),
            None if error.try_downcast_ref::<PgDatabaseError>().is_some() => {
                fault_of_postgres(error.code().as_deref().unwrap_or_default())
            }
            None if error.try_downcast_ref().is_some_and(Refused::is_busy) => Fault::Busy,
            None => Fault::Final,
        },
        _ => Fault::Final,
    }
}

/// By SQLSTATE, see appendix A of PostgreSQL's manual.
fn fault_of_postgres(code: &str) -> Fault {
    match code {
        // serialization_failure, deadlock_detected.
        "40001" | "40P01" => Fault::Collision,
        // The server or an administrator ended the connection, or the server is about to start or stop.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Fault::ConnectionLost,
        // read_only_sql_transaction: a primary that became a standby.
        "25006" => Fault::ReadOnly,
        // foreign_key_violation: somebody was erased meanwhile.
        "23503" => Fault::KeyRace,
        code if code.starts_with("08") => Fault::ConnectionLost,
        _ => Fault::Final,
    }
}

/// By error number of MySQL and MariaDB.
fn fault_of_mysql(number: u16) -> Fault {
    match number {
        // A row changed since it was read (MariaDB 11.6 and later), lock wait timeout, deadlock.
        1020 | 1205 | 1213 => Fault::Collision,
        // Foreign keys: a row is referred to, or the one referred to is gone. Somebody was erased meanwhile.
        1451 | 1452 => Fault::KeyRace,
        // Shutdown in progress, connection killed (MariaDB), disconnected for being idle (MySQL).
        1053 | 1927 | 4031 => Fault::ConnectionLost,
        // read_only or super_read_only: a primary that became a replica.
        1290 | 1836 => Fault::ReadOnly,
        _ => Fault::Final,
    }
}

/// Why a stored value is not what this version writes. The value itself stays out of it.
pub(super) type Unreadable = String;

/// Reads one row; what goes wrong names the table and the key.
pub(super) fn read<T>(
    table: &'static str,
    key: &str,
    parse: impl FnOnce() -> Result<T, Unreadable>,
) -> Result<T, StoreError> {
    parse().map_err(|what| StoreError::Corrupt { table, key: key.to_owned(), what })
}

/// Milliseconds since 1970 to a time.
pub(super) fn time(column: &str, millis: i64) -> Result<Timestamp, Unreadable> {
    Timestamp::from_millisecond(millis).map_err(|_| format!("{column} is out of range"))
}

/// As [`time`], for a column that may be null.
pub(super) fn time_or_none(column: &str, millis: Option<i64>) -> Result<Option<Timestamp>, Unreadable> {
    millis.map(|millis| time(column, millis)).transpose()
}

/// Text to an id, an address, or whatever else reads itself.
pub(super) fn text<T: std::str::FromStr>(column: &str, text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(|_| format!("{column} has an unexpected shape"))
}

/// As [`text`], for a column that may be null.
pub(super) fn text_or_none<T: std::str::FromStr>(
    column: &str,
    value: Option<&str>,
) -> Result<Option<T>, Unreadable> {
    value.map(|value| text(column, value)).transpose()
}

/// The hash of a bearer value.
pub(super) fn hash(column: &str, text: &str) -> Result<SecretHash, Unreadable> {
    SecretHash::from_text(text).ok_or_else(|| format!("{column} is not a hash"))
}

/// A name that one of our enums knows.
pub(super) fn known<T>(column: &str, value: Option<T>) -> Result<T, Unreadable> {
    value.ok_or_else(|| format!("{column} holds a word this version does not know"))
}

/// A JSON column.
pub(super) fn json<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, Unreadable> {
    // serde's own message may quote the value.
    serde_json::from_str(text)
        .map_err(|error| format!("{column} is not the JSON it should be ({:?})", error.classify()))
}

/// For a JSON column.
pub(super) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("our own plain data always serializes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_that_became_a_replica_is_told_from_a_server_that_is_gone() {
        for (code, fault) in [
            ("25006", Fault::ReadOnly),
            ("40001", Fault::Collision),
            ("57P01", Fault::ConnectionLost),
            ("08006", Fault::ConnectionLost),
            ("23505", Fault::Final),
        ] {
            assert_eq!(fault_of_postgres(code), fault, "{code}");
        }
        for (number, fault) in [
            (1290, Fault::ReadOnly),
            (1836, Fault::ReadOnly),
            (1213, Fault::Collision),
            (4031, Fault::ConnectionLost),
            (1062, Fault::Final),
        ] {
            assert_eq!(fault_of_mysql(number), fault, "{number}");
        }
    }
}
