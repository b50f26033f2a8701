// Package witness keeps a log from being rolled back or forked unseen. A witness, run by somebody else, signs a
// checkpoint of the log only after it has checked that it continues the last one it signed. So whoever holds the
// log's key and its database still cannot rewrite what the witness has seen.
//
// It speaks C2SP tlog-witness (https://c2sp.org/tlog-witness) with cosignatures as in C2SP tlog-cosignature:
//
//   - [Keeper] is the log's side: it has each new checkpoint cosigned and tells the gate when that is overdue.
//   - [Server] is a minimal witness for one or a few logs, for auditors to run. It keeps one small file a log.
//
// Who is trusted: nobody alone. A log and its witness would have to cheat together.
package witness
