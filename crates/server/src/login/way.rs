//! The way to sign in that this browser used or looked at last, so that its tab is open the next time. A cookie that names
//! a channel and nothing else; a website that names one itself is followed before it.

use mashang_login::ids::ChannelId;

use crate::channel::Channel;
use crate::state::App;
use crate::web::cookies::CookieKind;
use crate::web::visitor::Visitor;

/// The `Set-Cookie` value that remembers a channel.
#[must_use]
pub fn remember(app: &App, channel: &Channel) -> String {
    app.site.transport.set(CookieKind::Way, channel.id.as_str())
}

/// The channel this browser remembers, if the cookie holds a name at all.
#[must_use]
pub fn remembered(visitor: &Visitor) -> Option<ChannelId> {
    visitor.brought.way.as_deref().and_then(|text| text.parse().ok())
}
