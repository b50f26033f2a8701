// Package platform is the door for other services of the company: a CRM that shows how much is unread, or that
// starts a draft for its user. They call /platform/v1, one owner and one use at a time.
//
// A call carries a signed JWT (RFC 7523, private_key_jwt) as its bearer token. The JWT names the caller, one
// mailbox, and the one request it is for: method, address and the digest of the body. It lives for at most
// five minutes and is accepted once, on all nodes together. So a stolen token opens nothing else, and nothing
// twice.
//
// What a caller may use mail for is listed with its keys, in the operator's file of callers, and never
// declared by a request. The access that the policy decides has the purpose of the route, if it is listed with
// the caller's keys, and the caller's first purpose otherwise: a caller that is registered for marketing asks
// for marketing wherever it calls, and is refused by the rules, with clause ids and the id of the recorded
// decision. The caller also needs the owner's consent, which names it: see [Platform.Connect].
//
// To call:
//
//	Authorization: Bearer <JWT signed by one of the caller's keys>
//
//	header  alg (ES256, EdDSA, PS256 or RS256, as registered), kid
//	claims  iss = sub = the caller's id
//	        aud = the product's public URL + /platform/v1
//	        iat, exp: at most five minutes apart
//	        jti: 8 to 64 letters, digits, "-", "_", ".", used once
//	        mailbox: the handle that the owner's consent handed to the caller
//	        htm, htu: method and URL of the request, without a query (named as in RFC 9449)
//	        body_sha256: base64url of the SHA-256 of the body; left out when there is none
//
// Cookies are never read here and no other origin is allowed, so there is nothing for a foreign page to forge.
//
// Cost of a call: one signature check (some 60 µs for ES256), one committed row, one decision and one call to Gmail.
package platform
