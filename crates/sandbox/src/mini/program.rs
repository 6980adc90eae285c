//! What a registered mini-program has beyond its appid: pages, members, and where the built-in demo page talks to.

use serde::Deserialize;
use url::Url;

/// The page that the demo mini-program opens for a login, in its released build.
pub const DEMO_MINI_PAGE: &str = "pages/login/login";

/// A mini-program's own settings. Other kinds of app ignore them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MiniProgram {
    /// Pages of the released build, without a leading slash; the first is the home page. Empty: never released.
    pub pages: Vec<String>,
    /// Ids of the people who are project members: only they can open trial and develop builds (mini-program fact
    /// sheet §5).
    pub members: Vec<String>,
    /// Base address of the login server whose phone API the built-in demo page calls. It is also the only place to
    /// which the pretend `wx.request` forwards. Without it, the page says what to set.
    pub demo_api_base: Option<Url>,
    /// The channel in `{demo_api_base}/api/phone/{channel}/{scan_code}/…`.
    pub demo_channel: String,
}

impl Default for MiniProgram {
    fn default() -> Self {
        Self {
            pages: vec!["pages/index/index".to_owned(), DEMO_MINI_PAGE.to_owned()],
            members: vec!["xiaoming".to_owned()],
            demo_api_base: None,
            demo_channel: "wechat-mini".to_owned(),
        }
    }
}
