//! HTML pages and their files: templates with escaping on, strict headers, nothing from elsewhere.

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use crate::state::Sandbox;
use crate::words::{Lang, Texts, Words};

/// Where scripts and style sheets are served, on the sandbox's own origin and on the pretend open host.
pub(crate) const ASSETS: &str = "/sandbox/assets";

const TEMPLATES: &[(&str, &str)] = &[
    ("ribbon.html", include_str!("../templates/ribbon.html")),
    ("error.html", include_str!("../templates/error.html")),
    ("qrconnect.html", include_str!("../templates/qrconnect.html")),
    ("phone_frame.html", include_str!("../templates/phone_frame.html")),
    ("avatar.html", include_str!("../templates/avatar.html")),
    ("phone.html", include_str!("../templates/phone.html")),
    ("who.html", include_str!("../templates/who.html")),
    ("notice.html", include_str!("../templates/notice.html")),
    ("consent.html", include_str!("../templates/consent.html")),
    ("twice.html", include_str!("../templates/twice.html")),
    ("wecom_login.html", include_str!("../templates/wecom_login.html")),
    ("wecom_confirm.html", include_str!("../templates/wecom_confirm.html")),
    ("mini.html", include_str!("../templates/mini.html")),
    ("chat.html", include_str!("../templates/chat.html")),
    ("outbox.html", include_str!("../templates/outbox.html")),
    ("troubles.html", include_str!("../templates/troubles.html")),
    ("api.html", include_str!("../templates/api.html")),
];

/// Who may show a page in a frame, and what its script may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Pages of the phone: never framed, forms go here; a form may be answered by a redirect to any site.
    Phone,
    /// Pages of the phone whose script calls back here.
    Live,
    /// Pages of the open host that sites put in an iframe. `href` may bring any style sheet (§1.1).
    Embeddable,
    /// The page that requests a callback twice.
    Twice,
}

impl Policy {
    fn content_security(self) -> &'static str {
        match self {
            Self::Phone => {
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                 form-action 'self' http: https:; frame-ancestors 'none'"
            }
            Self::Live => {
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                 base-uri 'none'; form-action 'self' http: https:; frame-ancestors 'none'"
            }
            Self::Embeddable => {
                "default-src 'none'; script-src 'self' lp.open.weixin.qq.com:* long.open.weixin.qq.com:*; \
                 style-src 'self' http: https: data:; img-src 'self' http: https: data:; connect-src http: https:; \
                 base-uri 'none'; form-action 'none'; frame-ancestors *"
            }
            Self::Twice => {
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src http: https:; base-uri 'none'; \
                 form-action 'none'; frame-ancestors 'none'"
            }
        }
    }
}

/// The parsed templates and the texts for them.
#[derive(Debug)]
pub(crate) struct Pages {
    templates: Environment<'static>,
    words: Words,
}

impl Pages {
    pub(crate) fn embedded() -> Self {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        for (name, source) in TEMPLATES {
            templates.add_template(name, source).expect("the embedded templates parse");
        }
        Self { templates, words: Words::embedded() }
    }

    pub(crate) fn texts(&self, lang: Lang) -> &Texts {
        self.words.of(lang)
    }

    /// A page with status 200. `context` meets `t` (the texts), `lang` and `assets` (base path of the files).
    pub(crate) fn show(
        &self,
        name: &str,
        lang: Lang,
        policy: Policy,
        assets: &str,
        context: Value,
    ) -> Response {
        let frame = minijinja::context! { t => self.texts(lang), lang => lang.tag(), assets };
        let context = minijinja::context! { ..context, ..frame };
        match self.templates.get_template(name).and_then(|template| template.render(context)) {
            Ok(html) => (page_headers(policy), Html(html)).into_response(),
            Err(error) => {
                // Strict templates and the tests which render each of them make this unreachable in a release.
                tracing::error!(page = name, %error, "page could not be drawn");
                (StatusCode::INTERNAL_SERVER_ERROR, "sandbox · 仿真环境: this page could not be drawn\n")
                    .into_response()
            }
        }
    }
}

fn page_headers(policy: Policy) -> [(HeaderName, HeaderValue); 4] {
    [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy.content_security())),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// The files that pages refer to.
pub(crate) fn assets() -> Router<Sandbox> {
    Router::new().route("/{file}", get(asset))
}

async fn asset(Path(file): Path<String>) -> Response {
    let (kind, text) = match file.as_str() {
        "qrconnect.js" => (JS, include_str!("../assets/qrconnect.js")),
        "phone.js" => (JS, include_str!("../assets/phone.js")),
        "mini_runtime.js" => (JS, include_str!("../assets/mini_runtime.js")),
        "mini.js" => (JS, include_str!("../assets/mini.js")),
        "outbox.js" => (JS, include_str!("../assets/outbox.js")),
        "chat.js" => (JS, include_str!("../assets/chat.js")),
        "twice.js" => (JS, include_str!("../assets/twice.js")),
        "wecom_login.js" => (JS, include_str!("../assets/wecom_login.js")),
        "wecom_login.css" => (CSS, include_str!("../assets/wecom_login.css")),
        "qrconnect.css" => (CSS, include_str!("../assets/qrconnect.css")),
        "phone.css" => (CSS, include_str!("../assets/phone.css")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [(CONTENT_TYPE, kind), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CACHE_CONTROL, "no-cache")];
    (headers, text).into_response()
}
