//! `[legal]`: who runs the installation, at the foot of every page; and the policies that are agreed to before a code is sent.

use http::StatusCode;
use mashang_login::client::ClientSettings;

use crate::account;
use crate::support::{Answer, Device, LoginPage, TestApp};

const LEGAL: &str = r#"
[legal]
operator = "样例 <b>&{{ issuer }} 公司"
contact = "privacy@example.com"
privacy_url = "https://www.example.com/privacy?a=1&b={{ version }}"
terms_url = "https://www.example.com/terms"
icp = "京ICP备12345678号-1"
police_filing = "京公网安备 11010502000001号"
"#;
const POLICY: &str = "[legal]\nprivacy_url = \"https://www.example.com/privacy\"\n";
const TERMS: &str = "[legal]\nterms_url = \"https://www.example.com/terms\"\n";
const SMS: &str = "[channel.sms]\nkind = \"sms\"\norder = 4\n";
const NUMBER: &str = "138 0013 8000";

async fn with(sections: &[&str]) -> TestApp {
    TestApp::with_config(&sections.join("\n")).await
}

/// As a browser reads it.
fn read(html: &str) -> String {
    html.replace("&#x2f;", "/").replace("&amp;", "&")
}

fn tells_everything(html: &str, where_from: &str) {
    let (_, foot) =
        html.split_once("<footer class=\"foot\">").unwrap_or_else(|| panic!("{where_from}: {html}"));
    let foot = read(foot);
    for told in [
        "样例 &lt;b&gt;&&#123;&#123; issuer }} 公司",
        "href=\"mailto:privacy@example.com\"",
        "href=\"https://www.example.com/privacy?a=1&b=&#123;&#123; version }}\" target=\"_blank\" rel=\"noopener noreferrer\"",
        "href=\"https://www.example.com/terms\"",
        "href=\"https://beian.miit.gov.cn/\" target=\"_blank\" rel=\"noopener noreferrer\">京ICP备12345678号-1</a>",
        "href=\"https://beian.mps.gov.cn/#/query/webSearch?code=11010502000001\"",
        ">京公网安备 11010502000001号</a>",
    ] {
        assert!(foot.contains(told), "{where_from}: {told} in {foot}");
    }
}

#[tokio::test]
async fn every_page_says_who_runs_it_and_leads_to_the_policies() {
    let app = with(&[LEGAL, SMS]).await;
    let client = app.app.records.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    let settings = ClientSettings { consent: true, ..client.settings.clone() };
    app.save_client(mashang_login::client::Client { settings, ..client }).await;
    let person = app.person("小明").await;
    let browser = app.desktop();

    let page = app.open_login(&browser).await;
    tells_everything(&page.html, "login");
    let phone = app.phone();
    tells_everything(&phone.get(&format!("/s/{}", page.ticket)).await.body, "what WeChat will ask");
    let token = app.scan(&phone, &page.ticket, &person).await;
    tells_everything(&phone.get(&format!("/s/{}/confirm", page.ticket)).await.body, "confirm");
    let approved = app.approve(&phone, &page, &token, &page.number).await;
    tells_everything(&phone.get(approved.location()).await.body, "phone's result");
    app.pass(std::time::Duration::from_secs(1));
    let consent = page.redeem().await;
    tells_everything(&browser.get(&consent).await.body, "consent");
    account::sign_in(&app, &app.desktop(), &person).await;
    for path in ["/", "/account", "/logout", "/nowhere", "/login/x/y", "/authorize"] {
        tells_everything(&browser.get(path).await.body, path);
    }
    let english = app.desktop().with("accept-language", "en").get("/").await.body;
    assert!(english.contains(">Privacy policy</a>") && english.contains(">Terms of use</a>"), "{english}");
    let chinese = app.desktop().get("/").await.body;
    assert!(chinese.contains(">隐私政策</a>") && chinese.contains(">用户协议</a>"), "{chinese}");
}

#[tokio::test]
async fn where_nothing_is_told_no_page_has_a_foot_and_nobody_is_asked_to_agree() {
    let app = with(&[SMS]).await;
    let page = open(&app, &app.desktop()).await;
    for html in [&page.html, &app.desktop().get("/").await.body] {
        assert!(!html.contains("class=\"foot\"") && !html.contains("agreed"), "{html}");
    }
    let document = app.desktop().get("/.well-known/openid-configuration").await.json();
    assert!(document.get("op_policy_uri").is_none() && document.get("op_tos_uri").is_none());
    assert_eq!(send(&page, NUMBER, false).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn only_what_is_set_is_shown() {
    let app = with(&["[legal]\noperator = \"样例公司\"\ncontact = \"010-12345678\"\n", SMS]).await;
    let page = open(&app, &app.desktop()).await;
    let foot = page.html.split_once("<footer class=\"foot\">").unwrap().1;
    assert!(foot.contains("样例公司") && foot.contains("010-12345678"), "{foot}");
    assert!(!foot.contains("<a "), "a number leads nowhere: {foot}");
    assert!(!page.html.contains("agreed"), "there is nothing to agree to");
    let at_a_page = with(&["[legal]\ncontact = \"https://www.example.com/help\"\n"]).await;
    let home = read(&at_a_page.desktop().get("/").await.body);
    assert!(
        home.contains("href=\"https://www.example.com/help\"") && home.contains(">联系我们</a>"),
        "{home}"
    );
}

#[tokio::test]
async fn a_page_inside_the_login_pages_frame_has_no_foot() {
    let app = with(&[LEGAL]).await;
    let framed = app.desktop().get("/channel/web/returned?outcome=approved").await;
    assert_eq!(framed.status, StatusCode::OK);
    assert!(framed.body.contains("in-frame") && !framed.body.contains("class=\"foot\""), "{}", framed.body);
}

#[tokio::test]
async fn websites_find_the_policies_in_the_discovery_document() {
    let app = with(&[LEGAL]).await;
    let document = app.desktop().get("/.well-known/openid-configuration").await.json();
    assert_eq!(document["op_policy_uri"], "https://www.example.com/privacy?a=1&b={{ version }}");
    assert_eq!(document["op_tos_uri"], "https://www.example.com/terms");
}

async fn open(app: &TestApp, browser: &Device) -> LoginPage {
    app.open_login_with(browser, &[("login_hint", "sms")]).await
}

async fn send(page: &LoginPage, to: &str, agreed: bool) -> Answer {
    let form = [("to", to), ("agreed", "yes")];
    let form = if agreed { &form[..] } else { &form[..1] };
    page.browser.post(&format!("{}?channel=sms", page.url("code/send")), form).await
}

fn box_of(html: &str) -> &str {
    let from = html.find("<input id=\"agreed\"").unwrap_or_else(|| panic!("no box in {html}"));
    html[from..].split('>').next().unwrap()
}

#[tokio::test]
async fn a_code_is_sent_only_to_whoever_agreed_and_what_was_typed_stays() {
    let app = with(&[LEGAL, SMS]).await;
    let page = open(&app, &app.desktop()).await;
    assert!(box_of(&page.html).contains(" required") && !box_of(&page.html).contains("checked"));
    let label = read(&page.html);
    assert!(label.contains("我已阅读并同意<a href=\"https://www.example.com/privacy?a=1&b="), "{label}");
    assert!(label.contains(">《隐私政策》</a>和<a href=\"https://www.example.com/terms\""), "{label}");

    let refused = send(&page, NUMBER, false).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("请阅读后勾选同意"), "{}", refused.body);
    assert!(refused.body.contains(&format!("value=\"{NUMBER}\"")), "the number is still there");
    let again = box_of(&refused.body);
    assert!(again.contains("aria-describedby=\"agreed-complaint\" autofocus") && !again.contains("checked"));

    let mistyped = send(&page, "139", true).await;
    assert!(box_of(&mistyped.body).contains(" checked"), "nobody agrees twice: {}", mistyped.body);

    assert_eq!(send(&page, NUMBER, true).await.status, StatusCode::SEE_OTHER);
    let step = page.browser.get(&format!("{}?channel=sms", page.path.split('?').next().unwrap())).await.body;
    assert!(step.contains("one-time-code") && step.contains("name=\"agreed\" value=\"yes\""), "{step}");
}

#[tokio::test]
async fn the_box_names_the_policies_there_are_in_the_readers_language() {
    let english = |app: &TestApp| app.desktop().with("accept-language", "en");
    let app = with(&[POLICY, SMS]).await;
    let page = open(&app, &english(&app)).await;
    let html = read(&page.html);
    assert!(
        html.contains("I have read and agree to the <a href=\"https://www.example.com/privacy\"")
            && !html.contains("terms"),
        "{html}"
    );
    let refused = send(&page, NUMBER, false).await;
    assert!(refused.body.contains("Please tick the box if you agree"), "{}", refused.body);
    let app = with(&[TERMS, SMS]).await;
    let html = read(&open(&app, &english(&app)).await.html);
    assert!(
        html.contains("I have read and agree to the <a href=\"https://www.example.com/terms\""),
        "{html}"
    );
}

#[tokio::test]
async fn whoever_is_known_already_is_asked_only_when_a_number_is_added() {
    let closed = "[channel.sms]\nkind = \"sms\"\norder = 4\nsign_up = false\n";
    let app = with(&[POLICY, closed]).await;
    let page = open(&app, &app.desktop()).await;
    assert!(!page.html.contains("agreed"), "{}", page.html);
    assert_eq!(send(&page, NUMBER, false).await.status, StatusCode::SEE_OTHER);

    let browser = app.desktop();
    account::sign_in(&app, &browser, &app.person("小明").await).await;
    let link = account::press_link(&browser, "sms").await;
    let page = app.login_page(&browser, &link).await;
    box_of(&page.html);
    assert_eq!(send(&page, NUMBER, false).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(send(&page, NUMBER, true).await.status, StatusCode::SEE_OTHER);
}
