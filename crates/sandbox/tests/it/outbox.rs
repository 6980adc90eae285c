//! The outbox: what a server posts is shown with its code, to people and to scripts.

use http::StatusCode;
use serde_json::json;

use crate::bench::Bench;

fn message(to: &str, code: &str) -> serde_json::Value {
    json!({ "id": "x", "kind": "email", "to": to, "subject": "Your code", "text": format!("{code} <b>is</b> it"),
            "code": code, "language": "en" })
}

#[tokio::test]
async fn messages_are_listed_newest_first_and_shown_with_their_code() {
    let bench = Bench::new();
    for code in ["111111", "222222"] {
        let taken = bench.post_json("/outbox", &message("ada@example.com", code)).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text());
    }
    let list = bench.get("/sandbox/api/outbox").await.json();
    assert_eq!(list["messages"][0]["code"], "222222");
    assert_eq!(list["messages"][1]["to"], "ada@example.com");
    let page = bench.get("/outbox").await;
    assert!(
        page.text().contains("<strong class=\"code\">222222</strong> &lt;b&gt;is&lt;"),
        "{}",
        page.text()
    );
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
}

#[tokio::test]
async fn a_script_makes_it_refuse_with_a_providers_code() {
    let bench = Bench::new();
    bench.post_json("/sandbox/api/outbox", &json!({ "refuse": "isv.BUSINESS_LIMIT_CONTROL" })).await;
    let refused = bench.post_json("/outbox", &message("ada@example.com", "111111")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.json()["error"], "isv.BUSINESS_LIMIT_CONTROL");
    bench.post_json("/sandbox/api/outbox", &json!({ "refuse": null })).await;
    let taken = bench.post_json("/outbox", &message("ada@example.com", "111111")).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let bench = Bench::new();
    for body in [
        json!({}),
        json!({ "kind": "fax", "to": "a", "text": "t" }),
        json!({ "kind": "sms", "to": "", "text": "t" }),
    ] {
        assert!(bench.post_json("/outbox", &body).await.status.is_client_error(), "{body}");
    }
}
