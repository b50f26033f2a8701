# METADATA
# title: Access to Gmail data
# description: |
#   Every access names its basis. A basis says all that it requires, in one body: who may act, for a feature
#   that the product has, with data that the feature needs, on a mailbox whose owner has consented and
#   granted the scope. No basis, no access.
# authors:
# - Webmail
# schemas:
# - input: schema.input
package webmail.access

import data.limiteduse.disclosure
import data.limiteduse.features
import data.limiteduse.operations

# METADATA
# title: Basis
# description: Why the access is allowed; undefined when it is not.
# entrypoint: true
# custom: {clauses: [LU-USE-1, MIN-2, DISC-2]}
basis := "owner_at_page" if {
	owner_at_page
	feature_fits
	mailbox_ready
}

basis := "standing_instruction" if {
	standing_instruction
	feature_fits
	mailbox_ready
}

basis := "audit" if {
	audit
	feature_fits
}

# METADATA
# title: Owner at the page
# custom: {clauses: [LU-USE-1, LU-HUM-1]}
owner_at_page if {
	input.actor.kind == "owner"
	input.actor.id == input.account.owner
}

# METADATA
# title: Standing instruction
# description: |
#   Work that the owner asked for and that happens later, such as a message waiting for its undo window. An
#   instruction is for one thing: whoever acts on it says what it is at work on, and both must be the same.
# custom: {clauses: [LU-USE-1]}
standing_instruction if {
	input.actor.kind == "service"
	input.instruction.id != ""
	input.instruction.account == input.account.id
	input.instruction.feature == input.feature
	input.instruction.resource != ""
	input.instruction.resource == input.subject
	input.instruction.given <= input.time
	input.time < input.instruction.expires
}

# METADATA
# title: Audit
# description: Auditors and reviewers read decisions, which hold no mail, after signing in with a second factor.
# custom: {clauses: [LU-HUM-6]}
audit if {
	input.resource.kind == "log"
	input.actor.kind in {"auditor", "reviewer"}
	input.actor.kind in input.actor.roles
	input.actor.mfa == true
}

# METADATA
# title: Feature fits
# description: The feature exists, serves this purpose and this kind of actor, and needs this operation, form and these classes.
# custom: {clauses: [LU-USE-1, MIN-1, LU-PROH-DB]}
feature_fits if {
	feature := features[input.feature]
	feature.purpose == input.purpose
	feature.actors[input.actor.kind]
	feature.operations[input.operation]
	operation := operations[input.operation]
	operation.kind == input.resource.kind
	operation.form == input.resource.form
	size <= feature.max
	input.classes != {}
	object.subset(feature.classes, input.classes)
}

# METADATA
# title: Size
# description: How many resources the access can touch. A feature bounds it to a page or a batch, never a mailbox.
# custom: {clauses: [LU-PROH-DB]}
size := input.resource.max if input.resource.form == "collection"

size := count(input.resource.ids) if {
	input.resource.form == "ids"
	input.resource.ids != []
}

size := 1 if input.resource.form == "new"

# METADATA
# title: Mailbox ready
# custom: {clauses: [DISC-2, MIN-2, DEL-1]}
mailbox_ready if {
	connected
	consent_current
	scope_granted
}

# METADATA
# title: Connected
# custom: {clauses: [DEL-1]}
connected if input.account.state == "connected"

# METADATA
# title: Consent current
# description: The owner agreed to the disclosure in force, before now.
# custom: {clauses: [DISC-2, CHG-1]}
consent_current if {
	input.account.consent.version >= disclosure.version
	input.account.consent.given <= input.time
}

# METADATA
# title: Scope granted
# custom: {clauses: [MIN-2]}
scope_granted if {
	some scope in input.account.scopes
	operations[input.operation].scopes[scope]
}

# METADATA
# title: Denials
# description: The clauses that refuse, for people; empty exactly when `basis` is defined.
# entrypoint: true
denials contains "LU-USE-1" if not feature_fits

denials contains "LU-HUM-1" if not entitled

denials contains "DEL-1" if {
	input.resource.kind != "log"
	not connected
}

denials contains "DISC-2" if {
	input.resource.kind != "log"
	not consent_current
}

denials contains "MIN-2" if {
	input.resource.kind != "log"
	not scope_granted
}

entitled if {
	input.resource.kind != "log"
	owner_at_page
}

entitled if {
	input.resource.kind != "log"
	standing_instruction
}

entitled if audit
