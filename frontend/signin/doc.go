// Package signin serves the pages around signing in: the redirects to Google and to the staff directory, the
// disclosure that comes before a mailbox is connected, and what anyone may read without signing in (privacy,
// Limited Use, how to delete data).
//
// Everything is HTML made on the server: no script, one stylesheet, forms that post to this origin. What a
// person does here is a form or a link, so the pages work before and without the application.
//
// A handler returns an error, and one table ([problemFor]) says what page and status it becomes. Posted forms
// from other sites are refused by the http.CrossOriginProtection around the whole server; replies of a provider
// are GET and protected by state, cookie, nonce and PKCE in package oauth.
package signin
