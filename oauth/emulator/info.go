package emulator

import (
	"net/http"
	"strconv"
	"strings"
)

// tokenInfo is the answer of /tokeninfo; Google gives its numbers as strings.
type tokenInfo struct {
	AuthorizedParty string `json:"azp"`
	Audience        string `json:"aud"`
	Subject         string `json:"sub"`
	Scope           string `json:"scope"`
	Expires         string `json:"exp"`        // Unix seconds
	ExpiresIn       string `json:"expires_in"` // seconds
	Email           string `json:"email,omitempty"`
	EmailVerified   string `json:"email_verified,omitempty"`
	AccessType      string `json:"access_type"`
}

// serveTokenInfo describes an access token. That Google takes it in the URL is
// why this is for debugging only.
func (s *Server) serveTokenInfo(w http.ResponseWriter, r *http.Request) {
	t, ok := s.ledger.lookup(r.URL.Query().Get("access_token"))
	if !ok {
		writeError(w, badRequest("invalid_token", "Invalid Value"))
		return
	}
	user, _ := s.user(t.from.grant.account)
	id := s.describe(user, t.scopes)
	info := tokenInfo{
		AuthorizedParty: t.from.grant.clientID,
		Audience:        t.from.grant.clientID,
		Subject:         id.Subject,
		Scope:           strings.Join(t.scopes, " "),
		Expires:         strconv.FormatInt(t.expires.Unix(), 10),
		ExpiresIn:       strconv.Itoa(int(t.expires.Sub(s.now()).Seconds())),
		Email:           id.Email,
		AccessType:      "online",
	}
	if id.EmailVerified {
		info.EmailVerified = "true"
	}
	if t.offline {
		info.AccessType = "offline"
	}
	writeJSON(w, http.StatusOK, info)
}

// serveUserInfo tells the holder of an access token who it belongs to (OIDC
// Core 5.3).
func (s *Server) serveUserInfo(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	t, ok := s.ledger.lookup(token)
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`) // RFC 6750, 3
		writeError(w, unauthorized("invalid_request", "Invalid Credentials"))
		return
	}
	user, _ := s.user(t.from.grant.account)
	writeJSON(w, http.StatusOK, s.describe(user, t.scopes))
}

// serveRevoke ends the grant behind an access or refresh token (RFC 7009). As
// at Google it takes no client authentication, since who holds the token may
// end it, and it ends the application's whole access to the account.
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		writeError(w, badRequest("invalid_request", "The request is not a form."))
		return
	}
	// Google documents the token in the body and accepts it in the URL.
	if !s.ledger.revokeToken(r.Form.Get("token")) {
		writeError(w, badRequest("invalid_token", "Token expired or revoked"))
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}
