//! App access tokens: two separate lines an app, with their overlaps (WeChat fact sheet §4.1, §4.2).

use std::collections::HashMap;

use super::error::{self, ApiError};
use crate::state::Bounded;

/// §4.1: a token lives two hours.
const LIFE_S: i64 = 7200;
/// An old token and its successor both work this long; a stable token is rolled when it has no more than this left.
const OVERLAP_MS: i64 = 300_000;
/// §4.2: forcing more often does not refresh.
const FORCE_EVERY_MS: i64 = 30_000;
const FORCES_A_DAY: usize = 20;
const DAY_MS: i64 = 24 * 3_600_000;

/// The two calls that give tokens; their tokens never invalidate one another (§4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    Plain,
    Stable,
}

/// All live tokens, and those which died recently enough to be told from unknown ones.
pub(crate) struct AppTokens {
    by_token: Bounded<String, Life>,
    current: HashMap<(String, Line), String>,
    /// When a stable token was forced, by appid; the last day's.
    forced_ms: HashMap<String, Vec<i64>>,
    /// Life of new tokens in seconds, by appid, where a script set one.
    life_s: HashMap<String, i64>,
}

#[derive(Clone, Debug)]
struct Life {
    appid: String,
    expires_ms: i64,
    /// A newer one took its place, so its end is "not latest" and not "expired".
    replaced: bool,
}

/// What a token call answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) token: String,
    pub(crate) expires_in: i64,
}

impl AppTokens {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            by_token: Bounded::new(most),
            current: HashMap::new(),
            forced_ms: HashMap::new(),
            life_s: HashMap::new(),
        }
    }

    /// Whose token this is, if it is good now.
    pub(crate) fn appid_of(&self, token: &str, now_ms: i64) -> Result<String, ApiError> {
        match self.by_token.get(token) {
            None => Err(error::TOKEN_NOT_LATEST),
            Some(life) if now_ms < life.expires_ms => Ok(life.appid.clone()),
            Some(life) if life.replaced => Err(error::TOKEN_NOT_LATEST),
            Some(_) => Err(error::TOKEN_EXPIRED),
        }
    }

    /// `/cgi-bin/token`: every call makes a new token; the one before works for five more minutes.
    pub(crate) fn replace(&mut self, appid: &str, fresh: String, now_ms: i64) -> Issued {
        self.retire(appid, Line::Plain, now_ms);
        self.make(appid, Line::Plain, fresh, now_ms)
    }

    /// `/cgi-bin/stable_token` without force: the same token until it is about to end.
    pub(crate) fn stable(&mut self, appid: &str, fresh: String, now_ms: i64) -> Issued {
        let rolled_at = OVERLAP_MS.min(self.life_s(appid) * 500);
        if let Some((token, left_ms)) = self.live(appid, Line::Stable, now_ms)
            && left_ms > rolled_at
        {
            return Issued { token, expires_in: left_ms / 1000 };
        }
        self.retire(appid, Line::Stable, now_ms);
        self.make(appid, Line::Stable, fresh, now_ms)
    }

    /// `/cgi-bin/stable_token` with force: the old token dies at once, at most every 30 seconds and 20 times a day.
    pub(crate) fn force(&mut self, appid: &str, fresh: String, now_ms: i64) -> Result<Issued, ApiError> {
        let forced = self.forced_ms.entry(appid.to_owned()).or_default();
        forced.retain(|at| now_ms - at < DAY_MS);
        if forced.last().is_some_and(|at| now_ms - at < FORCE_EVERY_MS) {
            return Ok(self.stable(appid, fresh, now_ms));
        }
        if forced.len() >= FORCES_A_DAY {
            return Err(error::DAILY_LIMIT);
        }
        forced.push(now_ms);
        if let Some(token) = self.current.remove(&(appid.to_owned(), Line::Stable)) {
            self.by_token.remove(&token);
        }
        Ok(self.make(appid, Line::Stable, fresh, now_ms))
    }

    /// A script kills the app's tokens; calls made with them are 40001 from now on.
    pub(crate) fn kill(&mut self, appid: &str) {
        for line in [Line::Plain, Line::Stable] {
            self.current.remove(&(appid.to_owned(), line));
        }
        self.by_token.retain(|life| life.appid != appid);
    }

    /// A script sets the life of tokens made from now on, in seconds.
    pub(crate) fn set_life(&mut self, appid: &str, life_s: i64) {
        self.life_s.insert(appid.to_owned(), life_s);
    }

    pub(crate) fn life_s(&self, appid: &str) -> i64 {
        self.life_s.get(appid).copied().unwrap_or(LIFE_S)
    }

    fn live(&self, appid: &str, line: Line, now_ms: i64) -> Option<(String, i64)> {
        let token = self.current.get(&(appid.to_owned(), line))?;
        let left_ms = self.by_token.get(token)?.expires_ms - now_ms;
        (left_ms > 0).then(|| (token.clone(), left_ms))
    }

    /// Gives the current token its last five minutes. One that has ended stays ended.
    fn retire(&mut self, appid: &str, line: Line, now_ms: i64) {
        let Some(token) = self.current.remove(&(appid.to_owned(), line)) else { return };
        if let Some(life) = self.by_token.get_mut(&token).filter(|life| now_ms < life.expires_ms) {
            life.expires_ms = now_ms + OVERLAP_MS;
            life.replaced = true;
        }
    }

    fn make(&mut self, appid: &str, line: Line, fresh: String, now_ms: i64) -> Issued {
        let life_s = self.life_s(appid);
        let life = Life { appid: appid.to_owned(), expires_ms: now_ms + life_s * 1000, replaced: false };
        self.by_token.insert(fresh.clone(), life);
        self.current.insert((appid.to_owned(), line), fresh.clone());
        Issued { token: fresh, expires_in: life_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> AppTokens {
        AppTokens::new(100)
    }

    #[test]
    fn new_plain_token_leaves_the_old_one_five_minutes() {
        let mut tokens = tokens();
        tokens.replace("wx1", "a".to_owned(), 0);
        assert_eq!(tokens.replace("wx1", "b".to_owned(), 1000).token, "b");
        assert_eq!(tokens.appid_of("a", 300_999), Ok("wx1".to_owned()));
        assert_eq!(tokens.appid_of("a", 301_000), Err(error::TOKEN_NOT_LATEST));
        assert_eq!(tokens.appid_of("b", 7_200_999), Ok("wx1".to_owned()));
        assert_eq!(tokens.appid_of("b", 7_201_000), Err(error::TOKEN_EXPIRED));
    }

    #[test]
    fn stable_token_rolls_when_five_minutes_are_left() {
        let mut tokens = tokens();
        tokens.stable("wx1", "a".to_owned(), 0);
        let again = tokens.stable("wx1", "b".to_owned(), 6_899_000);
        assert_eq!(again, Issued { token: "a".to_owned(), expires_in: 301 });
        assert_eq!(tokens.stable("wx1", "c".to_owned(), 6_900_000).token, "c");
        assert!(tokens.appid_of("a", 7_199_999).is_ok() && tokens.appid_of("c", 7_199_999).is_ok());
        assert!(tokens.appid_of("a", 7_200_000).is_err());
    }

    #[test]
    fn forcing_kills_at_once_but_not_twice_in_thirty_seconds_nor_twenty_one_times_a_day() {
        let mut tokens = tokens();
        tokens.stable("wx1", "a".to_owned(), 0);
        tokens.force("wx1", "b".to_owned(), 0).unwrap();
        assert!(tokens.appid_of("a", 0).is_err());
        assert_eq!(tokens.force("wx1", "c".to_owned(), 29_999).unwrap().token, "b");
        for n in 1..20 {
            tokens.force("wx1", format!("t{n}"), n * 30_000).unwrap();
        }
        assert_eq!(tokens.force("wx1", "over".to_owned(), 600_000), Err(error::DAILY_LIMIT));
        assert_eq!(tokens.force("wx1", "next".to_owned(), DAY_MS + 600_000).unwrap().token, "next");
    }

    #[test]
    fn both_lines_stand_apart_and_die_together_when_killed() {
        let mut tokens = tokens();
        tokens.stable("wx1", "s".to_owned(), 0);
        tokens.replace("wx1", "p".to_owned(), 0);
        tokens.replace("wx2", "o".to_owned(), 0);
        assert!(tokens.appid_of("s", 400_000).is_ok());
        tokens.kill("wx1");
        assert!(tokens.appid_of("s", 1).is_err() && tokens.appid_of("p", 1).is_err());
        assert!(tokens.appid_of("o", 1).is_ok());
    }
}
