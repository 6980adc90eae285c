//! `POST …/code/send` and `POST …/code/verify`: a code by e-mail or SMS, in two steps of one page.
//!
//! Which step is shown is asked of the store: a code that this browser waits for in this request is asked for, whatever the
//! address says. So reloading, changing the language and going back all work without a script.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use http::StatusCode;
use mashang_login::grant::Purpose;
use minijinja::{Value, context};
use serde::Deserialize;

use super::form::{self, Complaint, Filled};
use super::way;
use crate::channel::one_time_code::{self, Asked, LIFE, NotSent, OneTimeCodes, OpenCode, Wrong};
use crate::channel::sms::{self, NoNumber};
use crate::channel::{Channel, Means, email};
use crate::flow::{self, Waiting};
use crate::state::App;
use crate::urls;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// The first step's form.
#[derive(Deserialize)]
pub struct Address {
    to: String,
    /// The box beside the operator's policies; browsers leave it out when it is not ticked.
    agreed: Option<String>,
}

/// The second step's form.
#[derive(Deserialize)]
pub struct Code {
    code: String,
}

/// Sends a code, or says at the field why not.
pub async fn send(
    State(app): State<App>,
    visitor: Visitor,
    Path((grant, ticket)): Path<(String, String)>,
    typed: Result<Form<Address>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(Address { to: typed, agreed }) =
        typed.map_err(|_| Problem::BadRequest("the form is incomplete"))?;
    let (waiting, channel, codes) = sent(&app, &visitor, (&grant, &ticket)).await?;
    let visitor = visitor.preferring(&waiting.grant.request.ui_locales);
    let typed: String = typed.trim().chars().take(320).collect();
    let agreed = agreed.is_some();
    let to = normalized(channel, &typed).map_err(|key| ("to", key)).and_then(|to| {
        let is_missing = asks_agreement(&app, &waiting, codes) && !agreed;
        if is_missing { Err(("agreed", "form.agree_missing")) } else { Ok(to) }
    });
    let to = match to {
        Ok(to) => to,
        Err((field, key)) => {
            let text = app.pages.words.say(visitor.language, key, &[]);
            let complaint = Some(Complaint::wrong(field, text));
            return form::again(&app, &visitor, &waiting, Filled { typed, agreed, complaint }).await;
        }
    };
    match codes.send(&app, &visitor, Asked { waiting: &waiting, channel, to: &to }).await {
        Ok(()) => Ok(see_other(&page(&waiting, channel), &[])),
        Err(NotSent::Store(error)) => Err(Problem::Store(error)),
        Err(why) => {
            let complaint = Some(not_sent(&app, &visitor, why));
            form::again(&app, &visitor, &waiting, Filled { typed, agreed, complaint }).await
        }
    }
}

/// Whether the operator's policies have to be agreed to before a code is sent: where there are some, and the address or number
/// may be one that was not known here before.
fn asks_agreement(app: &App, waiting: &Waiting, codes: &OneTimeCodes) -> bool {
    let is_linking = matches!(waiting.grant.purpose, Purpose::Link { .. });
    app.site.policies.are_there() && (codes.signs_up() || is_linking)
}

/// Signs in by the code, or says at the field why not.
pub async fn verify(
    State(app): State<App>,
    visitor: Visitor,
    Path((grant, ticket)): Path<(String, String)>,
    typed: Result<Form<Code>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(Code { code }) = typed.map_err(|_| Problem::BadRequest("the form is incomplete"))?;
    let (waiting, channel, codes) = sent(&app, &visitor, (&grant, &ticket)).await?;
    let visitor = visitor.preferring(&waiting.grant.request.ui_locales);
    let words = &app.pages.words;
    let code = one_time_code::plain_digits(&code);
    let wrong = |field, key: &str, n: u8| {
        let text = words.say(visitor.language, key, &[("n", &n.to_string())]);
        Filled { complaint: Some(Complaint::wrong(field, text)), ..Filled::default() }
    };
    let filled = if one_time_code::is_code(&code) {
        match codes.verify(&app, &visitor, (&waiting, channel), &code).await {
            Ok(proof) => {
                let mut gone = flow::prove_here(&app, &visitor, waiting, proof).await?;
                gone.cookies.push(way::remember(&app, channel));
                return Ok(gone.into_redirect());
            }
            Err(Wrong::Code(left)) => wrong("code", "form.code_wrong", left),
            Err(Wrong::Over) => {
                let open = OpenCode::of(&app, &waiting, channel).await?;
                let typed = open.map(|open| open.to).unwrap_or_default();
                Filled { typed, ..wrong("to", "form.code_over", 0) }
            }
            Err(Wrong::TooMany(limit)) => {
                let complaint =
                    Complaint::too_many(words, visitor.language, "code", "form.code_guessed", limit);
                Filled { complaint: Some(complaint), ..Filled::default() }
            }
            Err(Wrong::Store(error)) => return Err(Problem::Store(error)),
        }
    } else {
        wrong("code", "form.code_shape", 0)
    };
    form::again(&app, &visitor, &waiting, filled).await
}

/// The browser, grant, channel and its codes that a form was sent for.
async fn sent<'a>(
    app: &'a App,
    visitor: &Visitor,
    ids: (&str, &str),
) -> Result<(Waiting, &'a Channel, &'a OneTimeCodes), Problem> {
    let (waiting, channel) = form::sent(app, visitor, ids).await?;
    let codes = one_time_code::of(channel);
    Ok((waiting, channel, codes.ok_or(Problem::BadRequest("this way to sign in sends no codes"))?))
}

/// The address or number to send to, or the sentence that says what is wrong with it.
fn normalized(channel: &Channel, typed: &str) -> Result<String, &'static str> {
    match &channel.means {
        Means::Sms(sms) => sms::normalized(typed, &sms.countries).map_err(|why| match why {
            NoNumber::Shape => "form.to_sms_wrong",
            NoNumber::Country => "form.to_country",
        }),
        _ => email::normalized(typed).ok_or("form.to_email_wrong"),
    }
}

fn not_sent(app: &App, visitor: &Visitor, why: NotSent) -> Complaint {
    let (words, language) = (&app.pages.words, visitor.language);
    match why {
        NotSent::Again(limit) => Complaint::too_many(words, language, "again", "form.again_wait", limit),
        NotSent::TooMany(limit) => Complaint::too_many(words, language, "to", "form.code_wait", limit),
        NotSent::Failed { error, reference } => {
            let text = words.say(language, &format!("form.send.{}", error.failure.as_str()), &[]);
            let status = if error.failure.is_everybodys() {
                // Not 502: proxies put a page of their own in the place of that.
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            let text = format!("{text} [{reference}]");
            Complaint { status, remedy: error.remedy(language), ..Complaint::wrong("to", text) }
        }
        NotSent::Store(_) => Complaint::wrong("to", words.say(language, "problem.busy.text", &[])),
    }
}

/// The login page with this channel's tab open.
fn page(waiting: &Waiting, channel: &Channel) -> String {
    let page = match &waiting.ticket {
        Some(ticket) => urls::of_ticket(urls::LOGIN_TICKET, &waiting.grant.id, &ticket.scan_code),
        None => urls::login(&waiting.grant.id),
    };
    format!("{page}?channel={}", channel.id)
}

/// What `ways/email.html` and `ways/sms.html` show: where to send, or, once a code is on its way, the code.
pub(super) async fn values(
    app: &App,
    visitor: &Visitor,
    waiting: &Waiting,
    channel: &Channel,
    filled: &Filled,
) -> Result<Value, Problem> {
    let url = |pattern| {
        let ticket = waiting.ticket.as_ref();
        let url = ticket.map(|ticket| urls::of_ticket(pattern, &waiting.grant.id, &ticket.scan_code));
        url.map(|url| format!("{url}?channel={}", channel.id)).unwrap_or_default()
    };
    let asks_elsewhere = visitor.query("to").as_deref() == Some("other")
        || filled.complaint.as_ref().is_some_and(|complaint| matches!(complaint.field, "to" | "agreed"));
    let open = OpenCode::of(app, waiting, channel).await?;
    let open = open.filter(|open| open.is_usable && !asks_elsewhere);
    let codes = one_time_code::of(channel);
    let sandbox = app.site.sandbox.as_ref().and_then(|sandbox| sandbox.join("outbox").ok());
    Ok(context! {
        send => url(urls::CODE_SEND),
        verify => url(urls::CODE_VERIFY),
        other => format!("{}&to=other", page(waiting, channel)),
        typed => filled.typed.clone(),
        complaint => form::complaint(filled),
        sent_to => open.as_ref().map(|open| open.to.clone()),
        again_in => open.as_ref().map_or(0, |open| open.again_in.as_secs()),
        minutes => LIFE.as_secs() / 60,
        // Nobody is told whether a code was really sent where only people who are known may sign in.
        is_certain => codes.is_some_and(OneTimeCodes::signs_up),
        agreement => codes.filter(|codes| asks_agreement(app, waiting, codes)).map(|_| context! { ticked => filled.agreed }),
        outbox => sandbox.map(String::from),
    })
}
