//! The suites on a master that Sentinels watch.

mod engines;

use engines::redis::suites;

suites!("MASHANG_TEST_REDIS_SENTINEL");
