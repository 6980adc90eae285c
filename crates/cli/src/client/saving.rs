//! Storing a client that somebody else may be changing at the same moment: what is decided about one that has changed
//! meanwhile is decided anew, so that no address comes back and nobody is switched on again by the way.

use anyhow::bail;
use mashang_login::Clock;
use mashang_login::ambient::SystemClock;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::Client;
use mashang_login::ids::ClientId;
use mashang_login::records::{Records, StoreError};

/// How often a change is decided, at most.
const ROUNDS: usize = 5;

/// Registers the client that `shape` makes of the one there is, if any, and says so in the audit trail.
///
/// # Errors
/// In sentences: the id is taken and nobody asked to `replace`; somebody else was faster each time; what `shape` and the
/// database say.
pub(crate) async fn register(
    records: &dyn Records,
    id: &ClientId,
    replace: bool,
    shape: impl Fn(Option<&Client>) -> anyhow::Result<Client>,
) -> anyhow::Result<Client> {
    for _ in 0..ROUNDS {
        let former = records.client(id).await?;
        if former.is_some() && !replace {
            bail!("a client {id} is registered already; use --replace to replace it (its old secret ends)");
        }
        let client = shape(former.as_ref())?;
        let is_stored = match &former {
            Some(former) => records.change_client(former, &client).await?,
            None => match records.add_client(&client).await {
                Err(StoreError::Conflict) => false,
                added => added.map(|()| true)?,
            },
        };
        if is_stored {
            tell(records, id, AuditKind::ClientSaved).await?;
            return Ok(client);
        }
    }
    too_often(id)
}

/// Changes a client as `change` says, and says so in the audit trail. Returns the client, and what else `change` made, or
/// `None` if that left the client as it was.
///
/// # Errors
/// In sentences: there is no such client; somebody else was faster each time; what `change` and the database say.
pub(crate) async fn change<T>(
    records: &dyn Records,
    id: &ClientId,
    change: impl Fn(Client) -> anyhow::Result<(Client, T)>,
) -> anyhow::Result<(Client, Option<T>)> {
    for _ in 0..ROUNDS {
        let Some(seen) = records.client(id).await? else { bail!("there is no client {id}") };
        let (next, more) = change(seen.clone())?;
        if next == seen {
            return Ok((seen, None));
        }
        if records.change_client(&seen, &next).await? {
            let kind = match (seen.is_enabled(), next.is_enabled()) {
                (true, false) => AuditKind::ClientDisabled,
                (false, true) => AuditKind::ClientEnabled,
                _ => AuditKind::ClientSaved,
            };
            tell(records, id, kind).await?;
            return Ok((next, Some(more)));
        }
    }
    too_often(id)
}

fn too_often<T>(id: &ClientId) -> anyhow::Result<T> {
    bail!(
        "somebody else keeps changing client {id}, so nothing was changed here; \
         look at it with `mashang client show {id}`, then run the command again"
    )
}

async fn tell(records: &dyn Records, id: &ClientId, kind: AuditKind) -> anyhow::Result<()> {
    let mut event = AuditEvent::new(SystemClock.now(), kind);
    event.client = Some(id.clone());
    Ok(records.record(&event).await?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mashang_login::client::{ClientAuthentication, ClientSettings, PkcePolicy};
    use mashang_login::key::SigningAlgorithm;
    use mashang_server::{config, open};

    use super::*;

    async fn records(folder: &tempfile::TempDir) -> Arc<dyn Records> {
        let store = folder.path().display();
        let config = config::from_text(&format!(
            "[server]\npublic_url = \"http://127.0.0.1:8080\"\n\
             [store]\nurl = \"sqlite:{store}/m.db\"\nmaster_key_file = \"{store}/m.key\"\n"
        ));
        open::records_with(&config.unwrap(), open::Tables::MadeIfNone).await.unwrap()
    }

    fn shop() -> Client {
        Client {
            id: "shop".parse().unwrap(),
            name: "Shop".into(),
            authentication: ClientAuthentication::Public,
            redirect_uris: vec!["https://shop.example/cb".into()],
            post_logout_redirect_uris: vec![],
            pkce: PkcePolicy::Required,
            id_token_alg: SigningAlgorithm::Rs256,
            refresh_tokens: false,
            settings: ClientSettings::default(),
            created_at: mashang_login::Timestamp::UNIX_EPOCH,
            disabled_at: None,
        }
    }

    #[tokio::test]
    async fn changes_at_the_same_moment_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (records, shop) = (records(&folder).await, shop());
        records.add_client(&shop).await.unwrap();
        let add = |uri: &'static str| {
            change(&*records, &shop.id, move |mut client| {
                client.redirect_uris.push(uri.to_owned());
                Ok((client, ()))
            })
        };
        let off = |mut client: Client| {
            client.disabled_at = Some(mashang_login::Timestamp::UNIX_EPOCH);
            Ok((client, ()))
        };
        // On one thread they read, nearly always, before any of them has written.
        let (a, b, c) = tokio::join!(
            add("https://a.example/"),
            change(&*records, &shop.id, off),
            add("https://b.example/")
        );
        for changed in [a, b, c] {
            assert!(changed.unwrap().1.is_some());
        }
        let kept = records.client(&shop.id).await.unwrap().unwrap();
        assert!(!kept.is_enabled(), "nobody switched it on again");
        assert_eq!(
            kept.redirect_uris,
            ["https://shop.example/cb", "https://a.example/", "https://b.example/"]
        );
        let told = records.audit_trail(9).await.unwrap();
        let times = |kind| told.iter().filter(|event| event.kind == kind).count();
        assert_eq!((times(AuditKind::ClientSaved), times(AuditKind::ClientDisabled)), (2, 1));
    }

    #[tokio::test]
    async fn of_two_that_register_one_id_one_is_told_that_it_is_taken_and_a_replacement_sees_what_it_replaces()
     {
        let folder = tempfile::tempdir().unwrap();
        let (records, shop) = (records(&folder).await, shop());
        let named = |name: &'static str, replace| {
            let shape = {
                let shop = shop.clone();
                move |former: Option<&Client>| {
                    let name = former.map_or(name.to_owned(), |former| format!("{} {name}", former.name));
                    Ok(Client { name, ..shop.clone() })
                }
            };
            register(&*records, &shop.id, replace, shape)
        };
        let (first, second) = tokio::join!(named("first", false), named("second", false));
        assert_eq!(first.unwrap().name, "first");
        assert!(second.unwrap_err().to_string().contains("registered already"));
        let (third, fourth) = tokio::join!(named("third", true), named("fourth", true));
        assert_eq!(third.unwrap().name, "first third");
        assert_eq!(fourth.unwrap().name, "first third fourth");
    }

    #[tokio::test]
    async fn what_is_already_so_is_not_stored_nor_told() {
        let folder = tempfile::tempdir().unwrap();
        let (records, shop) = (records(&folder).await, shop());
        records.add_client(&shop).await.unwrap();
        let (same, more) = change(&*records, &shop.id, |client| Ok((client, ()))).await.unwrap();
        assert_eq!((same, more), (shop, None));
        assert!(records.audit_trail(9).await.unwrap().is_empty());
    }
}
