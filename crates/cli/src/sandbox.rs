//! `mashang sandbox`: the pretend Tencent alone, for developing any project against it.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::ids::ChannelId;
use mashang_login::{Clock, Entropy};
use mashang_sandbox::{
    CertificateAuthority, DEMO_OFFICIAL_AES_KEY, DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_ORIGINAL_ID,
    DEMO_OFFICIAL_TOKEN, EventMode, EventTarget, Options, default_apps, default_corps, tencent_hosts,
};
use mashang_server::config::channel::{ChannelSection, EventsSection};
use mashang_server::config::secret::secret_of;
use mashang_server::config::{self, Config};
use mashang_server::serve::{serve, serve_through};
use mashang_server::urls::{CHANNEL_EVENTS, of_channel};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::args::Sandbox as Asked;
use crate::demo::lan;
use crate::process::{listen, stop_on_signal};

/// Runs until asked to stop.
///
/// # Errors
/// When an address cannot be listened on, nobody could reach it, or the certificate authority is broken.
pub async fn run(asked: Asked) -> anyhow::Result<()> {
    let listener = listen("--listen", asked.listen)?;
    let url = match asked.public_url {
        Some(url) => without_path(url)?,
        None => reached_at(listener.local_addr()?, lan::address())?,
    };
    say!("Sandbox 仿真环境 (anyone can be anyone)");
    say!("  phone    {}", url.join("phone")?);
    say!("  scripts  {}", url.join("sandbox/api")?);
    for app in default_apps() {
        say!("  app      {}  {:?}  {}", app.appid, app.kind, app.secret);
    }
    for corp in default_corps() {
        for agent in corp.agents {
            say!("  corp     {}  {}  {}", corp.corpid, agent.agentid, agent.secret);
        }
        say!("  contact  {}  {}", corp.corpid, corp.contact_secret);
    }
    say!("  account  {DEMO_OFFICIAL_APPID}  {DEMO_OFFICIAL_ORIGINAL_ID}");
    say!("  events   Token {DEMO_OFFICIAL_TOKEN}  EncodingAESKey {DEMO_OFFICIAL_AES_KEY}");
    let stopping = stop_on_signal();
    let router = router(Options { public_url: url, ..Options::default() });
    if let (Some(address), Some(folder)) = (asked.tls_listen, asked.ca_dir) {
        serve_by_name(address, &folder, router.clone(), stopping.clone())?;
    }
    spawn(listener, router, stopping).await?;
    Ok(())
}

/// What QR codes and pages hold when the operator names no address. A program can listen at 0.0.0.0, but nobody can go
/// there: then it is this machine's `address_on_network`.
fn reached_at(listening: SocketAddr, address_on_network: Option<IpAddr>) -> anyhow::Result<Url> {
    let host = if listening.ip().is_unspecified() {
        address_on_network.context(
            "nobody can open http://0.0.0.0, and this machine's address on the network was not found; give it with --public-url http://192.168.1.23:8930",
        )?
    } else {
        listening.ip()
    };
    Ok(format!("http://{}:{}", lan::in_url(host), listening.port()).parse()?)
}

/// The pretend hosts are the first segments of the path, so the address itself has none.
fn without_path(url: Url) -> anyhow::Result<Url> {
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    anyhow::ensure!(
        matches!(url.scheme(), "http" | "https") && bare,
        "--public-url is http:// or https://, a host and a port, without a path; {url} is not"
    );
    Ok(url)
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
    let listener = listen("--tls-listen", address)?;
    let authority = CertificateAuthority::open(folder, SystemClock.now().as_second())?;
    let address = listener.local_addr()?;
    let certificate = std::path::absolute(authority.certificate())?;
    say!("  tls      {address}, for these lines in a hosts file:");
    for host in tencent_hosts() {
        say!("             {}  {host}", address.ip());
    }
    let shown = certificate.display();
    say!("  trust    {shown}");
    say!("             curl --cacert {shown}   REQUESTS_CA_BUNDLE={shown}   NODE_EXTRA_CA_CERTS={shown}");
    say!("             it can sign for qq.com, qlogo.cn and qqmail.com only; its key is beside it");
    let tls = TlsAcceptor::from(Arc::new(authority.server_config()?));
    tokio::spawn(async move {
        let shake_hands = move |stream| tls.accept(stream);
        if let Err(error) = serve_through(listener, shake_hands, router, stopping).await {
            tracing::error!(%error, "the sandbox stopped answering over TLS: {error}");
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(listening: &str, network: Option<&str>) -> Option<String> {
        let network = network.map(|address| address.parse().unwrap());
        reached_at(listening.parse().unwrap(), network).ok().map(String::from)
    }

    #[test]
    fn address_that_nobody_can_open_becomes_that_on_the_network() {
        let network = Some("192.168.1.23");
        assert_eq!(reached("127.0.0.1:8930", network).as_deref(), Some("http://127.0.0.1:8930/"));
        assert_eq!(reached("[::1]:8930", network).as_deref(), Some("http://[::1]:8930/"));
        assert_eq!(reached("0.0.0.0:8930", network).as_deref(), Some("http://192.168.1.23:8930/"));
        assert_eq!(reached("[::]:8930", network).as_deref(), Some("http://192.168.1.23:8930/"));
        assert_eq!(reached("0.0.0.0:8930", None), None);
    }

    #[test]
    fn public_address_has_no_path() {
        let taken = |text: &str| without_path(text.parse().unwrap()).is_ok();
        assert!(taken("http://192.168.1.23:8930") && taken("https://sandbox.example/"));
        for refused in
            ["http://a.example/sandbox", "http://a.example/?x", "http://a.example/#x", "ftp://a.example/"]
        {
            assert!(!taken(refused), "{refused}");
        }
    }
}
