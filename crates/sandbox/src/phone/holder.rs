//! Who holds this phone: a cookie naming a person.
//!
//! It proves nothing, and need not: anyone may be anyone in a sandbox. `SameSite=Lax` and the refusal of posts from
//! other sites (see `hosts`) keep foreign pages from tapping 允许.

use std::convert::Infallible;

use axum::extract::{FromRef, FromRequestParts};
use http::HeaderMap;
use http::header::COOKIE;
use http::request::Parts;

use crate::options::Options;
use crate::people::Person;
use crate::state::Sandbox;

const NAME: &str = "sandbox_person";

/// The person who holds the phone that sent this request, if one has been picked and exists.
#[derive(Clone, Debug)]
pub(crate) struct Holder(pub(crate) Option<Person>);

impl<S> FromRequestParts<S> for Holder
where
    Sandbox: FromRef<S>,
    S: Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let sandbox = Sandbox::from_ref(state);
        let id = cookie(&parts.headers, NAME);
        let person = id.and_then(|id| sandbox.world().people.get(id).cloned());
        Ok(Self(person))
    }
}

/// The `Set-Cookie` by which a person takes the phone.
pub(super) fn set_cookie(options: &Options, person: &Person) -> String {
    cookie_line(options, NAME, &person.id)
}

/// A cookie for a year, on the whole sandbox.
pub(super) fn cookie_line(options: &Options, name: &str, value: &str) -> String {
    short_cookie_line(options, name, value, 31_536_000)
}

/// The same for so many seconds.
pub(super) fn short_cookie_line(options: &Options, name: &str, value: &str, life_s: i64) -> String {
    let secure = if options.public_url.scheme() == "https" { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Lax{secure}")
}

/// The value of the first cookie with this name.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
