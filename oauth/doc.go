// Package oauth knows whose mail it is: who is signed in, which mailboxes they have connected, and it holds
// the permission that Google gave for each.
//
// Signing in and connecting are two steps. [Owners.StartSignIn] asks Google only who someone is;
// [Owners.StartConnect] asks for the mailbox, and starts only from a recorded consent (DISC-2). Staff sign in
// at the company's own identity provider ([Staff]) and never have a mailbox. Both end in a session
// ([Sessions]): a random cookie whose digest is a row in the database.
//
// Somebody who is signed in may be asked to sign in once more: over an agreement, whose hash is then the nonce of
// the ID token that proves it ([Owners.StartProof], [Prover]), or before what cannot be undone
// ([Owners.StartStepUp], [Session.Fresh]).
//
// A server is put together in this order, because the gate asks the store for facts and the vault asks the
// gate for permission:
//
//	store, _ := oauth.Open(ctx, db, keys, consents, oauth.Options{})
//	gate, _ := policy.NewGate(ctx, policy.Config{Facts: ..., PseudonymKey: keys.Pseudonym()})
//	google, _ := oauth.NewProvider(oauth.Google(id, secret), client)
//	vault := store.Vault(gate, google)
//	owners := store.Owners(gate, vault, google, oauth.OwnersConfig{...})
//	sessions := store.Sessions(gate, oauth.SessionConfig{})
//
// What holds here:
//
//   - A token is used only under a grant: [Vault.Token] is the only way to one, and asks the gate itself.
//     Access tokens are in memory only; a refresh token is at rest only sealed.
//   - Every mailbox has a data key of its own, wrapped by the master keyset. Deleting that row makes
//     whatever was sealed with it unreadable, backups of other tables included ([Store.Seal]).
//   - No table has an address, name or subject number in the clear; they are looked up by HMAC.
//   - Every reply of a provider must answer a flow that this server started, in the browser that started
//     it, once, within ten minutes (state, cookie, nonce, PKCE).
//   - Disconnecting first makes every grant void, then tells Google, then deletes; each step is repeated by
//     [Vault.Maintain] until it has succeeded.
//   - Whatever ends a mailbox (its owner disconnects it, takes the agreement back, deletes the account, removes
//     the access at Google, or does not come back) takes the same steps ([Reason]). What was deleted is deleted
//     again when a copy of the database is put back ([Vault.Replay]): the decision log is the journal.
//   - A request about personal data has a clock that nobody can forget ([Rights]).
//
// Cost: a request with a session is one point read and one decryption (about 20 µs on SQLite), and one small
// write a minute; the facts of a decision are one query. A refresh is one round trip to Google an hour and
// mailbox, shared by all who wait for it.
package oauth
