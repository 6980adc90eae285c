//! A row of a file as a model, read where SQLite holds it.
//!
//! Models can be deserialized, as imports do; here their source is the row itself, from left to right: SeaORM selects the
//! columns of an entity in the order of its fields. Nothing is in between, so a text is copied once and a number never.

use std::fmt::{self, Display};

use rusqlite::Row;
use rusqlite::types::ValueRef;
use sea_orm::{DbErr, EntityTrait, Iterable};
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, DeserializeSeed, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// A row of `E`, and the row of `F` that it belongs to, if that is there.
pub(super) type Joined<E, F> = (<E as EntityTrait>::Model, Option<<F as EntityTrait>::Model>);

/// A row, and the column that is read next.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn of(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn value<T: DeserializeOwned>(&mut self) -> Result<T, DbErr> {
        let column = self.next;
        self.take().and_then(|value| T::deserialize(Column(value))).map_err(|Unfit| unfit(column))
    }

    /// The next columns as a row of `E`.
    pub(super) fn model<E: EntityTrait<Model: DeserializeOwned>>(&mut self) -> Result<E::Model, DbErr> {
        E::Model::deserialize(&mut *self).map_err(|Unfit| unfit(self.next.saturating_sub(1)))
    }

    /// As [`model`](Self::model), or none where a left join found none: then all columns are null.
    pub(super) fn model_or_none<E>(&mut self) -> Result<Option<E::Model>, DbErr>
    where
        E: EntityTrait<Model: DeserializeOwned>,
    {
        let end = self.next + E::Column::iter().count();
        for column in self.next..end {
            if self.row.get_ref(column).map_err(|_| unfit(column))? != ValueRef::Null {
                return self.model::<E>().map(Some);
            }
        }
        self.next = end;
        Ok(None)
    }

    /// The next columns as a row of `E`, and those after them as the row of `F` that it belongs to.
    pub(super) fn joined<E, F>(&mut self) -> Result<Joined<E, F>, DbErr>
    where
        E: EntityTrait<Model: DeserializeOwned>,
        F: EntityTrait<Model: DeserializeOwned>,
    {
        Ok((self.model::<E>()?, self.model_or_none::<F>()?))
    }

    fn take(&mut self) -> Result<ValueRef<'r>, Unfit> {
        let value = self.row.get_ref(self.next).map_err(|_| Unfit)?;
        self.next += 1;
        Ok(value)
    }
}

/// A column is not of the type that the model has. What it holds stays out: it may be a secret (promise 10).
#[derive(Debug)]
pub(super) struct Unfit;

fn unfit(column: usize) -> DbErr {
    DbErr::Type(format!("column {} is not of the type it should be", column + 1))
}

impl Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column is not of the type it should be")
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl<'de> de::Deserializer<'de> for &mut Columns<'_> {
    type Error = Unfit;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_seq(Fields { columns: self, left: fields.len() })
    }

    /// A model is a struct.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unfit> {
        Err(Unfit)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Fields<'c, 'r> {
    columns: &'c mut Columns<'r>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Fields<'_, '_> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Column(self.columns.take()?)).map(Some)
    }
}

/// One value. SQLite says the same of `true` as of 1, so whoever reads says what it wants.
struct Column<'r>(ValueRef<'r>);

impl<'de> de::Deserializer<'de> for Column<'_> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            ValueRef::Null => visitor.visit_unit(),
            ValueRef::Integer(number) => visitor.visit_i64(number),
            ValueRef::Real(number) => visitor.visit_f64(number),
            ValueRef::Text(_) => visitor.visit_str(self.0.as_str().map_err(|_| Unfit)?),
            ValueRef::Blob(bytes) => visitor.visit_bytes(bytes),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            ValueRef::Integer(number) => visitor.visit_bool(number != 0),
            _ => Err(Unfit),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            ValueRef::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// Bytes are bytes here, and base64 in an export.
    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::entity::{platform_tokens, signing_keys};
    use super::*;

    /// What `read` makes of the one row that `sql` selects.
    fn row<T>(sql: &str, read: impl FnOnce(&mut Columns<'_>) -> T) -> T {
        let connection = Connection::open_in_memory().unwrap();
        connection.query_row(sql, [], |row| Ok(read(&mut Columns::of(row)))).unwrap()
    }

    #[test]
    fn columns_become_fields_in_their_order() {
        let key = row("select 'k1', 'RS256', x'00ff', '{}', 1, -2, null", |columns| {
            columns.model::<signing_keys::Entity>().unwrap()
        });
        assert_eq!((key.id.as_str(), key.sealed_private.as_slice()), ("k1", [0, 255].as_slice()));
        assert_eq!((key.created_at, key.signs_from, key.published_until), (1, -2, None));
    }

    #[test]
    fn a_left_join_without_a_match_is_none_and_what_follows_is_read() {
        let sql = "select null, null, null, null, null, null, 't', x'01', null, 7, 'n', 9";
        let (none, some) = row(sql, |columns| {
            let none = columns.model_or_none::<platform_tokens::Entity>().unwrap();
            (none, columns.model_or_none::<platform_tokens::Entity>().unwrap())
        });
        assert_eq!(none, None);
        let some = some.unwrap();
        assert_eq!((some.sealed, some.generation), (Some(vec![1]), 7));
        assert_eq!((some.lease_holder.as_deref(), some.lease_until), (Some("n"), Some(9)));
    }

    #[test]
    fn promise_10_a_column_of_another_type_is_named_and_what_it_holds_is_not_told() {
        let sql = "select 'k1', 'RS256', 'secret', '{}', 1, 2, null";
        let error = row(sql, |columns| columns.model::<signing_keys::Entity>().unwrap_err());
        assert_eq!(error, unfit(2));
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn a_null_where_there_must_be_a_value_and_a_row_that_is_too_short_are_refused() {
        for (sql, column) in [("select 'k1', null, x'', '{}', 1, 2, null", 1), ("select 'k1', 'RS256'", 1)] {
            let error = row(sql, |columns| columns.model::<signing_keys::Entity>().unwrap_err());
            assert_eq!(error, unfit(column), "{sql}");
        }
    }

    #[test]
    fn numbers_are_read_as_what_is_wanted() {
        let read = row("select 1, 0, 7, 4294967296", |columns| {
            let flags = (columns.value::<bool>().unwrap(), columns.value::<bool>().unwrap());
            (flags, columns.value::<Option<i32>>().unwrap(), columns.value::<i32>())
        });
        assert_eq!((read.0, read.1), ((true, false), Some(7)));
        assert_eq!(read.2.unwrap_err(), unfit(3));
    }
}
