//! What people agreed to tell websites.

use mashang_login::consent::{Consent, Holding};
use mashang_login::grant::ScopeSet;
use mashang_login::ids::ClientId;

use super::super::{Nodes, at_once, count};
use super::{People, Scene};

/// `consent_suite!(engine)`: runs every case on `async fn engine() -> Nodes<dyn People>`.
#[macro_export]
macro_rules! consent_suite {
    ($engine:expr) => {
        $crate::conformance_cases!(
            records,
            ($engine)(),
            [
                an_agreement_reads_back_on_every_node,
                agreements_add_up_until_they_are_taken_back,
                of_agreements_at_the_same_moment_none_is_lost,
                agreements_are_listed_by_client,
                what_websites_hold_is_told_by_client_while_it_is_live,
                taking_an_agreement_back_revokes_what_that_website_holds,
                promise_3_of_20_that_take_one_back_one_does,
                a_merge_moves_no_agreement,
            ]
        );
    };
}

fn client(id: &str) -> ClientId {
    id.parse().unwrap()
}

fn agreed(scene: &Scene<dyn People>, to: &str, scope: &str) -> Consent {
    Consent { client: client(to), scope: ScopeSet::parse(scope), at: scene.now() }
}

pub async fn an_agreement_reads_back_on_every_node(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    assert_eq!(scene.nodes.a.consent(&user, &client("site")).await.unwrap(), None);
    let consent = agreed(&scene, "site", "openid profile");
    scene.nodes.a.save_consent(&user, &consent).await.unwrap();
    assert_eq!(scene.nodes.b.consent(&user, &client("site")).await.unwrap(), Some(consent));
    assert_eq!(scene.nodes.b.consent(&user, &client("Site")).await.unwrap(), None);
    assert_eq!(scene.nodes.b.consent(&"nobody".parse().unwrap(), &client("site")).await.unwrap(), None);
}

pub async fn agreements_add_up_until_they_are_taken_back(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    scene.nodes.a.save_consent(&user, &agreed(&scene, "site", "openid phone")).await.unwrap();
    let later = Consent { at: scene.world.after(60), ..agreed(&scene, "site", "openid email") };
    scene.nodes.b.save_consent(&user, &later).await.unwrap();
    let all = Consent { scope: ScopeSet::parse("openid phone email"), ..later.clone() };
    assert_eq!(scene.nodes.a.consent(&user, &client("site")).await.unwrap(), Some(all));
    assert!(scene.nodes.a.withdraw_consent(&user, &client("site"), scene.now()).await.unwrap());
    assert_eq!(scene.nodes.b.consent(&user, &client("site")).await.unwrap(), None);
    scene.nodes.a.save_consent(&user, &later).await.unwrap();
    assert_eq!(scene.nodes.b.consent(&user, &client("site")).await.unwrap(), Some(later));
}

pub async fn of_agreements_at_the_same_moment_none_is_lost(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    let words = ["openid", "profile", "offline_access", "phone", "email", "wecom"];
    at_once(words.len(), |n| {
        let (engine, user, consent) = (scene.nodes.nth(n), user.clone(), agreed(&scene, "site", words[n]));
        async move { engine.save_consent(&user, &consent).await.unwrap() }
    })
    .await;
    let all = scene.nodes.a.consent(&user, &client("site")).await.unwrap().unwrap();
    assert_eq!(all.scope, ScopeSet::parse(&words.join(" ")));
}

pub async fn agreements_are_listed_by_client(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    let other = scene.approve(scene.world.proof("wx2", "other")).await.user.id;
    for to in ["zebra", "ant"] {
        scene.nodes.a.save_consent(&user, &agreed(&scene, to, "openid")).await.unwrap();
    }
    scene.nodes.a.save_consent(&other, &agreed(&scene, "bee", "openid")).await.unwrap();
    let expected = [agreed(&scene, "ant", "openid"), agreed(&scene, "zebra", "openid")];
    assert_eq!(scene.nodes.b.consents_of(&user).await.unwrap(), expected);
}

pub async fn what_websites_hold_is_told_by_client_while_it_is_live(nodes: Nodes<dyn People>) {
    let mut scene = Scene::set(nodes).await;
    let (user, began) = (scene.sign_in().await.user.id, scene.now());
    scene.approve(scene.world.proof("wx2", "other")).await;
    scene.client = scene.world.client("ant");
    scene.nodes.a.save_client(&scene.client).await.unwrap();
    scene.world.now = scene.world.after(60);
    scene.sign_in().await;
    let (mut more, again) = (scene.world.grant(&scene.client), scene.world.after(120));
    more.request.scope = ScopeSet::parse("openid phone");
    scene.nodes.a.begin_grant(&more).await.unwrap();
    scene.world.now = again;
    let proof = scene.world.proof("wx1", "openid");
    let approval = scene.world.approval(&more, proof);
    scene.nodes.a.fulfil_grant(&approval, again).await.unwrap();

    let held =
        |to: &str, scope: &str, since| Holding { client: client(to), scope: ScopeSet::parse(scope), since };
    let asked = "openid profile offline_access";
    let ant = held("ant", "openid profile offline_access phone", again);
    let holdings = async |now| scene.nodes.b.holdings_of(&user, now).await.unwrap();
    assert_eq!(holdings(again).await, [ant.clone(), held("site", asked, began)]);
    assert_eq!(scene.nodes.a.holdings_of(&"nobody".parse().unwrap(), again).await.unwrap(), []);
    scene.nodes.a.withdraw_consent(&user, &client("site"), again).await.unwrap();
    assert_eq!(holdings(again).await, [ant], "what was revoked is held no more");
    assert_eq!(holdings(scene.world.after(40 * 86_400)).await, [], "nor what is over");
}

pub async fn taking_an_agreement_back_revokes_what_that_website_holds(nodes: Nodes<dyn People>) {
    let mut scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let (user, site) = (done.user.id.clone(), scene.client.id.clone());
    let tokens = scene.tokens(&done).await;
    let other_person = scene.approve(scene.world.proof("wx2", "other")).await;
    let other_person = scene.tokens(&other_person).await;
    scene.client = scene.world.client("other-site");
    scene.nodes.a.save_client(&scene.client).await.unwrap();
    let elsewhere = scene.sign_in().await;
    let elsewhere = scene.tokens(&elsewhere).await;

    scene.nodes.a.save_consent(&user, &agreed(&scene, "site", "openid")).await.unwrap();
    scene.nodes.a.save_consent(&user, &agreed(&scene, "other-site", "openid")).await.unwrap();
    assert!(scene.nodes.a.withdraw_consent(&user, &site, scene.now()).await.unwrap());
    assert!(!scene.speaks(&tokens).await);
    assert!(scene.speaks(&other_person).await && scene.speaks(&elsewhere).await);
    assert!(scene.is_live(&done.session).await, "the browser stays signed in here");
    assert_eq!(scene.nodes.b.consents_of(&user).await.unwrap().len(), 1);

    // It may have been registered to ask for no consent; the person sends it away all the same.
    scene.nodes.a.withdraw_consent(&user, &scene.client.id, scene.now()).await.unwrap();
    assert!(!scene.nodes.b.withdraw_consent(&user, &scene.client.id, scene.now()).await.unwrap());
    let again = scene.sign_in().await;
    let again = scene.tokens(&again).await;
    assert!(!scene.nodes.b.withdraw_consent(&user, &scene.client.id, scene.now()).await.unwrap());
    assert!(!scene.speaks(&again).await);
}

pub async fn promise_3_of_20_that_take_one_back_one_does(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    scene.nodes.a.save_consent(&user, &agreed(&scene, "site", "openid")).await.unwrap();
    let answers = at_once(20, |n| {
        let (engine, user, now) = (scene.nodes.nth(n), user.clone(), scene.now());
        async move { engine.withdraw_consent(&user, &client("site"), now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
}

pub async fn a_merge_moves_no_agreement(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let (from, into) = (scene.person("wx1").await.user.id, scene.person("wx2").await.user.id);
    let consent = agreed(&scene, "site", "openid");
    scene.nodes.a.save_consent(&from, &consent).await.unwrap();
    let merge = scene.merge(&from, &into).await.unwrap();
    assert_eq!(scene.nodes.b.consents_of(&into).await.unwrap(), [], "the website sees another sub");
    scene.undo(&merge.id).await;
    assert_eq!(scene.nodes.b.consents_of(&from).await.unwrap(), [consent]);
}
