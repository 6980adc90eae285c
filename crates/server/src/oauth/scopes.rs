//! Websites that ask for scopes which the operator did not name for them: the log says so once for each, not at every
//! login (SEC-90).

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use mashang_login::grant::ScopeSet;
use mashang_login::ids::ClientId;

/// The websites that were told of since this node started: never more than are registered.
#[derive(Debug, Default)]
pub struct LeftOut(Mutex<HashSet<ClientId>>);

impl LeftOut {
    /// Tells that `client` asked for scopes that it is not granted, unless there were none or that was told.
    pub fn tell(&self, client: &ClientId, scopes: &ScopeSet) {
        if scopes.is_empty() || !self.is_new(client) {
            return;
        }
        tracing::warn!(
            client.id = %client,
            %scopes,
            "{client} asks for scopes that are not among those it may be granted, and signs people in without them: {scopes}. \
             To grant them: `mashang client set {client} --scopes …`"
        );
    }

    fn is_new(&self, client: &ClientId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(client.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_website_is_told_of_once() {
        let left_out = LeftOut::default();
        let (forum, shop): (ClientId, ClientId) = ("forum".parse().unwrap(), "shop".parse().unwrap());
        assert!(left_out.is_new(&forum) && left_out.is_new(&shop));
        assert!(!left_out.is_new(&forum));
    }
}
