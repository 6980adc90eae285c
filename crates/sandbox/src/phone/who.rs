//! `/phone/who`: who holds this phone? Pick someone, or make someone.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use minijinja::context;

use super::WHO;
use super::app::PhoneApp;
use super::frame::{PhoneLang, bad_request, local_path, page, shown_in};
use super::holder::{Holder, set_cookie};
use crate::ids;
use crate::params::{Params, QueryOrForm};
use crate::people::{COLOURS, Person, PersonChange};
use crate::state::Sandbox;
use crate::words::Lang;

const EMOJI: [&str; 12] = ["🐼", "🐱", "🦊", "🐸", "🐵", "🦁", "🐧", "🐙", "🌻", "🍉", "🚀", "🎸"];

/// The picker; `opening` is the scanned link that waits, `next` where to go afterwards.
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    app: PhoneApp,
    PhoneLang(lang): PhoneLang,
    params: Params,
) -> Response {
    picker(&sandbox, lang, app, holder, &params, "")
}

fn picker(
    sandbox: &Sandbox,
    lang: Lang,
    app: PhoneApp,
    holder: Option<Person>,
    params: &Params,
    problem: &str,
) -> Response {
    let people: Vec<_> = {
        let world = sandbox.world();
        world.people.all().iter().map(|person| shown_in(&world, app, person)).collect()
    };
    let context = context! {
        people,
        holder => holder.map(|person| person.id).unwrap_or_default(),
        next => local_path(params.get("next")),
        opening => params.get("opening"),
        emoji => EMOJI,
        colours => (0..COLOURS).collect::<Vec<_>>(),
        problem,
        who => WHO,
    };
    page(sandbox, lang, "who.html", context)
}

/// `POST /phone/who`: that person takes the phone.
pub(super) async fn pick(State(sandbox): State<Sandbox>, QueryOrForm(params): QueryOrForm) -> Response {
    let person = sandbox.world().people.get(params.get("person")).cloned();
    match person {
        Some(person) => hand_over(&sandbox, &person, params.get("next")),
        None => bad_request("no such person"),
    }
}

/// `POST /phone/people`: makes a person, who takes the phone.
pub(super) async fn make(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    app: PhoneApp,
    PhoneLang(lang): PhoneLang,
    QueryOrForm(params): QueryOrForm,
) -> Response {
    let ticked = |name: &str| Some(params.has(name));
    let change = PersonChange {
        id: None,
        name: Some(params.get("name").to_owned()),
        emoji: Some(params.get("emoji").to_owned()),
        colour: params.get("colour").parse().ok(),
        snapshot: ticked("snapshot"),
        no_avatar: ticked("no_avatar"),
        emoji_nickname: ticked("emoji_nickname"),
    };
    let fresh_id = ids::handle(sandbox.entropy()).to_ascii_lowercase();
    let made = sandbox.world().people.make(fresh_id, change);
    match made {
        Ok(person) => hand_over(&sandbox, &person, params.get("next")),
        Err(refusal) => picker(&sandbox, lang, app, holder, &params, &refusal.to_string()),
    }
}

fn hand_over(sandbox: &Sandbox, person: &Person, next: &str) -> Response {
    ([(SET_COOKIE, set_cookie(sandbox.options(), person))], Redirect::to(&local_path(next))).into_response()
}
