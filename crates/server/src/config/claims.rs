//! `[claims]`: what is told about people by rules of the operator's.

use std::collections::BTreeMap;

use mashang_login::ids::{ChannelId, ClientId, UserId};
use mashang_oidc::claims::{ClaimPolicy, EmailPattern, Rule};
use serde::Deserialize;

use super::ConfigError;

/// The longest name of a role or a group, in characters.
const MAX_NAME: usize = 100;

/// The section.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimsSection {
    /// The e-mail address of a corp's member; empty for none.
    pub email_pattern: String,
    /// `[[claims.rule]]`
    pub rule: Vec<RuleSection>,
}

/// One `[[claims.rule]]`: what it gives, and the conditions that must all hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSection {
    /// Roles it gives.
    pub roles: Vec<String>,
    /// Groups it gives.
    pub groups: Vec<String>,
    /// Only at these clients.
    pub client: Option<Vec<ClientId>>,
    /// Only to these people.
    pub users: Option<Vec<UserId>>,
    /// Only to these members of a corp.
    pub members: Option<Vec<String>>,
    /// Only to members of these departments.
    pub departments: Option<Vec<u64>>,
    /// Only to whoever proved one of these e-mail addresses.
    pub emails: Option<Vec<String>>,
    /// Only to whoever signed in by one of these channels.
    pub channels: Option<Vec<ChannelId>>,
}

impl ClaimsSection {
    /// As the provider takes it.
    ///
    /// # Errors
    /// [`ConfigError`] for a pattern that is none, which [`ClaimsSection::check`] told before.
    pub fn policy(&self) -> Result<ClaimPolicy, ConfigError> {
        let wrong = |why: String| ConfigError::Wrong(vec![why]);
        let email_pattern = self.email_pattern().map_err(wrong)?;
        Ok(ClaimPolicy { email_pattern, rules: self.rule.iter().map(RuleSection::rule).collect() })
    }

    fn email_pattern(&self) -> Result<Option<EmailPattern>, String> {
        let text = self.email_pattern.as_str();
        let read =
            |text: &str| text.parse().map_err(|error| format!("claims.email_pattern: `{text}` {error}"));
        (!text.is_empty()).then(|| read(text)).transpose()
    }

    /// Adds a sentence for everything that is wrong.
    pub fn check<T>(&self, channels: &BTreeMap<ChannelId, T>, wrong: &mut Vec<String>) {
        wrong.extend(self.email_pattern().err());
        for (rule, number) in self.rule.iter().zip(1_usize..) {
            let problems = rule.problems(channels);
            wrong.extend(problems.into_iter().map(|what| format!("claims.rule no. {number}: {what}")));
        }
    }

    /// The section in sentences, for whoever checks a configuration.
    #[must_use]
    pub fn described(&self) -> Vec<String> {
        let pattern = (!self.email_pattern.is_empty())
            .then(|| format!("members without a proven address are told as {}", self.email_pattern));
        pattern.into_iter().chain(self.rule.iter().map(RuleSection::described)).collect()
    }
}

impl RuleSection {
    fn rule(&self) -> Rule {
        let members = self.members.as_ref();
        Rule {
            roles: self.roles.clone(),
            groups: self.groups.clone(),
            client: self.client.clone(),
            users: self.users.clone(),
            members: members.map(|names| {
                names.iter().map(|name| name.parse().unwrap_or_else(|never| match never {})).collect()
            }),
            departments: self.departments.clone(),
            emails: self.emails.clone(),
            channels: self.channels.clone(),
        }
    }

    fn problems<T>(&self, channels: &BTreeMap<ChannelId, T>) -> Vec<String> {
        let mut problems = Vec::new();
        if self.roles.is_empty() && self.groups.is_empty() {
            problems.push("it gives neither roles nor groups".to_owned());
        }
        let is_name = |name: &String| !name.trim().is_empty() && name.chars().count() <= MAX_NAME;
        for name in self.roles.iter().chain(&self.groups).filter(|name| !is_name(name)) {
            problems.push(format!("`{name}` is no name for a role or a group: 1 to {MAX_NAME} characters"));
        }
        for (key, condition) in self.conditions() {
            if condition.is_empty() {
                problems.push(format!("{key} = [] would never hold; leave it out"));
            }
        }
        for id in self.channels.iter().flatten().filter(|id| !channels.contains_key(*id)) {
            problems.push(format!("there is no [channel.{id}]"));
        }
        for pattern in self.emails.iter().flatten() {
            let domain = pattern.strip_prefix("*@").or_else(|| pattern.split_once('@').map(|(_, of)| of));
            let is_whole = domain.is_some_and(|of| of.contains('.') && !of.contains(['*', '@', ' ']));
            if !is_whole || pattern.strip_prefix("*@").unwrap_or(pattern).contains('*') {
                problems
                    .push(format!("`{pattern}` is neither an address nor a pattern such as *@corp.example"));
            }
        }
        problems
    }

    /// Its conditions by name, as they are written.
    fn conditions(&self) -> Vec<(&'static str, Vec<String>)> {
        fn words<T: ToString>(list: Option<&Vec<T>>) -> Option<Vec<String>> {
            list.map(|list| list.iter().map(ToString::to_string).collect())
        }
        [
            ("client", words(self.client.as_ref())),
            ("users", words(self.users.as_ref())),
            ("members", words(self.members.as_ref())),
            ("departments", words(self.departments.as_ref())),
            ("emails", words(self.emails.as_ref())),
            ("channels", words(self.channels.as_ref())),
        ]
        .into_iter()
        .filter_map(|(key, list)| Some((key, list?)))
        .collect()
    }

    fn described(&self) -> String {
        let given = |what: &str, names: &[String]| {
            (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
        };
        let gives: Vec<_> =
            [given("roles", &self.roles), given("groups", &self.groups)].into_iter().flatten().collect();
        let conditions: Vec<_> = self
            .conditions()
            .into_iter()
            .map(|(key, list)| format!("{key} is one of {}", list.join(", ")))
            .collect();
        let whom = if conditions.is_empty() { "everybody".to_owned() } else { conditions.join(" and ") };
        format!("{} if {whom}", gives.join(" and ")).replace(" if everybody", " for everybody")
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{ConfigError, from_text};

    fn problems(text: &str) -> String {
        match from_text(text) {
            Err(ConfigError::Wrong(problems)) => problems.join("\n"),
            Err(other) => other.to_string(),
            Ok(_) => panic!("accepted"),
        }
    }

    #[test]
    fn rules_are_read_and_told_back() {
        let config = from_text(
            r#"
            [claims]
            email_pattern = "{userid}@corp.example"
            [[claims.rule]]
            roles = ["user"]
            [[claims.rule]]
            roles = ["admin"]
            groups = ["ops", "dev"]
            client = ["zentao"]
            departments = [2, 24]
            "#,
        )
        .unwrap();
        assert_eq!(
            config.claims.described(),
            [
                "members without a proven address are told as {userid}@corp.example",
                "roles user for everybody",
                "roles admin and groups ops, dev if client is one of zentao and departments is one of 2, 24",
            ]
        );
        assert_eq!(config.claims.policy().unwrap().rules.len(), 2);
        assert!(from_text("").unwrap().claims.described().is_empty());
    }

    #[test]
    fn what_is_wrong_in_a_rule_is_said_with_its_number() {
        let rule = |line: &str| format!("[[claims.rule]]\nroles = [\"ok\"]\n[[claims.rule]]\n{line}");
        for (line, told) in [
            ("client = [\"a\"]", "claims.rule no. 2: it gives neither roles nor groups"),
            ("roles = [\"\"]", "is no name for a role"),
            ("roles = [\"a\"]\nmembers = []", "members = [] would never hold"),
            ("roles = [\"a\"]\nchannels = [\"nowhere\"]", "there is no [channel.nowhere]"),
            ("roles = [\"a\"]\nemails = [\"corp.example\"]", "neither an address nor a pattern"),
            ("roles = [\"a\"]\nemails = [\"*\"]", "neither an address nor a pattern"),
            ("roles = [\"a\"]\nemails = [\"a*@corp.example\"]", "neither an address nor a pattern"),
            ("roles = [\"a\"]\ngroup = [\"b\"]", "group"),
            ("roles = [\"a\"]\ndepartments = [\"two\"]", "departments"),
        ] {
            let problems = problems(&rule(line));
            assert!(problems.contains(told), "{line}: {problems}");
        }
        assert!(problems("[claims]\nemail_pattern = \"corp.example\"").contains("claims.email_pattern"));
    }
}
