package emulator

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authRequest is an authorization request whose form is right. Whether the
// client exists and may be answered at redirectURI is still to be decided.
type authRequest struct {
	clientID       string
	redirectURI    string
	scopes         []string // as asked, without duplicates, never empty
	state          string
	nonce          string
	challenge      string // PKCE S256 challenge, or empty
	loginHint      string // an address or a subject number, or empty
	prompt         prompt
	offline        bool // access_type=offline: a refresh token is wanted
	includeGranted bool // tokens shall also cover what was granted before
	maxAge         *time.Duration
}

// prompt says which pages the client wants shown, or that none may be.
type prompt struct{ none, consent, selectAccount bool }

// parseAuthRequest reads the parameters of OIDC Core 3.1.2.1, RFC 7636 and
// Google's own. Every value must be given at most once (RFC 6749, 3.1);
// parameters it does not know are ignored.
func parseAuthRequest(form url.Values) (authRequest, *oauthError) {
	for name, values := range form {
		if len(values) > 1 {
			return authRequest{}, badRequest("invalid_request", "A parameter is given more than once.")
		}
		if name == "request" || name == "request_uri" {
			return authRequest{}, badRequest("request_not_supported", "Request objects are not supported.")
		}
	}
	req := authRequest{
		clientID:       form.Get("client_id"),
		redirectURI:    form.Get("redirect_uri"),
		scopes:         uniqueFields(form.Get("scope")),
		state:          form.Get("state"),
		nonce:          form.Get("nonce"),
		loginHint:      form.Get("login_hint"),
		includeGranted: form.Get("include_granted_scopes") == "true",
	}
	switch {
	case req.clientID == "":
		return req, badRequest("invalid_request", "Missing required parameter: client_id")
	case req.redirectURI == "":
		return req, badRequest("invalid_request", "Missing required parameter: redirect_uri")
	case form.Get("response_type") == "":
		return req, badRequest("invalid_request", "Missing required parameter: response_type")
	case form.Get("response_type") != "code":
		return req, badRequest("unsupported_response_type", "Only the response_type code is supported.")
	case form.Has("response_mode") && form.Get("response_mode") != "query":
		return req, badRequest("invalid_request", "Only the response_mode query is supported.")
	case len(req.scopes) == 0:
		return req, badRequest("invalid_request", "Missing required parameter: scope")
	}

	var err *oauthError
	if req.offline, err = parseAccessType(form.Get("access_type")); err != nil {
		return req, err
	}
	if req.prompt, err = parsePrompt(form.Get("prompt")); err != nil {
		return req, err
	}
	if req.maxAge, err = parseMaxAge(form.Get("max_age")); err != nil {
		return req, err
	}
	req.challenge, err = parseChallenge(form.Get("code_challenge"), form.Get("code_challenge_method"))
	return req, err
}

// uniqueFields splits at white space and drops repetitions, keeping the order.
func uniqueFields(s string) []string {
	var unique []string
	for _, field := range strings.Fields(s) {
		if !slices.Contains(unique, field) {
			unique = append(unique, field)
		}
	}
	return unique
}

func parseAccessType(s string) (offline bool, err *oauthError) {
	switch s {
	case "", "online":
		return false, nil
	case "offline":
		return true, nil
	}
	return false, badRequest("invalid_request", "Invalid access_type: must be online or offline.")
}

func parsePrompt(s string) (p prompt, err *oauthError) {
	for _, word := range strings.Fields(s) {
		switch word {
		case "none":
			p.none = true
		case "consent":
			p.consent = true
		case "select_account":
			p.selectAccount = true
		default:
			return p, badRequest("invalid_request", "Invalid prompt: must be none, or consent and select_account.")
		}
	}
	if p.none && (p.consent || p.selectAccount) {
		return p, badRequest("invalid_request", "Invalid prompt: none cannot be combined.")
	}
	return p, nil
}

// parseMaxAge reads a number of seconds; nil means that any sign-in will do.
func parseMaxAge(s string) (*time.Duration, *oauthError) {
	if s == "" {
		return nil, nil
	}
	// 31 bits of seconds are 68 years and fit a Duration.
	seconds, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return nil, badRequest("invalid_request", "Invalid max_age: must be a number of seconds.")
	}
	age := time.Duration(seconds) * time.Second
	return &age, nil
}

// parseChallenge accepts S256 alone. Google also takes "plain", which protects
// nobody who can read the request; a client that still sends it should notice.
func parseChallenge(challenge, method string) (string, *oauthError) {
	switch {
	case challenge == "" && method == "":
		return "", nil
	case challenge == "":
		return "", badRequest("invalid_request", "Missing required parameter: code_challenge")
	case method != "S256":
		return "", badRequest("invalid_request", "Invalid code_challenge_method: must be S256.")
	case len(challenge) != 43 || !isBase64URL(challenge):
		return "", badRequest("invalid_request", "Invalid code_challenge: must be the base64url form of a SHA-256.")
	}
	return challenge, nil
}

func isBase64URL(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
			return false
		}
		return true
	})
}
