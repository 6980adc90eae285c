//! What a site's server calls.

use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::bench::{Bench, FOREIGN, Got, LONE, OFFICIAL, START_MS, WEBSITE, code_in, field_order, secret_of};

const DAY_MS: i64 = 24 * 3_600_000;

fn assert_errcode(got: &Got, errcode: i32, text: &str) {
    assert_eq!((got.status, got.header("content-type")), (StatusCode::OK, "text/plain"));
    let json = got.json();
    assert_eq!(json["errcode"], errcode, "{json}");
    let errmsg = json["errmsg"].as_str().unwrap();
    let (said, rid) = errmsg.split_once(", rid: ").unwrap_or_else(|| panic!("no rid in {errmsg}"));
    assert_eq!(said, text);
    let groups: Vec<_> = rid.split('-').collect();
    assert_eq!(groups.len(), 3);
    assert!(
        groups.iter().all(|group| group.len() == 8
            && group.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
    );
}

fn assert_invalid_code(got: &Got) {
    assert_errcode(got, 40029, "invalid code");
}

#[tokio::test]
async fn code_becomes_a_token_with_the_real_fields_in_order() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "ada").await;
    assert_eq!((code.len(), &code[..1]), (32, "0"));
    assert!(code.bytes().all(|b| b.is_ascii_alphanumeric()));
    let got = bench.exchange(WEBSITE, &code).await;
    assert_eq!((got.status, got.header("content-type")), (StatusCode::OK, "text/plain"));
    assert_eq!(
        field_order(got.text()),
        ["access_token", "expires_in", "refresh_token", "openid", "scope", "unionid"]
    );
    let token = got.json();
    assert_eq!((&token["expires_in"], &token["scope"]), (&json!(7200), &json!("snsapi_login")));
    assert_eq!(token["access_token"].as_str().unwrap().len(), 110);
    for id in ["openid", "unionid"] {
        let id = token[id].as_str().unwrap();
        assert!(id.len() == 28 && id.starts_with('o'), "{id}");
    }
}

#[tokio::test]
async fn form_post_and_extra_parameters_are_fine() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "ada").await;
    let secret = secret_of(WEBSITE);
    let form = format!(
        "client_id=x&grant_type=authorization_code&code={code}&secret={secret}&appid={WEBSITE}&redirect_uri=ignored"
    );
    let request = Request::post("/api.weixin.qq.com/sns/oauth2/access_token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.into())
        .unwrap();
    assert!(bench.send(request).await.json()["access_token"].is_string());
}

#[tokio::test]
async fn second_exchange_finds_the_code_used() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "ada").await;
    assert!(bench.exchange(WEBSITE, &code).await.json()["openid"].is_string());
    assert_errcode(&bench.exchange(WEBSITE, &code).await, 40163, "code been used");
}

#[tokio::test]
async fn exchange_by_another_app_burns_the_code() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "ada").await;
    assert_invalid_code(&bench.exchange(FOREIGN, &code).await);
    assert_errcode(&bench.exchange(WEBSITE, &code).await, 40163, "code been used");
}

#[tokio::test]
async fn exchange_without_the_right_secret_leaves_the_code_alone() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "ada").await;
    let path = format!(
        "/api.weixin.qq.com/sns/oauth2/access_token?appid={WEBSITE}&secret=wrong&code={code}&grant_type=authorization_code"
    );
    assert_errcode(&bench.get(&path).await, 40125, "invalid appsecret");
    assert!(bench.exchange(WEBSITE, &code).await.json()["openid"].is_string());
}

#[tokio::test]
async fn code_lives_ten_minutes_for_a_website_and_five_for_an_official_account() {
    let bench = Bench::new();
    for (appid, lifetime_ms) in [(WEBSITE, 600_000), (OFFICIAL, 300_000)] {
        let fresh = |bench: Bench| async move {
            let code = match appid {
                WEBSITE => bench.website_code(WEBSITE, "ada").await,
                _ => bench.official_code("snsapi_base", "ada").await,
            };
            (bench, code)
        };
        let (other, code) = fresh(Bench::new()).await;
        other.advance_ms(lifetime_ms - 1);
        assert!(other.exchange(appid, &code).await.json()["openid"].is_string());
        let (other, code) = fresh(Bench::new()).await;
        other.advance_ms(lifetime_ms);
        assert_invalid_code(&other.exchange(appid, &code).await);
    }
    assert_invalid_code(&bench.exchange(WEBSITE, "0000").await);
}

#[tokio::test]
async fn exchange_checks_in_the_known_order() {
    let bench = Bench::new();
    let secret = secret_of(WEBSITE);
    for (query, errcode, text) in [
        (String::new(), 41002, "appid missing"),
        ("appid=wx0".to_owned(), 40013, "invalid appid"),
        (format!("appid={WEBSITE}"), 41004, "appsecret missing"),
        (format!("appid={WEBSITE}&secret=0"), 40125, "invalid appsecret"),
        (format!("appid={WEBSITE}&secret={secret}"), 41008, "missing code"),
        (format!("appid={WEBSITE}&secret={secret}&code=0"), 40002, "invalid grant_type"),
        (
            format!("appid={WEBSITE}&secret={secret}&code=0&grant_type=authorization_code%3B"),
            40002,
            "invalid grant_type",
        ),
        (
            format!("appid={WEBSITE}&secret={secret}&code=0&grant_type=authorization_code"),
            40029,
            "invalid code",
        ),
    ] {
        assert_errcode(
            &bench.get(&format!("/api.weixin.qq.com/sns/oauth2/access_token?{query}")).await,
            errcode,
            text,
        );
    }
}

#[tokio::test]
async fn rid_begins_with_the_time() {
    let bench = Bench::new();
    let got = bench.exchange(WEBSITE, "0").await;
    assert!(got.text().contains(&format!(", rid: {:08x}-", START_MS / 1000)), "{}", got.text());
}

#[tokio::test]
async fn openid_is_per_app_and_unionid_per_platform_account() {
    let bench = Bench::new();
    let mut tokens = Vec::new();
    for appid in [WEBSITE, FOREIGN, LONE] {
        let code = bench.website_code(appid, "ada").await;
        tokens.push(bench.exchange(appid, &code).await.json());
    }
    let code = bench.official_code("snsapi_userinfo", "ada").await;
    let official = bench.exchange(OFFICIAL, &code).await.json();
    let [website, foreign, lone] = tokens.try_into().unwrap_or_else(|_| panic!());
    assert_ne!(website["openid"], official["openid"]);
    assert_eq!(website["unionid"], official["unionid"]);
    assert_ne!(website["unionid"], foreign["unionid"]);
    assert!(lone["unionid"].is_null() && !lone.as_object().unwrap().contains_key("unionid"));
    let code = bench.website_code(WEBSITE, "xiaoming").await;
    assert_ne!(bench.exchange(WEBSITE, &code).await.json()["openid"], website["openid"]);
    let code = bench.website_code(WEBSITE, "ada").await;
    assert_eq!(bench.exchange(WEBSITE, &code).await.json()["openid"], website["openid"]);
}

#[tokio::test]
async fn silent_official_token_has_no_unionid_and_reads_no_profile() {
    let bench = Bench::new();
    let code = bench.official_code("snsapi_base", "ada").await;
    let got = bench.exchange(OFFICIAL, &code).await;
    assert_eq!(field_order(got.text()), ["access_token", "expires_in", "refresh_token", "openid", "scope"]);
    assert_errcode(&bench.userinfo(&got.json()).await, 48001, "api unauthorized");
}

#[tokio::test]
async fn userinfo_has_the_real_fields_in_order_and_escapes_slashes() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "emoji").await;
    let token = bench.exchange(WEBSITE, &code).await.json();
    let got = bench.userinfo(&token).await;
    assert_eq!(got.header("content-type"), "text/plain");
    assert_eq!(
        field_order(got.text()),
        [
            "openid",
            "nickname",
            "sex",
            "language",
            "city",
            "province",
            "country",
            "headimgurl",
            "privilege",
            "unionid"
        ]
    );
    assert!(
        got.text().contains(r"http:\/\/127.0.0.1:8930\/thirdwx.qlogo.cn\/mmopen\/vi_32\/"),
        "{}",
        got.text()
    );
    let user = got.json();
    assert_eq!(user["nickname"], "小橘子🎉👩‍🚀🏳️‍🌈");
    assert_eq!((&user["openid"], &user["unionid"]), (&token["openid"], &token["unionid"]));
    assert_eq!((&user["sex"], &user["city"], &user["privilege"]), (&json!(0), &json!(""), &json!([])));
    let picture = user["headimgurl"].as_str().unwrap().strip_prefix("http://127.0.0.1:8930").unwrap();
    let image = bench.get(picture).await;
    assert_eq!(image.header("content-type"), "image/jpeg");
    let largest = bench.get(&(picture.strip_suffix("132").unwrap().to_owned() + "0")).await;
    assert!(largest.bytes.len() > image.bytes.len());
    assert_eq!(bench.get(&(picture.to_owned() + "9")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn person_without_a_picture_has_an_empty_headimgurl() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "plain").await;
    let token = bench.exchange(WEBSITE, &code).await.json();
    assert_eq!(bench.userinfo(&token).await.json()["headimgurl"], "");
}

#[tokio::test]
async fn auth_and_userinfo_refuse_what_does_not_fit() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "ada").await;
    let token = bench.exchange(WEBSITE, &code).await.json();
    let (access, openid) = (token["access_token"].as_str().unwrap(), token["openid"].as_str().unwrap());
    for call in ["auth", "userinfo"] {
        let path = |query: &str| format!("/api.weixin.qq.com/sns/{call}?{query}");
        let ask = async |query: &str, errcode, text| {
            assert_errcode(&bench.get(&path(query)).await, errcode, text);
        };
        ask("", 41001, "access_token missing").await;
        ask(&format!("access_token={access}"), 41009, "missing openid").await;
        ask(&format!("access_token={access}&openid=o0"), 40003, "invalid openid").await;
        let bad = "invalid credential, access_token is invalid or not latest";
        ask(&format!("access_token=0&openid={openid}"), 40001, bad).await;
    }
    let good = format!("/api.weixin.qq.com/sns/auth?access_token={access}&openid={openid}");
    assert_eq!(bench.get(&good).await.text(), r#"{"errcode":0,"errmsg":"ok"}"#);
    bench.advance_ms(7_200_000);
    assert_errcode(&bench.get(&good).await, 42001, "access_token expired");
}

async fn refresh(bench: &Bench, appid: &str, refresh_token: &Value) -> Got {
    let refresh_token = refresh_token.as_str().unwrap();
    let query = format!("appid={appid}&grant_type=refresh_token&refresh_token={refresh_token}");
    bench.get(&format!("/api.weixin.qq.com/sns/oauth2/refresh_token?{query}")).await
}

#[tokio::test]
async fn refresh_prolongs_a_live_token_and_replaces_an_expired_one() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "ada").await;
    let token = bench.exchange(WEBSITE, &code).await.json();
    bench.advance_ms(7_000_000);
    let got = refresh(&bench, WEBSITE, &token["refresh_token"]).await;
    assert_eq!(field_order(got.text()), ["access_token", "expires_in", "refresh_token", "openid", "scope"]);
    let renewed = got.json();
    assert_eq!(renewed["access_token"], token["access_token"]);
    bench.advance_ms(7_000_000);
    assert_eq!(bench.userinfo(&token).await.json()["nickname"], "Ada", "its two hours began anew");
    bench.advance_ms(200_000);
    let replaced = refresh(&bench, WEBSITE, &token["refresh_token"]).await.json();
    assert_ne!(replaced["access_token"], token["access_token"]);
    assert_errcode(&bench.userinfo(&token).await, 42001, "access_token expired");
    assert_eq!(bench.userinfo(&replaced).await.json()["nickname"], "Ada");
}

#[tokio::test]
async fn refresh_token_lives_thirty_days_and_fits_its_own_app() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "ada").await;
    let token = bench.exchange(WEBSITE, &code).await.json();
    assert_errcode(&refresh(&bench, FOREIGN, &token["refresh_token"]).await, 40030, "invalid refresh_token");
    assert_errcode(&refresh(&bench, "wx0", &token["refresh_token"]).await, 40013, "invalid appid");
    assert_errcode(&refresh(&bench, WEBSITE, &json!("")).await, 41003, "refresh_token missing");
    assert_errcode(&refresh(&bench, WEBSITE, &json!("0")).await, 40030, "invalid refresh_token");
    bench.advance_ms(30 * DAY_MS - 1);
    assert!(refresh(&bench, WEBSITE, &token["refresh_token"]).await.json()["openid"].is_string());
    bench.advance_ms(1);
    assert_errcode(&refresh(&bench, WEBSITE, &token["refresh_token"]).await, 42002, "refresh_token expired");
}

#[tokio::test]
async fn snapshot_is_a_virtual_person_each_time() {
    let bench = Bench::new();
    let mut openids = Vec::new();
    for _ in 0..2 {
        let code = bench.official_code("snsapi_userinfo", "snapshot").await;
        let got = bench.exchange(OFFICIAL, &code).await;
        assert_eq!(
            field_order(got.text()),
            ["access_token", "expires_in", "refresh_token", "openid", "scope", "is_snapshotuser", "unionid"]
        );
        assert_eq!(got.json()["is_snapshotuser"], 1);
        assert_eq!(bench.userinfo(&got.json()).await.json()["nickname"], "微信用户");
        openids.push(got.json()["openid"].clone());
    }
    assert_ne!(openids[0], openids[1]);
    let code = bench.website_code(WEBSITE, "snapshot").await;
    assert!(
        bench.exchange(WEBSITE, &code).await.json().get("is_snapshotuser").is_none(),
        "official accounts only"
    );
}

#[tokio::test]
async fn forced_snapshot_makes_anyone_virtual() {
    let bench = Bench::new();
    let url = format!(
        "http://127.0.0.1:8930{}&forceSnapShot=true",
        crate::bench::authorize(OFFICIAL, "snsapi_userinfo")
    );
    let answered =
        bench.script("/authorize", json!({ "url": url, "person": "ada", "answer": "allow" })).await;
    let code = code_in(answered["redirect"].as_str().unwrap());
    assert_eq!(bench.exchange(OFFICIAL, &code).await.json()["is_snapshotuser"], 1);
}
