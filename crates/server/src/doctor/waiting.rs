//! Whether a browser can wait behind the public address: a login page is asked for as a browser does, and watched in the ways by
//! which a page hears of its scan. A proxy that keeps WebSockets out or holds events back refuses nobody; it costs memory, and
//! seconds. One that loses cookies refuses everybody.

use std::time::Duration;

use http::header::{ACCEPT, CONNECTION, COOKIE, LOCATION, ORIGIN, SET_COOKIE, UPGRADE};
use http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION};
use http::{HeaderMap, StatusCode};
use reqwest::{Client, RequestBuilder, Response};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::{CONNECT, Health, PATIENCE};
use crate::outgoing::{self, causes};
use crate::state::App;
use crate::urls;

/// The present status is told at once: what comes later was held back.
const AT_ONCE: Duration = Duration::from_secs(5);
/// Any will do (RFC 6455 §4.1): sixteen bytes in Base64.
const KEY: &str = "bWFzaGFuZyBkb2N0b3IuLg==";
/// What [`expect`] says of an answer that knows neither browser nor ticket.
const UNKNOWN: &str = "HTTP 404";
/// How a whole message of text begins (RFC 6455 §5.2).
const TEXT: u8 = 0x81;

/// A login page that is waited on, as a browser holds it.
struct Page {
    client: Client,
    address: String,
    cookies: String,
    origin: String,
}

/// What a browser would find that waits.
pub(super) async fn look(app: &App) -> Vec<(Health, String)> {
    let page = match Page::open(app).await {
        Ok(page) => page,
        Err(why) => return vec![(Health::Doubtful, why)],
    };
    if let Err(why) = page.status().await {
        let remedy = if why == UNKNOWN {
            ": the proxy must hand on the headers Cookie and Set-Cookie, and cache nothing, and several nodes must share tickets.url / 请检查反向代理：必须转发 Cookie 与 Set-Cookie，且不得缓存；多个节点要共用 tickets.url"
        } else {
            ""
        };
        return vec![(
            Health::Ill,
            format!("whoever opened a login page cannot ask how it stands ({why}){remedy}"),
        )];
    }
    let mut found = Vec::new();
    if let Err(why) = page.socket().await {
        found.push((
            Health::Doubtful,
            format!(
                "WebSockets do not get through ({why}): pages wait on event streams instead, for four times the memory. nginx needs `proxy_http_version 1.1` and the headers Upgrade and Connection, as deploy/nginx has them / WebSocket 无法通过，页面改用事件流，内存约为四倍：nginx 需要 proxy_http_version 1.1 及 Upgrade、Connection 两个请求头，见 deploy/nginx"
            ),
        ));
    }
    if let Err(why) = page.stream().await {
        found.push((
            Health::Doubtful,
            format!(
                "events are held back ({why}): pages without a WebSocket hear of their scan late. Switch buffering and compression off for answers (nginx: `proxy_buffering off`), as deploy/nginx does / 事件被缓冲，未使用 WebSocket 的页面会延迟得知扫码结果：请关闭响应缓冲与压缩（nginx：proxy_buffering off），见 deploy/nginx"
            ),
        ));
    }
    if found.is_empty() {
        found.push((
            Health::Well,
            "a login page hears of its scan at once, by WebSocket and by event stream".to_owned(),
        ));
    }
    found
}

impl Page {
    /// Of the person's own page, which needs no website.
    async fn open(app: &App) -> Result<Self, String> {
        let url = app.site.absolute(urls::ACCOUNT);
        let client = outgoing::direct(CONNECT, PATIENCE).build().map_err(|error| error.to_string())?;
        let no_page = |why: String| {
            format!(
                "{url} leads to no login page ({why}), so whether browsers can wait there was not looked at / 未打开登录页，因此没有检查浏览器能否等待"
            )
        };
        let answer = client.get(&url).send().await.map_err(|error| no_page(told(error)))?;
        let headers = answer.headers();
        let path = headers.get(LOCATION).and_then(|to| to.to_str().ok());
        let Some(path) = path.filter(|path| path.starts_with("/login/")) else {
            return Err(no_page(format!("HTTP {}", answer.status().as_u16())));
        };
        Ok(Self {
            address: app.site.absolute(path),
            cookies: cookies(headers),
            origin: app.site.public_url.clone(),
            client,
        })
    }

    fn get(&self, what: &str) -> RequestBuilder {
        self.client.get(format!("{}/{what}", self.address)).header(COOKIE, &self.cookies)
    }

    async fn status(&self) -> Result<(), String> {
        expect(StatusCode::OK, self.get("status")).await?;
        Ok(())
    }

    async fn socket(&self) -> Result<(), String> {
        let handshake = self.get("events").header(ORIGIN, &self.origin).header(CONNECTION, "Upgrade");
        let handshake = handshake.header(UPGRADE, "websocket").header(SEC_WEBSOCKET_VERSION, "13");
        let answer =
            expect(StatusCode::SWITCHING_PROTOCOLS, handshake.header(SEC_WEBSOCKET_KEY, KEY)).await?;
        let mut socket = answer.upgrade().await.map_err(told)?;
        match timeout(AT_ONCE, socket.read_u8()).await {
            Ok(Ok(TEXT)) => Ok(()),
            Ok(Ok(other)) => Err(format!("the first message begins with {other:#04x}")),
            Ok(Err(error)) => Err(causes(&error)),
            Err(_) => Err(late()),
        }
    }

    async fn stream(&self) -> Result<(), String> {
        let asked = expect(StatusCode::OK, self.get("events").header(ACCEPT, "text/event-stream"));
        let first = async { asked.await?.chunk().await.map_err(told) };
        match timeout(AT_ONCE, first).await {
            Ok(Ok(Some(_))) => Ok(()),
            Ok(Ok(None)) => Err("it ended without one".to_owned()),
            Ok(Err(why)) => Err(why),
            Err(_) => Err(late()),
        }
    }
}

async fn expect(status: StatusCode, request: RequestBuilder) -> Result<Response, String> {
    let answer = request.send().await.map_err(told)?;
    if answer.status() == status { Ok(answer) } else { Err(format!("HTTP {}", answer.status().as_u16())) }
}

/// What a browser would send back.
fn cookies(headers: &HeaderMap) -> String {
    let set = headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let pairs: Vec<&str> = set.filter_map(|cookie| cookie.split(';').next()).collect();
    pairs.join("; ")
}

fn told(error: reqwest::Error) -> String {
    causes(&error.without_url())
}

fn late() -> String {
    format!("nothing came for {} s", AT_ONCE.as_secs())
}
