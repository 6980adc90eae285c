//! `mashang sandbox`: the pretend Tencent alone, for developing any project against it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::ids::ChannelId;
use mashang_login::{Clock, Entropy};
use mashang_sandbox::{
    CertificateAuthority, EventMode, EventTarget, Options, default_apps, default_corps, tencent_hosts,
};
use mashang_server::config::channel::{ChannelSection, EventsSection, secret_of};
use mashang_server::config::{self, Config};
use mashang_server::serve::{serve, serve_through};
use mashang_server::urls::{CHANNEL_EVENTS, of_channel};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::args::Sandbox as Asked;
use crate::process::{listen, stop_on_signal};

/// Runs until asked to stop.
///
/// # Errors
/// When an address cannot be listened on, or the certificate authority is broken.
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
    for corp in default_corps() {
        for agent in corp.agents {
            println!("  corp     {}  {}  {}", corp.corpid, agent.agentid, agent.secret);
        }
    }
    let stopping = stop_on_signal();
    let router = router(Options { public_url: url, ..Options::default() });
    if let (Some(address), Some(folder)) = (asked.tls_listen, asked.ca_dir) {
        serve_by_name(address, &folder, router.clone(), stopping.clone())?;
    }
    spawn(listener, router, stopping).await?;
    Ok(())
}

/// Starts it beside something else.
pub fn start(
    listener: TcpListener,
    options: Options,
    stopping: CancellationToken,
) -> tokio::task::JoinHandle<()> {
    spawn(listener, router(options), stopping)
}

/// The pretend platforms for a server of this configuration, told what an operator types into the real consoles: where
/// events go and how they are protected, and where the mini-program's page finds its server.
///
/// # Errors
/// When a secret's file cannot be read.
pub fn options_for(config: &Config, public_url: Url) -> anyhow::Result<Options> {
    let mut options = Options { public_url, ..Options::default() };
    let server = config.server.public_url.as_str().trim_end_matches('/');
    for (id, section) in &config.channel {
        let address = format!("{server}{}", of_channel(CHANNEL_EVENTS, id));
        match section {
            ChannelSection::WechatOfficial(section) => {
                let app = options.apps.iter_mut().find(|app| app.appid == section.appid.as_str());
                if let (Some(app), Some(events)) = (app, &section.events) {
                    app.events = Some(target(id, events, &address)?);
                    app.original_id = events.original_id.clone().unwrap_or_default();
                }
            }
            ChannelSection::WechatMini(section) => {
                if let Some(app) = options.apps.iter_mut().find(|app| app.appid == section.appid.as_str()) {
                    app.mini.demo_api_base = Some(server.parse()?);
                    app.mini.demo_channel = id.to_string();
                }
            }
            ChannelSection::Wecom(section) => {
                let corp = options.corps.iter_mut().find(|corp| corp.corpid == section.corpid);
                if let (Some(corp), Some(events)) = (corp, &section.events) {
                    corp.events = Some(target(id, events, &address)?);
                }
            }
            ChannelSection::WechatOpen(_)
            | ChannelSection::App(_)
            | ChannelSection::Passkey(_)
            | ChannelSection::Password(_)
            | ChannelSection::Email(_)
            | ChannelSection::Sms(_) => {}
        }
    }
    Ok(options)
}

fn target(id: &ChannelId, events: &EventsSection, address: &str) -> anyhow::Result<EventTarget> {
    let place = format!("channel.{id}.events");
    let mode = match events.mode {
        config::channel::EventMode::Secure => EventMode::Secure,
        config::channel::EventMode::Compatible => EventMode::Compatible,
        config::channel::EventMode::Plain => EventMode::Plain,
    };
    let aes_key = match mode {
        EventMode::Plain => String::new(),
        _ => secret_of(&events.aes_key, events.aes_key_file.as_deref()).read(&place, "aes_key")?,
    };
    let token = secret_of(&events.token, events.token_file.as_deref()).read(&place, "token")?;
    Ok(EventTarget { url: address.parse()?, token, aes_key, mode })
}

fn router(options: Options) -> Router {
    let clock = Arc::new(|| SystemClock.now().as_millisecond());
    let entropy = Arc::new(|bytes: &mut [u8]| SystemEntropy.fill(bytes));
    mashang_sandbox::Sandbox::new(options, clock, entropy).router()
}

fn spawn(listener: TcpListener, router: Router, stopping: CancellationToken) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = serve(listener, router, stopping).await {
            tracing::error!(%error, "the sandbox stopped: {error}");
        }
    })
}

/// The same sandbox over TLS, under Tencent's own host names, and how to lead a program there.
fn serve_by_name(
    address: SocketAddr,
    folder: &Path,
    router: Router,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    let listener = listen(address)?;
    let authority = CertificateAuthority::open(folder, SystemClock.now().as_second())?;
    let address = listener.local_addr()?;
    let certificate = std::path::absolute(authority.certificate())?;
    println!("  tls      {address}, for these lines in a hosts file:");
    for host in tencent_hosts() {
        println!("             {}  {host}", address.ip());
    }
    let shown = certificate.display();
    println!("  trust    {shown}");
    println!("             curl --cacert {shown}   REQUESTS_CA_BUNDLE={shown}   NODE_EXTRA_CA_CERTS={shown}");
    println!("             it can sign for qq.com, qlogo.cn and qqmail.com only; its key is beside it");
    let tls = TlsAcceptor::from(Arc::new(authority.server_config()?));
    tokio::spawn(async move {
        let shake_hands = move |stream| tls.accept(stream);
        if let Err(error) = serve_through(listener, shake_hands, router, stopping).await {
            tracing::error!(%error, "the sandbox stopped answering over TLS: {error}");
        }
    });
    Ok(())
}
