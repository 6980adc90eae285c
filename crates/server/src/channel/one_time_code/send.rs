//! Sending a code: whom it may go to, what it says, and what happens if it cannot be sent.

use std::sync::atomic::Ordering;

use mashang_login::Timestamp;
use mashang_login::audit::AuditKind;
use mashang_login::challenge::Challenge;
use mashang_login::grant::Purpose;
use mashang_login::identity::ChannelKind;
use mashang_login::records::StoreError;
use mashang_login::secret::random_text;

use super::budget::{Asker, Over};
use super::open::{State, answer, id, kind};
use super::{AGAIN, ATTEMPTS, LIFE, OneTimeCodes, OpenCode, identity, of, random_code};
use crate::channel::Channel;
use crate::flow::Waiting;
use crate::message::{Message, Recipient, SendError, SendFailure};
use crate::state::App;
use crate::traces::{self, Side};
use crate::web::limits::TooMany;
use crate::web::problem;
use crate::web::visitor::Visitor;
use crate::{audit, flow, pause};

/// Who wants a code where.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The browser, and its request.
    pub waiting: &'a Waiting,
    /// The channel.
    pub channel: &'a Channel,
    /// The normalized address or number.
    pub to: &'a str,
}

/// Why no code is on its way.
#[derive(Debug)]
pub enum NotSent {
    /// The last one is less than a minute old.
    Again(TooMany),
    /// Too many went there, came from there, or were sent at all.
    TooMany(TooMany),
    /// The provider refused or failed; told under this reference.
    Failed {
        /// How.
        error: SendError,
        /// What the log has it under.
        reference: String,
    },
    /// Our own store does not answer.
    Store(StoreError),
}

impl From<StoreError> for NotSent {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl OneTimeCodes {
    /// Sends a code, in the place of a former one.
    ///
    /// # Errors
    /// [`NotSent`], from which nothing can be read about whether the address is known.
    pub async fn send(&self, app: &App, visitor: &Visitor, asked: Asked<'_>) -> Result<(), NotSent> {
        let Asked { waiting, channel, to } = asked;
        let now = app.now();
        if let Some(open) = OpenCode::of(app, waiting, channel).await?
            && !open.again_in.is_zero()
            // Another address is another try: somebody mistyped the first.
            && open.to == to
        {
            return Err(NotSent::Again(TooMany { retry_after: open.again_in }));
        }
        let counts = app.counts.of(&channel.id);
        let is_home = self.guesses.is_home(counts, to, visitor.address, now).await;
        let asker = Asker { to, address: visitor.address, is_home };
        self.budget.take(counts, asker, now).await.map_err(|over| self.over(channel, over, now))?;
        let is_linking = matches!(waiting.grant.purpose, Purpose::Link { .. });
        let is_open_to_all = self.sign_up || is_linking;
        let (key, _) = identity(channel.kind(), to);
        let may_sign_in = is_open_to_all || app.records.identity(&key).await?.is_some();
        let code = random_code(&*app.entropy);
        let id = id(waiting, channel);
        let state = State { to: to.to_owned(), sent_at: now.as_millisecond() };
        let challenge = Challenge {
            id,
            bound_to: waiting.browser,
            kind: kind(channel),
            state: serde_json::to_string(&state).expect("a text and a number are JSON"),
            // Without an answer nothing that is typed can be right.
            answer: may_sign_in.then(|| answer(app, &id, &code)),
            attempts_left: ATTEMPTS,
            expires_at: now + LIFE,
        };
        if let Err(error) = app.challenges.put(&challenge, now).await {
            // There was no room, or no answer: that is not the person's doing, who will try again.
            self.budget.give_back(counts, asker).await;
            return Err(error.into());
        }
        let message = message(app, visitor, asked, code);
        if !is_open_to_all {
            return self.send_unseen(app, visitor, asked, may_sign_in.then_some(message)).await;
        }
        let sent = self.hand_over(channel, &message).await;
        let finished = self.finish(app, visitor, (&waiting.client.id, channel), sent).await;
        if finished.is_err() {
            self.budget.give_back(counts, asker).await;
            // No code is on its way: the page must neither ask for one nor let the person wait for the next.
            app.challenges.take(&id, app.now()).await?;
        }
        finished
    }

    /// What the person is told; the operator, once a minute, that nobody gets a code any more.
    fn over(&self, channel: &Channel, over: Over, now: Timestamp) -> NotSent {
        let (setting, limit) = match over {
            Over::Share(limit) => return NotSent::TooMany(limit),
            Over::Ceiling(setting, limit) => (setting, limit),
        };
        let last = Timestamp::from_millisecond(self.told_full.load(Ordering::Relaxed));
        if !last.is_ok_and(|last| pause::lasts(last, AGAIN, now)) {
            self.told_full.store(now.as_millisecond(), Ordering::Relaxed);
            let (id, seconds) = (&channel.id, limit.retry_after.as_secs());
            tracing::warn!(channel.id = %id, "channel {id} has sent as many codes as channel.{id}.{setting} allows: for {seconds} s it sends none. Are these your people? Then raise it; else look where they are asked from (code_sent in the audit trail)");
        }
        NotSent::TooMany(limit)
    }

    /// Sends, or does not, without being noticed: the caller's answer goes out at once, and says what it says to everybody.
    async fn send_unseen(
        &self,
        app: &App,
        visitor: &Visitor,
        asked: Asked<'_>,
        message: Option<Message>,
    ) -> Result<(), NotSent> {
        if self.is_in_trouble(app.now()) {
            app.challenges.take(&id(asked.waiting, asked.channel), app.now()).await?;
            let log = "nothing can be sent at present, as was told before".to_owned();
            let error = SendError { failure: SendFailure::Down, code: None, log };
            return Err(NotSent::Failed { error, reference: problem::reference(app) });
        }
        let Some(message) = message else { return Ok(()) };
        // Told as sent, so it is, even if the server stops meanwhile.
        let begun = &app.begun;
        let (app, visitor) = (app.clone(), visitor.clone());
        let (client, channel) = (asked.waiting.client.id.clone(), asked.channel.id.clone());
        begun.spawn(async move {
            let channel =
                app.channels.get(channel.as_str()).expect("channels do not change while the server runs");
            let Some(codes) = of(channel) else { return };
            let sent = codes.hand_over(channel, &message).await;
            let failed = sent.as_ref().is_err_and(|error| error.failure.is_everybodys());
            if failed {
                codes.set_trouble(app.now());
            }
            // Told to the operator; whoever asked has their answer.
            let _ = codes.finish(&app, &visitor, (&client, channel), sent).await;
        });
        Ok(())
    }

    /// Hands it to the mail server or the SMS provider.
    async fn hand_over(&self, channel: &Channel, message: &Message) -> Result<(), SendError> {
        let mut step = traces::step(Side::Outside, || "send code".into());
        step.set("channel.id", channel.id.as_str().to_owned());
        let sent = self.sender.send(message).await.map(drop);
        if let Err(error) = &sent {
            step.fail(error.failure.as_str());
        }
        sent
    }

    /// Writes down what came of it.
    async fn finish(
        &self,
        app: &App,
        visitor: &Visitor,
        (client, channel): (&mashang_login::ids::ClientId, &Channel),
        sent: Result<(), SendError>,
    ) -> Result<(), NotSent> {
        app.metrics.message_sent(channel.id.as_str(), sent.as_ref().copied().map_err(|error| error.failure));
        let kind = if sent.is_ok() { AuditKind::CodeSent } else { AuditKind::ChannelFailed };
        let mut event = audit::by(app, visitor, kind);
        event.client = Some(client.clone());
        event.channel = Some(channel.id.clone());
        audit::write(app, event).await;
        let Err(error) = sent else { return Ok(()) };
        let reference = problem::reference(app);
        let code = error.code.as_deref();
        tracing::warn!(reference, channel.id = %channel.id, upstream.code = code, "channel {} could not send a code [{reference}]: {error}", channel.id);
        Err(NotSent::Failed { error, reference })
    }
}

/// What a person reads: which site, the code, how long, and to tell nobody.
fn message(app: &App, visitor: &Visitor, asked: Asked<'_>, code: String) -> Message {
    let Asked { waiting, channel, to } = asked;
    let (words, language) = (&app.pages.words, visitor.language);
    let minutes = u32::try_from(LIFE.as_secs() / 60).unwrap_or(u32::MAX);
    let (purpose, site) = match waiting.grant.purpose {
        // Not the person's own name: whoever links may write to anybody's address, and would choose the words.
        Purpose::Link { .. } => {
            let host = flow::host_of(&app.site.public_url);
            ("link", words.say(language, "code_message.account_at", &[("host", &host)]))
        }
        Purpose::SignIn | Purpose::Account => ("sign_in", waiting.client.name.clone()),
    };
    let values = [("site", site.as_str()), ("code", code.as_str()), ("minutes", &minutes.to_string())];
    let say = |part: &str| words.say(language, &format!("code_message.{part}"), &values);
    let (subject, text) = (say("subject"), say(purpose));
    Message {
        id: random_text(&*app.entropy, 18),
        at: app.now(),
        to: match channel.kind() {
            ChannelKind::Sms => Recipient::Phone(to.to_owned()),
            _ => Recipient::Email(to.to_owned()),
        },
        subject,
        text,
        code,
        site,
        minutes,
        language,
    }
}
