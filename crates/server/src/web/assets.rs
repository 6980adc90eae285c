//! Stylesheets and scripts, embedded, served under an address that contains their hash and therefore never expires.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{StatusCode, header};
use rust_embed::RustEmbed;

use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// The address of an asset: `/assets/<hash>/<file>`; a name that is not there is answered without a hash and then 404.
#[must_use]
pub fn address(file: &str) -> String {
    format!("/assets/{}/{file}", version(file).unwrap_or_default())
}

fn version(file: &str) -> Option<String> {
    let found = Files::get(file)?;
    Some(URL_SAFE_NO_PAD.encode(&found.metadata.sha256_hash()[..9]))
}

/// `GET /assets/{version}/{file}`. The version only busts caches; any is answered with the present file.
pub async fn serve(Path((asked, file)): Path<(String, String)>) -> Result<Response, Problem> {
    let found = Files::get(&file).ok_or(Problem::NotFound)?;
    let fresh = version(&file).as_deref() == Some(asked.as_str());
    let cache = if fresh { "public, max-age=31536000, immutable" } else { "no-store" };
    let kind = match file.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], found.data)
        .into_response())
}
