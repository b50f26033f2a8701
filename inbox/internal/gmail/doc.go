// Package gmail is the only way from this program to the Gmail API. It is the only importer of
// google.golang.org/api/gmail/v1, and it sits below inbox/internal so that the compiler keeps it so.
//
// A [Call] is a value that says what to ask of Gmail. Before it is sent, [Call.Target] runs the very code
// that will build the request against a transport that only looks, so that what policy decides is what the
// wire will carry. [Do] then sends it through the guard: a transport that reads each outgoing request
// (method, path, query, body, every part of a batch), derives from it what it does, and asks the gate
// whether the grant covers exactly that. A request that the guard cannot read is refused.
//
// Below the guard lie the token (opened by the vault for the grant), the account's quota bucket and
// concurrency cap, and the retries of GMAIL.md 2.4, for reads and idempotent changes only. A draft being
// made and a message being sent are never repeated here: only the outbox knows how to reconcile them.
//
// Costs: a dry run is a few microseconds; a batch of n parts is one trip and n calls of quota.
package gmail
