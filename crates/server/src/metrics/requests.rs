//! Requests by route. A status poll pays two read locks, two additions and one short section: the handles of a route are
//! found by its template, without making a string.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

use super::{Counters, Durations, Family, of_calls};

/// What stands for the route where none matched: a stranger's path must not become a label.
pub const UNMATCHED: &str = "unmatched";

/// All routes.
#[derive(Debug)]
pub struct Requests {
    counters: Counters<3>,
    durations: Durations<1>,
    routes: RwLock<HashMap<Box<str>, Arc<Route>>>,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            counters: Family::default(),
            durations: Family::new_with_constructor(of_calls as fn() -> Histogram),
            routes: RwLock::default(),
        }
    }
}

impl Requests {
    pub(super) fn counters(&self) -> Counters<3> {
        self.counters.clone()
    }

    pub(super) fn durations(&self) -> Durations<1> {
        self.durations.clone()
    }

    /// The handles of a route, by its template.
    #[must_use]
    pub fn route(&self, template: &str) -> Arc<Route> {
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(template).cloned();
        known.unwrap_or_else(|| self.add(template))
    }

    fn add(&self, template: &str) -> Arc<Route> {
        let route = Route {
            template: template.into(),
            seconds: self.durations.get_or_create_owned(&[("route", template.to_owned().into())]),
            counters: self.counters.clone(),
            counted: RwLock::default(),
        };
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(routes.entry(template.into()).or_insert_with(|| Arc::new(route)))
    }
}

/// One route.
#[derive(Debug)]
pub struct Route {
    template: String,
    seconds: Histogram,
    counters: Counters<3>,
    /// A handful: a route has one or two methods and few statuses.
    counted: RwLock<Vec<((&'static str, StatusCode), Counter)>>,
}

impl Route {
    /// The path with its parameters' names.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// A request was answered, after this long.
    pub fn count(&self, method: &'static str, status: StatusCode, took: Duration) {
        self.seconds.observe(took.as_secs_f64());
        self.ended(method, status);
    }

    /// Whoever asked hung up before there was an answer: status 499, as nginx calls it, and no time until one begins.
    pub fn left(&self, method: &'static str) {
        self.ended(method, StatusCode::from_u16(499).expect("three digits"));
    }

    fn ended(&self, method: &'static str, status: StatusCode) {
        let what = (method, status);
        let counted = self.counted.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, counter)) = counted.iter().find(|(known, _)| *known == what) {
            counter.inc();
            return;
        }
        drop(counted);
        let labels = [
            ("route", self.template.clone().into()),
            ("method", method.into()),
            ("status", status.as_str().to_owned().into()),
        ];
        let counter = self.counters.get_or_create_owned(&labels);
        counter.inc();
        // Twice in the list does no harm: both are the same counter.
        self.counted.write().unwrap_or_else(PoisonError::into_inner).push((what, counter));
    }
}

/// A method as a label: strangers may send any word.
#[must_use]
pub fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
