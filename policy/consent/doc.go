// Package consent keeps what was disclosed to a mailbox owner and what the owner agreed to (clauses DISC-1,
// DISC-2, CHG-1 of the Limited Use registry).
//
// A disclosure is a text of this package, numbered, rendered with the product's name and shown in full just
// before Google's own consent page. Agreeing to it writes a [Record] that names the version and the SHA-256
// of the very text that was shown. Records are only ever added: withdrawing is a record too, and the newest
// record of a mailbox is what holds. No record holds an address, so all of them are kept as evidence when
// the mailbox is disconnected.
//
// Changing a published text is a new version: the digests in the tests hold the old ones in place, and the
// policy refuses every mailbox whose owner agreed to less than its own disclosure version.
//
// Cost: a text is rendered once at start; a record is one row of about 200 bytes.
package consent
