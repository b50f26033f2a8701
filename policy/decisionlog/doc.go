// Package decisionlog is the durable, append-only, tamper-evident record of every decision about Gmail data.
//
// Each event is a row, and its body, byte for byte, a leaf of a Merkle tree (RFC 6962, as in
// golang.org/x/mod/sumdb/tlog) whose hashes are written in the same transaction. That transaction also
// replaces the one head row {size, root, checkpoint} by compare-and-swap; the checkpoint is a C2SP
// tlog-checkpoint, signed with the log's Ed25519 key. So an event is durable, in the tree and signed for at
// the same moment, and [Log.Append] returns only after it.
//
// What holds here:
//
//   - Acknowledged events are never lost, and none is written twice. Where a commit's answer is an error, the log
//     asks the database whether it landed before it answers.
//   - When the log cannot write, everyone who waits gets an error and [Log.State] says why; each next Append
//     tries again. The gate above refuses access meanwhile.
//   - A change to anything that was signed (a body, a hash, the head, the number or order of events) is found by
//     [Log.Verify], which names it. The filter columns, which are not signed, are checked against the bodies.
//   - Rolling the whole database back, or rewriting it with the stolen key, is consistent in itself and is found only
//     by comparison with a checkpoint kept elsewhere: by the auditor or by a witness.
//
// Who is trusted: the holder of the signing key for what no outside checkpoint covers yet; the database for
// nothing but keeping what it has acknowledged.
//
// One committer goroutine writes for all callers of a process, taking as many as wait into one transaction.
// Several processes may append to one PostgreSQL database: they queue up at an advisory lock, and each proves
// that the head it finds continues the one it knew.
//
// Cost of an append with 1 KB of body on two idle cores and a fast disk: alone 0.3 ms on SQLite and 0.7 ms on
// PostgreSQL, about twice a bare commit; among 64 callers 60 µs each on either, that is 15,000 a second
// (BenchmarkAppend, BenchmarkBareCommit). An event takes about 1.7 KB of disk. Verifying a million takes five to
// ten seconds and a few megabytes (BenchmarkVerify).
package decisionlog
