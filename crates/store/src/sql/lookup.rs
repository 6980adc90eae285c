//! Writing what somebody looks for as a pattern.

/// `text` inside the pattern of a `like` whose escape character is `!`: a percent sign that somebody looks for is one.
pub(super) fn literally(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}
