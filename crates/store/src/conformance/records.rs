//! What every engine of [`Records`], [`Credentials`], [`Consents`] and [`Trail`] must do. One file of cases per noun; the list
//! of all is in [`record_suite!`], [`credential_suite!`], [`consent_suite!`], [`erasure_suite!`] and [`trail_suite!`].
//!
//! [`record_suite!`]: crate::record_suite
//! [`credential_suite!`]: crate::credential_suite
//! [`consent_suite!`]: crate::consent_suite
//! [`erasure_suite!`]: crate::erasure_suite
//! [`trail_suite!`]: crate::trail_suite

#![allow(missing_docs, reason = "the name of a case says what it shows")]

mod account;
mod clients;
mod codes;
mod consents;
mod credentials;
mod erasure;
mod grants;
mod housekeeping;
mod leavers;
mod links;
mod merges;
mod people;
mod races;
mod refresh;
mod sessions;
mod trail;
mod unions;

pub use account::*;
pub use clients::*;
pub use codes::*;
pub use consents::*;
pub use credentials::*;
pub use erasure::*;
pub use grants::*;
pub use housekeeping::*;
pub use leavers::*;
pub use links::*;
pub use merges::*;
pub use people::*;
pub use races::*;
pub use refresh::*;
pub use sessions::*;
pub use trail::*;
pub use unions::*;

use mashang_login::Timestamp;
use mashang_login::accounts::UnionNews;
use mashang_login::client::Client;
use mashang_login::consent::Consents;
use mashang_login::credentials::Credentials;
use mashang_login::grant::Grant;
use mashang_login::identity::Proof;
use mashang_login::records::{Fulfilled, Fulfilment, Login, Records, Spent};
use mashang_login::secret::SecretHash;
use mashang_login::session::Session;
use mashang_login::token::NewTokens;
use mashang_login::trail::Trail;
use mashang_login::user::User;

use super::Nodes;
use super::fixtures::World;

/// `record_suite!(engine)`: runs every case on `async fn engine() -> Nodes<dyn Records>`.
#[macro_export]
macro_rules! record_suite {
    ($engine:expr) => {
        $crate::conformance_cases!(
            records,
            ($engine)(),
            [
                // clients
                a_client_reads_back_on_every_node,
                saving_a_client_again_replaces_it,
                an_id_is_registered_once,
                a_client_that_was_changed_meanwhile_is_left_as_it_is,
                promise_3_of_20_changes_of_one_client_at_once_none_is_lost,
                clients_are_listed_by_id,
                client_ids_differ_by_case,
                // grants
                a_grant_reads_back_with_its_whole_request,
                a_grant_comes_with_the_client_that_it_names,
                beginning_a_grant_twice_conflicts,
                promise_3_a_grant_is_fulfilled_by_one_of_100,
                promise_3_refusing_and_fulfilling_at_once_has_one_winner,
                promise_4_an_expired_grant_is_not_open,
                a_refused_grant_is_not_open,
                an_unknown_grant_is_not_open,
                a_session_continues_into_a_second_website,
                sec_40_a_disabled_person_is_refused_and_nothing_is_written,
                sec_55_another_person_than_the_hinted_one_is_refused_and_nothing_is_written,
                sec_40_a_disabled_person_cannot_continue,
                promise_8_an_ended_session_cannot_continue,
                // people
                a_person_is_found_again_by_identity,
                sec_23_one_subject_in_two_apps_is_two_people,
                sec_23_subjects_are_compared_byte_for_byte,
                promise_3_of_50_first_logins_at_once_one_creates_the_person,
                sec_39_a_union_link_finds_the_person,
                sec_39_a_union_link_of_another_platform_account_does_not,
                sec_39_an_exact_identity_goes_before_the_link,
                the_profile_follows_the_proof,
                what_a_proof_does_not_tell_stays,
                a_phone_number_stays_and_what_a_directory_no_longer_tells_goes,
                emoji_and_quotes_survive,
                identities_are_listed_oldest_first,
                people_are_switched_off_and_on,
                // unionids
                sec_39_a_unionid_that_comes_later_makes_no_second_person,
                sec_39_a_link_of_somebody_else_merges_nobody_and_is_told,
                sec_39_a_clash_keeps_the_link_that_was_there,
                a_changed_unionid_is_recorded_if_free_and_told_once,
                sec_40_a_unionid_does_not_lead_around_a_switched_off_person,
                // linking, unlinking, leaving
                grants_of_every_purpose_read_back,
                opening_the_account_begins_a_session_without_a_code,
                a_grant_is_answered_for_its_own_purpose_only,
                sec_38_a_linked_identity_leads_to_the_person,
                sec_38_of_20_links_at_once_one_is_done,
                sec_38_what_belongs_to_another_person_stays_theirs,
                sec_38_linking_needs_a_live_fresh_session_of_the_same_person,
                an_unlinked_identity_signs_its_browsers_out_and_leads_nowhere,
                sec_90_what_an_unlinked_identity_told_goes_with_it,
                sec_39_a_unionid_does_not_lead_an_unlinked_identity_back,
                sec_39_a_link_that_is_free_again_is_taken_by_who_comes_first,
                sec_38_an_unlinked_identity_that_is_linked_again_is_as_before,
                sec_39_unlinked_while_merged_is_unlinked_from_both,
                the_last_identity_cannot_be_unlinked,
                sec_35_a_member_who_is_switched_off_is_signed_out_everywhere,
                sec_35_what_a_member_opened_ends_though_another_session_replaced_theirs,
                // members who leave, and new ids
                sec_35_an_id_given_again_is_somebody_new,
                sec_35_a_leaver_is_signed_out_of_everything_and_keeps_other_ways_in,
                sec_35_a_proof_from_before_they_left_counts_for_nothing,
                sec_35_a_scan_from_before_they_were_switched_off_counts_for_nothing,
                sec_35_a_scan_under_the_former_id_makes_nobody_after_the_new_one_was_told,
                sec_35_proofs_of_a_node_whose_clock_is_ahead_are_stale_too,
                sec_35_whoever_signs_in_while_they_are_switched_off_does_not_stay_signed_in,
                sec_35_whoever_keeps_only_a_tombstone_cannot_unlink_the_last_way_in,
                sec_35_only_a_corps_member_is_put_away,
                a_member_with_a_new_id_stays_the_same_person,
                sec_35_a_new_id_that_is_known_merges_nobody_and_frees_the_old_one,
                a_merge_is_undone_though_a_member_left_or_was_renamed,
                // merging
                a_merge_is_previewed_without_doing_anything,
                merged_people_are_one_and_the_former_one_is_signed_out,
                an_undone_merge_gives_back_what_is_still_there,
                sec_90_what_was_told_while_merged_goes_back_with_its_identity,
                sec_39_a_link_stays_with_one_person_when_a_merge_is_undone,
                what_cannot_be_merged_is_named,
                merges_are_undone_in_the_order_they_lead,
                sec_40_a_merge_into_a_switched_off_person_is_not_undone,
                promise_3_of_20_merges_at_once_one_is_done,
                people_are_found_by_name_and_by_id,
                a_persons_live_sessions_are_listed,
                // sessions without a grant, all of them, and the person's own trail
                a_session_begins_without_a_grant_and_continues_into_a_website,
                promise_3_of_20_first_sessions_at_once_one_creates_the_person,
                sec_17_a_session_that_begins_replaces_the_browsers_former_one,
                sec_55_only_the_hinted_person_begins_a_session,
                sec_40_a_switched_off_person_begins_no_session,
                a_session_ends_by_its_name_once_and_for_its_person_only,
                this_was_not_me_ends_all_but_the_session_that_asked,
                a_session_that_is_not_theirs_spares_nothing,
                a_persons_trail_is_newest_first_and_theirs_alone,
                // codes
                a_code_reads_back_with_its_family,
                sec_49_a_code_is_exchanged_by_one_of_100_and_the_rest_revoke,
                sec_49_a_replay_after_expiry_still_revokes,
                sec_49_an_expired_code_is_unknown_and_unspent,
                sec_49_a_code_of_a_revoked_family_is_unknown,
                sec_40_a_disabled_person_gets_no_tokens,
                an_unknown_code_is_unknown,
                // access and refresh tokens
                a_bearer_names_person_client_and_family,
                promise_4_an_access_token_ends_by_the_clock,
                sec_40_a_bearer_ends_with_person_client_or_family,
                sec_50_refresh_tokens_rotate_along_a_chain,
                sec_50_of_100_rotations_at_once_one_wins_and_the_rest_revoke,
                sec_50_an_expired_refresh_token_is_unknown,
                sec_50_the_family_ends_every_token,
                sec_61_an_access_token_is_no_refresh_token,
                a_family_is_found_by_either_token,
                // sessions
                a_session_is_live_until_its_end,
                an_ended_session_is_gone_on_every_node,
                of_50_sign_outs_at_once_one_ends_the_session,
                ending_a_session_revokes_what_came_from_it,
                sec_17_a_new_login_replaces_the_former_session,
                sec_17_signing_out_reaches_what_the_former_session_issued,
                sec_17_another_person_in_the_same_browser_signs_the_former_out,
                sec_40_whoever_is_switched_off_is_signed_out_for_good,
                // two nodes at the same moment
                promise_3_of_20_apps_that_meet_one_unionid_at_once_one_makes_the_person,
                of_two_that_unlink_the_last_two_identities_at_once_one_is_refused,
                merges_that_lead_to_each_other_at_once_make_no_ring,
                whoever_signs_in_while_they_are_merged_is_signed_out_or_the_other_one,
                whoever_signs_in_by_an_identity_while_it_is_unlinked_does_not_stay_signed_in,
                promise_8_signing_out_while_the_session_is_replaced_reaches_what_it_opened,
                sec_49_of_a_code_on_two_nodes_and_its_replay_nothing_stays_live,
                // keys, audit, housekeeping
                of_20_claims_for_a_master_key_at_once_one_holds_and_all_are_told,
                a_database_remembers_that_it_was_used_with_a_sandbox,
                records_that_are_claimed_stay_so,
                a_key_is_added_and_others_retire_with_it,
                of_20_first_keys_at_once_one_is_kept,
                a_key_that_exists_conflicts_and_retires_nothing,
                the_audit_trail_is_newest_first,
                of_200_audit_events_at_once_none_is_lost,
                promise_8_a_login_and_its_tokens_are_stored_with_what_the_trail_says_of_them,
                sweeping_takes_what_is_long_over_and_keeps_what_is_live,
                sec_79_an_unanswered_grant_is_swept_two_hours_after_its_end,
                sec_49_a_replay_is_recognised_after_sweeping,
                the_readiness_check_answers,
                the_engines_clock_is_told_alike_to_every_node,
            ]
        );
    };
}

/// Everything one store holds about people.
pub trait People: Records + Credentials + Consents + Trail {}

impl<T: Records + Credentials + Consents + Trail> People for T {}

/// A store with one client in it.
struct Scene<S: ?Sized = dyn Records> {
    nodes: Nodes<S>,
    world: World,
    client: Client,
}

/// A login that was done.
struct Done {
    user: User,
    created: bool,
    union: Option<UnionNews>,
    session: SecretHash,
    fulfilment: Fulfilment,
}

impl<S: Records + ?Sized> Scene<S> {
    async fn set(nodes: Nodes<S>) -> Self {
        let world = World::default();
        let client = world.client("site");
        nodes.a.save_client(&client).await.unwrap();
        Self { nodes, world, client }
    }

    fn now(&self) -> Timestamp {
        self.world.now
    }

    async fn pending(&self) -> Grant {
        let grant = self.world.grant(&self.client);
        self.nodes.a.begin_grant(&grant).await.unwrap();
        grant
    }

    /// The person behind "openid" signs in.
    async fn sign_in(&self) -> Done {
        self.approve(self.world.proof("wx1", "openid")).await
    }

    async fn approve(&self, proof: Proof) -> Done {
        self.approve_at(proof, None, self.now()).await
    }

    async fn approve_at(&self, proof: Proof, replaces: Option<SecretHash>, now: Timestamp) -> Done {
        let grant = self.pending().await;
        let mut fulfilment = self.world.approval(&grant, proof);
        let Login::Fresh(login) = &mut fulfilment.login else { unreachable!("an approval is fresh") };
        login.replaces = replaces;
        let session = login.session.secret;
        match self.nodes.b.fulfil_grant(&fulfilment, now).await.unwrap() {
            Fulfilled::Done { user, created, union } => Done { user, created, union, session, fulfilment },
            other => panic!("the approval is accepted, not {other:?}"),
        }
    }

    async fn session(&self, done: &Done) -> Session {
        self.nodes.a.session(&done.session, self.now()).await.unwrap().expect("a live session")
    }

    /// Exchanges the code of a login.
    async fn tokens(&self, done: &Done) -> NewTokens {
        let tokens = self.world.tokens();
        let spent = self.nodes.a.exchange_code(&done.fulfilment.code, &tokens, self.now()).await.unwrap();
        assert_eq!(spent, Spent::Issued);
        tokens
    }

    async fn speaks(&self, tokens: &NewTokens) -> bool {
        self.nodes.b.bearer(&tokens.access, self.now()).await.unwrap().is_some()
    }
}
