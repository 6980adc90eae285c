//! What goes wrong on purpose: a board of switches, each on until switched off or used up.
//!
//! The board only says whether a fault is due; the module that answers knows what the fault looks like. A fault has
//! the calls or pages of [`FaultName::reach`] and no others, and what is ordered elsewhere is refused; which kind of app or account
//! makes such a call is not looked at.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest a slow answer may be asked to take.
const LONGEST_SLOW_MS: u64 = 120_000;

/// The things that can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultName {
    /// API: the work is done at once, the answer comes `ms` milliseconds later: who gives up before has spent the code.
    Slow,
    /// API: `ms` milliseconds pass before anything is done: who gives up before has changed nothing.
    SlowBefore,
    /// API: errcode -1; nothing is processed, a code stays unused.
    SystemError,
    /// API: the errcode `code`; nothing is processed.
    Errcode,
    /// Token calls: errcode 40164, naming the caller's address (§4.1).
    IpNotWhitelisted,
    /// Calls that take a code: errcode 40029; nothing is processed.
    InvalidCode,
    /// WeChat's calls that take a login code: errcode 40163; nothing is processed. WeCom says 40029.
    UsedCode,
    /// API: the work is done (a code is spent), then an empty body is sent as `text/html`.
    EmptyBody,
    /// API: the work is done, then an HTML page is sent.
    HtmlBody,
    /// API: the work is done, then the JSON is cut off in the middle.
    GarbageJson,
    /// Calls that tell a `unionid`: they leave it out.
    NoUnionid,
    /// Allowing makes the browser request the callback URL twice.
    DuplicateCallback,
    /// Allowing sends the browser back with `state` only.
    CallbackWithoutCode,
    /// Denying sends the browser back with `state` only, as the older documentation says (§1.5).
    DenyRedirect,
    /// `/connect/oauth2/authorize` shows the error page of `code`, for example 10004 (§3).
    AuthorizeError,
}

/// Which API call a fault is meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AccessToken,
    RefreshToken,
    Auth,
    Userinfo,
    /// `/sns/jscode2session`
    Jscode2session,
    /// `/cgi-bin/token`
    Token,
    /// `/cgi-bin/stable_token`
    StableToken,
    /// `/cgi-bin/qrcode/create`
    QrcodeCreate,
    /// `/cgi-bin/user/info`
    Follower,
    /// `/cgi-bin/message/custom/send`
    CustomSend,
    /// `/cgi-bin/getcallbackip`
    CallbackIp,
    /// The three calls that draw a mini-program's code.
    Wxacode,
    /// `/wxa/business/getuserphonenumber`
    PhoneNumber,
    /// `/wxa/checksession`
    Checksession,
    /// `/cgi-bin/wxopen/qrcodejump…`
    LinkRules,
    /// `qyapi`: `gettoken`.
    Gettoken,
    /// `qyapi`: both `getuserinfo`.
    Getuserinfo,
    /// `qyapi`: both `getuserdetail`.
    Getuserdetail,
    /// `qyapi`: other calls below `user/`.
    User,
    /// `qyapi`: `department/…`.
    Department,
    #[default]
    All,
}

/// Where a fault can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    EveryCall,
    Calls(&'static [Target]),
    /// Pages of the browser and the phone, which have no target.
    Pages,
}

impl FaultName {
    /// All of them, in the order of the description.
    pub(crate) const ALL: [Self; 15] = [
        Self::Slow,
        Self::SlowBefore,
        Self::SystemError,
        Self::Errcode,
        Self::IpNotWhitelisted,
        Self::InvalidCode,
        Self::UsedCode,
        Self::EmptyBody,
        Self::HtmlBody,
        Self::GarbageJson,
        Self::NoUnionid,
        Self::DuplicateCallback,
        Self::CallbackWithoutCode,
        Self::DenyRedirect,
        Self::AuthorizeError,
    ];

    /// As orders name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::SlowBefore => "slow_before",
            Self::SystemError => "system_error",
            Self::Errcode => "errcode",
            Self::IpNotWhitelisted => "ip_not_whitelisted",
            Self::InvalidCode => "invalid_code",
            Self::UsedCode => "used_code",
            Self::EmptyBody => "empty_body",
            Self::HtmlBody => "html_body",
            Self::GarbageJson => "garbage_json",
            Self::NoUnionid => "no_unionid",
            Self::DuplicateCallback => "duplicate_callback",
            Self::CallbackWithoutCode => "callback_without_code",
            Self::DenyRedirect => "deny_redirect",
            Self::AuthorizeError => "authorize_error",
        }
    }

    fn reach(self) -> Reach {
        use Target as T;
        match self {
            Self::Slow
            | Self::SlowBefore
            | Self::SystemError
            | Self::Errcode
            | Self::EmptyBody
            | Self::HtmlBody
            | Self::GarbageJson => Reach::EveryCall,
            Self::IpNotWhitelisted => Reach::Calls(&[T::Token, T::StableToken]),
            Self::InvalidCode => {
                Reach::Calls(&[T::AccessToken, T::Jscode2session, T::PhoneNumber, T::Getuserinfo])
            }
            Self::UsedCode => Reach::Calls(&[T::AccessToken, T::Jscode2session]),
            Self::NoUnionid => Reach::Calls(&[T::AccessToken, T::Userinfo, T::Jscode2session, T::Follower]),
            Self::DuplicateCallback
            | Self::CallbackWithoutCode
            | Self::DenyRedirect
            | Self::AuthorizeError => Reach::Pages,
        }
    }

    /// The calls that an order may name.
    pub(crate) fn targets(self) -> Vec<Target> {
        match self.reach() {
            Reach::EveryCall => Target::CALLS.to_vec(),
            Reach::Calls(calls) => calls.to_vec(),
            Reach::Pages => Vec::new(),
        }
    }

    /// Whether an order may be limited to an app of this platform.
    pub(crate) fn suits(self, platform: Platform) -> bool {
        self.could_happen(Target::All, Some(platform))
    }

    /// Whether it can happen at this call; [`Target::All`] is a page, or a path that no call has.
    fn happens_at(self, call: Target) -> bool {
        match self.reach() {
            Reach::EveryCall => true,
            Reach::Calls(calls) => calls.contains(&call),
            Reach::Pages => call == Target::All,
        }
    }

    /// Whether an order for this target, of an app of this platform, can ever come due.
    fn could_happen(self, target: Target, at: Option<Platform>) -> bool {
        let suits = |call: &Target| at.is_none_or(|platform| call.platform() == platform);
        match (self.reach(), target) {
            (Reach::EveryCall, Target::All) => true,
            (Reach::EveryCall, call) => suits(&call),
            (Reach::Calls(calls), Target::All) => calls.iter().any(suits),
            (Reach::Calls(calls), call) => calls.contains(&call) && suits(&call),
            // WeCom's own error pages have no numbers.
            (Reach::Pages, Target::All) => {
                self != Self::AuthorizeError || at.is_none_or(|platform| platform == Platform::WeChat)
            }
            (Reach::Pages, _) => false,
        }
    }
}

/// Whose app an order may be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    WeChat,
    WeCom,
}

impl Target {
    /// Every call, in the order of the description.
    const CALLS: [Self; 20] = [
        Self::AccessToken,
        Self::RefreshToken,
        Self::Auth,
        Self::Userinfo,
        Self::Jscode2session,
        Self::Token,
        Self::StableToken,
        Self::QrcodeCreate,
        Self::Follower,
        Self::CustomSend,
        Self::CallbackIp,
        Self::Wxacode,
        Self::PhoneNumber,
        Self::Checksession,
        Self::LinkRules,
        Self::Gettoken,
        Self::Getuserinfo,
        Self::Getuserdetail,
        Self::User,
        Self::Department,
    ];

    fn platform(self) -> Platform {
        match self {
            Self::Gettoken | Self::Getuserinfo | Self::Getuserdetail | Self::User | Self::Department => {
                Platform::WeCom
            }
            _ => Platform::WeChat,
        }
    }
}

/// A call as the board sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    pub(crate) call: Target,
    /// The appid or CorpID it is for; empty when it names none that is known.
    pub(crate) appid: &'a str,
}

/// A fault that was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Armed {
    pub(crate) fault: FaultName,
    pub(crate) target: Target,
    /// Only for this appid or CorpID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) appid: Option<String>,
    /// How often it still happens; absent: until switched off. At 0 it is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remaining: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<u32>,
    /// How often it has happened.
    pub(crate) fired: u32,
}

/// What a script posts: switch one on, or `"on": false` to switch off all that fit what is named, or all.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultOrder {
    pub(crate) fault: Option<String>,
    #[serde(default = "switched_on")]
    pub(crate) on: bool,
    #[serde(default)]
    pub(crate) target: Target,
    pub(crate) appid: Option<String>,
    pub(crate) remaining: Option<u32>,
    pub(crate) ms: Option<u64>,
    pub(crate) code: Option<u32>,
}

fn switched_on() -> bool {
    true
}

/// Why an order was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum OrderRefusal {
    #[error("name the fault to switch on")]
    NoFault,
    #[error("there is no fault of this name; there are {}", all_names())]
    Unknown,
    #[error(
        "an expired code is refused as one that never was: order invalid_code, or let time pass with \
         POST /sandbox/api/clock {{\"advance_s\": 301}}"
    )]
    Expired,
    #[error("no such app or corp; GET /sandbox/api/apps and /sandbox/api/wecom/corps list them")]
    Appid,
    #[error("{}", where_it_happens(*.0))]
    Never(FaultName),
    #[error("slow and slow_before need ms, at most 120000")]
    SlowMs,
    #[error("errcode needs code, for example 45009")]
    Errcode,
    #[error("authorize_error needs code, one of 10003 to 10006, 10009 to 10013, 10015, 10016")]
    AuthorizeCode,
    #[error("remaining counts from 1")]
    Remaining,
}

fn all_names() -> String {
    FaultName::ALL.map(FaultName::name).join(", ")
}

fn where_it_happens(fault: FaultName) -> String {
    let name = fault.name();
    match fault.reach() {
        Reach::EveryCall => format!("{name} happens at calls of the app's own platform: WeChat's or WeCom's"),
        Reach::Pages if fault == FaultName::AuthorizeError => {
            format!(
                "{name} happens on the page of connect/oauth2/authorize of an official account, and has no target"
            )
        }
        Reach::Pages => format!("{name} happens in the browser and on the phone, and has no target"),
        Reach::Calls(calls) => {
            let calls: Vec<_> = calls.iter().map(|call| serde_json::json!(call)).collect();
            let calls: Vec<_> = calls.iter().filter_map(serde_json::Value::as_str).collect();
            let wecom = if fault == FaultName::UsedCode {
                "; WeCom tells a used code as an invalid_code"
            } else {
                ""
            };
            format!("{name} happens at {} only{wecom}", calls.join(", "))
        }
    }
}

/// The switches.
#[derive(Debug, Default)]
pub(crate) struct Board(Vec<Armed>);

impl Board {
    /// All that were ordered, the used-up ones too.
    pub(crate) fn ordered(&self) -> &[Armed] {
        &self.0
    }

    /// Those still to come, and those used up, for scripts.
    pub(crate) fn list(&self) -> serde_json::Value {
        let (used_up, faults): (Vec<_>, Vec<_>) = self.0.iter().partition(|armed| armed.remaining == Some(0));
        serde_json::json!({ "faults": faults, "used_up": used_up })
    }

    /// Switches on or off. `owner` is the platform of the order's appid, when there is such an app.
    pub(crate) fn order(&mut self, order: FaultOrder, owner: Option<Platform>) -> Result<(), OrderRefusal> {
        let FaultOrder { fault, on, target, appid, remaining, ms, code } = order;
        let fault = fault.map(|name| named(&name)).transpose()?;
        if appid.is_some() && owner.is_none() {
            return Err(OrderRefusal::Appid);
        }
        let armed = match fault {
            None if on => return Err(OrderRefusal::NoFault),
            Some(fault) if on => {
                let armed = Armed { fault, target, appid: appid.clone(), remaining, ms, code, fired: 0 };
                check(&armed, owner)?;
                Some(armed)
            }
            _ => None,
        };
        // What is named must be the same; what is not named fits all.
        self.0.retain(|old| {
            let fits = fault.is_none_or(|fault| fault == old.fault)
                && (target == Target::All || target == old.target)
                && (appid.is_none() || appid == old.appid);
            !fits
        });
        self.0.extend(armed);
        Ok(())
    }

    /// Switches off the one that was ordered for just this target and app.
    pub(crate) fn switch_off(&mut self, fault: FaultName, target: Target, appid: Option<&str>) {
        self.0.retain(|armed| {
            armed.fault != fault || armed.target != target || armed.appid.as_deref() != appid
        });
    }

    /// The fault if it is due for this call, counted.
    pub(crate) fn take(&mut self, fault: FaultName, at: At<'_>) -> Option<Armed> {
        if !fault.happens_at(at.call) {
            return None;
        }
        let due = |armed: &&mut Armed| {
            armed.fault == fault
                && armed.remaining != Some(0)
                && (armed.target == Target::All || armed.target == at.call)
                && armed.appid.as_deref().is_none_or(|appid| appid == at.appid)
        };
        let found = self.0.iter_mut().find(due)?;
        found.fired = found.fired.saturating_add(1);
        found.remaining = found.remaining.map(|left| left - 1);
        Some(found.clone())
    }

    /// A fault of the browser's and the phone's pages, for this appid or CorpID.
    pub(crate) fn take_browser(&mut self, fault: FaultName, appid: &str) -> Option<Armed> {
        self.take(fault, At { call: Target::All, appid })
    }
}

fn named(name: &str) -> Result<FaultName, OrderRefusal> {
    let found = FaultName::ALL.into_iter().find(|fault| fault.name() == name);
    let refusal = if name == "expired_code" { OrderRefusal::Expired } else { OrderRefusal::Unknown };
    found.ok_or(refusal)
}

fn check(armed: &Armed, owner: Option<Platform>) -> Result<(), OrderRefusal> {
    if !armed.fault.could_happen(armed.target, owner) {
        return Err(OrderRefusal::Never(armed.fault));
    }
    if armed.remaining == Some(0) {
        return Err(OrderRefusal::Remaining);
    }
    match armed.fault {
        FaultName::Slow | FaultName::SlowBefore if armed.ms.is_none_or(|ms| ms > LONGEST_SLOW_MS) => {
            Err(OrderRefusal::SlowMs)
        }
        FaultName::Errcode if armed.code.is_none_or(|code| code == 0) => Err(OrderRefusal::Errcode),
        FaultName::AuthorizeError if !armed.code.is_some_and(crate::official::knows_error) => {
            Err(OrderRefusal::AuthorizeCode)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(json: &str) -> FaultOrder {
        serde_json::from_str(json).unwrap()
    }

    fn board(orders: &[&str]) -> Board {
        let mut board = Board::default();
        for json in orders {
            board.order(order(json), None).unwrap();
        }
        board
    }

    fn at(call: Target) -> At<'static> {
        At { call, appid: "wx1" }
    }

    #[test]
    fn fault_with_remaining_is_used_up_and_says_that_it_fired() {
        let mut board = board(&[r#"{"fault":"system_error","target":"userinfo","remaining":2}"#]);
        assert!(board.take(FaultName::SystemError, at(Target::AccessToken)).is_none());
        assert_eq!(board.ordered()[0].fired, 0);
        assert!(board.take(FaultName::SystemError, at(Target::Userinfo)).is_some());
        assert!(board.take(FaultName::SystemError, at(Target::Userinfo)).is_some());
        assert!(board.take(FaultName::SystemError, at(Target::Userinfo)).is_none());
        assert_eq!((board.ordered()[0].fired, board.ordered()[0].remaining), (2, Some(0)));
    }

    #[test]
    fn orders_that_make_no_sense_are_refused() {
        for (json, refusal) in [
            ("{}", OrderRefusal::NoFault),
            (r#"{"fault":"slwo"}"#, OrderRefusal::Unknown),
            (r#"{"fault":"expired_code"}"#, OrderRefusal::Expired),
            (r#"{"fault":"slow"}"#, OrderRefusal::SlowMs),
            (r#"{"fault":"slow","ms":999999}"#, OrderRefusal::SlowMs),
            (r#"{"fault":"authorize_error","code":1}"#, OrderRefusal::AuthorizeCode),
            (r#"{"fault":"used_code","remaining":0}"#, OrderRefusal::Remaining),
            (r#"{"fault":"used_code","appid":"wx1"}"#, OrderRefusal::Appid),
        ] {
            assert_eq!(Board::default().order(order(json), None), Err(refusal), "{json}");
        }
        assert!(OrderRefusal::Unknown.to_string().contains("slow_before, system_error"));
    }

    #[test]
    fn orders_that_could_never_come_due_are_refused_with_where_they_do() {
        for (json, owner, told) in [
            (
                r#"{"fault":"used_code","target":"getuserinfo"}"#,
                None,
                "access_token, jscode2session only; WeCom",
            ),
            (r#"{"fault":"ip_not_whitelisted","target":"access_token"}"#, None, "token, stable_token only"),
            (r#"{"fault":"deny_redirect","target":"userinfo"}"#, None, "has no target"),
            (
                r#"{"fault":"invalid_code","target":"gettoken"}"#,
                None,
                "access_token, jscode2session, phone_number",
            ),
            (r#"{"fault":"used_code","appid":"ww1"}"#, Some(Platform::WeCom), "WeCom"),
            (
                r#"{"fault":"slow","ms":1,"target":"userinfo","appid":"ww1"}"#,
                Some(Platform::WeCom),
                "own platform",
            ),
            (
                r#"{"fault":"authorize_error","code":10004,"appid":"ww1"}"#,
                Some(Platform::WeCom),
                "official account",
            ),
        ] {
            let refusal = Board::default().order(order(json), owner).unwrap_err();
            assert!(refusal.to_string().contains(told), "{json}: {refusal}");
        }
    }

    /// A fault for all calls happens only where it means something.
    #[test]
    fn invalid_code_for_all_calls_leaves_calls_without_a_code_alone() {
        let mut board = board(&[r#"{"fault":"invalid_code"}"#]);
        for call in [Target::Userinfo, Target::Gettoken, Target::Auth] {
            assert!(board.take(FaultName::InvalidCode, at(call)).is_none(), "{call:?}");
        }
        assert!(board.take(FaultName::InvalidCode, at(Target::Getuserinfo)).is_some());
    }

    #[test]
    fn fault_of_one_app_leaves_the_others_alone() {
        let mut board = Board::default();
        let json = r#"{"fault":"callback_without_code","appid":"wx1"}"#;
        board.order(order(json), Some(Platform::WeChat)).unwrap();
        assert!(board.take_browser(FaultName::CallbackWithoutCode, "wx2").is_none());
        assert!(board.take_browser(FaultName::CallbackWithoutCode, "wx1").is_some());
    }

    #[test]
    fn switching_off_takes_what_is_named_and_nothing_else() {
        let all = [
            r#"{"fault":"empty_body","target":"auth"}"#,
            r#"{"fault":"empty_body","target":"userinfo"}"#,
            r#"{"fault":"slow","ms":1,"target":"userinfo"}"#,
            r#"{"fault":"slow_before","ms":1}"#,
        ];
        for (off, left) in [
            (r#"{"fault":"empty_body","target":"auth","on":false}"#, 3),
            (r#"{"fault":"empty_body","on":false}"#, 2),
            (r#"{"target":"userinfo","on":false}"#, 2),
            (r#"{"on":false}"#, 0),
        ] {
            let mut board = board(&all);
            board.order(order(off), None).unwrap();
            assert_eq!(board.ordered().len(), left, "{off}");
        }
    }
}
