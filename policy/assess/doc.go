// Package assess makes the evidence pack: what a reviewer of the Limited Use promise, or a CASA laboratory, is given
// to read, and can check without trusting whoever gave it.
//
// A [Pack] is a list of sections, each a list of [Item]s, and the files that they speak of. An item says what it
// shows, where that was read and when, and how it stands ([Status]). A status is always computed: from the tests of
// the run that the pack was made in, from the decision log, from the tables that the policy itself decides by. What
// nobody looked at is [NotRun], and what a program cannot show is said to need a laboratory or a human. There is no
// way to write down that something passed.
//
// The pieces:
//
//   - results.go reads what tests the run ran and how they ended; clauses.go and casa.go join that with the clause
//     registry and with the requirements of CASA, which name their tests.
//   - tables.go, diagram.go and inventory.go show what the code declares: scopes, recipients, terms, routes, ciphers.
//   - sbom.go and secrets.go look at what the program is built from, and at its source.
//   - record.go reads the decision log: what runs, whether it verifies, a sample of decisions with offline proofs.
//   - write.go lays the pack down as a directory, with a manifest of all its files signed as a note; verify.go checks
//     one, wherever it came from.
//
// Nothing of a message can get in: the log holds pseudonyms and closed words, the tables hold no data, and screens
// are taken of made-up mail.
//
// Cost: reading the log once from one end to the other, some ten seconds a million events.
package assess
