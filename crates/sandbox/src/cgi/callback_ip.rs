//! `/cgi-bin/getcallbackip`: where events come from (WeChat fact sheet §4.11).

use serde::Serialize;

use super::answer::{Outcome, success};

#[derive(Serialize)]
struct Answer {
    ip_list: [&'static str; 2],
}

/// The sandbox pushes from the machine it runs on; how that one is seen elsewhere it cannot know.
pub(super) fn list() -> Outcome {
    success(&Answer { ip_list: ["127.0.0.1", "::1"] })
}
