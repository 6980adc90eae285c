//! Directory events (通讯录变更): who left, who was switched off, who is called otherwise now (WeCom fact sheet §12).
//!
//! Signed and encrypted always. Five seconds, three tries; any answer with status 200 ends them.

use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use super::corp::Member;
use crate::events::{Element, EnvelopeKey, EventTarget, signature, write};
use crate::ids;
use crate::state::Sandbox;

const TIMEOUT: Duration = Duration::from_secs(5);
const TRIES: usize = 3;

/// What a company is told about one member.
#[expect(clippy::enum_variant_names, reason = "WeCom's own words, which are told as they are")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change_type", rename_all = "snake_case")]
pub(super) enum Change {
    /// Was given this id.
    CreateUser { userid: String },
    /// Left the company.
    DeleteUser { userid: String },
    /// Any other change. `status` and `new_userid` are told when they changed.
    UpdateUser { userid: String, new_userid: Option<String>, status: Option<u8> },
}

impl Change {
    /// The difference, as far as WeCom tells it.
    pub(super) fn between(before: &Member, after: &Member) -> Self {
        let userid = before.userid.clone();
        if after.status == super::corp::MemberStatus::Left {
            return Self::DeleteUser { userid };
        }
        Self::UpdateUser {
            userid,
            new_userid: (after.userid != before.userid).then(|| after.userid.clone()),
            status: (after.status != before.status).then(|| after.status.number()),
        }
    }

    fn elements(&self, corpid: &str, create_time_s: i64) -> Vec<Element> {
        let text = |name, value: &str| Element::Text(name, value.to_owned());
        let mut elements = vec![
            text("ToUserName", corpid),
            text("FromUserName", "sys"),
            Element::Number("CreateTime", create_time_s),
            text("MsgType", "event"),
            text("Event", "change_contact"),
        ];
        match self {
            Self::CreateUser { userid } => {
                elements.extend([text("ChangeType", "create_user"), text("UserID", userid)]);
            }
            Self::DeleteUser { userid } => {
                elements.extend([text("ChangeType", "delete_user"), text("UserID", userid)]);
            }
            Self::UpdateUser { userid, new_userid, status } => {
                elements.extend([text("ChangeType", "update_user"), text("UserID", userid)]);
                elements.extend(new_userid.as_deref().map(|id| text("NewUserID", id)));
                elements.extend(status.map(|status| Element::Number("Status", status.into())));
            }
        }
        elements
    }
}

/// One event and how it fared.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    corpid: String,
    change: Change,
    /// The HTTP status of each try; nothing where there was no answer.
    statuses: Vec<Option<u16>>,
}

/// Tells the company's server, and returns how that went; nothing when it has none.
pub(super) async fn tell(sandbox: &Sandbox, corpid: &str, change: Change) -> Option<Delivery> {
    let target = sandbox.world().office.corp(corpid)?.events.clone()?;
    let key = EnvelopeKey::parse(&target.aes_key)?;
    let client = sandbox.http()?;
    let inner = write(&change.elements(corpid, sandbox.now_ms() / 1000));
    let sealed = seal(sandbox, &key, &inner, corpid);
    let url = signed(sandbox, &target, &sealed, None);
    let text = |name, value: &str| Element::Text(name, value.to_owned());
    let body = write(&[text("ToUserName", corpid), text("AgentID", ""), text("Encrypt", &sealed)]);
    let mut statuses = Vec::new();
    while statuses.len() < TRIES && statuses.last() != Some(&Some(200)) {
        let post = client.post(url.clone()).header("content-type", "text/xml").body(body.clone());
        let answer = post.timeout(TIMEOUT).send().await;
        statuses.push(answer.ok().map(|answer| answer.status().as_u16()));
    }
    let delivery = Delivery { corpid: corpid.to_owned(), change, statuses };
    sandbox.world().office.delivered(delivery.clone());
    Some(delivery)
}

fn seal(sandbox: &Sandbox, key: &EnvelopeKey, text: &str, corpid: &str) -> String {
    let mut random = [0u8; 16];
    sandbox.entropy()(&mut random);
    key.seal(random, text.as_bytes(), corpid)
}

/// The target's address with what proves the ciphertext; with `echostr` for the URL check.
fn signed(sandbox: &Sandbox, target: &EventTarget, sealed: &str, echostr: Option<&str>) -> url::Url {
    let timestamp = (sandbox.now_ms() / 1000).to_string();
    let nonce = ids::digits(sandbox.entropy(), 10);
    let proof = signature(&[&target.token, &timestamp, &nonce, sealed]);
    let mut url = target.url.clone();
    url.query_pairs_mut()
        .append_pair("msg_signature", &proof)
        .append_pair("timestamp", &timestamp)
        .append_pair("nonce", &nonce)
        .extend_pairs(echostr.map(|echostr| ("echostr", echostr)));
    url
}

/// Why the settings were not saved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Unverified {
    #[error("url is http or https, token 3 to 32 letters and digits, aes_key 43 letters and digits")]
    Settings,
    #[error("nothing answered GET within 5 seconds with status 200")]
    Unreachable,
    #[error("the body of the answer is not exactly the decrypted echostr")]
    Echo,
}

/// Checks the settings, and asks the address to decrypt a text, as the console does.
pub(super) async fn verify(sandbox: &Sandbox, target: &EventTarget, corpid: &str) -> Result<(), Unverified> {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let token_fits = (3..=32).contains(&target.token.len()) && plain(&target.token);
    let key = EnvelopeKey::parse(&target.aes_key).filter(|_| plain(&target.aes_key) && token_fits);
    let key = key.filter(|_| matches!(target.url.scheme(), "http" | "https")).ok_or(Unverified::Settings)?;
    let echo = ids::digits(sandbox.entropy(), 19);
    let sealed = seal(sandbox, &key, &echo, corpid);
    let url = signed(sandbox, target, &sealed, Some(&sealed));
    let client = sandbox.http().ok_or(Unverified::Unreachable)?;
    let answer = client.get(url).timeout(TIMEOUT).send().await.map_err(|_| Unverified::Unreachable)?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(Unverified::Unreachable);
    }
    let body = answer.bytes().await.map_err(|_| Unverified::Unreachable)?;
    if body == echo.as_bytes() { Ok(()) } else { Err(Unverified::Echo) }
}
