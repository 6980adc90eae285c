//! WeCom (企业微信): scan login, panel, in-app OAuth, `qyapi`, and directory events.
//!
//! | file | what it plays |
//! |---|---|
//! | `corp` | companies, apps, departments, members: the operator's options |
//! | `office` | all that as it is now, with tokens, codes and tickets |
//! | `login`, `wait`, `confirm` | the page with the QR, what it waits for, what the phone shows |
//! | `in_app` | `/connect/oauth2/authorize` with a CorpID |
//! | `scripts` | the embedding scripts |
//! | `qyapi`, `gettoken`, `identity`, `directory` | the calls; `calls` and `answer` are what they share |
//! | `news` | directory events |
//! | `manage` | the script API of it |

mod answer;
mod calls;
mod confirm;
mod corp;
mod directory;
mod gettoken;
mod identity;
mod in_app;
mod login;
mod manage;
mod news;
mod office;
mod qyapi;
mod scripts;
mod wait;

use axum::Router;
use axum::routing::get;

use crate::phone;
use crate::state::Sandbox;

pub(crate) use confirm::{Declined, answer, knows, scan, stage};
pub use corp::{
    Agent, Corp, DEMO_CORP_AGENTID, DEMO_CORP_CONTACT_SECRET, DEMO_CORP_SECRET, DEMO_CORPID, Department,
    Member, MemberStatus, Visible, default_corps,
};
pub(crate) use in_app::{answer_request, is_corp, show as show_in_app};
pub(crate) use manage::router as manage_router;
pub(crate) use office::Office;
pub(crate) use qyapi::router as api_router;

/// What the login QR leads to, below [`hosts::OPEN_WORK`](crate::hosts::OPEN_WORK).
pub(crate) const CONFIRM: &str = "/wwopen/sso/confirm2";
/// Where the in-app consent page posts. Of ours: the real one is unknown.
const CONSENT: &str = "/wwopen/sandbox/consent";
/// Where a domain ends that is not trusted.
const DOMAIN_ERROR: &str = "/wwopen/uriconfirm";

/// `login.work.weixin.qq.com`
pub(crate) fn login_router() -> Router<Sandbox> {
    Router::new()
        .route("/wwlogin/sso/login", get(login::show_new))
        .route("/wwlogin/sso/login/", get(login::show_new))
        .merge(waiting())
}

/// `open.work.weixin.qq.com`
pub(crate) fn open_router() -> Router<Sandbox> {
    Router::new()
        .route("/wwopen/sso/qrConnect", get(login::show_old))
        .route(CONFIRM, get(confirm::show).post(confirm::submit))
        .route(CONSENT, axum::routing::post(in_app::submit))
        .route(DOMAIN_ERROR, get(in_app::domain_error))
        .merge(waiting())
}

/// What both pages' script asks for.
fn waiting() -> Router<Sandbox> {
    Router::new()
        .route("/wwopen/sandbox/qr", get(wait::picture))
        .route("/wwopen/sandbox/wait", get(wait::hold))
}

/// `rescdn.qqmail.com` and `wwcdn.weixin.qq.com`
pub(crate) fn script_router() -> Router<Sandbox> {
    Router::new()
        .route("/node/ww/wwopenmng/js/sso/{file}", get(scripts::ww_login))
        .route("/node/wework/wwopen/js/{file}", get(scripts::ww_login))
        .route("/node/open/js/{file}", get(scripts::jssdk))
}

/// Where the browser or the phone goes back to: parameters before a fragment, after what the address already has.
fn callback_url(redirect_uri: &str, state: &str, code: Option<&str>) -> String {
    let (address, fragment) = match redirect_uri.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (redirect_uri, String::new()),
    };
    let joint = if address.contains('?') { '&' } else { '?' };
    let pairs: Vec<_> = code.into_iter().map(|code| ("code", code)).chain([("state", state)]).collect();
    format!("{address}{joint}{}{fragment}", phone::encoded(&pairs))
}

#[cfg(test)]
mod tests {
    use super::callback_url;

    #[test]
    fn callback_keeps_its_own_parameters_and_a_refusal_has_state_only() {
        assert_eq!(
            callback_url("https://a/cb?x=1", "s t", Some("c-_")),
            "https://a/cb?x=1&code=c-_&state=s+t"
        );
        assert_eq!(callback_url("https://a/cb#f", "s", None), "https://a/cb?state=s#f");
    }
}
