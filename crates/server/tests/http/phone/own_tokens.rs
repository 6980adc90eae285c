//! An app that signs its people in through us: our own access tokens speak for them, if the operator listed its client.

use http::StatusCode;
use serde_json::json;

use super::{Caller, refusal, refused};
use crate::support::*;

const LISTED: &str = "[channel.myapp]\nkind = \"app\"\naccept_tokens_of = [\"site\"]\norder = 9\n";

/// An access token of a person, issued to the client `site`.
async fn access_token(app: &TestApp, person: &str) -> String {
    let back = app.log_in(&app.desktop(), person).await;
    let tokens = app.exchange(&param(&back, "code")).await.json();
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn sub_of(app: &TestApp, back: &str) -> String {
    let tokens = app.exchange(&param(back, "code")).await.json();
    claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_person_is_the_one_the_token_speaks_for() {
    let app = TestApp::with_config(LISTED).await;
    let person = app.person("小明").await;
    let first = sub_of(&app, &app.log_in(&app.desktop(), &person).await).await;
    let phone = Caller { app: &app, channel: "myapp", bearer: Some(access_token(&app, &person).await) };
    let page = app.open_login(&app.desktop()).await;
    let token = phone.scan(&page.ticket, json!({})).await;
    assert_eq!(phone.approve(&page.ticket, &token, &page.number).await.status, StatusCode::OK);
    assert_eq!(sub_of(&app, &page.redeem().await).await, first);
}

#[tokio::test]
async fn sec_36_a_revoked_token_or_one_of_another_client_approves_nothing() {
    let app = TestApp::with_config(LISTED).await;
    let person = app.person("小明").await;
    let bearer = access_token(&app, &person).await;
    let phone = Caller { app: &app, channel: "myapp", bearer: Some(bearer.clone()) };
    let page = app.open_login(&app.desktop()).await;
    let token = phone.scan(&page.ticket, json!({})).await;
    let revoked =
        app.desktop().with("authorization", &app.basic()).post("/revoke", &[("token", &bearer)]).await;
    assert_eq!(revoked.status, StatusCode::OK);
    let late = phone.approve(&page.ticket, &token, &page.number).await;
    assert_eq!(refusal(&late), refused(401, "unauthorized"));
    let unlisted = TestApp::with_config(&LISTED.replace("\"site\"", "\"spa\"")).await;
    let person = unlisted.person("小明").await;
    let bearer = Some(access_token(&unlisted, &person).await);
    let page = unlisted.open_login(&unlisted.desktop()).await;
    let phone = Caller { app: &unlisted, channel: "myapp", bearer };
    assert_eq!(refusal(&phone.call(&page.ticket, "scan", json!({})).await), refused(401, "unauthorized"));
}
