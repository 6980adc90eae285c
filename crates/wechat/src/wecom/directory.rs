//! News of the company's directory (通讯录变更事件), as they arrive at a [callback](crate::callback): who left, who is
//! switched off, whose id changed.
//!
//! A hint that saves waiting for the next login, where [`Client::member`](crate::Client::member) is asked anyway: news
//! can be lost, and only the callback of the directory sync (通讯录同步) or of a provider's app hears them.

use super::ids::MemberId;
use super::member::MemberStatus;
use crate::callback::Event;

/// What happened to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectoryChange {
    /// They are no longer in the directory. End their sessions.
    Left(MemberId),
    /// Somebody was given this id. Whoever had it before is gone, should that news have been lost.
    Joined(MemberId),
    /// An administrator switched them off. End their sessions.
    Disabled(MemberId),
    /// Their id changed; WeCom allows that once. It is the same person.
    Renamed {
        /// The id by which they are known so far.
        from: MemberId,
        /// The id they have now.
        to: MemberId,
    },
}

/// A directory event that does not say what it must. Never carries what it says instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a directory event whose {field} is missing or no id")]
pub struct UnreadableChange {
    field: &'static str,
}

impl DirectoryChange {
    /// The changes that an event tells of, in the order in which to carry them out. Empty for every other event, and
    /// for changes that say nothing about who may log in: another department, a new phone number.
    ///
    /// # Errors
    /// When a member left or changed and it cannot be told who.
    pub fn all_in(event: &Event) -> Result<Vec<Self>, UnreadableChange> {
        if !event.is_event("change_contact") {
            return Ok(Vec::new());
        }
        match event.get("ChangeType") {
            Some("create_user") => Ok(vec![Self::Joined(member(event, "UserID")?)]),
            Some("delete_user") => Ok(vec![Self::Left(member(event, "UserID")?)]),
            Some("update_user") => Self::of_update(event),
            _ => Ok(Vec::new()),
        }
    }

    /// An update names the member by the old id and lists what changed, which can be several things at once.
    fn of_update(event: &Event) -> Result<Vec<Self>, UnreadableChange> {
        let mut id = member(event, "UserID")?;
        let mut changes = Vec::new();
        if event.get("NewUserID").is_some_and(|text| !text.is_empty()) {
            let to = member(event, "NewUserID")?;
            // Another spelling of the same id is no change.
            if to != id {
                changes.push(Self::Renamed { from: id, to: to.clone() });
            }
            id = to;
        }
        match event.get("Status").and_then(MemberStatus::from_text) {
            Some(MemberStatus::Disabled) => changes.push(Self::Disabled(id)),
            Some(MemberStatus::Left) => changes.push(Self::Left(id)),
            _ => {}
        }
        Ok(changes)
    }
}

fn member(event: &Event, field: &'static str) -> Result<MemberId, UnreadableChange> {
    event.get(field).and_then(|text| text.trim().parse().ok()).ok_or(UnreadableChange { field })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(rest: &str) -> Result<Vec<DirectoryChange>, UnreadableChange> {
        let xml = format!(
            "<xml><ToUserName><![CDATA[ww7dc5f02540a109d3]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
             <CreateTime>1403610513</CreateTime><MsgType><![CDATA[event]]></MsgType>\
             <Event><![CDATA[change_contact]]></Event>{rest}</xml>"
        );
        DirectoryChange::all_in(&Event::parse(xml.as_bytes()).unwrap())
    }

    fn id(text: &str) -> MemberId {
        text.parse().unwrap()
    }

    #[test]
    fn who_left_is_told() {
        let left =
            changes("<ChangeType><![CDATA[delete_user]]></ChangeType><UserID><![CDATA[ZhangSan]]></UserID>");
        assert_eq!(left, Ok(vec![DirectoryChange::Left(id("zhangsan"))]));
    }

    #[test]
    fn who_is_given_an_id_is_told() {
        let joined =
            changes("<ChangeType>create_user</ChangeType><UserID>zhangsan</UserID><Status>4</Status>");
        assert_eq!(joined, Ok(vec![DirectoryChange::Joined(id("ZhangSan"))]));
    }

    #[test]
    fn an_update_may_rename_and_switch_off_at_once() {
        let update = "<ChangeType>update_user</ChangeType><UserID>zhangsan</UserID>";
        let renamed = DirectoryChange::Renamed { from: id("zhangsan"), to: id("zhangsan001") };
        let new_id = "<NewUserID>zhangsan001</NewUserID>";
        assert_eq!(changes(&format!("{update}{new_id}")), Ok(vec![renamed.clone()]));
        assert_eq!(
            changes(&format!("{update}{new_id}<Status>2</Status><IsLeaderInDept>0,1</IsLeaderInDept>")),
            Ok(vec![renamed, DirectoryChange::Disabled(id("zhangsan001"))])
        );
        assert_eq!(
            changes(&format!("{update}<Status>5</Status>")),
            Ok(vec![DirectoryChange::Left(id("zhangsan"))])
        );
    }

    #[test]
    fn what_says_nothing_about_logging_in_is_no_change() {
        for rest in [
            "<ChangeType>update_user</ChangeType><UserID>zhangsan</UserID><Mobile>13800000000</Mobile>",
            "<ChangeType>update_user</ChangeType><UserID>zhangsan</UserID><Status>1</Status>",
            "<ChangeType>update_user</ChangeType><UserID>zhangsan</UserID><NewUserID>ZhangSan</NewUserID>",
            "<ChangeType>delete_party</ChangeType><Id>2</Id>",
            "",
        ] {
            assert_eq!(changes(rest), Ok(Vec::new()), "{rest}");
        }
    }

    #[test]
    fn an_event_that_is_not_of_the_directory_is_no_change() {
        let event = "<xml><MsgType>event</MsgType><Event>enter_agent</Event><ChangeType>delete_user</ChangeType>\
                     <UserID>zhangsan</UserID></xml>";
        assert_eq!(DirectoryChange::all_in(&Event::parse(event.as_bytes()).unwrap()), Ok(Vec::new()));
    }

    #[test]
    fn a_leaver_without_an_id_is_no_silence() {
        for rest in [
            "<ChangeType>delete_user</ChangeType>",
            "<ChangeType>delete_user</ChangeType><UserID></UserID>",
            "<ChangeType>update_user</ChangeType><UserID>zhangsan</UserID><NewUserID>张三</NewUserID>",
        ] {
            let unreadable = changes(rest).unwrap_err();
            assert!(!unreadable.to_string().contains('张'), "{rest}");
        }
    }
}
