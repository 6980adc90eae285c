//! `wechat-mini`: a mini-program (小程序). Its page asks the person and speaks to the phone API ([`crate::phone`]); here is
//! what its tab shows: WeChat's code for the ticket, or our own link, which a published rule opens in the mini-program.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mashang_login::ids::ScanCode;
use mashang_login::ticket::Ticket;
use mashang_wechat::mini::code::{EnvVersion, MiniCode};
use moka::future::Cache;

use super::wechat_account::WechatAccount;
use super::{ChannelFailure, Code};
use crate::config::channel::MiniQr;
use crate::state::App;

/// Small enough for a page, large enough to scan from a desk.
const WIDTH: u32 = 430;
/// A reload shows the same picture, for as long as a ticket can wait (SEC-05).
const KEPT: Duration = Duration::from_secs(300);
/// Pictures have tens of kilobytes: a forgotten one is asked for anew.
const MOST_KEPT_BYTES: u64 = 32 * 1024 * 1024;

/// A mini-program.
#[derive(Debug)]
pub struct WechatMini {
    /// The app.
    pub account: WechatAccount,
    /// What the tab shows.
    pub qr: MiniQr,
    /// The page that asks.
    pub page: Option<String>,
    /// Which build opens.
    pub version: EnvVersion,
    /// Whether the page must be in the released build.
    pub check_page: bool,
    /// Pictures already drawn.
    pub drawn: Drawn,
}

/// Pictures by ticket, as `data:` addresses.
#[derive(Debug)]
pub struct Drawn(Cache<ScanCode, String>);

impl Default for Drawn {
    fn default() -> Self {
        let weigh = |_: &ScanCode, picture: &String| u32::try_from(picture.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(MOST_KEPT_BYTES).weigher(weigh).time_to_live(KEPT).build())
    }
}

impl WechatMini {
    /// Has WeChat draw its code for a ticket. The scene is the scan code: 32 characters, as many as WeChat takes, fresh for
    /// each ticket and useless alone (SEC-31, mini-program fact sheet §3).
    ///
    /// # Errors
    /// [`ChannelFailure`] when WeChat refuses or fails.
    pub async fn draw_code(&self, app: &App, ticket: &Ticket) -> Result<Code, ChannelFailure> {
        let draw = self.draw(app, ticket.scan_code.as_str());
        let picture = self.drawn.0.try_get_with(ticket.scan_code.clone(), draw).await;
        let picture = picture.map_err(Arc::unwrap_or_clone)?;
        Ok(Code { text: None, picture: Some(picture) })
    }

    /// Whether its code for a ticket is at hand.
    #[must_use]
    pub fn has_drawn(&self, ticket: &Ticket) -> bool {
        self.drawn.0.contains_key(&ticket.scan_code)
    }

    /// Whether WeChat draws a code for the page. It belongs to no ticket.
    ///
    /// # Errors
    /// As [`WechatMini::draw_code`].
    pub async fn look(&self, app: &App) -> Result<(), ChannelFailure> {
        self.draw(app, ScanCode::random(&*app.entropy).as_str()).await.map(drop)
    }

    async fn draw(&self, app: &App, scene: &str) -> Result<String, ChannelFailure> {
        let code = MiniCode {
            scene,
            page: self.page.as_deref(),
            env_version: self.version,
            check_path: self.check_page,
            width: WIDTH,
        };
        let client = &self.account.client;
        let drawn = app
            .tokens
            .with(&self.account.source, async |token| client.mini_code(&token, &code).await)
            .await?;
        Ok(format!("data:{};base64,{}", drawn.kind.media_type(), STANDARD.encode(&drawn.bytes)))
    }
}
