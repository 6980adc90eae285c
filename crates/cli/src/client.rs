//! `mashang client …`: websites and apps.

use anyhow::{Context, bail};
use mashang_login::Clock;
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::{Client, ClientAuthentication, ClientSettings, PkcePolicy, check_redirect_uri};
use mashang_login::identity::clean_name;
use mashang_login::ids::ClientId;
use mashang_login::key::SigningAlgorithm;
use mashang_login::secret::ClientSecret;
use mashang_server::{config, open};

use crate::args::{AddClient, Algorithm, Client as Command, ConfigFile, OneClient};
use crate::switch::Switch;

/// Registers, lists or switches.
///
/// # Errors
/// In sentences: a bad address, a name that is taken, an id nobody has, a database that does not open.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(client) => add(client).await,
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
    let config = config::load(asked.file.config.as_deref())?;
    let records = open::records(&config).await?;
    let former = records.client(&id).await?;
    if !asked.replace && former.is_some() {
        bail!("a client {id} is registered already; use --replace to replace it (its old secret ends)");
    }
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
        settings: ClientSettings::default(),
        created_at: now,
        // A new secret does not bring back what was switched off.
        disabled_at: former.and_then(|former| former.disabled_at),
    };
    let is_off = !client.is_enabled();
    records.save_client(&client).await?;
    let mut event = AuditEvent::new(now, AuditKind::ClientSaved);
    event.client = Some(id.clone());
    records.record(&event).await?;
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
    let config = config::load(asked.file.config.as_deref())?;
    let records = open::records(&config).await?;
    let Some(mut client) = records.client(&id).await? else { bail!("there is no client {id}") };
    if Switch::of(!client.is_enabled()) == to {
        println!("{id} ({}) is {to} already", client.name);
        return Ok(());
    }
    let now = SystemClock.now();
    client.disabled_at = (to == Switch::Off).then_some(now);
    records.save_client(&client).await?;
    let mut event = AuditEvent::new(now, AuditKind::ClientSaved);
    event.client = Some(id.clone());
    records.record(&event).await?;
    println!("{id} ({}) is {to}", client.name);
    Ok(())
}

async fn list(file: &ConfigFile) -> anyhow::Result<()> {
    let config = config::load(file.config.as_deref())?;
    for client in open::records(&config).await?.clients().await? {
        let state = if client.is_enabled() { "" } else { "  (switched off)" };
        println!("{}  {}{state}", client.id, client.name);
        for uri in &client.redirect_uris {
            println!("    {uri}");
        }
    }
    Ok(())
}
