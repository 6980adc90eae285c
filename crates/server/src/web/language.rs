//! Languages and words. Words live in `locales/<language>.json`, flat keys, the same set in each.

use std::collections::{BTreeMap, HashMap};

use minijinja::value::{Kwargs, Value};

/// The languages every page speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Simplified Chinese.
    ZhCn,
    /// English.
    En,
}

impl Language {
    /// Every language, the default first.
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::En];

    /// BCP 47.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }

    /// Its own name.
    #[must_use]
    pub fn own_name(self) -> &'static str {
        match self {
            Self::ZhCn => "中文",
            Self::En => "English",
        }
    }

    /// The language of a BCP 47 tag, by its primary part: `zh-TW` reads Chinese, `en-GB` English.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::ZhCn),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The best language for an `Accept-Language` header (RFC 9110 §12.5.4); Chinese when nothing fits, as most of our
    /// readers do.
    #[must_use]
    pub fn accepted(header: &str) -> Self {
        let mut best: Option<(f32, Self)> = None;
        for part in header.split(',').take(32) {
            let mut pieces = part.trim().split(';');
            let Some(language) = pieces.next().and_then(|tag| Self::of_tag(tag.trim())) else { continue };
            let quality = pieces
                .find_map(|piece| piece.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()))
                .unwrap_or(1.0);
            if quality > 0.0 && best.is_none_or(|(most, _)| quality > most) {
                best = Some((quality, language));
            }
        }
        best.map_or(Self::ZhCn, |(_, language)| language)
    }
}

/// All sentences in all languages. A page looks up forty of them.
#[derive(Debug)]
pub struct Words {
    zh: HashMap<String, String>,
    en: HashMap<String, String>,
}

impl Words {
    /// The embedded files.
    #[must_use]
    pub fn embedded() -> Self {
        let read = |text| serde_json::from_str(text).expect("locale files are flat JSON objects (tested)");
        Self {
            zh: read(include_str!("../../locales/zh-CN.json")),
            en: read(include_str!("../../locales/en.json")),
        }
    }

    fn table(&self, language: Language) -> &HashMap<String, String> {
        match language {
            Language::ZhCn => &self.zh,
            Language::En => &self.en,
        }
    }

    /// The sentence of `key`, with `{name}` placeholders filled. A missing key shows itself, so that it is noticed.
    #[must_use]
    pub fn say(&self, language: Language, key: &str, values: &[(&str, &str)]) -> String {
        let Some(template) = self.table(language).get(key) else { return key.to_owned() };
        fill(template, |name| values.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    /// Every sentence whose key starts with `prefix`, as a JSON object without the prefix: for scripts.
    #[must_use]
    pub fn group(&self, language: Language, prefix: &str) -> String {
        let group: BTreeMap<&str, &str> = self
            .table(language)
            .iter()
            .filter_map(|(key, text)| key.strip_prefix(prefix).map(|rest| (rest, text.as_str())))
            .collect();
        serde_json::to_string(&group).expect("a map of strings is JSON")
    }

    /// The function `t(key, name=value…)` of the templates.
    pub(super) fn function(self: &std::sync::Arc<Self>, language: Language) -> Value {
        let words = self.clone();
        Value::from_function(move |key: &str, values: Kwargs| -> Result<String, minijinja::Error> {
            let Some(template) = words.table(language).get(key) else {
                return Err(minijinja::Error::new(
                    minijinja::ErrorKind::UndefinedError,
                    format!("no words for {key}"),
                ));
            };
            let text = fill(template, |name| values.get::<Value>(name).ok().map(|value| value.to_string()));
            Ok(text)
        })
    }
}

fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let Some(length) = rest[start..].find('}') else { break };
        out.push_str(&rest[..start]);
        let name = &rest[start + 1..start + length];
        match value(name) {
            Some(text) => out.push_str(&text),
            None => out.push_str(&rest[start..=start + length]),
        }
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn accept_language_is_weighed() {
        assert_eq!(Language::accepted("en-US,en;q=0.9"), Language::En);
        assert_eq!(Language::accepted("fr, en;q=0.3, zh-TW;q=0.7"), Language::ZhCn);
        assert_eq!(Language::accepted("en;q=0, *"), Language::ZhCn);
        assert_eq!(Language::accepted(";;q=x,,"), Language::ZhCn);
        assert_eq!(Language::accepted(""), Language::ZhCn);
    }

    #[test]
    fn both_languages_have_the_same_keys_and_placeholders() {
        let words = Words::embedded();
        let names = |text: &str| -> Vec<String> {
            let mut found: Vec<String> = text
                .split('{')
                .skip(1)
                .filter_map(|part| part.split_once('}').map(|(name, _)| name.to_owned()))
                .collect();
            found.sort();
            found
        };
        let keys = |of: &HashMap<String, String>| of.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(&words.zh), keys(&words.en));
        for (key, text) in &words.zh {
            assert_eq!(names(text), names(&words.en[key]), "{key}");
            assert!(!text.is_empty() && !words.en[key].is_empty(), "{key}");
        }
    }

    #[test]
    fn placeholders_are_filled_once_and_never_interpreted() {
        assert_eq!(fill("a {x} b {y", |_| Some("{x}".into())), "a {x} b {y");
        assert_eq!(fill("{n}{m}", |name| (name == "n").then(|| "1".into())), "1{m}");
    }
}
