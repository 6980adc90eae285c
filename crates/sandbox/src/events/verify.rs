//! URL verification, as the console does when the server settings are saved (WeChat fact sheet §4.5).

use thiserror::Error;

use super::delivery::TIMEOUT;
use super::envelope::{EnvelopeKey, signature};
use super::target::EventTarget;
use crate::ids;
use crate::state::Sandbox;

/// Why the settings were not saved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Unverified {
    #[error("url is an http or https address without user and password")]
    Url,
    #[error("token is 3 to 32 letters and digits")]
    Token,
    #[error("aes_key is 43 letters and digits")]
    AesKey,
    #[error("请求URL超时: nothing answered GET within 5 seconds, or nobody listens there")]
    Unreachable,
    #[error("GET was answered with status {0}, not 200")]
    Status(u16),
    #[error("token验证失败: the body of the answer is not exactly echostr")]
    Echo,
}

/// Checks the settings and asks the address to echo a text.
pub(crate) async fn verify(sandbox: &Sandbox, target: &EventTarget) -> Result<(), Unverified> {
    check(target)?;
    let timestamp = (sandbox.now_ms() / 1000).to_string();
    let nonce = ids::digits(sandbox.entropy(), 10);
    let echo = ids::digits(sandbox.entropy(), 19);
    let signed = signature(&[&target.token, &timestamp, &nonce]);
    let mut url = target.url.clone();
    url.query_pairs_mut().extend_pairs([
        ("signature", signed.as_str()),
        ("echostr", &echo),
        ("timestamp", &timestamp),
        ("nonce", &nonce),
    ]);
    let client = sandbox.http().ok_or(Unverified::Unreachable)?;
    let exchange = async {
        let response = client.get(url).send().await?;
        let status = response.status();
        Ok::<_, reqwest::Error>((status, response.bytes().await?))
    };
    match tokio::time::timeout(TIMEOUT, exchange).await {
        Err(_) | Ok(Err(_)) => Err(Unverified::Unreachable),
        Ok(Ok((status, _))) if status != reqwest::StatusCode::OK => Err(Unverified::Status(status.as_u16())),
        Ok(Ok((_, body))) if body != echo.as_bytes() => Err(Unverified::Echo),
        Ok(Ok(_)) => Ok(()),
    }
}

fn check(target: &EventTarget) -> Result<(), Unverified> {
    let url = &target.url;
    let plain_url =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    let token = (3..=32).contains(&target.token.len())
        && target.token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let aes_key = EnvelopeKey::parse(&target.aes_key).is_some()
        && target.aes_key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match (plain_url, token, aes_key) {
        (false, _, _) => Err(Unverified::Url),
        (_, false, _) => Err(Unverified::Token),
        (_, _, false) => Err(Unverified::AesKey),
        _ => Ok(()),
    }
}
