//! `mashang sandbox`: the pretend WeChat alone, for developing any project against it.

use std::net::TcpListener;
use std::sync::Arc;

use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::{Clock, Entropy};
use mashang_sandbox::{Options, default_apps};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::args::Sandbox as Asked;
use crate::process::{listen, stop_on_signal};

/// Runs until asked to stop.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn run(asked: Asked) -> anyhow::Result<()> {
    let listener = listen(asked.listen)?;
    let url = match asked.public_url {
        Some(url) => url,
        None => format!("http://{}", listener.local_addr()?).parse()?,
    };
    println!("Sandbox 仿真环境 (anyone can be anyone)");
    println!("  phone    {}", url.join("phone")?);
    println!("  scripts  {}", url.join("sandbox/api")?);
    for app in default_apps() {
        println!("  app      {}  {:?}  {}", app.appid, app.kind, app.secret);
    }
    let running = start(listener, url, stop_on_signal());
    running.await?;
    Ok(())
}

/// Starts it beside something else.
pub fn start(
    listener: TcpListener,
    public_url: Url,
    stopping: CancellationToken,
) -> tokio::task::JoinHandle<()> {
    let options = Options { public_url, ..Options::default() };
    let clock = Arc::new(|| SystemClock.now().as_millisecond());
    let entropy = Arc::new(|bytes: &mut [u8]| SystemEntropy.fill(bytes));
    let router = mashang_sandbox::Sandbox::new(options, clock, entropy).router();
    tokio::spawn(async move {
        if let Err(error) = mashang_server::serve::serve(listener, router, stopping).await {
            tracing::error!(%error, "the sandbox stopped: {error}");
        }
    })
}
