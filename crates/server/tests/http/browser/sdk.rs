//! `/sdk`: the files of the browser SDK.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use sha2::{Digest, Sha384};

use crate::support::*;

#[tokio::test]
async fn the_integrity_values_are_of_the_bytes_that_are_served() {
    let app = TestApp::start().await;
    let anybody = app.desktop().with("origin", "https://any.example");
    let manual = anybody.get("/sdk").await;
    assert_eq!(manual.header("access-control-allow-origin"), "*");
    let told = manual.json();
    let (base, version) = (told["base"].as_str().unwrap(), told["version"].as_str().unwrap());
    assert_eq!(base, format!("http://127.0.0.1:8080/sdk/{version}/"));
    assert!(version.len() == 16 && version.bytes().all(|b| b.is_ascii_hexdigit()));
    let integrity = told["integrity"].as_object().unwrap();
    assert!(integrity.contains_key(told["entry"].as_str().unwrap()) && integrity.contains_key("watch.js"));
    for (name, value) in integrity {
        let file = anybody.get(&format!("{base}{name}")).await;
        assert_eq!(file.status, StatusCode::OK, "{name}");
        let digest = STANDARD.encode(Sha384::digest(file.body.as_bytes()));
        assert_eq!(value.as_str().unwrap(), format!("sha384-{digest}"), "{name}");
        assert_eq!(file.header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(file.header("access-control-allow-origin"), "*");
        assert_eq!(file.header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert!(told["html"].as_str().unwrap().contains(value.as_str().unwrap()));
    }
}

#[tokio::test]
async fn another_version_and_other_files_are_not_here() {
    let app = TestApp::start().await;
    let told = app.desktop().get("/sdk").await.json();
    let version = told["version"].as_str().unwrap();
    for path in [
        "/sdk/0000000000000000/mashang.js".to_owned(),
        format!("/sdk/{version}/none.js"),
        format!("/sdk/{version}/package.json"),
        format!("/sdk/{version}/..%2fpackage.json"),
        format!("/sdk/{version}/"),
        "/sdk/x/y/z".into(),
    ] {
        assert_eq!(app.desktop().get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_snippet_is_an_import_map_with_everything_in_it() {
    let app = TestApp::start().await;
    let told = app.desktop().get("/sdk").await.json();
    let html = told["html"].as_str().unwrap();
    let map = html.strip_prefix("<script type=\"importmap\">").unwrap().strip_suffix("</script>").unwrap();
    let map: serde_json::Value = serde_json::from_str(map).unwrap();
    let base = told["base"].as_str().unwrap();
    assert_eq!(map["imports"]["mashang"], format!("{base}mashang.js"));
    assert_eq!(map["integrity"].as_object().unwrap().len(), told["integrity"].as_object().unwrap().len());
}

/// One release is one number: of the server, of the package, and of what `/sdk` says.
#[tokio::test]
async fn the_package_has_the_servers_version() {
    let app = TestApp::start().await;
    let package =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/js/package.json")).unwrap();
    let package: serde_json::Value = serde_json::from_str(&package).unwrap();
    assert_eq!(app.desktop().get("/sdk").await.json()["package"], package["version"]);
}
