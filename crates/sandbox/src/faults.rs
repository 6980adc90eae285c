//! What goes wrong on purpose: a board of switches, each on until switched off or used up.
//!
//! The board only says whether a fault is due; the module that answers knows what the fault looks like.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest a slow answer may be asked to take.
const LONGEST_SLOW_MS: u64 = 120_000;

/// The things that can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// sns: errcode 40029; nothing is processed.
    InvalidCode,
    /// sns: errcode 40163; nothing is processed.
    UsedCode,
    /// API: the work is done (a code is spent), then an empty body is sent as `text/html`.
    EmptyBody,
    /// API: the work is done, then an HTML page is sent.
    HtmlBody,
    /// API: the work is done, then the JSON is cut off in the middle.
    GarbageJson,
    /// API: answers leave out `unionid`.
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

/// A fault that is switched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Armed {
    pub(crate) fault: FaultName,
    pub(crate) target: Target,
    /// How often it still happens; absent: until switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remaining: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<u32>,
}

/// What a script posts: switch one on, or `"on": false` to switch one (or, without a name, all) off.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultOrder {
    fault: Option<FaultName>,
    #[serde(default = "switched_on")]
    on: bool,
    #[serde(default)]
    target: Target,
    remaining: Option<u32>,
    ms: Option<u64>,
    code: Option<u32>,
}

fn switched_on() -> bool {
    true
}

/// Why an order was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum OrderRefusal {
    #[error("name the fault to switch on")]
    NoFault,
    #[error("slow and slow_before need ms, at most 120000")]
    SlowMs,
    #[error("errcode needs code, for example 45009")]
    Errcode,
    #[error("authorize_error needs code, one of 10003 to 10006, 10009 to 10013, 10015, 10016")]
    AuthorizeCode,
    #[error("remaining counts from 1")]
    Remaining,
}

/// The switches.
#[derive(Debug, Default)]
pub(crate) struct Board(Vec<Armed>);

impl Board {
    pub(crate) fn armed(&self) -> &[Armed] {
        &self.0
    }

    pub(crate) fn order(&mut self, order: FaultOrder) -> Result<(), OrderRefusal> {
        let Some(fault) = order.fault else {
            if order.on {
                return Err(OrderRefusal::NoFault);
            }
            self.0.clear();
            return Ok(());
        };
        if order.on {
            check(fault, &order)?;
        }
        self.0.retain(|armed| {
            armed.fault != fault || (order.target != Target::All && armed.target != order.target)
        });
        if order.on {
            let FaultOrder { target, remaining, ms, code, .. } = order;
            self.0.push(Armed { fault, target, remaining, ms, code });
        }
        Ok(())
    }

    /// The fault if it is due for this call, counted down.
    pub(crate) fn take(&mut self, fault: FaultName, call: Target) -> Option<Armed> {
        let due =
            |armed: &Armed| armed.fault == fault && (armed.target == Target::All || armed.target == call);
        let at = self.0.iter().position(due)?;
        let found = self.0[at].clone();
        match &mut self.0[at].remaining {
            Some(1) => drop(self.0.remove(at)),
            Some(left) => *left -= 1,
            None => {}
        }
        Some(found)
    }

    /// A fault of the browser side, which has no target.
    pub(crate) fn take_browser(&mut self, fault: FaultName) -> Option<Armed> {
        self.take(fault, Target::All)
    }
}

fn check(fault: FaultName, order: &FaultOrder) -> Result<(), OrderRefusal> {
    if order.remaining == Some(0) {
        return Err(OrderRefusal::Remaining);
    }
    match fault {
        FaultName::Slow | FaultName::SlowBefore if order.ms.is_none_or(|ms| ms > LONGEST_SLOW_MS) => Err(OrderRefusal::SlowMs),
        FaultName::Errcode if order.code.is_none_or(|code| code == 0) => Err(OrderRefusal::Errcode),
        FaultName::AuthorizeError if !order.code.is_some_and(crate::official::knows_error) => {
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

    #[test]
    fn fault_with_remaining_is_used_up() {
        let mut board = Board::default();
        board.order(order(r#"{"fault":"system_error","target":"userinfo","remaining":2}"#)).unwrap();
        assert!(board.take(FaultName::SystemError, Target::AccessToken).is_none());
        assert!(board.take(FaultName::SystemError, Target::Userinfo).is_some());
        assert!(board.take(FaultName::SystemError, Target::Userinfo).is_some());
        assert!(board.take(FaultName::SystemError, Target::Userinfo).is_none());
    }

    #[test]
    fn orders_that_make_no_sense_are_refused() {
        let mut board = Board::default();
        for (json, refusal) in [
            ("{}", OrderRefusal::NoFault),
            (r#"{"fault":"slow"}"#, OrderRefusal::SlowMs),
            (r#"{"fault":"slow","ms":999999}"#, OrderRefusal::SlowMs),
            (r#"{"fault":"authorize_error","code":1}"#, OrderRefusal::AuthorizeCode),
            (r#"{"fault":"used_code","remaining":0}"#, OrderRefusal::Remaining),
        ] {
            assert_eq!(board.order(order(json)), Err(refusal));
        }
        assert!(serde_json::from_str::<FaultOrder>(r#"{"fault":"slwo"}"#).is_err());
    }

    #[test]
    fn switching_off_one_target_leaves_the_other() {
        let mut board = Board::default();
        board.order(order(r#"{"fault":"empty_body","target":"auth"}"#)).unwrap();
        board.order(order(r#"{"fault":"empty_body","target":"userinfo"}"#)).unwrap();
        board.order(order(r#"{"fault":"empty_body","target":"auth","on":false}"#)).unwrap();
        assert_eq!(board.armed().len(), 1);
        board.order(order(r#"{"on":false}"#)).unwrap();
        assert!(board.armed().is_empty());
    }
}
