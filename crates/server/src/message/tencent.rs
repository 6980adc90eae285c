//! Tencent Cloud SMS (2021-01-11, `SendSms`), signed by API 3.0's third method (TC3-HMAC-SHA256).

use async_trait::async_trait;
use mashang_login::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Message, Receipt, SendError, Sender, answer, hex, hmac_sha256, http, sha256_hex};
use crate::config::ConfigError;
use crate::web::language::Language;

const PROVIDER: &str = "Tencent Cloud SMS";
const JSON: &str = "application/json; charset=utf-8";

/// A Tencent Cloud account with an SMS app, a signature and a template.
pub struct Tencent {
    endpoint: Url,
    account: Account,
    http: reqwest::Client,
}

/// What an account is made of.
#[derive(Clone)]
pub struct Account {
    /// The key's name …
    pub secret_id: String,
    /// … and its secret.
    pub secret_key: String,
    /// SdkAppId.
    pub app_id: String,
    /// 签名内容.
    pub sign_name: String,
    /// 模板 ID.
    pub template_id: String,
    /// The same for people who read English, if there is one.
    pub template_id_en: Option<String>,
    /// The template's variables, in order.
    pub template_params: Vec<String>,
    /// Which region answers.
    pub region: String,
}

impl std::fmt::Debug for Tencent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tencent").field("sign_name", &self.account.sign_name).finish_non_exhaustive()
    }
}

impl Tencent {
    /// An account, reached at `endpoint`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(endpoint: Url, account: Account) -> Result<Self, ConfigError> {
        let http = http().map_err(|error| ConfigError::Malformed(error.to_string()))?;
        Ok(Self { endpoint, account, http })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Asked<'a> {
    phone_number_set: [&'a str; 1],
    sms_sdk_app_id: &'a str,
    sign_name: &'a str,
    template_id: &'a str,
    template_param_set: Vec<String>,
}

#[async_trait]
impl Sender for Tencent {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let account = &self.account;
        let template_id = match (message.language, &account.template_id_en) {
            (Language::En, Some(template)) => template,
            _ => &account.template_id,
        };
        let body = serde_json::to_string(&Asked {
            phone_number_set: [message.to.expose()],
            sms_sdk_app_id: &account.app_id,
            sign_name: &account.sign_name,
            template_id,
            template_param_set: account.template_params.iter().map(|text| message.fill(text)).collect(),
        })
        .expect("texts are JSON");
        let host = self.endpoint.host_str().unwrap_or_default();
        let host = self.endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let unsigned =
            Unsigned { host: &host, service: "sms", action: "SendSms", at: message.at, body: &body };
        let request = self
            .http
            .post(self.endpoint.clone())
            .header("authorization", authorization(&unsigned, &account.secret_id, &account.secret_key))
            .header("content-type", JSON)
            .header("x-tc-action", "SendSms")
            .header("x-tc-version", "2021-01-11")
            .header("x-tc-region", &account.region)
            .header("x-tc-timestamp", message.at.as_second().to_string())
            .body(body);
        let answered = request.send().await.map_err(|error| SendError::of_http(PROVIDER, error))?;
        let Answer { response } = answer::json(PROVIDER, answered).await?;
        if let Some(error) = response.error {
            return Err(SendError::refused(PROVIDER, &error.code, &error.message));
        }
        match response.send_status_set.and_then(|set| set.into_iter().next()) {
            Some(status) if status.code == "Ok" => Ok(Receipt { id: status.serial_no }),
            Some(status) => Err(SendError::refused(PROVIDER, &status.code, &status.message)),
            None => Err(SendError::down(PROVIDER, "its answer says nothing about the message")),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    error: Option<Refusal>,
    send_status_set: Option<Vec<SendStatus>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal {
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendStatus {
    code: String,
    #[serde(default)]
    message: String,
    serial_no: Option<String>,
}

/// What is signed of a request.
struct Unsigned<'a> {
    host: &'a str,
    service: &'a str,
    action: &'a str,
    at: Timestamp,
    body: &'a str,
}

/// The `Authorization` header.
fn authorization(request: &Unsigned<'_>, id: &str, key: &str) -> String {
    const SIGNED: &str = "content-type;host;x-tc-action";
    let Unsigned { host, service, action, at, body } = request;
    let day = at.strftime("%Y-%m-%d").to_string();
    let action = action.to_lowercase();
    let canonical = format!(
        "POST\n/\n\ncontent-type:{JSON}\nhost:{host}\nx-tc-action:{action}\n\n{SIGNED}\n{}",
        sha256_hex(body.as_bytes())
    );
    let scope = format!("{day}/{service}/tc3_request");
    let to_sign =
        format!("TC3-HMAC-SHA256\n{}\n{scope}\n{}", at.as_second(), sha256_hex(canonical.as_bytes()));
    let of_day = hmac_sha256(format!("TC3{key}").as_bytes(), day.as_bytes());
    let of_service = hmac_sha256(&of_day, service.as_bytes());
    let signing = hmac_sha256(&of_service, b"tc3_request");
    let signature = hex(&hmac_sha256(&signing, to_sign.as_bytes()));
    format!("TC3-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={SIGNED}, Signature={signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_has_the_published_signature() {
        // cloud.tencent.com/document/api/213/30654, whose key really ends in asterisks.
        let unsigned = Unsigned {
            host: "cvm.tencentcloudapi.com",
            service: "cvm",
            action: "DescribeInstances",
            at: Timestamp::from_second(1_551_113_065).unwrap(),
            body: r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#,
        };
        let made = authorization(
            &unsigned,
            "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******",
            "Gu5t9xGARNpq86cd98joQYCN3*******",
        );
        assert_eq!(
            made,
            "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action, Signature=be4f67d323c78ab9acb7395e43c0dbcf822a9cfac32fea2449a7bc7726b770a3"
        );
    }
}
