//! What became of an authorization that a person gave to an app (WeChat fact sheet §7): withdrawn, gone with their account, or
//! their profile was changed. The platform asks then that what the app holds of it is deleted.

use super::xml::Event;
use crate::ids::{AppId, OpenId};

/// All that the person had allowed.
const EVERYTHING: &str = "301";
/// Name and picture.
const PROFILE: &str = "205";
/// Items that are nothing an app learns by a login: address, invoice, card, microphone, location, media.
const OTHER_ITEMS: [&str; 6] = ["201", "202", "203", "204", "206", "207"];

/// News of one person's authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationNews {
    /// Whose it was. `FromUserName` is not they, but the platform's push service.
    pub openid: OpenId,
    /// For which app, where the event says it: an openid means nothing in another.
    pub appid: Option<AppId>,
    /// What happened.
    pub change: AuthorizationChange,
}

/// What happened to an authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorizationChange {
    /// `user_authorization_cancellation`: the person closed their account.
    Cancelled,
    /// `user_authorization_revoke` of everything: delete what is held of them.
    Revoked,
    /// `user_authorization_revoke` of name and picture, or `user_info_modified`, after which the platform's own are others: forget both.
    ProfileWithdrawn,
    /// `user_authorization_revoke` of items that no login tells.
    OtherItems,
}

/// News that does not say what it must. Never carries what it says instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event about an authorization whose {field} is missing or unknown")]
pub struct UnreadableNews {
    field: &'static str,
}

impl AuthorizationNews {
    /// The news that an event tells; `None` for every other event.
    ///
    /// # Errors
    /// When it cannot be told whose authorization it was, or what of it was withdrawn.
    pub fn of(event: &Event) -> Result<Option<Self>, UnreadableNews> {
        let change = if event.is_event("user_authorization_cancellation") {
            AuthorizationChange::Cancelled
        } else if event.is_event("user_info_modified") {
            AuthorizationChange::ProfileWithdrawn
        } else if event.is_event("user_authorization_revoke") {
            revoked(either(event, ["RevokeInfo", "revokeinfo"]).unwrap_or_default())?
        } else {
            return Ok(None);
        };
        // Samples write both in lower case too.
        let openid = either(event, ["OpenID", "openid"]).and_then(|text| text.parse().ok());
        let openid = openid.ok_or(UnreadableNews { field: "OpenID" })?;
        let appid = match either(event, ["AppID", "appid"]) {
            Some(text) => Some(text.parse().map_err(|_| UnreadableNews { field: "AppID" })?),
            None => None,
        };
        Ok(Some(Self { openid, appid, change }))
    }
}

/// The first of two spellings that says something.
fn either<'a>(event: &'a Event, names: [&str; 2]) -> Option<&'a str> {
    names.into_iter().filter_map(|name| event.get(name)).map(str::trim).find(|text| !text.is_empty())
}

/// Several items are taken for as many codes; an item that nobody knows is not guessed at, as deleting cannot be undone.
fn revoked(info: &str) -> Result<AuthorizationChange, UnreadableNews> {
    let items = || info.split(|c: char| !c.is_ascii_alphanumeric()).filter(|item| !item.is_empty());
    let unknown = |item: &str| item != EVERYTHING && item != PROFILE && !OTHER_ITEMS.contains(&item);
    if items().next().is_none() || items().any(unknown) {
        return Err(UnreadableNews { field: "RevokeInfo" });
    }
    if items().any(|item| item == EVERYTHING) {
        return Ok(AuthorizationChange::Revoked);
    }
    let has_profile = items().any(|item| item == PROFILE);
    Ok(if has_profile { AuthorizationChange::ProfileWithdrawn } else { AuthorizationChange::OtherItems })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENID: &str = "oGZUI0egBJY1zhBYw2KhdUfwVJJE";

    fn news(event: &str, more: &str) -> Result<Option<AuthorizationNews>, UnreadableNews> {
        let text = format!(
            "<xml><ToUserName>gh_1</ToUserName><FromUserName>gh_push_service</FromUserName><CreateTime>1</CreateTime>\
             <MsgType>event</MsgType><Event>{event}</Event>{more}</xml>"
        );
        AuthorizationNews::of(&Event::parse(text.as_bytes()).unwrap())
    }

    fn change(event: &str, revoke: &str) -> Option<AuthorizationChange> {
        let more = format!("<OpenID>{OPENID}</OpenID><AppID>wx5a9d0b0c0de00002</AppID>{revoke}");
        news(event, &more).ok().flatten().map(|news| news.change)
    }

    #[test]
    fn the_person_is_the_openid_and_not_the_sender_in_either_spelling() {
        for more in [
            format!("<OpenID>{OPENID}</OpenID><AppID>wx5a9d0b0c0de00002</AppID>"),
            format!("<openid>{OPENID}</openid><appid>wx5a9d0b0c0de00002</appid>"),
        ] {
            let told = news("user_info_modified", &more).unwrap().unwrap();
            assert_eq!(told.openid.as_str(), OPENID);
            assert_eq!(told.appid.unwrap().as_str(), "wx5a9d0b0c0de00002");
            assert_eq!(told.change, AuthorizationChange::ProfileWithdrawn);
        }
    }

    #[test]
    fn each_item_means_what_the_platform_says() {
        use AuthorizationChange::{Cancelled, OtherItems, ProfileWithdrawn, Revoked};
        let revoke =
            |items: &str| change("user_authorization_revoke", &format!("<RevokeInfo>{items}</RevokeInfo>"));
        assert_eq!(revoke("301"), Some(Revoked));
        assert_eq!(revoke("205"), Some(ProfileWithdrawn));
        assert_eq!(revoke("201,205"), Some(ProfileWithdrawn));
        assert_eq!(revoke("205;301"), Some(Revoked));
        for other in ["201", "202", "203", "204", "206", "207"] {
            assert_eq!(revoke(other), Some(OtherItems), "{other}");
        }
        for unknown in ["", "999", "301x", "all"] {
            assert_eq!(revoke(unknown), None, "{unknown}");
        }
        assert_eq!(change("user_authorization_cancellation", ""), Some(Cancelled));
    }

    #[test]
    fn news_without_a_person_is_an_error_and_other_events_are_none() {
        for more in ["", "<OpenID></OpenID>", "<OpenID>x y</OpenID>"] {
            assert!(news("user_authorization_cancellation", more).is_err(), "{more}");
        }
        let other = format!("<OpenID>{OPENID}</OpenID>");
        assert_eq!(news("subscribe", &other), Ok(None));
        assert!(news("user_info_modified", &format!("{other}<AppID>no app</AppID>")).is_err());
    }
}
