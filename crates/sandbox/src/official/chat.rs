//! What a person and an official account have between them: following, messages, and when the account may write.

use std::collections::VecDeque;

use serde::Serialize;

use super::ticket::Scene;
use crate::state::Bounded;

/// What the person sees when the account's server does not answer well (§4.7).
pub(crate) const OUT_OF_ORDER: &str = "该公众号暂时无法提供服务，请稍后再试";
/// Messages kept of one chat.
const MOST_BUBBLES: usize = 200;
const MINUTE_MS: i64 = 60_000;
const TWO_DAYS_MS: i64 = 48 * 3_600_000;

/// One message, as the phone shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Bubble {
    pub(crate) from: Side,
    pub(crate) text: String,
}

/// Who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Person,
    Account,
}

/// Everything between one person and one account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chat {
    /// Since when the person follows, in unix milliseconds.
    pub(crate) followed_ms: Option<i64>,
    /// The code that led to following.
    pub(crate) followed_by: Option<Scene>,
    /// The ticket of a code scanned before following; 关注 reports it.
    pub(crate) asked_by: Option<String>,
    pub(crate) bubbles: VecDeque<Bubble>,
    windows: Vec<Window>,
}

/// A span in which the account may send so many messages (§4.10).
#[derive(Clone, Debug)]
struct Window {
    until_ms: i64,
    left: u8,
}

/// Why the account may not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// 45015
    WindowPassed,
    /// 45047
    TooMany,
}

impl Chat {
    fn add(&mut self, from: Side, text: &str) {
        if self.bubbles.len() == MOST_BUBBLES {
            self.bubbles.pop_front();
        }
        self.bubbles.push_back(Bubble { from, text: text.to_owned() });
    }

    /// The person said something: five messages within two days.
    pub(crate) fn say(&mut self, text: &str, now_ms: i64) {
        self.add(Side::Person, text);
        self.open_window(now_ms + TWO_DAYS_MS, 5);
    }

    /// The person scanned or followed: three messages within a minute.
    pub(crate) fn touched(&mut self, now_ms: i64) {
        self.open_window(now_ms + MINUTE_MS, 3);
    }

    fn open_window(&mut self, until_ms: i64, left: u8) {
        // A newer occasion of the same kind replaces the older one.
        self.windows.retain(|window| (until_ms - window.until_ms).abs() > TWO_DAYS_MS / 2 && window.left > 0);
        self.windows.push(Window { until_ms, left });
    }

    /// A customer-service message of the account, if it may send one now.
    pub(crate) fn receive(&mut self, text: &str, now_ms: i64) -> Result<(), Silence> {
        if self.followed_ms.is_none() {
            return Err(Silence::WindowPassed);
        }
        let mut open = self.windows.iter_mut().filter(|window| now_ms < window.until_ms).peekable();
        if open.peek().is_none() {
            return Err(Silence::WindowPassed);
        }
        let window = open.find(|window| window.left > 0).ok_or(Silence::TooMany)?;
        window.left -= 1;
        self.add(Side::Account, text);
        Ok(())
    }
}

/// All chats, by appid and person.
pub(crate) struct Chats(Bounded<(String, String), Chat>);

impl Chats {
    pub(crate) fn new(most: usize) -> Self {
        Self(Bounded::new(most))
    }

    pub(crate) fn get(&self, appid: &str, person: &str) -> Chat {
        self.0.get(&(appid.to_owned(), person.to_owned())).cloned().unwrap_or_default()
    }

    /// The chat, begun if there was none.
    pub(crate) fn of(&mut self, appid: &str, person: &str) -> &mut Chat {
        let key = (appid.to_owned(), person.to_owned());
        if self.0.get(&key).is_none() {
            self.0.insert(key.clone(), Chat::default());
        }
        self.0.get_mut(&key).expect("it was just inserted")
    }

    /// A passive reply arrives.
    pub(crate) fn hear(&mut self, appid: &str, person: &str, text: &str) {
        self.of(appid, person).add(Side::Account, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_may_write_three_times_within_a_minute_of_a_scan() {
        let mut chat = Chat { followed_ms: Some(0), ..Chat::default() };
        assert_eq!(chat.receive("x", 0), Err(Silence::WindowPassed));
        chat.touched(0);
        for _ in 0..3 {
            chat.receive("x", 59_999).unwrap();
        }
        assert_eq!(chat.receive("x", 59_999), Err(Silence::TooMany));
        chat.touched(60_000);
        assert_eq!(chat.receive("x", 120_000), Err(Silence::WindowPassed));
    }

    #[test]
    fn account_may_write_five_times_after_a_message() {
        let mut chat = Chat { followed_ms: Some(0), ..Chat::default() };
        chat.say("hello", 0);
        for _ in 0..5 {
            chat.receive("x", TWO_DAYS_MS - 1).unwrap();
        }
        assert_eq!(chat.receive("x", TWO_DAYS_MS - 1), Err(Silence::TooMany));
        assert_eq!(chat.bubbles.len(), 6);
    }
}
