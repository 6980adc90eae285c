//! Many pretend hosts on one listener.
//!
//! `{public_url}/open.weixin.qq.com/connect/…` always works. A request whose own `Host` is a Tencent host (a hosts
//! file or a test client) gets the same path without the prefix: its URI is rewritten before routing, and
//! [`Reached`] remembers it, so that pages link to where the browser already is.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{Method, StatusCode, Uri};
use tower::Layer;
use tower::util::MapRequestLayer;

use crate::state::Sandbox;
use crate::{api, cgi, mini, official, open, outbox, pages, phone, sns, troubles, wecom};

pub(crate) const OPEN: &str = "open.weixin.qq.com";
pub(crate) const POLL: &str = "lp.open.weixin.qq.com";
const POLL_OLD: &str = "long.open.weixin.qq.com";
const API: &str = "api.weixin.qq.com";
const API_OTHERS: [&str; 4] =
    ["api2.weixin.qq.com", "sh.api.weixin.qq.com", "sz.api.weixin.qq.com", "hk.api.weixin.qq.com"];
const RES: &str = "res.wx.qq.com";
/// The pictures of parametric codes.
const MP: &str = "mp.weixin.qq.com";
/// What parametric codes hold.
pub(crate) const WEIXIN: &str = "weixin.qq.com";
/// Where `headimgurl` points.
pub(crate) const AVATARS: &str = "thirdwx.qlogo.cn";

/// WeCom's login page, and the only origin that `@wecom/jssdk` listens to.
pub(crate) const LOGIN_WORK: &str = "login.work.weixin.qq.com";
/// WeCom's old login page, and what its phone opens.
pub(crate) const OPEN_WORK: &str = "open.work.weixin.qq.com";
const QYAPI: &str = "qyapi.weixin.qq.com";
/// Hosts of WeCom's embedding scripts.
const WORK_SCRIPTS: [&str; 2] = ["rescdn.qqmail.com", "wwcdn.weixin.qq.com"];

/// The whole sandbox.
pub(crate) fn router(sandbox: Sandbox) -> Router {
    let mut app = Router::new()
        .route("/", get(|| async { Redirect::temporary(phone::HOME) }))
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
        .merge(phone::router())
        .merge(official::chat_router())
        .merge(mini::page_router())
        .merge(outbox::router())
        .merge(troubles::router())
        .nest("/sandbox/api", api::router())
        .nest(pages::ASSETS, pages::assets())
        .nest(
            &format!("/{OPEN}"),
            open::page_router().merge(official::router()).nest(pages::ASSETS, pages::assets()),
        )
        .nest(&format!("/{RES}"), open::script_router())
        .nest(&format!("/{MP}"), official::picture_router())
        .nest(&format!("/{WEIXIN}"), official::link_router())
        .nest(&format!("/{AVATARS}"), phone::avatar_router());
    for host in [POLL, POLL_OLD] {
        app = app.nest(&format!("/{host}"), open::poll_router());
    }
    for host in [API].into_iter().chain(API_OTHERS) {
        let calls = sns::router().merge(cgi::router()).merge(mini::router()).fallback(cgi::unknown_path);
        let counted = calls.layer(middleware::from_fn_with_state(sandbox.clone(), cgi::count));
        app = app.nest(&format!("/{host}"), counted);
    }
    for (host, pages_of) in [(LOGIN_WORK, wecom::login_router()), (OPEN_WORK, wecom::open_router())] {
        app = app.nest(&format!("/{host}"), pages_of.nest(pages::ASSETS, pages::assets()));
    }
    for host in WORK_SCRIPTS {
        app = app.nest(&format!("/{host}"), wecom::script_router());
    }
    let counted = wecom::api_router().layer(middleware::from_fn_with_state(sandbox.clone(), cgi::count));
    app = app.nest(&format!("/{QYAPI}"), counted);
    let app = app
        .fallback(|| async { (StatusCode::NOT_FOUND, "sandbox · 仿真环境: nothing is played here\n") })
        .layer(middleware::from_fn(refuse_other_sites))
        .with_state(sandbox);
    // Around the router and not a layer of it: routing must see the rewritten path.
    Router::new().fallback_service(MapRequestLayer::new(prefix_virtual_host).layer(app))
}

/// A browser's POST from another site is refused: pages elsewhere shall not press 允许 here. Programs send no
/// `Sec-Fetch-Site` and pass.
async fn refuse_other_sites(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let own = matches!(site, None | Some("same-origin" | "none"));
    if own || matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "sandbox · 仿真环境: a page of another site may not post here\n").into_response()
}

/// Set on a request that came by virtual host: the authority the browser used.
#[derive(Clone, Debug)]
struct VirtualHost(Authority);

fn prefix_virtual_host(mut request: Request) -> Request {
    let by_header = || request.headers().get(http::header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
    let Some(authority) = request.uri().authority().cloned().or_else(by_header) else { return request };
    let host = authority.host().to_ascii_lowercase();
    if !is_played(&host) {
        return request;
    }
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let prefix = format!("/{host}/");
    if path.starts_with(&prefix) {
        return request;
    }
    // The path came from a parsed URI and the host is one of ours, so this parses; if not, serve it as it came.
    if let Ok(uri) = format!("/{host}{path}").parse::<Uri>() {
        *request.uri_mut() = uri;
        request.extensions_mut().insert(VirtualHost(authority));
    }
    request
}

/// Every host that we play.
pub(crate) fn played() -> impl Iterator<Item = &'static str> {
    [OPEN, POLL, POLL_OLD, API, RES, MP, WEIXIN, AVATARS, LOGIN_WORK, OPEN_WORK, QYAPI]
        .into_iter()
        .chain(API_OTHERS)
        .chain(WORK_SCRIPTS)
}

/// Whether this is a host that we play, in lower case.
pub(crate) fn is_played(host: &str) -> bool {
    played().any(|played| played == host)
}

/// How this request reached us, and with that, how its page addresses the other pretend hosts.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    virtual_host: Option<Authority>,
    /// The `Host` header, as the browser sees us.
    pub(crate) authority: Option<Authority>,
}

impl Reached {
    /// The base URL of a pretend host, relative to the page's scheme (and, with prefixes, to its origin).
    pub(crate) fn base(&self, host: &str) -> String {
        match &self.virtual_host {
            None => format!("/{host}"),
            Some(authority) => match authority.port() {
                Some(port) => format!("//{host}:{port}"),
                None => format!("//{host}"),
            },
        }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.virtual_host.is_some()
    }
}

impl<S: Sync> FromRequestParts<S> for Reached {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let virtual_host = parts.extensions.get::<VirtualHost>().map(|host| host.0.clone());
        let header = parts.headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
        Ok(Self { virtual_host, authority: header.and_then(|text| text.parse().ok()) })
    }
}
