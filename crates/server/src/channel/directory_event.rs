//! What we do with a corp's directory events: whoever left, or was switched off, is signed out everywhere at once
//! (SEC-35). The next login asks the directory anyway; this only saves waiting for it.

use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::identity::{ChannelKind, IdentityKey};
use mashang_wechat::callback::Accepted;
use mashang_wechat::wecom::{DirectoryChange, MemberId};

use super::Channel;
use super::events::EventAnswer;
use super::wecom::Wecom;
use crate::audit;
use crate::state::App;
use crate::web::problem::Problem;

/// Handles an event if it tells who may no longer log in; `None` if it is the operator's.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer; WeCom then delivers again.
pub(super) async fn handle(
    app: &App,
    channel: &Channel,
    wecom: &Wecom,
    accepted: &Accepted,
) -> Result<Option<EventAnswer>, Problem> {
    let changes = match DirectoryChange::all_in(&accepted.event) {
        Ok(changes) => changes,
        Err(error) => {
            tracing::warn!(channel.id = %channel.id, "a directory event of {} was not understood: {error}", channel.id);
            return Ok(None);
        }
    };
    for change in &changes {
        match change {
            DirectoryChange::Left(member) | DirectoryChange::Disabled(member) => {
                sign_out(app, channel, wecom, member).await?;
            }
            // The directory vouches for the new id at the next login; what the old one opened ends.
            DirectoryChange::Renamed { from, .. } => sign_out(app, channel, wecom, from).await?,
            _ => {}
        }
    }
    // The operator's own handler wants to know as well.
    Ok(None)
}

async fn sign_out(app: &App, channel: &Channel, wecom: &Wecom, member: &MemberId) -> Result<(), Problem> {
    let key = IdentityKey {
        kind: ChannelKind::Wecom,
        app: wecom.corp.as_str().to_owned(),
        subject: member.canonical(),
    };
    let now = app.now();
    let user = app.records.identity(&key).await?.map(|identity| identity.user);
    let ended = app.records.end_sessions_of(&key, now).await?;
    tracing::info!(channel.id = %channel.id, ended, "a member of {} left or was switched off: {ended} sessions ended", channel.id);
    let mut event = AuditEvent::new(now, AuditKind::MemberLeft);
    event.channel = Some(channel.id.clone());
    event.user = user;
    audit::write(app, event).await;
    Ok(())
}
