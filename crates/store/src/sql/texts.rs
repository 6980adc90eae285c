//! Statements that are put together once: a row by its key, and a new row. SeaORM makes a statement's text anew each time,
//! which is as much work as SQLite has with it, and a login is some sixty of these.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use sea_orm::sea_query::IntoValueTuple;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbBackend, EntityName, EntityTrait, Iterable, PrimaryKeyToColumn,
    PrimaryKeyTrait, QueryFilter, QueryTrait, Related, Select, Value,
};

/// What the primary key of `E` is made of.
pub(super) type Key<E> = <<E as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType;

/// The texts, as SQLite takes them.
#[derive(Debug, Default)]
pub(super) struct Texts(RwLock<HashMap<(&'static str, Kind), Arc<str>>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    ByKey,
    /// Together with a row of this table.
    ByKeyWith(&'static str),
    /// With which columns, a bit for each: what the database fills in is left out.
    Insert(u64),
}

impl Texts {
    /// The row of `E` that has this primary key.
    pub(super) fn by_key<E: EntityTrait>(&self, key: Key<E>) -> (Arc<str>, Vec<Value>) {
        let values: Vec<Value> = key.into_value_tuple().into_iter().collect();
        let text = self.text(E::default().table_name(), Kind::ByKey, &|| {
            with_key::<E>(values.clone()).build(DbBackend::Sqlite).sql
        });
        (text, values)
    }

    /// The same, and the row of `F` that it belongs to, or nulls.
    pub(super) fn by_key_with<E, F>(&self, key: Key<E>) -> (Arc<str>, Vec<Value>)
    where
        E: EntityTrait + Related<F>,
        F: EntityTrait,
    {
        let values: Vec<Value> = key.into_value_tuple().into_iter().collect();
        let kind = Kind::ByKeyWith(F::default().table_name());
        let text = self.text(E::default().table_name(), kind, &|| {
            with_key::<E>(values.clone()).find_also_related(F::default()).build(DbBackend::Sqlite).sql
        });
        (text, values)
    }

    /// A new row.
    pub(super) fn insert<A: ActiveModelTrait>(&self, mut row: A) -> (Arc<str>, Vec<Value>) {
        let all = || <A::Entity as EntityTrait>::Column::iter().enumerate();
        let (mut columns, mut values) = (0, Vec::new());
        for (at, column) in all() {
            if let Some(value) = row.take(column).into_value() {
                columns |= 1 << at;
                values.push(value);
            }
        }
        let text = self.text(A::Entity::default().table_name(), Kind::Insert(columns), &|| {
            let mut row = <A as ActiveModelTrait>::default();
            let set = all().filter(|(at, _)| columns & (1 << at) != 0).map(|(_, column)| column);
            for (column, value) in set.zip(values.clone()) {
                row.set(column, value);
            }
            A::Entity::insert(row).build(DbBackend::Sqlite).sql
        });
        (text, values)
    }

    /// Not generic: there are forty kinds of rows.
    fn text(&self, table: &'static str, kind: Kind, make: &dyn Fn() -> String) -> Arc<str> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&(table, kind)).cloned();
        known.unwrap_or_else(|| {
            let text: Arc<str> = make().into();
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert((table, kind), text.clone());
            text
        })
    }
}

fn with_key<E: EntityTrait>(values: Vec<Value>) -> Select<E> {
    let keys = E::PrimaryKey::iter().zip(values);
    keys.fold(E::find(), |rows, (key, value)| rows.filter(key.into_column().eq(value)))
}

#[cfg(test)]
mod tests {
    use sea_orm::{NotSet, Set};

    use super::super::entity::{audit_events, clients, grants, identities, refresh_tokens};
    use super::*;

    #[test]
    fn a_text_is_made_once_and_the_values_are_each_ones_own() {
        let texts = Texts::default();
        let (text, values) = texts.by_key::<refresh_tokens::Entity>("a".to_owned());
        let (again, others) = texts.by_key::<refresh_tokens::Entity>("b".to_owned());
        assert!(text.ends_with(r#"WHERE "refresh_tokens"."token" = ?"#), "{text}");
        assert!(Arc::ptr_eq(&text, &again));
        assert_eq!((values, others), (vec!["a".into()], vec!["b".into()]));
        let (text, values) = texts.by_key::<identities::Entity>(("k".into(), "a".into(), "s".into()));
        assert_eq!(text.matches('?').count(), 3, "{text}");
        assert_eq!(values, ["k".into(), "a".into(), "s".into()]);
        let (one, _) = texts.by_key::<grants::Entity>("g".to_owned());
        let (joined, values) = texts.by_key_with::<grants::Entity, clients::Entity>("g".to_owned());
        assert!(
            joined.contains(r#"LEFT JOIN "clients" ON "grants"."client_id" = "clients"."id""#),
            "{joined}"
        );
        assert!(joined.ends_with(r#"WHERE "grants"."id" = ?"#) && !one.contains("JOIN"), "{joined}; {one}");
        assert_eq!(values, ["g".into()]);
    }

    #[test]
    fn a_column_that_the_database_fills_in_makes_another_text() {
        let texts = Texts::default();
        let mut event = audit_events::ActiveModel {
            seq: NotSet,
            at: Set(7),
            kind: Set("signed_in".into()),
            ticket: Set(None),
            client_id: Set(None),
            user_id: Set(Some("u".into())),
            channel: Set(None),
            address: Set(None),
            device: Set(None),
            other_user_id: Set(None),
        };
        let (without, values) = texts.insert(event.clone());
        assert_eq!((without.matches('?').count(), values.len()), (9, 9), "{without}");
        assert_eq!(values[4], "u".into());
        event.seq = Set(1);
        let (with, values) = texts.insert(event.clone());
        assert_eq!((with.matches('?').count(), values.len()), (10, 10), "{with}");
        assert_eq!((texts.insert(event).0, &values[0]), (with, &1i64.into()));
    }
}
