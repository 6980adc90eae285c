//! The demo's person who signs in by name and password. Everybody else is made by their first login.

use mashang_login::Clock as _;
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::credentials::{NewPassword, NewUser, SetPassword, password_key};
use mashang_login::ids::UserId;
use mashang_server::channel::password;
use mashang_server::state::App;

use crate::user::made_up;

/// What is typed beside the password.
pub(super) const NAME: &str = "demo";

/// Gives the person a password, a fresh one at each start, and returns it.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn prepare(app: &App) -> anyhow::Result<String> {
    let text = made_up(&SystemEntropy);
    let Some((channel, means)) = password::channel(app) else { anyhow::bail!("the demo has no passwords") };
    let hash = means.hash(app, &text).await.map_err(|_| anyhow::anyhow!("no password could be made"))?;
    let username = NAME.parse()?;
    let former = app.credentials.password_by_username(&username).await?;
    let user = NewUser {
        id: former.as_ref().map_or_else(|| UserId::random(&SystemEntropy), |former| former.user.clone()),
        nickname: Some("示例用户 Demo".into()),
    };
    let new = NewPassword {
        key: password_key(&SystemEntropy),
        user: user.id.clone(),
        channel: channel.id.clone(),
        username,
        is_assigned: true,
        hash,
        keep: None,
    };
    let now = SystemClock.now();
    let done = match former {
        Some(_) => app.credentials.set_password(&new, now).await?,
        None => app.credentials.create_user_with_password(&user, &new, now).await?,
    };
    anyhow::ensure!(done == SetPassword::Done, "the person {NAME} could not be made");
    Ok(text)
}
