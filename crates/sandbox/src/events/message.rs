//! What an account is told: events and a person's messages, as elements (WeChat fact sheet §4.6).

use serde::{Deserialize, Serialize};

use super::xml::Element;

/// Who sends news of an authorization, in the person's place (WeChat fact sheet §7).
const PUSH_SERVICE: &str = "gh_push_service";

/// What a person did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Happening {
    /// A follower scanned a parametric code.
    Scan {
        scene: String,
        #[serde(default)]
        ticket: String,
    },
    /// Somebody followed; with a scene when a parametric code led there.
    Subscribe {
        scene: Option<String>,
        #[serde(default)]
        ticket: String,
    },
    Unsubscribe,
    /// The person took back what they had allowed: 301 for all of it, 205 for name and picture.
    AuthorizationRevoked {
        revoke: String,
    },
    /// The person closed their WeChat account.
    AuthorizationCancelled,
    /// WeChat changed or cleared the person's name or picture.
    ProfileModified,
    /// Typed into the chat.
    Text {
        content: String,
    },
}

/// One message, before it is protected. The same one is sent again when a delivery fails.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The account's original id.
    pub(crate) to: String,
    /// The person's openid.
    pub(crate) from: String,
    pub(crate) appid: String,
    pub(crate) create_time_s: i64,
    /// Only messages of people carry it.
    pub(crate) msg_id: i64,
    pub(crate) happening: Happening,
}

impl Message {
    /// In the order of the documentation's samples; a plain follow has an empty EventKey.
    pub(crate) fn elements(&self) -> Vec<Element> {
        let text = |name, value: &str| Element::Text(name, value.to_owned());
        let kind = if matches!(self.happening, Happening::Text { .. }) { "text" } else { "event" };
        let mut elements = vec![
            text("ToUserName", &self.to),
            text("FromUserName", if self.is_of_an_authorization() { PUSH_SERVICE } else { &self.from }),
            Element::Number("CreateTime", self.create_time_s),
            text("MsgType", kind),
        ];
        match &self.happening {
            Happening::Scan { scene, ticket } => {
                elements.extend([text("Event", "SCAN"), text("EventKey", scene), text("Ticket", ticket)])
            }
            Happening::Subscribe { scene: Some(scene), ticket } => elements.extend([
                text("Event", "subscribe"),
                text("EventKey", &format!("qrscene_{scene}")),
                text("Ticket", ticket),
            ]),
            Happening::Subscribe { scene: None, .. } => {
                elements.extend([text("Event", "subscribe"), text("EventKey", "")]);
            }
            Happening::Unsubscribe => elements.extend([text("Event", "unsubscribe"), text("EventKey", "")]),
            Happening::AuthorizationRevoked { revoke } => {
                elements.extend(self.authorization("user_authorization_revoke"));
                elements.push(text("RevokeInfo", revoke));
            }
            Happening::AuthorizationCancelled => {
                elements.extend(self.authorization("user_authorization_cancellation"));
            }
            // The documentation's sample of this one writes both in lower case.
            Happening::ProfileModified => elements.extend([
                text("Event", "user_info_modified"),
                text("openid", &self.from),
                text("appid", &self.appid),
            ]),
            Happening::Text { content } => {
                elements.extend([text("Content", content), Element::Number("MsgId", self.msg_id)]);
            }
        }
        elements
    }

    fn authorization(&self, event: &str) -> [Element; 3] {
        [
            Element::Text("Event", event.to_owned()),
            Element::Text("OpenID", self.from.clone()),
            Element::Text("AppID", self.appid.clone()),
        ]
    }

    fn is_of_an_authorization(&self) -> bool {
        matches!(
            self.happening,
            Happening::AuthorizationRevoked { .. }
                | Happening::AuthorizationCancelled
                | Happening::ProfileModified
        )
    }
}
