//! 扫普通链接二维码打开小程序: which scanned link opens which mini-program (mini-program fact sheet §6).

use serde::Serialize;
use url::Url;

use super::world::Build;

/// One rule of one mini-program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Rule {
    #[serde(skip)]
    pub(super) appid: String,
    pub(super) prefix: String,
    /// The page that is opened.
    pub(super) path: String,
    /// 1 draft, 2 published.
    pub(super) state: u8,
    /// 1 develop, 2 trial, 3 release.
    pub(super) open_version: u8,
    pub(super) permit_sub_rule: u8,
    /// Test links, which members open before publication.
    pub(super) debug_url: Vec<String>,
}

impl Rule {
    pub(super) fn is_published(&self) -> bool {
        self.state == 2
    }

    pub(super) fn build(&self) -> Build {
        Build::by_open_version(self.open_version).unwrap_or_default()
    }
}

/// Whether a scanned link falls under a rule: same scheme and host; the same path, or a deeper one when the rule ends
/// with `/`; and when the rule has a query, a query that starts with it.
pub(super) fn falls_under(link: &Url, prefix: &str) -> bool {
    let Ok(rule) = Url::parse(prefix) else { return false };
    let same_site = link.scheme() == rule.scheme()
        && link.host() == rule.host()
        && link.port_or_known_default() == rule.port_or_known_default();
    let (path, rule_path) = (link.path(), rule.path());
    let same_path = path == rule_path || (rule_path.ends_with('/') && path.starts_with(rule_path));
    let same_query =
        rule.query().is_none_or(|query| link.query().is_some_and(|given| given.starts_with(query)));
    same_site && same_path && same_query
}

/// The rule that decides about a link: the longest that matches, published or not. An unpublished one wins and blocks.
pub(super) fn deciding<'a>(rules: &'a [Rule], link: &Url) -> Option<&'a Rule> {
    let matching = rules.iter().filter(|rule| falls_under(link, &rule.prefix));
    matching.max_by_key(|rule| rule.prefix.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(prefix: &str, state: u8) -> Rule {
        Rule {
            appid: "wx1".to_owned(),
            prefix: prefix.to_owned(),
            path: "pages/login/login".to_owned(),
            state,
            open_version: 3,
            permit_sub_rule: 1,
            debug_url: Vec::new(),
        }
    }

    fn opens(rules: &[(&str, u8)], link: &str) -> bool {
        let rules: Vec<_> = rules.iter().map(|(prefix, state)| rule(prefix, *state)).collect();
        deciding(&rules, &Url::parse(link).unwrap()).is_some_and(Rule::is_published)
    }

    #[test]
    fn table_of_the_fact_sheet() {
        for (prefix, link) in [
            ("http://www.qq.com/a/b", "https://www.qq.com/a/b"),
            ("https://www.qq.com/a/b", "https://www.weixin.qq.com/a/b"),
            ("https://www.qq.com/a/b?id=123", "https://www.qq.com/a/b?id=132"),
            ("https://www.qq.com/a/b", "https://www.qq.com/a/bc"),
            ("https://www.qq.com/a/b", "https://www.qq.com/a/b/123"),
        ] {
            assert!(!opens(&[(prefix, 2)], link), "{prefix} {link}");
        }
        let blocked = [("https://www.qq.com/a/", 2), ("https://www.qq.com/a/b", 1)];
        assert!(!opens(&blocked, "https://www.qq.com/a/b"));
        assert!(opens(&blocked, "https://www.qq.com/a/c"));
    }

    #[test]
    fn what_falls_under_a_rule() {
        for (prefix, link) in [
            ("https://www.qq.com/a/b", "https://www.qq.com/a/b"),
            ("https://www.qq.com/a/b", "https://www.qq.com/a/b?x=1#f"),
            ("https://www.qq.com/a/", "https://www.qq.com/a/b/c?x=1"),
            ("https://www.qq.com/a/b?id=1", "https://www.qq.com/a/b?id=123"),
            ("http://127.0.0.1:8920/s/", "http://127.0.0.1:8920/s/abc"),
        ] {
            assert!(opens(&[(prefix, 2)], link), "{prefix} {link}");
        }
        assert!(!opens(&[("http://127.0.0.1:8920/s/", 2)], "http://127.0.0.1:8921/s/abc"));
    }
}
