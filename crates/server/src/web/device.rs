//! What kind of device a user agent names: its surroundings decide which page helps, its label is shown to the person.
//!
//! User agents are claims. They choose pages and words, never permissions.

use crate::channel::Platform;

/// Where a page is being looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surroundings {
    /// A computer: a QR makes sense.
    Desktop,
    /// A phone's own browser: a QR on it cannot be scanned by it (SEC-11).
    Phone,
    /// The browser inside a platform's app: WeChat (`MicroMessenger/`) on a phone, WeCom (`wxwork/`) anywhere.
    Inside(Platform),
}

impl Surroundings {
    /// The word the templates use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Phone => "phone",
            Self::Inside(_) => "inside",
        }
    }
}

/// Reads the surroundings out of a user agent. WeCom (`wxwork/`) also says `MicroMessenger` and is not WeChat; its desktop
/// client authorizes as its phone app does (WeCom fact sheet §5).
#[must_use]
pub fn surroundings(user_agent: &str) -> Surroundings {
    let is_phone =
        ["iPhone", "Android", "Mobile", "HarmonyOS", "iPad"].iter().any(|word| user_agent.contains(word));
    if user_agent.contains("wxwork/") {
        return Surroundings::Inside(Platform::Wecom);
    }
    if user_agent.contains("MicroMessenger/") {
        // The desktop clients open links in a window of their own; there a QR can be scanned by the phone.
        let is_desktop_client = ["WindowsWechat", "MacWechat", "UnifiedPCWindowsWechat"]
            .iter()
            .any(|word| user_agent.contains(word));
        return if is_desktop_client {
            Surroundings::Desktop
        } else {
            Surroundings::Inside(Platform::WeChat)
        };
    }
    if is_phone { Surroundings::Phone } else { Surroundings::Desktop }
}

/// Browser and system in a few words, such as `Chrome · Windows`: fixed words only, so nothing hostile passes (SEC-68).
#[must_use]
pub fn label(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 14] = [
        ("wxwork/", "WeCom"),
        ("MicroMessenger/", "WeChat"),
        ("DingTalk", "DingTalk"),
        ("Lark", "Feishu"),
        ("AlipayClient", "Alipay"),
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("QQBrowser", "QQ Browser"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("HeadlessChrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 9] = [
        ("HarmonyOS", "HarmonyOS"),
        ("OpenHarmony", "HarmonyOS"),
        ("Windows", "Windows"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) => "—".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WECHAT_IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x18003231) NetType/WIFI Language/zh_CN";
    const WECHAT_WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0 Safari/537.36 MicroMessenger/7.0.20.1781(0x6700143B) NetType/WIFI MiniProgramEnv/Windows WindowsWechat/WMPF";
    const WECOM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 wxwork/4.1.22 MicroMessenger/7.0.1 Language/zh";
    const CHROME_MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
    const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0";
    const ANDROID: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36";

    #[test]
    fn sec_11_wechat_on_a_phone_is_told_from_wechat_on_a_computer_and_from_wecom() {
        assert_eq!(surroundings(WECHAT_IPHONE), Surroundings::Inside(Platform::WeChat));
        assert_eq!(surroundings(WECHAT_WINDOWS), Surroundings::Desktop);
        assert_eq!(surroundings(WECOM), Surroundings::Inside(Platform::Wecom));
        assert_eq!(surroundings(CHROME_MAC), Surroundings::Desktop);
        assert_eq!(surroundings(ANDROID), Surroundings::Phone);
        assert_eq!(surroundings(""), Surroundings::Desktop);
    }

    #[test]
    fn labels_are_made_of_our_own_words() {
        assert_eq!(label(WECHAT_IPHONE), "WeChat · iPhone");
        assert_eq!(label(CHROME_MAC), "Chrome · macOS");
        assert_eq!(label(EDGE), "Edge · Windows");
        assert_eq!(label(ANDROID), "Chrome · Android");
        assert_eq!(label("<script>alert(1)</script>"), "—");
    }
}
