//! The authorization endpoint: what is refused here, what is refused over there, and what is asked.

use mashang_login::Clock as _;
use mashang_login::grant::ResponseMode;
use mashang_login::ids::UserId;
use mashang_login::records::Records as _;
use mashang_login::secret::AuthorizationCode;
use mashang_login::session::Session;
use mashang_oidc::answer::{AnswerError, Answered, fulfil, refuse};
use mashang_oidc::authorize::{
    AuthorizationResponse, AuthorizeError, LocalError, Next, Proven, check, decide, prove,
};
use mashang_oidc::params::{Duplicate, Params};
use proptest::prelude::*;

use crate::house::{CHALLENGE, House, ISSUER, callback, encoded, form, house, params, query_of};

async fn local_error(house: &House, params: &Params) -> LocalError {
    prove(&*house.records, params).await.unwrap_err()
}

async fn refused(house: &House, client: &str, extra: &[(&str, &str)]) -> &'static str {
    house.check(&House::request(client, extra)).await.unwrap_err().code
}

#[tokio::test]
async fn a_complete_request_is_understood() {
    let house = house().await;
    let extra =
        [("prompt", "login"), ("max_age", "60"), ("ui_locales", "zh-CN en"), ("login_hint", "wechat")];
    let checked = house.check(&House::request("site", &extra)).await.unwrap();
    let request = checked.request;
    assert_eq!(request.redirect_uri, callback("site"));
    assert_eq!(request.scope.to_string(), "openid profile offline_access wechat_openid wechat_unionid");
    assert_eq!(request.state.as_deref(), Some("st&te"));
    assert_eq!(request.nonce.as_deref(), Some("n-0S6"));
    assert_eq!(request.code_challenge.as_deref(), Some(CHALLENGE));
    assert!(request.force_login && !request.silent);
    assert_eq!(request.max_age, Some(60));
    assert_eq!(request.ui_locales, ["zh-CN", "en"]);
    assert_eq!(request.login_hint.as_deref(), Some("wechat"));
    assert_eq!(checked.id_token_hint, None);
}

#[tokio::test]
async fn sec_46_a_bad_client_or_address_is_shown_here() {
    let house = house().await;
    for (extra, code) in [
        (("client_id", "nobody"), "invalid_request"),
        (("client_id", "no body"), "invalid_request"),
        (("client_id", ""), "invalid_request"),
        (("redirect_uri", ""), "invalid_request"),
        (("redirect_uri", "https://evil.example/"), "invalid_request"),
        (("redirect_uri", "https://site.example/index.php?m=sso&f=callback&x"), "invalid_request"),
        (("redirect_uri", "https://SITE.example/index.php?m=sso&f=callback"), "invalid_request"),
    ] {
        let error = local_error(&house, &House::request("site", &[extra])).await;
        assert_eq!((error.code(), error.status()), (code, 400), "{extra:?}");
    }
    house.disable_client("site").await;
    let error = local_error(&house, &House::request("site", &[])).await;
    assert!(matches!(error, LocalError::ClientDisabled));
    assert_eq!(error.code(), "unauthorized_client");
}

#[tokio::test]
async fn sec_46_a_duplicated_client_or_address_is_shown_here() {
    let house = house().await;
    let callback = callback("site");
    for name in ["client_id", "redirect_uri"] {
        let mut pairs = vec![("client_id", "site"), ("redirect_uri", &*callback)];
        let again = pairs.iter().find(|(key, _)| *key == name).copied().unwrap();
        pairs.push(again);
        let error = local_error(&house, &form(&pairs)).await;
        assert!(matches!(error, LocalError::Duplicate(Duplicate(which)) if which == name), "{error}");
    }
}

#[tokio::test]
async fn sec_82_a_store_that_does_not_answer_is_503_and_no_redirect() {
    let house = house().await;
    house.records.cut();
    let error = local_error(&house, &House::request("site", &[])).await;
    assert_eq!((error.code(), error.status()), ("temporarily_unavailable", 503));
}

#[tokio::test]
async fn rfc_6749_3_1_every_known_parameter_sent_twice_is_refused() {
    let house = house().await;
    for name in [
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "ui_locales",
        "login_hint",
        "id_token_hint",
        "display",
        "acr_values",
        "claims",
        "claims_locales",
        "request",
        "request_uri",
        "registration",
    ] {
        let request = House::request("site", &[(name, "a"), (name, "b")]);
        let proven = house.proven(&request).await;
        let error = check(&proven, &request).unwrap_err();
        assert_eq!(error.code, "invalid_request", "{name}");
        assert!(error.description.contains(name), "{name}");
        if name == "state" {
            assert_eq!(proven.state, None, "which of the two would it be?");
        }
    }
}

#[tokio::test]
async fn sec_90_a_login_hint_that_cannot_name_a_channel_is_dropped() {
    let house = house().await;
    for hint in ["ming@mail.example", "+8613800138000", "小明", "two words", &"x".repeat(33)] {
        let request = house.check(&House::request("site", &[("login_hint", hint)])).await.unwrap().request;
        assert_eq!(request.login_hint, None, "{hint}");
    }
}

#[tokio::test]
async fn openid_core_3_1_2_1_unknown_and_ignored_parameters_are_accepted() {
    let house = house().await;
    let extra = [
        ("foo", "1"),
        ("foo", "2"),
        ("display", "popup"),
        ("acr_values", "1 2"),
        ("claims_locales", "se"),
        ("claims", r#"{"userinfo":{"name":{"essential":true}}}"#),
        ("ui_locales", "zh-CN <script> en"),
    ];
    let request = house.check(&House::request("site", &extra)).await.unwrap().request;
    assert_eq!(request.ui_locales, ["zh-CN", "en"]);
}

#[tokio::test]
async fn sec_47_only_code_in_the_query() {
    let house = house().await;
    assert_eq!(refused(&house, "site", &[("response_type", "")]).await, "invalid_request");
    for other in ["token", "id_token", "code id_token", "none", "Code"] {
        assert_eq!(refused(&house, "site", &[("response_type", other)]).await, "unsupported_response_type");
    }
    for other in ["fragment", "form_post", "query.jwt"] {
        assert_eq!(refused(&house, "site", &[("response_mode", other)]).await, "invalid_request");
    }
    for (mode, expected) in [("query", ResponseMode::Query), ("web_message", ResponseMode::WebMessage)] {
        let request = house.check(&House::request("site", &[("response_mode", mode)])).await.unwrap().request;
        assert_eq!(request.response_mode, expected);
    }
    let unsaid = house.check(&House::request("site", &[])).await.unwrap().request;
    assert_eq!(unsaid.response_mode, ResponseMode::Query);
}

#[tokio::test]
async fn sec_46_a_message_is_for_web_pages_and_for_their_exact_origin() {
    let house = house().await;
    let mode = [("response_mode", "web_message")];
    let proven = house.proven(&House::request("site", &mode)).await;
    let refusal =
        AuthorizationResponse::refusal(&proven, &house.provider.issuer, &AuthorizeError::access_denied());
    assert_eq!(
        (refusal.mode, refusal.origin().as_deref()),
        (ResponseMode::WebMessage, Some("https://site.example"))
    );
    assert_eq!((refusal.get("error"), refusal.get("iss")), (Some("access_denied"), Some(ISSUER)));
    assert!(!format!("{refusal:?}").contains("st&te"), "names only");
    let mut native = crate::house::client("native");
    native.redirect_uris = vec!["com.example.app:/cb".into()];
    house.records.save_client(&native).await.unwrap();
    let request = [("redirect_uri", "com.example.app:/cb"), ("response_mode", "web_message")];
    assert!(matches!(local_error(&house, &House::request("native", &request)).await, LocalError::NoWebPage));
}

#[tokio::test]
async fn openid_core_6_request_objects_are_named_as_unsupported() {
    let house = house().await;
    assert_eq!(refused(&house, "site", &[("request", "e30.e30.")]).await, "request_not_supported");
    let foreign = [("request_uri", "https://evil.example/r")];
    assert_eq!(refused(&house, "site", &foreign).await, "request_uri_not_supported");
    assert_eq!(refused(&house, "site", &[("registration", "{}")]).await, "registration_not_supported");
}

#[tokio::test]
async fn openid_core_3_1_2_1_scope_must_contain_openid() {
    let house = house().await;
    for scope in ["", "profile", "OPENID", "openidprofile"] {
        assert_eq!(refused(&house, "site", &[("scope", scope)]).await, "invalid_scope", "{scope}");
    }
}

#[tokio::test]
async fn openid_core_11_offline_access_is_dropped_for_clients_that_may_not_refresh() {
    let house = house().await;
    let request = house.check(&House::request("old", &[])).await.unwrap().request;
    assert_eq!(request.scope.to_string(), "openid profile wechat_openid wechat_unionid");
}

#[tokio::test]
async fn sec_48_pkce_plain_absent_and_malformed_are_refused() {
    let house = house().await;
    let long = format!("{CHALLENGE}A");
    for (client, extra) in [
        ("site", &[("code_challenge", ""), ("code_challenge_method", "")][..]),
        ("app", &[("code_challenge", ""), ("code_challenge_method", "")]),
        ("site", &[("code_challenge_method", "plain")]),
        ("site", &[("code_challenge_method", "")]),
        ("old", &[("code_challenge_method", "")]),
        ("old", &[("code_challenge_method", "plain")]),
        ("old", &[("code_challenge", "")]),
        ("site", &[("code_challenge_method", "s256")]),
        ("site", &[("code_challenge", &CHALLENGE[1..])]),
        ("site", &[("code_challenge", &long)]),
        ("site", &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")]),
    ] {
        assert_eq!(refused(&house, client, extra).await, "invalid_request", "{client} {extra:?}");
    }
    // A public client may not go without even if its row says that PKCE is optional.
    house.change("app", |app| app.pkce = mashang_login::client::PkcePolicy::Optional).await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(refused(&house, "app", &without).await, "invalid_request");
    let request = house.check(&House::request("old", &without)).await.unwrap().request;
    assert_eq!(request.code_challenge, None);
}

#[tokio::test]
async fn openid_core_3_1_2_1_prompt_and_max_age_are_checked() {
    let house = house().await;
    for extra in [
        ("prompt", "none login"),
        ("prompt", "create"),
        ("prompt", "Login"),
        ("prompt", "none consent"),
        ("max_age", "-1"),
        ("max_age", "+1"),
        ("max_age", "1.5"),
        ("max_age", "soon"),
        ("max_age", "99999999999"),
    ] {
        assert_eq!(refused(&house, "site", &[extra]).await, "invalid_request", "{extra:?}");
    }
    for prompt in ["login", "select_account", "consent", "login consent"] {
        let request = house.check(&House::request("site", &[("prompt", prompt)])).await.unwrap().request;
        assert!(request.force_login && !request.silent, "{prompt}");
    }
    let request = house.check(&House::request("site", &[("prompt", "none")])).await.unwrap().request;
    assert!(request.silent && !request.force_login);
}

#[tokio::test]
async fn prompt_consent_asks_for_consent_where_there_is_a_page_for_it() {
    let house = house().await;
    house.change("site", |site| site.settings.consent = true).await;
    let request = house.check(&House::request("site", &[("prompt", "consent")])).await.unwrap().request;
    assert!(request.force_consent && !request.force_login);
    assert_eq!(refused(&house, "site", &[("prompt", "none consent")]).await, "invalid_request");
}

#[tokio::test]
async fn sec_71_oversize_state_and_nonce_are_refused() {
    let house = house().await;
    assert_eq!(refused(&house, "site", &[("nonce", &"n".repeat(513))]).await, "invalid_request");
    let long = House::request("site", &[("state", &"s".repeat(2049))]);
    let proven = house.proven(&long).await;
    assert_eq!(proven.state, None);
    assert_eq!(check(&proven, &long).unwrap_err().code, "invalid_request");
    let most = [("nonce", &*"n".repeat(512)), ("state", &*"s".repeat(2048))];
    assert!(house.check(&House::request("site", &most)).await.is_ok());
}

#[tokio::test]
async fn sec_52_every_answer_carries_iss_and_continues_the_registered_query() {
    let house = house().await;
    let mut request = house.check(&House::request("site", &[])).await.unwrap().request;
    let code = AuthorizationCode::random(&*house.provider.entropy);
    let issuer = &house.provider.issuer;
    let success = AuthorizationResponse::success(&request, issuer, &code).address();
    let head = format!("{}&code=", callback("site"));
    assert_eq!(success, format!("{head}{}&state=st%26te&iss={}", code.expose(), encoded(ISSUER)));
    request.state = None;
    let failure = AuthorizationResponse::error(&request, issuer, &AuthorizeError::access_denied()).address();
    assert!(failure.starts_with(&format!("{}&error=access_denied&", callback("site"))));
    assert_eq!(query_of(&failure, "iss").as_deref(), Some(ISSUER));
    assert_eq!(query_of(&failure, "state"), None);
}

#[tokio::test]
async fn iss_is_left_out_for_a_client_that_cannot_take_it_and_for_no_other() {
    let house = house().await;
    house.change("site", |site| site.settings.omit_iss = true).await;
    for (client, iss) in [("site", None), ("other", Some(ISSUER))] {
        let grant = house.grant(&House::request(client, &[])).await;
        let login = house.fresh("openid-of-ming").1;
        let Answered::Done { response, .. } = fulfil(&house.provider, &grant, login).await.unwrap() else {
            panic!("the grant was open");
        };
        assert_eq!((response.get("iss"), response.get("state")), (iss, Some("st&te")));
        let grant = house.grant(&House::request(client, &[])).await;
        let refusal =
            refuse(&house.provider, &grant, &AuthorizeError::access_denied()).await.unwrap().unwrap();
        assert_eq!((refusal.get("iss"), refusal.get("error")), (iss, Some("access_denied")));
        let proven = house.proven(&House::request(client, &[])).await;
        let issuer = &house.provider.issuer;
        let refusal = AuthorizationResponse::refusal(&proven, issuer, &AuthorizeError::login_required());
        assert_eq!(refusal.get("iss"), iss);
    }
}

async fn signed_in(house: &House) -> Session {
    house.sign_in("site", &[]).await.1
}

async fn next(
    house: &House,
    extra: &[(&str, &str)],
    session: Option<&Session>,
    hint: Option<&UserId>,
) -> Next {
    let mut request = house.check(&House::request("site", extra)).await.unwrap().request;
    request.hinted = hint.cloned();
    let now = house.clock.now();
    decide(&request, session.cloned(), now, now)
}

#[tokio::test]
async fn sec_55_prompt_decides_between_session_page_and_refusal() {
    let house = house().await;
    let session = signed_in(&house).await;
    let refusal = Next::Refuse(AuthorizeError::login_required());
    let answer = Next::UseSession(Box::new(session.clone()));
    assert_eq!(next(&house, &[], Some(&session), None).await, answer);
    assert_eq!(next(&house, &[], None, None).await, Next::SignIn);
    assert_eq!(next(&house, &[("prompt", "none")], Some(&session), None).await, answer);
    assert_eq!(next(&house, &[("prompt", "none")], None, None).await, refusal);
    assert_eq!(next(&house, &[("prompt", "login")], Some(&session), None).await, Next::SignIn);
    house.wait(8 * 3600);
    assert_eq!(next(&house, &[], Some(&session), None).await, Next::SignIn, "the session is over");
}

#[tokio::test]
async fn sec_55_only_an_approval_since_the_request_satisfies_it() {
    let house = house().await;
    for extra in [("prompt", "login"), ("max_age", "0")] {
        let before = signed_in(&house).await;
        let request = house.check(&House::request("site", &[extra])).await.unwrap().request;
        let asked_at = house.clock.now();
        house.wait(1);
        let since = signed_in(&house).await;
        let now = house.clock.now();
        assert_eq!(decide(&request, Some(before), asked_at, now), Next::SignIn, "{extra:?}");
        assert_eq!(decide(&request, Some(since.clone()), asked_at, now), Next::UseSession(Box::new(since)));
    }
}

#[tokio::test]
async fn sec_55_max_age_needs_a_fresh_approval() {
    let house = house().await;
    let session = signed_in(&house).await;
    house.wait(60);
    let age = |seconds: &'static str| [("max_age", seconds)];
    assert!(matches!(next(&house, &age("60"), Some(&session), None).await, Next::UseSession(_)));
    assert_eq!(next(&house, &age("59"), Some(&session), None).await, Next::SignIn);
    assert_eq!(next(&house, &age("0"), Some(&signed_in(&house).await), None).await, Next::SignIn);
    let silent = [("max_age", "59"), ("prompt", "none")];
    assert!(matches!(next(&house, &silent, Some(&session), None).await, Next::Refuse(_)));
}

#[tokio::test]
async fn openid_core_3_1_2_1_a_hint_about_another_person_is_not_answered_by_this_session() {
    let house = house().await;
    let session = signed_in(&house).await;
    let stranger = UserId::random(&*house.provider.entropy);
    let me = Some(&session.user);
    assert!(matches!(next(&house, &[], Some(&session), me).await, Next::UseSession(_)));
    assert_eq!(next(&house, &[], Some(&session), Some(&stranger)).await, Next::SignIn);
    let silent = [("prompt", "none")];
    assert!(matches!(next(&house, &silent, Some(&session), Some(&stranger)).await, Next::Refuse(_)));
}

#[tokio::test]
async fn a_grant_is_answered_once() {
    let house = house().await;
    let grant = house.grant(&House::request("site", &[])).await;
    let first = fulfil(&house.provider, &grant, house.fresh("a").1).await.unwrap();
    let Answered::Done { response, created, .. } = &first else { panic!("open") };
    assert!(created);
    assert!(response.address().starts_with(&callback("site")));
    assert!(!format!("{first:?}").contains("msc_"), "promise 10");
    assert_eq!(fulfil(&house.provider, &grant, house.fresh("a").1).await.unwrap(), Answered::NotOpen);
    let denied = AuthorizeError::access_denied();
    assert_eq!(refuse(&house.provider, &grant, &denied).await.unwrap(), None);
    let other = house.grant(&House::request("site", &[])).await;
    let response = refuse(&house.provider, &other, &denied).await.unwrap().unwrap();
    assert_eq!(response.get("error"), Some("access_denied"));
    assert_eq!(response.get("state"), Some("st&te"));
}

#[tokio::test]
async fn sec_40_a_client_or_person_switched_off_in_between_is_not_answered() {
    let house = house().await;
    let grant = house.grant(&House::request("site", &[])).await;
    let session = signed_in(&house).await;
    house.records.set_user_disabled(&session.user, Some(house.clock.now())).await.unwrap();
    let login = house.continued(session);
    assert_eq!(fulfil(&house.provider, &grant, login.clone()).await.unwrap(), Answered::UserDisabled);
    house.disable_client("site").await;
    let refused = fulfil(&house.provider, &grant, login).await;
    assert!(matches!(refused, Err(AnswerError::ClientRefused)));
}

#[tokio::test]
async fn sec_45_an_address_taken_back_in_between_is_not_answered() {
    let house = house().await;
    let grant = house.grant(&House::request("site", &[])).await;
    house.change("site", |site| site.redirect_uris.clear()).await;
    let refused = fulfil(&house.provider, &grant, house.fresh("a").1).await;
    assert!(matches!(refused, Err(AnswerError::ClientRefused)));
}

#[tokio::test]
async fn sec_55_an_old_session_never_answers_a_request_for_a_fresh_approval() {
    let house = house().await;
    let session = signed_in(&house).await;
    house.wait(61);
    for extra in [("prompt", "login"), ("max_age", "60"), ("max_age", "0")] {
        let grant = house.grant(&House::request("site", &[extra])).await;
        let old = fulfil(&house.provider, &grant, house.continued(session.clone())).await;
        assert!(matches!(old, Err(AnswerError::FreshApprovalNeeded)), "{extra:?}");
        let fresh = fulfil(&house.provider, &grant, house.fresh("openid-of-ming").1).await.unwrap();
        assert!(matches!(fresh, Answered::Done { .. }), "{extra:?}");
    }
}

fn any_request() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("response_type"),
        Just("response_mode"),
        Just("scope"),
        Just("state"),
        Just("nonce"),
        Just("prompt"),
        Just("code_challenge"),
        Just("code_challenge_method"),
        Just("max_age"),
        Just("ui_locales"),
        Just("login_hint"),
        Just("id_token_hint"),
        Just("request"),
        Just("claims"),
    ];
    let value = prop_oneof![
        Just("code".to_owned()),
        Just("openid".to_owned()),
        Just("S256".to_owned()),
        Just(CHALLENGE.to_owned()),
        Just("none".to_owned()),
        "[0-9]{0,25}",
        "\\PC{0,40}",
    ];
    let pair = (name, value).prop_map(|(name, value)| format!("{name}={}", encoded(&value)));
    proptest::collection::vec(pair, 0..12).prop_map(|pairs| pairs.join("&"))
}

proptest! {
    #[test]
    fn sec_84_no_request_makes_checking_panic(raw in any_request()) {
        let client = crate::house::client("site");
        let redirect_uri = callback("site");
        let proven = Proven { client, redirect_uri, response_mode: ResponseMode::Query, state: None };
        match check(&proven, &params(&raw)) {
            // What is accepted is the safe kind.
            Ok(checked) => {
                prop_assert_eq!(checked.request.code_challenge.map(|challenge| challenge.len()), Some(43));
                prop_assert!(checked.request.state.is_none_or(|state| state.len() <= 2048));
            }
            // RFC 6749 appendix A.8: what a description may consist of.
            Err(error) => prop_assert!(
                error.description.bytes().all(|b| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\')
            ),
        }
    }

    #[test]
    fn sec_45_redirects_begin_with_the_registered_address(
        state in proptest::option::of("\\PC{1,60}"), tail in "[a-z0-9/?&=%._-]{0,30}"
    ) {
        let issuer = mashang_oidc::Issuer::parse(ISSUER).unwrap();
        let registered = format!("https://site.example/{tail}");
        let client = crate::house::client("site");
        let response_mode = ResponseMode::Query;
        let proven = Proven { client, redirect_uri: registered.clone(), response_mode, state };
        let to = AuthorizationResponse::refusal(&proven, &issuer, &AuthorizeError::login_required()).address();
        prop_assert!(to.starts_with(&registered));
        prop_assert!(to.bytes().all(|b| b.is_ascii_graphic()));
        prop_assert!(!to.contains('#'));
    }
}
