//! Aliyun SMS (Dysmsapi 2017-05-25, `SendSms`), signed by signature version 3 (ACS3-HMAC-SHA256).
//!
//! All parameters are in the query and the body is empty, as for every API of Aliyun's RPC style.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use async_trait::async_trait;
use serde::Deserialize;
use url::Url;

use super::{Message, Receipt, SendError, Sender, answer, hex, hmac_sha256, http, sha256_hex};
use crate::config::ConfigError;
use crate::web::language::Language;

const PROVIDER: &str = "Aliyun SMS";

/// An Aliyun account with a signature and a template.
pub struct Aliyun {
    endpoint: Url,
    account: Account,
    http: reqwest::Client,
}

/// What an account is made of.
#[derive(Clone)]
pub struct Account {
    /// The access key's name …
    pub access_key_id: String,
    /// … and its secret.
    pub access_key_secret: String,
    /// 签名名称.
    pub sign_name: String,
    /// 模板 CODE.
    pub template_code: String,
    /// The same for people who read English, if there is one.
    pub template_code_en: Option<String>,
    /// The template's variables.
    pub params: BTreeMap<String, String>,
}

impl std::fmt::Debug for Aliyun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aliyun").field("sign_name", &self.account.sign_name).finish_non_exhaustive()
    }
}

impl Aliyun {
    /// An account, reached at `endpoint`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(endpoint: Url, account: Account) -> Result<Self, ConfigError> {
        let http = http().map_err(|error| ConfigError::Malformed(error.to_string()))?;
        Ok(Self { endpoint, account, http })
    }

    fn query(&self, message: &Message) -> String {
        let template = match (message.language, &self.account.template_code_en) {
            (Language::En, Some(template)) => template,
            _ => &self.account.template_code,
        };
        let filled: BTreeMap<&str, String> =
            self.account.params.iter().map(|(name, text)| (name.as_str(), message.fill(text))).collect();
        let params = serde_json::to_string(&filled).expect("a map of texts is JSON");
        // Inside the mainland without a country code, elsewhere with one and without the plus.
        let number = message.to.expose();
        let number = number.strip_prefix("+86").unwrap_or(number.trim_start_matches('+'));
        canonical_query(&[
            ("PhoneNumbers", number),
            ("SignName", &self.account.sign_name),
            ("TemplateCode", template),
            ("TemplateParam", &params),
        ])
    }
}

#[async_trait]
impl Sender for Aliyun {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let query = self.query(message);
        let host = authority(&self.endpoint);
        let headers = signed_headers(
            &Unsigned {
                host: &host,
                action: "SendSms",
                version: "2017-05-25",
                date: message.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                nonce: &message.id,
                query: &query,
            },
            &self.account.access_key_id,
            &self.account.access_key_secret,
        );
        let mut address = self.endpoint.clone();
        address.set_query(Some(&query));
        let mut request = self.http.post(address);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answered = request.send().await.map_err(|error| SendError::of_http(PROVIDER, error))?;
        let said: Answer = answer::json(PROVIDER, answered).await?;
        if said.code == "OK" {
            return Ok(Receipt { id: said.biz_id });
        }
        Err(SendError::refused(PROVIDER, &said.code, &said.message))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    code: String,
    #[serde(default)]
    message: String,
    biz_id: Option<String>,
}

/// Host and, where it is not the usual one, port.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What is signed of a request with an empty body.
struct Unsigned<'a> {
    host: &'a str,
    action: &'a str,
    version: &'a str,
    date: String,
    nonce: &'a str,
    query: &'a str,
}

/// The headers of a request, `authorization` last.
fn signed_headers(request: &Unsigned<'_>, id: &str, secret: &str) -> Vec<(&'static str, String)> {
    let body = sha256_hex(b"");
    // In the order in which they are signed.
    let mut headers = vec![
        ("host", request.host.to_owned()),
        ("x-acs-action", request.action.to_owned()),
        ("x-acs-content-sha256", body.clone()),
        ("x-acs-date", request.date.clone()),
        ("x-acs-signature-nonce", request.nonce.to_owned()),
        ("x-acs-version", request.version.to_owned()),
    ];
    let mut canonical = String::new();
    for (name, value) in &headers {
        let _ = writeln!(canonical, "{name}:{value}");
    }
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let whole = format!("POST\n/\n{}\n{canonical}\n{names}\n{body}", request.query);
    let to_sign = format!("ACS3-HMAC-SHA256\n{}", sha256_hex(whole.as_bytes()));
    let signature = hex(&hmac_sha256(secret.as_bytes(), to_sign.as_bytes()));
    let authorization =
        format!("ACS3-HMAC-SHA256 Credential={id},SignedHeaders={names},Signature={signature}");
    headers.push(("authorization", authorization));
    headers
}

/// Sorted and percent-encoded by RFC 3986, as it is signed and sent.
fn canonical_query(pairs: &[(&str, &str)]) -> String {
    let sorted: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
    sorted.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_has_the_published_signature() {
        // help.aliyun.com, "V3版本请求体&签名机制", 固定参数示例.
        let query = canonical_query(&[
            ("RegionId", "cn-shanghai"),
            ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
        ]);
        let request = Unsigned {
            host: "ecs.cn-shanghai.aliyuncs.com",
            action: "RunInstances",
            version: "2014-05-26",
            date: "2023-10-26T10:22:32Z".into(),
            nonce: "3156853299f313e23d1673dc12e1703d",
            query: &query,
        };
        let headers = signed_headers(&request, "YourAccessKeyId", "YourAccessKeySecret");
        assert_eq!(
            headers.last().unwrap().1,
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    #[test]
    fn values_are_encoded_as_rfc_3986_says() {
        assert_eq!(encoded("码 上*~'"), "%E7%A0%81%20%E4%B8%8A%2A~%27");
    }
}
