//! `[channel.<id>.smtp]`, `.webhook`, `.aliyun`, `.tencent`: who takes the codes of an e-mail or SMS channel to people.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use lettre::message::Mailbox;
use mashang_login::client::is_loopback;
use serde::Deserialize;
use url::Url;

use super::secret::secret_of;
use super::{ConfigError, Hidden};
use crate::message::smtp::{Security, Server, Smtp};
use crate::message::tencent::{self, Tencent};
use crate::message::webhook::Webhook;
use crate::message::{Sender, aliyun};

/// A mail server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSection {
    /// Its name.
    pub host: String,
    /// Its port; 465 or 587 by `security` when absent.
    pub port: Option<u16>,
    /// How the connection is protected; by the port when absent.
    pub security: Option<Security>,
    /// Whom to sign in as.
    pub username: Option<String>,
    /// The password itself …
    pub password: Option<Hidden>,
    /// … or the file that holds it.
    pub password_file: Option<PathBuf>,
    /// The sender of every message, such as `登录 <login@example.com>`.
    pub from: String,
    /// A certificate in PEM that signs the server's.
    pub ca_file: Option<PathBuf>,
    /// WEAKER: `security = "none"` to another machine.
    #[serde(default)]
    pub allow_cleartext: bool,
}

/// The operator's own program.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSection {
    /// Where messages are posted.
    pub url: Url,
    /// The shared secret itself …
    pub secret: Option<Hidden>,
    /// … or the file that holds it.
    pub secret_file: Option<PathBuf>,
}

/// Aliyun SMS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliyunSection {
    /// AccessKey ID.
    pub access_key_id: String,
    /// AccessKey Secret itself …
    pub access_key_secret: Option<Hidden>,
    /// … or the file that holds it.
    pub access_key_secret_file: Option<PathBuf>,
    /// 签名名称.
    pub sign_name: String,
    /// 模板 CODE.
    pub template_code: String,
    /// The same for people who read English.
    pub template_code_en: Option<String>,
    /// The template's variables; `{code}`, `{minutes}` and `{site}` are filled.
    #[serde(default = "code_alone")]
    pub params: BTreeMap<String, String>,
    /// Where the API is.
    #[serde(default = "aliyun_endpoint")]
    pub endpoint: Url,
}

/// Tencent Cloud SMS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TencentSection {
    /// SecretId.
    pub secret_id: String,
    /// SecretKey itself …
    pub secret_key: Option<Hidden>,
    /// … or the file that holds it.
    pub secret_key_file: Option<PathBuf>,
    /// SdkAppId.
    pub app_id: String,
    /// 签名内容.
    pub sign_name: String,
    /// 模板 ID.
    pub template_id: String,
    /// The same for people who read English.
    pub template_id_en: Option<String>,
    /// The template's variables in order; `{code}`, `{minutes}` and `{site}` are filled.
    #[serde(default = "code_and_minutes")]
    pub template_params: Vec<String>,
    /// Which region answers.
    #[serde(default = "guangzhou")]
    pub region: String,
    /// Where the API is.
    #[serde(default = "tencent_endpoint")]
    pub endpoint: Url,
}

fn code_alone() -> BTreeMap<String, String> {
    BTreeMap::from([("code".to_owned(), "{code}".to_owned())])
}

fn code_and_minutes() -> Vec<String> {
    vec!["{code}".into(), "{minutes}".into()]
}

fn guangzhou() -> String {
    "ap-guangzhou".into()
}

fn aliyun_endpoint() -> Url {
    "https://dysmsapi.aliyuncs.com/".parse().expect("an address")
}

fn tencent_endpoint() -> Url {
    "https://sms.tencentcloudapi.com/".parse().expect("an address")
}

/// One sender's section.
#[derive(Debug, Clone, Copy)]
pub enum SenderSection<'a> {
    /// A mail server.
    Smtp(&'a SmtpSection),
    /// The operator's own program.
    Webhook(&'a WebhookSection),
    /// Aliyun SMS.
    Aliyun(&'a AliyunSection),
    /// Tencent Cloud SMS.
    Tencent(&'a TencentSection),
}

impl SenderSection<'_> {
    /// What is wrong with it, in sentences.
    pub(super) fn check(&self, place: &str, wrong: &mut Vec<String>) {
        match self {
            Self::Smtp(section) => section.check(&format!("{place}.smtp"), wrong),
            Self::Webhook(section) => {
                let place = format!("{place}.webhook");
                check_address(&section.url, &format!("{place}.url"), wrong);
                let secret = secret_of(&section.secret, section.secret_file.as_deref());
                secret.check(&place, "secret", "your program's side: openssl rand -hex 32", wrong);
            }
            Self::Aliyun(section) => {
                let place = format!("{place}.aliyun");
                check_address(&section.endpoint, &format!("{place}.endpoint"), wrong);
                let secret = secret_of(&section.access_key_secret, section.access_key_secret_file.as_deref());
                secret.check(&place, "access_key_secret", &section.access_key_id, wrong);
                if section.sign_name.contains(['【', '】']) {
                    wrong.push(format!("{place}.sign_name: without 【】, which Aliyun adds"));
                }
            }
            Self::Tencent(section) => {
                let place = format!("{place}.tencent");
                check_address(&section.endpoint, &format!("{place}.endpoint"), wrong);
                let secret = secret_of(&section.secret_key, section.secret_key_file.as_deref());
                secret.check(&place, "secret_key", &section.secret_id, wrong);
                if section.sign_name.contains(['【', '】']) {
                    wrong.push(format!("{place}.sign_name: without 【】, which Tencent Cloud adds"));
                }
            }
        }
    }

    /// The sender, with its secrets read.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file or setting.
    pub(crate) fn build(&self, place: &str) -> Result<Arc<dyn Sender>, ConfigError> {
        Ok(match self {
            Self::Smtp(section) => Arc::new(Smtp::new(section.server(&format!("{place}.smtp"))?)?),
            Self::Webhook(section) => {
                let secret = secret_of(&section.secret, section.secret_file.as_deref());
                let secret = secret.read(&format!("{place}.webhook"), "secret")?;
                Arc::new(Webhook::new(section.url.clone(), secret)?)
            }
            Self::Aliyun(section) => {
                let secret = secret_of(&section.access_key_secret, section.access_key_secret_file.as_deref());
                let account = aliyun::Account {
                    access_key_id: section.access_key_id.clone(),
                    access_key_secret: secret.read(&format!("{place}.aliyun"), "access_key_secret")?,
                    sign_name: section.sign_name.clone(),
                    template_code: section.template_code.clone(),
                    template_code_en: section.template_code_en.clone(),
                    params: section.params.clone(),
                };
                Arc::new(aliyun::Aliyun::new(section.endpoint.clone(), account)?)
            }
            Self::Tencent(section) => {
                let secret = secret_of(&section.secret_key, section.secret_key_file.as_deref());
                let account = tencent::Account {
                    secret_id: section.secret_id.clone(),
                    secret_key: secret.read(&format!("{place}.tencent"), "secret_key")?,
                    app_id: section.app_id.clone(),
                    sign_name: section.sign_name.clone(),
                    template_id: section.template_id.clone(),
                    template_id_en: section.template_id_en.clone(),
                    template_params: section.template_params.clone(),
                    region: section.region.clone(),
                };
                Arc::new(Tencent::new(section.endpoint.clone(), account)?)
            }
        })
    }
}

impl SmtpSection {
    fn security(&self) -> Security {
        self.security.unwrap_or(if self.port == Some(465) { Security::Tls } else { Security::Starttls })
    }

    fn check(&self, place: &str, wrong: &mut Vec<String>) {
        if self.from.parse::<Mailbox>().is_err() {
            wrong
                .push(format!("{place}.from: `{}` is no sender such as 登录 <login@example.com>", self.from));
        }
        let is_here = format!("smtp://{}", self.host).parse().is_ok_and(|url: Url| is_loopback(&url))
            || matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.security() == Security::None && !is_here && !self.allow_cleartext {
            wrong.push(format!(
                "{place}.security: without TLS everybody on the way to {} reads the codes and the password; use \"tls\" or \"starttls\", or set allow_cleartext = true on a network of your own",
                self.host
            ));
        }
        if self.username.is_some() {
            let password = secret_of(&self.password, self.password_file.as_deref());
            password.check(place, "password", "the mail account", wrong);
        }
    }

    fn server(&self, place: &str) -> Result<Server, ConfigError> {
        let login = match &self.username {
            Some(name) => {
                let password = secret_of(&self.password, self.password_file.as_deref());
                Some((name.clone(), password.read(place, "password")?))
            }
            None => None,
        };
        let authority = match &self.ca_file {
            Some(path) => Some(
                std::fs::read(path)
                    .map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?,
            ),
            None => None,
        };
        let security = self.security();
        let from =
            self.from.parse().map_err(|_| ConfigError::Wrong(vec![format!("{place}.from: not a sender")]))?;
        let port = self.port.unwrap_or(match security {
            Security::Tls => 465,
            Security::Starttls => 587,
            Security::None => 25,
        });
        Ok(Server { host: self.host.clone(), port, security, login, from, authority })
    }
}

/// Codes and keys go there: over TLS, or to this machine.
fn check_address(url: &Url, place: &str, wrong: &mut Vec<String>) {
    let is_fine = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    if !is_fine {
        wrong.push(format!("{place}: `{}` must be https, or on this machine", url.scheme()));
    }
}
