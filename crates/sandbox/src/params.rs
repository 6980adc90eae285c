//! Request parameters as WeChat reads them: from the query or a form, leniently, the first of a name counts.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;

/// Larger forms are cut off: nothing that WeChat takes is near this.
const FORM_LIMIT: usize = 64 * 1024;

/// Named parameters of a request. Extra ones are kept and ignored; broken escapes become replacement characters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(HashMap<String, String>);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        let mut params = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(encoded) {
            params.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(params)
    }

    /// The value; a missing parameter and an empty one are both "".
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether the parameter was sent at all, empty or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default().as_bytes()))
    }
}

/// Parameters of the query and, for a POST, of the form in its body; the query wins.
#[derive(Clone, Debug)]
pub(crate) struct QueryOrForm(pub(crate) Params);

impl<S: Send + Sync> FromRequest<S> for QueryOrForm {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        let mut params = Params::parse(request.uri().query().unwrap_or_default().as_bytes());
        if request.method() == http::Method::POST {
            let body = axum::body::to_bytes(request.into_body(), FORM_LIMIT).await.unwrap_or_default();
            for (name, value) in Params::parse(&body).0 {
                params.0.entry(name).or_insert(value);
            }
        }
        Ok(Self(params))
    }
}
