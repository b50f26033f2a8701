// Package consent keeps what was disclosed to a mailbox owner and what the owner agreed to (clauses DISC-1,
// DISC-2, CHG-1 of the Limited Use registry).
//
// A disclosure is a text of this package, numbered, rendered with the product's name and shown in full just
// before Google's own consent page. Agreeing to it writes a [Record] that names the version and the SHA-256
// of the very text that was shown. Records are only ever added: withdrawing is a record too, and the newest
// record of a mailbox is what holds. No record holds an address, so all of them are kept as evidence when
// the mailbox is disconnected; when a person's account is deleted, they lose whose they were.
//
// A new version announces itself: the store notes when a deployment first ran with it. An owner who agreed to
// an older one goes on with what that one disclosed; what is new waits for the owner's agreement and, for
// owners who were there before, for 30 days from the announcement as well (CHG-2).
//
// Changing a published text is a new version: the digests in the tests hold the old ones in place, and the
// policy refuses every feature that the version its owner agreed to did not disclose.
//
// Cost: a text is rendered once at start; a record is one row of about 200 bytes.
package consent
