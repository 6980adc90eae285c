//! One login as requests, the way a browser, a phone inside WeChat and a website's server make them.

use std::net::SocketAddr;

use anyhow::Context;
use serde_json::{Value, json};

use super::http::{Connection, between, request};

/// The website's redirect address; nobody listens there, the code is read from the redirect.
pub const REDIRECT_URI: &str = "https://site.example/callback";

const CALLBACK: &str = "https%3A%2F%2Fsite.example%2Fcallback";
/// The pair of RFC 7636 appendix B. A fixed one costs the server as much as a fresh one.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const DESKTOP: &str = "user-agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
const WECHAT: &str = "user-agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x18003231) NetType/WIFI Language/zh_CN";
const PAGE: &str = "accept: text/html,application/xhtml+xml";
const JSON: &str = "accept: application/json";
const FORM: &str = "content-type: application/x-www-form-urlencoded";

/// The handshake of a WebSocket, with the key of RFC 6455 §1.3.
const UPGRADE: [&str; 4] = [
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// How a browser is told of its ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A WebSocket: what the login page and the SDK try first.
    Socket,
    /// Server-sent events: what they fall back to.
    Stream,
}

/// A request to Mashang in a login, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The website sends a new browser.
    Begin,
    /// The browser opens the login page, with its QR and number.
    Page,
    /// The phone opens the QR's address.
    Scan,
    /// The person taps where our page says what WeChat will ask.
    Tap,
    /// The phone comes back from WeChat, whom Mashang asks who it is.
    Return,
    /// The phone is asked.
    Confirm,
    /// It says yes.
    Approve,
    /// The browser collects that.
    Redeem,
    /// The website's server exchanges the code.
    Token,
    /// It asks who it is.
    Userinfo,
}

impl Step {
    /// All of a login.
    pub const ALL: [Self; 10] = [
        Self::Begin,
        Self::Page,
        Self::Scan,
        Self::Tap,
        Self::Return,
        Self::Confirm,
        Self::Approve,
        Self::Redeem,
        Self::Token,
        Self::Userinfo,
    ];

    /// What it is, in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Begin => "`/authorize`",
            Self::Page => "the login page with its QR",
            Self::Scan => "the scanned link",
            Self::Tap => "the tap there",
            Self::Return => "WeChat's callback, with two calls to the sandbox",
            Self::Confirm => "the confirm page",
            Self::Approve => "the approval",
            Self::Redeem => "redeeming",
            Self::Token => "`/token`",
            Self::Userinfo => "`/userinfo`",
        }
    }
}

/// How far a login has come: what each step learned for those after it.
#[derive(Debug, Default)]
pub struct Course {
    browser: Option<Browser>,
    number: String,
    phone: String,
    /// Where the phone goes next.
    onward: String,
    confirm_token: String,
    code: String,
    access_token: String,
}

impl Course {
    fn browser(&self) -> anyhow::Result<&Browser> {
        self.browser.as_ref().context("it has not begun")
    }

    fn asked(&self) -> anyhow::Result<Phone> {
        let (cookie, ticket) = (self.phone.clone(), self.browser()?.ticket().to_owned());
        Ok(Phone { cookie, ticket, confirm_token: self.confirm_token.clone() })
    }
}

/// A website registered with Mashang.
#[derive(Debug, Clone)]
pub struct Site {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: String,
}

/// A browser that waits for its ticket.
#[derive(Debug, Clone)]
pub struct Browser {
    cookie: String,
    /// `/login/{grant}/{ticket}`.
    page: String,
}

/// A phone that has been asked.
#[derive(Debug)]
pub struct Phone {
    cookie: String,
    ticket: String,
    confirm_token: String,
}

/// Everyone a login needs: connections to Mashang and the sandbox, a website, a person.
pub struct Party {
    address: SocketAddr,
    sandbox_address: SocketAddr,
    mashang: Connection,
    sandbox: Connection,
    site: Site,
    person: String,
}

impl Party {
    /// `person` is one the sandbox knows.
    pub fn new(address: SocketAddr, sandbox: SocketAddr, site: Site, person: String) -> Self {
        Self {
            address,
            sandbox_address: sandbox,
            mashang: Connection::new(address),
            sandbox: Connection::new(sandbox),
            site,
            person,
        }
    }

    async fn get(&mut self, path: &str, headers: &[&str]) -> anyhow::Result<super::http::Answer<'_>> {
        let bytes = request("GET", self.address, path, headers, "");
        self.mashang.send(&bytes).await
    }

    async fn post(
        &mut self,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> anyhow::Result<super::http::Answer<'_>> {
        let bytes = request("POST", self.address, path, headers, body);
        self.mashang.send(&bytes).await
    }

    /// The website sends a new browser to `/authorize`; it gets a ticket.
    pub async fn begin(&mut self) -> anyhow::Result<Browser> {
        let path = format!(
            "/authorize?response_type=code&client_id={}&redirect_uri={CALLBACK}&scope=openid%20profile&state=s\
             &nonce=n&code_challenge={CHALLENGE}&code_challenge_method=S256",
            self.site.id
        );
        let answer = self.get(&path, &[DESKTOP, PAGE]).await?.expect(303)?;
        Ok(Browser { cookie: format!("cookie: {}", answer.cookie()?), page: answer.location()?.to_owned() })
    }

    /// The browser opens the login page and shows its number.
    pub async fn read_number(&mut self, browser: &Browser) -> anyhow::Result<String> {
        let answer = self.get(&browser.page, &[DESKTOP, PAGE, &browser.cookie]).await?.expect(200)?;
        Ok(between(answer.body, "data-text=\"number\">", "<")?.to_owned())
    }

    /// Goes one step on.
    pub async fn go(&mut self, step: Step, course: &mut Course) -> anyhow::Result<()> {
        match step {
            Step::Begin => course.browser = Some(self.begin().await?),
            Step::Page => course.number = self.read_number(course.browser()?).await?,
            Step::Scan => {
                let path = format!("/s/{}", course.browser()?.ticket());
                let asked = self.get(&path, &[WECHAT, PAGE]).await?.expect(200)?;
                let button = between(asked.body, "button-big\" href=\"", "\"")?;
                course.onward = button.replace("&#x2f;", "/").replace("&amp;", "&");
            }
            Step::Tap => {
                let answer = self.get(&course.onward, &[WECHAT, PAGE]).await?.expect(303)?;
                let (phone, onward) =
                    (format!("cookie: {}", answer.cookie()?), answer.location()?.to_owned());
                (course.phone, course.onward) = (phone, onward);
            }
            Step::Return => {
                let callback = self.consent(&course.onward).await?;
                let answer = self.get(&callback, &[WECHAT, PAGE, &course.phone]).await?.expect(303)?;
                course.onward = answer.location()?.to_owned();
            }
            Step::Confirm => {
                let answer = self.get(&course.onward, &[WECHAT, PAGE, &course.phone]).await?.expect(200)?;
                course.confirm_token =
                    between(answer.body, "name=\"confirm_token\" value=\"", "\"")?.to_owned();
            }
            Step::Approve => {
                let approval = course.asked()?.approval(self.address, &course.number);
                approve(&mut self.mashang, &approval).await?;
            }
            Step::Redeem => {
                let browser = course.browser()?;
                let path = format!("{}/redeem", browser.page);
                let answer = self.post(&path, &[DESKTOP, JSON, &browser.cookie], "").await?.expect(200)?;
                let gone: Value = serde_json::from_str(answer.body)?;
                course.code =
                    between(gone["redirect"].as_str().context("no redirect")?, "code=", "&")?.to_owned();
            }
            Step::Token => {
                let form = format!(
                    "grant_type=authorization_code&code={}&redirect_uri={CALLBACK}&client_id={}&client_secret={}\
                     &code_verifier={VERIFIER}",
                    course.code, self.site.id, self.site.secret
                );
                let answer = self.post("/token", &[FORM], &form).await?.expect(200)?;
                let tokens: Value = serde_json::from_str(answer.body)?;
                course.access_token = tokens["access_token"].as_str().context("no token")?.to_owned();
            }
            Step::Userinfo => {
                let bearer = format!("authorization: Bearer {}", course.access_token);
                let answer = self.get("/userinfo", &[&bearer]).await?.expect(200)?;
                let claims: Value = serde_json::from_str(answer.body)?;
                claims["sub"].as_str().context("no sub")?;
            }
        }
        Ok(())
    }

    /// The person agrees on WeChat's page at `platform`, the sandbox's; returns the callback they are sent to.
    async fn consent(&mut self, platform: &str) -> anyhow::Result<String> {
        let body = json!({ "url": platform, "person": self.person, "answer": "allow" }).to_string();
        let bytes = request(
            "POST",
            self.sandbox_address,
            "/sandbox/api/authorize",
            &["content-type: application/json"],
            &body,
        );
        let answer = self.sandbox.send(&bytes).await?.expect(200)?;
        let returned: Value = serde_json::from_str(answer.body)?;
        path_of(returned["redirect"].as_str().context("the sandbox did not redirect")?)
    }

    /// The phone scans, the person proves who they are in WeChat, and the confirm page asks.
    pub async fn scan(&mut self, browser: &Browser) -> anyhow::Result<Phone> {
        let mut course = Course { browser: Some(browser.clone()), ..Course::default() };
        for step in [Step::Scan, Step::Tap, Step::Return, Step::Confirm] {
            self.go(step, &mut course).await?;
        }
        course.asked()
    }

    /// All of it, with a fresh browser and a fresh phone.
    pub async fn whole_login(&mut self) -> anyhow::Result<()> {
        let mut course = Course::default();
        for step in Step::ALL {
            self.go(step, &mut course).await?;
        }
        Ok(())
    }

    /// A fresh ticket with its QR instead of the browser's present one.
    pub async fn draw(&mut self, browser: &mut Browser) -> anyhow::Result<()> {
        let path = format!("{}/refresh", browser.page);
        let answer = self.post(&path, &[DESKTOP, JSON, &browser.cookie], "").await?.expect(200)?;
        let ticket = between(answer.body, "\"scan_code\":\"", "\"")?.to_owned();
        let (grant, _) = browser.page.rsplit_once('/').context("a page without a ticket")?;
        browser.page = format!("{grant}/{ticket}");
        Ok(())
    }

    /// Sends a ready request and wants 200.
    pub async fn ask(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.mashang.send(bytes).await?.expect(200)?;
        Ok(())
    }
}

/// Sends a phone's approval, and sees that it counted.
pub async fn approve(connection: &mut Connection, approval: &[u8]) -> anyhow::Result<()> {
    let answer = connection.send(approval).await?.expect(303)?;
    let location = answer.location()?;
    anyhow::ensure!(location.ends_with("outcome=approved"), "not approved: {location}");
    Ok(())
}

impl Browser {
    fn ticket(&self) -> &str {
        self.page.rsplit('/').next().unwrap_or_default()
    }

    /// A question for the status.
    pub fn status_request(&self, address: SocketAddr) -> Vec<u8> {
        request("GET", address, &format!("{}/status", self.page), &[DESKTOP, JSON, &self.cookie], "")
    }

    /// The request for news in one of the two ways, and the status that opens it.
    pub fn watch_request(&self, address: SocketAddr, way: Way) -> (Vec<u8>, u16) {
        let path = format!("{}/events", self.page);
        match way {
            Way::Socket => {
                let mut headers = vec![DESKTOP, &self.cookie];
                headers.extend(UPGRADE);
                (request("GET", address, &path, &headers, ""), 101)
            }
            Way::Stream => {
                let accept = "accept: text/event-stream";
                (request("GET", address, &path, &[DESKTOP, accept, &self.cookie], ""), 200)
            }
        }
    }
}

impl Phone {
    /// The confirm page's form, with the number the person read.
    pub fn approval(&self, address: SocketAddr, number: &str) -> Vec<u8> {
        let form = format!("confirm_token={}&number={number}", self.confirm_token);
        let path = format!("/s/{}/approve", self.ticket);
        request("POST", address, &path, &[WECHAT, PAGE, FORM, &self.cookie], &form)
    }
}

/// Path and query of an absolute address.
fn path_of(address: &str) -> anyhow::Result<String> {
    let (_, rest) = address.split_once("://").with_context(|| format!("{address} is not absolute"))?;
    let start = rest.find('/').with_context(|| format!("{address} has no path"))?;
    Ok(rest[start..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_is_asked_for_by_its_path_and_query() {
        assert_eq!(path_of("http://127.0.0.1:8080/c/w?code=1&state=2").unwrap(), "/c/w?code=1&state=2");
        assert!(path_of("/c/w").is_err());
    }

    #[test]
    fn an_approval_carries_the_token_and_the_number() {
        let phone = Phone { cookie: "cookie: a=b".into(), ticket: "t".into(), confirm_token: "c".into() };
        let text = String::from_utf8(phone.approval("127.0.0.1:80".parse().unwrap(), "42")).unwrap();
        assert!(text.starts_with("POST /s/t/approve HTTP/1.1\r\n"));
        assert!(text.ends_with("\r\n\r\nconfirm_token=c&number=42"));
    }
}
