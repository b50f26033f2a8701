package emulator

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// tokenResponse is the answer of the token endpoint (RFC 6749, 5.1).
type tokenResponse struct {
	AccessToken  string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	TokenType    string `json:"token_type"`
	IDToken      string `json:"id_token,omitempty"`
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	response, err := s.tokenFor(r)
	if err != nil {
		if err.Status == http.StatusUnauthorized && r.Header.Get("Authorization") != "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="token"`) // RFC 6749, 5.2
		}
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, response)
}

func (s *Server) tokenFor(r *http.Request) (*tokenResponse, *oauthError) {
	form, err := parseBody(r)
	if err != nil {
		return nil, err
	}
	// The client first: a code or a refresh token is looked at only for someone
	// who may have it.
	client, err := s.authenticateClient(r, form)
	if err != nil {
		return nil, err
	}
	switch form.Get("grant_type") {
	case "authorization_code":
		return s.exchange(client, form)
	case "refresh_token":
		return s.refresh(client, form)
	case "":
		return nil, badRequest("invalid_request", "Missing required parameter: grant_type")
	}
	return nil, badRequest("unsupported_grant_type", "Invalid grant_type")
}

// parseBody reads a form from the body alone: secrets have no place in a URL.
// No name may be repeated, except those in lists.
func parseBody(r *http.Request, lists ...string) (url.Values, *oauthError) {
	if err := r.ParseForm(); err != nil {
		return nil, badRequest("invalid_request", "The request body is not a form.")
	}
	for name, values := range r.PostForm {
		if len(values) > 1 && !slices.Contains(lists, name) {
			return nil, badRequest("invalid_request", "A parameter is given more than once.")
		}
	}
	return r.PostForm, nil
}

// authenticateClient accepts the secret in the Authorization header or in the
// body (RFC 6749, 2.3.1), not in both.
func (s *Server) authenticateClient(r *http.Request, form url.Values) (Client, *oauthError) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		if secret != "" {
			return Client{}, badRequest("invalid_request", "The client may authenticate in one way only.")
		}
		var errUser, errPassword error
		if user, errUser = url.QueryUnescape(user); errUser == nil {
			password, errPassword = url.QueryUnescape(password)
		}
		if errUser != nil || errPassword != nil || id != "" && id != user {
			return Client{}, unauthorized("invalid_client", "Unauthorized")
		}
		id, secret = user, password
	}
	if id == "" {
		return Client{}, badRequest("invalid_request", "Could not determine client ID from request.")
	}
	client, ok := s.client(id)
	if !ok {
		return Client{}, unauthorized("invalid_client", "The OAuth client was not found.")
	}
	if subtle.ConstantTimeCompare([]byte(client.Secret), []byte(secret)) != 1 {
		return Client{}, unauthorized("invalid_client", "The provided client secret is invalid.")
	}
	return client, nil
}

func (s *Server) exchange(client Client, form url.Values) (*tokenResponse, *oauthError) {
	if form.Get("code") == "" {
		return nil, badRequest("invalid_request", "Missing required parameter: code")
	}
	c, err := s.ledger.redeem(redemption{
		code:        form.Get("code"),
		clientID:    client.ID,
		redirectURI: form.Get("redirect_uri"),
		verifier:    form.Get("code_verifier"),
	})
	if err != nil {
		return nil, err
	}
	response, err := s.issue(c.from, c.scopes, c.offline, c.nonce, c.authTime)
	if err == nil && c.offline {
		response.RefreshToken = s.ledger.addRefresh(c)
	}
	return response, err
}

func (s *Server) refresh(client Client, form url.Values) (*tokenResponse, *oauthError) {
	if form.Get("refresh_token") == "" {
		return nil, badRequest("invalid_request", "Missing required parameter: refresh_token")
	}
	t, err := s.ledger.refreshable(form.Get("refresh_token"), client.ID)
	if err != nil {
		return nil, err
	}
	scopes := t.scopes
	if asked := uniqueFields(form.Get("scope")); len(asked) > 0 {
		for i, scope := range asked {
			asked[i] = s.canonical(scope)
			if !slices.Contains(t.scopes, asked[i]) {
				return nil, badRequest("invalid_scope", "A refresh cannot add scopes.")
			}
		}
		scopes = asked
	}
	return s.issue(t.from, scopes, true, "", t.authTime)
}

// issue makes an access token and, for openid, the ID token that goes with it.
func (s *Server) issue(from *lineage, scopes []string, offline bool, nonce string, authTime time.Time) (*tokenResponse, *oauthError) {
	user, known := s.user(from.grant.account)
	access, live := s.ledger.addAccess(from, scopes, offline)
	if !known || !live {
		return nil, badRequest("invalid_grant", "Token has been expired or revoked.")
	}
	response := &tokenResponse{
		AccessToken: access,
		ExpiresIn:   int(accessTokenLife.Seconds()),
		Scope:       strings.Join(scopes, " "),
		TokenType:   "Bearer",
	}
	if slices.Contains(scopes, "openid") {
		var err error
		response.IDToken, err = s.sign(user, from.grant.clientID, nonce, access, scopes, authTime)
		if err != nil {
			return nil, &oauthError{http.StatusInternalServerError, "server_error", "The ID token could not be signed."}
		}
	}
	return response, nil
}
