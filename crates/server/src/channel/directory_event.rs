//! What we do with a corp's directory events (SEC-35): whoever left is signed out at once, and the next one who is given
//! their id is somebody else; whoever has a new id stays the same person. Only the directory can tell the two apart.

use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::accounts::Renamed;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::identity::{ChannelKind, IdentityKey};
use mashang_login::ids::UserId;
use mashang_wechat::callback::Accepted;
use mashang_wechat::wecom::{DirectoryChange, MemberId};

use super::Channel;
use super::events::EventAnswer;
use super::wecom::Wecom;
use crate::audit;
use crate::state::App;
use crate::web::problem::Problem;

/// Whoever signs in this long before they were given their id is who was given it: news may come late, and clocks differ.
const NEWCOMERS: Duration = Duration::from_secs(60);

/// Handles an event if it tells who may no longer log in, or as whom; `None`: it is also the operator's.
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
            DirectoryChange::Left(member) => left(app, channel, wecom, member).await?,
            DirectoryChange::Joined(member) => {
                joined(app, channel, wecom, member, accepted.event.create_time()).await?;
            }
            DirectoryChange::Disabled(member) => switched_off(app, channel, wecom, member).await?,
            DirectoryChange::Renamed { from, to } => renamed(app, channel, wecom, from, to).await?,
            _ => {}
        }
    }
    // The operator's own handler wants to know as well.
    Ok(None)
}

/// The corp may give the id to somebody else: that will be another person (SEC-35).
async fn left(app: &App, channel: &Channel, wecom: &Wecom, member: &MemberId) -> Result<(), Problem> {
    let Some(gone) = app.records.retire_identity(&key(wecom, member), stale_before(app), app.now()).await?
    else {
        tracing::info!(channel.id = %channel.id, "a member of {} left who never logged in here", channel.id);
        return Ok(());
    };
    let ended = gone.ended;
    tracing::info!(channel.id = %channel.id, user.id = %gone.user, ended, "a member of {} left: {ended} sessions of {} ended; if they come back, they are somebody new until `mashang user merge`", channel.id, gone.user);
    note(app, channel, AuditKind::MemberLeft, Some(gone.user), None).await;
    Ok(())
}

/// Whoever had the id before is gone, and the news of it was lost: it is repeated a few times only (WeCom fact sheet §12).
async fn joined(
    app: &App,
    channel: &Channel,
    wecom: &Wecom,
    member: &MemberId,
    created_at: Option<i64>,
) -> Result<(), Problem> {
    let Some(at) = created_at.and_then(|seconds| Timestamp::from_second(seconds).ok()) else { return Ok(()) };
    let known = app.records.identity(&key(wecom, member)).await?;
    if known.is_some_and(|identity| identity.created_at + NEWCOMERS < at) {
        tracing::warn!(channel.id = %channel.id, "{} gave the id of a member to somebody else, and nobody told that they left", channel.id);
        left(app, channel, wecom, member).await?;
    }
    Ok(())
}

/// They stay who they are: the directory may switch them on again.
async fn switched_off(app: &App, channel: &Channel, wecom: &Wecom, member: &MemberId) -> Result<(), Problem> {
    let key = key(wecom, member);
    let user = app.records.identity(&key).await?.map(|identity| identity.user);
    let ended = app.records.end_sessions_of(&key, stale_before(app), app.now()).await?;
    tracing::info!(channel.id = %channel.id, ended, "a member of {} was switched off: {ended} sessions ended", channel.id);
    note(app, channel, AuditKind::MemberLeft, user, None).await;
    Ok(())
}

/// The person is the same under the new id. What the old one opened ends; the next login tells the new one.
async fn renamed(
    app: &App,
    channel: &Channel,
    wecom: &Wecom,
    from: &MemberId,
    to: &MemberId,
) -> Result<(), Problem> {
    let (from, to) = (key(wecom, from), key(wecom, to));
    match app.records.rename_identity(&from, &to, stale_before(app), app.now()).await? {
        Renamed::Done(user) => {
            tracing::info!(channel.id = %channel.id, user.id = %user, "a member of {} has a new id and stays {user}", channel.id);
            note(app, channel, AuditKind::MemberRenamed, Some(user), None).await;
        }
        Renamed::Clash { user, other } => {
            tracing::warn!(channel.id = %channel.id, user.id = %user, "a member of {}, {user}, has a new id, and that one leads to {other} already; if both are one, run `mashang user merge {user} {other}`", channel.id);
            note(app, channel, AuditKind::MemberClash, Some(user), Some(other)).await;
        }
        Renamed::Nobody => {}
    }
    Ok(())
}

/// Until when proofs may have been made before this event: another node's clock may be ahead of ours.
fn stale_before(app: &App) -> Timestamp {
    app.now() + app.site.skew
}

fn key(wecom: &Wecom, member: &MemberId) -> IdentityKey {
    IdentityKey { kind: ChannelKind::Wecom, app: wecom.corp.as_str().to_owned(), subject: member.canonical() }
}

async fn note(app: &App, channel: &Channel, kind: AuditKind, user: Option<UserId>, other: Option<UserId>) {
    let channel = Some(channel.id.clone());
    audit::write(app, AuditEvent { channel, user, other, ..AuditEvent::new(app.now(), kind) }).await;
}
