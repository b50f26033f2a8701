// Package emulator is an OpenID provider served from memory: Google's
// authorization server, or a company's staff directory, for demo and tests.
//
// It is what Google would be, so it imports nothing of the product, and the
// product talks to it only over HTTP, with the same clients it uses for Google
// (golang.org/x/oauth2 and github.com/coreos/go-oidc/v3). One engine plays both
// parts; [Google] and [Staff] are two settings of it:
//
//	google := emulator.Google()
//	google.Issuer = "http://localhost:8081"
//	google.Users = []emulator.User{{Email: "ada@example.com", Name: "Ada"}}
//	google.Clients = []emulator.Client{{ID: "web", Secret: "s", RedirectURIs: []string{callback}}}
//	server, err := emulator.New(google)
//	http.Serve(listener, server.Handler())
//
// # How it works
//
// Only the authorization code flow exists. A browser opens /o/oauth2/v2/auth;
// authRequest is that request once parsed. The person picks an account and
// agrees to scopes on two plain HTML pages (no script), and the browser returns
// to the client with a code. The client redeems the code at /token. Codes and
// tokens live in the ledger as digests, each pointing at the grant it came from,
// so that revoking a grant ends everything made from it at once.
//
// Nobody has a password here: picking an account is signing in. Therefore the
// server must never face anything but a demo or a test, which its pages say.
//
// Where Google and the standards differ, this follows Google: a request that is
// wrong is answered by a page and never by a redirect, refresh tokens come only
// with a consent, "email" is called by its long name once granted, and revoking
// any token of an application removes the whole grant.
//
// # What it costs
//
// New makes an RSA key of 2048 bits (about 0.1 s). Everything else is map
// look-ups under one mutex and, for each token response, one RSA signature
// (about 1 ms). Memory grows with live tokens, sign-in pages in progress and
// browsers seen; expired ones are swept. The server starts no goroutine, opens
// no file, calls nobody and writes no log.
package emulator
