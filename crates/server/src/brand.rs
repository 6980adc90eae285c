//! How a client looks on our pages: its logo and its colour, each at an address of ours.
//!
//! Nothing is fetched from anybody else (SEC-69), and no style is inside a page: the colour comes as a stylesheet, so that
//! the policy of our pages stays as strict as it is (SEC-65).

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use mashang_login::client::Client;
use mashang_login::client::brand::BrandColor;
use mashang_login::grant::{Grant, Purpose};
use mashang_login::ids::ClientId;
use mashang_login::secret::SecretHash;
use minijinja::{Value, context};

use crate::state::App;
use crate::urls;
use crate::web::problem::Problem;

/// The grounds of `mashang.css` on which text in the colour is hardest to read: the page of the light scheme, the cards of
/// the dark one.
const LIGHT: &str = "#f3f7f5";
const DARK: &str = "#17201d";

/// `{logo, css}`: addresses, or nothing, for a page's template.
#[must_use]
pub fn values(client: &Client) -> Value {
    of(Some(client))
}

/// The same for the website behind a grant; nothing for our own pages, even if a stored client has their name.
#[must_use]
pub fn behind(asked: Option<&(Grant, Option<Client>)>) -> Value {
    let website = asked.filter(|(grant, _)| grant.purpose == Purpose::SignIn);
    of(website.and_then(|(_, client)| client.as_ref()))
}

fn of(client: Option<&Client>) -> Value {
    context! { logo => client.and_then(logo_href), css => client.and_then(css_href) }
}

/// Where the client's logo is; the address changes with the picture.
#[must_use]
pub fn logo_href(client: &Client) -> Option<String> {
    let logo = client.settings.logo.as_ref()?;
    Some(address(urls::CLIENT_LOGO, client, &String::from(logo.clone())))
}

fn css_href(client: &Client) -> Option<String> {
    let color = client.settings.brand_color?;
    Some(address(urls::CLIENT_STYLE, client, &color.to_string()))
}

fn address(pattern: &str, client: &Client, content: &str) -> String {
    format!("{}?v={}", urls::of_client(pattern, &client.id), SecretHash::of(content).short())
}

/// `GET /client/{client}/logo`.
pub async fn logo(State(app): State<App>, Path(client): Path<String>) -> Result<Response, Problem> {
    let client = enabled(&app, &client).await?;
    let logo = client.settings.logo.as_ref().ok_or(Problem::NotFound)?;
    let mut response = file(logo.media_type(), logo.bytes().to_vec());
    // A website's own page may show it beside our QR.
    let policy = header::HeaderName::from_static("cross-origin-resource-policy");
    response.headers_mut().insert(policy, HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// `GET /client/{client}/brand.css`.
pub async fn style(State(app): State<App>, Path(client): Path<String>) -> Result<Response, Problem> {
    let client = enabled(&app, &client).await?;
    let color = client.settings.brand_color.ok_or(Problem::NotFound)?;
    Ok(file("text/css; charset=utf-8", stylesheet(color).into_bytes()))
}

async fn enabled(app: &App, client: &str) -> Result<Client, Problem> {
    let id = ClientId::parse(client).map_err(|_| Problem::NotFound)?;
    app.records.client(&id).await?.filter(Client::is_enabled).ok_or(Problem::NotFound)
}

/// The address names the content, so it may be kept for a while; not for ever, because anybody can ask without a version.
fn file(kind: &'static str, bytes: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, bytes).into_response()
}

/// The custom properties of `mashang.css` that make up its accent, for a light and a dark screen. Whatever the colour, text
/// in it and on it can be read.
fn stylesheet(color: BrandColor) -> String {
    let scheme = |ground: &str| {
        let ground: BrandColor = ground.parse().expect("the grounds are colours");
        let accent = color.readable_on(ground);
        format!("--accent: {accent}; --accent-strong: {accent}; --accent-ink: {};", accent.text_on_it())
    };
    // What is washed with our own accent would clash with another.
    format!(
        ":root {{ --accent-wash: var(--field); --glow: var(--page); {} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {} }} }}\n",
        scheme(LIGHT),
        scheme(DARK)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_is_a_stylesheet_for_both_schemes() {
        let css = stylesheet("#07c160".parse().unwrap());
        let (light, dark) = css.split_once("@media").unwrap();
        assert!(!light.contains("#07c160"), "WeChat's green cannot be read on white: {light}");
        assert!(dark.contains("--accent: #07c160;") && dark.contains("--accent-ink: #000000;"), "{dark}");
    }

    #[test]
    fn the_grounds_are_those_of_our_own_stylesheet() {
        let own = include_str!("../assets/mashang.css");
        assert!(own.contains(&format!("--page: {LIGHT};")) && own.contains(&format!("--card: {DARK};")));
        assert!(own.contains("--field:") && own.contains("--accent-wash:") && own.contains("--glow:"));
    }
}
