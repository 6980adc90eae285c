//! What a new name and password must be like (NIST SP 800-63B §3.1.1): long enough, not the name, not what everybody tries
//! first. No rules about kinds of characters, and no change after so many days.

use mashang_login::credentials::Username;

/// Fewest characters.
pub const SHORTEST: usize = 8;
/// Most characters.
pub const LONGEST: usize = 128;
/// What is tried first, in lower case; shorter ones than [`SHORTEST`] are refused as such.
const COMMON: &str = include_str!("common_passwords.txt");

/// Why a name and password cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Not a name.
    Name,
    /// Somebody else's name.
    NameTaken,
    /// Fewer than [`SHORTEST`] characters.
    TooShort,
    /// More than [`LONGEST`] characters.
    TooLong,
    /// The name itself.
    IsName,
    /// Among those that everybody tries first.
    Common,
}

impl Unfit {
    /// Every reason, for tables and tests.
    pub const ALL: [Self; 6] =
        [Self::Name, Self::NameTaken, Self::TooShort, Self::TooLong, Self::IsName, Self::Common];

    /// The word in addresses; `password.unfit.<word>` is its sentence in the locales.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameTaken => "name_taken",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::IsName => "is_name",
            Self::Common => "common",
        }
    }

    /// Reads [`Unfit::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unfit| unfit.as_str() == text)
    }

    /// Whether it is about the name rather than the password.
    #[must_use]
    pub fn is_about_name(self) -> bool {
        matches!(self, Self::Name | Self::NameTaken)
    }
}

/// Reads a name and looks at the password that goes with it.
///
/// # Errors
/// What is not good enough; never [`Unfit::NameTaken`], which only the store knows.
pub fn check(username: &str, password: &str) -> Result<Username, Unfit> {
    let username = Username::parse(username).map_err(|_| Unfit::Name)?;
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(Unfit::TooShort);
    }
    if length > LONGEST {
        return Err(Unfit::TooLong);
    }
    let lower = password.trim().to_lowercase();
    let (name, before_at) = (username.folded(), username.folded().split('@').next().unwrap_or_default());
    if lower == name || lower == before_at {
        return Err(Unfit::IsName);
    }
    if COMMON.lines().any(|one| one == lower) || is_one_character(&lower) {
        return Err(Unfit::Common);
    }
    Ok(username)
}

fn is_one_character(password: &str) -> bool {
    let mut characters = password.chars();
    let first = characters.next();
    characters.all(|c| Some(c) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfit(username: &str, password: &str) -> Option<Unfit> {
        check(username, password).err()
    }

    #[test]
    fn sec_74_short_long_common_passwords_and_the_name_itself_are_refused() {
        assert_eq!(unfit("ada", "1234567"), Some(Unfit::TooShort));
        assert_eq!(unfit("ada", &"ab".repeat(65)), Some(Unfit::TooLong));
        assert_eq!(unfit("ada", "Password1"), Some(Unfit::Common));
        assert_eq!(unfit("ada", "好好好好好好好好好"), Some(Unfit::Common));
        assert_eq!(unfit("lovelace", "LoveLace"), Some(Unfit::IsName));
        assert_eq!(unfit("lovelace@example.com", "lovelace"), Some(Unfit::IsName));
        assert_eq!(unfit("a b", "correct horse"), Some(Unfit::Name));
        assert_eq!(unfit("ada", "correct horse"), None);
        assert_eq!(unfit("小明", "床前明月光疑是地上霜"), None, "eight characters of any script");
    }

    #[test]
    fn the_list_is_in_lower_case_without_those_that_are_too_short_anyway() {
        assert!(COMMON.lines().count() >= 100);
        for one in COMMON.lines() {
            assert!(one.chars().count() >= SHORTEST && one == one.to_lowercase(), "{one}");
        }
    }

    #[test]
    fn reasons_read_back() {
        assert!(Unfit::ALL.into_iter().all(|unfit| Unfit::parse(unfit.as_str()) == Some(unfit)));
    }
}
