//! Identities on the command line: named without showing a whole openid (promise 10), found by that name, unlinked.

use anyhow::bail;
use mashang_login::Clock;
use mashang_login::accounts::{Unlinked, others_of_account};
use mashang_login::ambient::SystemClock;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::identity::Identity;
use mashang_server::open;

use super::user_id;
use crate::args::UnlinkUser;

/// Fewest characters of a subject that are shown. Openids of one app begin alike, so it takes some.
const SHOWN: usize = 8;

pub(super) async fn unlink(asked: &UnlinkUser) -> anyhow::Result<()> {
    let user = user_id(&asked.user)?;
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let identities = records.identities_of(&user).await?;
    let identity = find(&identities, &asked.identity)?;
    let (name, now) = (name(identity, &identities), SystemClock.now());
    match records.unlink_identity(&user, &identity.key, now).await? {
        Unlinked::Done => {}
        Unlinked::LastOne => bail!(
            "{name} is the only way {user} can sign in, so it stays; to keep them out, `mashang user disable {user}`"
        ),
        Unlinked::NotYours => bail!("{user} has no {name} any more"),
    }
    let mut event = AuditEvent::new(now, AuditKind::IdentityUnlinked);
    event.user = Some(user.clone());
    event.channel = Some(identity.channel.clone());
    records.record(&event).await?;
    say!("{name} does not lead to {user} any more, and what was signed in by it is signed out");
    for other in others_of_account(identity, &identities) {
        let other = self::name(other, &identities);
        say!("The same WeChat account still leads there by {other}: unlink that too if it should not");
    }
    Ok(())
}

/// `kind:app:beginning…`, with as much of the subject as tells it apart from the person's others, but never all of it.
pub(super) fn name(identity: &Identity, all: &[Identity]) -> String {
    let key = &identity.key;
    let subject: Vec<char> = key.subject.chars().collect();
    let beginning = |length: usize| subject[..length].iter().collect::<String>();
    let most = subject.len().saturating_sub(1);
    let is_told_apart = |length: &usize| {
        let beginning = beginning(*length);
        let alike = all.iter().filter(|one| one.key.kind == key.kind && one.key.app == key.app);
        alike.filter(|one| one.key.subject.starts_with(&beginning)).count() <= 1
    };
    let length = (SHOWN.min(subject.len() / 2)..=most).find(is_told_apart).unwrap_or(most);
    format!("{}:{}:{}…", key.kind.as_str(), key.app, beginning(length))
}

/// The one identity that `text` names, with as many characters of its subject as one likes.
fn find<'a>(identities: &'a [Identity], text: &str) -> anyhow::Result<&'a Identity> {
    let text = text.strip_suffix('…').unwrap_or(text);
    let is_meant = |one: &&Identity| {
        let lead = format!("{}:{}:", one.key.kind.as_str(), one.key.app);
        text.strip_prefix(&lead).is_some_and(|beginning| one.key.subject.starts_with(beginning))
    };
    let mut meant = identities.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(identity), None) => Ok(identity),
        (Some(_), Some(_)) => bail!("the person has several that begin so; give more of it"),
        (None, _) => bail!("the person has no such way to sign in; see `mashang user show`"),
    }
}

#[cfg(test)]
mod tests {
    use mashang_login::identity::{Attributes, ChannelKind, IdentityKey, Profile};

    use super::*;

    fn identity(app: &str, subject: &str) -> Identity {
        let now = SystemClock.now();
        Identity {
            key: IdentityKey { kind: ChannelKind::WechatOfficial, app: app.into(), subject: subject.into() },
            union: None,
            user: "person".parse().unwrap(),
            channel: "wechat".parse().unwrap(),
            profile: Profile::default(),
            attributes: Attributes::default(),
            created_at: now,
            last_used_at: now,
        }
    }

    #[test]
    fn what_show_names_unlink_finds() {
        let all = [
            identity("wx1", "oGZUI0egBJY1zhBYw2KhdUfwVJJE"),
            identity("wx1", "oGZUI0egBJY1zhBYw2KhdUfwVJJF"),
            identity("wx2", "oGZUI0egBJY1zhBYw2KhdUfwVJJE"),
            identity("https://issuer.example", "ab"),
        ];
        for one in &all[2..] {
            let name = name(one, &all);
            assert_eq!(find(&all, &name).unwrap(), one, "{name}");
            assert!(!name.contains(&one.key.subject), "promise 10: {name}");
        }
        let whole = format!("wechat-official:wx1:{}", all[1].key.subject);
        assert_eq!(find(&all, &whole).unwrap(), &all[1]);
    }

    #[test]
    fn too_little_or_a_wrong_name_finds_nobody() {
        let all = [identity("wx1", "openid-1"), identity("wx1", "openid-2")];
        for text in
            ["", "wx1", "wechat-official:wx1:", "wechat-official:wx1:openid", "wechat-open:wx1:openid-1"]
        {
            assert!(find(&all, text).is_err(), "{text}");
        }
        assert!(find(&[], "wechat-official:wx1:openid").is_err());
    }
}
