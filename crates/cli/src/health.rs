//! `mashang health`: asks the server of the same configuration whether it is ready. For images without a shell or curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use mashang_server::{config, urls};
use url::Url;

use crate::args::Health;

/// Shorter than the time a container's engine gives to a check.
const PATIENCE: Duration = Duration::from_secs(4);

/// Succeeds if the server answers that it is well.
///
/// # Errors
/// What it answered instead, or that it did not.
pub async fn run(asked: &Health) -> anyhow::Result<()> {
    let config = config::load(asked.file.config.as_deref())?;
    let path = if asked.live { urls::LIVE } else { urls::READY };
    let url = Url::parse(&format!("http://{}{path}", reachable(config.server.listen)))?;
    // Of this machine: a proxy for calls to the outside has no part in it.
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let answer = client.get(url.clone()).send().await.with_context(|| format!("{url} does not answer"))?;
    let status = answer.status();
    let said = answer.text().await.unwrap_or_default();
    if !status.is_success() {
        bail!("{url} answers {status}: {}", said.trim());
    }
    say!("{}", said.trim());
    Ok(())
}

/// Where what listens on all addresses is reached from its own machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        named => named,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_reached_at_loopback_and_a_named_one_at_its_name() {
        let at = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(at("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(at("[::]:8080"), "[::1]:8080");
        assert_eq!(at("10.1.2.3:80"), "10.1.2.3:80");
    }
}
