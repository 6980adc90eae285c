//! Bytes in an export: base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    STANDARD.encode(bytes).serialize(to)
}

pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    read::<D>(&String::deserialize(from)?)
}

fn read<'de, D: Deserializer<'de>>(text: &str) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(text).map_err(|_| serde::de::Error::custom("not base64"))
}

/// Bytes that may be null.
pub mod optional {
    use base64::Engine as _;

    use super::{Deserialize, Deserializer, STANDARD, Serialize, Serializer, read};

    pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| read::<D>(&text)).transpose()
    }
}
