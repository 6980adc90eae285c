//! JSON in which no object may repeat a key: whichever value was chosen, somebody else would choose the other (SEC-27).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A JSON object that remembers whether a key was repeated; `serde_json::Map` would silently keep the last.
pub(crate) struct Object {
    pub(crate) map: BTreeMap<String, Value>,
    pub(crate) has_duplicates: bool,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut object = Object { map: BTreeMap::new(), has_duplicates: false };
                while let Some((key, Inner(value))) = access.next_entry::<String, Inner>()? {
                    object.has_duplicates |= object.map.insert(key, value).is_some();
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// What stands inside: any JSON whose objects repeat no key.
struct Inner(Value);

impl<'de> Deserialize<'de> for Inner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InnerVisitor;

        impl<'de> Visitor<'de> for InnerVisitor {
            type Value = Inner;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Inner, E> {
                Ok(Inner(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Inner, E> {
                Ok(Inner(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Inner, E> {
                Ok(Inner(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Inner, E> {
                Ok(Inner(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Inner, E> {
                Ok(Inner(Number::from_f64(value).map_or(Value::Null, Value::Number)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Inner, E> {
                Ok(Inner(value.into()))
            }

            fn visit_string<E>(self, value: String) -> Result<Inner, E> {
                Ok(Inner(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Inner, A::Error> {
                let mut items = Vec::new();
                while let Some(Inner(item)) = access.next_element()? {
                    items.push(item);
                }
                Ok(Inner(items.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Inner, A::Error> {
                let mut map = Map::new();
                while let Some((key, Inner(value))) = access.next_entry::<String, Inner>()? {
                    if map.insert(key, value).is_some() {
                        return Err(A::Error::custom("a field appears twice"));
                    }
                }
                Ok(Inner(map.into()))
            }
        }

        deserializer.deserialize_any(InnerVisitor)
    }
}
