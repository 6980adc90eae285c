//! `[legal]`: who runs this installation, and the texts that people and authorities expect to find on its pages.

use mashang_login::client::is_loopback;
use mashang_oidc::discovery::Policies;
use serde::Deserialize;
use url::Url;

use super::Config;
use super::check::is_private;

/// More than any name or number has, in characters.
const LONGEST: usize = 200;

/// `[legal]`. Whatever is empty is not shown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalSection {
    /// Who runs it, as in the privacy policy.
    pub operator: String,
    /// Where people reach them: an e-mail address, the address of a page, or a text such as a telephone number.
    pub contact: String,
    /// Address of the privacy policy.
    pub privacy_url: String,
    /// Address of the terms of use.
    pub terms_url: String,
    /// ICP 备案号 of the domain.
    pub icp: String,
    /// 公安备案号 of the website.
    pub police_filing: String,
}

impl LegalSection {
    /// The texts that people have to agree to.
    #[must_use]
    pub fn policies(&self) -> Policies {
        let given = |url: &String| Some(url.clone()).filter(|url| !url.is_empty());
        Policies { privacy: given(&self.privacy_url), terms: given(&self.terms_url) }
    }

    /// Where the contact leads; none if it is a text to read.
    #[must_use]
    pub fn contact_href(&self) -> Option<String> {
        if is_address(&self.contact) {
            return Some(self.contact.clone());
        }
        let is_mail = self.contact.contains('@') && !self.contact.contains(char::is_whitespace);
        is_mail.then(|| format!("mailto:{}", self.contact))
    }

    /// Where the Ministry of Public Security shows the website's entry: by the digits of its number.
    #[must_use]
    pub fn police_href(&self) -> String {
        format!("https://beian.mps.gov.cn/#/query/webSearch?code={}", digits(&self.police_filing))
    }

    /// What is wrong with it, in sentences. What is read in clear may be replaced on the way, so a policy is https unless the
    /// pages that lead to it are not.
    pub(super) fn check(&self, config: &Config, wrong: &mut Vec<String>) {
        for (key, text) in self.all() {
            if text.chars().count() > LONGEST || text.chars().any(char::is_control) || text.trim() != text {
                wrong.push(format!(
                    "legal.{key}: must be one line of at most {LONGEST} characters, without spaces around it"
                ));
            }
        }
        let may_be_clear = config.server.allow_cleartext || is_loopback(&config.server.public_url);
        let contact = ("contact", &self.contact);
        for (key, text) in [("privacy_url", &self.privacy_url), ("terms_url", &self.terms_url), contact] {
            // Another kind of contact is a text.
            if !text.is_empty() && (key != "contact" || is_address(text)) {
                wrong.extend(
                    wrong_address(text, may_be_clear).map(|what| format!("legal.{key}: `{text}` {what}")),
                );
            }
        }
        if !self.icp.is_empty() && (!self.icp.contains("ICP") || digits(&self.icp).is_empty()) {
            wrong.push(format!("legal.icp: `{}` is no filing number such as 京ICP备12345678号-1", self.icp));
        }
        if !self.police_filing.is_empty() && digits(&self.police_filing).len() < 8 {
            wrong.push(format!(
                "legal.police_filing: `{}` is no filing number such as 京公网安备11010502000001号",
                self.police_filing
            ));
        }
    }

    fn all(&self) -> [(&'static str, &str); 6] {
        [
            ("operator", &self.operator),
            ("contact", &self.contact),
            ("privacy_url", &self.privacy_url),
            ("terms_url", &self.terms_url),
            ("icp", &self.icp),
            ("police_filing", &self.police_filing),
        ]
    }

    /// What is allowed but probably not meant, where people reach it at `public_url`.
    pub(super) fn hint(&self, public_url: &Url) -> Option<String> {
        let is_public = public_url.scheme() == "https" && !is_private(public_url);
        (is_public && self.privacy_url.is_empty()).then(|| {
            "legal.privacy_url is empty: no page tells people who processes their data, why, and where to complain, as PIPL article 17 and GDPR article 13 want; docs/privacy.md has a notice to adapt. 页面上没有隐私政策，《个人信息保护法》第十七条要求告知，范本见 docs/privacy.zh-CN.md"
                .to_owned()
        })
    }
}

fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn wrong_address(text: &str, may_be_clear: bool) -> Option<&'static str> {
    let Some(url) = Url::parse(text).ok().filter(|url| is_address(text) && url.has_host()) else {
        return Some("is no address such as https://www.example.com/privacy");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must not hold a name or a password");
    }
    (url.scheme() != "https" && !may_be_clear)
        .then_some("must be https, or somebody on the way can change what people read")
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::super::from_text;

    const PUBLIC: &str = "[server]\npublic_url = \"https://login.example.com\"\n";

    fn complaint(text: &str) -> String {
        from_text(text).unwrap_err().to_string()
    }

    #[test]
    fn nothing_is_told_unless_somebody_writes_it() {
        let legal = from_text("").unwrap().legal;
        assert!(!legal.policies().are_there());
        assert!(legal.all().iter().all(|(_, text)| text.is_empty()));
    }

    #[test]
    fn a_policy_is_an_address_of_a_page_and_in_the_clear_only_where_our_pages_are() {
        for key in ["privacy_url", "terms_url"] {
            let at = |url: &str| format!("[legal]\n{key} = {url:?}\n");
            for url in ["/privacy", "example.com/privacy", "javascript:alert(1)", "https:///", "mailto:a@b.c"]
            {
                let told = complaint(&at(url));
                assert!(told.contains(&format!("legal.{key}: `{url}` is no address")), "{told}");
            }
            assert!(complaint(&at("https://a:b@example.com/")).contains("name or a password"));
            let clear = at("http://example.com/privacy");
            assert!(complaint(&format!("{PUBLIC}{clear}")).contains("must be https"));
            assert!(from_text(&clear).is_ok(), "on this machine");
            let weak = "[server]\npublic_url = \"http://login.example.com\"\nallow_cleartext = true\n";
            assert!(from_text(&format!("{weak}{clear}")).is_ok());
            let legal =
                from_text(&format!("{PUBLIC}{}", at("https://example.com/p?lang=zh#x"))).unwrap().legal;
            assert!(legal.policies().are_there());
        }
    }

    #[test]
    fn a_contact_is_a_mailbox_a_page_or_a_text() {
        let leads_to = |text: &str| {
            let config = from_text(&format!("{PUBLIC}[legal]\ncontact = {text:?}\n")).unwrap();
            config.legal.contact_href()
        };
        assert_eq!(leads_to("privacy@example.com").as_deref(), Some("mailto:privacy@example.com"));
        assert_eq!(leads_to("https://example.com/help").as_deref(), Some("https://example.com/help"));
        assert_eq!(leads_to("010-12345678 @ 9:00"), None);
        assert!(complaint(&format!("{PUBLIC}[legal]\ncontact = \"http://example.com\"")).contains("https"));
    }

    #[test]
    fn filing_numbers_look_like_some() {
        assert!(complaint("[legal]\nicp = \"12345678\"").contains("京ICP备"));
        assert!(complaint("[legal]\nicp = \"京ICP备案\"").contains("legal.icp"));
        assert!(complaint("[legal]\npolice_filing = \"京公网安备\"").contains("legal.police_filing"));
        let text = "[legal]\nicp = \"京ICP备12345678号-1\"\npolice_filing = \"京公网安备 11010502000001号\"";
        let legal = from_text(text).unwrap().legal;
        assert!(legal.police_href().ends_with("code=11010502000001"), "{}", legal.police_href());
    }

    #[test]
    fn what_does_not_fit_in_a_line_is_refused() {
        for text in ["[legal]\noperator = \" x\"", "[legal]\noperator = \"a\\nb\"", "[legal]\nlawyer = \"x\""]
        {
            complaint(text);
        }
        assert!(
            complaint(&format!("[legal]\noperator = \"{}\"", "码".repeat(201))).contains("legal.operator")
        );
    }

    #[test]
    fn a_public_installation_without_a_privacy_policy_is_pointed_out() {
        let hints = |text: &str| from_text(text).unwrap().hints().join("\n");
        let told = hints(PUBLIC);
        assert!(told.contains("legal.privacy_url") && told.contains("第十七条"), "{told}");
        for text in [
            "",
            "[server]\npublic_url = \"https://10.0.0.7\"\n",
            "[server]\npublic_url = \"https://login.example.com\"\n[legal]\nprivacy_url = \"https://example.com/p\"\n",
        ] {
            assert!(!hints(text).contains("legal."), "{text}");
        }
    }
}
