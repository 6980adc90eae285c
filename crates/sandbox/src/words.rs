//! What the pages say, in Chinese and English: flat keys in `locales/<lang>.json`.

use std::collections::BTreeMap;

use http::HeaderMap;

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    Zh,
    En,
}

impl Lang {
    /// As in the `lang` attribute of a page.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.get(..2)?.to_ascii_lowercase().as_str() {
            "zh" | "cn" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The first language of `Accept-Language` that we speak; Chinese otherwise. Browsers list the preferred one first.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let listed =
            headers.get(http::header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
        listed.split(',').find_map(|item| Self::parse(item.trim())).unwrap_or(Self::Zh)
    }
}

/// The texts of one language.
pub(crate) type Texts = BTreeMap<String, String>;

/// All texts.
#[derive(Debug)]
pub(crate) struct Words {
    zh: Texts,
    en: Texts,
}

impl Words {
    pub(crate) fn embedded() -> Self {
        let read =
            |json| serde_json::from_str(json).expect("the embedded locale files are flat JSON objects");
        Self { zh: read(include_str!("../locales/zh-CN.json")), en: read(include_str!("../locales/en.json")) }
    }

    pub(crate) fn of(&self, lang: Lang) -> &Texts {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys() {
        let words = Words::embedded();
        assert!(words.zh.keys().eq(words.en.keys()));
        assert!(words.zh.values().chain(words.en.values()).all(|text| !text.trim().is_empty()));
    }

    #[test]
    fn first_spoken_language_of_the_header_wins() {
        let header = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::ACCEPT_LANGUAGE, text.parse().unwrap());
            Lang::accepted(&headers)
        };
        assert_eq!(header("fr, en-GB;q=0.8, zh;q=0.5"), Lang::En);
        assert_eq!(header("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh);
        assert_eq!(header("语"), Lang::Zh);
        assert_eq!(Lang::accepted(&HeaderMap::new()), Lang::Zh);
    }
}
