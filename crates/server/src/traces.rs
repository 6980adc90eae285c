//! Traces by OpenTelemetry (`[traces]`): one span per request, and below it what took time: calls to platforms, to stores and
//! to senders, and the moves of tickets. Off unless an endpoint is configured, and then nothing of this runs.
//!
//! - [`layer`]: a request's span, and which requests have none (polls, waiting, assets, health);
//! - [`step`], [`told`]: a part of the present request, told wherever it happens. Whether a request is traced is known by
//!   its [`Context`], which goes along with its future; where work moves to a task of its own, [`follow`] takes it along.
//! - [`queue`]: ended spans wait there for [`collector`], which sends them. A request never waits for either: when the queue
//!   is full, spans are lost and counted.
//!
//! Spans hold what log lines hold, and nothing else: route templates instead of paths, short names of tickets, names of
//! calls and errcodes (promise 10). There is no global tracer, and nothing is read from `OTEL_…` variables.

mod collector;
pub(crate) mod layer;
mod queue;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use mashang_login::Entropy;
use mashang_login::ids::ScanCode;
use opentelemetry::context::{FutureExt as _, WithContext};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceId,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::{IdGenerator, Sampler, SdkTracer, SdkTracerProvider, Span};

use self::collector::Collector;
use self::queue::Queue;
use crate::config::ConfigError;
use crate::config::traces::TracesSection;

/// Names this library as the source of its spans.
const SCOPE: &str = "mashang";
/// How long stopping may wait for the last spans.
const FLUSH: Duration = Duration::from_secs(3);

/// Makes traces. Clones share what they send by.
#[derive(Debug, Clone)]
pub struct Traces {
    tracer: SdkTracer,
    queue: Queue,
    sample: f64,
    entropy: Arc<dyn Entropy>,
    place: String,
}

impl Traces {
    /// What the section asks for: `None` without an endpoint. Needs a running tokio runtime, in which a task sends spans.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting.
    pub fn open(section: &TracesSection, entropy: Arc<dyn Entropy>) -> Result<Option<Self>, ConfigError> {
        let Some(url) = section.address().map_err(|sentence| ConfigError::Wrong(vec![sentence]))? else {
            return Ok(None);
        };
        let place = url.origin().ascii_serialization();
        let resource = resource(section, &*entropy);
        let collector = Collector::new(url, section.read_headers()?, &resource)
            .map_err(|error| ConfigError::Malformed(format!("traces.endpoint: {error}")))?;
        let queue = Queue::start(collector);
        // Whether to trace is decided before there is a span; what has one is told.
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_id_generator(Ids(entropy.clone()))
            .with_resource(resource)
            .with_span_processor(queue.clone())
            .build();
        let tracer = provider.tracer(SCOPE);
        Ok(Some(Self { tracer, queue, sample: section.sample, entropy, place }))
    }

    /// Where spans go, without the path: it may hold a key.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Sends what has ended. Waits three seconds at most, for whoever stops.
    pub async fn flush(&self) {
        if tokio::time::timeout(FLUSH, self.queue.flush()).await.is_err() {
            tracing::warn!(
                "traces: {} did not take the last spans within {} seconds; they are lost",
                self.place,
                FLUSH.as_secs()
            );
        }
    }

    /// Whether a request is traced: a trusted proxy's word counts, and without one the configured share. One in ten means
    /// one request in ten, chosen by chance.
    fn takes(&self, caller: Option<&SpanContext>) -> bool {
        if let Some(caller) = caller {
            return caller.is_sampled();
        }
        let mut chance = [0; 4];
        self.entropy.fill(&mut chance);
        f64::from(u32::from_le_bytes(chance)) < self.sample * f64::from(u32::MAX) || self.sample >= 1.0
    }

    /// Begins a request's span: below the caller's if there is one, else a trace of its own.
    fn begin(&self, span: SpanBuilder, caller: Option<SpanContext>) -> Context {
        let outside = Context::new();
        let outside = caller.map_or(outside.clone(), |caller| outside.with_remote_span_context(caller));
        let span = span.start_with_context(&self.tracer, &outside);
        Context::new().with_value(Active(self.tracer.clone())).with_span(span)
    }
}

/// Who is told. A name for each process tells the nodes of one installation apart.
fn resource(section: &TracesSection, entropy: &dyn Entropy) -> opentelemetry_sdk::Resource {
    let instance = mashang_login::secret::random_text(entropy, 12);
    opentelemetry_sdk::Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", section.service_name.clone()),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", instance),
            KeyValue::new("telemetry.sdk.name", "opentelemetry"),
            KeyValue::new("telemetry.sdk.language", "rust"),
        ])
        .build()
}

/// Names by the server's own chance.
#[derive(Debug)]
struct Ids(Arc<dyn Entropy>);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        let mut id = [0; 16];
        self.0.fill(&mut id);
        TraceId::from_bytes(id)
    }

    fn new_span_id(&self) -> SpanId {
        let mut id = [0; 8];
        self.0.fill(&mut id);
        SpanId::from_bytes(id)
    }
}

/// In the [`Context`] of a request that is traced.
struct Active(SdkTracer);

/// The present context, if it is a traced request's. Costs a look into a thread's own memory where it is not.
fn active() -> Option<(SdkTracer, Context)> {
    Context::map_current(|context| context.get::<Active>().map(|active| (active.0.clone(), context.clone())))
}

/// A part of a traced request, until it is dropped; nothing in any other.
#[derive(Debug)]
pub struct Step(Option<Span>);

/// Who is on the other side of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Another program.
    Outside,
    /// Nobody: it happens here.
    Inside,
}

impl From<Side> for SpanKind {
    fn from(side: Side) -> Self {
        match side {
            Side::Outside => Self::Client,
            Side::Inside => Self::Internal,
        }
    }
}

/// Begins a part of the present request. The name is only made where it is told.
#[must_use]
pub fn step(side: Side, name: impl FnOnce() -> Cow<'static, str>) -> Step {
    Step(active().map(|(tracer, context)| {
        SpanBuilder::from_name(name()).with_kind(side.into()).start_with_context(&tracer, &context)
    }))
}

/// A part of the present request that took so long and ended just now.
#[must_use]
pub fn told(side: Side, took: Duration, name: impl FnOnce() -> Cow<'static, str>) -> Step {
    Step(active().map(|(tracer, context)| {
        let now = opentelemetry::time::now();
        SpanBuilder::from_name(name())
            .with_kind(side.into())
            .with_start_time(now.checked_sub(took).unwrap_or(now))
            .start_with_context(&tracer, &context)
    }))
}

impl Step {
    /// Says something of it. Never a code, token, secret, address, number or openid.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(KeyValue::new(key, value));
        }
    }

    /// It failed, in a word from a short list.
    pub fn fail(&mut self, word: impl Into<Cow<'static, str>>) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(KeyValue::new("error.type", word.into()));
            span.set_status(Status::error(""));
        }
    }
}

/// The present request is about this ticket, which its address does not say.
pub(crate) fn about(code: &ScanCode) {
    Context::map_current(|context| {
        if context.get::<Active>().is_some() {
            context.span().set_attribute(KeyValue::new("ticket", code.short().to_owned()));
        }
    });
}

/// Gives the lines that are logged in `line` the names of the present trace.
pub(crate) fn name(line: &tracing::Span) {
    Context::map_current(|context| {
        if context.get::<Active>().is_some() {
            let names = context.span().span_context().clone();
            line.record("trace_id", tracing::field::display(names.trace_id()));
            line.record("span_id", tracing::field::display(names.span_id()));
        }
    });
}

/// Takes the present trace along to a task of its own.
pub(crate) fn follow<F: Future>(future: F) -> WithContext<F> {
    future.with_current_context()
}
