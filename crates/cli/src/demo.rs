//! The demo: server, sandbox and a sample website in one process, on loopback or, with `--lan`, for phones on the same
//! network. Each is reached over HTTP like the real thing; none takes a shortcut.

pub(crate) mod lan;
mod person;
mod site;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Context;
use mashang_login::Clock;
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::client::{Client, ClientSettings, PkcePolicy};
use mashang_login::key::SigningAlgorithm;
use mashang_login::records::Records;
use mashang_login::secret::ClientSecret;
use mashang_sandbox::{
    DEMO_CORP_AGENTID, DEMO_CORP_SECRET, DEMO_CORPID, DEMO_MINI_APPID, DEMO_MINI_PAGE, DEMO_MINI_SECRET,
    DEMO_OFFICIAL_AES_KEY, DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_ORIGINAL_ID, DEMO_OFFICIAL_SECRET,
    DEMO_OFFICIAL_TOKEN, DEMO_PLATFORM, DEMO_WEBSITE_APPID, DEMO_WEBSITE_SECRET,
};
use mashang_server::open::{self, Surroundings};
use mashang_server::web::qr;
use mashang_server::{background, config, routes};

use crate::args::Demo;
use crate::{logging, process, sandbox};

/// The sample website's client id.
const SITE: &str = "sample-site";

/// Runs until asked to stop.
///
/// # Errors
/// What keeps it from starting.
pub async fn run(asked: Demo) -> anyhow::Result<()> {
    let places = Places::find(&asked)?;
    let data = Data::open(asked.data.as_deref())?;
    let config = config::from_text(&configuration(&places, data.folder()))?;
    logging::start(&config.log)?;
    let stopping = process::stop_on_signal();
    let options = sandbox::options_for(&config, places.sandbox.url(&places.host).parse()?)?;
    let sandbox = sandbox::start(places.sandbox.listener.try_clone()?, options, stopping.clone());
    let app =
        open::app(&config, Surroundings { stopping: stopping.clone(), ..Surroundings::default() }).await?;
    let secret = register_site(&*app.records, &places).await?;
    let tidying = tokio::spawn(background::run(app.clone()));
    let site =
        site::Site::new(&places.server.url(&places.host), &places.site.url(&places.host), SITE, secret)?;
    let website = tokio::spawn(mashang_server::serve::serve(
        places.site.listener.try_clone()?,
        site.router(),
        stopping.clone(),
    ));
    let password = person::prepare(&app).await?;
    announce(&places, &asked, data.folder(), &password);
    let listener = places.server.listener.try_clone()?;
    let begun = app.begun.clone();
    let serving = mashang_server::serve::serve(listener, routes::service(app), stopping.clone());
    begun.finish_after(serving, &stopping).await?;
    website.await??;
    sandbox.await?;
    tidying.await?;
    Ok(())
}

/// A listener and its port.
struct Place {
    listener: TcpListener,
    port: u16,
}

impl Place {
    fn url(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }
}

/// Where the three are.
struct Places {
    host: String,
    server: Place,
    sandbox: Place,
    site: Place,
}

impl Places {
    fn find(asked: &Demo) -> anyhow::Result<Self> {
        let (bind, host) = if asked.lan {
            let address = match asked.lan_address {
                Some(address) => address,
                None => lan::address().context(
                    "this machine's address on the network was not found; give it with --lan --lan-address 192.168.1.23",
                )?,
            };
            (IpAddr::V4(Ipv4Addr::UNSPECIFIED), lan::in_url(address))
        } else {
            (IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv4Addr::LOCALHOST.to_string())
        };
        let place = |wanted: u16| -> anyhow::Result<Place> {
            let listener = TcpListener::bind(SocketAddr::new(bind, wanted))
                .or_else(|_| TcpListener::bind(SocketAddr::new(bind, 0)))
                .with_context(|| format!("cannot listen on {bind}"))?;
            let port = listener.local_addr()?.port();
            Ok(Place { listener, port })
        };
        Ok(Self {
            host,
            server: place(asked.port)?,
            sandbox: place(after(asked.port, 1))?,
            site: place(after(asked.port, 2))?,
        })
    }
}

/// The port `steps` after the first; with 0, "any", each is any.
fn after(first: u16, steps: u16) -> u16 {
    if first == 0 { 0 } else { first.saturating_add(steps) }
}

/// The demo's folder; a temporary one goes with the process.
enum Data {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Data {
    fn open(kept: Option<&Path>) -> anyhow::Result<Self> {
        Ok(match kept {
            Some(folder) => Self::Kept(folder.to_owned()),
            None => Self::Temporary(tempfile::Builder::new().prefix("mashang-demo-").tempdir()?),
        })
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

/// The demo is configured like any installation: by a file, here made on the spot.
fn configuration(places: &Places, data: &Path) -> String {
    let quote = |text: &str| format!("{text:?}");
    let file = |name: &str| data.join(name).display().to_string();
    format!(
        r#"
[server]
public_url = {public_url}
listen = "127.0.0.1:0"
allow_cleartext = true

[store]
url = {database}
master_key_file = {master_key}

[log]
filter = "warn,mashang_server=info"

[sandbox]
enabled = true
url = {sandbox}

[channel.wechat]
kind = "wechat-official"
appid = "{DEMO_OFFICIAL_APPID}"
secret = "{DEMO_OFFICIAL_SECRET}"
open_platform = "{DEMO_PLATFORM}"
order = 1

[channel.wechat-web]
kind = "wechat-open"
appid = "{DEMO_WEBSITE_APPID}"
secret = "{DEMO_WEBSITE_SECRET}"
open_platform = "{DEMO_PLATFORM}"
order = 2

[channel.wechat-scan]
kind = "wechat-official"
label = "公众号 Follow"
appid = "{DEMO_OFFICIAL_APPID}"
secret = "{DEMO_OFFICIAL_SECRET}"
open_platform = "{DEMO_PLATFORM}"
qr = "parametric"
order = 3

[channel.wechat-scan.events]
token = "{DEMO_OFFICIAL_TOKEN}"
aes_key = "{DEMO_OFFICIAL_AES_KEY}"
original_id = "{DEMO_OFFICIAL_ORIGINAL_ID}"

[channel.wechat-mini]
kind = "wechat-mini"
appid = "{DEMO_MINI_APPID}"
secret = "{DEMO_MINI_SECRET}"
open_platform = "{DEMO_PLATFORM}"
page = "{DEMO_MINI_PAGE}"
order = 4

[channel.wecom]
kind = "wecom"
corpid = "{DEMO_CORPID}"
agentid = {DEMO_CORP_AGENTID}
secret = "{DEMO_CORP_SECRET}"
order = 5

[channel.wecom.events]
token = "{DEMO_OFFICIAL_TOKEN}"
aes_key = "{DEMO_OFFICIAL_AES_KEY}"

[channel.password]
kind = "password"
order = 6

[channel.email]
kind = "email"
order = 7

[channel.sms]
kind = "sms"
order = 8
"#,
        public_url = quote(&places.server.url(&places.host)),
        database = quote(&format!("sqlite:{}", file("mashang.db"))),
        master_key = quote(&file("master.key")),
        sandbox = quote(&places.sandbox.url(&places.host)),
    )
}

async fn register_site(records: &dyn Records, places: &Places) -> anyhow::Result<ClientSecret> {
    let secret = ClientSecret::random(&SystemEntropy);
    let site = places.site.url(&places.host);
    let client = Client {
        id: SITE.parse()?,
        name: "示例网站 Sample site".into(),
        authentication: Client::authentication_by(&secret),
        redirect_uris: vec![format!("{site}/callback")],
        post_logout_redirect_uris: vec![format!("{site}/")],
        pkce: PkcePolicy::Required,
        id_token_alg: SigningAlgorithm::Rs256,
        refresh_tokens: false,
        settings: ClientSettings::default(),
        created_at: SystemClock.now(),
        disabled_at: None,
    };
    records.save_client(&client).await?;
    Ok(secret)
}

fn announce(places: &Places, asked: &Demo, data: &Path, password: &str) {
    let sandbox = places.sandbox.url(&places.host);
    let phone = format!("{sandbox}/phone");
    say!("");
    say!("  码上登录 Mashang · demo");
    say!("");
    say!("  1  Open the sample site  打开示例网站    {}", places.site.url(&places.host));
    say!("     and click 登录 / Sign in: a QR appears.");
    say!("  2  Click the QR, or open the phone  手机  {phone}");
    say!("     pick a person, scan, type the number, approve.");
    say!("  3  The page signs in by itself. Server  服务 {}", places.server.url(&places.host));
    say!("");
    say!("  Without a phone  不用手机");
    say!("     User name and password  用户名和密码  {}  {password}", person::NAME);
    say!("     Codes by e-mail and SMS end here  发件箱  {sandbox}/outbox");
    say!("");
    if asked.lan {
        say!(
            "  Phones on this network: open the sample site on a computer, then point a phone's own camera at its QR."
        );
        say!("  To look at the pretend phone itself, scan this:");
        say!("");
        for line in qr::terminal(&phone).lines() {
            say!("    {line}");
        }
        say!("");
        say!("  Anyone on this network can take part, and traffic is not encrypted.");
    } else {
        say!("  To scan with a real phone on the same network: mashang --lan");
    }
    if asked.data.is_some() {
        say!("  Data is kept in {}", data.display());
    }
    say!("  The sandbox stands in for WeChat: anyone can be anyone. Ctrl-C stops.");
    say!("");
}
