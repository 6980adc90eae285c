//! `[traces]`: where OpenTelemetry traces go. Off while `endpoint` is empty.
//!
//! The standard variables `OTEL_EXPORTER_OTLP_…` are not read: platforms set them for every program of a cluster, often to a
//! gRPC port, and nobody's logins shall be told to a third party because of that.

use std::collections::BTreeMap;
use std::path::PathBuf;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::check::is_private;
use super::secret::secret_of;
use super::{ConfigError, Hidden};

/// Where OTLP/HTTP has traces, below the base address (OTLP specification 1.x, "OTLP/HTTP Request").
const SIGNAL_PATH: &str = "/v1/traces";
/// The port that receivers keep for OTLP over gRPC.
const GRPC_PORT: u16 = 4317;

/// `[traces]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracesSection {
    /// Base address of an OTLP/HTTP receiver, or a whole address that ends in `/traces`; empty: no traces. Some vendors put
    /// a key into it, so it is not shown.
    pub endpoint: Hidden,
    /// File with the address, for one that holds a key.
    #[serde(default)]
    pub endpoint_file: Option<PathBuf>,
    /// The share of requests that are traced, from 0 to 1, where no trusted proxy has decided before us.
    pub sample: f64,
    /// `service.name`
    pub service_name: String,
    /// Headers that the receiver asks for, such as `Authorization` …
    #[serde(default)]
    pub headers: Option<BTreeMap<String, Hidden>>,
    /// … or the file that holds them, one `Name: value` a line.
    #[serde(default)]
    pub headers_file: Option<PathBuf>,
}

impl TracesSection {
    /// Puts what `endpoint_file` holds in the place of `endpoint`.
    pub(super) fn read_endpoint(&mut self) -> Result<(), ConfigError> {
        let Some(file) = &self.endpoint_file else { return Ok(()) };
        if !self.endpoint.expose().is_empty() {
            return Err(ConfigError::Wrong(vec!["traces: give endpoint or endpoint_file, not both".into()]));
        }
        self.endpoint = Hidden(secret_of(&None, Some(file)).read("traces", "endpoint")?);
        Ok(())
    }

    /// The whole address that spans are posted to; none if there are to be no traces.
    ///
    /// # Errors
    /// A sentence that names the setting, without the value: it may hold a key.
    pub fn address(&self) -> Result<Option<Url>, String> {
        let text = self.endpoint.expose().trim();
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = |what: &str| {
            format!(
                "traces.endpoint: {what}; write the base address of an OTLP/HTTP receiver, such as http://127.0.0.1:4318 (/v1/traces is added)"
            )
        };
        let mut url = Url::parse(text).map_err(|_| wrong("this is no address"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("it must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("a name or password belongs into traces.headers_file"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it must have neither ? nor #"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        if !path.ends_with("/traces") {
            url.set_path(&format!("{path}{SIGNAL_PATH}"));
        }
        Ok(Some(url))
    }

    /// What is wrong with it, in sentences.
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        let address = self.address().unwrap_or_else(|sentence| {
            wrong.push(sentence);
            None
        });
        if !(0.0..=1.0).contains(&self.sample) {
            wrong.push(format!(
                "traces.sample: {} must be from 0 (none) to 1 (all), such as 0.1 for one in ten",
                self.sample
            ));
        }
        if self.service_name.trim().is_empty() {
            wrong.push("traces.service_name: must not be empty; write for example \"mashang\"".into());
        }
        match (&self.headers, &self.headers_file) {
            (Some(_), Some(_)) => wrong.push("traces: give headers or headers_file, not both".into()),
            (Some(given), None) => {
                let pairs = given.iter().map(|(name, value)| (name.as_str(), value.expose()));
                if let Err(sentence) = read_headers("traces.headers", pairs) {
                    wrong.push(sentence);
                }
            }
            (None, _) => {}
        }
        let has_headers = self.headers.is_some() || self.headers_file.is_some();
        if has_headers && address.is_some_and(|url| url.scheme() == "http" && !is_near(&url)) {
            wrong.push(
                "traces.endpoint: must be https, or http to this machine, a private address or a name without dots, since traces.headers travel on it"
                    .into(),
            );
        }
    }

    /// What is allowed but probably not meant.
    pub(super) fn hint(&self) -> Option<String> {
        let address = self.address().ok().flatten()?;
        (address.port() == Some(GRPC_PORT)).then(|| {
            format!("traces.endpoint has the port {GRPC_PORT}, where receivers speak gRPC; Mashang speaks OTLP over HTTP, which is mostly at 4318")
        })
    }

    /// The headers to send along.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file when it cannot be read, or the line that is no header; never a value.
    pub fn read_headers(&self) -> Result<HeaderMap, ConfigError> {
        let read = match (&self.headers, &self.headers_file) {
            (Some(given), _) => {
                let pairs = given.iter().map(|(name, value)| (name.as_str(), value.expose()));
                read_headers("traces.headers", pairs)
            }
            (None, Some(path)) => {
                let text = secret_of(&None, Some(path)).read("traces", "headers")?;
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                let pairs = lines.map(|line| line.split_once(':').unwrap_or((line, "")));
                read_headers("traces.headers_file", pairs)
            }
            (None, None) => Ok(HeaderMap::new()),
        };
        read.map_err(|sentence| ConfigError::Wrong(vec![sentence]))
    }
}

fn read_headers<'a>(
    place: &str,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (number, (name, value)) in pairs.enumerate() {
        let value = value.trim();
        let read = name.trim().parse::<HeaderName>().ok().zip(HeaderValue::from_str(value).ok());
        let Some((name, mut value)) = read.filter(|_| !value.is_empty()) else {
            return Err(format!(
                "{place}: number {} is no header with a value, such as Authorization: Bearer …",
                number + 1
            ));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Whether nobody but the operator's own network is in between.
fn is_near(url: &Url) -> bool {
    is_private(url) || url.domain().is_some_and(|name| !name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::super::from_text;

    fn at(endpoint: &str) -> String {
        format!("[traces]\nendpoint = {endpoint:?}\n")
    }

    fn complaint(text: &str) -> String {
        from_text(text).unwrap_err().to_string()
    }

    fn address(endpoint: &str) -> String {
        from_text(&at(endpoint)).unwrap().traces.address().unwrap().unwrap().to_string()
    }

    #[test]
    fn nothing_is_traced_unless_somebody_asks() {
        assert!(from_text("").unwrap().traces.address().unwrap().is_none());
    }

    #[test]
    fn the_signals_path_is_added_to_a_base_and_a_whole_address_is_kept() {
        assert_eq!(address("http://127.0.0.1:4318"), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(address("https://otlp.example/prefix/"), "https://otlp.example/prefix/v1/traces");
        assert_eq!(address("http://127.0.0.1:4318/v1/traces"), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(
            address("https://arms.example/k@y/api/otlp/traces"),
            "https://arms.example/k@y/api/otlp/traces"
        );
    }

    #[test]
    fn an_address_that_is_none_says_what_to_write_and_shows_no_key() {
        for endpoint in [
            "127.0.0.1:4318",
            "collector",
            "grpc://hunter2:4317",
            "http://a:hunter2@b",
            "http://b/?k=hunter2",
        ] {
            let complaint = complaint(&at(endpoint));
            assert!(
                complaint.contains("traces.endpoint") && complaint.contains("http://127.0.0.1:4318"),
                "{complaint}"
            );
            assert!(!complaint.contains("hunter2"), "{complaint}");
        }
    }

    #[test]
    fn shares_and_names_have_their_bounds() {
        for sample in ["-0.1", "1.1", "nan"] {
            assert!(complaint(&format!("[traces]\nsample = {sample}")).contains("traces.sample"));
        }
        assert!(from_text("[traces]\nsample = 0\n").is_ok());
        assert!(complaint("[traces]\nservice_name = \" \"").contains("traces.service_name"));
        assert!(complaint("[traces]\nprotocol = \"grpc\"").contains("protocol"));
    }

    #[test]
    fn the_grpc_port_is_pointed_out() {
        let hints = |endpoint: &str| from_text(&at(endpoint)).unwrap().hints().join("\n");
        assert!(hints("http://127.0.0.1:4317").contains("4318"));
        assert!(!hints("http://127.0.0.1:4318").contains("traces"));
    }

    #[test]
    fn sec_70_headers_travel_in_the_clear_only_nearby() {
        let with_key =
            |endpoint: &str| format!("{}headers = {{ Authorization = \"Bearer hunter2\" }}\n", at(endpoint));
        for near in
            ["http://127.0.0.1:4318", "http://10.0.0.7:4318", "http://collector:4318", "https://otlp.example"]
        {
            assert!(from_text(&with_key(near)).is_ok(), "{near}");
        }
        let complaint = complaint(&with_key("http://otlp.example"));
        assert!(complaint.contains("must be https") && !complaint.contains("hunter2"), "{complaint}");
        assert!(from_text(&at("http://otlp.example")).is_ok(), "nothing secret travels");
    }

    #[test]
    fn headers_come_from_the_file_or_from_a_file_of_their_own_and_are_not_shown() {
        let text =
            format!("{}headers = {{ Authorization = \"Bearer hunter2\" }}\n", at("http://127.0.0.1:4318"));
        let config = from_text(&text).unwrap();
        assert_eq!(config.traces.read_headers().unwrap()["authorization"], "Bearer hunter2");
        assert!(!format!("{:?} {:?}", config.traces, config.traces.read_headers()).contains("hunter2"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("headers");
        std::fs::write(&file, "Authorization: Bearer hunter2\nX-Scope-OrgID: login\n").unwrap();
        let by_file = format!("{}headers_file = {file:?}\n", at("http://127.0.0.1:4318"));
        let headers = from_text(&by_file).unwrap().traces.read_headers().unwrap();
        assert_eq!((headers.len(), &headers["x-scope-orgid"]), (2, &http::HeaderValue::from_static("login")));
        assert!(complaint(&format!("{text}headers_file = {file:?}\n")).contains("not both"));
        std::fs::write(&file, "Authorization: Bearer hunter2\nhunter3\n").unwrap();
        let refusal = from_text(&by_file).unwrap().traces.read_headers().unwrap_err().to_string();
        assert!(refusal.contains("headers_file: number 2") && !refusal.contains("hunter"), "{refusal}");
    }

    #[test]
    fn an_address_with_a_key_may_come_from_a_file_and_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("endpoint");
        std::fs::write(&file, "https://arms.example/hunter2/api/otlp/traces\n").unwrap();
        let text = format!("[traces]\nendpoint_file = {file:?}\n");
        let config = from_text(&text).unwrap();
        assert!(config.traces.address().unwrap().unwrap().path().contains("hunter2"));
        assert!(!format!("{:?}", config.traces).contains("hunter2"));
        assert!(complaint(&format!("{text}endpoint = \"http://127.0.0.1:4318\"")).contains("not both"));
    }
}
