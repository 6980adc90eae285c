//! `mashang user list` and `mashang user show`.

use anyhow::bail;
use mashang_login::accounts::Merge;
use mashang_login::ambient::SystemClock;
use mashang_login::user::User;
use mashang_login::{Clock, Timestamp};
use mashang_server::channel::email;
use mashang_server::open;

use super::{identity, named, user_id};
use crate::args::{ListUsers, OneUser};

pub(super) async fn list(asked: &ListUsers) -> anyhow::Result<()> {
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let mut people = Vec::new();
    for spelling in spellings(&asked.search) {
        people = records.users(&spelling, asked.limit).await?;
        if !people.is_empty() {
            break;
        }
    }
    if people.is_empty() {
        say!("nobody");
    }
    for person in people {
        say!("{}  since {}{}", named(&person), day(person.created_at), standing(&person));
    }
    Ok(())
}

pub(super) async fn show(asked: &OneUser) -> anyhow::Result<()> {
    let id = user_id(&asked.id)?;
    let config = asked.file.load()?;
    let (records, credentials) = open::people(&config).await?;
    let Some(person) = records.user(&id).await? else { bail!("there is no person {id}") };
    say!("{}  since {}{}", named(&person), day(person.created_at), standing(&person));
    let identities = records.identities_of(&id).await?;
    let password = credentials.password_of(&id).await?;
    let passkeys = credentials.passkeys_of(&id).await?;
    for one in &identities {
        let union = one.union.as_ref().map(|union| format!(", unionid of {}", union.platform));
        let username = password.as_ref().filter(|password| password.key == one.key);
        let passkey = passkeys.iter().find(|passkey| passkey.key == one.key);
        let called = username
            .map(|password| format!(" ({})", password.username))
            .or_else(|| passkey.map(|passkey| format!(" \"{}\"", passkey.name)));
        say!(
            "  signs in by {}{} through channel {}, since {}, last on {}{}",
            identity::name(one, &identities),
            called.unwrap_or_default(),
            one.channel,
            day(one.created_at),
            day(one.last_used_at),
            union.unwrap_or_default(),
        );
    }
    for session in records.sessions_of(&id, SystemClock.now()).await? {
        say!(
            "  signed in on {} from {} since {}, by {}",
            session.device,
            session.address,
            minute(session.auth_time),
            session.amr
        );
    }
    let merges = records.merges().await?;
    for merge in merges.iter().filter(|merge| merge.from == id || merge.into == id) {
        say!("  {}", told(merge));
    }
    Ok(())
}

/// As it was typed, and as an address or a mainland number is kept.
fn spellings(search: &str) -> Vec<String> {
    let mut spellings = vec![search.to_owned()];
    spellings.extend(email::normalized(search));
    let digits: String = search.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if digits.len() == 11 && digits.bytes().all(|b| b.is_ascii_digit()) {
        spellings.push(format!("+86{digits}"));
    } else if digits != search {
        spellings.push(digits);
    }
    spellings
}

fn told(merge: &Merge) -> String {
    let undone = merge.undone_at.map(|at| format!(", undone on {}", day(at))).unwrap_or_default();
    format!("merge {}: {} into {} on {}{undone}", merge.id, merge.from, merge.into, day(merge.merged_at))
}

fn standing(person: &User) -> String {
    let mut standing = String::new();
    if person.disabled_at.is_some() {
        standing.push_str(", switched off");
    }
    if let Some(into) = &person.merged_into {
        standing.push_str(&format!(", merged into {into}"));
    }
    standing
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

pub(crate) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::spellings;

    #[test]
    fn people_are_looked_for_as_addresses_and_numbers_are_kept() {
        assert_eq!(spellings("Ada@Example.com"), ["Ada@Example.com", "ada@example.com"]);
        assert_eq!(spellings("138 0013 8000"), ["138 0013 8000", "+8613800138000"]);
        assert_eq!(spellings("+86 138-0013-8000")[1], "+8613800138000");
        assert_eq!(spellings("小明"), ["小明"]);
    }
}
