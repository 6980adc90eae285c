//! What is the same on each page of a language: words, addresses of assets, icons, who runs this. It is put into a template's text when that is
//! loaded, where it would be worked out for each page anew; the login page has fifty of them.

use std::sync::Arc;

use minijinja::{Environment, Error, Value, context};

use super::super::assets;
use super::super::language::{Language, Words};
use super::super::sdk::Sdk;

/// The functions whose answers depend on nothing but what the template gives them.
const CONSTANT: [&str; 5] = ["t", "words", "asset", "sdk", "sdk_integrity"];
/// Macros of the same kind, and how a page would import them. What they print is markup.
const MACROS: [(&str, &str); 2] = [
    ("icon", r#"{% from "icons.html" import icon %}"#),
    ("legal", r#"{% from "legal.html" import legal %}"#),
];

/// Adds the functions to the templates of a language: `t(key, name=value…)` says a sentence, `words(prefix)` all whose keys begin
/// so, as JSON for a script; `asset(file)`, `sdk(file)` and `sdk_integrity(file)` are about files.
/// `operator` is what `legal.html` tells of whoever runs this.
pub(super) fn add(
    environment: &mut Environment<'_>,
    words: &Arc<Words>,
    language: Language,
    sdk: &Arc<Sdk>,
    operator: &Value,
) {
    environment.add_global("t", words.function(language));
    environment.add_global("operator", operator.clone());
    let all = words.clone();
    environment.add_function("words", move |prefix: String| all.group(language, &prefix));
    environment.add_function("asset", |file: String| assets::address(&file));
    let files = sdk.clone();
    environment.add_function("sdk", move |file: String| files.address(&file));
    let files = sdk.clone();
    environment.add_function("sdk_integrity", move |file: String| files.integrity(&file).to_owned());
}

/// A template's text with each `{{ name("literal") }}` replaced by what `environment` makes of it.
///
/// # Errors
/// As at the place itself: a key that has no words.
pub(super) fn put_in(source: &str, environment: &Environment<'_>) -> Result<String, Error> {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}").map(|end| end + 2) else { break };
        let (before, from) = rest.split_at(start);
        let (print, after) = from.split_at(length);
        text.push_str(before);
        match constant(print, environment)? {
            Some(constant) => text.push_str(&constant),
            None => text.push_str(print),
        }
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// What is printed, if it is always the same and no template itself.
fn constant(print: &str, environment: &Environment<'_>) -> Result<Option<String>, Error> {
    let Some(inner) = print.strip_prefix("{{ ").and_then(|print| print.strip_suffix(" }}")) else {
        return Ok(None);
    };
    let Some((name, argument)) = inner.strip_suffix("\")").and_then(|call| call.split_once("(\"")) else {
        return Ok(None);
    };
    let import = MACROS.iter().find(|(of, _)| *of == name).map(|(_, import)| *import);
    if argument.contains('"') || !(import.is_some() || CONSTANT.contains(&name)) {
        return Ok(None);
    }
    // Named as a page, so that it is escaped as one.
    let text = format!("{}{print}", import.unwrap_or_default());
    let text = environment.render_named_str("constant.html", &text, context! {})?;
    // A brace would be a template's. In texts and attributes it may be said by number, and our macros have it nowhere else.
    Ok(Some(text.replace('{', "&#123;")))
}

#[cfg(test)]
mod tests {
    use minijinja::{AutoEscape, UndefinedBehavior};

    use super::*;

    fn environment() -> Environment<'static> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.add_function("t", |key: String| format!("<{key}>"));
        environment
            .add_template("icons.html", "{% macro icon(name) %}<svg>{{ name }}</svg>{% endmacro %}")
            .unwrap();
        environment
    }

    #[test]
    fn what_is_always_the_same_is_put_in_once_and_escaped_as_a_page_would() {
        let page = r#"{{ icon("check") }}<p title="{{ t("a.b") }}">{{ t("c") }}</p>"#;
        let put_in = put_in(page, &environment()).unwrap();
        assert_eq!(put_in, r#"<svg>check</svg><p title="&lt;a.b&gt;">&lt;c&gt;</p>"#);
    }

    #[test]
    fn what_depends_on_the_page_stays() {
        for page in [
            r#"{{ t("a", name=site) }}"#,
            r#"{{ t("a" if b else "c") }}"#,
            r#"{{ t("a" ~ kind) }}"#,
            "{{ title }}",
            r#"{{ other("a") }}"#,
            r#"{%- if t("a") %}"#,
            "{{ unfinished",
        ] {
            assert_eq!(put_in(page, &environment()).unwrap(), page);
        }
    }

    #[test]
    fn what_holds_braces_is_no_template_itself() {
        let mut environment = environment();
        environment.add_function("words", |_: String| r#"{"a":"{{ title }}"}"#);
        let put_in = put_in(r#"<p data-words="{{ words("x.") }}">"#, &environment).unwrap();
        assert_eq!(put_in, r#"<p data-words="&#123;&quot;a&quot;:&quot;&#123;&#123; title }}&quot;}">"#);
    }

    #[test]
    fn a_word_that_is_missing_is_an_error_when_the_template_is_loaded() {
        let mut environment = environment();
        environment.add_function("t", |_: String| -> Result<String, Error> {
            Err(Error::new(minijinja::ErrorKind::UndefinedError, "no words"))
        });
        put_in(r#"{{ t("a") }}"#, &environment).unwrap_err();
    }
}
