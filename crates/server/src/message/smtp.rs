//! A mail server, over TLS from the first byte or from STARTTLS on; in cleartext only to this machine, or as the operator
//! asked.

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::response::Severity;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::{Message, Receipt, SendError, SendFailure, Sender};
use crate::config::ConfigError;
use crate::outgoing::causes;

const PROVIDER: &str = "the mail server";
/// The whole conversation.
const PATIENCE: Duration = Duration::from_secs(15);
/// One reply of it.
const REPLY: Duration = Duration::from_secs(8);

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte, mostly on port 465.
    Tls,
    /// STARTTLS, without which nothing is sent; mostly on port 587.
    Starttls,
    /// WEAKER: none.
    None,
}

/// A server and who speaks to it.
#[derive(Debug)]
pub struct Server {
    /// Its name, which its certificate must carry.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Whom to sign in as.
    pub login: Option<(String, String)>,
    /// The sender of every message.
    pub from: Mailbox,
    /// A certificate in PEM that signs the server's, beside those this machine trusts.
    pub authority: Option<Vec<u8>>,
}

/// Sends through a mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Smtp")
    }
}

impl Smtp {
    /// Through `server`.
    ///
    /// # Errors
    /// When its certificate's file or its name is of no use.
    pub fn new(server: Server) -> Result<Self, ConfigError> {
        let wrong = |error: lettre::transport::smtp::Error| ConfigError::Malformed(error.to_string());
        let mut tls = TlsParameters::builder(server.host.clone());
        if let Some(pem) = &server.authority {
            tls = tls.add_root_certificate(Certificate::from_pem(pem).map_err(wrong)?);
        }
        let tls = match server.security {
            Security::Tls => Tls::Wrapper(tls.build().map_err(wrong)?),
            Security::Starttls => Tls::Required(tls.build().map_err(wrong)?),
            Security::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host)
            .port(server.port)
            .tls(tls)
            .timeout(Some(REPLY));
        if let Some((name, password)) = server.login {
            builder = builder.credentials(Credentials::new(name, password));
        }
        Ok(Self { transport: builder.build(), from: server.from })
    }

    fn letter(&self, message: &Message) -> Result<lettre::Message, SendError> {
        let refused = |_| SendError {
            failure: SendFailure::Recipient,
            code: None,
            log: "the address cannot be put into a message".into(),
        };
        let to = message.to.expose().parse().map_err(|_| refused(()))?;
        let domain = self.from.email.domain();
        lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.subject.clone())
            .message_id(Some(format!("<{}@{domain}>", message.id)))
            .date(std::time::SystemTime::from(message.at))
            .header(ContentType::TEXT_PLAIN)
            .body(message.text.clone())
            .map_err(|_| refused(()))
    }
}

#[async_trait]
impl Sender for Smtp {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let letter = self.letter(message)?;
        match tokio::time::timeout(PATIENCE, self.transport.send(letter)).await {
            Ok(Ok(_)) => Ok(Receipt { id: Some(message.id.clone()) }),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err(SendError::down(PROVIDER, "it does not answer in time")),
        }
    }

    async fn look(&self) -> Result<bool, SendError> {
        match tokio::time::timeout(PATIENCE, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(true),
            Ok(Ok(false)) => Err(SendError::down(PROVIDER, "it ends the conversation at once")),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err(SendError::down(PROVIDER, "it does not answer in time")),
        }
    }
}

/// What a server answered, by its number alone: its text mostly repeats the address.
fn told(error: &lettre::transport::smtp::Error) -> SendError {
    let Some(code) = error.status() else {
        let why = causes(error);
        if error.is_tls() {
            let log = format!(
                "{PROVIDER}: {why}; its certificate must carry the name in `host` and be trusted by this machine, or by `ca_file` / 邮件服务器证书须与 host 一致并受信任"
            );
            return SendError { failure: SendFailure::Setup, code: None, log };
        }
        return SendError::down(PROVIDER, why);
    };
    let number = code.to_string();
    let failure = match (number.as_str(), code.severity) {
        ("530" | "534" | "535" | "538" | "454", _) => SendFailure::Setup,
        ("501" | "510" | "550" | "551" | "553", _) => SendFailure::Recipient,
        (_, Severity::TransientNegativeCompletion) => SendFailure::Busy,
        _ => SendFailure::Setup,
    };
    let advice = match failure {
        SendFailure::Recipient => {
            "it does not take this address, or does not let us send as `from` / 收件地址或 from 不被接受"
        }
        SendFailure::Busy => "it asks to come back later / 服务器要求稍后再试",
        _ => {
            "look at username, password and from; some providers want a password made for apps (授权码) / 请检查 username、password、from；部分邮箱需要“授权码”"
        }
    };
    SendError { failure, code: None, log: format!("{PROVIDER} answered {number}: {advice}") }
}
