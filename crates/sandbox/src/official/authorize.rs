//! `/connect/oauth2/authorize`: opened in WeChat's own browser, ends in a redirect to the site with a code.
//!
//! snsapi_base and snapshots are silent; snsapi_userinfo asks whoever does not follow the account, and everybody under
//! `forcePopup` (§3). The script API answers through [`answer_request`].

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use minijinja::{Value, context};

use super::check::{self, Checked, Scope};
use crate::faults::FaultName;
use crate::hosts::{self, Reached};
use crate::open::Answer;
use crate::pages::{ASSETS, Policy};
use crate::params::{Params, QueryOrForm};
use crate::people::Person;
use crate::phone::{self, Holder, PhoneApp, PhoneLang};
use crate::state::Sandbox;
use crate::words::Lang;
use crate::{ids, wecom};

const PATH: &str = "/open.weixin.qq.com/connect/oauth2/authorize";
/// A consent page that lay open for longer than a code lives is drawn anew.
const CONSENT_MS: i64 = 300_000;

/// A consent page that waits for its answer.
#[derive(Clone, Debug)]
pub(crate) struct Consent {
    person: String,
    asked: Checked,
    expires_ms: i64,
}

/// What came of an authorization request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// The browser goes to this callback URL; `twice` under the fault "duplicate callback".
    Redirect { url: String, twice: bool },
    /// The person denied, and the page stays where it is.
    Closed,
    /// The text of an error page.
    Error(&'static str),
}

/// A whole authorization without a browser: the person opens `query` and, where asked, answers so.
/// `None`: there was nothing to deny, since the request is silent.
pub(crate) fn answer_request(
    sandbox: &Sandbox,
    query: &str,
    person: &Person,
    answer: Answer,
) -> Option<Opened> {
    let params = Params::parse(query.as_bytes());
    if wecom::is_corp(sandbox, params.get("appid")) {
        return wecom::answer_request(sandbox, query, person, answer);
    }
    let checked = match checked(sandbox, query, &params) {
        Ok(checked) => checked,
        Err(text) => return Some(Opened::Error(text)),
    };
    let snapshot = is_snapshot(&params, person);
    let silent = snapshot || is_silent(sandbox, &params, &checked, person);
    match answer {
        Answer::Deny if silent => None,
        Answer::Deny => Some(deny(sandbox, &checked)),
        Answer::Allow => Some(allow(sandbox, &checked, person, snapshot)),
    }
}

/// The request as a browser makes it.
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    reached: Reached,
    Holder(holder): Holder,
    PhoneLang(lang): PhoneLang,
    headers: HeaderMap,
    uri: Uri,
    params: Params,
) -> Response {
    // Inside a nested router the path is shortened; the query is whole.
    let query = uri.query().unwrap_or_default();
    let here = format!("{PATH}?{query}");
    if reached.is_virtual() {
        // The phone's cookie lives on the sandbox's own address.
        return phone::found(&format!("{}{here}", sandbox.options().public_base()));
    }
    if wecom::is_corp(&sandbox, params.get("appid")) {
        return wecom::show_in_app(&sandbox, holder, lang, &headers, &here, &params);
    }
    if phone::inside(&sandbox, &headers) != Some(PhoneApp::WeChat) {
        return open_in_wechat(&sandbox, lang, &here);
    }
    let Some(person) = holder else { return phone::ask_who(&here) };
    let checked = match checked(&sandbox, query, &params) {
        Ok(checked) => checked,
        Err(text) => return error_page(&sandbox, lang, text),
    };
    let snapshot = is_snapshot(&params, &person);
    if snapshot || is_silent(&sandbox, &params, &checked, &person) {
        let opened = allow(&sandbox, &checked, &person, snapshot);
        return go(&sandbox, lang, opened);
    }
    let handle = ids::handle(sandbox.entropy());
    let page = context! {
        app_name => &checked.app.name,
        person => phone::shown(&person),
        action => PATH,
        name => "consent",
        value => &handle,
    };
    let consent = Consent { person: person.id, asked: checked, expires_ms: sandbox.now_ms() + CONSENT_MS };
    sandbox.world().consents.insert(handle, consent);
    phone::page(&sandbox, lang, "consent.html", page)
}

/// The consent page's answer. It counts once, and only from the person who was asked.
pub(super) async fn submit(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    PhoneLang(lang): PhoneLang,
    QueryOrForm(params): QueryOrForm,
) -> Response {
    let Some(answer) = Answer::parse(params.get("answer")) else {
        return phone::bad_request("answer is allow or deny");
    };
    let consent = {
        let mut world = sandbox.world();
        let asked = world.consents.get(params.get("consent"));
        let own = asked.zip(holder.as_ref()).is_some_and(|(consent, person)| consent.person == person.id);
        if own { world.consents.remove(params.get("consent")) } else { None }
    };
    let live = consent.filter(|consent| sandbox.now_ms() < consent.expires_ms);
    let (Some(consent), Some(person)) = (live, holder) else { return notice(&sandbox, lang, "expired") };
    let opened = match answer {
        Answer::Allow => allow(&sandbox, &consent.asked, &person, false),
        Answer::Deny => deny(&sandbox, &consent.asked),
    };
    go(&sandbox, lang, opened)
}

fn checked(sandbox: &Sandbox, query: &str, params: &Params) -> Result<Checked, &'static str> {
    let mut world = sandbox.world();
    let due = world.faults.take_browser(FaultName::AuthorizeError, params.get("appid"));
    if let Some(code) = due.and_then(|armed| armed.code) {
        return Err(check::error_text(code));
    }
    if let Some(warning) = check::order_warning(query) {
        world.warn(warning);
    }
    drop(world);
    check::check(sandbox, params)
}

fn is_snapshot(params: &Params, person: &Person) -> bool {
    person.snapshot || params.get("forceSnapShot") == "true"
}

fn is_silent(sandbox: &Sandbox, params: &Params, asked: &Checked, person: &Person) -> bool {
    let follows = || sandbox.world().chats.get(&asked.app.appid, &person.id).followed_ms.is_some();
    asked.scope == Scope::Base || (params.get("forcePopup") != "true" && follows())
}

fn allow(sandbox: &Sandbox, asked: &Checked, person: &Person, snapshot: bool) -> Opened {
    let mut world = sandbox.world();
    let code = sandbox.issue_code(&mut world, &asked.app, person, asked.scope.name(), snapshot);
    let twice = world.faults.take_browser(FaultName::DuplicateCallback, &asked.app.appid).is_some();
    Opened::Redirect { url: callback_url(&asked.redirect_uri, &asked.state, code.as_deref()), twice }
}

/// Observed: no redirect. The older documentation's redirect with `state` only is a fault switch (§3).
fn deny(sandbox: &Sandbox, asked: &Checked) -> Opened {
    if sandbox.world().faults.take_browser(FaultName::DenyRedirect, &asked.app.appid).is_some() {
        return Opened::Redirect { url: callback_url(&asked.redirect_uri, &asked.state, None), twice: false };
    }
    Opened::Closed
}

/// The server's redirect, unlike the QR page's script, puts its parameters before a fragment.
fn callback_url(redirect_uri: &str, state: &str, code: Option<&str>) -> String {
    let (address, fragment) = match redirect_uri.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (redirect_uri, String::new()),
    };
    let joint = if address.contains('?') { '&' } else { '?' };
    let code = code.map(|code| ("code", code));
    let pairs: Vec<_> = code.into_iter().chain([("state", state)]).collect();
    format!("{address}{joint}{}{fragment}", phone::encoded(&pairs))
}

fn go(sandbox: &Sandbox, lang: Lang, opened: Opened) -> Response {
    match opened {
        Opened::Redirect { url, twice } => phone::back_to_site(sandbox, lang, &url, twice),
        Opened::Closed => notice(sandbox, lang, "denied"),
        Opened::Error(text) => error_page(sandbox, lang, text),
    }
}

fn open_in_wechat(sandbox: &Sandbox, lang: Lang, here: &str) -> Response {
    let link = format!("{}{here}", sandbox.options().public_base());
    let open = [("open", link.as_str()), ("app", PhoneApp::WeChat.name())];
    let open_with_phone = format!("{}?{}", phone::HOME, phone::encoded(&open));
    notice_with(sandbox, lang, "open_in_wechat", Value::from(open_with_phone))
}

fn error_page(sandbox: &Sandbox, lang: Lang, text: &str) -> Response {
    let assets = format!("/{}{ASSETS}", hosts::OPEN);
    sandbox.pages().show("error.html", lang, Policy::Embeddable, &assets, context! { text })
}

fn notice(sandbox: &Sandbox, lang: Lang, kind: &str) -> Response {
    notice_with(sandbox, lang, kind, Value::UNDEFINED)
}

fn notice_with(sandbox: &Sandbox, lang: Lang, kind: &str, link: Value) -> Response {
    phone::page(sandbox, lang, "notice.html", phone::notice(sandbox, lang, kind, link))
}

#[cfg(test)]
mod tests {
    use super::callback_url;

    #[test]
    fn parameters_go_before_a_fragment() {
        assert_eq!(callback_url("https://a/cb", "s", Some("0c")), "https://a/cb?code=0c&state=s");
        assert_eq!(
            callback_url("https://a/?x=1#/login", "s", Some("0c")),
            "https://a/?x=1&code=0c&state=s#/login"
        );
        assert_eq!(callback_url("https://a/cb", "a&b=c", None), "https://a/cb?state=a%26b%3Dc");
    }
}
