//! `GET …/events` with `Upgrade: websocket` (RFC 6455): the same news in a quarter of the memory, because after the
//! handshake neither hyper's connection nor its buffers are left.
//!
//! ```text
//!   server ── {"status":"waiting","version":0,"seconds_left":118} ──►   the present status, then each change
//!          ── (an empty message) ─────────────────────────────────►   every 15 s: a page cannot see a ping
//!          ── {"status":"gone"} ──────────────────────────────────►   the ticket is no longer known
//!          ── close 1000 ─────────────────────────────────────────►   all is told
//!          ── close 1001 ─────────────────────────────────────────►   this node stops: come back
//!          ── close 1013 ─────────────────────────────────────────►   the store does not answer: come back later
//! ```
//!
//! The page has nothing to say. A message of its own ends the socket with 1008, before it is read to its end.
//!
//! A browser's WebSocket carries cookies to whoever it is opened to, from any page, and no header that a script chose.
//! So the handshake's `Origin` is compared, and a page without our cookie offers its secret as a subprotocol beside
//! ours ([`PROTOCOL`]): a header like any other, in no address and no log.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, header};
use mashang_login::secret::PageSecret;
use tokio::time::timeout;

use super::news::{End, Follower, GONE, News};
use crate::state::App;

/// What we speak. Offered with a secret beside it (the two words of the header that a page cannot send), it is what the
/// server chooses, so that the secret is not sent back.
pub const PROTOCOL: &str = "Bearer";

/// A page sends control frames only, of at most 125 bytes (RFC 6455 §5.5).
const READ: usize = 128;
/// How long a browser may take to close its side.
const FAREWELL: Duration = Duration::from_secs(5);

mod close {
    //! RFC 6455 §7.4 and IANA's registry of close codes.
    pub const NORMAL: u16 = 1000;
    pub const GOING_AWAY: u16 = 1001;
    pub const POLICY: u16 = 1008;
    pub const TRY_AGAIN: u16 = 1013;
}

/// Whether a request wants to become a WebSocket.
pub enum Handshake {
    /// It does not.
    None,
    /// It can. Boxed, because most requests are not.
    Good(Box<WebSocketUpgrade>),
    /// It says so, but cannot, most often because a proxy in between took the `Upgrade` away.
    Bad(Response),
}

impl Handshake {
    /// Whether the caller means to open a WebSocket.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !matches!(self, Self::None)
    }
}

impl FromRequestParts<App> for Handshake {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        if !parts.headers.contains_key(header::SEC_WEBSOCKET_KEY) {
            return Ok(Self::None);
        }
        Ok(match WebSocketUpgrade::from_request_parts(parts, app).await {
            Ok(upgrade) => Self::Good(Box::new(upgrade)),
            Err(refusal) => Self::Bad(refusal.into_response()),
        })
    }
}

/// The secret that a page offers beside our protocol.
#[must_use]
pub fn offered_secret(headers: &HeaderMap) -> Option<PageSecret> {
    let mut offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let (offered, None) = (offers.next()?.to_str().ok()?, offers.next()) else { return None };
    let (protocol, secret) = offered.split_once(',')?;
    if protocol.trim() == PROTOCOL { PageSecret::parse(secret.trim()) } else { None }
}

/// Answers the handshake; the news follow in a task of their own, which keeps nothing of the request.
pub(super) fn open(upgrade: WebSocketUpgrade, follower: Follower) -> Response {
    upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ)
        .write_buffer_size(0)
        .max_message_size(READ)
        .max_frame_size(READ)
        .on_upgrade(|socket| tell(socket, follower))
}

async fn tell(mut socket: WebSocket, mut follower: Follower) {
    while let ControlFlow::Continue(message) = next(&mut socket, &mut follower).await {
        let is_farewell = matches!(message, Message::Close(_));
        if socket.send(message).await.is_err() {
            return;
        }
        if is_farewell {
            // Its own close frame comes back; what else it says is nobody's business any more.
            let _ = timeout(FAREWELL, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
            return;
        }
    }
}

/// What to send next; `Break` when the browser is gone.
async fn next(socket: &mut WebSocket, follower: &mut Follower) -> ControlFlow<(), Message> {
    loop {
        tokio::select! {
            news = follower.next() => return ControlFlow::Continue(written(news)),
            heard = socket.recv() => match heard {
                // tungstenite answers a ping by itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_) | Message::Binary(_))) => {
                    return ControlFlow::Continue(farewell(close::POLICY));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return ControlFlow::Break(()),
            },
        }
    }
}

fn written(news: Result<News, End>) -> Message {
    match news {
        Ok(News::Status(report)) => {
            let text = serde_json::to_string(&report).expect("a report has nothing that JSON lacks");
            Message::Text(text.into())
        }
        Ok(News::Gone) => Message::Text(Utf8Bytes::from_static(GONE)),
        Ok(News::Nothing) => Message::Text(Utf8Bytes::from_static("")),
        Err(End::Told) => farewell(close::NORMAL),
        Err(End::Stopping) => farewell(close::GOING_AWAY),
        Err(End::Trouble) => farewell(close::TRY_AGAIN),
    }
}

fn farewell(code: u16) -> Message {
    Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static("") }))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use mashang_login::ambient::SystemEntropy;

    use super::*;

    fn offering(values: &[&str]) -> Option<PageSecret> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(value).unwrap());
        }
        offered_secret(&headers)
    }

    #[test]
    fn a_secret_is_taken_only_beside_our_protocol_and_only_once() {
        let secret = PageSecret::random(&SystemEntropy);
        let text = secret.expose();
        let offered = offering(&[&format!("{PROTOCOL}, {text}")]).unwrap();
        assert_eq!(offered.hash(), secret.hash());
        for refused in [
            vec![PROTOCOL],
            vec![text],
            vec![&format!("{text}, {PROTOCOL}")],
            vec![&format!("{PROTOCOL}, {text}, {text}")],
            vec![&format!("{PROTOCOL}, {text}"), PROTOCOL],
            vec![],
        ] {
            assert!(offering(&refused).is_none(), "{refused:?}");
        }
    }
}
