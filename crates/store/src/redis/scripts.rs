//! The Lua scripts: each is one step that nobody can come between.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, Script, ServerErrorKind, Value, cmd};

use super::link::{Fault, Link};

/// A script, and the digest by which servers know it once they have seen it.
pub(super) struct Step {
    code: &'static str,
    digest: String,
}

impl Step {
    fn new(code: &'static str) -> Self {
        Self { code, digest: Script::new(code).get_hash().to_owned() }
    }

    /// Runs it, on the server that holds the keys. One that has forgotten the script (restart, failover, `SCRIPT FLUSH`)
    /// is told it again.
    pub(super) async fn run(&self, link: &Link, keys: &[&str], args: &[&[u8]]) -> Result<Value, Fault> {
        match link.ask(&call("EVALSHA", &self.digest, keys, args)).await {
            Err(Fault::Redis(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                link.ask(&call("EVAL", self.code, keys, args)).await
            }
            answer => answer,
        }
    }
}

fn call(how: &str, what: &str, keys: &[&str], args: &[&[u8]]) -> Cmd {
    let mut call = cmd(how);
    call.arg(what).arg(keys.len());
    for key in keys {
        call.arg(*key);
    }
    for arg in args {
        call.arg(*arg);
    }
    call
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $($file:literal),+;)*) => {
        $($(#[$doc])* pub(super) static $name: LazyLock<Step> =
            LazyLock::new(|| Step::new(concat!($(include_str!(concat!("lua/", $file)), "\n"),+)));)*
    };
}

steps! {
    /// Puts an entry, and counts it where it lies beside its count.
    CREATE = "room.lua", "create.lua";
    /// Counts an entry that lies elsewhere.
    RESERVE = "room.lua", "reserve.lua";
    /// Compares a ticket's version, writes, publishes.
    ADVANCE = "advance.lua";
    /// Consumes a handshake.
    CLAIM = "claim.lua";
    /// Notes how a trip ended.
    END_TRIP = "end_trip.lua";
    /// Spends an attempt at a challenge.
    ATTEMPT = "attempt.lua";
    /// Counts one of a share.
    COUNT = "count.lua";
    /// Counts one against a rate.
    PASS = "pass.lua";
    /// Takes a challenge away.
    TAKE = "room.lua", "take.lua";
}
