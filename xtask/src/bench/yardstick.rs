//! The other yardstick: npm `oidc-provider`, in memory, doing its code flow. `yardstick/` is its program, with a lock file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::http::{Answer, Connection, between, request};

/// Requests in one [`Visitor::whole_login`].
pub const REQUESTS_PER_LOGIN: u32 = 6;

const CALLBACK: &str = "https%3A%2F%2Fsite.example%2Fcallback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM: &str = "content-type: application/x-www-form-urlencoded";

/// Its program, with what it needs installed; `None` where there is no Node.js.
///
/// # Errors
/// When npm cannot install what the lock file names.
pub fn program() -> anyhow::Result<Option<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bench/yardstick");
    if Command::new("node").arg("--version").output().is_err() {
        return Ok(None);
    }
    if !folder.join("node_modules/oidc-provider").exists() {
        let output = Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(&folder).output()?;
        ensure!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(Some(folder.join("provider.mjs")))
}

/// A browser and a website that log in there again and again.
pub struct Visitor {
    address: SocketAddr,
    connection: Connection,
}

impl Visitor {
    /// Of the provider at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: Connection::new(address) }
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> anyhow::Result<Answer<'_>> {
        let bytes = request(method, self.address, path, headers, body);
        self.connection.send(&bytes).await
    }

    /// Authorization request, its login page, the name typed there, back again, `/token` with PKCE and a client secret,
    /// `/me`; with a fresh browser.
    pub async fn whole_login(&mut self) -> anyhow::Result<()> {
        let path = format!(
            "/auth?response_type=code&client_id=bench&redirect_uri={CALLBACK}&scope=openid%20profile&state=s&nonce=n\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let answer = self.send("GET", &path, &[], "").await?.expect(303)?;
        let (page, cookie) = (answer.location()?.to_owned(), format!("cookie: {}", answer.cookies()));
        self.send("GET", &page, &[&cookie], "").await?.expect(200)?;
        let answer = self.send("POST", &page, &[&cookie, FORM], "login=person").await?.expect(303)?;
        let on = answer.location()?.to_owned();
        let (_, path) = on.split_once(&self.address.to_string()).context("it leads back to itself")?;
        let answer = self.send("GET", path, &[&cookie], "").await?.expect(303)?;
        let code = between(answer.location()?, "code=", "&")?.to_owned();
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&client_id=bench\
             &client_secret=bench-secret&code_verifier={VERIFIER}"
        );
        let answer = self.send("POST", "/token", &[FORM], &form).await?.expect(200)?;
        let tokens: Value = serde_json::from_str(answer.body)?;
        let token = tokens["access_token"].as_str().context("no access token")?;
        let bearer = format!("authorization: Bearer {token}");
        let answer = self.send("GET", "/me", &[&bearer], "").await?.expect(200)?;
        ensure!(answer.body.contains("\"sub\":\"person\""), "somebody else: {}", answer.body);
        Ok(())
    }
}
