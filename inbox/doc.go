// Package inbox is mail as the product knows it: conversations, messages, labels, drafts, search, sending.
//
// A [Service] serves every mailbox of the deployment. Each of its operations takes a [Visit] (who is
// there, in which mailbox, for which purpose and feature), asks the gate, and uses the Gmail client with
// the grant it gets. Nothing is read without a grant: not from Gmail, and not from the cache either.
//
// What is kept: message metadata and opened conversations in memory, bounded and dropped at sign-out; in
// the database, sealed with the owner's key, only what waits to be sent and what is being attached.
package inbox
