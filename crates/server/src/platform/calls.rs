//! Tells traces of each call to a platform: which, where, how long, and what came of it.

use mashang_wechat::{Error, FinishedCall, Observer, Platform, TransportKind};

use crate::traces::{self, Side};

/// Hears of calls in the task that made them, so that they are told below its request.
#[derive(Debug)]
pub(crate) struct Told;

impl Observer for Told {
    fn finished(&self, call: &FinishedCall<'_>) {
        let mut step = traces::told(Side::Outside, call.took, || call.name.into());
        step.set("upstream.call", call.name);
        step.set(
            "upstream.platform",
            match call.platform {
                Platform::WeChat => "wechat",
                Platform::WeCom => "wecom",
            },
        );
        step.set("server.address", call.host.to_owned());
        match call.outcome {
            Ok(()) => {}
            Err(Error::Platform(refusal)) => {
                step.set("upstream.errcode", refusal.code.0);
                step.fail("refused");
            }
            Err(error) => step.fail(word(error)),
        }
    }
}

fn word(error: &Error) -> &'static str {
    match error {
        Error::Transport { kind: TransportKind::Connect, .. } => "connect",
        Error::Transport { kind: TransportKind::Timeout, .. } => "timeout",
        Error::Transport { kind: TransportKind::Body, .. } => "broken_off",
        Error::Transport { kind: TransportKind::Http(_), .. } => "http_status",
        Error::Malformed { .. } => "malformed",
        _ => "not_sent",
    }
}
