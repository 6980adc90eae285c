//! From the engine's words to ours: errors, and rows that cannot be read.

use mashang_login::Timestamp;
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use sea_orm::{DbErr, SqlErr};
use serde::de::DeserializeOwned;

/// A lost race for a unique value is [`StoreError::Conflict`]; everything else is [`StoreError::Unavailable`].
pub(super) fn store_error(error: DbErr) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Conflict,
        _ => StoreError::Unavailable(Box::new(error)),
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
