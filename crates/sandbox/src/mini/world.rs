//! What is remembered of mini-programs: codes that open them, session keys, rules for ordinary links.

use std::collections::HashMap;

use super::program::MiniProgram;
use super::rules::Rule;
use crate::ids;
use crate::state::Bounded;

/// Codes and keys kept.
const MOST_LIVE: usize = 10_000;

/// Which build a code opens (mini-program fact sheet §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Build {
    #[default]
    Release,
    Trial,
    Develop,
}

impl Build {
    /// As in `env_version`; anything else, also an empty text, is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "release" => Some(Self::Release),
            "trial" => Some(Self::Trial),
            "develop" => Some(Self::Develop),
            _ => None,
        }
    }

    /// As in the `open_version` of a link rule.
    pub(super) fn by_open_version(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Develop),
            2 => Some(Self::Trial),
            3 => Some(Self::Release),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Trial => "trial",
            Self::Develop => "develop",
        }
    }
}

/// A picture that was drawn: what scanning it opens.
#[derive(Clone, Debug)]
pub(super) struct MiniCode {
    pub(super) appid: String,
    pub(super) page: String,
    /// As the page receives it.
    pub(super) query: Vec<(String, String)>,
    pub(super) build: Build,
    /// The launch scene number: 1047 for a mini code, 1011 for a square QR.
    pub(super) launch_scene: u32,
}

/// The code of a getPhoneNumber button.
#[derive(Clone, Debug)]
pub(super) struct PhoneCode {
    pub(super) appid: String,
    pub(super) person: String,
    pub(super) expires_ms: i64,
}

/// All of it.
pub(crate) struct MiniWorld {
    /// By the end of their link.
    pub(super) codes: Bounded<String, MiniCode>,
    session_keys: Bounded<(String, String), String>,
    pub(super) phone_codes: Bounded<String, PhoneCode>,
    /// Codes of the limited generators drawn so far, by appid.
    pub(super) limited_drawn: HashMap<String, u32>,
    /// Settings that a script changed, by appid.
    pub(crate) programs: HashMap<String, MiniProgram>,
    /// In the order in which they were added.
    pub(super) rules: Vec<Rule>,
    /// Publications so far, by appid.
    pub(super) published: HashMap<String, u32>,
}

impl Default for MiniWorld {
    fn default() -> Self {
        Self {
            codes: Bounded::new(MOST_LIVE),
            session_keys: Bounded::new(MOST_LIVE),
            phone_codes: Bounded::new(MOST_LIVE),
            limited_drawn: HashMap::new(),
            programs: HashMap::new(),
            rules: Vec::new(),
            published: HashMap::new(),
        }
    }
}

impl MiniWorld {
    /// The code that was last drawn for a scene.
    pub(super) fn code_of_scene(&self, appid: &str, scene: &str) -> Option<String> {
        let wanted = ids::uri_component(scene);
        let is_it = |code: &MiniCode| {
            code.appid == appid && code.query.iter().any(|(name, value)| name == "scene" && *value == wanted)
        };
        self.codes.newest(is_it).cloned()
    }

    /// The one valid session_key of a person in a mini-program, if they ever called `wx.login`.
    pub(crate) fn session_key(&self, appid: &str, person: &str) -> Option<String> {
        self.session_keys.get(&(appid.to_owned(), person.to_owned())).cloned()
    }

    pub(super) fn set_session_key(&mut self, appid: &str, person: &str, key: String) {
        self.session_keys.insert((appid.to_owned(), person.to_owned()), key);
    }
}
