//! The browser SDK, `sdk/js/src`, embedded and served for our own login page and for any website: each file under an
//! address that contains the version of all of them, with an integrity value that pages can insist on.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, header};
use rust_embed::RustEmbed;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256, Sha384};

use super::problem::Problem;
use crate::state::App;
use crate::urls;

#[derive(RustEmbed)]
#[folder = "../../sdk/js/src/"]
struct Files;

/// What a page imports first.
const ENTRY: &str = "mashang.js";
/// What else can be imported by name, as the npm package has it.
const EXPORTS: [&str; 3] = ["element", "uni", "vue"];

/// The files, read once: what is served is what the integrity values say, whatever happens on the disk meanwhile.
#[derive(Debug)]
pub struct Sdk {
    version: String,
    files: BTreeMap<String, File>,
}

#[derive(Debug)]
struct File {
    bytes: Bytes,
    integrity: String,
}

impl Sdk {
    /// Reads the embedded files.
    #[must_use]
    pub fn embedded() -> Self {
        let mut files = BTreeMap::new();
        for name in Files::iter().filter(|name| name.ends_with(".js") && !name.contains('/')) {
            if let Some(found) = Files::get(&name) {
                let bytes = Bytes::from(found.data.into_owned());
                let integrity = format!("sha384-{}", STANDARD.encode(Sha384::digest(&bytes)));
                files.insert(name.into_owned(), File { bytes, integrity });
            }
        }
        let mut all = Sha256::new();
        for (name, file) in &files {
            // The integrity stands for the bytes; it has one length, so nothing runs together.
            all.update(file.integrity.as_bytes());
            all.update(name.as_bytes());
            all.update([0]);
        }
        let version = all.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { version, files }
    }

    /// The address of a file below our own root, as the templates use it.
    #[must_use]
    pub fn address(&self, file: &str) -> String {
        urls::SDK_FILE.replace("{version}", &self.version).replace("{file}", file)
    }

    /// The integrity value of a file; empty, and no restriction, for one that is not there.
    #[must_use]
    pub fn integrity(&self, file: &str) -> &str {
        self.files.get(file).map_or("", |file| &file.integrity)
    }

    /// What a website has to know, on the server at `public_url`.
    fn manual(&self, public_url: &str) -> Value {
        let base = format!("{public_url}{}", self.address(""));
        let integrity: Map<String, Value> =
            self.files.iter().map(|(name, file)| (name.clone(), file.integrity.as_str().into())).collect();
        json!({
            "version": self.version,
            "package": env!("CARGO_PKG_VERSION"),
            "base": base,
            "entry": ENTRY,
            "integrity": integrity,
            "html": self.html(&base),
        })
    }

    /// An import map for a page: browsers then check every file, those that a file imports itself included.
    fn html(&self, base: &str) -> String {
        let mut imports = BTreeMap::from([("mashang".to_owned(), format!("{base}{ENTRY}"))]);
        for name in EXPORTS.iter().filter(|name| self.files.contains_key(&format!("{name}.js"))) {
            imports.insert(format!("mashang/{name}"), format!("{base}{name}.js"));
        }
        let integrity: BTreeMap<String, &str> = self
            .files
            .iter()
            .map(|(name, file)| (format!("{base}{name}"), file.integrity.as_str()))
            .collect();
        let map = json!({ "imports": imports, "integrity": integrity });
        format!("<script type=\"importmap\">{map}</script>")
    }
}

/// `GET /sdk`: version, addresses and integrity values.
pub async fn manual(State(app): State<App>) -> Json<Value> {
    Json(app.sdk.manual(&app.site.public_url))
}

/// `GET /sdk/{version}/{file}`. Another version than this one is not here: a page that insists on it must not be given
/// something else.
pub async fn serve(
    State(app): State<App>,
    Path((version, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = app.sdk.files.get(&file).filter(|_| version == app.sdk.version).ok_or(Problem::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    Ok((headers, found.bytes.clone()).into_response())
}
