//! WeCom's calls: the app's token, a code for a person, and the directory.

mod directory;
mod login;
mod token;

use mashang_wechat::{AccessToken, Client, Error, FailureKind};

use crate::everything_shown;
use crate::server::{Reply, Server};

pub(crate) const CORP: &str = "ww7dc5f02540a109d3";
pub(crate) const CORP_SECRET: &str = "c0rPc0rPc0rPc0rP_c0rPc0rP-c0rPc0rPc0rPc0rPc";
pub(crate) const CORP_CODE: &str = "-gIW5mK2Cquo1jwW36xK3DdBskeHUCf7-1su3mFC1bw";
pub(crate) const CORP_TOKEN: &str = "wEc0mTokenThatNobodyMaySee";
pub(crate) const TICKET: &str = "uSeR_tIcKeT-ThatNobodyMaySee";
pub(crate) const MEMBER: &str = "ZhangSan";

pub(crate) fn corp_token() -> AccessToken {
    AccessToken::new(CORP_TOKEN)
}

/// As WeCom writes its refusals (WeCom fact sheet §11).
pub(crate) fn refusal(code: i64, errmsg: &str) -> String {
    format!(
        r#"{{"errcode":{code},"errmsg":"{errmsg}, hint: [1732274683321], from ip: 203.0.113.9, more info at https://open.work.weixin.qq.com/devtool/query?e={code}","userid":"","department":[]}}"#
    )
}

/// SEC-77, SEC-26: nothing secret that we sent or received, and no request address.
pub(crate) fn assert_silent(error: &Error) {
    let shown = everything_shown(error);
    for secret in
        [CORP_SECRET, CORP_CODE, CORP_TOKEN, TICKET, MEMBER, "corpsecret=", "?access_token", "127.0.0.1"]
    {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// Makes a call against a server that gives this one answer, and checks that it fails once and silently.
pub(crate) async fn failure<T>(body: &str, call: impl AsyncFnOnce(Client) -> Result<T, Error>) -> Error {
    let server = Server::start([Reply::text(body)]).await;
    let Err(error) = call(crate::client(&server)).await else { panic!("{body} was accepted") };
    assert_eq!(server.requests().len(), 1, "{body}");
    assert_silent(&error);
    error
}

/// SEC-27: each replacement in a good answer must be refused as malformed.
pub(crate) async fn assert_malformed<T>(
    good: &str,
    mutations: &[(&str, &str)],
    call: impl AsyncFn(Client) -> Result<T, Error>,
) {
    for (from, to) in mutations {
        let body = good.replacen(from, to, 1);
        assert_ne!(body, good, "{from}");
        let error = failure(&body, &call).await;
        assert_eq!(error.kind(), FailureKind::Malformed, "{from} -> {to}: {error}");
    }
}
