//! `/phone/chat/{appid}`: the account on the phone. 关注, what was written, and a line to write in.
//!
//! `weixin.qq.com/q/{link}` is what a parametric code holds; opening it is the scan.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::{Value, context};
use tokio::task::JoinHandle;

use super::anchors::pieces;
use super::chat::Side;
use super::follow::{NotDone, follow, say, scan, unfollow};
use crate::events::Delivery;
use crate::hosts::{self, Reached};
use crate::options::{App, AppKind};
use crate::pages::{ASSETS, Policy};
use crate::params::QueryOrForm;
use crate::people::Person;
use crate::phone::{self, Holder, PhoneLang};
use crate::state::Sandbox;
use crate::words::Lang;

/// A page waits so long for the account's reply; a later one comes with the page's next look.
const PATIENCE: Duration = Duration::from_millis(1500);

/// `weixin.qq.com/q/{link}`: the scan, then the chat.
pub(super) async fn open_code(
    State(sandbox): State<Sandbox>,
    reached: Reached,
    Holder(holder): Holder,
    PhoneLang(lang): PhoneLang,
    Path(link): Path<String>,
) -> Response {
    let here = format!("/{}/q/{}", hosts::WEIXIN, phone::path_segment(&link));
    if reached.is_virtual() {
        // The phone's cookie lives on the sandbox's own address.
        return phone::found(&format!("{}{here}", sandbox.options().public_base()));
    }
    let Some(person) = holder else { return phone::ask_who(&here) };
    match scan(&sandbox, &link, &person) {
        Ok(scanned) => {
            wait_a_little(scanned.told).await;
            Redirect::to(&path_of(&scanned.app)).into_response()
        }
        Err(_) => notice(&sandbox, lang, "code_expired"),
    }
}

/// The chat.
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    PhoneLang(lang): PhoneLang,
    Path(appid): Path<String>,
) -> Response {
    let Some(app) = account(&sandbox, &appid) else { return notice(&sandbox, lang, "code_expired") };
    let Some(person) = holder else { return phone::ask_who(&path_of(app)) };
    draw(&sandbox, lang, app, &person, "")
}

/// 关注, 取消关注 or a message.
pub(super) async fn act(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    PhoneLang(lang): PhoneLang,
    Path(appid): Path<String>,
    QueryOrForm(params): QueryOrForm,
) -> Response {
    let Some(app) = account(&sandbox, &appid) else { return notice(&sandbox, lang, "code_expired") };
    let Some(person) = holder else { return phone::ask_who(&path_of(app)) };
    let told = match params.get("do") {
        "follow" => follow(&sandbox, app, &person),
        "unfollow" => unfollow(&sandbox, app, &person),
        "say" => match say(&sandbox, app, &person, params.get("text")) {
            Ok(told) => told,
            Err(refusal) => return draw(&sandbox, lang, app, &person, refusal_key(refusal)),
        },
        _ => return phone::bad_request("do is follow, unfollow or say"),
    };
    wait_a_little(told).await;
    Redirect::to(&path_of(app)).into_response()
}

fn refusal_key(refusal: NotDone) -> &'static str {
    match refusal {
        NotDone::Expired => "chat_expired",
        NotDone::Stranger => "chat_stranger",
        NotDone::Text => "chat_no_text",
    }
}

fn account<'a>(sandbox: &'a Sandbox, appid: &str) -> Option<&'a App> {
    sandbox.options().app(appid).filter(|app| app.kind == AppKind::OfficialAccount)
}

/// Where the chat of an account is.
fn path_of(app: &App) -> String {
    format!("{}/chat/{}", phone::HOME, phone::path_segment(&app.appid))
}

async fn wait_a_little(told: Option<JoinHandle<Delivery>>) {
    if let Some(told) = told {
        // The delivery goes on when patience ends.
        let _ = tokio::time::timeout(PATIENCE, told).await;
    }
}

fn draw(sandbox: &Sandbox, lang: Lang, app: &App, person: &Person, problem: &str) -> Response {
    let chat = sandbox.world().chats.get(&app.appid, &person.id);
    let bubbles: Vec<Value> = chat
        .bubbles
        .iter()
        .map(|bubble| {
            let theirs = bubble.from == Side::Account;
            let shown = if theirs { pieces(&bubble.text) } else { Vec::new() };
            let shown = shown.into_iter().map(|piece| {
                let href = piece.href.map(|link| inside_wechat(&link)).unwrap_or_default();
                context! { text => piece.text, href }
            });
            context! { theirs, text => &bubble.text, pieces => shown.collect::<Vec<_>>() }
        })
        .collect();
    let problem = sandbox.pages().texts(lang).get(problem).cloned().unwrap_or_default();
    let context = context! {
        app_name => &app.name,
        person => phone::shown(person),
        follows => chat.followed_ms.is_some(),
        bubbles,
        problem,
        action => path_of(app),
        home => phone::HOME,
    };
    sandbox.pages().show("chat.html", lang, Policy::Live, ASSETS, context)
}

/// A tapped link opens as a scanned one does, so that it is marked as opened inside WeChat.
fn inside_wechat(link: &str) -> String {
    format!("{}?{}", phone::HOME, phone::encoded(&[("open", link), ("tapped", "1"), ("go", "1")]))
}

fn notice(sandbox: &Sandbox, lang: Lang, kind: &str) -> Response {
    phone::page(sandbox, lang, "notice.html", phone::notice(sandbox, lang, kind, Value::UNDEFINED))
}
