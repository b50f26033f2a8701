package frontend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"github.com/klauspost/compress/gzhttp"

	"github.com/totalengage/webmail/frontend/platform"
	"github.com/totalengage/webmail/frontend/searches"
	"github.com/totalengage/webmail/frontend/signin"
	"github.com/totalengage/webmail/frontend/traffic"
	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/aggregate"
	"github.com/totalengage/webmail/policy/agreement"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// Product is how the product presents itself.
type Product struct {
	Name         string
	SupportEmail string
	Demo         bool
	UndoShown    time.Duration // how long the page offers to take a sent message back
}

// Config is what a Server is made of.
type Config struct {
	PublicURL string // origin under which browsers reach the server, without a path
	Product   Product
	Gate      *policy.Gate
	Log       *decisionlog.Log
	LogKey    string          // the log's verifier key, for auditors
	Sources   *policy.Sources // policies that were in force; nil where only the embedded one ever was
	Searches  *searches.Store // that auditors keep
	Inbox     *inbox.Service
	Permits   *consent.Permissions
	Sessions  *oauth.Sessions
	Owners    *oauth.Owners
	Vault     *oauth.Vault
	Desk      *agreement.Desk
	Mailboxes Mailboxes
	Rights    *oauth.Rights
	Kept      []Kept             // what rooms keep of a mailbox, for its owner's copy
	Platform  *platform.Platform // the company's other services
	SignIn    signin.Deps
	Numbers   *aggregate.Service
	Evidence  Evidence // about this very system, for reviewers
	LinkKey   []byte   // signs the links of inline images, at least 32 bytes
	Logger    *slog.Logger
	Pushes    PushVerifier // who may post Gmail's notifications; nil: nobody
}

// Mailboxes finds a mailbox by its address, and its address.
type Mailboxes interface {
	AccountByEmail(ctx context.Context, email string) (policy.AccountID, error)
	Identity(ctx context.Context, account policy.AccountID) (name, email string, err error)
}

// Server answers browsers.
type Server struct {
	Config
	origin *url.URL
	links  links
	sealed sealed
	schema *schema
	forms  []string // origins that forms may lead to: the sign-in providers

	traffic  *traffic.Counter
	tally    *decisionlog.Tally
	readings readings
	tracers  tracers

	draining chan struct{} // closed when the server is about to stop
	drain    sync.Once
}

// Drain ends the streams that would otherwise keep the server from stopping. Pages connect again by themselves.
func (s *Server) Drain() {
	s.drain.Do(func() { close(s.draining) })
	s.endReadings()
}

// New makes a server. Handler gives what to serve.
func New(c Config) (*Server, error) {
	origin, err := url.Parse(c.PublicURL)
	if err != nil || origin.Host == "" || strings.Trim(origin.Path, "/") != "" {
		return nil, fmt.Errorf("frontend: the public URL must be scheme://host[:port] without a path, not %q", c.PublicURL)
	}
	if len(c.LinkKey) < 32 {
		return nil, errors.New("frontend: the link key needs at least 32 bytes")
	}
	checked, err := newSchema()
	if err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{Config: c, origin: origin, links: links{key: c.LinkKey}, sealed: sealed{key: c.LinkKey}, schema: checked, forms: signin.FormActionOrigins(c.SignIn), traffic: traffic.New(time.Now()), tally: decisionlog.NewTally(c.Log), draining: make(chan struct{})}, nil
}

// Handler returns everything the server answers.
func (s *Server) Handler() (http.Handler, error) {
	r := mux.NewRouter()
	r.UseEncodedPath()
	for _, route := range routes {
		r.Handle(route.path, s.enter(route)).Methods(route.method)
	}
	s.mountPlatform(r)
	signin.Register(r, s.SignIn)
	if s.Pushes != nil {
		r.Handle(PushPath, newPushes(s.Mailboxes, s.Inbox.Pushed, s.Pushes)).Methods(http.MethodPost)
	}
	r.HandleFunc("/blank", s.blank).Methods(http.MethodGet)
	r.HandleFunc("/healthz", s.healthy).Methods(http.MethodGet)
	r.HandleFunc("/readyz", s.ready).Methods(http.MethodGet)
	r.PathPrefix("/assets/").Methods(http.MethodGet, http.MethodHead).Handler(assets())
	r.PathPrefix("/api/").Handler(s.problemHandler(errNoRoute))
	r.PathPrefix("/").Methods(http.MethodGet, http.MethodHead).HandlerFunc(s.page)
	r.MethodNotAllowedHandler = s.problemHandler(errMethod)
	r.NotFoundHandler = s.problemHandler(errNoRoute)

	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1024))
	if err != nil {
		return nil, fmt.Errorf("frontend: compression: %w", err)
	}
	compressed := compress(r)
	// A stream is written event by event, each at once: it passes by the compressor.
	split := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.Header.Get("Accept"), "text/event-stream") {
			r.ServeHTTP(w, req)
			return
		}
		compressed.ServeHTTP(w, req)
	})
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(s.problemHandler(errCrossSite))
	return s.observe(s.secure(cross.Handler(split))), nil
}
