//! The OpenID Connect endpoints over HTTP. What each parameter means is tested in `mashang-oidc`; here, what arrives.

use http::{Method, StatusCode};
use mashang_login::audit::AuditKind;
use mashang_login::client::{ClientAuthentication, PkcePolicy};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn sec_46_until_the_address_is_proven_errors_stay_here() {
    let app = TestApp::start().await;
    let challenge = [("code_challenge", ""), ("code_challenge_method", "")];
    for changes in [
        vec![("client_id", "nobody")],
        vec![("client_id", "")],
        vec![("redirect_uri", "https://evil.example/cb")],
        vec![("redirect_uri", "http://127.0.0.1:9@evil.example/callback")],
        vec![("redirect_uri", "http://127.0.0.1:9/callback/../x")],
        vec![("redirect_uri", "")],
        [vec![("client_id", "nobody")], challenge.to_vec()].concat(),
    ] {
        let answer = app.desktop().get(&app.authorize_path(&changes)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{changes:?}");
        assert!(answer.location().is_empty(), "{changes:?}");
        assert!(answer.header("content-type").starts_with("text/html"));
    }
    let twice = app.authorize_path(&[]) + "&redirect_uri=https%3A%2F%2Fevil.example";
    assert_eq!(app.desktop().get(&twice).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn sec_46_a_foreign_address_is_named_as_text_with_its_difference_and_never_as_a_link() {
    let app = TestApp::start().await;
    let text = |html: &str| html.replace("&#x2f;", "/");
    let registered = app.client("site", ClientAuthentication::Public).redirect_uris[0].clone();
    let slashed = format!("{registered}/");
    let page =
        app.desktop().get(&app.authorize_path(&[("redirect_uri", &format!("{slashed}?code=geheim"))])).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    for told in [slashed.as_str(), "斜杠", "site"] {
        assert!(text(&page.body).contains(told), "{told}: {}", page.body);
    }
    assert!(!page.body.contains("geheim"), "a query may hold secrets");
    let evil = "https://evil.example/<script>alert(1)</script>";
    let page = app.desktop().get(&app.authorize_path(&[("redirect_uri", evil)])).await;
    assert!(
        text(&page.body).contains("evil.example") && !page.body.contains("<script>alert"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("href=\"https://evil") && page.location().is_empty(), "{}", page.body);
}

#[tokio::test]
async fn a_proven_address_gets_its_errors_with_state_and_iss() {
    let app = TestApp::start().await;
    for (changes, error) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "")], "invalid_request"),
        (vec![("scope", "profile")], "invalid_scope"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("prompt", "none")], "login_required"),
        (vec![("prompt", "none login")], "invalid_request"),
        (vec![("max_age", "-1")], "invalid_request"),
        (vec![("request", "x.y.z")], "request_not_supported"),
        (vec![("request_uri", "https://evil.example/r")], "request_uri_not_supported"),
        (vec![("response_mode", "fragment")], "invalid_request"),
        (vec![("id_token_hint", "x.y.z")], "invalid_request"),
    ] {
        let answer = app.desktop().get(&app.authorize_path(&changes)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{changes:?} {}", answer.body);
        assert!(answer.location().starts_with(SITE), "{changes:?}");
        assert_eq!(param(answer.location(), "error"), error, "{changes:?}");
        assert_eq!(param(answer.location(), "state"), "st4te");
        assert_eq!(param(answer.location(), "iss"), "http://127.0.0.1:8080", "sec_52");
    }
}

#[tokio::test]
async fn authorize_takes_a_form_as_well() {
    let app = TestApp::start().await;
    let query = app.authorize_path(&[]);
    let body = query.split_once('?').unwrap().1.to_owned();
    let browser = app.desktop();
    let again = browser.send(Method::POST, "/authorize", Some(body.clone())).await;
    assert_eq!(
        again.location(),
        query,
        "browsers bring no cookies with another site's form: once more, as a link"
    );
    assert_eq!(browser.cookie_header(), "", "and nothing of the browser's is replaced");
    let answer = browser.get(again.location()).await;
    assert!(answer.location().starts_with("/login/"), "{}", answer.location());
    let known = browser.send(Method::POST, "/authorize", Some(body)).await;
    assert!(known.location().starts_with("/login/"), "a form that brings them is taken as it is");
    let odd = format!("{}&state=\r\nX: y", query.split_once('?').unwrap().1);
    let again = app.desktop().send(Method::POST, "/authorize", Some(odd)).await;
    assert!(again.location().ends_with("&state=%0D%0AX%3A+y"), "{}", again.location());
}

#[tokio::test]
async fn single_sign_on_needs_no_second_scan_but_prompt_login_and_max_age_do() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let browser = app.desktop();
    app.log_in(&browser, &person).await;
    for changes in [vec![], vec![("prompt", "none")], vec![("max_age", "1000")]] {
        let answer = browser.get(&app.authorize_path(&changes)).await;
        assert!(!param(answer.location(), "code").is_empty(), "{changes:?}: {}", answer.location());
    }
    app.pass(std::time::Duration::from_secs(100));
    for changes in [vec![("prompt", "login")], vec![("max_age", "60")], vec![("max_age", "0")]] {
        let answer = browser.get(&app.authorize_path(&changes)).await;
        assert!(answer.location().starts_with("/login/"), "sec_55 {changes:?}: {}", answer.location());
    }
    let silent = browser.get(&app.authorize_path(&[("prompt", "none"), ("max_age", "60")])).await;
    assert_eq!(param(silent.location(), "error"), "login_required");
}

#[tokio::test]
async fn sec_55_prompt_login_moves_auth_time() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let browser = app.desktop();
    let auth_time = async |back: String| {
        let tokens = app.exchange(&param(&back, "code")).await.json();
        claims(tokens["id_token"].as_str().unwrap())["auth_time"].as_i64().unwrap()
    };
    let first = auth_time(app.log_in(&browser, &person).await).await;
    app.pass(std::time::Duration::from_secs(50));
    let second = auth_time(app.log_in_with(&browser, &person, &[("prompt", "login")]).await).await;
    assert_eq!(second - first, 50);
}

#[tokio::test]
async fn login_hint_preselects_a_channel() {
    let app = TestApp::start().await;
    let page = app.open_login_with(&app.desktop(), &[("login_hint", "web")]).await;
    assert!(page.html.contains("<iframe"));
    assert!(!app.open_login(&app.desktop()).await.html.contains("<iframe"));
}

#[tokio::test]
async fn sec_90_a_login_hint_that_names_no_channel_is_not_stored() {
    let app = TestApp::start().await;
    for (hint, kept) in [
        ("ming@mail.example", None),
        ("+8613800138000", None),
        ("13800138000", None),
        ("WEB", None),
        ("web", Some("web")),
    ] {
        let page = app.desktop().get(&app.authorize_path(&[("login_hint", hint)])).await;
        let grant = page.location().split('/').nth(2).unwrap().parse().unwrap();
        let stored = app.app.records.grant(&grant).await.unwrap().unwrap().request.login_hint;
        assert_eq!(stored.as_deref(), kept, "{hint}: {}", page.location());
    }
}

#[tokio::test]
async fn a_redirect_address_with_a_query_keeps_it() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let address = "https://zt.example/index.php?m=sso&f=cb";
    let back = app.log_in_with(&app.desktop(), &person, &[("redirect_uri", address)]).await;
    assert!(back.starts_with(&format!("{address}&")), "{back}");
}

#[tokio::test]
async fn the_token_endpoint_refuses_as_rfc_6749_says() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let good = [("grant_type", "authorization_code"), ("redirect_uri", SITE), ("code_verifier", VERIFIER)];
    let fresh =
        async || param(&app.log_in_with(&app.desktop(), &person, &[("prompt", "login")]).await, "code");

    let code = fresh().await;
    let with = |changes: &[(&'static str, &str)]| -> Vec<(String, String)> {
        let mut form: Vec<(String, String)> = good.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        form.push(("code".into(), code.clone()));
        for (name, value) in changes {
            form.retain(|(n, _)| n != name);
            form.push(((*name).into(), (*value).into()));
        }
        form
    };
    let send = async |authorization: Option<String>, form: Vec<(String, String)>| {
        let mut device = app.desktop();
        if let Some(value) = authorization {
            device = device.with("authorization", &value);
        }
        let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        device.post("/token", &form).await
    };
    let wrong = send(Some("Basic c2l0ZTp3cm9uZw==".into()), with(&[])).await;
    assert_eq!(
        (wrong.status, wrong.json()["error"].clone()),
        (StatusCode::UNAUTHORIZED, json!("invalid_client"))
    );
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    for (form, error) in [
        (with(&[("code", "nonsense")]), "invalid_grant"),
        (with(&[("redirect_uri", "http://127.0.0.1:9/other")]), "invalid_grant"),
        (with(&[("code_verifier", &"x".repeat(43))]), "invalid_grant"),
        (with(&[("code_verifier", "")]), "invalid_grant"),
        (with(&[("grant_type", "password")]), "unsupported_grant_type"),
        (with(&[("grant_type", "")]), "invalid_request"),
        (with(&[("code", "")]), "invalid_request"),
    ] {
        let answer = send(Some(app.basic()), form.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form:?}");
        assert_eq!(answer.json()["error"], error, "{form:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    // A foreign client, with its own good credentials or none, does not get it; and after all that the owner still does.
    let foreign = send(None, with(&[("client_id", "spa")])).await;
    assert_eq!(foreign.json()["error"], "invalid_grant", "{}", foreign.body);
    assert_eq!(send(Some(app.basic()), with(&[])).await.status, StatusCode::OK);
    assert_eq!(send(Some(app.basic()), with(&[])).await.json()["error"], "invalid_grant", "reused");
}

#[tokio::test]
async fn a_public_client_needs_no_secret_but_its_pkce_verifier() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let back = app.log_in_with(&app.desktop(), &person, &[("client_id", "spa")]).await;
    let code = param(&back, "code");
    let form =
        [("grant_type", "authorization_code"), ("client_id", "spa"), ("redirect_uri", SITE), ("code", &code)];
    let without = app.desktop().post("/token", &form).await;
    assert_eq!(without.json()["error"], "invalid_grant");
    let with = [form.as_slice(), &[("code_verifier", VERIFIER)]].concat();
    let device = app.desktop().with("origin", "http://127.0.0.1:9");
    let answer = device.post("/token", &with).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("access-control-allow-origin"), "http://127.0.0.1:9");
}

#[tokio::test]
async fn sec_48_a_client_that_may_go_without_pkce_must_finish_what_it_began() {
    let app = TestApp::start().await;
    let mut legacy = app.client("legacy", mashang_login::client::Client::authentication_by(&app.secret));
    legacy.pkce = PkcePolicy::Optional;
    app.save_client(legacy).await;
    let person = app.person("小明").await;
    let exchange = async |code: &str, verifier: &str| {
        let secret = app.secret.expose().to_owned();
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "legacy"),
            ("client_secret", secret.as_str()),
            ("redirect_uri", SITE),
            ("code", code),
            ("code_verifier", verifier),
        ];
        app.desktop().post("/token", &form).await.status
    };
    let none = [("client_id", "legacy"), ("code_challenge", ""), ("code_challenge_method", "")];
    let code = param(&app.log_in_with(&app.desktop(), &person, &none).await, "code");
    assert_eq!(exchange(&code, VERIFIER).await, StatusCode::BAD_REQUEST, "a verifier without a challenge");
    assert_eq!(exchange(&code, "").await, StatusCode::OK);
    let code = param(&app.log_in_with(&app.desktop(), &person, &[("client_id", "legacy")]).await, "code");
    assert_eq!(exchange(&code, "").await, StatusCode::BAD_REQUEST, "a challenge without a verifier");
}

#[tokio::test]
async fn sec_50_refresh_tokens_rotate_and_a_replay_ends_the_family() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let back = app.log_in_with(&app.desktop(), &person, &[("scope", "openid offline_access")]).await;
    let first = app.exchange(&param(&back, "code")).await.json();
    let refresh = async |token: &str| {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        app.desktop().with("authorization", &app.basic()).post("/token", &form).await
    };
    let old = first["refresh_token"].as_str().unwrap();
    let second = refresh(old).await.json();
    let access = second["access_token"].as_str().unwrap();
    assert_eq!(app.userinfo(access).await.status, StatusCode::OK);
    assert_eq!(
        refresh(first["access_token"].as_str().unwrap()).await.json()["error"],
        "invalid_grant",
        "sec_61"
    );
    assert_eq!(refresh(old).await.json()["error"], "invalid_grant");
    assert_eq!(app.userinfo(access).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refresh(second["refresh_token"].as_str().unwrap()).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn sec_59_only_registered_origins_get_cors_and_only_where_scripts_belong() {
    let app = TestApp::start().await;
    let from =
        |origin: &str| app.desktop().with("origin", origin).with("access-control-request-method", "POST");
    let own = from("http://127.0.0.1:9").send(Method::OPTIONS, "/token", None).await;
    assert_eq!(own.status, StatusCode::NO_CONTENT);
    assert_eq!(own.header("access-control-allow-origin"), "http://127.0.0.1:9");
    assert!(own.header("access-control-allow-credentials").is_empty());
    let stranger = from("https://evil.example").send(Method::OPTIONS, "/token", None).await;
    assert!(stranger.header("access-control-allow-origin").is_empty());
    for path in ["/authorize", "/logout", "/"] {
        let answer = from("http://127.0.0.1:9").send(Method::OPTIONS, path, None).await;
        assert!(answer.header("access-control-allow-origin").is_empty(), "{path}");
    }
    assert_eq!(from("https://any.example").get("/jwks").await.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn userinfo_answers_get_post_and_refusals_with_a_challenge() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let code = param(&app.log_in(&app.desktop(), &person).await, "code");
    let tokens = app.exchange(&code).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(app.userinfo(access).await.status, StatusCode::OK);
    let in_header = app
        .desktop()
        .with("authorization", &format!("Bearer {access}"))
        .send(Method::POST, "/userinfo", None)
        .await;
    assert_eq!(in_header.status, StatusCode::OK);
    assert_eq!(app.desktop().post("/userinfo", &[("access_token", access)]).await.status, StatusCode::OK);
    let info = in_header.json();
    assert_eq!(info["wechat_openid"], serde_json::Value::Null, "sec_51: openids only under their own scope");
    let bare = app.desktop().get("/userinfo").await;
    assert_eq!((bare.status, bare.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
    let wrong = app.userinfo("msa_nonsense").await;
    assert!(wrong.header("www-authenticate").contains("invalid_token"));
}

#[tokio::test]
async fn revoking_a_token_ends_it() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let code = param(&app.log_in(&app.desktop(), &person).await, "code");
    let tokens = app.exchange(&code).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    let revoke = async |authorization: &str, token: &str| {
        app.desktop().with("authorization", authorization).post("/revoke", &[("token", token)]).await.status
    };
    assert_eq!(revoke("Basic c2l0ZTp3cm9uZw==", access).await, StatusCode::UNAUTHORIZED);
    assert_eq!(app.userinfo(access).await.status, StatusCode::OK);
    assert_eq!(revoke(&app.basic(), access).await, StatusCode::OK);
    assert_eq!(app.userinfo(access).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(revoke(&app.basic(), "unknown").await, StatusCode::OK, "RFC 7009 §2.2");
}

#[tokio::test]
async fn sec_58_logout_is_silent_only_with_an_id_token_of_this_session() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let browser = app.desktop();
    let code = param(&app.log_in(&browser, &person).await, "code");
    let id_token = app.exchange(&code).await.json()["id_token"].as_str().unwrap().to_owned();
    let return_to = "http://127.0.0.1:9/";

    let foreign =
        form_of(&[("id_token_hint", &id_token), ("post_logout_redirect_uri", "https://evil.example/")]);
    for wrong in ["id_token_hint=x.y.z", &foreign, "post_logout_redirect_uri=https%3A%2F%2Fevil.example"] {
        let answer = browser.get(&format!("/logout?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::OK, "the person may sign out all the same");
        assert!(answer.location().is_empty(), "but goes nowhere");
        for carried in ["name=\"id_token_hint\"", "name=\"post_logout_redirect_uri\""] {
            assert!(!answer.body.contains(carried), "nothing of it travels on: {}", answer.body);
        }
        assert!(answer.header("content-security-policy").contains("form-action 'self';"));
        assert!(browser.cookie("mashang_session").is_some());
        let answer = app.desktop().get(&format!("/logout?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "whoever is not signed in is told what is wrong");
    }
    let bare = browser.get("/logout").await;
    assert_eq!(bare.status, StatusCode::OK, "asks");
    assert!(browser.cookie("mashang_session").is_some());
    // Another site's page cannot say yes for the person: it does not know the token.
    browser.post("/logout", &[("logout_token", "guess")]).await;
    assert!(browser.cookie("mashang_session").is_some());

    let query =
        form_of(&[("id_token_hint", &id_token), ("post_logout_redirect_uri", return_to), ("state", "s")]);
    let silent = browser.get(&format!("/logout?{query}")).await;
    assert_eq!(silent.location(), "http://127.0.0.1:9/?state=s");
    assert!(browser.cookie("mashang_session").is_none());
    let after = browser.get(&app.authorize_path(&[("prompt", "none")])).await;
    assert_eq!(param(after.location(), "error"), "login_required");
}

#[tokio::test]
async fn logout_asked_for_by_the_person_works_by_our_own_form() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let browser = app.desktop();
    app.log_in(&browser, &person).await;
    let asked = browser.get("/logout").await;
    let token = asked.between("name=\"logout_token\" value=\"", "\"").to_owned();
    let answer = browser.post("/logout", &[("logout_token", &token)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(browser.cookie("mashang_session").is_none());
}

#[tokio::test]
async fn a_yes_to_logout_may_lead_back_to_the_website() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let browser = app.desktop();
    app.log_in(&browser, &person).await;
    let return_to = "http://127.0.0.1:9/";
    let query = form_of(&[("client_id", "site"), ("post_logout_redirect_uri", return_to)]);
    let asked = browser.get(&format!("/logout?{query}")).await;
    // Browsers apply form-action to where a form's answer redirects.
    let policy = asked.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https: http://127.0.0.1:9;"), "{policy}");
    assert!(asked.header("cross-origin-opener-policy").is_empty(), "a website may sign out in a popup");
    let token = asked.between("name=\"logout_token\" value=\"", "\"").to_owned();
    let form = [("logout_token", &*token), ("client_id", "site"), ("post_logout_redirect_uri", return_to)];
    let answer = browser.post("/logout", &form).await;
    assert_eq!(answer.location(), return_to);
    assert!(browser.cookie("mashang_session").is_none());
    let plain = browser.get("/logout").await;
    assert!(plain.header("content-security-policy").contains("form-action 'self';"));
}

#[tokio::test]
async fn sec_58_a_website_ends_the_session_that_its_id_token_names_whatever_cookies_come() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let browser = app.desktop();
    let code = param(&app.log_in(&browser, &person).await, "code");
    let tokens = app.exchange(&code).await.json();
    let id_token = tokens["id_token"].as_str().unwrap();
    let return_to = "http://127.0.0.1:9/";
    let form = form_of(&[("id_token_hint", id_token), ("post_logout_redirect_uri", return_to)]);
    // Another site's form: no cookie comes. It is sent once more as a link, by which they do.
    let again = app.desktop().send(Method::POST, "/logout", Some(form)).await;
    assert!(again.location().starts_with("/logout?id_token_hint="), "{}", again.location());
    // A browser that has none, as for a login inside a website's own page: the session that is named ends all the same.
    let elsewhere = app.desktop().get(again.location()).await;
    assert_eq!(elsewhere.location(), return_to);
    let silent = browser.get(&app.authorize_path(&[("prompt", "none")])).await;
    assert_eq!(param(silent.location(), "error"), "login_required");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(app.userinfo(access).await.status, StatusCode::UNAUTHORIZED, "and so does what came of it");
    let signed_out = app.app.records.audit_trail(10).await.unwrap();
    assert_eq!(signed_out.iter().filter(|event| event.kind == AuditKind::SignedOut).count(), 1);
    assert_eq!(app.desktop().get(again.location()).await.location(), return_to, "once more changes nothing");
}

#[tokio::test]
async fn every_algorithm_is_published_and_used_as_the_client_chose() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let keys = app.desktop().get("/jwks").await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 3);
    assert!(!keys.to_string().contains("\"d\""), "sec_60: no private part");
    for (id, alg) in [
        ("rs", mashang_login::key::SigningAlgorithm::Rs256),
        ("es", mashang_login::key::SigningAlgorithm::Es256),
        ("ed", mashang_login::key::SigningAlgorithm::EdDsa),
    ] {
        let mut client = app.client(id, ClientAuthentication::Public);
        client.id_token_alg = alg;
        app.save_client(client).await;
        let back = app.log_in_with(&app.desktop(), &person, &[("client_id", id)]).await;
        let code = param(&back, "code");
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", id),
            ("redirect_uri", SITE),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ];
        let tokens = app.desktop().post("/token", &form).await.json();
        use base64::Engine as _;
        let head = tokens["id_token"].as_str().unwrap().split('.').next().unwrap().to_owned();
        let head: serde_json::Value =
            serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(head).unwrap())
                .unwrap();
        assert_eq!(head["alg"], alg.as_str());
        assert!(
            keys["keys"]
                .as_array()
                .unwrap()
                .iter()
                .any(|key| key["kid"] == head["kid"] && key["alg"] == head["alg"])
        );
    }
}

#[tokio::test]
async fn sec_55_an_id_token_hint_lets_nobody_else_answer() {
    let app = TestApp::start().await;
    let (hinted, other) = (app.person("小明").await, app.person("小红").await);
    let browser = app.desktop();
    let code = param(&app.log_in(&browser, &hinted).await, "code");
    let hint = app.exchange(&code).await.json()["id_token"].as_str().unwrap().to_owned();
    let with_hint = [("id_token_hint", hint.as_str()), ("prompt", "login")];
    let back = app.log_in_with(&app.desktop(), &other, &with_hint).await;
    assert_eq!(param(&back, "error"), "login_required", "{back}");
    assert!(param(&back, "code").is_empty());
    let back = app.log_in_with(&app.desktop(), &hinted, &with_hint).await;
    assert!(!param(&back, "code").is_empty(), "{back}");
    // Somebody else's session does not answer silently either.
    let strangers = app.desktop();
    app.log_in(&strangers, &other).await;
    let silent = strangers.get(&app.authorize_path(&[("id_token_hint", &hint), ("prompt", "none")])).await;
    assert_eq!(param(silent.location(), "error"), "login_required");
}

#[tokio::test]
async fn sec_78_the_audit_trail_says_who_signed_in_where_and_how() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let browser = app.desktop();
    let code = param(&app.log_in(&browser, &person).await, "code");
    let sub = claims(app.exchange(&code).await.json()["id_token"].as_str().unwrap())["sub"]
        .as_str()
        .unwrap()
        .to_owned();
    browser.get(&app.authorize_path(&[])).await;
    let trail = app.app.records.audit_trail(50).await.unwrap();
    let find = |kind: &str| {
        trail.iter().find(|event| event.kind.as_str() == kind).unwrap_or_else(|| panic!("{kind}"))
    };
    let signed_in = find("signed_in");
    assert_eq!(signed_in.user.as_ref().unwrap().as_str(), sub);
    assert_eq!(signed_in.client.as_ref().unwrap().as_str(), "site");
    assert_eq!(signed_in.channel.as_ref().unwrap().as_str(), "wechat");
    assert_eq!(signed_in.ticket.as_ref().unwrap().len(), 6);
    assert_eq!(signed_in.device.as_deref(), Some("Chrome · Windows"));
    assert_eq!(find("session_continued").user.as_ref().unwrap().as_str(), sub);
    for kind in ["ticket_started", "ticket_scanned", "ticket_approved"] {
        assert_eq!(find(kind).client.as_ref().unwrap().as_str(), "site", "{kind}");
    }
    assert_eq!(find("tokens_issued").user.as_ref().unwrap().as_str(), sub);
    assert!(!format!("{trail:?}").contains(&code), "promise 10");
}
