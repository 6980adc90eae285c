//! `POST /api/browser/logins`: a website's page begins a login. The same request as at `/authorize`, checked by the same
//! rules, but from the page itself: its origin takes the place of the redirect as the proof of who may be answered.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use mashang_login::client::Client;
use mashang_login::grant::{AuthorizationRequest, Grant, GrantStage, Purpose, ResponseMode};
use mashang_login::ids::{ClientId, GrantId};
use mashang_login::secret::PageSecret;
use mashang_oidc::authorize::{Checked, Proven, check};
use mashang_oidc::params::Params;
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::face::{channels, draw, is_drawn, platform, select};
use super::refused::Refused;
use super::{body_of, origin_of, told};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::visitor::Visitor;
use crate::{brand, flow};

/// What is granted when nothing is said.
const SCOPE: &str = "openid profile";

/// What the page asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    client_id: String,
    code_challenge: String,
    code_challenge_method: String,
    redirect_uri: Option<String>,
    scope: Option<String>,
    state: Option<String>,
    nonce: Option<String>,
    channel: Option<String>,
    lang: Option<String>,
    prompt: Option<String>,
    max_age: Option<u64>,
    ui_locales: Option<String>,
}

/// Begins.
pub async fn start(State(app): State<App>, visitor: Visitor, request: Request) -> Response {
    let outcome = begin(&app, &visitor, request).await;
    told(&app, &visitor, outcome.map(|body| (StatusCode::CREATED, body)))
}

async fn begin(app: &App, visitor: &Visitor, request: Request) -> Result<Value, Refused> {
    app.count(Counted::Start, visitor.address).await?;
    let origin = origin_of(request.headers()).ok_or(Refused::OriginNotAllowed)?.to_owned();
    let asked: Asked = body_of(request).await?;
    let client = client_of(app, &asked.client_id, &origin).await?;
    let Checked { request, left_out, .. } = checked(&client, &origin, &asked)?;
    app.scopes_left_out.tell(&client.id, &left_out);
    let visitor = visitor.clone().preferring(&request.ui_locales);
    let named = asked.channel.as_deref().filter(|id| !id.is_empty());
    let channel = select(app, &visitor, &client, named)?;

    let (secret, now) = (PageSecret::random(&*app.entropy), app.now());
    let browser = secret.hash();
    let grant = Grant {
        id: GrantId::random(&*app.entropy),
        client: client.id.clone(),
        request,
        purpose: Purpose::SignIn,
        browser,
        created_at: now,
        expires_at: now + app.site.request_life,
        stage: GrantStage::Pending,
    };
    let ticket = flow::draw_first(app, &visitor, &grant, &client, &browser).await?;
    let face =
        if is_drawn(&client, channel) { draw(app, &visitor, &ticket, channel).await? } else { Value::Null };
    Ok(json!({
        "grant": grant.id.as_str(),
        "ticket": ticket.scan_code.as_str(),
        "secret": secret.expose(),
        "redirect_uri": grant.request.redirect_uri,
        "issuer": app.provider.issuer.as_str(),
        "site": site(app, &client, &grant.request),
        "device": visitor.surroundings().as_str(),
        "channels": channels(app, &visitor, &client),
        "channel": channel.id.as_str(),
        "platform": platform(app, &visitor, channel),
        "face": face,
    }))
}

/// The client, if the page is one of its own. Whether it exists is told to nobody else (SEC-59).
async fn client_of(app: &App, id: &str, origin: &str) -> Result<Client, Refused> {
    let id = ClientId::parse(id).map_err(|_| Refused::OriginNotAllowed)?;
    let client = app.records.client(&id).await?.filter(Client::is_enabled);
    client.filter(|client| client.owns_origin(origin)).ok_or_else(|| {
        tracing::info!(client.id = %id, "a page of an origin that is not of client {id} wanted to begin a login");
        Refused::OriginNotAllowed
    })
}

/// The request, by the rules of `/authorize`. PKCE is asked of every client: the code passes through a page.
fn checked(client: &Client, origin: &str, asked: &Asked) -> Result<Checked, Refused> {
    let redirect_uri = redirect_uri(client, origin, asked.redirect_uri.as_deref())?;
    let locales = [asked.lang.as_deref(), asked.ui_locales.as_deref()];
    let locales: Vec<&str> = locales.into_iter().flatten().collect();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("response_type", "code")
        .append_pair("scope", asked.scope.as_deref().filter(|scope| !scope.is_empty()).unwrap_or(SCOPE))
        .append_pair("code_challenge", &asked.code_challenge)
        .append_pair("code_challenge_method", &asked.code_challenge_method)
        .append_pair("ui_locales", &locales.join(" "));
    let optional = [
        ("state", asked.state.as_deref()),
        ("nonce", asked.nonce.as_deref()),
        ("prompt", asked.prompt.as_deref()),
        ("login_hint", asked.channel.as_deref()),
    ];
    for (name, value) in optional {
        form.append_pair(name, value.unwrap_or_default());
    }
    if let Some(seconds) = asked.max_age {
        form.append_pair("max_age", &seconds.to_string());
    }
    let params =
        Params::parse(form.finish().as_bytes()).map_err(|error| Refused::invalid(error.to_string()))?;
    let proven =
        Proven { client: client.clone(), redirect_uri, response_mode: ResponseMode::Query, state: None };
    let checked = check(&proven, &params).map_err(|error| Refused::invalid(error.description))?;
    let request = &checked.request;
    if request.code_challenge.is_none() {
        return Err(Refused::invalid("PKCE is required: send code_challenge and code_challenge_method=S256"));
    }
    if request.silent {
        return Err(Refused::invalid(
            "prompt=none has no meaning here: no session of a browser is looked at",
        ));
    }
    Ok(checked)
}

/// The registered address to answer to, of the page's own origin (SEC-45): the one that is named, or the only one.
fn redirect_uri(client: &Client, origin: &str, named: Option<&str>) -> Result<String, Refused> {
    let is_of_page = |uri: &str| {
        Url::parse(uri)
            .is_ok_and(|url| url.origin().is_tuple() && url.origin().ascii_serialization() == origin)
    };
    match named.filter(|uri| !uri.is_empty()) {
        Some(uri) if !client.allows_redirect(uri) => Err(Refused::invalid(
            "the redirect_uri is not registered for this application; it must be the same character by character",
        )),
        Some(uri) if !is_of_page(uri) => {
            Err(Refused::invalid("the redirect_uri must have the origin of the page"))
        }
        Some(uri) => Ok(uri.to_owned()),
        None => {
            let mut own = client.redirect_uris.iter().filter(|uri| is_of_page(uri));
            match (own.next(), own.next()) {
                (Some(only), None) => Ok(only.clone()),
                _ => Err(Refused::invalid(
                    "name the redirect_uri: more than one is registered for the origin of the page",
                )),
            }
        }
    }
}

/// The website as its own page may show it.
fn site(app: &App, client: &Client, request: &AuthorizationRequest) -> Value {
    json!({
        "name": client.name,
        "host": flow::host_of(&request.redirect_uri),
        "logo_uri": brand::logo_href(client).map(|href| app.site.absolute(&href)),
        "brand_color": client.settings.brand_color,
    })
}
