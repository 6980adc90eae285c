//! The suites on a Redis cluster of three masters.

mod engines;

use engines::redis::suites;

suites!("MASHANG_TEST_REDIS_CLUSTER");
