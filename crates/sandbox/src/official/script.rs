//! The script API of chats: what the phone's chat page does, and what it shows.

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::anchors::pieces;
use super::follow::{NotDone, Scanned, follow, say, scan, unfollow};
use crate::api::{Answered, Body, Refused, known};
use crate::events::{Delivery, known_account};
use crate::options::App;
use crate::people::Person;
use crate::state::Sandbox;

/// Below `/sandbox/api`.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new().route("/chats/{appid}/{person}", get(show).post(act))
}

impl From<NotDone> for Refused {
    fn from(refusal: NotDone) -> Self {
        let (status, error) = match refusal {
            NotDone::Expired => (StatusCode::GONE, "expired"),
            NotDone::Stranger => (StatusCode::CONFLICT, "not_following"),
            NotDone::Text => (StatusCode::BAD_REQUEST, "bad_text"),
        };
        Self::new(status, error, refusal)
    }
}

async fn show(State(sandbox): State<Sandbox>, Path((appid, person)): Path<(String, String)>) -> Answered {
    let app = known_account(&sandbox, &appid)?;
    let person = known(&sandbox, &person)?;
    Ok(Json(shown(&sandbox, app, &person)))
}

/// Messages with the links in them.
fn shown(sandbox: &Sandbox, app: &App, person: &Person) -> Value {
    let chat = sandbox.world().chats.get(&app.appid, &person.id);
    let messages = chat.bubbles.iter().map(|bubble| {
        let links: Vec<_> = pieces(&bubble.text).into_iter().filter_map(|piece| piece.href).collect();
        json!({ "from": bubble.from, "text": bubble.text, "links": links })
    });
    json!({
        "appid": app.appid,
        "person": person.id,
        "follows": chat.followed_ms.is_some(),
        "messages": messages.collect::<Vec<_>>(),
    })
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum Act {
    Follow,
    Unfollow,
    Say {
        text: String,
    },
    /// Sets it without telling the account.
    Set {
        follows: bool,
    },
}

/// Waits until the account has been told, or not reached.
async fn act(
    State(sandbox): State<Sandbox>,
    Path((appid, person)): Path<(String, String)>,
    body: Body<Act>,
) -> Answered {
    let Json(act) = body?;
    let app = known_account(&sandbox, &appid)?;
    let person = known(&sandbox, &person)?;
    let told = match act {
        Act::Follow => follow(&sandbox, app, &person),
        Act::Unfollow => unfollow(&sandbox, app, &person),
        Act::Say { text } => say(&sandbox, app, &person, &text)?,
        Act::Set { follows } => {
            let now = sandbox.now_ms();
            sandbox.world().chats.of(&app.appid, &person.id).followed_ms = follows.then_some(now);
            None
        }
    };
    Ok(Json(told_and_shown(&sandbox, app, &person, told).await))
}

async fn told_and_shown(
    sandbox: &Sandbox,
    app: &App,
    person: &Person,
    told: Option<JoinHandle<Delivery>>,
) -> Value {
    let delivery = match told {
        Some(told) => told.await.ok(),
        None => None,
    };
    let mut shown = shown(sandbox, app, person);
    shown["delivery"] = json!(delivery);
    shown
}

/// A parametric code scanned by a script. Who does not follow yet taps 关注 too, unless `follow` is false.
pub(crate) async fn scan_code(
    sandbox: &Sandbox,
    link: &str,
    person: &Person,
    follow_too: bool,
) -> Result<Value, Refused> {
    let Scanned { app, asks_to_follow, told } = scan(sandbox, link, person)?;
    let told = if asks_to_follow && follow_too { follow(sandbox, &app, person) } else { told };
    let mut shown = told_and_shown(sandbox, &app, person, told).await;
    shown["stage"] = json!(if asks_to_follow && !follow_too { "asks_to_follow" } else { "scanned" });
    Ok(shown)
}
