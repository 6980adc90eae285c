//! What a mini-program's codes prove (mini-program fact sheet §1, §8): exchanged here, by the server alone.

use mashang_login::identity::{Attributes, ChannelKind, IdentityKey, Profile, Proof};
use mashang_login::ids::ChannelId;
use mashang_wechat::OpenId;
use mashang_wechat::mini::phone::PhoneNumber;

use crate::channel::wechat_account::WechatAccount;
use crate::channel::{ChannelFailure, FailureWords};
use crate::state::App;

/// Exchanges a `wx.login` code, once. Nickname and picture are not told any more; the session key is dropped at once: we
/// have no use for it, and what is not kept cannot leak (SEC-34).
///
/// # Errors
/// [`ChannelFailure`] when WeChat refuses or fails.
pub async fn prove(
    app: &App,
    channel: &ChannelId,
    account: &WechatAccount,
    code: &str,
) -> Result<Proof, ChannelFailure> {
    let exchange = account.client.mini_session(&account.appid, &account.secret, code);
    let session = account.source.breaker().run(&*app.clock, exchange).await?;
    Ok(Proof {
        channel: channel.clone(),
        key: IdentityKey {
            kind: ChannelKind::WechatMini,
            app: account.appid.as_str().to_owned(),
            subject: session.openid.as_str().to_owned(),
        },
        union: account.union(session.unionid.as_ref()),
        profile: Profile::default(),
        attributes: Attributes::default(),
        proven_at: app.now(),
        password_set_at: None,
    })
}

/// Exchanges the code of a phone-number button, once, for the number in E.164 form. WeChat makes sure that it is the
/// number of `openid`.
///
/// # Errors
/// [`ChannelFailure`] when WeChat refuses or fails, or tells something that is no number.
pub async fn phone_number(
    app: &App,
    account: &WechatAccount,
    code: &str,
    openid: &str,
) -> Result<String, ChannelFailure> {
    let openid = openid.parse::<OpenId>().ok();
    let client = &account.client;
    let number = app
        .tokens
        .with(&account.source, async |token| {
            client.mini_phone(&token, &account.appid, code, openid.as_ref()).await
        })
        .await?;
    e164(&number).ok_or_else(|| ChannelFailure {
        words: FailureWords::Down,
        errcode: None,
        log: "WeChat told a phone number that is longer or shorter than any".into(),
    })
}

/// `+`, country, number: at most 15 digits (ITU-T E.164 §6).
fn e164(number: &PhoneNumber) -> Option<String> {
    let bare: String = number.bare.chars().filter(char::is_ascii_digit).collect();
    let digits = format!("{}{bare}", number.country_code);
    ((5..=15).contains(&digits.len()) && !bare.is_empty()).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(country_code: &str, bare: &str) -> PhoneNumber {
        PhoneNumber { full: String::new(), bare: bare.into(), country_code: country_code.into() }
    }

    #[test]
    fn numbers_are_written_alike_for_every_country() {
        assert_eq!(e164(&number("86", "13800138000")).as_deref(), Some("+8613800138000"));
        assert_eq!(e164(&number("1", "415-555 0100")).as_deref(), Some("+14155550100"));
        assert_eq!(e164(&number("86", "")), None);
        assert_eq!(e164(&number("86", "12345678901234")), None);
    }
}
