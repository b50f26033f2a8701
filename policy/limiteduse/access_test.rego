package webmail.access_test

import data.limiteduse
import data.webmail.access
import data.webmail.decision
import data.webmail.floor

# What a rule refuses is shown by changing one thing of an access that is allowed. Times are microseconds.

now := 1800000000000000

second := 1000000

hour := 3600 * second

day := 24 * hour

account := {
	"id": "account",
	"owner": "owner",
	"state": "connected",
	"scopes": ["https://www.googleapis.com/auth/gmail.modify"],
	"consent": {"version": 2, "given": now - day, "first": 2, "notified": now - (40 * day)},
	"epoch": 1,
}

staff := {"kind": "staff", "id": "sam", "roles": ["support"], "mfa": true, "acknowledged": now - (300 * day)}

# Each plain access stands for one basis.

reading := {
	"actor": {"kind": "owner", "id": "owner", "roles": [], "mfa": false, "acknowledged": 0},
	"account": account,
	"operation": "messages.get",
	"purpose": "inbox.read",
	"feature": "message_view",
	"classes": {"body": true, "header": true, "metadata": true},
	"resource": {"kind": "message", "form": "ids", "ids": ["m1"], "label": "", "max": 0},
	"recipient": "",
	"subject": "",
	"instruction": null,
	"agreement": null,
	"caller": null,
	"release": null,
	"params": "",
	"body": "",
	"time": now,
}

listing := object.union(for_classes(reading, {"metadata": true}), {
	"operation": "messages.list",
	"purpose": "inbox.search",
	"feature": "search",
	"resource": {"kind": "message", "form": "collection", "ids": [], "label": "INBOX", "max": 500},
})

drafting := object.union(reading, {
	"operation": "drafts.create",
	"purpose": "inbox.compose",
	"feature": "compose",
	"resource": {"kind": "draft", "form": "new", "ids": []},
})

sending := object.union(reading, {
	"actor": {"kind": "service", "id": ""},
	"operation": "drafts.send",
	"purpose": "inbox.send",
	"feature": "send",
	"resource": {"kind": "draft", "ids": ["d1"]},
	"subject": "row1",
	"instruction": consent_to("send", "", "row1"),
})

imaging := object.union(for_classes(reading, {"derived": true}), {
	"operation": "remote.get",
	"feature": "remote_images",
	"recipient": "remote_host",
	"subject": "images of m1",
	"instruction": consent_to("remote_images", "remote_host", "images of m1"),
})

unsubscribing := object.union(imaging, {
	"operation": "unsubscribe.post",
	"purpose": "inbox.organise",
	"feature": "unsubscribe",
	"recipient": "unsubscribe_host",
	"subject": "newsletter of m1",
	"instruction": consent_to("unsubscribe", "unsubscribe_host", "newsletter of m1"),
})

badging := object.union(for_classes(reading, {"label": true}), {
	"actor": {"kind": "service", "id": "crm"},
	"caller": {"id": "caller", "purposes": {"inbox.sync": true}},
	"operation": "labels.get",
	"purpose": "inbox.sync",
	"feature": "unread_badge",
	"resource": {"kind": "label", "ids": ["l1"]},
	"recipient": "platform_service",
	"subject": "caller",
	"instruction": consent_to("unread_badge", "platform_service", "caller"),
})

viewing := object.union(reading, {
	"actor": staff,
	"purpose": "support.view",
	"feature": "agreed_view",
	"agreement": {
		"id": "agreement",
		"account": "account",
		"owner": "owner",
		"requester": "sam",
		"approver": "pat",
		"state": "active",
		"messages": {"m1": false, "m2": true},
		"asked": now - (2 * hour),
		"given": now - ((30 * 60) * second),
		"expires": now + ((30 * 60) * second),
	},
})

exporting := object.union(reading, {
	"operation": "store.export",
	"purpose": "account.manage",
	"feature": "data_download",
	"resource": {"kind": "store", "form": "collection", "ids": [], "max": 500},
})

looking_back := object.union(for_classes(reading, {"decisions": true}), {
	"operation": "log.query",
	"purpose": "account.manage",
	"feature": "access_history",
	"resource": {"kind": "log", "form": "collection", "ids": [], "max": 500},
})

auditing := object.union(looking_back, {
	"actor": {"kind": "auditor", "id": "staff", "roles": ["auditor"], "mfa": true},
	"account": null,
	"purpose": "audit.read",
	"feature": "audit_log",
})

counting := object.union(for_classes(reading, {"derived": true}), {
	"actor": {"kind": "service", "id": ""},
	"account": null,
	"operation": "aggregates.compute",
	"purpose": "internal_ops",
	"feature": "aggregate_release",
	"resource": {"kind": "aggregate", "form": "new", "ids": []},
})

charting := object.union(for_classes(reading, {"aggregate": true}), {
	"actor": object.union(staff, {"roles": ["operations"]}),
	"account": null,
	"operation": "aggregates.read",
	"purpose": "internal_ops",
	"feature": "aggregate_report",
	"resource": {"kind": "aggregate", "ids": ["r1"]},
	"release": {"id": "r1", "owners": 50, "released": now - day},
})

# What an advertiser, a broker or a model could be after: everything that some basis allows.
plain := {
	"owner_at_page": reading,
	"standing_instruction": sending,
	"transfer": imaging,
	"platform_caller": badging,
	"agreement": viewing,
	"own_data": exporting,
	"audit": auditing,
	"aggregation": counting,
	"aggregate_report": charting,
}

consent_to(feature, recipient, resource) := {
	"id": "i1",
	"account": "account",
	"feature": feature,
	"recipient": recipient,
	"resource": resource,
	"given": now - hour,
	"expires": now + second,
}

changed(base, change) := object.union(base, change)

for_classes(base, classes) := object.union(object.remove(base, ["classes"]), {"classes": classes})

for_messages(messages) := object.union(object.remove(viewing, ["agreement"]), {"agreement": agreement}) if {
	agreement := object.union(object.remove(viewing.agreement, ["messages"]), {"messages": messages})
}

with_consent(base, consent) := changed(base, {"account": {"consent": consent}})

allowed_on(it, basis) if {
	decision.basis == basis with input as it
	decision.denials == set() with input as it
}

refused_by(it, clause) if {
	not decision.basis with input as it
	clause in decision.denials with input as it
}

floor_refuses(it, clause) if {
	not floor.admit with input as it
	clause in floor.denials with input as it
}

# Every basis, and every table row that lists one

test_every_basis_allows if {
	object.keys(plain) == object.keys(limiteduse.bases)
	every basis, it in plain {
		allowed_on(it, basis)
	}
}

test_owner_lists if allowed_on(listing, "owner_at_page")

test_owner_drafts if allowed_on(drafting, "owner_at_page")

test_owner_unsubscribes if allowed_on(unsubscribing, "transfer")

test_owner_looks_back if allowed_on(looking_back, "own_data")

test_reviewer_reads_decisions if {
	allowed_on(changed(auditing, {"actor": {"kind": "reviewer", "roles": ["reviewer"]}}), "audit")
}

# LU-USE-1: only features that the product has, each for its own purpose

test_purpose_unknown if {
	every it in plain {
		refused_by(changed(it, {"purpose": "lead_scoring"}), "LU-USE-1")
	}
}

test_purpose_missing if {
	every it in plain {
		refused_by(object.remove(it, ["purpose"]), "LU-USE-1")
	}
}

test_purpose_of_another_feature if refused_by(changed(reading, {"purpose": "inbox.send"}), "LU-USE-1")

test_feature_unknown if {
	every it in plain {
		refused_by(changed(it, {"feature": "insights"}), "LU-USE-1")
	}
}

test_feature_missing if {
	every it in plain {
		refused_by(object.remove(it, ["feature"]), "LU-USE-1")
	}
}

test_operation_of_another_feature if refused_by(changed(reading, {"operation": "threads.get"}), "LU-USE-1")

test_kind_of_another_operation if refused_by(changed(reading, {"resource": {"kind": "thread"}}), "LU-USE-1")

test_form_of_another_operation if refused_by(changed(reading, {"resource": {"form": "collection", "max": 1}}), "LU-USE-1")

test_class_not_needed if refused_by(for_classes(reading, {"attachment": true, "body": true}), "LU-USE-1")

test_no_class if refused_by(for_classes(reading, {}), "LU-USE-1")

test_service_reads_for_itself if refused_by(changed(sending, {"feature": "message_view", "purpose": "inbox.read"}), "LU-USE-1")

test_operations_purpose_for_mail if {
	refused_by(changed(reading, {"purpose": "internal_ops"}), "LU-USE-1")
	floor_refuses(changed(reading, {"purpose": "internal_ops"}), "LU-USE-1")
}

test_support_purpose_without_staff if floor_refuses(changed(reading, {"purpose": "support.view"}), "LU-USE-1")

test_staff_may_look_and_nothing_else if {
	every operation in {"messages.batchModify", "messages.list", "drafts.send", ""} {
		floor_refuses(changed(viewing, {"operation": operation}), "LU-HUM-1")
	}
}

test_service_keeps_to_what_it_was_told if {
	every change in [{"feature": "organise"}, {"resource": "other"}, {"resource": ""}, {"given": now + 1}, {"expires": now}, {"recipient": "remote_host"}] {
		floor_refuses(changed(sending, {"instruction": change}), "LU-HUM-1")
	}
}

test_staff_with_an_owners_purpose if floor_refuses(changed(viewing, {"purpose": "inbox.read"}), "LU-USE-1")

test_numbers_for_an_owners_purpose if floor_refuses(changed(charting, {"purpose": "account.manage"}), "LU-USE-1")

# LU-USE-2: what is derived, aggregated or anonymized stays bound to the same purposes

forbidden := {
	"ads.serve": "LU-PROH-ADS",
	"advertising": "LU-PROH-ADS",
	"ai.infer": "LU-PROH-AI",
	"ai.train": "LU-PROH-AI",
	"credit.score": "LU-PROH-CREDIT",
	"database.mirror": "LU-PROH-DB",
	"export.bulk": "LU-PROH-DB",
	"growth_marketing": "LU-PROH-ADS",
	"lending": "LU-PROH-CREDIT",
	"marketing.audience": "LU-PROH-ADS",
	"surveillance.report": "LU-PROH-SURV",
}

test_derived_data_for_forbidden_purposes if {
	every purpose, clause in forbidden {
		refused_by(changed(imaging, {"purpose": purpose}), clause)
		refused_by(changed(counting, {"purpose": purpose}), clause)
	}
}

test_released_aggregates_for_forbidden_purposes if {
	every purpose, clause in forbidden {
		refused_by(changed(charting, {"purpose": purpose, "release": {"owners": 500}}), clause)
	}
}

test_address_book_for_marketing if {
	refused_by(changed(for_classes(reading, {"derived": true}), {"purpose": "marketing.audience", "feature": "contacts"}), "LU-PROH-ADS")
}

# LU-PROH-*: what the promise names, on every basis and whatever the owner consented to

test_forbidden_purposes if {
	every purpose, clause in forbidden {
		every it in plain {
			refused_by(changed(it, {"purpose": purpose}), clause)
			floor_refuses(changed(it, {"purpose": purpose}), clause)
		}
	}
}

test_ads if refused_by(changed(reading, {"purpose": "ads.serve"}), "LU-PROH-ADS")

test_credit_with_consent if refused_by(changed(imaging, {"purpose": "credit.score"}), "LU-PROH-CREDIT")

test_training_with_consent if refused_by(changed(imaging, {"purpose": "ai.train", "recipient": "model_provider"}), "LU-PROH-AI")

test_inference_has_no_feature if {
	it := changed(imaging, {"purpose": "ai.infer", "recipient": "model_provider", "instruction": {"recipient": "model_provider"}})
	refused_by(it, "LU-PROH-AI")
}

test_surveillance_recipient if refused_by(changed(reading, {"recipient": "surveillance"}), "LU-PROH-SURV")

test_employer_reads if refused_by(changed(reading, {"actor": {"id": "employer"}}), "LU-HUM-1")

test_delegate_reads if {
	refused_by(changed(reading, {"actor": {"kind": "delegate"}}), "LU-HUM-1")
	refused_by(changed(reading, {"actor": {"kind": "delegate", "id": "colleague"}}), "LU-HUM-1")
	refused_by(changed(reading, {"actor": {"id": "colleague"}}), "LU-HUM-1")
}

# LU-PROH-DB: a page or a batch, never a mailbox

test_page_too_large if refused_by(changed(listing, {"resource": {"max": 501}}), "LU-USE-1")

test_batch_too_large if {
	ids := [sprintf("m%d", [i]) | some i in numbers.range(1, 101)]
	refused_by(changed(reading, {"resource": {"ids": ids}}), "LU-USE-1")
	allowed_on(changed(reading, {"resource": {"ids": array.slice(ids, 0, 100)}}), "owner_at_page")
}

test_no_ids if refused_by(changed(reading, {"resource": {"ids": []}}), "LU-USE-1")

# LU-XFER-1: a transfer to a registered recipient that the owner's consent names

test_recipient_unregistered if refused_by(changed(imaging, {"recipient": "translator", "instruction": {"recipient": "translator"}}), "LU-XFER-1")

test_recipient_missing if {
	every it in plain {
		refused_by(object.remove(it, ["recipient"]), "LU-XFER-1")
	}
}

test_recipient_of_another_feature if {
	it := changed(imaging, {"recipient": "unsubscribe_host", "instruction": {"recipient": "unsubscribe_host"}})
	refused_by(it, "LU-XFER-1")
}

test_transfer_without_consent if refused_by(changed(imaging, {"instruction": null}), "LU-XFER-1")

test_consent_without_id if refused_by(changed(imaging, {"instruction": {"id": ""}}), "LU-XFER-1")

test_consent_names_another_recipient if refused_by(changed(imaging, {"instruction": {"recipient": "unsubscribe_host"}}), "LU-XFER-1")

test_consent_names_nobody if refused_by(changed(imaging, {"instruction": {"recipient": ""}}), "LU-XFER-1")

test_consent_for_another_feature if refused_by(changed(imaging, {"instruction": {"feature": "unsubscribe"}}), "LU-XFER-1")

test_consent_for_another_thing if {
	refused_by(changed(imaging, {"instruction": {"resource": "images of m2"}}), "LU-XFER-1")
	refused_by(changed(imaging, {"subject": "images of m2"}), "LU-XFER-1")
	refused_by(changed(imaging, {"subject": "", "instruction": {"resource": ""}}), "LU-XFER-1")
}

test_consent_of_another_mailbox if refused_by(changed(imaging, {"instruction": {"account": "other"}}), "LU-XFER-1")

test_consent_over if refused_by(changed(imaging, {"instruction": {"expires": now}}), "LU-XFER-1")

test_transfer_consent_to_come if refused_by(changed(imaging, {"instruction": {"given": now + 1}}), "LU-XFER-1")

test_transfer_by_staff if refused_by(changed(imaging, {"actor": staff}), "LU-XFER-1")

test_transfer_by_a_service_alone if refused_by(changed(imaging, {"actor": {"kind": "service", "id": ""}}), "LU-XFER-1")

# A processor as the clause's own example has it. The product has none: the tables are changed for the test.

scanning := object.union(with_consent(imaging, {"version": 3, "first": 3}), {
	"operation": "messages.attachments.get",
	"feature": "attachment_scan",
	"classes": {"attachment": true, "derived": true},
	"recipient": "antivirus",
	"subject": "antivirus",
	"instruction": consent_to("attachment_scan", "antivirus", "antivirus"),
})

attachment_scan := object.union(limiteduse.features.remote_images, {
	"operations": {"messages.attachments.get": true},
	"classes": {"attachment": true, "derived": true},
	"recipient": "antivirus",
	"disclosure": 3,
})

antivirus := {
	"name": "a scanner",
	"kind": "processor",
	"contract": "C-7",
	"features": {"attachment_scan": true},
	"classes": {"attachment": true, "derived": true},
}

basis_with(it, features, recipients) := basis if {
	basis := decision.basis with input as it
		with data.limiteduse.features as object.union(limiteduse.features, features)
		with data.limiteduse.recipients as object.union(limiteduse.recipients, recipients)
		with data.webmail.floor.recipients as floor.recipients | {"antivirus"}
}

test_processor_with_contract_and_consent if {
	basis_with(scanning, {"attachment_scan": attachment_scan}, {"antivirus": antivirus}) == "transfer"
}

test_processor_without_contract if {
	loose := object.union(antivirus, {"contract": ""})
	not basis_with(scanning, {"attachment_scan": attachment_scan}, {"antivirus": loose})
}

test_processor_of_an_unknown_kind if {
	odd := object.union(antivirus, {"kind": "partner"})
	not basis_with(scanning, {"attachment_scan": attachment_scan}, {"antivirus": odd})
}

test_processor_unregistered if not basis_with(scanning, {"attachment_scan": attachment_scan}, {})

test_processor_for_other_data if {
	narrow := object.union(object.remove(antivirus, ["classes"]), {"classes": {"derived": true}})
	not basis_with(scanning, {"attachment_scan": attachment_scan}, {"antivirus": narrow})
}

test_processor_not_named_by_the_consent if {
	it := changed(scanning, {"instruction": {"recipient": "remote_host"}})
	not basis_with(it, {"attachment_scan": attachment_scan}, {"antivirus": antivirus})
}

test_processor_not_in_the_older_text if {
	it := with_consent(scanning, {"version": 2, "first": 2})
	not basis_with(it, {"attachment_scan": attachment_scan}, {"antivirus": antivirus})
}

test_processor_is_kept_out_by_the_floor if {
	not decision.basis with input as scanning
		with data.limiteduse.features.attachment_scan as attachment_scan
		with data.limiteduse.recipients.antivirus as antivirus
	floor_refuses(scanning, "LU-XFER-1")
}

# LU-XFER-2, LU-XFER-3, LU-XFER-4 are not adopted: what Google's text would allow is refused

sent_to(recipient, purpose) := changed(imaging, {
	"purpose": purpose,
	"recipient": recipient,
	"instruction": {"recipient": recipient},
})

test_transfer_for_security if {
	refused_by(sent_to("abuse_desk", "security.incident"), "LU-XFER-2")
	floor_refuses(for_classes(sent_to("abuse_desk", "inbox.read"), {"header": true}), "LU-XFER-2")
	refused_by(sent_to("analytics", "security.incident"), "LU-XFER-1")
}

test_transfer_to_an_authority if {
	refused_by(sent_to("authority", "legal.request"), "LU-XFER-3")
	floor_refuses(sent_to("authority", "inbox.read"), "LU-XFER-3")
}

test_transfer_to_an_acquirer if {
	refused_by(sent_to("acquirer", "merger"), "LU-XFER-4")
	floor_refuses(sent_to("acquirer", "account.manage"), "LU-XFER-4")
}

# LU-XFER-5: whom nobody may sell to, even with consent

test_sale if {
	every recipient in ["ad_platform", "ad_platform.acme", "data_broker", "reseller"] {
		refused_by(sent_to(recipient, "inbox.read"), "LU-XFER-5")
		floor_refuses(sent_to(recipient, "inbox.read"), "LU-XFER-5")
	}
}

# LU-HUM-1: another human sees what the owner agreed to show to that human, and nothing else

test_staff_without_agreement if {
	refused_by(changed(viewing, {"agreement": null}), "LU-HUM-1")
	refused_by(object.remove(viewing, ["agreement"]), "LU-HUM-1")
}

test_agreement_of_no_owner if {
	refused_by(changed(viewing, {"agreement": {"owner": "", "given": 0, "expires": 0}}), "LU-HUM-1")
	refused_by(changed(viewing, {"agreement": {"owner": ""}}), "LU-HUM-1")
}

test_another_message if refused_by(changed(viewing, {"resource": {"ids": ["m3"]}}), "LU-HUM-1")

test_message_besides_the_agreed if {
	refused_by(changed(viewing, {"resource": {"ids": ["m1", "m3"]}}), "LU-HUM-1")
	floor_refuses(changed(viewing, {"resource": {"ids": ["m1", "m2"]}}), "LU-HUM-1")
}

test_agreement_expired_by_a_second if {
	refused_by(changed(viewing, {"agreement": {"expires": now - second}}), "LU-HUM-1")
	refused_by(changed(viewing, {"agreement": {"expires": now}}), "LU-HUM-1")
	allowed_on(changed(viewing, {"agreement": {"expires": now + 1}}), "agreement")
}

test_agreement_to_come if refused_by(changed(viewing, {"agreement": {"given": now + 1, "expires": now + hour}}), "LU-HUM-1")

test_agreement_of_other_staff if refused_by(changed(viewing, {"actor": {"id": "kim"}}), "LU-HUM-1")

test_agreement_by_an_administrator if refused_by(changed(viewing, {"agreement": {"owner": "org admin"}}), "LU-HUM-1")

test_agreement_about_another_mailbox if refused_by(changed(viewing, {"agreement": {"account": "other"}}), "LU-HUM-1")

test_agreement_with_wildcard if {
	every wide in ["*", "", "INBOX", "all"] {
		refused_by(for_messages({wide: true}), "LU-HUM-1")
		floor_refuses(
			changed(for_messages({wide: true}), {"resource": {
				"form": "collection",
				"ids": [],
				"label": "INBOX",
				"max": 1,
			}}),
			"LU-HUM-1",
		)
	}
}

test_agreement_covers_no_thread if {
	floor_refuses(changed(viewing, {"operation": "threads.get", "resource": {"kind": "thread"}}), "LU-HUM-1")
}

test_agreement_covers_no_search if {
	floor_refuses(
		changed(viewing, {"operation": "messages.list", "resource": {"form": "collection", "ids": [], "max": 10}}),
		"LU-HUM-1",
	)
}

test_requester_approves_alone if {
	refused_by(changed(viewing, {"agreement": {"approver": "sam"}}), "LU-HUM-1")
	refused_by(changed(viewing, {"agreement": {"approver": ""}}), "LU-HUM-1")
}

test_agreement_not_active if {
	every state in ["pending", "refused", "revoked", "expired", "closed", ""] {
		refused_by(changed(viewing, {"agreement": {"state": state}}), "LU-HUM-1")
	}
}

test_agreement_for_four_hours if {
	agreement := {"given": now - hour, "expires": now + (3 * hour)}
	allowed_on(changed(viewing, {"agreement": agreement}), "agreement")
	refused_by(changed(viewing, {"agreement": object.union(agreement, {"expires": agreement.expires + 1})}), "LU-HUM-1")
}

test_owner_answers_within_twelve_hours if {
	given := viewing.agreement.given
	allowed_on(changed(viewing, {"agreement": {"asked": (given - (12 * hour)) + second}}), "agreement")
	refused_by(changed(viewing, {"agreement": {"asked": given - (12 * hour)}}), "LU-HUM-1")
	refused_by(changed(viewing, {"agreement": {"asked": (given - (12 * hour)) - second}}), "LU-HUM-1")
}

test_owner_answers_before_being_asked if {
	given := viewing.agreement.given
	allowed_on(changed(viewing, {"agreement": {"asked": given + (60 * second)}}), "agreement")
	refused_by(changed(viewing, {"agreement": {"asked": (given + (60 * second)) + 1}}), "LU-HUM-1")
}

test_agreement_to_ten_messages if {
	ten := {id: false | some i in numbers.range(1, 10); id := sprintf("m%d", [i])}
	allowed_on(for_messages(ten), "agreement")
	refused_by(for_messages(object.union(ten, {"m11": false})), "LU-HUM-1")
}

test_attachments_are_ticked if {
	attachment := changed(for_classes(viewing, {"attachment": true}), {"operation": "messages.attachments.get"})
	allowed_on(changed(attachment, {"resource": {"ids": ["m2"]}}), "agreement")
	refused_by(changed(attachment, {"resource": {"ids": ["m1"]}}), "LU-HUM-1")
}

test_supporter_without_role if refused_by(changed(viewing, {"actor": {"roles": ["operations", "approver"]}}), "LU-HUM-1")

test_supporter_without_second_factor if refused_by(changed(viewing, {"actor": {"mfa": false}}), "LU-HUM-1")

test_agreement_serves_no_service if refused_by(changed(viewing, {"actor": {"kind": "service"}}), "LU-HUM-1")

test_agreement_serves_no_auditor if refused_by(changed(viewing, {"actor": {"kind": "auditor", "roles": ["auditor"]}}), "LU-HUM-1")

test_auditor_reads_mail if {
	it := changed(reading, {"actor": {"kind": "auditor", "roles": ["auditor"], "mfa": true}})
	refused_by(it, "LU-HUM-1")
}

# Work without the owner at the page

test_service_without_instruction if refused_by(changed(sending, {"instruction": null}), "LU-HUM-1")

test_instruction_without_id if refused_by(changed(sending, {"instruction": {"id": ""}}), "LU-HUM-1")

test_instruction_of_another_account if refused_by(changed(sending, {"instruction": {"account": "other"}}), "LU-HUM-1")

test_instruction_for_another_feature if refused_by(changed(sending, {"instruction": {"feature": "organise"}}), "LU-HUM-1")

test_instruction_for_another_thing if {
	refused_by(changed(sending, {"instruction": {"resource": "row2"}}), "LU-HUM-1")
	refused_by(changed(sending, {"subject": "row2"}), "LU-HUM-1")
}

test_instruction_for_nothing if refused_by(changed(sending, {"subject": "", "instruction": {"resource": ""}}), "LU-HUM-1")

test_instruction_to_come if refused_by(changed(sending, {"instruction": {"given": now + 1}}), "LU-HUM-1")

test_instruction_expired if refused_by(changed(sending, {"instruction": {"expires": now}}), "LU-HUM-1")

test_consent_to_a_transfer_is_no_instruction if {
	refused_by(changed(sending, {"instruction": {"recipient": "platform_service"}}), "LU-HUM-1")
}

# Other services of the company

test_caller_with_another_purpose if {
	every purpose in ["lead_scoring", "inbox.read", "marketing.audience"] {
		refused_by(changed(badging, {"purpose": purpose}), "LU-USE-1")
	}
}

test_caller_whose_key_lists_other_purposes if {
	it := object.union(object.remove(badging, ["caller"]), {"caller": {"id": "caller", "purposes": {"inbox.compose": true}}})
	refused_by(it, "LU-XFER-1")
}

test_caller_that_the_owner_did_not_connect if {
	refused_by(changed(badging, {"caller": {"id": "another"}}), "LU-XFER-1")
	refused_by(changed(badging, {"subject": "another"}), "LU-XFER-1")
	refused_by(changed(badging, {"instruction": {"resource": "another"}}), "LU-XFER-1")
}

test_caller_without_consent if refused_by(changed(badging, {"instruction": null}), "LU-XFER-1")

test_caller_unknown if refused_by(changed(badging, {"caller": null}), "LU-XFER-1")

test_caller_as_the_owner if refused_by(changed(reading, {"caller": badging.caller}), "LU-HUM-1")

test_caller_beside_a_human if {
	every it in [viewing, exporting, auditing, charting] {
		refused_by(changed(it, {"caller": badging.caller}), "LU-USE-1")
	}
}

test_caller_counts_nothing if refused_by(changed(counting, {"caller": badging.caller}), "LU-USE-1")

test_caller_on_an_instruction if refused_by(changed(sending, {"caller": badging.caller}), "LU-HUM-1")

# LU-HUM-2: numbers about fifty owners that went through the release gate

test_numbers_about_forty_nine if {
	refused_by(changed(charting, {"release": {"owners": 49}}), "LU-HUM-2")
	floor_refuses(changed(charting, {"release": {"owners": 49}}), "LU-HUM-2")
}

test_numbers_not_released if {
	refused_by(changed(charting, {"release": {"released": 0}}), "LU-HUM-2")
	refused_by(changed(charting, {"release": {"released": now + 1}}), "LU-HUM-2")
	refused_by(changed(charting, {"release": null}), "LU-HUM-2")
}

test_numbers_of_another_release if refused_by(changed(charting, {"resource": {"ids": ["r2"]}}), "LU-HUM-2")

test_numbers_without_id if refused_by(changed(charting, {"release": {"id": ""}, "resource": {"ids": [""]}}), "LU-HUM-2")

test_two_releases_at_once if refused_by(changed(charting, {"resource": {"ids": ["r1", "r2"]}}), "LU-HUM-2")

test_numbers_with_more_in_them if floor_refuses(for_classes(charting, {"aggregate": true, "derived": true}), "LU-HUM-2")

test_numbers_for_support if refused_by(changed(charting, {"actor": {"roles": ["support"]}}), "LU-HUM-2")

test_numbers_without_second_factor if refused_by(changed(charting, {"actor": {"mfa": false}}), "LU-HUM-2")

test_staff_count_themselves if refused_by(changed(counting, {"actor": staff}), "LU-HUM-2")

test_counting_one_mailbox if refused_by(changed(counting, {"account": account}), "LU-HUM-2")

test_owner_reads_numbers if refused_by(changed(charting, {"actor": {"kind": "owner"}}), "LU-HUM-2")

# LU-HUM-3, LU-HUM-4 are not adopted: there is no other way to a message

test_no_break_glass if {
	every purpose in ["security.incident", "debug", "legal.request", "support.view", "internal_ops", "account.manage"] {
		every roles in [["support"], ["approver"], ["security", "support"], ["admin", "operations", "legal", "support"]] {
			it := changed(viewing, {"agreement": null, "purpose": purpose, "actor": {"roles": roles}})
			refused_by(it, "LU-HUM-1")
			floor_refuses(it, "LU-HUM-1")
		}
	}
}

test_no_human_for_security if {
	refused_by(changed(viewing, {"purpose": "security.incident", "agreement": {"owner": ""}}), "LU-HUM-1")
	refused_by(changed(viewing, {"purpose": "debug"}), "LU-USE-1")
}

test_no_human_for_the_law if {
	refused_by(changed(viewing, {"purpose": "legal.request", "agreement": {"owner": ""}}), "LU-HUM-1")
	refused_by(changed(viewing, {"purpose": "legal.request"}), "LU-USE-1")
}

# LU-HUM-5: whoever is not the owner has acknowledged the rules

test_staff_never_acknowledged if {
	refused_by(changed(viewing, {"actor": {"acknowledged": 0}}), "LU-HUM-5")
	refused_by(changed(charting, {"actor": {"acknowledged": 0}}), "LU-HUM-5")
}

test_acknowledgement_of_a_year_ago if {
	refused_by(changed(viewing, {"actor": {"acknowledged": now - (365 * day)}}), "LU-HUM-5")
	allowed_on(changed(viewing, {"actor": {"acknowledged": (now - (365 * day)) + second}}), "agreement")
}

test_acknowledgement_to_come if refused_by(changed(viewing, {"actor": {"acknowledged": now + 1}}), "LU-HUM-5")

# LU-HUM-6: auditors and reviewers read decisions, and nothing beside them

test_auditor_reads_more_than_decisions if refused_by(for_classes(auditing, {"body": true, "decisions": true}), "LU-HUM-6")

test_owner_reads_the_whole_log if refused_by(changed(auditing, {"actor": {"kind": "owner"}}), "LU-HUM-6")

test_auditor_without_role if refused_by(changed(auditing, {"actor": {"roles": ["support"]}}), "LU-HUM-6")

test_auditor_without_second_factor if refused_by(changed(auditing, {"actor": {"mfa": false}}), "LU-HUM-6")

test_staff_reads_the_log if refused_by(changed(auditing, {"actor": {"kind": "staff", "roles": ["auditor", "support"]}}), "LU-HUM-6")

# PRV-ACC, PRV-PORT: owners get their own, and nobody else does

test_own_data_of_another if {
	refused_by(changed(exporting, {"actor": {"id": "other"}}), "LU-HUM-1")
	refused_by(changed(looking_back, {"actor": {"id": "other"}}), "LU-HUM-6")
}

test_own_data_for_staff if {
	refused_by(changed(exporting, {"actor": staff}), "LU-HUM-1")
	refused_by(changed(looking_back, {"actor": staff}), "LU-HUM-6")
}

test_own_data_needs_no_consent if {
	gone := {"account": {"state": "disconnected", "scopes": [], "consent": {"version": 0}}}
	allowed_on(changed(exporting, gone), "own_data")
	allowed_on(changed(looking_back, gone), "own_data")
}

# DEL-1, DISC-2, MIN-2: a mailbox that is connected, agreed to and in scope

of_mailboxes[basis] := plain[basis] if {
	some basis in ["owner_at_page", "standing_instruction", "transfer", "platform_caller", "agreement"]
}

test_disconnected if {
	every it in of_mailboxes {
		refused_by(changed(it, {"account": {"state": "disconnected"}}), "DEL-1")
	}
}

test_no_account if {
	every it in of_mailboxes {
		refused_by(changed(it, {"account": null}), "DEL-1")
	}
}

test_no_consent if {
	every it in of_mailboxes {
		refused_by(with_consent(it, {"version": 0}), "DISC-2")
	}
}

test_consent_to_come if refused_by(with_consent(reading, {"given": now + 1}), "DISC-2")

test_no_scope if {
	every it in of_mailboxes {
		refused_by(changed(it, {"account": {"scopes": []}}), "MIN-2")
	}
}

test_scope_for_reading_alone if {
	scopes := {"account": {"scopes": ["https://www.googleapis.com/auth/gmail.readonly"]}}
	allowed_on(changed(reading, scopes), "owner_at_page")
	refused_by(changed(drafting, scopes), "MIN-2")
	refused_by(changed(sending, scopes), "MIN-2")
}

# CHG-1: a feature that a later text tells of waits for the owner's consent to that text

test_new_feature_under_the_older_text if refused_by(with_consent(imaging, {"version": 1, "first": 1}), "CHG-1")

test_older_features_go_on if allowed_on(with_consent(reading, {"version": 1, "first": 1}), "owner_at_page")

test_new_feature_after_consent if allowed_on(with_consent(imaging, {"version": 2, "first": 1}), "transfer")

# CHG-2: and for thirty days after it was announced

test_new_feature_on_day_29 if {
	refused_by(with_consent(imaging, {"first": 1, "notified": now - (29 * day)}), "CHG-2")
	refused_by(with_consent(imaging, {"first": 1, "notified": (now - (30 * day)) + 1}), "CHG-2")
}

test_new_feature_on_day_30 if allowed_on(with_consent(imaging, {"first": 1, "notified": now - (30 * day)}), "transfer")

test_new_feature_on_day_30_without_consent if {
	it := with_consent(imaging, {"version": 1, "first": 1, "notified": now - (30 * day)})
	refused_by(it, "CHG-1")
}

test_new_feature_never_announced if refused_by(with_consent(imaging, {"first": 1, "notified": 0}), "CHG-2")

test_no_change_for_a_new_owner if allowed_on(with_consent(imaging, {"first": 2, "notified": now}), "transfer")

# Where the floor and the rules beside it ask for the same, each of them holds without the other.

spoilt_consents := [
	{"instruction": {"recipient": "push_service"}},
	{"instruction": {"recipient": ""}},
	{"instruction": {"account": "other"}},
	{"instruction": {"feature": "organise"}},
	{"instruction": {"resource": "other"}},
	{"instruction": {"resource": ""}, "subject": ""},
	{"subject": "other"},
	{"instruction": {"given": now + 1}},
	{"instruction": {"expires": now}},
	{"instruction": null},
]

test_spoilt_consents_are_refused_twice if {
	every it in [imaging, unsubscribing, badging] {
		every change in spoilt_consents {
			spoilt := changed(it, change)
			not access.basis with input as spoilt
			"LU-XFER-1" in access.denials with input as spoilt
			not floor.admit with input as spoilt
			"LU-XFER-1" in floor.denials with input as spoilt
		}
	}
}

test_consent_from_now_on if {
	every basis in ["transfer", "platform_caller", "standing_instruction"] {
		allowed_on(changed(plain[basis], {"instruction": {"given": now, "expires": now + 1}}), basis)
	}
}

test_strangers_are_refused_twice if {
	every it in [reading, imaging, exporting, looking_back] {
		every actor in [{"id": "other"}, {"id": ""}, {"kind": "delegate"}, {"kind": "staff"}] {
			spoilt := changed(it, {"actor": actor})
			not access.basis with input as spoilt
			not floor.admit with input as spoilt
		}
	}
}

test_rules_ask_for_a_registered_recipient if {
	every it in [imaging, badging] {
		not access.basis with input as it with data.limiteduse.recipients as {}
		"LU-XFER-1" in access.denials with input as it with data.limiteduse.recipients as {}
		not access.basis with input as it with data.limiteduse.recipients as narrowed(it.recipient, "features", {})
		not access.basis with input as it with data.limiteduse.recipients as narrowed(it.recipient, "classes", {})
	}
}

narrowed(recipient, column, names) := {recipient: object.union(object.remove(limiteduse.recipients[recipient], [column]), {column: names})}

test_processor_for_another_feature if {
	elsewhere := object.union(object.remove(antivirus, ["features"]), {"features": {"other": true}})
	not basis_with(scanning, {"attachment_scan": attachment_scan}, {"antivirus": elsewhere})
}

test_every_feature_fits if {
	every it in plain {
		refused_by(for_classes(it, {"unheard_of": true}), "LU-USE-1")
		refused_by(changed(it, {"operation": "messages.batchModify"}), "LU-USE-1")
		refused_by(changed(it, {"recipient": "push_service", "instruction": {"recipient": "push_service"}}), "LU-USE-1")
		refused_by(changed(it, {"resource": {"form": "none"}}), "LU-USE-1")
	}
}

test_acknowledged_just_now if allowed_on(changed(viewing, {"actor": {"acknowledged": now}}), "agreement")

test_never_acknowledged_early_in_time if {
	refused_by(changed(charting, {"actor": {"acknowledged": 0}, "release": {"released": 1}, "time": 2}), "LU-HUM-5")
}

test_consented_just_now if allowed_on(with_consent(reading, {"given": now}), "owner_at_page")

test_released_just_now if allowed_on(changed(charting, {"release": {"released": now}}), "aggregate_report")

test_agreed_just_now if {
	allowed_on(changed(viewing, {"agreement": {"given": now, "expires": now + hour}}), "agreement")
}

# The floor by itself

test_floor_admits if {
	every it in plain {
		floor.admit with input as it
		floor.denials == set() with input as it
	}
}

of_floor := [
	# kinds of data, and who may see them
	[reading, {"resource": {"kind": "settings"}}],
	[reading, {"resource": {"kind": "log"}}],
	[reading, {"resource": {"kind": "aggregate"}}],
	[sending, {"resource": {"kind": "log"}}],
	[sending, {"actor": {"kind": "auditor"}}],
	[sending, {"actor": {"kind": "owner"}}],
	[sending, {"instruction": null}],
	[sending, {"instruction": {"account": "other"}}],
	[exporting, {"resource": {"kind": "log"}}],
	[looking_back, {"actor": {"kind": "service"}}],
	[auditing, {"actor": {"kind": "staff"}}],
	[auditing, {"actor": {"kind": "service"}}],
	[auditing, {"actor": {"kind": "owner"}}],
	[auditing, {"classes": {"body": true}}],
	[looking_back, {"classes": {"body": true}}],
	[auditing, {"resource": {"kind": "message"}}],
	[auditing, {"resource": {"kind": "store"}}],
	[auditing, {"resource": {"kind": "settings"}}],
	[looking_back, {"resource": {"kind": "settings"}}],
	# agreements
	[viewing, {"actor": {"kind": "auditor"}, "purpose": "inbox.read"}],
	[viewing, {"actor": {"kind": "owner", "id": "sam"}, "purpose": "inbox.read"}],
	[viewing, {"resource": {"kind": "thread"}}],
	[viewing, {"resource": {"kind": "store"}}],
	[viewing, {"agreement": {"id": ""}}],
	[viewing, {"agreement": {"requester": "kim"}}],
	[viewing, {"agreement": {"account": "other"}}],
	# numbers
	[counting, {"actor": {"kind": "owner"}}],
	[counting, {"actor": {"kind": "staff"}}],
	[counting, {"resource": {"form": "ids"}}],
	[counting, {"resource": {"form": "collection"}}],
	[counting, {"classes": {"body": true}}],
	[counting, {"resource": {"kind": "message"}, "purpose": "inbox.read"}],
	[charting, {"actor": {"kind": "service"}}],
	[charting, {"actor": {"kind": "auditor"}}],
	[charting, {"actor": {"kind": "owner"}}],
	[charting, {"release": {"id": ""}, "resource": {"ids": [""]}}],
	[charting, {"resource": {"kind": "log"}, "purpose": "audit.read"}],
	[charting, {"resource": {"kind": "label"}, "purpose": "support.view"}],
	[charting, {"resource": {"kind": "settings"}, "purpose": "account.manage"}],
]

test_floor_alone_refuses if {
	every pair in of_floor {
		not floor.admit with input as changed(pair[0], pair[1])
		floor.denials != set() with input as changed(pair[0], pair[1])
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

test_floor_and_data_name_the_same_recipients if floor.recipients == object.keys(limiteduse.recipients)
