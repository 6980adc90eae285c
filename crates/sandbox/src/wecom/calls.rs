//! What every `qyapi` call has: its access token, the app behind it, the caller's address (WeCom fact sheet §6, §9).

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;

use super::answer::Errcode;
use super::corp::{Agent, Corp};
use super::office::Office;

/// Who calls. The address is the connection's own, as WeCom sees the egress address of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller(pub(super) IpAddr);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // Driven without a socket, the caller is this machine.
        Ok(Self(peer.map_or(Ipv4Addr::LOCALHOST.into(), |peer| peer.0.ip().to_canonical())))
    }
}

/// Whom a token speaks for.
pub(super) struct Access<'a> {
    pub(super) corp: &'a Corp,
    /// Absent: the contact-sync secret's token.
    pub(super) agent: Option<&'a Agent>,
}

impl<'a> Access<'a> {
    /// The token's app, switched on, and called from an allowed address: in this order, for every call but `gettoken`.
    pub(super) fn check(
        office: &'a Office,
        access_token: &str,
        caller: IpAddr,
        now_ms: i64,
    ) -> Result<Self, Errcode> {
        if access_token.is_empty() {
            return Err(Errcode::TokenMissing);
        }
        let token = office.tokens.get(access_token).ok_or(Errcode::BadToken)?;
        if now_ms >= token.expires_ms {
            return Err(Errcode::TokenExpired);
        }
        let corp = office.corp(&token.corpid).ok_or(Errcode::BadToken)?;
        if corp.dissolved {
            return Err(Errcode::NoSuchCorp);
        }
        let Some(agentid) = token.agentid else { return Ok(Self { corp, agent: None }) };
        let agent = corp.agent(agentid).ok_or(Errcode::BadToken)?;
        if !agent.enabled {
            return Err(Errcode::AppDisabled);
        }
        if !agent.allows_ip(caller) {
            return Err(Errcode::IpNotAllowed);
        }
        Ok(Self { corp, agent: Some(agent) })
    }

    /// The app; the contact-sync secret may not make such calls.
    pub(super) fn app(&self) -> Result<&'a Agent, Errcode> {
        self.agent.ok_or(Errcode::ApiForbidden)
    }
}
