//! App links: the two documents by which phones learn that our links belong to the operator's app, so that scanning the
//! QR with the phone's camera opens it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::{Value, json};

use crate::channel::Means;
use crate::config::app::AppSection;
use crate::state::App;
use crate::web::problem::Problem;

/// What an app said about itself.
#[derive(Debug, Default)]
pub struct AppLinks {
    android: Option<Value>,
    ios: Vec<String>,
}

impl AppLinks {
    pub(super) fn new(section: &AppSection) -> Self {
        let android = section.android_package.as_ref().map(|package| {
            json!({
                "relation": ["delegate_permission/common.handle_all_urls"],
                "target": {
                    "namespace": "android_app",
                    "package_name": package,
                    "sha256_cert_fingerprints": section.sha256_cert_fingerprints,
                },
            })
        });
        Self { android, ios: section.ios_app_ids.clone() }
    }
}

fn of_apps(app: &App) -> impl Iterator<Item = &AppLinks> {
    app.channels.iter().filter_map(|channel| match &channel.means {
        Means::App(own) => Some(&own.links),
        _ => None,
    })
}

/// `GET /.well-known/assetlinks.json` (Android App Links). It names the app for the whole host: which paths are the app's stands in
/// its manifest, `android:pathPrefix="/s/"` (docs/phone-api.md).
pub async fn android(State(app): State<App>) -> Result<Response, Problem> {
    let statements: Vec<&Value> = of_apps(&app).filter_map(|links| links.android.as_ref()).collect();
    if statements.is_empty() {
        return Err(Problem::NotFound);
    }
    Ok(document(&json!(statements)))
}

/// `GET /.well-known/apple-app-site-association` (Universal Links); only the addresses inside our QR.
pub async fn ios(State(app): State<App>) -> Result<Response, Problem> {
    let apps: Vec<&String> = of_apps(&app).flat_map(|links| &links.ios).collect();
    if apps.is_empty() {
        return Err(Problem::NotFound);
    }
    Ok(document(&json!({
        "applinks": { "details": [{ "appIDs": apps, "components": [{ "/": "/s/*" }] }] },
    })))
}

fn document(body: &Value) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=3600")], Json(body)).into_response()
}
