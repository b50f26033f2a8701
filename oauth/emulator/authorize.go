package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	accountPath = "/signin/account"
	consentPath = "/signin/consent"
	stylePath   = "/signin/style.css"
)

// maxQuery bounds an authorization request, in bytes.
const maxQuery = 16 << 10

// servePostedAuthorize turns a posted authorization request into the same
// request as a link. Browsers withhold the sign-in cookie from posts of other
// sites; they send it with the link.
func (s *Server) servePostedAuthorize(w http.ResponseWriter, r *http.Request) {
	form, err := parseBody(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	http.Redirect(w, r, r.URL.Path+"?"+form.Encode(), http.StatusSeeOther)
}

// serveAuthorize starts a sign-in: the account chooser, the consent page, or
// straight back to the client if there is nothing to ask.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	req, client, err := s.parseAuthorize(r.URL.RawQuery)
	if err != nil {
		s.refuse(w, err)
		return
	}
	p := page{request: req, browser: s.identify(w, r)}
	account, authTime, ok := s.signedInAccount(p.browser, req)
	switch {
	case ok:
		p.account, p.authTime = account, authTime
		if !s.mustAsk(p) {
			s.finish(w, r, p, req.scopes, false)
		} else if req.prompt.none {
			s.sendError(w, r, req, "interaction_required")
		} else {
			s.showConsent(w, p, client)
		}
	case req.prompt.none:
		// OIDC has finer words (login_required, consent_required); Google says
		// interaction_required for all of them.
		s.sendError(w, r, req, "interaction_required")
	default:
		s.showChooser(w, p, client)
	}
}

// parseAuthorize decides whether a request may be acted on. Every refusal here
// is for a page: until client and redirect URI are known to belong together
// nobody may be sent anywhere, and past that Google does the same.
func (s *Server) parseAuthorize(query string) (authRequest, Client, *oauthError) {
	if len(query) > maxQuery {
		return authRequest{}, Client{}, badRequest("invalid_request", "The request is too long.")
	}
	form, err := url.ParseQuery(query)
	if err != nil {
		return authRequest{}, Client{}, badRequest("invalid_request", "The query cannot be read.")
	}
	req, refusal := parseAuthRequest(form)
	client, known := s.client(req.clientID)
	switch {
	case req.clientID == "" || req.redirectURI == "":
		return req, client, refusal
	case !known:
		return req, client, unauthorized("invalid_client", "The OAuth client was not found.")
	case !client.allows(req.redirectURI):
		return req, client, badRequest("redirect_uri_mismatch", "The redirect URI in the request is not one that the application has registered.")
	case refusal != nil:
		return req, client, refusal
	case client.Secret == "" && req.challenge == "":
		return req, client, badRequest("invalid_request", "Missing required parameter: code_challenge")
	}
	_, refusal = s.resolveScopes(req.scopes, nil)
	return req, client, refusal
}

// signedInAccount picks the account without asking: the hinted one, or the only
// one, if it is signed in, recently enough, and the client wants no chooser.
func (s *Server) signedInAccount(browser digest, req authRequest) (account string, at time.Time, ok bool) {
	if req.prompt.selectAccount {
		return "", at, false
	}
	signedIn := s.browsers.signedIn(browser)
	if req.loginHint != "" {
		hinted, _ := s.hinted(req.loginHint) // unknown: no account, ask
		account = accountKey(hinted.Email)
	} else if len(signedIn) == 1 {
		for account = range signedIn {
		}
	}
	at, ok = signedIn[account]
	return account, at, ok && fresh(at, s.now(), req.maxAge)
}

// hinted finds the user that a login_hint names by address or subject.
func (s *Server) hinted(hint string) (User, bool) {
	if user, ok := s.user(accountKey(hint)); ok {
		return user, true
	}
	for _, user := range s.sortedUsers() {
		if s.subject(user) == hint {
			return user, true
		}
	}
	return User{}, false
}

// mustAsk reports whether the person has to agree before the request is met.
func (s *Server) mustAsk(p page) bool {
	if p.request.prompt.consent {
		return true
	}
	if s.skipConsent {
		return false
	}
	held, offline := s.ledger.held(p.account, p.request.clientID)
	for _, scope := range p.request.scopes {
		if !slices.Contains(held, s.canonical(scope)) {
			return true
		}
	}
	return p.request.offline && !offline
}

// serveAccountChoice takes the answer of the account chooser.
func (s *Server) serveAccountChoice(w http.ResponseWriter, r *http.Request) {
	form, err := parseBody(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	p, ok := s.browsers.answer(form.Get("page"), s.identify(w, r))
	if !ok {
		s.refuseStale(w)
		return
	}
	if form.Has("cancel") {
		s.sendError(w, r, p.request, "access_denied")
		return
	}
	account := accountKey(form.Get("account"))
	if _, ok := s.user(account); !ok {
		s.refuse(w, badRequest("invalid_request", "There is no such account."))
		return
	}
	p.account = account
	p.authTime = s.browsers.signIn(p.browser, account, p.request.maxAge)
	if !s.mustAsk(p) {
		s.finish(w, r, p, p.request.scopes, false)
		return
	}
	// Shown at an address of its own, so that reloading it posts nothing. The
	// client id is there because reviewers want to see it in the address bar.
	next := url.Values{"page": {s.browsers.open(p)}, "client_id": {p.request.clientID}}
	http.Redirect(w, r, consentPath+"?"+next.Encode(), http.StatusSeeOther)
}

// serveConsentPage shows the consent page that serveAccountChoice opened.
func (s *Server) serveConsentPage(w http.ResponseWriter, r *http.Request) {
	secret := r.URL.Query().Get("page")
	p, ok := s.browsers.show(secret, s.identify(w, r))
	client, known := s.client(p.request.clientID)
	if !ok || !known || p.account == "" {
		s.refuseStale(w)
		return
	}
	s.renderConsent(w, p, client, secret)
}

// serveConsentAnswer takes the answer of the consent page.
func (s *Server) serveConsentAnswer(w http.ResponseWriter, r *http.Request) {
	form, err := parseBody(r, "scope")
	if err != nil {
		s.refuse(w, err)
		return
	}
	p, ok := s.browsers.answer(form.Get("page"), s.identify(w, r))
	if !ok || p.account == "" {
		s.refuseStale(w)
		return
	}
	granted := s.ticked(p, form["scope"])
	if form.Has("cancel") || len(granted) == 0 {
		s.sendError(w, r, p.request, "access_denied")
		return
	}
	s.finish(w, r, p, granted, true)
}

// ticked is what the person agreed to: of the scopes that were asked for, those
// that need no tick and those that got one. Ticks for others mean nothing.
func (s *Server) ticked(p page, ticks []string) []string {
	held, _ := s.ledger.held(p.account, p.request.clientID)
	lines, _ := s.resolveScopes(p.request.scopes, held) // known to resolve since parseAuthorize
	var granted []string
	for _, line := range lines {
		if !line.Tick || slices.Contains(ticks, line.Scope) {
			granted = append(granted, line.Scope)
		}
	}
	return granted
}

// finish sends the person back to the client with a code. A refresh token will
// come with it only if the person has just agreed to it, as at Google; where
// nobody is ever asked, always.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, p page, scopes []string, asked bool) {
	req := p.request
	var names []string
	for _, scope := range scopes {
		names = union(names, []string{s.canonical(scope)})
	}
	granted := code{
		scopes:      names,
		redirectURI: req.redirectURI,
		challenge:   req.challenge,
		nonce:       req.nonce,
		authTime:    p.authTime,
		offline:     req.offline && (asked || s.skipConsent),
	}
	secret, covered := s.ledger.addCode(p.account, req.clientID, req.includeGranted, granted)
	reply := url.Values{"code": {secret}, "scope": {strings.Join(covered, " ")}, "authuser": {"0"}, "prompt": {"none"}}
	if asked {
		reply.Set("prompt", "consent")
	}
	s.sendBack(w, r, req, reply)
}

// sendError sends the person back to the client without a code.
func (s *Server) sendError(w http.ResponseWriter, r *http.Request, req authRequest, errorCode string) {
	s.sendBack(w, r, req, url.Values{"error": {errorCode}})
}

// sendBack completes the reply with what every reply has: the state as it came,
// and the issuer, so that a client of two providers can tell their replies
// apart (RFC 9207).
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, req authRequest, reply url.Values) {
	reply.Set("iss", s.origin())
	if req.state != "" {
		reply.Set("state", req.state)
	}
	separator := "?"
	if strings.Contains(req.redirectURI, "?") {
		separator = "&"
	}
	http.Redirect(w, r, req.redirectURI+separator+reply.Encode(), http.StatusSeeOther)
}
