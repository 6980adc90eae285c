//! The other end: an OTLP/HTTP receiver that takes spans as protobuf (OTLP specification 1.x, "OTLP/HTTP"). It may be away,
//! slow or wrong; then spans are lost, a line a minute says so, and nothing else happens.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;
use tokio::time::Instant;
use url::Url;

use crate::outgoing;

/// Time for one batch.
const PATIENCE: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(2);
/// Nothing sensible that a receiver answers is longer.
const ANSWER_LIMIT: usize = 16 * 1024;
/// How often trouble is told.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// How much of a receiver's own words is repeated.
const WORDS: usize = 200;

/// An OTLP/HTTP receiver. Without `Debug`: its address may hold a key.
pub(super) struct Collector {
    http: reqwest::Client,
    url: Url,
    place: String,
    resource: ResourceAttributesWithSchema,
    trouble: Option<Trouble>,
}

/// Since it first lost something, until it has taken everything for a while.
#[derive(Debug)]
struct Trouble {
    told_at: Instant,
    /// Lost since then.
    lost: u64,
    /// When it last lost any.
    lost_at: Instant,
}

/// Why spans were not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(
        "no connection ({0}); check traces.endpoint, and that an OTLP/HTTP receiver listens there (4318 by convention; 4317 is gRPC)"
    )]
    Unreachable(String),
    #[error("no answer within {} seconds; check that the receiver is well", PATIENCE.as_secs())]
    Slow,
    #[error("HTTP {0}; check traces.headers_file (or headers)")]
    Key(StatusCode),
    #[error("HTTP {0}; check the path of traces.endpoint: /v1/traces is added unless it ends in /traces")]
    Path(StatusCode),
    #[error("HTTP {0}; its own log says why")]
    Status(StatusCode),
    #[error("it refused {spans} of them ({words}); its own log says more")]
    Partly { spans: u64, words: String },
}

impl Collector {
    /// The receiver at this address: called directly, without following redirects (SEC-70), with these headers.
    pub(super) fn new(url: Url, mut headers: HeaderMap, resource: &Resource) -> Result<Self, reqwest::Error> {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        let http = outgoing::direct(CONNECT, PATIENCE)
            .user_agent(concat!("mashang/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .build()?;
        let place = url.origin().ascii_serialization();
        Ok(Self { http, url, place, resource: resource.into(), trouble: None })
    }

    /// Sends a batch, once. `lost` found no room in the queue before.
    pub(super) async fn deliver(&mut self, batch: Vec<SpanData>, lost: u64) {
        let count = batch.len() as u64;
        match self.post(batch).await {
            Ok(()) if lost == 0 => self.recover(),
            Ok(()) => self.tell(lost, &"it takes fewer than are made; lower traces.sample"),
            Err(Refusal::Partly { spans, words }) => {
                self.tell(lost + spans, &Refusal::Partly { spans, words });
            }
            Err(refusal) => self.tell(lost + count, &refusal),
        }
    }

    /// Trouble is over when nothing was lost for as long as a line is worth: one that comes and goes would else be told at each turn.
    fn recover(&mut self) {
        let now = Instant::now();
        let over = self.trouble.take_if(|trouble| now - trouble.lost_at >= TELL_EVERY);
        if let Some(Trouble { lost, .. }) = over {
            let place = &self.place;
            tracing::info!(
                traces.lost = lost,
                "traces: {place} takes spans again; since the last warning {lost} were lost"
            );
        }
    }

    fn tell(&mut self, lost: u64, why: &dyn std::fmt::Display) {
        let now = Instant::now();
        let lost = lost + self.trouble.as_ref().map_or(0, |trouble| trouble.lost);
        if let Some(trouble) = self.trouble.as_mut().filter(|trouble| now - trouble.told_at < TELL_EVERY) {
            (trouble.lost, trouble.lost_at) = (lost, now);
            return;
        }
        self.trouble = Some(Trouble { told_at: now, lost: 0, lost_at: now });
        tracing::warn!(
            traces.lost = lost,
            "traces: {} does not take spans, {lost} are lost, logins go on: {why}",
            self.place
        );
    }

    async fn post(&self, batch: Vec<SpanData>) -> Result<(), Refusal> {
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        let failed = |error: reqwest::Error| {
            if error.is_timeout() && !error.is_connect() {
                Refusal::Slow
            } else {
                // Its address may hold a key.
                Refusal::Unreachable(outgoing::causes(&error.without_url()))
            }
        };
        let sent = self.http.post(self.url.clone()).body(request.encode_to_vec()).send().await;
        let answer = sent.map_err(failed)?;
        match answer.status() {
            status if status.is_success() => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => return Err(Refusal::Key(status)),
            status @ (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) => {
                return Err(Refusal::Path(status));
            }
            status if status.is_redirection() => return Err(Refusal::Path(status)),
            status => return Err(Refusal::Status(status)),
        }
        let Some(body) = outgoing::body(answer, ANSWER_LIMIT).await.map_err(failed)? else { return Ok(()) };
        // Taken, whatever else it wanted to say.
        let answer = ExportTraceServiceResponse::decode(&*body).unwrap_or_default();
        match answer.partial_success.filter(|partly| partly.rejected_spans > 0) {
            Some(partly) => Err(Refusal::Partly {
                spans: partly.rejected_spans.unsigned_abs(),
                words: partly.error_message.chars().filter(|c| !c.is_control()).take(WORDS).collect(),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Overheard;

    fn collector() -> Collector {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let url = "http://127.0.0.1:4318/v1/traces".parse().unwrap();
        Collector::new(url, HeaderMap::new(), &Resource::builder_empty().build()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_that_comes_and_goes_is_told_once_a_minute_and_no_loss_is_forgotten() {
        let overheard = Overheard::by("info");
        let mut collector = collector();
        // Every second batch finds no room for two minutes.
        for _ in 0..60 {
            collector.tell(1, &"away");
            collector.recover();
            tokio::time::advance(Duration::from_secs(2)).await;
        }
        let told = overheard.told();
        assert_eq!((told.matches("WARN").count(), told.matches("INFO").count()), (2, 0), "{told}");
        assert!(told.contains(" 1 are lost") && told.contains(" 30 are lost"), "{told}");
        tokio::time::advance(TELL_EVERY).await;
        collector.recover();
        let told = overheard.told();
        assert!(told.contains("takes spans again; since the last warning 29 were lost"), "{told}");
        collector.recover();
        assert_eq!(overheard.told(), told, "once");
    }
}
