//! What a person does with an official account: scan its code, follow, leave, write. Each is told to its server.

use thiserror::Error;
use tokio::task::JoinHandle;

use crate::events::{Delivery, Happening, push};
use crate::options::App;
use crate::people::Person;
use crate::state::Sandbox;

/// Longer messages do not fit WeChat's input.
const LONGEST_TEXT: usize = 2048;

/// Why a scan or a message came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum NotDone {
    #[error("no such code, or it has expired")]
    Expired,
    #[error("follow the account first")]
    Stranger,
    #[error("a message has 1 to 2048 characters")]
    Text,
}

/// A code was scanned.
pub(crate) struct Scanned {
    pub(crate) app: App,
    /// Whether the phone now shows 关注, because the person does not follow yet. Nothing is told until it is tapped.
    pub(crate) asks_to_follow: bool,
    pub(crate) told: Option<JoinHandle<Delivery>>,
}

/// The person scans the code whose link ends in `link`. A follower's scan is told at once.
pub(crate) fn scan(sandbox: &Sandbox, link: &str, person: &Person) -> Result<Scanned, NotDone> {
    let now = sandbox.now_ms();
    let (ticket, code) = {
        let world = sandbox.world();
        let ticket = world.qr_links.get(link).cloned().ok_or(NotDone::Expired)?;
        let code = world.qr_tickets.get(&ticket).cloned().ok_or(NotDone::Expired)?;
        (ticket, code)
    };
    let app = sandbox.options().app(&code.appid).filter(|_| code.is_live(now)).ok_or(NotDone::Expired)?;
    let follows = {
        let mut world = sandbox.world();
        let chat = world.chats.of(&app.appid, &person.id);
        let follows = chat.followed_ms.is_some();
        if follows {
            chat.touched(now);
        } else {
            chat.asked_by = Some(ticket.clone());
        }
        follows
    };
    let happening = Happening::Scan { scene: code.scene.key(), ticket };
    let told = if follows { push(sandbox, app, person, happening) } else { None };
    Ok(Scanned { app: app.clone(), asks_to_follow: !follows, told })
}

/// The person taps 关注. Following twice is told once.
pub(crate) fn follow(sandbox: &Sandbox, app: &App, person: &Person) -> Option<JoinHandle<Delivery>> {
    let now = sandbox.now_ms();
    let by = {
        let mut guard = sandbox.world();
        let world = &mut *guard;
        let chat = world.chats.of(&app.appid, &person.id);
        if chat.followed_ms.is_some() {
            return None;
        }
        chat.followed_ms = Some(now);
        chat.touched(now);
        let asked_by = chat.asked_by.take();
        let by = asked_by.and_then(|ticket| {
            world.qr_tickets.get(&ticket).map(|code| (ticket.clone(), code.scene.clone()))
        });
        chat.followed_by = by.as_ref().map(|(_, scene)| scene.clone());
        by
    };
    let happening = match by {
        Some((ticket, scene)) => Happening::Subscribe { scene: Some(scene.key()), ticket },
        None => Happening::Subscribe { scene: None, ticket: String::new() },
    };
    push(sandbox, app, person, happening)
}

/// The person stops following. What was written stays.
pub(crate) fn unfollow(sandbox: &Sandbox, app: &App, person: &Person) -> Option<JoinHandle<Delivery>> {
    {
        let mut world = sandbox.world();
        let chat = world.chats.of(&app.appid, &person.id);
        chat.followed_ms.take()?;
        chat.followed_by = None;
    }
    push(sandbox, app, person, Happening::Unsubscribe)
}

/// The person writes to the account.
pub(crate) fn say(
    sandbox: &Sandbox,
    app: &App,
    person: &Person,
    text: &str,
) -> Result<Option<JoinHandle<Delivery>>, NotDone> {
    let text = text.trim();
    if !(1..=LONGEST_TEXT).contains(&text.chars().count()) {
        return Err(NotDone::Text);
    }
    {
        let now = sandbox.now_ms();
        let mut world = sandbox.world();
        let chat = world.chats.of(&app.appid, &person.id);
        chat.followed_ms.ok_or(NotDone::Stranger)?;
        chat.say(text, now);
    }
    Ok(push(sandbox, app, person, Happening::Text { content: text.to_owned() }))
}
