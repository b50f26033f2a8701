# METADATA
# title: The floor
# description: |
#   What the company promised and no policy bundle can lift: the data serves its owner's mail client and
#   nothing else, it goes to nobody else, and no other human sees it. `data.webmail.decision` asks for it
#   together with the policy's own answer, so a bundle can only be stricter. It is written as what is
#   admitted, never as what is refused: whatever is missing or new is out.
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
#   clauses: [LU-USE-1, LU-XFER-1, LU-XFER-5, LU-PROH-ADS, LU-PROH-CREDIT, LU-PROH-AI, LU-PROH-SURV, LU-PROH-DB, LU-HUM-1]
admit if {
	serves_the_owner
	stays_here
	seen_by_whom_it_may
}

# METADATA
# title: User purposes
# description: The purposes that provide the mail client to its owner, and the audit of that promise.
user_purposes := {
	"account.manage",
	"audit.read",
	"inbox.compose",
	"inbox.organise",
	"inbox.read",
	"inbox.search",
	"inbox.send",
	"inbox.sync",
}

# METADATA
# title: Serves the owner
# custom: {clauses: [LU-USE-1, LU-PROH-ADS, LU-PROH-CREDIT, LU-PROH-AI, LU-PROH-SURV, LU-PROH-DB]}
serves_the_owner if input.purpose in user_purposes

# METADATA
# title: Stays here
# description: No recipient but the one who asks. A register of recipients needs the owner's consent to each.
# custom: {clauses: [LU-XFER-1, LU-XFER-5]}
stays_here if input.recipient == ""

# METADATA
# title: Seen by whom it may
# description: Mail is for its owner's eyes; the log, which holds no mail, is for auditors and reviewers.
# custom: {clauses: [LU-HUM-1, LU-HUM-6]}
seen_by_whom_it_may if {
	input.resource.kind != "log"
	input.actor.kind == "owner"
	input.actor.id == input.account.owner
}

seen_by_whom_it_may if {
	input.resource.kind != "log"
	input.actor.kind == "service"
	input.instruction.account == input.account.id
}

seen_by_whom_it_may if {
	input.resource.kind == "log"
	input.classes == {"decisions": true}
	input.actor.kind in {"auditor", "reviewer"}
}

# METADATA
# title: Denials
# description: The clauses that refuse, for people; empty exactly when `admit` holds.
# entrypoint: true
denials contains clause if {
	not serves_the_owner
	clause := purpose_clause
}

denials contains clause if {
	not stays_here
	clause := recipient_clause
}

denials contains "LU-HUM-1" if not seen_by_whom_it_may

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
	"lending": "LU-PROH-CREDIT",
	"marketing": "LU-PROH-ADS",
	"surveillance": "LU-PROH-SURV",
}

default purpose_clause := "LU-USE-1"

purpose_clause := forbidden_families[split(input.purpose, ".")[0]]

default recipient_clause := "LU-XFER-1"

recipient_clause := "LU-XFER-5" if {
	some family in {"ad_platform", "data_broker", "reseller"}
	startswith(input.recipient, family)
}
