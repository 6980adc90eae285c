//! The company's departments, as far as the app sees them (WeCom fact sheet §8).

use serde_json::Value;

use crate::answer;
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::hosts::Platform;
use crate::mend;
use crate::query::Query;
use crate::secret::AccessToken;

const LIST: &str = "cgi-bin/department/list";

/// Room for ten thousand departments.
const ANSWER_LIMIT: usize = 2 * 1024 * 1024;

/// A department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// Its number; 1 is the whole company.
    pub id: u64,
    /// The department it belongs to; absent for the uppermost.
    pub parent: Option<u64>,
    /// What it is called, if the app may know.
    pub name: Option<String>,
}

impl Client {
    /// Lists the departments that the app is visible to: `GET /cgi-bin/department/list` (WeCom fact sheet §8).
    ///
    /// Repeats itself once, after -1 or a transport fault. The answer may have 2 MiB.
    ///
    /// # Errors
    /// See [`Error::kind`]. A list that holds a department twice is malformed.
    pub async fn departments(&self, token: &AccessToken) -> Result<Vec<Department>, Error> {
        let query = Query::new().pair("access_token", token.expose());
        let sent = [token.expose()];
        let call = Call::get(LIST, query, &sent, Repeat::WhenFaultMayPass).on(Platform::WeCom);
        self.call(call.up_to(ANSWER_LIMIT), read_departments).await
    }
}

pub(crate) fn read_departments(body: &[u8]) -> Result<Vec<Department>, Error> {
    let mut fields = answer::read(LIST, mend::mended(body).as_bytes())?;
    let list = fields.optional_value("department");
    let departments: Option<Vec<Department>> =
        list.as_ref().and_then(Value::as_array).and_then(|list| list.iter().map(read_department).collect());
    let departments =
        departments.ok_or_else(|| fields.defect("department", "is not a list of departments"))?;
    let mut numbers: Vec<u64> = departments.iter().map(|department| department.id).collect();
    numbers.sort_unstable();
    if numbers.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(fields.defect("department", "holds one twice"));
    }
    Ok(departments)
}

fn read_department(value: &Value) -> Option<Department> {
    let number = |name| value.get(name).and_then(Value::as_u64);
    let name = value.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
    Some(Department {
        id: number("id").filter(|id| *id != 0)?,
        // 0 stands above the uppermost.
        parent: number("parentid").filter(|parent| *parent != 0),
        name: name.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_can_make_reading_panic(body in any::<Vec<u8>>()) {
            prop_assert!(read_departments(&body).is_err());
        }

        #[test]
        fn whatever_is_accepted_has_distinct_numbers(ids in prop::collection::vec(0_u64..20, 0..8)) {
            let list: Vec<Value> = ids.iter().map(|id| serde_json::json!({ "id": id })).collect();
            let body = serde_json::json!({ "errcode": 0, "department": list }).to_string();
            let distinct: std::collections::BTreeSet<_> = ids.iter().filter(|id| **id != 0).collect();
            prop_assert_eq!(read_departments(body.as_bytes()).is_ok(), distinct.len() == ids.len());
        }
    }
}
