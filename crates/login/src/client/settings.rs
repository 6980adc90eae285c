//! What an operator switched for one client: how it looks on our pages, who may sign in to it and by which ways, what its tokens say.

use serde::{Deserialize, Serialize};

use super::brand::BrandColor;
use super::logo::Logo;
use crate::grant::{Scope, ScopeSet};
use crate::ids::ChannelId;

/// Switches of one client. The default is what suits a careful OpenID Connect library.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSettings {
    /// The channels by which people may sign in to it; all of them when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelId>,
    /// The scopes that it may be granted, `openid` whether it is named or not; all of them when empty.
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    pub scopes: ScopeSet,
    /// Only people in one of these groups are told to it, as the operator's rules (`[[claims.rule]]`) give groups; everybody when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub require_groups: Vec<String>,
    /// Its picture on our pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
    /// Its colour on our pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand_color: Option<BrandColor>,
    /// Whether the person is asked before it is told who they are.
    pub consent: bool,
    /// What its access tokens look like.
    pub access_token: AccessTokenFormat,
    /// Whether roles are also told as Keycloak tells them: `realm_access.roles` and `resource_access`.
    pub realm_roles: bool,
    /// Whether the ID token tells what userinfo tells, roles and groups included: for products that never ask userinfo.
    pub claims_in_id_token: bool,
    /// Weaker: authorization answers go without `iss` (RFC 9207), for libraries that refuse what they do not know.
    pub omit_iss: bool,
}

impl ClientSettings {
    /// Whether people may sign in to the client by this channel.
    #[must_use]
    pub fn admits(&self, channel: &ChannelId) -> bool {
        self.channels.is_empty() || self.channels.contains(channel)
    }

    /// Whether the client may be granted this scope. Without `openid` there would be nothing to grant.
    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        scope == Scope::Openid || self.scopes.is_empty() || self.scopes.contains(scope)
    }
}

/// What an access token looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessTokenFormat {
    /// A random value that only we can read. The default: nobody is tempted to believe it after it was revoked.
    #[default]
    Opaque,
    /// A signed JWT (RFC 9068), for a back end that checks it by itself and never asks us.
    Jwt,
}
