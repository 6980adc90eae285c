//! Directory events (通讯录变更): who left, who was switched off, who is called otherwise now (WeCom fact sheet §12).
//!
//! Signed and encrypted always. Five seconds, three tries; any answer with status 200 ends them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::corp::{Member, MemberStatus};
use crate::events::{Element, EnvelopeKey, EventTarget, Flaw, Packing, Parcel, Style, signature};
use crate::ids;
use crate::state::Sandbox;

const TIMEOUT: Duration = Duration::from_secs(5);
const TRIES: usize = 3;

/// What a company is told about one member.
#[expect(clippy::enum_variant_names, reason = "WeCom's own words, which are told as they are")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change_type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Change {
    /// Was given this id.
    CreateUser { userid: String },
    /// Left the company.
    DeleteUser { userid: String },
    /// Any other change. `status` and `new_userid` are told when they changed.
    UpdateUser { userid: String, new_userid: Option<String>, status: Option<u8> },
}

impl Change {
    /// The difference, as far as WeCom tells it. Who left is in no directory: to come back is to be created, and whatever
    /// else is changed meanwhile is nobody's news.
    pub(super) fn between(before: &Member, after: &Member) -> Option<Self> {
        let userid = before.userid.clone();
        let gone = |member: &Member| member.status == MemberStatus::Left;
        match (gone(before), gone(after)) {
            (true, true) => None,
            (true, false) => Some(Self::CreateUser { userid: after.userid.clone() }),
            (false, true) => Some(Self::DeleteUser { userid }),
            (false, false) => Some(Self::UpdateUser {
                userid,
                new_userid: (after.userid != before.userid).then(|| after.userid.clone()),
                status: (after.status != before.status).then(|| after.status.number()),
            }),
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
    let target = target(sandbox, corpid)?;
    let parcel = pack(sandbox, &target, corpid, &change, None)?;
    let mut statuses = Vec::new();
    while statuses.len() < TRIES && statuses.last() != Some(&Some(200)) {
        statuses.push(post(sandbox, &target, &parcel).await);
    }
    Some(kept(sandbox, corpid, change, statuses))
}

/// Where a company's events go now.
pub(super) fn target(sandbox: &Sandbox, corpid: &str) -> Option<EventTarget> {
    sandbox.world().office.corp(corpid)?.events.clone()
}

/// Nothing when the EncodingAESKey of the target is no key.
pub(super) fn pack(
    sandbox: &Sandbox,
    target: &EventTarget,
    corpid: &str,
    change: &Change,
    flaw: Option<Flaw>,
) -> Option<Parcel> {
    let now_ms = sandbox.now_ms();
    let elements = change.elements(corpid, now_ms / 1000);
    Packing { target, receiver: corpid, elements, style: Style::Corp, now_ms, flaw }.pack(sandbox.entropy())
}

/// A script's delivery: once, as it was packed.
pub(super) async fn deliver_once(
    sandbox: &Sandbox,
    target: &EventTarget,
    corpid: &str,
    change: Change,
    parcel: &Parcel,
) -> Delivery {
    let status = post(sandbox, target, parcel).await;
    kept(sandbox, corpid, change, vec![status])
}

fn kept(sandbox: &Sandbox, corpid: &str, change: Change, statuses: Vec<Option<u16>>) -> Delivery {
    let delivery = Delivery { corpid: corpid.to_owned(), change, statuses };
    sandbox.world().office.delivered(delivery.clone());
    delivery
}

/// The HTTP status, when there was an answer.
async fn post(sandbox: &Sandbox, target: &EventTarget, parcel: &Parcel) -> Option<u16> {
    let mut url = target.url.clone();
    url.query_pairs_mut().extend_pairs(&parcel.query);
    let post = sandbox.http()?.post(url).header("content-type", "text/xml").body(parcel.body.clone());
    Some(post.timeout(TIMEOUT).send().await.ok()?.status().as_u16())
}

fn seal(sandbox: &Sandbox, key: &EnvelopeKey, text: &str, corpid: &str) -> String {
    let mut random = [0u8; 16];
    sandbox.entropy()(&mut random);
    key.seal(random, text.as_bytes(), corpid)
}

/// The target's address for the URL check: the ciphertext to open, and what proves it.
fn echo_url(sandbox: &Sandbox, target: &EventTarget, sealed: &str) -> url::Url {
    let timestamp = (sandbox.now_ms() / 1000).to_string();
    let nonce = ids::digits(sandbox.entropy(), 10);
    let proof = signature(&[&target.token, &timestamp, &nonce, sealed]);
    let mut url = target.url.clone();
    url.query_pairs_mut()
        .append_pair("msg_signature", &proof)
        .append_pair("timestamp", &timestamp)
        .append_pair("nonce", &nonce)
        .append_pair("echostr", sealed);
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
    let url = echo_url(sandbox, target, &sealed);
    let client = sandbox.http().ok_or(Unverified::Unreachable)?;
    let answer = client.get(url).timeout(TIMEOUT).send().await.map_err(|_| Unverified::Unreachable)?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(Unverified::Unreachable);
    }
    let body = answer.bytes().await.map_err(|_| Unverified::Unreachable)?;
    if body == echo.as_bytes() { Ok(()) } else { Err(Unverified::Echo) }
}
