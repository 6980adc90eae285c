//! Clients.

use mashang_login::client::logo::Logo;
use mashang_login::client::{AccessTokenFormat, Client, ClientAuthentication, ClientSettings, PkcePolicy};
use mashang_login::grant::ScopeSet;
use mashang_login::records::{Records, StoreError};

use super::super::fixtures::World;
use super::super::{Nodes, at_once};

pub async fn a_client_reads_back_on_every_node(nodes: Nodes<dyn Records>) {
    let world = World::default();
    let client = world.client("site");
    nodes.a.save_client(&client).await.unwrap();
    assert_eq!(nodes.a.client(&client.id).await.unwrap().as_ref(), Some(&client));
    assert_eq!(nodes.b.client(&client.id).await.unwrap(), Some(client));
    assert_eq!(nodes.b.client(&"other".parse().unwrap()).await.unwrap(), None);
}

pub async fn saving_a_client_again_replaces_it(nodes: Nodes<dyn Records>) {
    let world = World::default();
    let client = world.client("site");
    nodes.a.save_client(&client).await.unwrap();
    let changed = Client {
        name: "Another name".into(),
        authentication: ClientAuthentication::Public,
        redirect_uris: vec![],
        pkce: PkcePolicy::Optional,
        refresh_tokens: false,
        settings: ClientSettings {
            channels: vec!["work".parse().unwrap()],
            scopes: ScopeSet::parse("openid profile"),
            require_groups: vec!["staff".into()],
            logo: Some(Logo::read(b"\xff\xd8\xff\xe0".to_vec()).unwrap()),
            brand_color: Some("#1677ff".parse().unwrap()),
            consent: true,
            access_token: AccessTokenFormat::Jwt,
            realm_roles: true,
            claims_in_id_token: true,
            omit_iss: true,
        },
        disabled_at: Some(world.after(5)),
        ..client
    };
    nodes.b.save_client(&changed).await.unwrap();
    assert_eq!(nodes.a.clients().await.unwrap(), [changed]);
}

pub async fn an_id_is_registered_once(nodes: Nodes<dyn Records>) {
    let world = World::default();
    let answers = at_once(10, |n| {
        let (engine, name) = (nodes.nth(n), format!("Of node {n}"));
        let client = Client { name: name.clone(), ..world.client("site") };
        async move { engine.add_client(&client).await.map(|()| name) }
    })
    .await;
    let (added, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(added.len(), 1, "{added:?}");
    assert!(refused.iter().all(|answer| matches!(answer, Err(StoreError::Conflict))), "{refused:?}");
    let kept = nodes.a.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(&kept.name, added[0].as_ref().unwrap());
}

pub async fn a_client_that_was_changed_meanwhile_is_left_as_it_is(nodes: Nodes<dyn Records>) {
    let world = World::default();
    let seen = world.client("site");
    let renamed = Client { name: "Another name".into(), ..seen.clone() };
    let switched_off = Client { disabled_at: Some(world.after(5)), ..seen.clone() };
    assert!(!nodes.a.change_client(&seen, &renamed).await.unwrap(), "there is none");
    assert_eq!(nodes.a.client(&seen.id).await.unwrap(), None);
    nodes.a.add_client(&seen).await.unwrap();
    assert!(nodes.b.change_client(&seen, &switched_off).await.unwrap());
    assert!(!nodes.a.change_client(&seen, &renamed).await.unwrap());
    assert_eq!(
        nodes.a.client(&seen.id).await.unwrap().as_ref(),
        Some(&switched_off),
        "it stays switched off"
    );
    let both = Client { disabled_at: switched_off.disabled_at, ..renamed };
    assert!(nodes.a.change_client(&switched_off, &both).await.unwrap());
    assert_eq!(nodes.b.client(&seen.id).await.unwrap(), Some(both));
}

pub async fn promise_3_of_20_changes_of_one_client_at_once_none_is_lost(nodes: Nodes<dyn Records>) {
    let world = World::default();
    let client = world.client("site");
    nodes.a.add_client(&client).await.unwrap();
    let of = |n: usize| format!("https://site.example/{n}");
    at_once(20, |n| {
        let (engine, id, mine) = (nodes.nth(n), client.id.clone(), of(n));
        async move {
            loop {
                let seen = engine.client(&id).await.unwrap().unwrap();
                let mut next = seen.clone();
                next.redirect_uris.push(mine.clone());
                if engine.change_client(&seen, &next).await.unwrap() {
                    break;
                }
            }
        }
    })
    .await;
    let changed = nodes.b.client(&client.id).await.unwrap().unwrap();
    assert_eq!(changed.redirect_uris.len(), client.redirect_uris.len() + 20);
    assert!((0..20).all(|n| changed.redirect_uris.contains(&of(n))), "{:?}", changed.redirect_uris);
}

pub async fn clients_are_listed_by_id(nodes: Nodes<dyn Records>) {
    let world = World::default();
    for id in ["b", "c", "a"] {
        nodes.a.save_client(&world.client(id)).await.unwrap();
    }
    let ids: Vec<_> = nodes.b.clients().await.unwrap().into_iter().map(|client| client.id).collect();
    assert_eq!(ids.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
}

pub async fn client_ids_differ_by_case(nodes: Nodes<dyn Records>) {
    let world = World::default();
    nodes.a.save_client(&world.client("Site")).await.unwrap();
    assert_eq!(nodes.a.client(&"site".parse().unwrap()).await.unwrap(), None);
    nodes.a.save_client(&world.client("site")).await.unwrap();
    assert_eq!(nodes.a.clients().await.unwrap().len(), 2);
}
