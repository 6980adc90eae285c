//! Rules by which an ordinary QR code opens a mini-program (扫普通链接二维码打开小程序, mini-program fact sheet §6).
//!
//! WeChat opens the page if the scanned address follows a published rule, and the address itself otherwise. Before a
//! rule can be added, the [verification file](Client::link_rule_file) must be served below its address.

use serde::Serialize;
use serde_json::json;

use crate::answer;
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::mini::code::EnvVersion;
use crate::query::Query;
use crate::secret::AccessToken;

const DOWNLOAD: &str = "cgi-bin/wxopen/qrcodejumpdownload";
const ADD: &str = "cgi-bin/wxopen/qrcodejumpadd";
const GET: &str = "cgi-bin/wxopen/qrcodejumpget";
const PUBLISH: &str = "cgi-bin/wxopen/qrcodejumppublish";

/// What proves to WeChat that an address is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationFile {
    /// Letters, digits, `_`, `-` and `.txt`: fit to stand in a path.
    pub name: String,
    /// The file's text.
    pub content: String,
}

/// A rule as it is added.
#[derive(Clone, Copy, Debug)]
pub struct LinkRule<'a> {
    /// What scanned addresses must begin with: `https://login.example.com/s/`. Sub-paths count only if it ends with `/`.
    pub prefix: &'a str,
    /// The page that opens, such as `pages/confirm/index`. It gets the address as `query.q`, percent-encoded once.
    pub path: &'a str,
    /// Which build opens for test addresses.
    pub open_version: EnvVersion,
    /// Up to five addresses that open before the rule is published, for those the mini-program's owner named.
    pub test_addresses: &'a [&'a str],
    /// Keep other mini-programs from the addresses below (独占).
    pub exclusive: bool,
    /// Change the rule of this prefix instead of adding one.
    pub edit: bool,
}

/// A rule as the platform keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRule {
    /// As in [`LinkRule::prefix`].
    pub prefix: String,
    /// As in [`LinkRule::path`].
    pub path: String,
    /// Whether it holds for everybody.
    pub published: bool,
}

/// All rules of a mini-program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRules {
    /// In the platform's order.
    pub rules: Vec<KeptRule>,
    /// Whether the feature is switched on for the mini-program.
    pub enabled: bool,
    /// How often rules can still be published this month, if the platform says so.
    pub publications_left: Option<i64>,
}

#[derive(Serialize)]
struct AddRequest<'a> {
    prefix: &'a str,
    path: &'a str,
    open_version: u8,
    debug_url: &'a [&'a str],
    permit_sub_rule: u8,
    is_edit: u8,
}

impl Client {
    /// The file to serve in the last directory of every rule's address: `POST /cgi-bin/wxopen/qrcodejumpdownload`.
    ///
    /// Repeats itself once, after -1 or a transport fault.
    ///
    /// # Errors
    /// See [`Error::kind`]. A name that could lead out of its directory is malformed.
    pub async fn link_rule_file(&self, token: &AccessToken) -> Result<VerificationFile, Error> {
        let sent = [token.expose()];
        let call = Call::post(DOWNLOAD, token_query(token), &json!({}), &sent, Repeat::WhenFaultMayPass);
        self.call(call, read_file).await
    }

    /// Adds or changes a rule: `POST /cgi-bin/wxopen/qrcodejumpadd`. It holds for test addresses until it is
    /// [published](Self::publish_link_rule).
    ///
    /// Repeats itself only after -1.
    ///
    /// # Errors
    /// [`FailureKind::NotAllowed`](crate::FailureKind::NotAllowed) with 85066 to 85076; see [`Error::kind`].
    pub async fn add_link_rule(&self, token: &AccessToken, rule: &LinkRule<'_>) -> Result<(), Error> {
        if rule.test_addresses.len() > 5 {
            return Err(Error::NotSendable { what: "a rule has more than five test addresses" });
        }
        let request = AddRequest {
            prefix: rule.prefix,
            path: rule.path,
            open_version: match rule.open_version {
                EnvVersion::Develop => 1,
                EnvVersion::Trial => 2,
                EnvVersion::Release => 3,
            },
            debug_url: rule.test_addresses,
            permit_sub_rule: if rule.exclusive { 2 } else { 1 },
            is_edit: rule.edit.into(),
        };
        let sent = [token.expose()];
        let call = Call::post(ADD, token_query(token), &request, &sent, Repeat::WhenBusy);
        self.call(call, |body| read_done(ADD, body)).await
    }

    /// All rules: `POST /cgi-bin/wxopen/qrcodejumpget`.
    ///
    /// Repeats itself once, after -1 or a transport fault.
    ///
    /// # Errors
    /// See [`Error::kind`].
    pub async fn link_rules(&self, token: &AccessToken) -> Result<KeptRules, Error> {
        let sent = [token.expose()];
        let call = Call::post(GET, token_query(token), &json!({}), &sent, Repeat::WhenFaultMayPass);
        self.call(call, read_rules).await
    }

    /// Lets a rule hold for everybody: `POST /cgi-bin/wxopen/qrcodejumppublish`, at most 100 times a month.
    ///
    /// Repeats itself only after -1.
    ///
    /// # Errors
    /// See [`Error::kind`].
    pub async fn publish_link_rule(&self, token: &AccessToken, prefix: &str) -> Result<(), Error> {
        let sent = [token.expose()];
        let request = json!({ "prefix": prefix });
        let call = Call::post(PUBLISH, token_query(token), &request, &sent, Repeat::WhenBusy);
        self.call(call, |body| read_done(PUBLISH, body)).await
    }
}

fn token_query(token: &AccessToken) -> Query {
    Query::new().pair("access_token", token.expose())
}

pub(crate) fn read_done(call: &'static str, body: &[u8]) -> Result<(), Error> {
    let fields = answer::read(call, body)?;
    if fields.says_ok() { Ok(()) } else { Err(fields.defect("errcode", "is missing")) }
}

pub(crate) fn read_file(body: &[u8]) -> Result<VerificationFile, Error> {
    let mut fields = answer::read(DOWNLOAD, body)?;
    let name = fields.filled_text("file_name")?;
    let is_plain = |stem: &str| {
        (1..=64).contains(&stem.len())
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    if !name.strip_suffix(".txt").is_some_and(is_plain) {
        return Err(fields.defect("file_name", "is not a plain .txt name"));
    }
    Ok(VerificationFile { name, content: fields.filled_text("file_content")? })
}

pub(crate) fn read_rules(body: &[u8]) -> Result<KeptRules, Error> {
    let mut fields = answer::read(GET, body)?;
    let rules = fields.objects("rule_list")?.into_iter().map(|mut rule| {
        let published = match rule.integer("state")? {
            1 => false,
            2 => true,
            _ => return Err(rule.defect("state", "is neither 1 nor 2")),
        };
        Ok(KeptRule { prefix: rule.filled_text("prefix")?, path: rule.text("path")?, published })
    });
    Ok(KeptRules {
        rules: rules.collect::<Result<_, Error>>()?,
        enabled: fields.flag("qrcodejump_open")?,
        publications_left: fields.optional_integer("qrcodejump_pub_quota")?,
    })
}
