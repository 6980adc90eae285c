//! The suites on a Redis cluster of three masters.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod engines;

use engines::redis::suites;

suites!("MASHANG_TEST_REDIS_CLUSTER");
