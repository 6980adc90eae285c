//! `mashang client set`: changes of a client that is registered.

use anyhow::{Context, bail};
use mashang_login::ambient::SystemEntropy;
use mashang_login::client::{Client, ClientAuthentication, PkcePolicy, check_redirect_uri};
use mashang_login::identity::clean_name;
use mashang_login::secret::ClientSecret;
use mashang_server::config::Config;

use super::settings::OnOff;
use crate::args::SetClient;

/// The client as it shall be, and its new secret if it gets one.
///
/// # Errors
/// In sentences: what cannot be changed so.
pub(super) fn changed(
    former: Client,
    asked: &SetClient,
    config: &Config,
) -> anyhow::Result<(Client, Option<ClientSecret>)> {
    let mut client = former;
    client.settings = asked.switches.over(client.settings, config)?;
    if let Some(name) = &asked.name {
        client.name = clean_name(name).context("--name: there is nothing to show in this name")?;
    }
    change(&mut client.redirect_uris, &asked.remove_redirect_uris, &asked.add_redirect_uris)?;
    if client.redirect_uris.is_empty() {
        bail!("--remove-redirect-uri: the last redirect address stays; add another one first");
    }
    let (removed, added) = (&asked.remove_post_logout_redirect_uris, &asked.add_post_logout_redirect_uris);
    change(&mut client.post_logout_redirect_uris, removed, added)?;
    OnOff::set(asked.refresh_tokens, &mut client.refresh_tokens);
    let is_public = client.authentication == ClientAuthentication::Public;
    if let Some(optional) = asked.pkce_optional {
        if optional == OnOff::On && is_public {
            bail!("--pkce-optional: a public client has no secret, so it needs PKCE");
        }
        client.pkce = if optional == OnOff::On { PkcePolicy::Optional } else { PkcePolicy::Required };
    }
    if !asked.rotate_secret {
        return Ok((client, None));
    }
    if is_public {
        bail!("--rotate-secret: a public client has no secret");
    }
    let secret = ClientSecret::random(&SystemEntropy);
    client.authentication = Client::authentication_by(&secret);
    Ok((client, Some(secret)))
}

fn change(uris: &mut Vec<String>, removed: &[String], added: &[String]) -> anyhow::Result<()> {
    for uri in added {
        check_redirect_uri(uri).with_context(|| format!("`{uri}`"))?;
        if !uris.contains(uri) {
            uris.push(uri.clone());
        }
    }
    for uri in removed {
        let Some(at) = uris.iter().position(|known| known == uri) else {
            bail!("`{uri}` is not registered; it must be the same character by character");
        };
        uris.remove(at);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use mashang_login::Timestamp;
    use mashang_login::client::ClientSettings;
    use mashang_login::key::SigningAlgorithm;
    use mashang_login::secret::SecretHash;

    use super::*;
    use crate::args::{Arguments, Client as Asked, Command};

    fn shop(authentication: ClientAuthentication) -> Client {
        Client {
            id: "shop".parse().unwrap(),
            name: "Shop".into(),
            authentication,
            redirect_uris: vec!["https://shop.example/cb".into()],
            post_logout_redirect_uris: vec![],
            pkce: PkcePolicy::Required,
            id_token_alg: SigningAlgorithm::Rs256,
            refresh_tokens: false,
            settings: ClientSettings::default(),
            created_at: Timestamp::UNIX_EPOCH,
            disabled_at: None,
        }
    }

    fn set(client: Client, line: &[&str]) -> anyhow::Result<(Client, Option<ClientSecret>)> {
        let line = ["mashang", "client", "set", "shop"].iter().chain(line);
        let Some(Command::Client(Asked::Set(asked))) = Arguments::try_parse_from(line)?.command else {
            panic!("not read as client set")
        };
        changed(client, &asked, &mashang_server::config::from_text("").unwrap())
    }

    fn confidential() -> Client {
        shop(ClientAuthentication::Secret(SecretHash::of("old")))
    }

    #[test]
    fn only_what_is_named_changes() {
        let (same, secret) = set(confidential(), &[]).unwrap();
        assert_eq!((same, secret.is_none()), (confidential(), true));
        let line = [
            "--name",
            "店铺",
            "--add-redirect-uri",
            "http://127.0.0.1/cb?x=1",
            "--consent",
            "--realm-roles=on",
            "--omit-iss=off",
            "--refresh-tokens",
        ];
        let (changed, _) = set(confidential(), &line).unwrap();
        assert_eq!(changed.redirect_uris, ["https://shop.example/cb", "http://127.0.0.1/cb?x=1"]);
        let settings = ClientSettings { consent: true, realm_roles: true, ..ClientSettings::default() };
        assert_eq!((changed.name.as_str(), changed.settings), ("店铺", settings));
        assert!(changed.refresh_tokens && changed.authentication == confidential().authentication);
    }

    #[test]
    fn addresses_are_checked_and_the_last_one_stays() {
        for (line, told) in [
            (&["--add-redirect-uri", "http://shop.example/cb"][..], "https"),
            (&["--remove-redirect-uri", "https://shop.example/CB"], "not registered"),
            (&["--remove-redirect-uri", "https://shop.example/cb"], "the last redirect address stays"),
        ] {
            let refused = format!("{:#}", set(confidential(), line).unwrap_err());
            assert!(refused.contains(told), "{line:?}: {refused}");
        }
        let line = [
            "--remove-redirect-uri",
            "https://shop.example/cb",
            "--add-redirect-uri",
            "https://new.example/",
        ];
        assert_eq!(set(confidential(), &line).unwrap().0.redirect_uris, ["https://new.example/"]);
    }

    #[test]
    fn a_new_secret_ends_the_old_one_and_public_clients_have_none() {
        let (changed, secret) = set(confidential(), &["--rotate-secret"]).unwrap();
        assert!(changed.knows_secret(secret.unwrap().expose()) && !changed.knows_secret("old"));
        for line in ["--rotate-secret", "--pkce-optional"] {
            assert!(set(shop(ClientAuthentication::Public), &[line]).is_err(), "{line}");
        }
    }
}
