//! Who uses the pretend WeChat: a handful of people ready made, and any that are made later.
//!
//! Their openids are not kept here; `ids` derives them from a person's id.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids;

/// More than anyone will make by hand, and a bound for what a script may make.
const MOST_PEOPLE: usize = 1000;
/// Number of colours that the style sheet and the avatar painter know.
pub(crate) const COLOURS: u8 = 8;

/// One WeChat user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Shown on the phone pages; may be empty.
    pub(crate) emoji: String,
    /// Index into the palette, below [`COLOURS`].
    pub(crate) colour: u8,
    /// Sees official-account pages as a snapshot: virtual openid, `is_snapshotuser` (§3).
    pub(crate) snapshot: bool,
    /// `headimgurl` is empty.
    pub(crate) no_avatar: bool,
    /// The nickname ends in emoji made of several code points.
    pub(crate) emoji_nickname: bool,
}

impl Person {
    /// What `/sns/userinfo` and the phone show.
    pub(crate) fn nickname(&self) -> String {
        if self.emoji_nickname {
            format!("{}🎉👩‍🚀🏳️‍🌈", self.name)
        } else {
            self.name.clone()
        }
    }

    /// The path of the current picture below the avatar host, or nothing. It changes with the picture (§2.5).
    pub(crate) fn avatar_path(&self) -> Option<String> {
        if self.no_avatar {
            return None;
        }
        let key = ids::hex_key(&["avatar", &self.id, &self.emoji], 30);
        Some(format!("/mmopen/vi_32/{:02x}{key}/132", self.colour))
    }
}

/// What may be said about a person; absent fields stay as they are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PersonChange {
    /// Only when making one: the wanted id, `[a-z0-9-]{1,32}`. Without it a random one.
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) emoji: Option<String>,
    pub(crate) colour: Option<u8>,
    pub(crate) snapshot: Option<bool>,
    pub(crate) no_avatar: Option<bool>,
    pub(crate) emoji_nickname: Option<bool>,
}

/// Why a person was not made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum PersonRefusal {
    #[error("a name has 1 to 64 characters")]
    Name,
    #[error("an id is 1 to 32 of a-z, 0-9 and -, and stays as it is")]
    Id,
    #[error("this id is taken")]
    Taken,
    #[error("an emoji is at most 40 bytes")]
    Emoji,
    #[error("a colour is a number from 0 to 7")]
    Colour,
    #[error("there are people enough; POST /sandbox/api/reset begins anew")]
    TooMany,
    #[error("no such person")]
    Unknown,
}

/// Everybody, in the order in which they are shown.
#[derive(Debug)]
pub(crate) struct People(Vec<Person>);

impl Default for People {
    /// Three ordinary people, and one for each thing that surprises clients.
    fn default() -> Self {
        let person = |id: &str, name: &str, emoji: &str, colour| Person {
            id: id.to_owned(),
            name: name.to_owned(),
            emoji: emoji.to_owned(),
            colour,
            snapshot: false,
            no_avatar: false,
            emoji_nickname: false,
        };
        Self(vec![
            person("xiaoming", "小明", "🐯", 0),
            person("xiaohong", "小红", "🌸", 1),
            person("ada", "Ada", "🦉", 2),
            Person { emoji_nickname: true, ..person("emoji", "小橘子", "🍊", 3) },
            Person { no_avatar: true, ..person("plain", "没有头像", "", 4) },
            Person { snapshot: true, ..person("snapshot", "快照用户", "👻", 5) },
        ])
    }
}

impl People {
    pub(crate) fn all(&self) -> &[Person] {
        &self.0
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Person> {
        self.0.iter().find(|person| person.id == id)
    }

    /// Makes a person; `fresh_id` is used unless the change names one.
    pub(crate) fn make(&mut self, fresh_id: String, change: PersonChange) -> Result<Person, PersonRefusal> {
        if self.0.len() >= MOST_PEOPLE {
            return Err(PersonRefusal::TooMany);
        }
        let id = change.id.clone().unwrap_or(fresh_id);
        let well_formed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if id.is_empty() || id.len() > 32 || !id.bytes().all(well_formed) {
            return Err(PersonRefusal::Id);
        }
        if self.get(&id).is_some() {
            return Err(PersonRefusal::Taken);
        }
        let colour = (self.0.len() % usize::from(COLOURS)) as u8;
        let blank = Person {
            id,
            name: String::new(),
            emoji: String::new(),
            colour,
            snapshot: false,
            no_avatar: false,
            emoji_nickname: false,
        };
        let person = changed(blank, change)?;
        self.0.push(person.clone());
        Ok(person)
    }

    /// Changes a person in place.
    pub(crate) fn change(&mut self, id: &str, change: PersonChange) -> Result<Person, PersonRefusal> {
        let person = self.0.iter_mut().find(|person| person.id == id).ok_or(PersonRefusal::Unknown)?;
        if change.id.as_deref().is_some_and(|wanted| wanted != id) {
            return Err(PersonRefusal::Id);
        }
        *person = changed(person.clone(), change)?;
        Ok(person.clone())
    }
}

fn changed(mut person: Person, change: PersonChange) -> Result<Person, PersonRefusal> {
    if let Some(name) = change.name {
        person.name = name.trim().to_owned();
    }
    if !(1..=64).contains(&person.name.chars().count()) {
        return Err(PersonRefusal::Name);
    }
    if let Some(emoji) = change.emoji {
        person.emoji = emoji.trim().to_owned();
    }
    if person.emoji.len() > 40 {
        return Err(PersonRefusal::Emoji);
    }
    person.colour = change.colour.unwrap_or(person.colour);
    if person.colour >= COLOURS {
        return Err(PersonRefusal::Colour);
    }
    person.snapshot = change.snapshot.unwrap_or(person.snapshot);
    person.no_avatar = change.no_avatar.unwrap_or(person.no_avatar);
    person.emoji_nickname = change.emoji_nickname.unwrap_or(person.emoji_nickname);
    Ok(person)
}
