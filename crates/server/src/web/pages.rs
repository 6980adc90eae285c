//! Templates. Escaping is on, an undefined variable is an error, and one test renders every page.

mod constants;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use rust_embed::RustEmbed;

use super::cookies::Transport;
use super::headers::Csp;
use super::language::{Language, Words};
use super::problem::Problem;
use super::sdk::Sdk;
use super::visitor::Visitor;
use crate::config::legal::LegalSection;

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Templates;

/// The templates and the words they use.
#[derive(Debug)]
pub struct Pages {
    zh: Environment<'static>,
    en: Environment<'static>,
    /// The words.
    pub words: Arc<Words>,
    sandbox: bool,
    transport: Transport,
}

impl Pages {
    /// All embedded templates. `sandbox` draws the ribbon that says so; `transport` is how a page's cookies travel; `legal` is
    /// told at the foot of each.
    #[must_use]
    pub fn new(sandbox: bool, transport: Transport, sdk: &Arc<Sdk>, legal: &LegalSection) -> Self {
        let words = Arc::new(Words::embedded());
        let operator = operator(legal);
        let [zh, en] = Language::ALL.map(|language| {
            let constants = environment(&words, language, sdk, &operator, Ok);
            environment(&words, language, sdk, &operator, move |source| {
                constants::put_in(&source, &constants)
            })
        });
        Self { zh, en, words, sandbox, transport }
    }

    fn environment(&self, language: Language) -> &Environment<'static> {
        match language {
            Language::ZhCn => &self.zh,
            Language::En => &self.en,
        }
    }

    /// Renders `template` for `visitor`; `values` adds the page's own variables.
    ///
    /// # Errors
    /// [`Problem::Broken`] if a template does not fit its values, which the tests rule out.
    pub fn render(
        &self,
        visitor: &Visitor,
        template: &str,
        title_key: &str,
        values: Value,
    ) -> Result<Page, Problem> {
        let title = self.words.say(visitor.language, title_key, &[]);
        self.render_titled(visitor, template, &title, values)
    }

    /// As [`Pages::render`], with a title that is already a sentence.
    ///
    /// # Errors
    /// As [`Pages::render`].
    pub fn render_titled(
        &self,
        visitor: &Visitor,
        template: &str,
        title: &str,
        values: Value,
    ) -> Result<Page, Problem> {
        let languages: Vec<Value> = Language::ALL
            .into_iter()
            .map(|one| {
                context! {
                    code => one.code(),
                    label => one.own_name(),
                    href => visitor.href_in(one),
                    current => one == visitor.language,
                }
            })
            .collect();
        let all = context! {
            lang => visitor.language.code(),
            title,
            languages,
            sandbox => self.sandbox,
            ..values
        };
        let html = self
            .environment(visitor.language)
            .get_template(template)
            .and_then(|template| template.render(all))
            .map_err(|error| Problem::Broken(format!("template {template}: {error:#}")))?;
        // Whichever page the language was chosen on, the next one speaks it.
        let cookies = visitor.language_cookie(self.transport).into_iter().collect();
        Ok(Page { html, status: StatusCode::OK, csp: Csp::default(), cookies })
    }
}

/// What `legal.html` tells of whoever runs this.
fn operator(legal: &LegalSection) -> Value {
    context! {
        name => legal.operator.as_str(),
        contact => legal.contact.as_str(),
        contact_href => legal.contact_href(),
        privacy => legal.privacy_url.as_str(),
        terms => legal.terms_url.as_str(),
        icp => legal.icp.as_str(),
        police => legal.police_filing.as_str(),
        police_href => legal.police_href(),
    }
}

/// The templates of one language, each as `prepare` makes it from its file.
fn environment(
    words: &Arc<Words>,
    language: Language,
    sdk: &Arc<Sdk>,
    operator: &Value,
    prepare: impl Fn(String) -> Result<String, minijinja::Error> + Send + Sync + 'static,
) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    constants::add(&mut environment, words, language, sdk, operator);
    environment.set_loader(move |name| {
        let source = Templates::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned());
        source.map(&prepare).transpose()
    });
    environment
}

/// A rendered page on its way out.
#[derive(Debug)]
pub struct Page {
    html: String,
    status: StatusCode,
    csp: Csp,
    cookies: Vec<String>,
}

impl Page {
    /// With another status than 200.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// With a wider policy.
    #[must_use]
    pub fn with_csp(self, csp: Csp) -> Self {
        Self { csp, ..self }
    }

    /// With more `Set-Cookie` values.
    #[must_use]
    pub fn with_cookies(mut self, cookies: impl IntoIterator<Item = String>) -> Self {
        self.cookies.extend(cookies);
        self
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let framed = self.csp.framed_by_self;
        let mut response = (
            self.status,
            [
                (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                (
                    header::CONTENT_SECURITY_POLICY,
                    HeaderValue::from_str(&self.csp.to_header())
                        .unwrap_or(HeaderValue::from_static("default-src 'none'")),
                ),
                (header::VARY, HeaderValue::from_static("accept-language, cookie, user-agent")),
            ],
            self.html,
        )
            .into_response();
        let frames = HeaderName::from_static("x-frame-options");
        response
            .headers_mut()
            .insert(frames, HeaderValue::from_static(if framed { "SAMEORIGIN" } else { "DENY" }));
        set_cookies(&mut response, &self.cookies);
        response
    }
}

/// Adds `Set-Cookie` headers.
pub fn set_cookies(response: &mut Response, cookies: &[String]) {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}

/// `303 See Other` (SEC-66) with cookies.
#[must_use]
pub fn see_other(location: &str, cookies: &[String]) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    match HeaderValue::from_str(location) {
        Ok(value) => {
            response.headers_mut().insert(header::LOCATION, value);
        }
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    set_cookies(&mut response, cookies);
    response
}
