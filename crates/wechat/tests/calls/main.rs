//! The client against a socket that answers as WeChat does, and as it should not.

mod exchange;
mod mini;
mod official;
mod profile;
mod server;
mod token;
mod transport;
mod wecom;

use std::time::Duration;

use mashang_wechat::{AppId, AppSecret, Client, ClientOptions, Error, Hosts};
use server::{Reply, Server};

const APPID: &str = "wx0123456789abcdef";
const SECRET: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e75e";
const CODE: &str = "061p2Za447CUkl2XAbCdEfGhIjKlMnOp";
const ACCESS_TOKEN: &str = "70_AccessTokenThatNobodyMaySee";
const OPENID: &str = "oAAAAbbbbCCCCddddEEEEffff012";
const UNIONID: &str = "oBBBBccccDDDDeeeeFFFFgggg345";

/// A successful exchange, in the shape of WeChat fact sheet §2.5.
const TOKEN: &str = r#"{"access_token":"70_AccessTokenThatNobodyMaySee","expires_in":7200,"refresh_token":"70_B","openid":"oAAAAbbbbCCCCddddEEEEffff012","scope":"snsapi_login","unionid":"oBBBBccccDDDDeeeeFFFFgggg345"}"#;

fn options() -> ClientOptions {
    ClientOptions { no_proxy: true, ..ClientOptions::default() }
}

fn client_with(server: &Server, options: ClientOptions) -> Client {
    Client::new(Hosts::sandbox(server.base()), options).expect("these options are sound")
}

fn client(server: &Server) -> Client {
    client_with(server, options())
}

/// A fifth of a second instead of five, for answers that never come.
fn hasty() -> ClientOptions {
    ClientOptions { total_timeout: Duration::from_millis(200), ..options() }
}

async fn exchange(client: &Client) -> Result<mashang_wechat::sns::SnsToken, Error> {
    let appid: AppId = APPID.parse().expect("a valid appid");
    client.exchange_code(&appid, &AppSecret::new(SECRET), CODE).await
}

/// A token obtained the ordinary way, from a server of its own.
async fn token() -> mashang_wechat::sns::SnsToken {
    let server = Server::start([Reply::text(TOKEN)]).await;
    exchange(&client(&server)).await.expect("the recorded token is well-formed")
}

/// Everything an error can print: `Display` and `Debug`, down the chain of its sources.
fn everything_shown(error: &Error) -> String {
    let mut shown = format!("{error} {error:?} {error:#?}");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        shown += &format!(" {inner} {inner:?}");
        cause = inner.source();
    }
    shown
}

/// SEC-77, SEC-26: nothing secret that we sent or received, and no request address.
fn assert_silent(error: &Error) {
    let shown = everything_shown(error);
    for secret in [SECRET, CODE, ACCESS_TOKEN, OPENID, "/sns/", "secret=", "?appid"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
