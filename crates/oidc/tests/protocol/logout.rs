//! RP-Initiated Logout: silent only with proof, redirected only where registered (SEC-58).

use mashang_login::session::Session;
use mashang_oidc::logout::{Leaving, Logout, LogoutError, confirmed, decide};

use crate::house::{House, form, house};

const BYE: (&str, &str) = ("post_logout_redirect_uri", "https://site.example/bye");

struct Scene {
    house: House,
    session: Session,
    hint: String,
}

async fn scene() -> Scene {
    let house = house().await;
    let (code, session) = house.sign_in("site", &[]).await;
    let hint = house.exchange("site", &code).await.0.unwrap().id_token.unwrap();
    Scene { house, session, hint }
}

impl Scene {
    async fn ask(&self, pairs: &[(&str, &str)]) -> Logout {
        decide(&self.house.provider, &form(pairs), Some(&self.session)).await
    }

    async fn error(&self, pairs: &[(&str, &str)]) -> LogoutError {
        let (asked, yes) = (self.ask(pairs).await, confirmed(&self.house.provider, &form(pairs)).await);
        assert!(matches!(yes, Logout::LocalError(_)), "a yes does not heal it");
        match asked {
            Logout::LocalError(error) => error,
            Logout::AskPerson { client: None, to: None, wrong: Some(error) } => {
                let anonymous = decide(&self.house.provider, &form(pairs), None).await;
                assert!(
                    matches!(anonymous, Logout::LocalError(_)),
                    "whoever is signed out need not be asked"
                );
                error
            }
            other => panic!("{other:?}"),
        }
    }
}

fn leaves(logout: Logout) -> Leaving {
    match logout {
        Logout::Leave(leaving) => leaving,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_hint_of_this_session_signs_out_silently() {
    let scene = scene().await;
    let hint = ("id_token_hint", &*scene.hint);
    assert_eq!(leaves(scene.ask(&[hint]).await).to, None);
    let leaving = leaves(scene.ask(&[hint, BYE, ("state", "a b")]).await);
    assert_eq!(leaving.to.as_deref(), Some("https://site.example/bye?state=a%20b"));
    assert_eq!(leaving.named, Some((scene.session.user.clone(), scene.session.id.clone())));
    let leaving = leaves(scene.ask(&[hint, BYE, ("client_id", "site")]).await);
    assert_eq!(leaving.to.as_deref(), Some("https://site.example/bye"));
    // RP-Initiated Logout §2: an expired ID token still names its session.
    scene.house.wait(7200);
    assert_eq!(leaves(scene.ask(&[hint, BYE]).await).to.as_deref(), Some("https://site.example/bye"));
}

#[tokio::test]
async fn sec_58_without_proof_the_person_is_asked_first() {
    let scene = scene().await;
    let bare = scene.ask(&[]).await;
    assert!(matches!(bare, Logout::AskPerson { client: None, to: None, wrong: None }), "{bare:?}");
    let pairs = [("client_id", "site"), BYE];
    let Logout::AskPerson { client: Some(client), to, wrong: None } = scene.ask(&pairs).await else {
        panic!("no proof")
    };
    assert_eq!(
        (client.name.as_str(), to.as_deref()),
        ("site", Some(BYE.1)),
        "the page is told where a yes leads"
    );
    let yes = leaves(confirmed(&scene.house.provider, &form(&pairs)).await);
    let client = Some("site".parse().unwrap());
    assert_eq!(yes, Leaving { named: None, client, to: Some(BYE.1.to_owned()) });
    let yes = leaves(confirmed(&scene.house.provider, &form(&[])).await);
    assert_eq!(yes, Leaving { named: None, client: None, to: None });
}

#[tokio::test]
async fn sec_58_a_hint_of_another_session_or_person_is_no_proof() {
    let scene = scene().await;
    let (code, other_session) = scene.house.sign_in("site", &[]).await;
    let other_hint = scene.house.exchange("site", &code).await.0.unwrap().id_token.unwrap();
    assert_ne!(other_session.id, scene.session.id);
    let asked = scene.ask(&[("id_token_hint", &other_hint), BYE]).await;
    assert!(matches!(asked, Logout::AskPerson { client: Some(_), wrong: None, .. }));
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_ask() {
    let scene = scene().await;
    let decide = async |pairs: &[(&str, &str)]| decide(&scene.house.provider, &form(pairs), None).await;
    assert_eq!(leaves(decide(&[]).await), Leaving { named: None, client: None, to: None });
    // The session that the website names ends, though this browser does not have its cookie.
    let named = Some((scene.session.user.clone(), scene.session.id.clone()));
    let leaving = leaves(decide(&[("id_token_hint", &scene.hint), BYE]).await);
    let client = Some("site".parse().unwrap());
    assert_eq!(leaving, Leaving { named, client, to: Some(BYE.1.to_owned()) });
}

#[tokio::test]
async fn sec_58_a_forged_hint_ends_nothing_and_redirects_nowhere() {
    let scene = scene().await;
    let (head, signature) = scene.hint.rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    let none = format!("eyJhbGciOiJub25lIn0.{claims}.");
    let access = scene.house.tokens("site").await.access_token;
    let swapped = format!("{header}.{claims}A.{signature}");
    for forged in [&*none, &format!("{head}."), head, "x", "..", &access, &swapped] {
        let error = scene.error(&[("id_token_hint", forged), BYE]).await;
        assert!(matches!(error, LogoutError::InvalidHint), "{forged}");
        assert_eq!(error.status(), 400);
    }
}

#[tokio::test]
async fn sec_58_post_logout_addresses_match_exactly() {
    let scene = scene().await;
    let hint = ("id_token_hint", &*scene.hint);
    for address in [
        "https://site.example/bye?x=1",
        "https://site.example/bye/",
        "https://evil.example/",
        "https://other.example/bye",
        "https://site.example/index.php?m=sso&f=callback",
    ] {
        let error = scene.error(&[hint, ("post_logout_redirect_uri", address)]).await;
        assert!(matches!(error, LogoutError::RedirectUriMismatch), "{address}");
    }
    assert!(matches!(scene.error(&[BYE]).await, LogoutError::ClientMissing));
}

#[tokio::test]
async fn sec_58_parts_that_do_not_belong_together_are_refused() {
    let scene = scene().await;
    let hint = ("id_token_hint", &*scene.hint);
    assert!(matches!(scene.error(&[hint, ("client_id", "other")]).await, LogoutError::ClientMismatch));
    assert!(matches!(scene.error(&[("client_id", "nobody")]).await, LogoutError::UnknownClient));
    assert!(matches!(scene.error(&[("client_id", "no body")]).await, LogoutError::UnknownClient));
    let long = "s".repeat(2049);
    assert!(matches!(scene.error(&[hint, BYE, ("state", &long)]).await, LogoutError::StateTooLong));
    for name in ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"] {
        assert!(
            matches!(scene.error(&[(name, "a"), (name, "a")]).await, LogoutError::Duplicate(_)),
            "{name}"
        );
    }
    scene.house.disable_client("site").await;
    assert!(matches!(scene.error(&[hint, BYE]).await, LogoutError::UnknownClient));
}

#[tokio::test]
async fn sec_82_a_store_that_does_not_answer_is_an_error() {
    let scene = scene().await;
    scene.house.records.cut();
    assert_eq!(scene.error(&[("id_token_hint", &scene.hint)]).await.status(), 503);
}
