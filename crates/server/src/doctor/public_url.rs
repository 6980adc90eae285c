//! Whether websites and phones find this server, and no other, at its public address.

use http::StatusCode;
use serde::Deserialize;

use super::{CONNECT, PATIENCE};
use crate::outgoing::{self, causes};
use crate::state::App;
use crate::urls;

/// Ours are shorter, in bytes.
const LIMIT: usize = 64 * 1024;

/// Asks as a website does.
pub(super) async fn look(app: &App) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Discovery {
        issuer: String,
    }
    #[derive(Deserialize)]
    struct KeySet {
        keys: Vec<Key>,
    }
    #[derive(Deserialize)]
    struct Key {
        kid: Option<String>,
    }
    let client = outgoing::direct(CONNECT, PATIENCE).build().map_err(|error| error.to_string())?;
    let ours = &app.site.public_url;
    let body = read(&client, app.site.absolute(urls::DISCOVERY)).await?;
    let discovery: Discovery = serde_json::from_slice(&body).map_err(|_| foreign(ours))?;
    if discovery.issuer != *ours {
        return Err(format!(
            "{ours} is answered by `{}`: it leads to a server with another server.public_url / 该地址由另一个 server.public_url 的服务应答",
            discovery.issuer
        ));
    }
    let body = read(&client, app.site.absolute(urls::JWKS)).await?;
    let published: KeySet = serde_json::from_slice(&body).map_err(|_| foreign(ours))?;
    let own = app.records.signing_keys().await.map_err(|error| error.to_string())?;
    let is_own = |kid: &String| own.iter().any(|key| key.id.to_string() == *kid);
    if published.keys.iter().filter_map(|key| key.kid.as_ref()).any(is_own) {
        Ok(())
    } else {
        Err(format!(
            "{ours} leads to a Mashang with another database: none of its keys is in store.url / 该地址由使用另一个数据库的 Mashang 应答"
        ))
    }
}

fn foreign(ours: &str) -> String {
    format!(
        "{ours} is answered by something else than Mashang: look at the proxy in front, and at the name in DNS / 应答的不是 Mashang：请检查反向代理和域名解析"
    )
}

async fn read(client: &reqwest::Client, url: String) -> Result<Vec<u8>, String> {
    let failed = |error: reqwest::Error| {
        format!(
            "{url} cannot be reached from this machine: {}. Is the server running (`mashang health`), does the name lead to \
             the proxy in front of it, and is its certificate whole? A router that does not lead a network back to its own \
             public address fails here alone / 本机无法访问该地址：请检查服务是否在运行、域名解析、反向代理和证书；路由器不支持回流（hairpin）时，只有本机访问会失败",
            causes(&error.without_url())
        )
    };
    let answer = client.get(&url).send().await.map_err(failed)?;
    match answer.status() {
        StatusCode::OK => outgoing::body(answer, LIMIT).await.map_err(failed)?.ok_or_else(|| {
            format!(
                "{url} answers with more than {LIMIT} bytes: it is not ours / 应答过长，应答的不是 Mashang"
            )
        }),
        status => Err(format!(
            "{url} answers {status}: look at the proxy in front, whether it hands everything on to server.listen / 请检查反向代理是否把所有请求转给 server.listen"
        )),
    }
}
