//! WeChat's parametric QR (带参数二维码): made by WeChat for one ticket, drawn by us, told of by an event.
//!
//! Its scene is our scan code behind a mark of ours, so that other codes of the same account stay the operator's. It is
//! as public as the QR and as useless alone; a fresh ticket has a fresh one (SEC-31).

use std::sync::Arc;
use std::time::Duration;

use mashang_login::ids::ScanCode;
use mashang_login::ticket::Ticket;
use moka::future::Cache;

use super::ChannelFailure;
use super::wechat_account::WechatAccount;
use crate::login::face::seconds_left;
use crate::state::App;

/// What our scenes start with.
const MARK: &str = "ms_";
/// A reload of the page shows the same code again, for as long as a ticket can wait (SEC-05).
const KEPT: Duration = Duration::from_secs(300);
/// Enough for the tickets of a busy five minutes; a forgotten one is made anew.
const MOST_KEPT: u64 = 20_000;

/// The parametric QRs of one account.
#[derive(Debug)]
pub struct ParametricQr {
    made: Cache<ScanCode, String>,
}

impl Default for ParametricQr {
    fn default() -> Self {
        Self { made: Cache::builder().max_capacity(MOST_KEPT).time_to_live(KEPT).build() }
    }
}

impl ParametricQr {
    /// What the QR of a ticket says: an address of WeChat's. Asked of WeChat once for each ticket, however
    /// often its page is loaded meanwhile.
    ///
    /// # Errors
    /// [`ChannelFailure`] when WeChat refuses or fails.
    pub async fn text_for(
        &self,
        app: &App,
        account: &WechatAccount,
        ticket: &Ticket,
    ) -> Result<String, ChannelFailure> {
        let make = self.make(app, account, ticket);
        self.made.try_get_with(ticket.scan_code.clone(), make).await.map_err(Arc::unwrap_or_clone)
    }

    /// Whether the code of a ticket is at hand.
    #[must_use]
    pub fn has_made(&self, ticket: &Ticket) -> bool {
        self.made.contains_key(&ticket.scan_code)
    }

    async fn make(
        &self,
        app: &App,
        account: &WechatAccount,
        ticket: &Ticket,
    ) -> Result<String, ChannelFailure> {
        let scene = format!("{MARK}{}", ticket.scan_code);
        let life = u32::try_from(seconds_left(ticket, app.now())).unwrap_or(u32::MAX).clamp(1, 300);
        let made = app
            .tokens
            .with(&account.source, async |token| account.client.create_login_qr(&token, &scene, life).await)
            .await?;
        Ok(made.url.to_string())
    }
}

/// The ticket that a scene belongs to, if it is one of ours.
#[must_use]
pub fn ticket_of_scene(scene: &str) -> Option<ScanCode> {
    ScanCode::parse(scene.strip_prefix(MARK)?).ok()
}
