//! `mashang client …`: websites and apps.

mod change;
mod doors;
pub(crate) mod saving;
pub mod settings;

use anyhow::{Context, bail};
use mashang_login::Clock;
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::client::{Client, ClientAuthentication, PkcePolicy, check_redirect_uri};
use mashang_login::identity::clean_name;
use mashang_login::ids::ClientId;
use mashang_login::secret::ClientSecret;
use mashang_server::config::Config;
use mashang_server::open::{self, Tables};

use crate::args::{AddClient, Client as Command, ConfigFile, OneClient, SetClient};
use crate::config::tell_if_nobody_served;
use crate::say;
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
    let records = open::records_with(&config, Tables::MadeIfNone).await?;
    let secret = (!asked.public).then(|| ClientSecret::random(&SystemEntropy));
    let shape = |former: Option<&Client>| {
        let authentication = secret.as_ref().map_or(ClientAuthentication::Public, Client::authentication_by);
        shaped(former, &id, &name, authentication, &asked, &config)
    };
    let client = saving::register(&*records, &id, asked.replace, shape).await?;
    let is_off = !client.is_enabled();
    say!("issuer:        {}", config.server.public_url.as_str().trim_end_matches('/'));
    say!("client_id:     {id}{}", if is_off { "  (still switched off)" } else { "" });
    match &secret {
        Some(secret) => say!("client_secret: {}\n\nThe secret is shown only this once.", secret.expose()),
        None => say!("client_secret: none (public client; PKCE S256 is required)"),
    }
    say!("\nopen to:       {}", doors::open_to(&client, &config));
    warn(&client, &config);
    tell_if_nobody_served(&config, &*records).await
}

/// Says of a client that strangers may sign in to it.
fn warn(client: &Client, config: &Config) {
    if let Some(warning) = doors::warning(client, config) {
        note!("\n{warning}");
    }
}

/// The client as it shall be, in place of the former one.
fn shaped(
    former: Option<&Client>,
    id: &ClientId,
    name: &str,
    authentication: ClientAuthentication,
    asked: &AddClient,
    config: &Config,
) -> anyhow::Result<Client> {
    let settings = former.map(|former| former.settings.clone()).unwrap_or_default();
    Ok(Client {
        id: id.clone(),
        name: name.to_owned(),
        authentication,
        redirect_uris: asked.redirect_uris.clone(),
        post_logout_redirect_uris: asked.post_logout_redirect_uris.clone(),
        pkce: if asked.pkce_optional { PkcePolicy::Optional } else { PkcePolicy::Required },
        id_token_alg: asked.id_token_alg.into(),
        refresh_tokens: asked.refresh_tokens,
        // Nor does a new secret lift the limits that were set.
        settings: asked.switches.over(settings, config)?,
        created_at: SystemClock.now(),
        // It does not bring back what was switched off.
        disabled_at: former.and_then(|former| former.disabled_at),
    })
}

async fn switch(asked: &OneClient, to: Switch) -> anyhow::Result<()> {
    let id: ClientId = asked.id.parse().context("that is no client id")?;
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let now = SystemClock.now();
    let switched = |mut client: Client| {
        if Switch::of(!client.is_enabled()) != to {
            client.disabled_at = (to == Switch::Off).then_some(now);
        }
        Ok((client, ()))
    };
    let (client, changed) = saving::change(&*records, &id, switched).await?;
    let already = if changed.is_some() { "" } else { " already" };
    say!("{id} ({}) is {to}{already}", client.name);
    Ok(())
}

async fn set(asked: &SetClient) -> anyhow::Result<()> {
    let id: ClientId = asked.id.parse().context("that is no client id")?;
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let as_asked = |former| change::changed(former, asked, &config);
    let (client, changed) = saving::change(&*records, &id, as_asked).await?;
    let Some(secret) = changed else {
        say!("{id} ({}) is as asked already", client.name);
        return Ok(());
    };
    say::out(format_args!("{}", settings::described(&client, &config)));
    warn(&client, &config);
    if let Some(secret) = &secret {
        say!(
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
    say::out(format_args!("{}", settings::described(&client, &config)));
    warn(&client, &config);
    Ok(())
}

async fn list(file: &ConfigFile) -> anyhow::Result<()> {
    let config = file.load()?;
    for client in open::records(&config).await?.clients().await? {
        let state = if client.is_enabled() { "" } else { "  (switched off)" };
        say!("{}  {}{state}", client.id, client.name);
        for uri in &client.redirect_uris {
            say!("    {uri}");
        }
        say!("    scopes: {}", settings::told(&client.settings.scopes));
    }
    Ok(())
}
