# METADATA
# title: The floor
# description: |
#   What the company promised and no policy bundle can lift: the data serves its owner's mail client and
#   nothing else, it goes to nobody whom its owner did not choose, and no other human sees it without the
#   owner's proven agreement for that message. `data.webmail.decision` asks for it together with the policy's
#   own answer, so a bundle can only be stricter. It is written as what is admitted, never as what is
#   refused: whatever is missing or new is out. It reads no table, for tables come with bundles.
# authors:
# - Webmail
# schemas:
# - input: schema.input
package webmail.floor

# METADATA
# title: Admit
# description: True when nothing in the promise forbids the access; undefined otherwise.
# entrypoint: true
# custom:
#   clauses:
#   - LU-USE-1
#   - LU-USE-2
#   - LU-XFER-1
#   - LU-XFER-2
#   - LU-XFER-3
#   - LU-XFER-4
#   - LU-XFER-5
#   - LU-PROH-ADS
#   - LU-PROH-CREDIT
#   - LU-PROH-AI
#   - LU-PROH-SURV
#   - LU-PROH-DB
#   - LU-HUM-1
#   - LU-HUM-2
#   - LU-HUM-3
#   - LU-HUM-4
#   - LU-HUM-6
admit if {
	serves_the_owner
	stays_here
	seen_by_whom_it_may
}

# METADATA
# title: User purposes
# description: The purposes that provide the mail client to its owner, and those that keep and prove that promise.
user_purposes := {
	"account.manage",
	"audit.read",
	"inbox.compose",
	"inbox.organise",
	"inbox.read",
	"inbox.search",
	"inbox.send",
	"inbox.sync",
	"internal_ops",
	"support.view",
}

# METADATA
# title: Serves the owner
# description: The same for raw, derived, aggregated and anonymized data, for no class of data is named here.
# custom:
#   clauses:
#   - LU-USE-1
#   - LU-USE-2
#   - LU-PROH-ADS
#   - LU-PROH-CREDIT
#   - LU-PROH-AI
#   - LU-PROH-SURV
#   - LU-PROH-DB
serves_the_owner if {
	input.purpose in user_purposes
	not misused
}

# METADATA
# title: Misused
# scope: document
# description: |
#   Two purposes are for one kind of reading each, and would be too wide for any other. Nor may what is read
#   under them be read for another purpose.
misused if {
	input.purpose == "internal_ops"
	input.resource.kind != "aggregate"
}

misused if {
	input.resource.kind == "aggregate"
	input.purpose != "internal_ops"
}

misused if {
	input.purpose == "support.view"
	input.actor.kind != "staff"
}

misused if {
	input.actor.kind == "staff"
	not input.purpose in {"internal_ops", "support.view"}
}

# METADATA
# title: Recipients
# description: |
#   To whom the product itself has to transfer something. A bundle can register fewer, never more: security,
#   law and mergers (LU-XFER-2, LU-XFER-3, LU-XFER-4) are not among them.
recipients := {
	"platform_service",
	"push_service",
	"remote_host",
	"unsubscribe_host",
}

# METADATA
# title: Stays here
# scope: document
# description: Nobody gets the data but the one who asks, or else a recipient that the owner's consent names.
# custom: {clauses: [LU-XFER-1, LU-XFER-2, LU-XFER-3, LU-XFER-4, LU-XFER-5]}
stays_here if input.recipient == ""

stays_here if {
	input.recipient in recipients
	owner_told
}

# METADATA
# title: Owner told
# description: The owner's word, for this mailbox, feature, recipient and thing, and not over.
# custom: {clauses: [LU-XFER-1, LU-HUM-1]}
owner_told if {
	input.instruction.recipient == input.recipient
	input.instruction.account == input.account.id
	input.instruction.feature == input.feature
	input.instruction.resource != ""
	input.instruction.resource == input.subject
	input.instruction.given <= input.time
	input.time < input.instruction.expires
}

# METADATA
# title: Seen by whom it may
# scope: document
# description: Mail is for its owner's eyes; the log, which holds no mail, is for auditors and reviewers.
# custom: {clauses: [LU-HUM-1, LU-HUM-2, LU-HUM-3, LU-HUM-4, LU-HUM-6]}
seen_by_whom_it_may if {
	input.resource.kind in mail_kinds
	input.actor.kind == "owner"
	input.actor.id == input.account.owner
}

seen_by_whom_it_may if {
	input.resource.kind in mail_kinds
	input.actor.kind == "service"
	owner_told
}

seen_by_whom_it_may if {
	input.resource.kind == "message"
	input.actor.kind == "staff"
	input.operation in views
	owner_agreed
}

seen_by_whom_it_may if {
	input.resource.kind == "log"
	input.classes == {"decisions": true}
	input.actor.kind in {"auditor", "reviewer"}
}

seen_by_whom_it_may if {
	input.resource.kind == "log"
	input.classes == {"decisions": true}
	input.actor.kind == "owner"
	input.actor.id == input.account.owner
}

seen_by_whom_it_may if {
	input.resource.kind == "aggregate"
	input.classes == {"aggregate": true}
	input.actor.kind == "staff"
	released
}

seen_by_whom_it_may if {
	input.resource.kind == "aggregate"
	input.resource.form == "new"
	input.classes == {"derived": true}
	input.actor.kind == "service"
}

# METADATA
# title: Mail kinds
# description: What is of one mailbox, and so its owner's.
mail_kinds := {"draft", "history", "label", "mailbox", "message", "store", "thread"}

# METADATA
# title: Views
# description: What an agreement opens is looking. Nobody but the owner changes, moves or deletes anything.
views := {"messages.attachments.get", "messages.get"}

# METADATA
# title: Owner agreed
# description: |
#   One member of staff may see one message at a time that the owner agreed to show to that person, and for
#   no longer than four hours. The gate has verified the owner's sign-in over this very agreement before
#   `owner` is set: a row that says so is not enough. There is no other way: neither security nor law nor a
#   role opens a message (LU-HUM-3 and LU-HUM-4 are not adopted).
# custom: {clauses: [LU-HUM-1, LU-HUM-3, LU-HUM-4]}
owner_agreed if {
	agreement := input.agreement
	agreement.id != ""
	agreement.state == "active"
	agreement.account == input.account.id
	agreement.owner == input.account.owner
	agreement.requester == input.actor.id
	agreement.approver != ""
	agreement.approver != agreement.requester
	agreement.given <= input.time
	input.time < agreement.expires
	agreement.expires - agreement.given <= longest_view
	agreement.given < agreement.asked + longest_wait
	agreement.asked <= agreement.given + clock_skew
	count(agreement.messages) <= 10
	count(input.resource.ids) == 1
	with_attachments := agreement.messages[input.resource.ids[0]]
	attachments_agreed(with_attachments)
}

# METADATA
# title: Attachments agreed
# scope: document
# description: The attachments of a message are agreed to by a tick of their own.
# custom: {clauses: [LU-HUM-1]}
attachments_agreed(true)

attachments_agreed(false) if not input.classes.attachment

# METADATA
# title: Longest view
# description: Four hours, in microseconds.
longest_view := 14400000000

# METADATA
# title: Longest wait
# description: The owner answers within twelve hours, in microseconds, or the request has expired.
longest_wait := 43200000000

# METADATA
# title: Clock skew
# description: A minute, in microseconds, by which the owner's identity provider may be behind.
clock_skew := 60000000

# METADATA
# title: Released
# description: Numbers about at least fifty owners that went through the release gate.
# custom: {clauses: [LU-HUM-2]}
released if {
	input.release.id != ""
	input.release.id == input.resource.ids[0]
	count(input.resource.ids) == 1
	input.release.released > 0
	input.release.released <= input.time
	input.release.owners >= 50
}

# METADATA
# title: Denials
# description: The clauses that refuse, for people; empty exactly when `admit` holds.
# entrypoint: true
denials contains purpose_clause if not serves_the_owner

denials contains recipient_clause if not stays_here

denials contains human_clause if not seen_by_whom_it_may

# METADATA
# title: Forbidden families
# description: The first word of a purpose that the promise names, and the clause that names it.
forbidden_families := {
	"ads": "LU-PROH-ADS",
	"advertising": "LU-PROH-ADS",
	"ai": "LU-PROH-AI",
	"credit": "LU-PROH-CREDIT",
	"database": "LU-PROH-DB",
	"export": "LU-PROH-DB",
	"growth_marketing": "LU-PROH-ADS",
	"law": "LU-HUM-4",
	"lending": "LU-PROH-CREDIT",
	"marketing": "LU-PROH-ADS",
	"security": "LU-HUM-3",
	"surveillance": "LU-PROH-SURV",
}

default purpose_clause := "LU-USE-1"

purpose_clause := forbidden_families[split(input.purpose, ".")[0]]

# METADATA
# title: Forbidden recipients
# description: The first word of a recipient that the promise names, and the clause that names it.
forbidden_recipients := {
	"acquirer": "LU-XFER-4",
	"ad_platform": "LU-XFER-5",
	"authority": "LU-XFER-3",
	"abuse_desk": "LU-XFER-2",
	"data_broker": "LU-XFER-5",
	"model_provider": "LU-PROH-AI",
	"reseller": "LU-XFER-5",
	"surveillance": "LU-PROH-SURV",
}

default recipient_clause := "LU-XFER-1"

recipient_clause := forbidden_recipients[split(input.recipient, ".")[0]]

default human_clause := "LU-HUM-1"

human_clause := "LU-HUM-2" if input.resource.kind == "aggregate"

human_clause := "LU-HUM-6" if input.resource.kind == "log"
