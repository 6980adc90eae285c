//! Clients.

use mashang_login::client::logo::Logo;
use mashang_login::client::{AccessTokenFormat, Client, ClientAuthentication, ClientSettings, PkcePolicy};
use mashang_login::records::Records;

use super::super::Nodes;
use super::super::fixtures::World;

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
