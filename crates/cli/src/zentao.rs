//! `mashang zentao-plugin`: the extension for ZenTao, filled in, and the client that belongs to it.

mod package;

use std::path::Path;

use anyhow::{Context, bail, ensure};
use mashang_login::Clock;
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::client::{Client, ClientAuthentication, ClientSettings, PkcePolicy, check_redirect_uri};
use mashang_login::identity::{ChannelKind, clean_name};
use mashang_login::ids::{ChannelId, ClientId};
use mashang_login::key::SigningAlgorithm;
use mashang_login::records::Records;
use mashang_login::secret::ClientSecret;
use mashang_server::config::Config;
use mashang_server::open::{self, Tables};
use tempfile::NamedTempFile;
use url::Url;

use self::package::Settings;
use crate::args::ZentaoPlugin;
use crate::client::saving;
use crate::config::tell_if_nobody_served;

/// How ZenTao is called on the login page if nobody says otherwise.
const NAME: &str = "禅道";

const NEXT: &str = "\
Next, in ZenTao as super administrator: 后台 › 插件管理 › 本地安装 (Admin › Extensions › Local). Upload it and follow the
steps. ZenTao may first ask for an empty file www/data/ok.txt; delete that file afterwards.
If the extension is installed already, this is an upgrade and people stay bound; uninstalling it would forget them.";

/// Writes the zip, and registers the client if asked to.
///
/// # Errors
/// In sentences: an address that cannot be registered, a client that is missing or does not fit, a file that cannot be
/// written.
pub async fn run(asked: ZentaoPlugin) -> anyhow::Result<()> {
    let id: ClientId =
        asked.client.parse().context("--client may have letters, digits, - _ . and at most 64 of them")?;
    let url = address(&asked.url)?;
    let redirect_uris = redirect_uris(&url);
    for uri in &redirect_uris {
        check_redirect_uri(uri).with_context(|| format!("--url: `{uri}`"))?;
    }
    let config = asked.file.load()?;
    let tab = tab(&config, asked.channel.as_deref())?;
    // One that is registered already can only be in a database that is there.
    let tables = if asked.secret_file.is_none() { Tables::MadeIfNone } else { Tables::AsTheyAre };
    let records = open::records_with(&config, tables).await?;
    // Before the secret of an extension that is installed ends: a folder that is not ours must not break it.
    let out = Out::open(&asked.out)?;
    let (client, client_secret) = match &asked.secret_file {
        None => register(&*records, &id, asked.name.as_deref(), &redirect_uris, &tab).await?,
        Some(file) => {
            let secret = secret_in(file)?;
            check(records.client(&id).await?.as_ref(), &id, &secret, &redirect_uris)?;
            (narrow(&*records, &id, &tab).await?, secret)
        }
    };
    let issuer = config.server.public_url.as_str().trim_end_matches('/').to_owned();
    let channel = tab.channel().map(ToString::to_string).unwrap_or_default();
    let settings = Settings { issuer, client_id: id.to_string(), client_secret, url, channel };
    out.save(&package::write(&settings)?)?;
    tell(&asked, &settings, &redirect_uris, &doors(&client, &tab));
    tell_if_nobody_served(&config, &*records).await
}

/// ZenTao's address as a prefix: no query, no fragment, no slash at the end.
fn address(url: &Url) -> anyhow::Result<String> {
    ensure!(matches!(url.scheme(), "http" | "https"), "--url: ZenTao's address begins with https://");
    ensure!(
        url.query().is_none() && url.fragment().is_none() && !url.path().ends_with(".php"),
        "--url: the address of ZenTao's first page, such as https://zt.example or https://example.com/zentao"
    );
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Where Mashang may send people back to, in each of ZenTao's ways to write addresses: `PATH_INFO`, `GET`, `PATH_INFO2`.
fn redirect_uris(url: &str) -> Vec<String> {
    vec![
        format!("{url}/sso-scancallback.html"),
        format!("{url}/index.php?m=sso&f=scancallback"),
        format!("{url}/index.php/sso-scancallback.html"),
    ]
}

/// The tab that the button opens.
#[derive(Debug, PartialEq, Eq)]
enum Tab {
    /// `--channel` names it, so it alone leads to ZenTao from now on.
    Named { id: ChannelId, is_wecom: bool },
    /// WeCom's, as there is one of it: a client that is new is open to it alone.
    OnlyWecom(ChannelId),
    /// None in particular.
    Any,
}

impl Tab {
    fn channel(&self) -> Option<&ChannelId> {
        match self {
            Self::Named { id, .. } | Self::OnlyWecom(id) => Some(id),
            Self::Any => None,
        }
    }

    /// Opens the client to the named channel alone; what was set before stays where none is named.
    fn narrow(&self, client: &mut Client) {
        if let Self::Named { id, .. } = self {
            client.settings.channels = vec![id.clone()];
        }
    }
}

fn tab(config: &Config, named: Option<&str>) -> anyhow::Result<Tab> {
    if let Some(named) = named {
        let known = config.channel.iter().find(|(id, _)| id.as_str() == named);
        let none = || format!("--channel: there is no [channel.{named}] in the configuration");
        let (id, section) = known.with_context(none)?;
        return Ok(Tab::Named { id: id.clone(), is_wecom: section.kind() == ChannelKind::Wecom });
    }
    let mut wecom = config.channel.iter().filter(|(_, section)| section.kind() == ChannelKind::Wecom);
    Ok(match (wecom.next(), wecom.next()) {
        (Some((id, _)), None) => Tab::OnlyWecom(id.clone()),
        _ => Tab::Any,
    })
}

fn secret_in(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let secret = text.trim();
    ensure!(!secret.is_empty(), "{} is empty", file.display());
    ensure!(!secret.contains(char::is_control), "{} holds more than a secret", file.display());
    Ok(secret.to_owned())
}

/// The client as the extension needs it, with a fresh secret. One that is new is open to the tab's channel alone, so that a
/// personal WeChat, which nobody switches off when somebody leaves, leads to no account of ZenTao's. What was set for an
/// older one stays, except that a channel that was named is the only one from now on.
async fn register(
    records: &dyn Records,
    id: &ClientId,
    name: Option<&str>,
    redirect_uris: &[String],
    tab: &Tab,
) -> anyhow::Result<(Client, String)> {
    let name = match name.map(clean_name) {
        Some(None) => bail!("--name: there is nothing to show in this name"),
        Some(given) => given,
        None => None,
    };
    let now = SystemClock.now();
    let secret = ClientSecret::random(&SystemEntropy);
    let fresh = || Client {
        id: id.clone(),
        name: NAME.to_owned(),
        authentication: ClientAuthentication::Public,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        pkce: PkcePolicy::Required,
        id_token_alg: SigningAlgorithm::Rs256,
        refresh_tokens: false,
        settings: ClientSettings {
            channels: tab.channel().into_iter().cloned().collect(),
            ..ClientSettings::default()
        },
        created_at: now,
        disabled_at: None,
    };
    let client = saving::register(records, id, true, |former| {
        let mut client = former.cloned().unwrap_or_else(fresh);
        tab.narrow(&mut client);
        client.authentication = Client::authentication_by(&secret);
        client.id_token_alg = SigningAlgorithm::Rs256;
        if let Some(name) = &name {
            client.name.clone_from(name);
        }
        for uri in redirect_uris {
            if !client.redirect_uris.contains(uri) {
                client.redirect_uris.push(uri.clone());
            }
        }
        Ok(client)
    })
    .await?;
    Ok((client, secret.expose().to_owned()))
}

/// The client that was registered before, open to the channel that was named, if one was.
async fn narrow(records: &dyn Records, id: &ClientId, tab: &Tab) -> anyhow::Result<Client> {
    let narrowed = |mut client: Client| {
        tab.narrow(&mut client);
        Ok((client, ()))
    };
    Ok(saving::change(records, id, narrowed).await?.0)
}

/// Says now what would otherwise be an error page in front of somebody who scans.
fn check(
    client: Option<&Client>,
    id: &ClientId,
    secret: &str,
    redirect_uris: &[String],
) -> anyhow::Result<()> {
    let Some(client) = client else { bail!("there is no client {id}; --register registers it") };
    ensure!(client.knows_secret(secret), "that is not the secret of {id}; --register gives it a new one");
    ensure!(
        client.id_token_alg == SigningAlgorithm::Rs256,
        "the ID tokens of {id} are not signed with RS256, which PHP can check; --register changes that"
    );
    for uri in redirect_uris {
        ensure!(client.allows_redirect(uri), "{uri} is not registered for {id}; --register adds it");
    }
    Ok(())
}

/// Where the zip will be. For the owner's eyes: the secret is inside.
struct Out<'a> {
    file: &'a Path,
    temporary: NamedTempFile,
}

impl<'a> Out<'a> {
    fn open(file: &'a Path) -> anyhow::Result<Self> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        ensure!(!file.is_dir(), "{} is a folder: say which file in it", file.display());
        let temporary = NamedTempFile::new_in(folder).with_context(|| cannot_write(file))?;
        Ok(Self { file, temporary })
    }

    fn save(mut self, bytes: &[u8]) -> anyhow::Result<()> {
        std::io::Write::write_all(&mut self.temporary, bytes).with_context(|| cannot_write(self.file))?;
        self.temporary.persist(self.file).with_context(|| cannot_write(self.file))?;
        Ok(())
    }
}

fn cannot_write(file: &Path) -> String {
    format!("cannot write {}", file.display())
}

/// Which channels lead to ZenTao by what is stored, and what to do where that is too many or not the tab.
fn doors(client: &Client, tab: &Tab) -> String {
    let channels = &client.settings.channels;
    let set = format!("mashang client set {} --channels", client.id);
    if channels.is_empty() {
        let named = tab.channel().map_or("<the WeCom channel>", ChannelId::as_str);
        return format!(
            "every channel\n\n\
             Warning: by every channel one gets to ZenTao, a personal WeChat too, which nobody switches off when somebody leaves.\n\
             Close the others: {set} {named}"
        );
    }
    let named: Vec<_> = channels.iter().map(ChannelId::as_str).collect();
    let mut open = named.join(", ");
    if let Tab::Named { is_wecom, .. } = tab {
        open += "  (alone, as --channel says)";
        if !is_wecom {
            open += "\n\nWarning: it is no WeCom channel, and nobody is switched off there when they leave the company.";
        }
    }
    if let Some(tab) = tab.channel().filter(|tab| !client.settings.admits(tab)) {
        let all = format!("{},{tab}", named.join(","));
        open += &format!("\n\nWarning: the tab {tab} is not among them. Open it too: {set} {all}");
    }
    open
}

fn tell(asked: &ZentaoPlugin, settings: &Settings, redirect_uris: &[String], doors: &str) {
    let file = asked.out.display();
    say!("{file} is ready for {}.", settings.url);
    say!("  issuer     {}", settings.issuer);
    say!(
        "  client     {}{}",
        settings.client_id,
        if asked.register { "  (registered; a secret from before has ended)" } else { "" }
    );
    say!("  sent back  {}", redirect_uris.join("\n             "));
    let tab = if settings.channel.is_empty() {
        "none in particular; --channel names one"
    } else {
        &settings.channel
    };
    say!("  tab        {tab}");
    say!("  open to    {doors}");
    say!("\nThe client secret is inside: delete {file} once it is installed.");
    say!("{NEXT}");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mashang_login::Timestamp;
    use mashang_server::config;

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn client(secret: &ClientSecret, redirect_uris: Vec<String>) -> Client {
        Client {
            id: "zentao".parse().unwrap(),
            name: NAME.into(),
            authentication: Client::authentication_by(secret),
            redirect_uris,
            post_logout_redirect_uris: Vec::new(),
            pkce: PkcePolicy::Required,
            id_token_alg: SigningAlgorithm::Rs256,
            refresh_tokens: false,
            settings: ClientSettings::default(),
            created_at: Timestamp::UNIX_EPOCH,
            disabled_at: None,
        }
    }

    #[test]
    fn an_address_is_a_prefix() {
        for (given, kept) in [
            ("https://zt.example", "https://zt.example"),
            ("https://zt.example/", "https://zt.example"),
            ("https://example.com/zentao/", "https://example.com/zentao"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(address(&url(given)).unwrap(), kept);
        }
        for refused in [
            "ftp://zt.example",
            "https://zt.example/index.php",
            "https://zt.example/?m=my",
            "https://zt.example/#a",
        ] {
            assert!(address(&url(refused)).is_err(), "{refused}");
        }
    }

    #[test]
    fn each_way_to_write_addresses_is_registered() {
        let uris = redirect_uris("https://zt.example");
        assert_eq!(
            uris,
            [
                "https://zt.example/sso-scancallback.html",
                "https://zt.example/index.php?m=sso&f=scancallback",
                "https://zt.example/index.php/sso-scancallback.html",
            ]
        );
        assert!(uris.iter().all(|uri| check_redirect_uri(uri).is_ok()));
    }

    #[test]
    fn a_client_that_would_not_work_is_told_now() {
        let id: ClientId = "zentao".parse().unwrap();
        let uris = redirect_uris("https://zt.example");
        let secret = ClientSecret::random(&SystemEntropy);
        let fits = client(&secret, uris.clone());
        check(Some(&fits), &id, secret.expose(), &uris).unwrap();

        let told = |client: Option<&Client>, secret: &str| {
            check(client, &id, secret, &uris).unwrap_err().to_string()
        };
        assert!(told(None, secret.expose()).contains("no client zentao"));
        assert!(told(Some(&fits), "another").contains("not the secret"));
        assert!(
            told(Some(&client(&secret, uris[..1].to_vec())), secret.expose()).contains("index.php?m=sso")
        );
        let elliptic = Client { id_token_alg: SigningAlgorithm::Es256, ..fits };
        assert!(told(Some(&elliptic), secret.expose()).contains("RS256"));
    }

    #[test]
    fn wecom_is_the_tab_if_there_is_one_of_it() {
        let config = |channels: &str| {
            config::from_text(&format!("[server]\npublic_url = \"http://127.0.0.1:8080\"\n{channels}"))
                .unwrap()
        };
        let wecom = |id: &str| {
            format!(
                "[channel.{id}]\nkind = \"wecom\"\ncorpid = \"ww{id}\"\nagentid = 1000002\nsecret = \"s\"\n"
            )
        };
        let chosen = |channels: &str, named: Option<&str>| {
            tab(&config(channels), named).unwrap().channel().map(ToString::to_string)
        };
        let both = wecom("a") + &wecom("b");
        assert_eq!(chosen(&wecom("staff"), None).as_deref(), Some("staff"));
        assert_eq!(chosen(&both, None), None);
        assert_eq!(chosen(&both, Some("b")).as_deref(), Some("b"));
        assert!(tab(&config(&wecom("a")), Some("c")).is_err());
    }

    async fn records(folder: &tempfile::TempDir) -> Arc<dyn Records> {
        let store = folder.path().display();
        let config = config::from_text(&format!(
            "[server]\npublic_url = \"http://127.0.0.1:8080\"\n\
             [store]\nurl = \"sqlite:{store}/m.db\"\nmaster_key_file = \"{store}/m.key\"\n"
        ))
        .unwrap();
        open::records_with(&config, Tables::MadeIfNone).await.unwrap()
    }

    fn staff() -> Tab {
        Tab::Named { id: channel("staff"), is_wecom: true }
    }

    fn channel(name: &str) -> ChannelId {
        name.parse().unwrap()
    }

    #[tokio::test]
    async fn registering_again_changes_secret_and_addresses_and_nothing_else_unless_a_channel_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let records = records(&folder).await;
        let id: ClientId = "zentao".parse().unwrap();

        let uris = redirect_uris("https://zt.example");
        let only = Tab::OnlyWecom(channel("wecom"));
        let (new, first) = register(&*records, &id, None, &uris, &only).await.unwrap();
        assert_eq!((new.name.as_str(), &new.settings.channels), (NAME, &vec![channel("wecom")]));

        let kept = Client {
            name: "研发".into(),
            settings: ClientSettings::default(),
            post_logout_redirect_uris: vec!["https://zt.example/".into()],
            ..new
        };
        records.save_client(&kept).await.unwrap();
        let moved = redirect_uris("https://example.com/zentao");
        let other = Tab::OnlyWecom(channel("other"));
        let (_, second) = register(&*records, &id, None, &moved, &other).await.unwrap();
        let again = records.client(&id).await.unwrap().unwrap();
        assert!(again.knows_secret(&second) && !again.knows_secret(&first));
        assert_eq!(again.redirect_uris, [uris, moved.clone()].concat());
        assert_eq!((&again.name, &again.settings), (&kept.name, &kept.settings));
        assert_eq!(again.post_logout_redirect_uris, kept.post_logout_redirect_uris);

        let named = staff();
        register(&*records, &id, None, &moved, &named).await.unwrap();
        let narrowed = records.client(&id).await.unwrap().unwrap();
        assert_eq!(narrowed.settings.channels, [channel("staff")]);
        assert_eq!(
            ClientSettings { channels: Vec::new(), ..narrowed.settings },
            kept.settings,
            "the rest stays"
        );
    }

    #[tokio::test]
    async fn a_client_that_keeps_its_secret_is_narrowed_to_the_named_channel_too() {
        let folder = tempfile::tempdir().unwrap();
        let records = records(&folder).await;
        let stored = client(&ClientSecret::random(&SystemEntropy), redirect_uris("https://zt.example"));
        records.add_client(&stored).await.unwrap();
        for tab in [Tab::Any, Tab::OnlyWecom(channel("staff"))] {
            assert_eq!(narrow(&*records, &stored.id, &tab).await.unwrap(), stored, "{tab:?}");
        }
        let narrowed = narrow(&*records, &stored.id, &staff()).await.unwrap();
        assert_eq!(narrowed.settings.channels, [channel("staff")]);
        assert_eq!(records.client(&stored.id).await.unwrap().unwrap(), narrowed);
    }

    #[test]
    fn what_is_told_is_what_the_stored_client_is_open_to() {
        let open_to = |names: &[&str]| {
            let mut client = client(&ClientSecret::random(&SystemEntropy), Vec::new());
            client.settings.channels = names.iter().map(|name| channel(name)).collect();
            client
        };
        let only = Tab::OnlyWecom(channel("staff"));
        assert_eq!(doors(&open_to(&["staff"]), &only), "staff");
        assert!(doors(&open_to(&["staff"]), &staff()).starts_with("staff  (alone"));
        let wechat = Tab::Named { id: channel("wechat"), is_wecom: false };
        let alone = doors(&open_to(&["wechat"]), &wechat);
        assert!(
            alone.starts_with("wechat  (alone") && alone.contains("Warning: it is no WeCom channel"),
            "{alone}"
        );
        let all = doors(&open_to(&[]), &only);
        assert!(all.starts_with("every channel\n\nWarning:"), "{all}");
        assert!(all.ends_with("mashang client set zentao --channels staff"), "{all}");
        assert!(doors(&open_to(&[]), &Tab::Any).ends_with("--channels <the WeCom channel>"));
        let shut = doors(&open_to(&["a", "b"]), &only);
        assert!(shut.ends_with("mashang client set zentao --channels a,b,staff"), "{shut}");
    }

    #[test]
    fn a_secret_file_holds_one_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "msk_abc\n").unwrap();
        assert_eq!(secret_in(&file).unwrap(), "msk_abc");
        for wrong in ["", "\n", "msk_abc\nmsk_def\n"] {
            std::fs::write(&file, wrong).unwrap();
            assert!(secret_in(&file).is_err(), "{wrong:?}");
        }
        assert!(secret_in(&folder.path().join("none")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_zip_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mashang.zip");
        std::fs::write(&file, "older").unwrap();
        Out::open(&file).unwrap().save(b"newer").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"newer");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
