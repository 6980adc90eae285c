//! The suites on MariaDB, and what belongs to a server: nodes that start at once, connections that are lost, a server
//! that does not answer.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod server;

use std::sync::Arc;

use mashang_login::platform_token::PlatformTokens;
use mashang_login::records::Records;
use mashang_store::conformance::Nodes;
use mashang_store::conformance::records::People;
use server::Database;
use server::engines::MariaDb;

suites_on!(MariaDb);

mod faults {
    use super::*;

    faults_on!(
        MariaDb,
        [
            four_nodes_migrate_an_empty_database_at_once,
            a_newer_schema_is_refused_and_left_alone,
            a_newer_schema_that_says_it_works_with_this_version_is_served,
            tables_are_made_and_changed_only_by_who_is_asked_to,
            a_table_that_somebody_reads_is_waited_for_and_others_pass_meanwhile,
            promise_9_killed_connections_come_back_without_a_restart,
            promise_9_a_frozen_server_is_unavailable_in_time_and_comes_back,
            promise_9_connections_that_lead_nowhere_are_replaced,
            promise_9_an_unanswered_commit_is_told_as_unknown_and_not_done_twice,
            a_server_that_is_not_there_is_told_in_time,
            no_password_is_in_an_error,
            what_is_too_long_is_refused_and_not_cut,
        ]
    );
}
