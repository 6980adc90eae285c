//! What every page of the phone has: its language, its frame, and the small answers they share.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{LOCATION, REFERER, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use minijinja::{Value, context};
use url::Url;

use super::app::PhoneApp;
use super::holder::{cookie, cookie_line};
use super::{HOME, WHO};
use crate::pages::{ASSETS, Policy};
use crate::people::Person;
use crate::state::{Sandbox, World};
use crate::words::Lang;

const LANG_COOKIE: &str = "sandbox_lang";

/// The language of the phone: chosen by its switch, otherwise the browser's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PhoneLang(pub(crate) Lang);

impl<S: Sync> FromRequestParts<S> for PhoneLang {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let chosen = cookie(&parts.headers, LANG_COOKIE).and_then(Lang::parse);
        Ok(Self(chosen.unwrap_or_else(|| Lang::accepted(&parts.headers))))
    }
}

/// `GET /phone/lang/{tag}`: switches, and goes back to the page it was tapped on.
pub(super) async fn switch_lang(
    State(sandbox): State<Sandbox>,
    Path(tag): Path<String>,
    headers: HeaderMap,
) -> Response {
    let lang = Lang::parse(&tag).unwrap_or(Lang::Zh);
    let came_from =
        headers.get(REFERER).and_then(|value| value.to_str().ok()).and_then(|text| Url::parse(text).ok());
    let back = came_from.map_or_else(
        || HOME.to_owned(),
        |url| local_path(&format!("{}?{}", url.path(), url.query().unwrap_or_default())),
    );
    let cookie = cookie_line(sandbox.options(), LANG_COOKIE, lang.tag());
    ([(SET_COOKIE, cookie)], Redirect::to(&back)).into_response()
}

/// A page of the phone.
pub(crate) fn page(sandbox: &Sandbox, lang: Lang, name: &str, context: Value) -> Response {
    sandbox.pages().show(name, lang, Policy::Phone, ASSETS, context)
}

/// What `notice.html` says about an event; `kind` names its texts, `link` is where its button leads, if it has one.
pub(crate) fn notice(sandbox: &Sandbox, lang: Lang, kind: &str, link: Value) -> Value {
    let texts = sandbox.pages().texts(lang);
    let text = |part: &str| texts.get(&format!("notice_{kind}_{part}")).cloned().unwrap_or_default();
    let link = if link.is_undefined() { Value::from("") } else { link };
    context! { kind, title => text("title"), text => text("text"), link }
}

/// A person as the templates show them.
pub(crate) fn shown(person: &Person) -> Value {
    context! {
        id => &person.id,
        nickname => person.nickname(),
        emoji => &person.emoji,
        colour => person.colour,
        snapshot => person.snapshot,
        no_avatar => person.no_avatar,
    }
}

/// The same on a phone with this app in front: in WeCom, also what the person is to each company. The company's name is
/// shown where there are several.
pub(super) fn shown_in(world: &World, app: PhoneApp, person: &Person) -> Value {
    let standings = if app == PhoneApp::WeCom { world.office.standings(&person.id) } else { Vec::new() };
    let several = standings.len() > 1;
    let tags = standings.into_iter().map(
        |(corp, standing)| context! { corp => if several { corp } else { "" }, kind => standing.name() },
    );
    context! { standings => tags.collect::<Vec<_>>(), ..shown(person) }
}

/// To the page that asks who holds the phone, and from there on to `next`.
pub(crate) fn ask_who(next: &str) -> Response {
    Redirect::to(&format!("{WHO}?{}", encoded(&[("next", next)]))).into_response()
}

/// A request that no page of ours makes.
pub(crate) fn bad_request(why: &'static str) -> Response {
    (StatusCode::BAD_REQUEST, format!("sandbox · 仿真环境: {why}\n")).into_response()
}

/// 302 to an address as it stands, escaped where a header could not carry it.
pub(crate) fn found(url: &str) -> Response {
    let escaped = || Url::parse(url).ok().and_then(|url| HeaderValue::from_str(url.as_str()).ok());
    let plain = || HeaderValue::from_str(url).ok();
    let location = if url.is_ascii() { plain() } else { escaped() };
    match location {
        Some(location) => (StatusCode::FOUND, [(LOCATION, location)]).into_response(),
        None => bad_request("this is no address"),
    }
}

/// Back to the site: a redirect, or, `twice`, a page that requests the address in the background and then goes there.
pub(crate) fn back_to_site(sandbox: &Sandbox, lang: Lang, url: &str, twice: bool) -> Response {
    match twice {
        false => found(url),
        true => sandbox.pages().show("twice.html", lang, Policy::Twice, ASSETS, context! { url }),
    }
}

/// Pairs as a query string.
pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A text as one segment of a path.
pub(crate) fn path_segment(text: &str) -> String {
    // In a path a space is %20, not +.
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// A path on this origin, or the phone's home: the pages of the phone never forward elsewhere by themselves.
pub(super) fn local_path(next: &str) -> String {
    let local = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    let plain = next.bytes().all(|byte| byte > b' ' && byte != 0x7f);
    if local && plain && next.is_ascii() { next.to_owned() } else { HOME.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn only_local_paths_are_forwarded_to() {
        assert_eq!(local_path("/phone?open=x"), "/phone?open=x");
        for foreign in
            ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "", "/a\r\nb"]
        {
            assert_eq!(local_path(foreign), "/phone", "{foreign:?}");
        }
    }
}
