//go:build !release

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	gmail "github.com/totalengage/webmail/inbox/emulator"
	signon "github.com/totalengage/webmail/oauth/emulator"
)

// emulateCmd serves the Gmail API and Google's sign-in on one port.
type emulateCmd struct {
	Addr    string   `help:"Address to listen on." default:"127.0.0.1:8025"`
	Seed    string   `help:"YAML file with users, tokens, messages and OAuth clients (docs/emulate.md)." type:"existingfile"`
	Import  []string `help:"Mail to import: an mbox, a Maildir, an .eml file or a tree of them, as PATH or ADDRESS=PATH; without an address, for the seed's first user." sep:"none"`
	Quota   string   `help:"Quota table: new (since May 2026), old, or off." default:"new" enum:"new,old,off"`
	Control bool     `help:"Serve /emulator/, through which tests switch faults and latency, read counters and verify addresses."`
	Data    string   `help:"Directory to keep mailboxes in; without it, nothing is kept. A seed's users that are there already are left as they are." type:"path"`

	Latency          time.Duration `help:"Wait before every HTTP request is served; a batch is one."`
	Concurrency      int           `help:"Calls of one user served at once before \"Too many concurrent requests for user\"; 0 is no limit."`
	HistoryRetention time.Duration `help:"How far back history.list looks; what is older answers 404." default:"168h"`

	Push         string `help:"URL that notifications of watched mailboxes are posted to, as by a Pub/Sub push subscription."`
	PushAudience string `help:"Audience of the notifications' token; the URL by default."`
	PushAccount  string `help:"Service account that the token is of." default:"gmail-push@emulated.iam.gserviceaccount.com"`
}

// memoryPercent makes the garbage collector work earlier than Go's 100: the heap is mail,
// which stays.
const memoryPercent = 30

func (c *emulateCmd) Run(ctx context.Context) (err error) {
	debug.SetGCPercent(memoryPercent)
	g, err := pushingGoogle(gmail.Options{
		Quota: c.Quota, Control: c.Control, Concurrency: c.Concurrency, HistoryRetention: c.HistoryRetention,
		Push: gmail.Push{URL: c.Push, Audience: c.PushAudience},
	}, c.PushAccount)
	if err != nil {
		return err
	}
	g.mail.SetLatency(c.Latency)
	defer func() { err = errors.Join(err, g.mail.Close()) }()
	if err := c.fill(g); err != nil {
		return err
	}
	debug.FreeOSMemory() // what filling took besides the mail
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	origin := "http://" + l.Addr().String()
	if err := g.signOn.SetIssuer(origin); err != nil {
		return err
	}
	fmt.Printf("Gmail API and Google sign-in at %s/ (discovery: %s/.well-known/openid-configuration)\n", origin, origin)
	return serveUntil(ctx, l, g)
}

func (c *emulateCmd) fill(g *emulatedGoogle) error {
	if c.Data != "" {
		if err := g.keep(c.Data); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	if c.Seed != "" {
		f, err := os.Open(c.Seed)
		if err != nil {
			return fmt.Errorf("the seed cannot be read: %w", err)
		}
		defer f.Close()
		seed, err := gmail.ParseSeed(f)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Seed, err)
		}
		if err := g.apply(seed, filepath.Dir(c.Seed)); err != nil {
			return fmt.Errorf("%s: %w", c.Seed, err)
		}
	}
	return c.imports(g)
}

// imports reads mail and says what was refused and why; a refused message does not stop the others.
func (c *emulateCmd) imports(g *emulatedGoogle) error {
	for _, item := range c.Import {
		address, path, named := strings.Cut(item, "=")
		if !named || !strings.Contains(address, "@") {
			users := g.mail.Users()
			if len(users) == 0 {
				return errors.New("--import needs a user: give a --seed, or ADDRESS=PATH")
			}
			address, path = users[0].Email, item
		}
		if !g.mail.HasUser(address) {
			if err := g.addUser(address, address); err != nil {
				return err
			}
		}
		report, err := g.mail.ImportPath(address, path, []string{"INBOX"})
		if err != nil {
			return fmt.Errorf("importing: %w", err)
		}
		fmt.Printf("imported %d messages, refused %d\n", report.Imported, len(report.Refused))
		for _, r := range report.Refused {
			fmt.Printf("  refused: %s: %s\n", r.File, r.Reason)
		}
	}
	return nil
}

// emulatedGoogle is what Google would be: Gmail and the sign-in that its tokens come from, in one origin.
type emulatedGoogle struct {
	mail   *gmail.Server
	signOn *signon.Server
	static gmail.StaticTokens
	gmail  http.Handler
	auth   http.Handler
}

func newGoogle(quota string, control bool) (*emulatedGoogle, error) {
	return pushingGoogle(gmail.Options{Quota: quota, Control: control}, "")
}

// pushingGoogle signs its notifications as a service account of the sign-in.
func pushingGoogle(o gmail.Options, account string) (*emulatedGoogle, error) {
	g := &emulatedGoogle{static: gmail.StaticTokens{}}
	var err error
	if g.signOn, err = signon.New(signon.Google()); err != nil {
		return nil, err
	}
	o.Auth = gmail.Chain(g.static, signedIn{g.signOn})
	o.Push.Sign = func(audience string) (string, error) { return g.signOn.ServiceToken(account, audience) }
	g.mail = gmail.New(o)
	g.gmail, g.auth = g.mail.Handler(), g.signOn.Handler()
	return g, nil
}

// keep brings back the mailboxes of an earlier run. Sign-ins are not kept: its tokens are no longer good.
func (g *emulatedGoogle) keep(dir string) error {
	if err := g.mail.Keep(dir); err != nil {
		return err
	}
	for _, u := range g.mail.Users() {
		if err := g.signOn.AddUser(signon.User{Email: u.Email, Name: u.Name}); err != nil {
			return err
		}
	}
	return nil
}

// signedIn lets the emulated Gmail accept the tokens of the emulated sign-in.
type signedIn struct{ server *signon.Server }

func (s signedIn) Lookup(token string) (gmail.TokenInfo, bool) {
	info, ok := s.server.Lookup(token)
	return gmail.TokenInfo{Email: info.Email, Scopes: info.Scopes, ClientID: info.ClientID}, ok
}

func (g *emulatedGoogle) addUser(email, name string) error {
	if err := g.mail.AddUser(email, name); err != nil {
		return err
	}
	return g.signOn.AddUser(signon.User{Email: email, Name: name})
}

// apply fills both halves from a seed. A user whose mailbox was kept has it as it was.
func (g *emulatedGoogle) apply(seed *gmail.Seed, dir string) error {
	maps.Copy(g.static, seed.StaticTokens()) // before anything is served
	for _, u := range seed.Users {
		if err := g.signOn.AddUser(signon.User{Email: u.Email, Name: u.Name}); err != nil {
			return err
		}
	}
	for _, c := range seed.Clients {
		if err := g.signOn.AddClient(signon.Client{ID: c.ID, Secret: c.Secret, RedirectURIs: c.RedirectURIs}); err != nil {
			return err
		}
	}
	fresh := *seed
	fresh.Users = slices.DeleteFunc(slices.Clone(seed.Users), func(u gmail.SeedUser) bool { return g.mail.HasUser(u.Email) })
	return g.mail.Apply(&fresh, dir)
}

// ServeHTTP gives Gmail its paths and the sign-in all others.
func (g *emulatedGoogle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, prefix := range []string{"/gmail/", "/upload/", "/resumable/", "/batch", "/discovery/", "/$discovery/", "/emulator/"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			g.gmail.ServeHTTP(w, r)
			return
		}
	}
	g.auth.ServeHTTP(w, r)
}
