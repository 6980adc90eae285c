//! The suites on one Redis server, and what happens when it is stopped, paused, flushed or cut off.

mod engines;

use engines::redis::suites;

suites!("MASHANG_TEST_REDIS");
