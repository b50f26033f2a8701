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

import data.limiteduse.features
import data.limiteduse.operations
import data.limiteduse.recipients
import data.limiteduse.terms

# METADATA
# title: Basis
# description: Why the access is allowed; undefined when it is not.
# entrypoint: true
# custom: {clauses: [LU-USE-1, MIN-2, DISC-2]}
basis := "owner_at_page" if {
	owner_at_page
	input.recipient == ""
	feature_fits
	mailbox_ready
}

basis := "transfer" if {
	owner_at_page
	input.recipient != ""
	registered
	transfer_consented
	feature_fits
	mailbox_ready
}

basis := "standing_instruction" if {
	standing_instruction
	feature_fits
	mailbox_ready
}

basis := "platform_caller" if {
	platform_caller
	registered
	transfer_consented
	feature_fits
	mailbox_ready
}

basis := "agreement" if {
	supporter
	acknowledged
	feature_fits
	mailbox_ready
}

basis := "own_data" if {
	own_data
	feature_fits
}

basis := "audit" if {
	audit
	feature_fits
}

basis := "aggregation" if {
	aggregation
	feature_fits
}

basis := "aggregate_report" if {
	operations_staff
	acknowledged
	feature_fits
}

# METADATA
# title: Owner at the page
# description: A colleague, a delegate or an administrator is not the owner, whatever the company's own rules say.
# custom: {clauses: [LU-USE-1, LU-HUM-1, LU-PROH-SURV]}
owner_at_page if {
	input.resource.kind in mail_kinds
	input.actor.kind == "owner"
	input.actor.id == input.account.owner
	not input.caller.id
}

# METADATA
# title: Mail kinds
# description: What is of one mailbox at Gmail. The log and what the product stores have bases of their own.
mail_kinds := {"draft", "history", "label", "mailbox", "message", "thread"}

# METADATA
# title: Standing instruction
# description: |
#   Work that the owner asked for and that happens later, such as a message waiting for its undo window. An
#   instruction is for one thing: whoever acts on it says what it is at work on, and both must be the same.
# custom: {clauses: [LU-USE-1]}
standing_instruction if {
	input.resource.kind in mail_kinds
	input.actor.kind == "service"
	not input.caller.id
	input.recipient == ""
	input.instruction.id != ""
	input.instruction.recipient == ""
	input.instruction.account == input.account.id
	input.instruction.feature == input.feature
	input.instruction.resource != ""
	input.instruction.resource == input.subject
	input.instruction.given <= input.time
	input.time < input.instruction.expires
}

# METADATA
# title: Transfer consented
# description: The owner's consent names this recipient, for this feature and this one thing, and is not over.
# custom: {clauses: [LU-XFER-1]}
transfer_consented if {
	input.instruction.id != ""
	input.instruction.recipient == input.recipient
	input.instruction.account == input.account.id
	input.instruction.feature == input.feature
	input.instruction.resource != ""
	input.instruction.resource == input.subject
	input.instruction.given <= input.time
	input.time < input.instruction.expires
}

# METADATA
# title: Registered
# scope: document
# description: |
#   The register lists the recipient for this feature and for these classes of data. One who works on the
#   company's behalf is bound by a contract, which the register names.
# custom: {clauses: [LU-XFER-1, PRV-PROC]}
registered if {
	recipient := recipients[input.recipient]
	recipient.features[input.feature]
	object.subset(recipient.classes, input.classes)
	bound[recipient.kind]
}

registered if {
	recipient := recipients[input.recipient]
	recipient.features[input.feature]
	object.subset(recipient.classes, input.classes)
	recipient.kind == "processor"
	recipient.contract != ""
}

# METADATA
# title: Bound
# description: Kinds of recipient that need no contract, since the owner chose them or they are the company itself.
bound := {"owner_chosen": true, "own_service": true}

# METADATA
# title: Platform caller
# description: |
#   Another service of the company, for a purpose that is listed with its key, at the word of an owner who
#   connected that very service.
# custom: {clauses: [LU-USE-1, LU-XFER-1]}
platform_caller if {
	input.resource.kind in mail_kinds
	input.actor.kind == "service"
	input.recipient != ""
	input.caller.id != ""
	input.caller.id == input.subject
	input.caller.purposes[input.purpose]
}

# METADATA
# title: Supporter
# description: A member of the support staff, signed in with a second factor. The floor asks for the owner's agreement.
# custom: {clauses: [LU-HUM-1]}
supporter if {
	input.resource.kind == "message"
	input.actor.kind == "staff"
	"support" in input.actor.roles
	input.actor.mfa == true
	input.agreement.id != ""
	input.agreement.requester == input.actor.id
}

# METADATA
# title: Acknowledged
# description: Whoever is not the owner has acknowledged the rules within the last year.
# custom: {clauses: [LU-HUM-5]}
acknowledged if {
	input.actor.acknowledged > 0
	input.actor.acknowledged <= input.time
	input.time < input.actor.acknowledged + terms.acknowledgement
}

# METADATA
# title: Own data
# description: |
#   Owners see the record of their own mailbox and what the product stores of it. It is their right, and so
#   needs neither a consent nor a scope.
# custom: {clauses: [PRV-ACC, PRV-PORT]}
own_data if {
	input.resource.kind in {"log", "store"}
	input.actor.kind == "owner"
	input.actor.id == input.account.owner
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
# title: Aggregation
# description: The product itself counts, for a release; no human sees what it counts from.
# custom: {clauses: [LU-HUM-2]}
aggregation if {
	input.resource.kind == "aggregate"
	input.resource.form == "new"
	input.actor.kind == "service"
	not input.account.id
}

# METADATA
# title: Operations staff
# custom: {clauses: [LU-HUM-2]}
operations_staff if {
	input.resource.kind == "aggregate"
	input.actor.kind == "staff"
	"operations" in input.actor.roles
	input.actor.mfa == true
	input.release.id != ""
}

# METADATA
# title: Feature fits
# description: |
#   The feature exists, serves this purpose, this kind of actor and this recipient, and needs this
#   operation, form and these classes.
# custom: {clauses: [LU-USE-1, MIN-1, LU-PROH-DB]}
feature_fits if {
	feature := features[input.feature]
	feature.purpose == input.purpose
	feature.actors[input.actor.kind]
	feature.recipient == input.recipient
	caller_fits
	feature.operations[input.operation]
	operation := operations[input.operation]
	operation.kind == input.resource.kind
	operation.form == input.resource.form
	size <= feature.max
	input.classes != {}
	object.subset(feature.classes, input.classes)
}

# METADATA
# title: Caller fits
# scope: document
# description: No human asks in the name of another service, and no service of ours does.
# custom: {clauses: [LU-USE-1]}
caller_fits if not input.caller.id

caller_fits if {
	input.actor.kind == "service"
	input.recipient != ""
}

# METADATA
# title: Size
# scope: document
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
# custom: {clauses: [DISC-2, MIN-2, DEL-1, CHG-1, CHG-2]}
mailbox_ready if {
	connected
	consented
	consent_current
	change_announced
	scope_granted
}

# METADATA
# title: Connected
# custom: {clauses: [DEL-1]}
connected if input.account.state == "connected"

# METADATA
# title: Consented
# description: The owner agreed to a disclosure, before now.
# custom: {clauses: [DISC-2]}
consented if {
	input.account.consent.version > 0
	input.account.consent.given <= input.time
}

# METADATA
# title: Consent current
# description: |
#   The disclosure that the owner agreed to last tells of this feature. What older texts disclosed goes on
#   under them.
# custom: {clauses: [CHG-1]}
consent_current if input.account.consent.version >= features[input.feature].disclosure

# METADATA
# title: Change announced
# scope: document
# description: |
#   A feature that came after the owner's first consent is a change: it starts thirty days after the
#   deployment announced it, even for those who agreed at once.
# custom: {clauses: [CHG-2]}
change_announced if input.account.consent.first >= features[input.feature].disclosure

change_announced if {
	input.account.consent.notified > 0
	input.account.consent.notified + terms.notice <= input.time
}

# METADATA
# title: Scope granted
# description: |
#   Any one of the scopes that the operation can be done with suffices. They are looked up as one object, so that
#   partial evaluation leaves one condition and not one for each scope.
# custom: {clauses: [MIN-2]}
scope_granted if {
	some scope in input.account.scopes
	object.get(operations[input.operation].scopes, scope, false) == true # regal ignore:superfluous-object-get
}

# METADATA
# title: Denials
# description: The clauses that refuse, for people; empty exactly when `basis` is defined.
# entrypoint: true
denials contains "LU-USE-1" if not feature_fits

denials contains entitlement_clause if not entitled

denials contains "LU-XFER-1" if {
	input.recipient != ""
	not transfer_permitted
}

denials contains "LU-HUM-5" if {
	input.actor.kind == "staff"
	not acknowledged
}

denials contains "DEL-1" if {
	of_mailbox
	not connected
}

denials contains "DISC-2" if {
	of_mailbox
	not consented
}

denials contains "CHG-1" if {
	of_mailbox
	features[input.feature]
	not consent_current
}

denials contains "CHG-2" if {
	of_mailbox
	features[input.feature]
	not change_announced
}

denials contains "MIN-2" if {
	of_mailbox
	not scope_granted
}

# METADATA
# title: Of a mailbox
# description: What is reached through the owner's permission at Google, and so needs it.
of_mailbox if not input.resource.kind in {"log", "store", "aggregate"}

# METADATA
# title: Transfer permitted
# scope: document
# custom: {clauses: [LU-XFER-1]}
transfer_permitted if {
	registered
	transfer_consented
	owner_at_page
}

transfer_permitted if {
	registered
	transfer_consented
	platform_caller
}

entitled if owner_at_page

entitled if standing_instruction

entitled if platform_caller

entitled if supporter

entitled if own_data

entitled if audit

entitled if aggregation

entitled if operations_staff

default entitlement_clause := "LU-HUM-1"

entitlement_clause := "LU-HUM-2" if input.resource.kind == "aggregate"

entitlement_clause := "LU-HUM-6" if input.resource.kind == "log"
