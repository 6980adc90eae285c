//! The visitor's network address, believing only configured proxies (SEC-72).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{HeaderMap, Request};
use ipnet::IpNet;

/// The address of the device that speaks to us through `peer`.
///
/// `X-Forwarded-For` is read from the right: each hop that is a trusted proxy is skipped, the first that is not is the
/// visitor. A header from an untrusted peer is ignored.
#[must_use]
pub fn of_visitor(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let peer = peer.to_canonical();
    if !is_trusted(&peer) {
        return peer;
    }
    let mut found = peer;
    let hops = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    for hop in hops.flat_map(|line| line.split(',')).collect::<Vec<_>>().into_iter().rev() {
        let Some(address) = parse_hop(hop.trim()) else { return found };
        found = address;
        if !is_trusted(&address) {
            break;
        }
    }
    found
}

fn parse_hop(hop: &str) -> Option<IpAddr> {
    if let Ok(socket) = hop.parse::<std::net::SocketAddr>() {
        return Some(socket.ip().to_canonical());
    }
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Whether a request comes straight from a configured proxy, whose headers about it may then be believed.
#[must_use]
pub fn is_from_proxy<B>(request: &Request<B>, trusted: &[IpNet]) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    peer.is_some_and(|peer| trusted.iter().any(|network| network.contains(&peer)))
}

/// What limits are counted by: the address, or for IPv6 its /64 (SEC-79).
#[must_use]
pub fn limit_key(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let s = v6.segments();
            IpAddr::V6(Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        of_visitor(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn sec_72_a_forged_forwarding_header_is_ignored() {
        assert_eq!(seen("203.0.113.9", &["10.0.0.1"], &[]), "203.0.113.9");
        assert_eq!(seen("203.0.113.9", &["10.0.0.1"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn behind_proxies_the_nearest_untrusted_hop_is_the_visitor() {
        let nets = &["10.0.0.0/8"];
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.2"], nets), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "198.51.100.7"], nets), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["198.51.100.7:4711"], nets), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["[2001:db8::1]"], nets), "2001:db8::1");
        assert_eq!(seen("10.0.0.1", &["nonsense"], nets), "10.0.0.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.7"], nets), "198.51.100.7");
    }
}
