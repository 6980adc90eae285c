//! `wechat-official`: a service account (服务号). Behind our own QR: whoever opens it inside WeChat is authorized there
//! (网页授权). Or behind WeChat's parametric QR: whoever scans it is told of by an event. Either way **our** confirm page
//! asks, because WeChat may authorize silently and asks nothing at a scan (fact sheet §3, §9.5, SEC-37).

use mashang_login::ticket::Ticket;
use mashang_wechat::official::{Scope, WebAuthorize};
use url::Url;

use super::parametric::ParametricQr;
use super::wechat_account::WechatAccount;
use super::{Channel, ChannelFailure, Code};
use crate::state::App;
use crate::web::problem::Problem;

/// A service account.
#[derive(Debug)]
pub struct WechatOfficial {
    /// The app.
    pub account: WechatAccount,
    /// WeChat's parametric QR, where the operator chose it.
    pub parametric: Option<ParametricQr>,
}

impl WechatOfficial {
    /// WeChat's authorization page.
    ///
    /// # Errors
    /// [`Problem::Broken`] if our state were too long, which the tests rule out.
    pub fn page(&self, state: &str) -> Result<Url, Problem> {
        let WechatAccount { appid, callback, client, .. } = &self.account;
        WebAuthorize { appid, redirect_uri: callback, state, scope: Scope::UserInfo, force_popup: false }
            .url(client.hosts())
            .map_err(|error| Problem::Broken(error.to_string()))
    }

    /// Whether the parametric QR of a ticket is at hand, or there is none.
    #[must_use]
    pub fn has_drawn(&self, ticket: &Ticket) -> bool {
        self.parametric.as_ref().is_none_or(|parametric| parametric.has_made(ticket))
    }

    /// Has WeChat make a parametric QR for a ticket.
    ///
    /// # Errors
    /// [`ChannelFailure`] when WeChat refuses or fails.
    pub async fn draw_code(
        &self,
        app: &App,
        channel: &Channel,
        ticket: &Ticket,
    ) -> Result<Code, ChannelFailure> {
        let parametric = self.parametric.as_ref().ok_or_else(|| ChannelFailure::unsupported(channel))?;
        let text = parametric.text_for(app, &self.account, ticket).await?;
        Ok(Code { text: Some(text), picture: None })
    }
}
