package emulator

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server is one provider. It is safe for concurrent use.
type Server struct {
	name        string
	scopes      map[string]string
	aliases     map[string]string
	skipConsent bool
	now         func() time.Time

	keys     *keyring
	ledger   *ledger
	browsers *browsers

	mu      sync.RWMutex      // guards what follows
	issuer  string            // empty until known
	clients map[string]Client // by id
	users   map[string]User   // by account key
}

// New checks the options and makes a provider with a fresh signing key.
func New(o Options) (*Server, error) {
	if o.Name == "" {
		return nil, errors.New("emulator: options without a name")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	keys, err := newKeyring()
	if err != nil {
		return nil, err
	}
	s := &Server{
		name:        o.Name,
		scopes:      maps.Clone(o.Scopes),
		aliases:     maps.Clone(o.ScopeAliases),
		skipConsent: o.SkipConsent,
		now:         o.Now,
		keys:        keys,
		ledger:      newLedger(o.Now),
		browsers:    newBrowsers(o.Now),
		clients:     map[string]Client{},
		users:       map[string]User{},
	}
	if o.Issuer != "" {
		if err := s.SetIssuer(o.Issuer); err != nil {
			return nil, err
		}
	}
	for _, c := range o.Clients {
		if err := s.AddClient(c); err != nil {
			return nil, err
		}
	}
	for _, u := range o.Users {
		if err := s.AddUser(u); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// SetIssuer tells the server its origin, once the listener has a port. It must
// be called before the first request if [Options].Issuer was empty.
func (s *Server) SetIssuer(issuer string) error {
	if err := checkIssuer(issuer); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issuer = issuer
	return nil
}

// AddClient registers an application, or replaces the one with the same id.
func (s *Server) AddClient(c Client) error {
	if err := c.check(); err != nil {
		return err
	}
	c.RedirectURIs = slices.Clone(c.RedirectURIs)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c.ID] = c
	return nil
}

// AddUser adds an account, or replaces the one with the same address: new
// groups are in the next ID token, sessions and tokens stay.
func (s *Server) AddUser(u User) error {
	if err := u.check(); err != nil {
		return err
	}
	u.Groups, u.AMR = slices.Clone(u.Groups), slices.Clone(u.AMR)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[accountKey(u.Email)] = u
	return nil
}

// Handler serves the provider at the root of its origin. This is the whole
// table of what it answers.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()

	// For applications.
	mux.HandleFunc("GET /.well-known/openid-configuration", s.serveDiscovery)
	mux.HandleFunc("GET /oauth2/v3/certs", s.serveKeys)
	// The older paths of Google's hosts are what clients of those years still use.
	for _, path := range []string{"/token", "/oauth2/v4/token", "/o/oauth2/token"} {
		mux.HandleFunc("POST "+path, s.serveToken)
	}
	for _, path := range []string{"/revoke", "/o/oauth2/revoke"} {
		mux.HandleFunc("POST "+path, s.serveRevoke)
	}
	for _, path := range []string{"/tokeninfo", "/oauth2/v3/tokeninfo"} {
		mux.HandleFunc("GET "+path, s.serveTokenInfo)
	}
	for _, path := range []string{"/v1/userinfo", "/oauth2/v3/userinfo"} {
		mux.HandleFunc("GET "+path, s.serveUserInfo)
		mux.HandleFunc("POST "+path, s.serveUserInfo)
	}

	// For people. A client's site may post an authorization request (OIDC Core
	// 3.1.2.1), so only the pages' own forms are closed to other sites.
	for _, path := range []string{"/o/oauth2/v2/auth", "/o/oauth2/auth"} {
		mux.HandleFunc("GET "+path, s.serveAuthorize)
		mux.HandleFunc("POST "+path, s.servePostedAuthorize)
	}
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(s.serveCrossOriginRefusal))
	mux.Handle("POST "+accountPath, sameOrigin.Handler(http.HandlerFunc(s.serveAccountChoice)))
	mux.HandleFunc("GET "+consentPath, s.serveConsentPage)
	mux.Handle("POST "+consentPath, sameOrigin.Handler(http.HandlerFunc(s.serveConsentAnswer)))
	mux.HandleFunc("GET "+stylePath, serveStyle)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.origin() == "" {
			// Without an issuer every answer would be wrong in a way that is
			// hard to see from the client's side.
			http.Error(w, "The issuer has not been set yet.", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

// maxBody bounds what a client may send, in bytes: forms here are small.
const maxBody = 64 << 10

func (s *Server) origin() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.issuer
}

func (s *Server) client(id string) (Client, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.clients[id]
	return c, ok
}

func (s *Server) user(account string) (User, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u, ok := s.users[account]
	return u, ok
}

// sortedUsers lists all accounts, by address.
func (s *Server) sortedUsers() []User {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]User, 0, len(s.users))
	for _, u := range s.users {
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b User) int { return strings.Compare(a.Email, b.Email) })
	return list
}

// accountKey is how an account is named inside the server: its address, without
// regard to case.
func accountKey(email string) string { return strings.ToLower(email) }
