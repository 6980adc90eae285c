//! Which companies the pretend WeCom has: apps, departments, members (WeCom fact sheet §1, §8, §9).
//!
//! Plain data: what the operator starts with, and, in the world, what scripts have made of it since.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::events::EventTarget;

/// The CorpID of the company in [`default_corps`].
pub const DEMO_CORPID: &str = "ww5a9d0b0c0de00003";
/// The AgentID of the app of the company in [`default_corps`].
pub const DEMO_CORP_AGENTID: u32 = 1_000_002;
/// The secret of that app: 43 characters. Public knowledge: it opens nothing but the sandbox.
pub const DEMO_CORP_SECRET: &str = "5a9d-b0c0de_0000300000000deadbeef0000000001";
/// The contact-sync secret of that company. Public knowledge too.
pub const DEMO_CORP_CONTACT_SECRET: &str = "5a9d-b0c0de_0000300000000deadbeef0000000002";

/// One company.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corp {
    /// `ww` or `wx` and 16 characters.
    pub corpid: String,
    /// Shown on the phone.
    pub name: String,
    /// Its self-built apps.
    pub agents: Vec<Agent>,
    /// Secret of contact sync (通讯录同步), 43 characters. Empty: there is none. Not shown by `Debug`.
    #[serde(default)]
    pub contact_secret: String,
    /// The tree of departments; the root has id 1 and parent 0.
    pub departments: Vec<Department>,
    /// The directory.
    pub members: Vec<Member>,
    /// Ids of sandbox people who are not members but customers of one: they have an `external_userid`.
    #[serde(default)]
    pub customers: Vec<String>,
    /// Where directory events go. Not shown by `Debug`.
    #[serde(default)]
    pub events: Option<EventTarget>,
    /// The company has been dissolved: calls answer 2000002.
    #[serde(default)]
    pub dissolved: bool,
}

/// One app of a company.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// AgentID.
    pub agentid: u32,
    /// Shown on the phone.
    pub name: String,
    /// 43 characters. Not shown by `Debug`.
    pub secret: String,
    /// Trusted domains: host, and port unless it is the scheme's own. No wildcard but `*`, which allows every address
    /// and which WeCom would not take; localhost needs it.
    #[serde(default)]
    pub trusted_domains: Vec<String>,
    /// 企业可信IP. Empty: every caller, as for apps older than June 2022.
    #[serde(default)]
    pub trusted_ips: Vec<IpAddr>,
    /// Whom the app may see and who may use it.
    #[serde(default)]
    pub visible: Visible,
    /// Whether the app is switched on.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether the administrator lets the app have mobile, mail, avatar and gender. Off for every app since 2022.
    #[serde(default)]
    pub private_fields: bool,
}

fn yes() -> bool {
    true
}

/// The visible range (可见范围) of an app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Visible {
    /// These departments and all below them.
    pub departments: Vec<u32>,
    /// These userids.
    pub members: Vec<String>,
}

/// One department.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// From 1, which is the root.
    pub id: u32,
    /// The id above; 0 for the root.
    pub parentid: u32,
    /// Its name.
    pub name: String,
}

/// One member of a company: a sandbox person under a company's name for them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// 1 to 64 bytes; compared ignoring ASCII case.
    pub userid: String,
    /// Id of the sandbox person.
    pub person: String,
    /// The name in the directory.
    pub name: String,
    /// Ids of departments, the main one first.
    pub departments: Vec<u32>,
    /// Job title; may be empty.
    #[serde(default)]
    pub position: String,
    /// May be empty.
    #[serde(default)]
    pub mobile: String,
    /// May be empty.
    #[serde(default)]
    pub email: String,
    /// Active, disabled, not activated, left.
    #[serde(default)]
    pub status: MemberStatus,
    /// Never bound WeChat: `convert_to_openid` answers 43004.
    #[serde(default)]
    pub no_wechat: bool,
}

/// `status` of a member (§8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    /// 1: works here.
    #[default]
    Active,
    /// 2: switched off by an administrator.
    Disabled,
    /// 4: in the directory, but has never signed in.
    NotActivated,
    /// 5: gone.
    Left,
}

impl MemberStatus {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Active => 1,
            Self::Disabled => 2,
            Self::NotActivated => 4,
            Self::Left => 5,
        }
    }
}

/// What a person is to a company, where its pages and calls make a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Works here, and an app sees them.
    Member,
    /// Works here, but no app sees them.
    OutOfRange,
    /// Switched off by an administrator.
    Disabled,
    /// Has never signed in.
    NotActivated,
    /// No member, but a contact of one.
    Customer,
    /// Nobody here, or not any more.
    Outsider,
}

impl Standing {
    /// As in the keys of the pages' texts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::OutOfRange => "out_of_range",
            Self::Disabled => "disabled",
            Self::NotActivated => "not_activated",
            Self::Customer => "customer",
            Self::Outsider => "outsider",
        }
    }
}

impl Corp {
    /// What this person is here.
    pub(super) fn standing(&self, person: &str) -> Standing {
        if let Some(member) = self.active(person) {
            let seen = self.agents.iter().any(|agent| self.sees(agent, member));
            return if seen { Standing::Member } else { Standing::OutOfRange };
        }
        let own = self.members.iter().filter(|member| member.person == person);
        let idle = own.map(|member| member.status).find(|status| *status != MemberStatus::Left);
        match idle {
            Some(MemberStatus::Disabled) => Standing::Disabled,
            Some(_) => Standing::NotActivated,
            None if self.customers.iter().any(|customer| customer == person) => Standing::Customer,
            None => Standing::Outsider,
        }
    }

    pub(super) fn agent(&self, agentid: u32) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.agentid == agentid)
    }

    /// A member who is in the directory, by userid in any case.
    pub(super) fn member(&self, userid: &str) -> Option<&Member> {
        let same = |member: &&Member| member.userid.eq_ignore_ascii_case(userid);
        self.members.iter().find(same).filter(|member| member.status != MemberStatus::Left)
    }

    /// The member that a person is here, if they can use WeCom: everybody else is an outsider.
    pub(super) fn active(&self, person: &str) -> Option<&Member> {
        let works = |member: &&Member| member.person == person && member.status == MemberStatus::Active;
        self.members.iter().find(works)
    }

    /// Whether an app sees a member: named, or in one of its departments or one below (§8).
    pub(super) fn sees(&self, agent: &Agent, member: &Member) -> bool {
        agent.visible.members.iter().any(|userid| userid.eq_ignore_ascii_case(&member.userid))
            || member.departments.iter().any(|id| self.sees_department(agent, *id))
    }

    /// Whether a department is one of the app's, or below one.
    pub(super) fn sees_department(&self, agent: &Agent, id: u32) -> bool {
        let mut at = id;
        // A tree that an operator wrote may have a loop; no path is longer than the tree.
        for _ in 0..=self.departments.len() {
            if agent.visible.departments.contains(&at) {
                return true;
            }
            match self.departments.iter().find(|department| department.id == at) {
                Some(department) => at = department.parentid,
                None => return false,
            }
        }
        false
    }
}

impl Agent {
    /// Whether WeCom would send a browser back there: exact host and port, no subdomain, any path (§9).
    pub(super) fn trusts(&self, redirect_uri: &str) -> bool {
        let Ok(url) = Url::parse(redirect_uri) else { return false };
        let Some(host) = url.host_str() else { return false };
        if !matches!(url.scheme(), "http" | "https") {
            return false;
        }
        let wanted = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        self.trusted_domains.iter().any(|domain| domain == "*" || domain.eq_ignore_ascii_case(&wanted))
    }

    /// Whether calls from this address are allowed (§9).
    pub(super) fn allows_ip(&self, caller: IpAddr) -> bool {
        self.trusted_ips.is_empty() || self.trusted_ips.contains(&caller)
    }
}

impl fmt::Debug for Corp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Corp")
            .field("corpid", &self.corpid)
            .field("name", &self.name)
            .field("agents", &self.agents)
            .field("members", &self.members.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("agentid", &self.agentid)
            .field("name", &self.name)
            .field("trusted_domains", &self.trusted_domains)
            .field("visible", &self.visible)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

/// A company of three departments. Of the ready-made people 小明 is an ordinary member, 小红 a member outside the app's
/// visible range, `plain` one who is disabled, `emoji` a customer, and everybody else a stranger.
pub fn default_corps() -> Vec<Corp> {
    let department = |id, parentid, name: &str| Department { id, parentid, name: name.to_owned() };
    let member = |userid: &str, person: &str, name: &str, departments: &[u32]| Member {
        userid: userid.to_owned(),
        person: person.to_owned(),
        name: name.to_owned(),
        departments: departments.to_vec(),
        position: String::new(),
        mobile: String::new(),
        email: String::new(),
        status: MemberStatus::Active,
        no_wechat: false,
    };
    let xiaoming = Member {
        position: "工程师".to_owned(),
        mobile: "13800000001".to_owned(),
        email: "xiaoming@corp.example".to_owned(),
        ..member("XiaoMing", "xiaoming", "王小明", &[2])
    };
    let plain = Member { status: MemberStatus::Disabled, ..member("plain.zhao", "plain", "赵平", &[2]) };
    let agent = Agent {
        agentid: DEMO_CORP_AGENTID,
        name: "码上登录".to_owned(),
        secret: DEMO_CORP_SECRET.to_owned(),
        trusted_domains: vec!["*".to_owned()],
        trusted_ips: Vec::new(),
        visible: Visible { departments: vec![2], members: Vec::new() },
        enabled: true,
        private_fields: false,
    };
    vec![Corp {
        corpid: DEMO_CORPID.to_owned(),
        name: "仿真有限公司".to_owned(),
        agents: vec![agent],
        contact_secret: DEMO_CORP_CONTACT_SECRET.to_owned(),
        departments: vec![
            department(1, 0, "仿真有限公司"),
            department(2, 1, "研发部"),
            department(3, 1, "市场部"),
        ],
        members: vec![xiaoming, member("xiaohong", "xiaohong", "李小红", &[3]), plain],
        customers: vec!["emoji".to_owned()],
        events: None,
        dissolved: false,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent_trusting(domain: &str) -> Agent {
        Agent { trusted_domains: vec![domain.to_owned()], ..default_corps()[0].agents[0].clone() }
    }

    /// The table of §9.
    #[test]
    fn trusted_domain_is_host_and_port() {
        let plain = agent_trusting("mail.example.com");
        assert!(plain.trusts("https://mail.example.com/any/path") && plain.trusts("http://MAIL.example.com"));
        for other in
            ["http://mail.example.com:8080/x", "https://a.mail.example.com/", "https://example.com", "x"]
        {
            assert!(!plain.trusts(other), "{other}");
        }
        assert!(agent_trusting("mail.example.com:8080").trusts("http://mail.example.com:8080/x"));
        assert!(agent_trusting("*").trusts("http://127.0.0.1:3000/cb"));
        assert!(!agent_trusting("*").trusts("javascript:alert(1)"));
    }

    #[test]
    fn range_reaches_into_departments_below_and_survives_a_loop() {
        let mut corp = default_corps().remove(0);
        let agent = corp.agents[0].clone();
        assert!(corp.sees(&agent, corp.member("xiaoming").unwrap()));
        assert!(!corp.sees(&agent, corp.member("xiaohong").unwrap()));
        corp.departments.push(Department { id: 4, parentid: 2, name: "平台组".to_owned() });
        assert!(corp.sees_department(&agent, 4));
        corp.departments.push(Department { id: 8, parentid: 9, name: String::new() });
        corp.departments.push(Department { id: 9, parentid: 8, name: String::new() });
        assert!(!corp.sees_department(&agent, 8));
    }

    #[test]
    fn ready_made_people_stand_to_the_company_in_every_way() {
        let mut corp = default_corps().remove(0);
        for (person, standing) in [
            ("xiaoming", Standing::Member),
            ("xiaohong", Standing::OutOfRange),
            ("plain", Standing::Disabled),
            ("emoji", Standing::Customer),
            ("ada", Standing::Outsider),
        ] {
            assert_eq!(corp.standing(person), standing, "{person}");
        }
        corp.members[0].status = MemberStatus::Left;
        assert_eq!(corp.standing("xiaoming"), Standing::Outsider);
        corp.members[0].status = MemberStatus::NotActivated;
        assert_eq!(corp.standing("xiaoming"), Standing::NotActivated);
    }

    #[test]
    fn secrets_have_the_real_length_and_stay_out_of_debug() {
        let shown = format!("{:?}", default_corps());
        for secret in [DEMO_CORP_SECRET, DEMO_CORP_CONTACT_SECRET] {
            assert_eq!(secret.len(), 43);
            assert!(!shown.contains(secret));
        }
    }
}
