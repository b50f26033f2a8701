//go:build !release

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/totalengage/webmail/cmd/webmail/demodata"
	"github.com/totalengage/webmail/frontend/signin"
	signon "github.com/totalengage/webmail/oauth/emulator"
)

// demoCmd runs the product with everything it needs embedded: the same server as serve, over an emulated
// Google and an emulated staff provider. The emulators answer on localhost and the product on 127.0.0.1,
// because cookies ignore ports.
type demoCmd struct {
	Addr   string        `help:"Address of the product." default:"127.0.0.1:8080"`
	Data   string        `help:"Directory to keep the product's data in. Without it, a fresh one is made in data/demo at each start." type:"path"`
	Import []string      `help:"More mail for alice: an mbox, a Maildir, an .eml file or a tree of them." sep:"none"`
	Quota  string        `help:"Gmail quota table: new, old or off." default:"new" enum:"new,old,off"`
	Poll   time.Duration `help:"How often live updates ask for changes." default:"2s"`
	Hold   time.Duration `help:"How long a send can be undone." default:"5s"`
	Delay  time.Duration `help:"Latency added to every call to the emulated Gmail."`
}

// demoStaff are the people of the emulated staff provider. The passer-by has no second factor.
var demoStaff = []signon.User{
	{Email: "audit@staff.example.com", Name: "Avery Auditor", Groups: []string{"auditors"}, AMR: []string{"pwd", "mfa"}},
	{Email: "review@staff.example.com", Name: "Robin Reviewer", Groups: []string{"reviewers"}, AMR: []string{"pwd", "mfa"}},
	{Email: "support@staff.example.com", Name: "Sam Support", Groups: []string{"support"}, AMR: []string{"pwd", "mfa"}},
	{Email: "approve@staff.example.com", Name: "Pat Approver", Groups: []string{"approvers"}, AMR: []string{"pwd", "mfa"}},
	{Email: "operate@staff.example.com", Name: "Olive Operations", Groups: []string{"operations"}, AMR: []string{"pwd", "mfa"}},
}

var demoRoles = map[string]string{"auditors": "auditor", "reviewers": "reviewer", "support": "support", "approvers": "approver", "operations": "operations"}

func (c *demoCmd) Run(ctx context.Context) error {
	data, err := c.directory()
	if err != nil {
		return err
	}
	product, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen; another program has the port? Set ADDR: %w", err)
	}
	public := "http://" + product.Addr().String()
	work, inner := errgroup.WithContext(ctx)
	google, googleURL, err := c.google(inner, work, public)
	if err != nil {
		return err
	}
	_, staffURL, err := c.staff(inner, work, public)
	if err != nil {
		return err
	}
	callers, err := demoCallers(data)
	if err != nil {
		return err
	}
	o := serverOptions{
		Addr: c.Addr, PublicURL: public, Callers: callers, Units: quotas[c.Quota], Poll: c.Poll, UndoShown: c.Hold, UndoHeld: c.Hold + c.Hold/2, LogLevel: "warn", demo: true,
		LogDays: mostLogDays, UnusedDays: mostUnusedDays,
		storage: storage{Data: data, LogOrigin: "demo.webmail.local/decisions"},
		google:  googleOf(googleURL), staff: staffOf(staffURL),
		product: demoProduct(), outside: newDemoOutside(),
	}
	google.mail.SetLatency(c.Delay)
	s, err := newSystem(inner, o, newLogger(o.LogLevel))
	if err != nil {
		return err
	}
	defer s.close()
	work.Go(func() error {
		return s.serve(inner, product, func() {
			fmt.Printf("Webmail is ready at %s\nKeys to call it as another service: %s (webmail platform token --help)\n", public, filepath.Dir(callers))
		})
	})
	return work.Wait()
}

// quotas are the units a minute of Gmail's quota tables.
var quotas = map[string]int{"new": 6000, "old": 15000, "off": -1}

// The secrets of the demo live as long as the process.
var demoSecret = rand.Text()

const demoClient = "webmail-demo"

func googleOf(url string) google {
	return google{ClientID: demoClient, ClientSecret: demoSecret, Issuer: url, Gmail: url + "/"}
}

func staffOf(url string) staff {
	return staff{Issuer: url, ClientID: demoClient, ClientSecret: demoSecret, Roles: demoRoles}
}

func demoProduct() product {
	return product{Name: "Webmail", Operator: "Northwind Field Tools (a demonstration)", Country: "Norway", Contact: "privacy@example.com", Support: "support@example.com"}
}

// google starts the emulated Google with the demo's mailboxes.
func (c *demoCmd) google(ctx context.Context, work *errgroup.Group, public string) (*emulatedGoogle, string, error) {
	g, err := newGoogle(c.Quota, false)
	if err != nil {
		return nil, "", err
	}
	seed, err := demodata.Seed(time.Now())
	if err != nil {
		return nil, "", err
	}
	if err := g.apply(seed, "."); err != nil {
		return nil, "", err
	}
	for _, p := range demodata.Correspondents() { // whoever is answered has a mailbox: nothing bounces
		if err := g.mail.AddUser(p.Email, p.Name); err != nil {
			return nil, "", err
		}
	}
	for _, path := range c.Import {
		if _, err := g.mail.ImportPath(seed.Users[0].Email, path, []string{"INBOX"}); err != nil {
			return nil, "", fmt.Errorf("importing: %w", err)
		}
	}
	err = g.signOn.AddClient(signon.Client{ID: demoClient, Secret: demoSecret, Name: "Webmail", RedirectURIs: []string{
		public + signin.SignInCallbackPath, public + signin.ConnectCallbackPath, public + signin.ProofCallbackPath, public + signin.StepUpCallbackPath,
	}})
	if err != nil {
		return nil, "", err
	}
	l, url, err := localhost(public, 1)
	if err != nil {
		return nil, "", err
	}
	work.Go(func() error { return serveUntil(ctx, l, g) })
	return g, url, g.signOn.SetIssuer(url)
}

// staff starts the emulated identity provider of the company.
func (c *demoCmd) staff(ctx context.Context, work *errgroup.Group, public string) (*signon.Server, string, error) {
	o := signon.Staff()
	o.Users = demoStaff
	o.Clients = []signon.Client{{ID: demoClient, Secret: demoSecret, Name: "Webmail", RedirectURIs: []string{public + signin.StaffCallbackPath}}}
	p, err := signon.New(o)
	if err != nil {
		return nil, "", err
	}
	l, url, err := localhost(public, 2)
	if err != nil {
		return nil, "", err
	}
	work.Go(func() error { return serveUntil(ctx, l, p.Handler()) })
	return p, url, p.SetIssuer(url)
}

// localhost listens beside the product's port, so that a demo started again over kept data meets the same
// issuer, or on any free port when that one is taken. The name, not the address, keeps the emulators'
// cookies apart from the product's.
func localhost(public string, beside int) (net.Listener, string, error) {
	u, err := url.Parse(public)
	if err != nil {
		return nil, "", err
	}
	own, err := strconv.Atoi(u.Port())
	if err != nil {
		return nil, "", err
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(own+beside)))
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return l, "http://localhost:" + port, err
}

// demoMark is the file by which the demo knows a directory as its own to empty.
const demoMark = ".webmail-demo"

// directory gives the data directory: the one asked for as it is, or a fresh one.
func (c *demoCmd) directory() (string, error) {
	if c.Data != "" {
		return c.Data, os.MkdirAll(c.Data, 0o700)
	}
	dir := filepath.Join("data", "demo")
	mark := filepath.Join(dir, demoMark)
	if _, err := os.Stat(dir); err == nil {
		if _, err := os.Stat(mark); errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("%s exists and was not made by the demo; move it away or give --data", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", fmt.Errorf("the last demo's data cannot be removed: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, os.WriteFile(mark, nil, 0o600)
}
