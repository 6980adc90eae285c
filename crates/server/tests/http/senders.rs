//! What takes codes to people, against sockets that refuse, mutilate and stall, and providers that check signatures by code
//! of their own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode};
use mashang_login::Timestamp;
use mashang_server::config::{self, ConfigError};
use mashang_server::message::aliyun::{self, Aliyun};
use mashang_server::message::smtp::{Security, Server, Smtp};
use mashang_server::message::tencent::{self, Tencent};
use mashang_server::message::webhook::Webhook;
use mashang_server::message::{Message, Recipient, SendFailure, Sender};
use mashang_server::web::language::Language;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

fn message(to: Recipient) -> Message {
    Message {
        id: "m3ss4ge-id".into(),
        at: Timestamp::from_second(1_790_000_000).unwrap(),
        to,
        subject: "样例 验证码：012345".into(),
        text: "012345 是您登录“样例”的验证码。".into(),
        code: "012345".into(),
        site: "样例".into(),
        minutes: 10,
        language: Language::ZhCn,
    }
}

fn by_mail() -> Message {
    message(Recipient::Email("ada@example.com".into()))
}

fn by_sms() -> Message {
    message(Recipient::Phone("+8613800138000".into()))
}

/// What a provider was asked, and what it answers.
#[derive(Clone, Default)]
struct Provider {
    asked: Arc<Mutex<Vec<(String, HeaderMap, String)>>>,
    answer: Arc<Mutex<(u16, String)>>,
}

impl Provider {
    async fn start(status: u16, answer: &str) -> (Self, url::Url) {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let this = Self::default();
        *this.answer.lock().unwrap() = (status, answer.to_owned());
        let router = Router::new().fallback(Self::hear).with_state(this.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (this, url)
    }

    async fn hear(
        State(this): State<Self>,
        OriginalUri(uri): OriginalUri,
        headers: HeaderMap,
        body: Bytes,
    ) -> impl IntoResponse {
        let body = String::from_utf8(body.to_vec()).unwrap();
        this.asked.lock().unwrap().push((uri.query().unwrap_or_default().to_owned(), headers, body));
        let (status, answer) = this.answer.lock().unwrap().clone();
        (StatusCode::from_u16(status).unwrap(), [("location", "/elsewhere")], answer)
    }

    fn last(&self) -> (String, HeaderMap, String) {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

fn aliyun(url: url::Url) -> Aliyun {
    let account = aliyun::Account {
        access_key_id: "LTAI".into(),
        access_key_secret: "s3cret".into(),
        sign_name: "码上".into(),
        template_code: "SMS_1".into(),
        template_code_en: Some("SMS_2".into()),
        params: BTreeMap::from([("code".into(), "{code}".into())]),
    };
    Aliyun::new(url, account).unwrap()
}

fn tencent(url: url::Url) -> Tencent {
    let account = tencent::Account {
        secret_id: "AKID".into(),
        secret_key: "s3cret".into(),
        app_id: "1400".into(),
        sign_name: "码上".into(),
        template_id: "1".into(),
        template_id_en: None,
        template_params: vec!["{code}".into(), "{minutes}".into()],
        region: "ap-guangzhou".into(),
    };
    Tencent::new(url, account).unwrap()
}

/// HMAC-SHA256 by another library than the senders use.
fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key), data)
        .as_ref()
        .to_vec()
}

fn sha(data: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, data).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

/// The canonical form of the headers that an `Authorization` names.
fn canonical(headers: &HeaderMap, names: &str) -> String {
    let line = |name: &str| {
        let value = header(headers, name);
        let value = if name == "x-tc-action" { value.to_lowercase() } else { value.to_owned() };
        format!("{name}:{value}\n")
    };
    names.split(';').map(line).collect()
}

fn part<'a>(authorization: &'a str, name: &str) -> &'a str {
    let rest = authorization.split(&format!("{name}=")).nth(1).unwrap();
    rest.split([',', ' ']).next().unwrap()
}

#[tokio::test]
async fn aliyun_is_asked_with_a_signature_that_fits_and_its_receipt_is_kept() {
    let (provider, url) = Provider::start(200, r#"{"Code":"OK","Message":"OK","BizId":"b1z"}"#).await;
    assert_eq!(aliyun(url).send(&by_sms()).await.unwrap().id.as_deref(), Some("b1z"));
    let (query, headers, body) = provider.last();
    let asked: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!(asked["PhoneNumbers"], "13800138000");
    assert_eq!(asked["SignName"], "码上");
    assert_eq!(asked["TemplateCode"], "SMS_1");
    assert_eq!(serde_json::from_str::<Value>(&asked["TemplateParam"]).unwrap(), json!({ "code": "012345" }));
    let authorization = header(&headers, "authorization");
    let names = part(authorization, "SignedHeaders");
    assert!(
        ["host", "x-acs-date", "x-acs-signature-nonce"]
            .iter()
            .all(|name| names.split(';').any(|one| one == *name))
    );
    let whole =
        format!("POST\n/\n{query}\n{}\n{names}\n{}", canonical(&headers, names), sha(body.as_bytes()));
    let signed = hex(&mac(b"s3cret", format!("ACS3-HMAC-SHA256\n{}", sha(whole.as_bytes())).as_bytes()));
    assert_eq!(part(authorization, "Signature"), signed);
    assert_eq!(header(&headers, "x-acs-date"), "2026-09-21T14:13:20Z");
}

#[tokio::test]
async fn tencent_is_asked_with_a_signature_that_fits() {
    let answer = r#"{"Response":{"SendStatusSet":[{"SerialNo":"s1","Code":"Ok","Message":"send success"}],"RequestId":"r"}}"#;
    let (provider, url) = Provider::start(200, answer).await;
    assert_eq!(tencent(url).send(&by_sms()).await.unwrap().id.as_deref(), Some("s1"));
    let (_, headers, body) = provider.last();
    let asked: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(asked["PhoneNumberSet"], json!(["+8613800138000"]));
    assert_eq!(asked["TemplateParamSet"], json!(["012345", "10"]));
    assert_eq!((&asked["SmsSdkAppId"], &asked["TemplateId"]), (&json!("1400"), &json!("1")));
    let authorization = header(&headers, "authorization");
    let names = part(authorization, "SignedHeaders");
    let whole = format!("POST\n/\n\n{}\n{names}\n{}", canonical(&headers, names), sha(body.as_bytes()));
    let to_sign =
        format!("TC3-HMAC-SHA256\n1790000000\n2026-09-21/sms/tc3_request\n{}", sha(whole.as_bytes()));
    let key = ["2026-09-21", "sms", "tc3_request"]
        .iter()
        .fold(b"TC3s3cret".to_vec(), |key, word| mac(&key, word.as_bytes()));
    assert_eq!(part(authorization, "Signature"), hex(&mac(&key, to_sign.as_bytes())));
    assert_eq!(header(&headers, "x-tc-timestamp"), "1790000000");
}

#[tokio::test]
async fn promise_9_what_providers_refuse_is_told_by_its_code() {
    for (answer, failure) in [
        (r#"{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"触发小时级流控"}"#, SendFailure::Often),
        (r#"{"Code":"isv.SMS_SIGNATURE_ILLEGAL","Message":"x"}"#, SendFailure::Setup),
        (r#"{"Code":"isv.MOBILE_NUMBER_ILLEGAL"}"#, SendFailure::Recipient),
        (r#"{"Code":"isv.NEVER_HEARD_OF"}"#, SendFailure::Busy),
    ] {
        let (_, url) = Provider::start(400, answer).await;
        assert_eq!(aliyun(url).send(&by_sms()).await.unwrap_err().failure, failure, "{answer}");
    }
    for (answer, failure) in [
        (
            r#"{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure","Message":"x"}}}"#,
            SendFailure::Setup,
        ),
        (
            r#"{"Response":{"SendStatusSet":[{"Code":"LimitExceeded.PhoneNumberDailyLimit","Message":"x"}]}}"#,
            SendFailure::Often,
        ),
        (r#"{"Response":{"SendStatusSet":[]}}"#, SendFailure::Down),
    ] {
        let (_, url) = Provider::start(200, answer).await;
        assert_eq!(tencent(url).send(&by_sms()).await.unwrap_err().failure, failure, "{answer}");
    }
}

#[tokio::test]
async fn promise_9_garbage_redirects_and_endless_answers_are_no_answers() {
    let endless = "x".repeat(100_000);
    for (status, answer) in
        [(200, ""), (200, "<html>"), (200, "{}"), (302, ""), (500, "{"), (200, endless.as_str())]
    {
        let (provider, url) = Provider::start(status, answer).await;
        let error = aliyun(url.clone()).send(&by_sms()).await.unwrap_err();
        assert_eq!(error.failure, SendFailure::Down, "{status} {error}");
        assert_eq!(tencent(url).send(&by_sms()).await.unwrap_err().failure, SendFailure::Down);
        assert_eq!(
            provider.asked.lock().unwrap().len(),
            2,
            "no redirect is followed, nothing is tried again"
        );
    }
}

#[tokio::test]
async fn promise_9_nobody_there_and_somebody_who_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: url::Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            drop(socket);
        }
    });
    assert_eq!(aliyun(url.clone()).send(&by_sms()).await.unwrap_err().failure, SendFailure::Down);
    let error = Webhook::new(url, "s".into()).unwrap().send(&by_mail()).await.unwrap_err();
    assert!(!error.log.contains("127.0.0.1"), "an address may hold a key: {error}");
}

#[tokio::test]
async fn a_webhook_is_signed_over_time_and_body() {
    let (provider, url) = Provider::start(204, "").await;
    Webhook::new(url, "sh4red".into()).unwrap().send(&by_mail()).await.unwrap();
    let (_, headers, body) = provider.last();
    let signed = format!("{}.{body}", header(&headers, "mashang-timestamp"));
    assert_eq!(
        header(&headers, "mashang-signature"),
        format!("v1={}", hex(&mac(b"sh4red", signed.as_bytes())))
    );
    let posted: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(posted["to"], "ada@example.com");
    assert_eq!(
        (&posted["kind"], &posted["code"], &posted["minutes"]),
        (&json!("email"), &json!("012345"), &json!(10))
    );
}

#[tokio::test]
async fn a_webhook_says_by_its_status_whose_turn_it_is() {
    for (status, failure) in [
        (422, SendFailure::Recipient),
        (429, SendFailure::Often),
        (401, SendFailure::Setup),
        (302, SendFailure::Down),
        (503, SendFailure::Down),
    ] {
        let (_, url) = Provider::start(status, "").await;
        let error = Webhook::new(url, "s".into()).unwrap().send(&by_mail()).await.unwrap_err();
        assert_eq!(error.failure, failure, "{status}");
    }
}

/// A mail server that answers each command by `reply`; what it heard.
async fn mail_server(reply: fn(&str) -> &'static str) -> (u16, Arc<Mutex<String>>) {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(String::new()));
    let hears = heard.clone();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = socket.into_split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"220 mail.test ready\r\n").await.unwrap();
        let mut in_letter = false;
        while let Ok(Some(line)) = lines.next_line().await {
            hears.lock().unwrap().push_str(&format!("{line}\n"));
            let said = match (in_letter, line.as_str()) {
                (true, ".") => reply("."),
                (true, _) => continue,
                (false, command) => reply(command.split([' ', ':']).next().unwrap()),
            };
            in_letter = line == "DATA" || (in_letter && line != ".");
            if writer.write_all(said.as_bytes()).await.is_err() {
                break;
            }
        }
    });
    (port, heard)
}

fn smtp(port: u16, security: Security) -> Smtp {
    let from = "码上 <login@example.com>".parse().unwrap();
    let server = Server { host: "127.0.0.1".into(), port, security, login: None, from, authority: None };
    Smtp::new(server).unwrap()
}

fn polite(command: &str) -> &'static str {
    match command {
        "EHLO" => "250 mail.test\r\n",
        "DATA" => "354 go on\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "250 ok\r\n",
    }
}

#[tokio::test]
async fn a_mail_carries_the_code_to_one_address() {
    let (port, heard) = mail_server(polite).await;
    smtp(port, Security::None).send(&by_mail()).await.unwrap();
    let heard = heard.lock().unwrap().clone();
    assert!(heard.contains("RCPT TO:<ada@example.com>") && heard.contains("From: =?utf-8?"), "{heard}");
    assert!(heard.contains("Message-ID: <m3ss4ge-id@example.com>"), "{heard}");
    assert_eq!(heard.matches("RCPT TO").count(), 1);
}

#[tokio::test]
async fn sec_62_without_starttls_nothing_is_said_in_cleartext() {
    let (port, heard) = mail_server(polite).await;
    let error = smtp(port, Security::Starttls).send(&by_mail()).await.unwrap_err();
    assert!(matches!(error.failure, SendFailure::Down | SendFailure::Setup), "{error}");
    assert!(!heard.lock().unwrap().contains("ada@"), "{}", heard.lock().unwrap());
}

#[tokio::test]
async fn promise_9_what_a_mail_server_refuses_is_told_without_the_address() {
    fn unknown(command: &str) -> &'static str {
        if command == "RCPT" { "550 5.1.1 <ada@example.com>: no such user\r\n" } else { polite(command) }
    }
    fn greylisted(command: &str) -> &'static str {
        if command == "RCPT" { "451 4.7.1 come back\r\n" } else { polite(command) }
    }
    fn garbled(command: &str) -> &'static str {
        if command == "MAIL" { "hello world\r\n" } else { polite(command) }
    }
    for (reply, failure) in [
        (unknown as fn(&str) -> &'static str, SendFailure::Recipient),
        (greylisted, SendFailure::Busy),
        (garbled, SendFailure::Down),
    ] {
        let (port, _) = mail_server(reply).await;
        let error = smtp(port, Security::None).send(&by_mail()).await.unwrap_err();
        assert_eq!(error.failure, failure, "{error}");
        assert!(!error.log.contains("ada@"), "{error}");
    }
}

#[tokio::test]
async fn a_mail_server_is_looked_at_without_a_mail() {
    fn not_you(command: &str) -> &'static str {
        if command == "EHLO" { "554 5.7.1 not you\r\n" } else { polite(command) }
    }
    let (port, heard) = mail_server(polite).await;
    assert!(smtp(port, Security::None).look().await.unwrap());
    let heard = heard.lock().unwrap().clone();
    assert!(heard.contains("EHLO") && !heard.contains("MAIL"), "{heard}");
    let (port, _) = mail_server(not_you).await;
    smtp(port, Security::None).look().await.unwrap_err();
    let (_, url) = Provider::start(200, "").await;
    assert!(!Webhook::new(url, "s".into()).unwrap().look().await.unwrap(), "it would have to send something");
}

#[test]
fn senders_are_configured_with_care() {
    let complaint = |text: &str| match config::from_text(text) {
        Err(ConfigError::Wrong(sentences)) => sentences.join("\n"),
        Err(other) => other.to_string(),
        Ok(_) => String::new(),
    };
    let mail = "[channel.mail]\nkind = \"email\"\n";
    let sms = "[channel.sms]\nkind = \"sms\"\n";
    let smtp = "[channel.mail.smtp]\nhost = \"mail.example.com\"\nfrom = \"login@example.com\"\n";
    assert!(complaint(mail).contains("nobody sends its codes"));
    assert_eq!(complaint(&format!("{mail}{smtp}")), "");
    assert!(complaint(&format!("{mail}{smtp}security = \"none\"\n")).contains("allow_cleartext"));
    assert_eq!(complaint(&format!("{mail}{smtp}security = \"none\"\nallow_cleartext = true\n")), "");
    assert!(complaint(&format!("{mail}{smtp}username = \"x\"\n")).contains("password_file"));
    assert!(
        complaint(&format!("{mail}[channel.mail.smtp]\nhost = \"h\"\nfrom = \"nobody\"\n")).contains("from")
    );
    let hook = "[channel.sms.webhook]\nsecret = \"0123456789abcdef\"\n";
    assert!(complaint(&format!("{sms}{hook}url = \"http://sms.example.com/\"\n")).contains("must be https"));
    assert_eq!(complaint(&format!("{sms}{hook}url = \"https://sms.example.com/\"\n")), "");
    assert!(
        complaint(&format!("{sms}countries = [\"XX\"]\n{hook}url = \"https://x.example/\"\n")).contains("CN")
    );
    let aliyun =
        "[channel.sms.aliyun]\naccess_key_id = \"L\"\naccess_key_secret = \"0123\"\ntemplate_code = \"S\"\n";
    assert!(complaint(&format!("{sms}{aliyun}sign_name = \"【码上】\"\n")).contains("without 【】"));
    assert!(
        complaint(&format!("{sms}{aliyun}sign_name = \"码上\"\n{hook}url = \"https://x.example/\"\n"))
            .contains("one sender")
    );
}

#[tokio::test(start_paused = true)]
async fn promise_9_whoever_takes_a_message_and_never_answers_is_given_up() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url: url::Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            silent.push(socket);
        }
    });
    let began = tokio::time::Instant::now();
    assert_eq!(tencent(url).send(&by_sms()).await.unwrap_err().failure, SendFailure::Down);
    assert_eq!(smtp(port, Security::Tls).send(&by_mail()).await.unwrap_err().failure, SendFailure::Down);
    assert!(began.elapsed().as_secs() <= 30, "{:?}", began.elapsed());
}
