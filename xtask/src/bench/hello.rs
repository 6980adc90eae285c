//! The yardstick: the smallest JSON server that axum makes, as its own documentation writes it.

use std::net::Ipv4Addr;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

/// Listens on a free port, prints its address as one line, and serves until killed.
///
/// # Errors
/// When there is no port to listen on.
pub fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        let router = Router::new().route("/", get(async || Json(json!({ "hello": "world" }))));
        Ok(axum::serve(listener, router).await?)
    })
}
