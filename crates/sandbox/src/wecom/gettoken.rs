//! `/cgi-bin/gettoken`: a company's secret → the token of one app (WeCom fact sheet §6).

use serde_json::json;

use super::answer::{Errcode, Outcome};
use super::office::Office;
use crate::params::Params;
use crate::state::Sandbox;

/// Neither a disabled app nor an unlisted address is refused here: the next call is.
pub(super) fn issue(sandbox: &Sandbox, params: &Params) -> Outcome {
    let (corpid, secret) = (params.get("corpid"), params.get("corpsecret"));
    if corpid.is_empty() {
        return Err(Errcode::CorpidMissing);
    }
    if secret.is_empty() {
        return Err(Errcode::SecretMissing);
    }
    let mut world = sandbox.world();
    let agentid = owner(&world.office, corpid, secret)?;
    let (access_token, expires_in) = world.office.token(corpid, agentid, sandbox.entropy(), sandbox.now_ms());
    Ok(json!({ "access_token": access_token, "expires_in": expires_in }))
}

/// The app whose secret it is; `None`: contact sync.
fn owner(office: &Office, corpid: &str, secret: &str) -> Result<Option<u32>, Errcode> {
    let corp = office.corp(corpid).ok_or(Errcode::BadCorpid)?;
    if corp.dissolved {
        return Err(Errcode::NoSuchCorp);
    }
    if let Some(agent) = corp.agents.iter().find(|agent| agent.secret == secret) {
        return Ok(Some(agent.agentid));
    }
    if corp.contact_secret == secret {
        return Ok(None);
    }
    let elsewhere = office.corps.iter().any(|other| {
        other.contact_secret == secret || other.agents.iter().any(|agent| agent.secret == secret)
    });
    Err(if elsewhere { Errcode::OtherCorpsSecret } else { Errcode::BadSecret })
}
