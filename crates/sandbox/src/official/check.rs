//! What `/connect/oauth2/authorize` accepts, and the error pages otherwise (WeChat fact sheet §3).

use crate::options::{App, AppKind};
use crate::params::Params;
use crate::state::Sandbox;

/// §3: a longer state is refused. In bytes.
const LONGEST_STATE: usize = 128;

const ERRORS: &[(u32, &str)] = &[
    (10003, "redirect_uri 域名与后台配置不一致，错误码：10003"),
    (10004, "此公众号被封禁，错误码：10004"),
    (10005, "此公众号并没有这些 scope 的权限，错误码：10005"),
    (10006, "必须关注此测试号，错误码：10006"),
    (10009, "操作太频繁了，请稍后重试，错误码：10009"),
    (10010, "scope 不能为空，错误码：10010"),
    (10011, "redirect_uri 不能为空，错误码：10011"),
    (10012, "appid 不能为空，错误码：10012"),
    (10013, "state 不能为空，错误码：10013"),
    (10015, "公众号未授权第三方平台，请检查授权状态，错误码：10015"),
    (10016, "不支持微信开放平台的 Appid，请使用公众号 Appid，错误码：10016"),
];

/// Whether there is an error page with this number.
pub(crate) fn knows_error(code: u32) -> bool {
    ERRORS.iter().any(|(number, _)| *number == code)
}

/// The text of the error page with this number.
pub(super) fn error_text(code: u32) -> &'static str {
    ERRORS.iter().find(|(number, _)| *number == code).map_or("该链接无法访问", |(_, text)| text)
}

/// What the site asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// snsapi_base: silent, openid only.
    Base,
    /// snsapi_userinfo: with the person's consent.
    Userinfo,
}

impl Scope {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Base => "snsapi_base",
            Self::Userinfo => "snsapi_userinfo",
        }
    }
}

/// A request that passed.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(super) app: App,
    pub(super) scope: Scope,
    pub(super) redirect_uri: String,
    pub(super) state: String,
}

/// The text of the error page when a parameter is not as it must be. A missing `state` is fine, an empty one is 10013.
pub(super) fn check(sandbox: &Sandbox, params: &Params) -> Result<Checked, &'static str> {
    let refuse = |code| Err(error_text(code));
    if params.get("appid").is_empty() {
        return refuse(10012);
    }
    let Some(app) = sandbox.options().app(params.get("appid")) else { return Err("appid 参数错误") };
    if app.kind != AppKind::OfficialAccount {
        return refuse(10016);
    }
    if params.get("redirect_uri").is_empty() {
        return refuse(10011);
    }
    if !sandbox.allows_callback(app, params.get("redirect_uri")) {
        return refuse(10003);
    }
    if params.get("response_type") != "code" {
        return Err("response_type 参数错误");
    }
    let scope = match params.get("scope") {
        "" => return refuse(10010),
        "snsapi_base" => Scope::Base,
        "snsapi_userinfo" => Scope::Userinfo,
        _ => return refuse(10005),
    };
    match params.get("state") {
        "" if params.has("state") => refuse(10013),
        state if state.len() > LONGEST_STATE => Err("state 参数过长"),
        state => Ok(Checked {
            app: app.clone(),
            scope,
            redirect_uri: params.get("redirect_uri").to_owned(),
            state: state.to_owned(),
        }),
    }
}

/// §3: appid, redirect_uri, response_type, scope, state, in this order and letter case. We let other orders pass,
/// as providers with other orders exist, and say so.
pub(super) fn order_warning(query: &str) -> Option<String> {
    const ORDER: [&str; 5] = ["appid", "redirect_uri", "response_type", "scope", "state"];
    let names = url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned());
    let seen: Vec<_> = names.filter(|name| ORDER.contains(&name.as_str())).collect();
    let expected: Vec<_> = ORDER.into_iter().filter(|name| seen.iter().any(|other| other == name)).collect();
    (seen != expected).then(|| {
        format!(
            "connect/oauth2/authorize: parameters came as {}, expected as {}",
            seen.join(", "),
            expected.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_orders_are_noticed() {
        assert_eq!(
            order_warning("appid=1&redirect_uri=2&response_type=code&scope=3&state=4&via=wechat"),
            None
        );
        assert_eq!(order_warning("appid=1&redirect_uri=2&response_type=code&scope=3"), None);
        assert!(order_warning("redirect_uri=2&appid=1&response_type=code&scope=3").is_some());
    }
}
