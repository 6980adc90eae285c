//! Takes an app's token from another system of the operator's, which alone fetches it from the platform: two systems that
//! both call WeChat's `cgi-bin/token` end each other's tokens (WeChat fact sheet §4.1).

use std::time::Duration;

use async_trait::async_trait;
use mashang_wechat::{AccessToken, IssuedToken};
use serde::Deserialize;
use url::Url;

use super::config::HubKey;
use super::failure::TheirsFailure;
use super::{Failure, Supply};
use crate::outgoing;

/// Time for one call (SEC-85).
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;
/// Longest token; WeChat's have up to 512 characters.
const LONGEST_TOKEN: usize = 2048;

/// The operator's system that hands out the token.
#[derive(Debug)]
pub struct Theirs {
    url: Url,
    key: HubKey,
    http: reqwest::Client,
}

/// What it answers: the same as WeChat itself.
#[derive(Deserialize)]
struct Handed {
    access_token: String,
    expires_in: u64,
}

impl Theirs {
    /// The system at `url`. Only this address is called, directly and without following redirects (SEC-70).
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(url: Url, key: HubKey) -> Result<Self, reqwest::Error> {
        let http = outgoing::direct(Duration::from_secs(2), PATIENCE).build()?;
        Ok(Self { url, key, http })
    }

    /// Asks for the token.
    async fn take(&self) -> Result<IssuedToken, TheirsFailure> {
        let request = self.http.get(self.url.clone()).bearer_auth(self.key.expose());
        let answer = request.send().await.map_err(|_| TheirsFailure::Unreachable)?;
        match answer.status().as_u16() {
            200 => {}
            status @ (401 | 403) => return Err(TheirsFailure::Refused(status)),
            status => return Err(TheirsFailure::Status(status)),
        }
        let body = outgoing::body(answer, ANSWER_LIMIT).await.map_err(|_| TheirsFailure::Unreachable)?;
        body.as_deref().and_then(read).ok_or(TheirsFailure::Malformed)
    }

    /// Tells that the platform no longer takes a token. A system that does not know this call has its own way to find
    /// out, so its answer only matters to whoever looks for a cause.
    async fn report(&self, bad: &AccessToken) {
        let report = serde_json::json!({ "invalid": bad.expose() });
        let request = self.http.post(self.url.clone()).bearer_auth(self.key.expose()).json(&report);
        match request.send().await {
            Ok(answer) => {
                tracing::debug!("token_source was told of a dead token: HTTP {}", answer.status().as_u16())
            }
            Err(_) => tracing::debug!("token_source could not be told of a dead token"),
        }
    }
}

/// A token goes into the query of calls, so it must be plain.
fn read(body: &[u8]) -> Option<IssuedToken> {
    let handed: Handed = serde_json::from_slice(body).ok()?;
    let is_plain = handed.access_token.bytes().all(|byte| byte.is_ascii_graphic());
    let is_sound = is_plain
        && (1..=LONGEST_TOKEN).contains(&handed.access_token.len())
        && (1..=u64::from(u32::MAX)).contains(&handed.expires_in);
    is_sound
        .then(|| IssuedToken { token: AccessToken::new(handed.access_token), expires_in: handed.expires_in })
}

#[async_trait]
impl Supply for Theirs {
    async fn fetch(&self, instead_of: Option<&AccessToken>) -> Result<IssuedToken, Failure> {
        if let Some(bad) = instead_of {
            self.report(bad).await;
        }
        self.take().await.map_err(Failure::Theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_token_with_a_life_is_read() {
        let good = read(br#"{"access_token":"70_Ab-c_d","expires_in":7200,"more":1}"#).unwrap();
        assert_eq!((good.token.expose(), good.expires_in), ("70_Ab-c_d", 7200));
        for bad in [
            "",
            "null",
            "{}",
            r#"{"access_token":"","expires_in":7200}"#,
            r#"{"access_token":"a b","expires_in":7200}"#,
            r#"{"access_token":"a\n","expires_in":7200}"#,
            r#"{"access_token":"a","expires_in":0}"#,
            r#"{"access_token":"a","expires_in":-1}"#,
            r#"{"access_token":"a","expires_in":"7200"}"#,
            r#"{"access_token":"a","expires_in":1e99}"#,
            r#"{"access_token":7,"expires_in":7200}"#,
            r#"{"errcode":40001,"errmsg":"invalid"}"#,
            r#"{"access_token":"a","expires_in":7200}x"#,
        ] {
            assert!(read(bad.as_bytes()).is_none(), "{bad}");
        }
        let long = "t".repeat(LONGEST_TOKEN + 1);
        assert!(read(format!(r#"{{"access_token":"{long}","expires_in":1}}"#).as_bytes()).is_none());
    }
}
