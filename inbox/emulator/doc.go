// Package emulator is the Gmail API served from memory: what Google would be, for
// demos, tests and `webmail emulate`. It knows nothing of the product.
//
// The surface is Google's discovery document as a table (methods_table.go,
// schemas_table.go): every method is routed, checks its token, scopes and parameters,
// and is built. A mailbox keeps messages byte for byte, with threads, labels, drafts
// and a history; users of one Server send mail to one another, and their settings act
// on what arrives. FIDELITY.md says of each behaviour how sure it is.
//
//	srv := emulator.New(emulator.Options{Auth: emulator.StaticTokens{
//		"alice-token": {Email: "alice@example.com", Scopes: []string{"https://mail.google.com/"}},
//	}})
//	err := srv.AddUser("alice@example.com", "Alice Example")
//	http.ListenAndServe("127.0.0.1:8080", srv.Handler())
//
// Serve it at the root of its own port: Google's Go client drops a path prefix
// for uploads.
//
// Everything is in memory; Keep also keeps it in a directory. Watched mailboxes are
// announced to Options.Push.
//
// It costs memory: each message is held once a mailbox, raw, with its snippet and
// an entry in the search index for each different word, about 6.5 kB for a message of
// 4 kB. Storing a message parses it and enters its words (0.1 ms for 4 kB). Lists and
// searches cost one step a message of the mailbox, messages.get one parse of the
// message; a phrase is looked for in the text of those that have all its words.
package emulator
