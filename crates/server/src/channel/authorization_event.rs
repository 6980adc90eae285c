//! What we do when WeChat tells that a person withdrew what they had allowed an account, closed their own, or has another profile
//! (WeChat fact sheet §7): what is held of it is deleted, as the platform asks.
//!
//! Deleting cannot be undone. So news that is not understood, or that anybody could have sent, is told to the operator and
//! deletes nothing.

use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::erasure::Withdrawn;
use mashang_login::identity::{ChannelKind, IdentityKey};
use mashang_login::ids::UserId;
use mashang_wechat::AppId;
use mashang_wechat::callback::{Accepted, AuthorizationChange, AuthorizationNews};

use super::Channel;
use crate::state::App;
use crate::web::problem::Problem;

/// Carries out what an event tells of an authorization. Whatever it is, it is also the operator's.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer; WeChat then delivers again.
pub(super) async fn handle(
    app: &App,
    channel: &Channel,
    appid: &AppId,
    accepted: &Accepted,
) -> Result<(), Problem> {
    let news = match AuthorizationNews::of(&accepted.event) {
        Ok(None) => return Ok(()),
        Ok(Some(news)) => news,
        Err(error) => {
            tracing::warn!(channel.id = %channel.id, "{error}, at {}: nothing was deleted. Look at it in the platform's console, and erase the person by hand if they must go", channel.id);
            return Ok(());
        }
    };
    if accepted.delivery_key.is_some() {
        tracing::warn!(channel.id = %channel.id, "news of an authorization came to {} in plain mode, where anybody can have written it: nothing was deleted. Choose 安全模式 (secure mode) in the platform's console", channel.id);
        return Ok(());
    }
    if news.appid.is_some_and(|of| of != *appid) {
        tracing::warn!(channel.id = %channel.id, "news of an authorization came to {} that is about another app; left alone", channel.id);
        return Ok(());
    }
    let key = IdentityKey {
        kind: ChannelKind::WechatOfficial,
        app: appid.as_str().to_owned(),
        subject: news.openid.as_str().to_owned(),
    };
    let Some(identity) = app.records.identity(&key).await? else {
        tracing::info!(channel.id = %channel.id, "WeChat told of an authorization at {} of somebody who is not known here", channel.id);
        return Ok(());
    };
    // Told late, of the person who was here before.
    if accepted.event.create_time().is_some_and(|at| identity.created_at.as_second() > at) {
        tracing::info!(channel.id = %channel.id, user.id = %identity.user, "WeChat told of an authorization at {} that is older than what {} gave since; left alone", channel.id, identity.user);
        return Ok(());
    }
    match news.change {
        AuthorizationChange::Cancelled | AuthorizationChange::Revoked => {
            withdraw(app, channel, &key, &identity.user).await
        }
        AuthorizationChange::ProfileWithdrawn => forget(app, channel, &key).await,
        _ => {
            told_of_nothing(channel, &identity.user);
            Ok(())
        }
    }
}

async fn withdraw(app: &App, channel: &Channel, key: &IdentityKey, user: &UserId) -> Result<(), Problem> {
    // Whoever is locked out could come back as somebody new by withdrawing and allowing it again (SEC-40).
    if app.records.user(user).await?.is_some_and(|user| user.disabled_at.is_some()) {
        tracing::warn!(channel.id = %channel.id, user.id = %user, "{user} withdrew at WeChat what they had allowed {}, and is switched off: name and picture are forgotten, and the rest stays, as it keeps them out. If they may come back, run `mashang user erase {user}`", channel.id);
        return forget(app, channel, key).await;
    }
    let told = about(app, channel, AuditKind::AuthorizationWithdrawn);
    let Some(Withdrawn { user, ended, erased, clients }) =
        app.records.withdraw_identity(key, &told, app.now()).await?
    else {
        return Ok(());
    };
    if erased.is_none() {
        tracing::info!(channel.id = %channel.id, user.id = %user, ended, "{user} withdrew at WeChat what they had allowed {}: it does not lead to them any more, and {ended} sessions ended", channel.id);
        return Ok(());
    }
    let clients: Vec<&str> = clients.iter().map(|client| client.as_str()).collect();
    tracing::info!(
        channel.id = %channel.id,
        user.id = %user,
        ended,
        "{user} withdrew at WeChat what they had allowed {}, their only way to sign in, and is erased; websites that know them and keep what they were told: {}",
        channel.id,
        if clients.is_empty() { "none".to_owned() } else { clients.join(", ") }
    );
    Ok(())
}

async fn forget(app: &App, channel: &Channel, key: &IdentityKey) -> Result<(), Problem> {
    let told = about(app, channel, AuditKind::ProfileForgotten);
    if let Some(user) = app.records.forget_profile(key, &told, app.now()).await? {
        tracing::info!(channel.id = %channel.id, user.id = %user, "WeChat told that name and picture of {user} at {} count no more: both are forgotten until their next login", channel.id);
    }
    Ok(())
}

fn told_of_nothing(channel: &Channel, user: &UserId) {
    tracing::info!(channel.id = %channel.id, user.id = %user, "{user} withdrew at WeChat something that {} does not hold", channel.id);
}

fn about(app: &App, channel: &Channel, kind: AuditKind) -> AuditEvent {
    AuditEvent { channel: Some(channel.id.clone()), ..AuditEvent::new(app.now(), kind) }
}
