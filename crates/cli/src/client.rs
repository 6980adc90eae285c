//! `mashang client …`: websites and apps.

use anyhow::{Context, bail};
use mashang_login::Clock;
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::{Client, ClientAuthentication, PkcePolicy, check_redirect_uri};
use mashang_login::identity::clean_name;
use mashang_login::ids::ClientId;
use mashang_login::key::SigningAlgorithm;
use mashang_login::secret::ClientSecret;
use mashang_server::{config, open};

use crate::args::{AddClient, Algorithm, Client as Command, ConfigFile};

/// Registers or lists.
///
/// # Errors
/// In sentences: a bad address, a name that is taken, a database that does not open.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(client) => add(client).await,
        Command::List(file) => list(&file).await,
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
    if !asked.replace && records.client(&id).await?.is_some() {
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
        created_at: now,
        disabled_at: None,
    };
    records.save_client(&client).await?;
    let mut event = AuditEvent::new(now, AuditKind::ClientSaved);
    event.client = Some(id.clone());
    records.record(&event).await?;
    println!("issuer:        {}", config.server.public_url.as_str().trim_end_matches('/'));
    println!("client_id:     {id}");
    match &secret {
        Some(secret) => println!("client_secret: {}\n\nThe secret is shown only this once.", secret.expose()),
        None => println!("client_secret: none (public client; PKCE S256 is required)"),
    }
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
