package webmail.access_test

import data.limiteduse
import data.webmail.access
import data.webmail.decision
import data.webmail.floor

# What a rule refuses is shown by changing one thing of an access that is allowed.

account := {
	"id": "account",
	"owner": "owner",
	"state": "connected",
	"scopes": ["https://www.googleapis.com/auth/gmail.modify"],
	"consent": {"version": 1, "given": 900},
	"epoch": 1,
}

reading := {
	"actor": {"kind": "owner", "id": "owner", "roles": [], "mfa": false},
	"account": account,
	"operation": "messages.get",
	"purpose": "inbox.read",
	"feature": "message_view",
	"classes": {"body": true, "header": true, "metadata": true},
	"resource": {"kind": "message", "form": "ids", "ids": ["m1"], "label": "", "max": 0},
	"recipient": "",
	"subject": "",
	"instruction": null,
	"agreement": "",
	"params": "",
	"body": "",
	"time": 1000,
}

listing := object.union(for_classes(reading, {"metadata": true}), {
	"operation": "messages.list",
	"purpose": "inbox.search",
	"feature": "search",
	"resource": {"kind": "message", "form": "collection", "ids": [], "label": "INBOX", "max": 500},
})

sending := object.union(reading, {
	"actor": {"kind": "service", "id": ""},
	"operation": "drafts.send",
	"purpose": "inbox.send",
	"feature": "send",
	"resource": {"kind": "draft", "ids": ["d1"]},
	"subject": "row1",
	"instruction": {"id": "i1", "account": "account", "feature": "send", "resource": "row1", "given": 900, "expires": 1001},
})

drafting := object.union(reading, {
	"operation": "drafts.create",
	"purpose": "inbox.compose",
	"feature": "compose",
	"resource": {"kind": "draft", "form": "new", "ids": []},
})

auditing := object.union(for_classes(reading, {"decisions": true}), {
	"actor": {"kind": "auditor", "id": "staff", "roles": ["auditor"], "mfa": true},
	"account": null,
	"operation": "log.query",
	"purpose": "audit.read",
	"feature": "audit_log",
	"resource": {"kind": "log", "form": "collection", "ids": [], "label": "", "max": 500},
})

changed(base, change) := object.union(base, change)

for_classes(base, classes) := object.union(object.remove(base, ["classes"]), {"classes": classes})

refused_by(it, clause) if {
	not decision.basis with input as it
	clause in decision.denials with input as it
}

# The plain cases

test_owner_reads if {
	decision.basis == "owner_at_page" with input as reading
	decision.denials == set() with input as reading
}

test_owner_lists if decision.basis == "owner_at_page" with input as listing

test_owner_drafts if decision.basis == "owner_at_page" with input as drafting

test_outbox_sends if {
	decision.basis == "standing_instruction" with input as sending
	decision.denials == set() with input as sending
}

test_auditor_reads_decisions if {
	decision.basis == "audit" with input as auditing
	decision.denials == set() with input as auditing
}

test_reviewer_reads_decisions if {
	it := changed(auditing, {"actor": {"kind": "reviewer", "roles": ["reviewer"]}})
	decision.basis == "audit" with input as it
}

# LU-USE-1: only features that the product has, each for its own purpose

test_purpose_unknown if refused_by(changed(reading, {"purpose": "lead_scoring"}), "LU-USE-1")

test_purpose_missing if refused_by(object.remove(reading, ["purpose"]), "LU-USE-1")

test_purpose_of_another_feature if refused_by(changed(reading, {"purpose": "inbox.send"}), "LU-USE-1")

test_feature_unknown if refused_by(changed(reading, {"feature": "insights"}), "LU-USE-1")

test_feature_missing if refused_by(object.remove(reading, ["feature"]), "LU-USE-1")

test_operation_of_another_feature if refused_by(changed(reading, {"operation": "threads.get"}), "LU-USE-1")

test_kind_of_another_operation if refused_by(changed(reading, {"resource": {"kind": "thread"}}), "LU-USE-1")

test_form_of_another_operation if refused_by(changed(reading, {"resource": {"form": "collection", "max": 1}}), "LU-USE-1")

test_class_not_needed if refused_by(for_classes(reading, {"attachment": true, "body": true}), "LU-USE-1")

test_no_class if refused_by(for_classes(reading, {}), "LU-USE-1")

test_service_reads_for_itself if refused_by(changed(sending, {"feature": "message_view", "purpose": "inbox.read"}), "LU-USE-1")

# LU-PROH-DB: a page or a batch, never a mailbox

test_page_too_large if refused_by(changed(listing, {"resource": {"max": 501}}), "LU-USE-1")

test_batch_too_large if {
	ids := [sprintf("m%d", [i]) | some i in numbers.range(1, 101)]
	refused_by(changed(reading, {"resource": {"ids": ids}}), "LU-USE-1")
}

test_no_ids if refused_by(changed(reading, {"resource": {"ids": []}}), "LU-USE-1")

test_export if refused_by(changed(reading, {"purpose": "export.bulk"}), "LU-PROH-DB")

test_database if refused_by(changed(reading, {"purpose": "database.mirror"}), "LU-PROH-DB")

# LU-PROH-*: what the promise names

test_ads if refused_by(changed(reading, {"purpose": "ads.serve"}), "LU-PROH-ADS")

test_advertising if refused_by(changed(reading, {"purpose": "advertising"}), "LU-PROH-ADS")

test_marketing if refused_by(changed(reading, {"purpose": "marketing.audience"}), "LU-PROH-ADS")

test_training if refused_by(changed(reading, {"purpose": "ai.train"}), "LU-PROH-AI")

test_inference if refused_by(changed(reading, {"purpose": "ai.infer"}), "LU-PROH-AI")

test_credit if refused_by(changed(reading, {"purpose": "credit.score"}), "LU-PROH-CREDIT")

test_lending if refused_by(changed(reading, {"purpose": "lending"}), "LU-PROH-CREDIT")

test_surveillance if refused_by(changed(reading, {"purpose": "surveillance.report"}), "LU-PROH-SURV")

# LU-XFER-*: the data goes to nobody else

test_recipient if refused_by(changed(reading, {"recipient": "translator"}), "LU-XFER-1")

test_recipient_missing if refused_by(object.remove(reading, ["recipient"]), "LU-XFER-1")

test_recipient_for_ads if refused_by(changed(reading, {"recipient": "ad_platform:acme"}), "LU-XFER-5")

test_broker if refused_by(changed(reading, {"recipient": "data_broker"}), "LU-XFER-5")

test_reseller if refused_by(changed(reading, {"recipient": "reseller"}), "LU-XFER-5")

# LU-HUM-*: no human but the owner

test_staff if refused_by(changed(reading, {"actor": {"kind": "staff"}}), "LU-HUM-1")

test_staff_with_agreement if {
	it := changed(reading, {"actor": {"kind": "staff", "mfa": true, "roles": ["support"]}, "agreement": "a1"})
	refused_by(it, "LU-HUM-1")
}

test_another_owner if refused_by(changed(reading, {"actor": {"id": "other"}}), "LU-HUM-1")

test_auditor_reads_mail if {
	it := changed(reading, {"actor": {"kind": "auditor", "roles": ["auditor"], "mfa": true}})
	refused_by(it, "LU-HUM-1")
}

test_auditor_reads_more_than_decisions if refused_by(for_classes(auditing, {"body": true, "decisions": true}), "LU-HUM-1")

test_owner_reads_log if refused_by(changed(auditing, {"actor": {"kind": "owner"}}), "LU-HUM-1")

test_auditor_without_role if refused_by(changed(auditing, {"actor": {"roles": ["support"]}}), "LU-HUM-1")

test_auditor_without_second_factor if refused_by(changed(auditing, {"actor": {"mfa": false}}), "LU-HUM-1")

test_service_without_instruction if refused_by(changed(sending, {"instruction": null}), "LU-HUM-1")

test_instruction_without_id if refused_by(changed(sending, {"instruction": {"id": ""}}), "LU-HUM-1")

test_instruction_of_another_account if refused_by(changed(sending, {"instruction": {"account": "other"}}), "LU-HUM-1")

test_instruction_for_another_feature if refused_by(changed(sending, {"instruction": {"feature": "organise"}}), "LU-HUM-1")

test_instruction_for_another_thing if {
	refused_by(changed(sending, {"instruction": {"resource": "row2"}}), "LU-HUM-1")
	refused_by(changed(sending, {"subject": "row2"}), "LU-HUM-1")
}

test_instruction_for_nothing if refused_by(changed(sending, {"subject": "", "instruction": {"resource": ""}}), "LU-HUM-1")

test_instruction_to_come if refused_by(changed(sending, {"instruction": {"given": 1001}}), "LU-HUM-1")

test_instruction_expired if refused_by(changed(sending, {"instruction": {"expires": 1000}}), "LU-HUM-1")

# DEL-1, DISC-2, MIN-2: a mailbox that is connected, agreed to and in scope

test_disconnected if refused_by(changed(reading, {"account": {"state": "disconnected"}}), "DEL-1")

test_no_account if refused_by(changed(reading, {"account": null}), "DEL-1")

test_no_consent if refused_by(changed(reading, {"account": {"consent": {"version": 0}}}), "DISC-2")

test_consent_to_come if refused_by(changed(reading, {"account": {"consent": {"given": 1001}}}), "DISC-2")

test_consent_to_an_older_text if {
	not decision.basis with input as reading with data.limiteduse.disclosure.version as 2
	decision.denials == {"DISC-2"} with input as reading with data.limiteduse.disclosure.version as 2
}

test_no_scope if refused_by(changed(reading, {"account": {"scopes": []}}), "MIN-2")

test_scope_for_reading_alone if {
	scopes := {"account": {"scopes": ["https://www.googleapis.com/auth/gmail.readonly"]}}
	decision.basis with input as changed(reading, scopes)
	refused_by(changed(drafting, scopes), "MIN-2")
}

test_outbox_too_needs_consent if refused_by(changed(sending, {"account": {"consent": {"version": 0}}}), "DISC-2")

# The floor by itself

test_floor_admits if {
	every it in [reading, listing, sending, drafting, auditing] {
		floor.admit with input as it
		floor.denials == set() with input as it
	}
}

test_floor_needs_everything if {
	not floor.admit with input as {}
	floor.denials == {"LU-USE-1", "LU-XFER-1", "LU-HUM-1"} with input as {}
}

test_access_needs_everything if {
	not access.basis with input as {}
	access.denials == {"LU-USE-1", "LU-HUM-1"} with input as {}
}

test_floor_and_data_name_the_same_purposes if floor.user_purposes == object.keys(limiteduse.purposes)
