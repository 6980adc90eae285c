//! `mashang client …`: websites and apps.

mod change;
pub mod settings;

use anyhow::{Context, bail};
use mashang_login::Clock;
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::{Client, ClientAuthentication, PkcePolicy, check_redirect_uri};
use mashang_login::identity::clean_name;
use mashang_login::ids::ClientId;
use mashang_login::key::SigningAlgorithm;
use mashang_login::records::Records;
use mashang_login::secret::ClientSecret;
use mashang_server::open;

use crate::args::{AddClient, Algorithm, Client as Command, ConfigFile, OneClient, SetClient};
use crate::switch::Switch;

/// Registers, lists or switches.
///
/// # Errors
/// In sentences: a bad address, a name that is taken, an id nobody has, a database that does not open.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(client) => add(client).await,
        Command::Set(asked) => set(&asked).await,
        Command::Show(client) => show(&client).await,
        Command::List(file) => list(&file).await,
        Command::Disable(client) => switch(&client, Switch::Off).await,
        Command::Enable(client) => switch(&client, Switch::On).await,
    }
}

async fn add(asked: AddClient) -> anyhow::Result<()> {
    let id: ClientId =
        asked.id.parse().context("the id may have letters, digits, - _ . and at most 64 of them")?;
    let Some(name) = clean_name(&asked.name) else { bail!("--name: there is nothing to show in this name") };
    for uri in asked.redirect_uris.iter().chain(&asked.post_logout_redirect_uris) {
        check_redirect_uri(uri).with_context(|| format!("`{uri}`"))?;
    }
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let former = records.client(&id).await?;
    if !asked.replace && former.is_some() {
        bail!("a client {id} is registered already; use --replace to replace it (its old secret ends)");
    }
    let settings = former.as_ref().map(|former| former.settings.clone()).unwrap_or_default();
    let settings = asked.switches.over(settings, &config)?;
    let secret = (!asked.public).then(|| ClientSecret::random(&SystemEntropy));
    let now = SystemClock.now();
    let client = Client {
        id: id.clone(),
        name,
        authentication: secret.as_ref().map_or(ClientAuthentication::Public, Client::authentication_by),
        redirect_uris: asked.redirect_uris,
        post_logout_redirect_uris: asked.post_logout_redirect_uris,
        pkce: if asked.pkce_optional { PkcePolicy::Optional } else { PkcePolicy::Required },
        id_token_alg: match asked.id_token_alg {
            Algorithm::Rs256 => SigningAlgorithm::Rs256,
            Algorithm::Es256 => SigningAlgorithm::Es256,
            Algorithm::EdDsa => SigningAlgorithm::EdDsa,
        },
        refresh_tokens: asked.refresh_tokens,
        // Nor does it lift the limits that were set.
        settings,
        created_at: now,
        // A new secret does not bring back what was switched off.
        disabled_at: former.and_then(|former| former.disabled_at),
    };
    let is_off = !client.is_enabled();
    save(&*records, &client).await?;
    println!("issuer:        {}", config.server.public_url.as_str().trim_end_matches('/'));
    println!("client_id:     {id}{}", if is_off { "  (still switched off)" } else { "" });
    match &secret {
        Some(secret) => println!("client_secret: {}\n\nThe secret is shown only this once.", secret.expose()),
        None => println!("client_secret: none (public client; PKCE S256 is required)"),
    }
    Ok(())
}

async fn switch(asked: &OneClient, to: Switch) -> anyhow::Result<()> {
    let id: ClientId = asked.id.parse().context("that is no client id")?;
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let Some(mut client) = records.client(&id).await? else { bail!("there is no client {id}") };
    if Switch::of(!client.is_enabled()) == to {
        println!("{id} ({}) is {to} already", client.name);
        return Ok(());
    }
    let now = SystemClock.now();
    client.disabled_at = (to == Switch::Off).then_some(now);
    save(&*records, &client).await?;
    println!("{id} ({}) is {to}", client.name);
    Ok(())
}

/// Stores a client and says so in the audit trail.
async fn save(records: &dyn Records, client: &Client) -> anyhow::Result<()> {
    records.save_client(client).await?;
    let mut event = AuditEvent::new(SystemClock.now(), AuditKind::ClientSaved);
    event.client = Some(client.id.clone());
    Ok(records.record(&event).await?)
}

async fn set(asked: &SetClient) -> anyhow::Result<()> {
    let id: ClientId = asked.id.parse().context("that is no client id")?;
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let Some(former) = records.client(&id).await? else { bail!("there is no client {id}") };
    let (client, secret) = change::changed(former.clone(), asked, &config)?;
    if client == former {
        println!("{id} ({}) is as asked already", client.name);
        return Ok(());
    }
    save(&*records, &client).await?;
    print!("{}", settings::described(&client));
    if let Some(secret) = &secret {
        println!(
            "\nclient_secret: {}\nThe secret is shown only this once; the old one has ended.",
            secret.expose()
        );
    }
    Ok(())
}

async fn show(asked: &OneClient) -> anyhow::Result<()> {
    let id: ClientId = asked.id.parse().context("that is no client id")?;
    let config = asked.file.load()?;
    let Some(client) = open::records(&config).await?.client(&id).await? else {
        bail!("there is no client {id}")
    };
    print!("{}", settings::described(&client));
    Ok(())
}

async fn list(file: &ConfigFile) -> anyhow::Result<()> {
    let config = file.load()?;
    for client in open::records(&config).await?.clients().await? {
        let state = if client.is_enabled() { "" } else { "  (switched off)" };
        println!("{}  {}{state}", client.id, client.name);
        for uri in &client.redirect_uris {
            println!("    {uri}");
        }
    }
    Ok(())
}
