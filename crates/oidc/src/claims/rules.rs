//! Who has which roles and is in which groups: rules of the operator's, each a list of conditions that must all hold.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::str::FromStr;

use mashang_login::client::Client;
use mashang_login::identity::{ChannelKind, Identity};
use mashang_login::ids::{ChannelId, ClientId, UserId};

use super::person::Person;

/// One rule. A condition that is `None` always holds; one that is an empty list never does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// What it gives.
    pub roles: Vec<String>,
    /// What it gives.
    pub groups: Vec<String>,
    /// The client that is told is one of these.
    pub client: Option<Vec<ClientId>>,
    /// The person is one of these.
    pub users: Option<Vec<UserId>>,
    /// The person is one of these members of a corp.
    pub members: Option<Vec<MemberName>>,
    /// The person belongs to one of these departments of their corp.
    pub departments: Option<Vec<u64>>,
    /// The person proved one of these addresses: exact, or `*@corp.example`.
    pub emails: Option<Vec<String>>,
    /// The person signed in by one of these channels.
    pub channels: Option<Vec<ChannelId>>,
}

/// A member of a corp, as a rule names them: `zhangsan`, or `ww0123456789abcdef/zhangsan` where there are two corps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberName {
    corp: Option<String>,
    member: String,
}

impl FromStr for MemberName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.split_once('/') {
            Some((corp, member)) => Self { corp: Some(corp.to_owned()), member: member.to_owned() },
            None => Self { corp: None, member: text.to_owned() },
        })
    }
}

impl MemberName {
    /// WeCom takes a member's id in any case (WeCom fact sheet §1).
    fn is(&self, identity: &Identity) -> bool {
        let member = identity.attributes.member_id.as_deref().unwrap_or_default();
        let same_corp = self.corp.as_ref().is_none_or(|corp| *corp == identity.key.app);
        same_corp && member.eq_ignore_ascii_case(&self.member)
    }
}

impl Rule {
    /// Whether every condition holds for a person who is told to a client.
    #[must_use]
    pub fn holds(&self, client: &Client, person: &Person) -> bool {
        fn any<T>(condition: Option<&Vec<T>>, matches: impl Fn(&T) -> bool) -> bool {
            condition.is_none_or(|list| list.iter().any(matches))
        }
        let member = person.member();
        let departments = member.map_or(&[][..], |member| &member.attributes.departments);
        let channel = person.used.as_ref().map(|used| &used.channel);
        any(self.client.as_ref(), |id| *id == client.id)
            && any(self.users.as_ref(), |id| *id == person.user.id)
            && any(self.members.as_ref(), |name| member.is_some_and(|member| name.is(member)))
            && any(self.departments.as_ref(), |department| departments.contains(department))
            && any(self.emails.as_ref(), |pattern| proved_an_address(person, pattern))
            && any(self.channels.as_ref(), |id| channel == Some(id))
    }
}

/// Only addresses that received our code: anybody may have typed one into a directory.
fn proved_an_address(person: &Person, pattern: &str) -> bool {
    let mut proven = person.identities.iter().filter(|identity| identity.key.kind == ChannelKind::Email);
    proven.any(|identity| {
        let address = identity.key.subject.as_str();
        match pattern.strip_prefix("*@") {
            Some(domain) => address.rsplit_once('@').is_some_and(|(_, of)| of.eq_ignore_ascii_case(domain)),
            None => address.eq_ignore_ascii_case(pattern),
        }
    })
}

/// What the rules give to one person at one client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Roles, in alphabetical order.
    pub roles: BTreeSet<String>,
    /// Groups, in alphabetical order.
    pub groups: BTreeSet<String>,
}

impl Given {
    /// By every rule that holds.
    #[must_use]
    pub fn by(rules: &[Rule], client: &Client, person: &Person) -> Self {
        let mut given = Self::default();
        for rule in rules.iter().filter(|rule| rule.holds(client, person)) {
            given.roles.extend(rule.roles.iter().cloned());
            given.groups.extend(rule.groups.iter().cloned());
        }
        given
    }
}
