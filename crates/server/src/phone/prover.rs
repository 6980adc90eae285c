//! How the people of a channel prove themselves to the phone API.

use http::{HeaderMap, header};
use mashang_login::grant::Grant;
use mashang_login::identity::Proof;

use super::refused::Refused;
use crate::channel::app::vouched::Vouched;
use crate::channel::app::{OwnApp, Unproven};
use crate::channel::wechat_mini::WechatMini;
use crate::channel::{Channel, Means};
use crate::state::App;
use crate::web::limits::{Counted, Whose};
use crate::web::visitor::Visitor;

/// The kinds of channel that have this API.
#[derive(Debug, Clone, Copy)]
pub enum Prover<'a> {
    /// By a `wx.login` code, at the scan.
    Mini(&'a WechatMini),
    /// By the bearer token of the app's user, at every call.
    App(&'a OwnApp),
}

impl<'a> Prover<'a> {
    /// The channel's, if it is of such a kind.
    #[must_use]
    pub fn of(channel: &'a Channel) -> Option<Self> {
        match &channel.means {
            Means::WechatMini(mini) => Some(Self::Mini(mini)),
            Means::App(own) => Some(Self::App(own)),
            _ => None,
        }
    }

    /// Who calls, where every call says so; `None` for a mini-program, whose people are proven at the scan.
    ///
    /// # Errors
    /// [`Refused::Unauthorized`] for a token that proves nobody, [`Refused::IdentityInRequest`] for a token where none is
    /// taken (SEC-24).
    pub async fn caller(
        self,
        app: &App,
        visitor: &Visitor,
        channel: &Channel,
        headers: &HeaderMap,
    ) -> Result<Option<Vouched>, Refused> {
        let own = match self {
            Self::Mini(_) if headers.contains_key(header::AUTHORIZATION) => {
                return Err(Refused::IdentityInRequest);
            }
            Self::Mini(_) => return Ok(None),
            Self::App(own) => own,
        };
        let proven = match bearer(headers) {
            Some(token) => own.prove(&channel.id, &*app.records, token, app.now()).await,
            None => Err(Unproven::Refused("there is no bearer token")),
        };
        match proven {
            Ok(vouched) => Ok(Some(vouched)),
            Err(Unproven::Refused(why)) => Err(unproven(app, visitor, channel, why).await),
            Err(Unproven::IssuerDown(trouble)) => {
                tracing::warn!(channel.id = %channel.id, "nobody of channel {} can be proven: {trouble}", channel.id);
                Err(Refused::PlatformUnavailable)
            }
            Err(Unproven::Store(error)) => Err(error.into()),
        }
    }
}

/// The person whom a token proved, if it may answer this request.
///
/// # Errors
/// [`Refused::Unauthorized`] for one that may not.
pub async fn admit(
    app: &App,
    visitor: &Visitor,
    channel: &Channel,
    vouched: Vouched,
    grant: &Grant,
) -> Result<Proof, Refused> {
    match vouched.may_answer(grant, app.now()) {
        Ok(()) => Ok(vouched.proof),
        Err(why) => Err(unproven(app, visitor, channel, why).await),
    }
}

/// Counts, and logs why. Only refused tokens wait: nobody guesses one that is signed, and behind one address there are the phones of
/// a whole office, of which one may have an app that repeats its old token.
async fn unproven(app: &App, visitor: &Visitor, channel: &Channel, why: &str) -> Refused {
    let whose = Whose::to_one(visitor.address, channel.id.as_str());
    if let Err(limit) = app.count(Counted::TokenError, whose).await {
        return limit.into();
    }
    tracing::info!(channel.id = %channel.id, "a bearer token was refused at channel {}: {why}", channel.id);
    Refused::Unauthorized
}

/// The token of the one `Authorization` header (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
