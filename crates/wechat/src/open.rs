//! Pages of the Open Platform for a website app (网站应用): a QR code on the desktop, consent on the phone.
//!
//! WeChat draws the page, waits for the scan and sends the browser to `redirect_uri` with `code` and `state`. A person
//! who refuses is not sent anywhere (WeChat fact sheet §1.5).

use url::Url;

use crate::hosts::Hosts;
use crate::ids::AppId;
use crate::lang::Lang;
use crate::query::Query;

const PATH: &str = "/connect/qrconnect";
const SCOPE: &str = "snsapi_login";

/// The QR page as a whole page that the browser is redirected to (WeChat fact sheet §1.1).
#[derive(Clone, Copy, Debug)]
pub struct QrConnect<'a> {
    /// An approved website app. An official account's id is shown a scope error.
    pub appid: &'a AppId,
    /// Where the browser returns. Its host must be the app's configured 授权回调域, without a port, and it must have
    /// no fragment: WeChat appends `code` behind it (§1.5, §8 no. 8).
    pub redirect_uri: &'a Url,
    /// Returned unchanged. Random, one-time, bound to the browser; keep it to 128 of `[A-Za-z0-9_-]`.
    pub state: &'a str,
    /// Language of the page.
    pub lang: Lang,
    /// Appearance, and whether the desktop's own WeChat may be asked.
    pub look: Look<'a>,
}

/// The QR page in an iframe of the site's own page: the address that Tencent's wxLogin.js composes, parameter for
/// parameter (WeChat fact sheet §1.6).
///
/// A hand-made iframe needs `allow="local-network-access"`, 300 × 400 px, and if it is sandboxed
/// `allow-scripts allow-same-origin allow-top-navigation` (§1.6, §8 no. 9).
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedQrConnect<'a> {
    /// As in [`QrConnect::appid`].
    pub appid: &'a AppId,
    /// As in [`QrConnect::redirect_uri`].
    pub redirect_uri: &'a Url,
    /// As in [`QrConnect::state`].
    pub state: &'a str,
    /// Which window is sent to `redirect_uri`.
    pub self_redirect: SelfRedirect,
    /// Language of the page.
    pub lang: Lang,
    /// Appearance, and whether the desktop's own WeChat may be asked.
    pub look: Look<'a>,
}

/// Which window the embedded page sends to `redirect_uri` (WeChat fact sheet §1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelfRedirect {
    /// WeChat's choice, which is the top window for every site but Tencent's own.
    #[default]
    Default,
    /// The iframe itself; the page there must then tell its parent.
    Iframe,
    /// The top window. Browsers may refuse without a click in the frame.
    Top,
}

/// What the QR page looks like. The default sends nothing and leaves WeChat's own appearance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    /// Colour of the text.
    pub style: Option<Style>,
    /// An extra style sheet: an `https` or `data:text/css;base64,…` address.
    pub href: Option<&'a Url>,
    /// The newer, compact page.
    pub stylelite: bool,
    /// Whether WeChat on the same desktop may offer to log in without a scan.
    pub fast_login: FastLogin,
    /// Light or dark page.
    pub color_scheme: Option<ColorScheme>,
}

/// Colour of the QR page's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Dark text, WeChat's default.
    Black,
    /// Light text, for a dark surrounding.
    White,
}

/// Desktop quick login (快速登录), which probes the visitor's own machine (WeChat fact sheet §1.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FastLogin {
    /// WeChat's default: offered where the desktop client allows it.
    #[default]
    Offered,
    /// Switched off. In an iframe this is reported to work only together with [`Look::stylelite`].
    Off,
}

/// Light or dark page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorScheme {
    /// As the browser prefers.
    Auto,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

impl QrConnect<'_> {
    /// The page's address, to redirect the top-level window to.
    #[must_use]
    pub fn url(&self, hosts: &Hosts) -> Url {
        let query = Query::new()
            .pair("appid", self.appid.as_str())
            .pair("redirect_uri", self.redirect_uri.as_str())
            .pair("response_type", "code")
            .pair("scope", SCOPE)
            .pair("state", self.state);
        let mut url = hosts.open_page(PATH, &self.look.append(query, self.lang));
        url.set_fragment(Some("wechat_redirect"));
        url
    }
}

impl EmbeddedQrConnect<'_> {
    /// The page's address, for an iframe's `src`.
    #[must_use]
    pub fn embed_url(&self, hosts: &Hosts) -> Url {
        let query = Query::new()
            .pair("appid", self.appid.as_str())
            .pair("scope", SCOPE)
            .pair("redirect_uri", self.redirect_uri.as_str())
            .pair("state", self.state)
            .pair("login_type", "jssdk")
            .pair("self_redirect", self.self_redirect.as_str())
            // wxLogin.js always sends these four, empty unless the site set them.
            .pair("styletype", "")
            .pair("sizetype", "")
            .pair("bgcolor", "")
            .pair("rst", "");
        hosts.open_page(PATH, &self.look.append(query, self.lang))
    }
}

impl Look<'_> {
    /// The optional parameters in wxLogin.js's order.
    fn append(&self, query: Query, lang: Lang) -> Query {
        let query = query.optional("style", self.style.map(Style::as_str));
        let query = match self.href {
            Some(href) => query.raw_address("href", href.as_str()),
            None => query,
        };
        query
            .optional("lang", lang.for_qr_page())
            .optional("stylelite", self.stylelite.then_some("1"))
            .optional("fast_login", (self.fast_login == FastLogin::Off).then_some("0"))
            .optional("color_scheme", self.color_scheme.map(ColorScheme::as_str))
    }
}

impl SelfRedirect {
    fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Iframe => "true",
            Self::Top => "false",
        }
    }
}

impl Style {
    fn as_str(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::White => "white",
        }
    }
}

impl ColorScheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appid() -> AppId {
        "wx0123456789abcdef".parse().unwrap()
    }

    fn callback() -> Url {
        Url::parse("https://login.example.com/wechat/callback?c=1").unwrap()
    }

    const FULL: Look<'_> = Look {
        style: Some(Style::White),
        href: None,
        stylelite: true,
        fast_login: FastLogin::Off,
        color_scheme: Some(ColorScheme::Auto),
    };

    #[test]
    fn the_top_level_page_is_as_documented() {
        let (appid, redirect_uri) = (appid(), callback());
        let plain = QrConnect {
            appid: &appid,
            redirect_uri: &redirect_uri,
            state: "s-T_8",
            lang: Lang::ZhCn,
            look: Look::default(),
        };
        let expected = "https://open.weixin.qq.com/connect/qrconnect?appid=wx0123456789abcdef\
            &redirect_uri=https%3A%2F%2Flogin.example.com%2Fwechat%2Fcallback%3Fc%3D1\
            &response_type=code&scope=snsapi_login&state=s-T_8";
        assert_eq!(plain.url(&Hosts::default()).as_str(), format!("{expected}#wechat_redirect"));
        let dressed = QrConnect { lang: Lang::En, look: FULL, ..plain };
        assert_eq!(
            dressed.url(&Hosts::default()).as_str(),
            format!(
                "{expected}&style=white&lang=en&stylelite=1&fast_login=0&color_scheme=auto#wechat_redirect"
            )
        );
    }

    #[test]
    fn the_embedded_page_is_what_wxlogin_js_composes() {
        let (appid, redirect_uri) = (appid(), callback());
        let href = Url::parse("https://login.example.com/qr.css?v=1&x=2").unwrap();
        let embedded = EmbeddedQrConnect {
            appid: &appid,
            redirect_uri: &redirect_uri,
            state: "s-T_8",
            self_redirect: SelfRedirect::Default,
            lang: Lang::ZhTw,
            look: Look::default(),
        };
        let sandbox = Hosts::sandbox(&Url::parse("http://127.0.0.1:9000/pretend/").unwrap());
        let shared = "http://127.0.0.1:9000/pretend/open.weixin.qq.com/connect/qrconnect?appid=wx0123456789abcdef\
            &scope=snsapi_login&redirect_uri=https%3A%2F%2Flogin.example.com%2Fwechat%2Fcallback%3Fc%3D1\
            &state=s-T_8&login_type=jssdk";
        assert_eq!(
            embedded.embed_url(&sandbox).as_str(),
            format!("{shared}&self_redirect=default&styletype=&sizetype=&bgcolor=&rst=")
        );
        let dressed = EmbeddedQrConnect {
            self_redirect: SelfRedirect::Iframe,
            lang: Lang::En,
            look: Look { href: Some(&href), ..FULL },
            ..embedded
        };
        assert_eq!(
            dressed.embed_url(&sandbox).as_str(),
            format!(
                "{shared}&self_redirect=true&styletype=&sizetype=&bgcolor=&rst=&style=white\
                &href=https://login.example.com/qr.css?v=1%26x=2&lang=en&stylelite=1&fast_login=0&color_scheme=auto"
            )
        );
    }

    #[test]
    fn a_hostile_state_cannot_add_parameters() {
        let (appid, redirect_uri) = (appid(), callback());
        let page = QrConnect {
            appid: &appid,
            redirect_uri: &redirect_uri,
            state: "a&scope=b#c d",
            lang: Lang::ZhCn,
            look: Look::default(),
        };
        let url = page.url(&Hosts::default());
        assert!(url.as_str().ends_with("&state=a%26scope%3Db%23c%20d#wechat_redirect"), "{url}");
    }
}
