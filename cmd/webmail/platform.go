package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/totalengage/webmail/frontend/platform"
	"github.com/totalengage/webmail/policy"
)

// platformCmd helps those who write another service that calls /platform/v1.
type platformCmd struct {
	Token tokenCmd `cmd:"" help:"Sign the assertion for one call, for a bearer token of curl."`
	Key   keyCmd   `cmd:"" help:"Make a key pair for a service: the private JWK goes to a file, the public one, for the operator's file of callers, is printed."`
}

// tokenCmd prints an assertion. Nothing of it touches a server:
//
//	curl -H "Authorization: Bearer $(webmail platform token --caller=northwind-crm --key=FILE --mailbox=HANDLE --url=URL)" URL
type tokenCmd struct {
	Caller  string `help:"Id of the service, as the operator registered it." required:""`
	Key     string `help:"File with its private JWK." required:"" type:"existingfile"`
	Mailbox string `help:"Handle of the mailbox, from its owner's consent (Settings, Connected services)." required:""`
	URL     string `help:"Whole address of the call, such as https://mail.example.com/platform/v1/unread." required:""`
	Method  string `help:"Its method." default:"GET"`
	Body    string `help:"File with exactly the bytes of its body." type:"existingfile"`
}

func (c *tokenCmd) Run() error {
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return fmt.Errorf("the key: %w", err)
	}
	var body []byte
	if c.Body != "" {
		if body, err = os.ReadFile(c.Body); err != nil {
			return fmt.Errorf("the body: %w", err)
		}
	}
	token, err := platform.Sign(key, platform.Call{Caller: c.Caller, Mailbox: c.Mailbox, Method: c.Method, URL: c.URL, Body: body})
	if err != nil {
		return err
	}
	fmt.Println(token)
	return nil
}

type keyCmd struct {
	Kid string `help:"Id of the key, which its assertions name; another one for each key." required:""`
	Out string `help:"New file for the private JWK." required:"" type:"path"`
}

func (c *keyCmd) Run() error {
	public, err := newCallerKey(c.Out, c.Kid)
	if err != nil {
		return err
	}
	fmt.Println(string(public))
	return nil
}

// newCallerKey writes a private JWK to a file that must not be there yet, and returns the public one.
func newCallerKey(path, kid string) (public []byte, err error) {
	private, public, err := platform.NewKey(kid)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, errors.New("the file for the private key is there already; keys are not overwritten")
	}
	if err != nil {
		return nil, fmt.Errorf("the file for the private key: %w", err)
	}
	_, err = f.Write(append(private, '\n'))
	return public, errors.Join(err, f.Close())
}

// readCallers reads the operator's register of other services; without one there are none.
func (o serverOptions) readCallers() (*platform.Callers, error) {
	if o.Callers == "" {
		return &platform.Callers{}, nil
	}
	return platform.ReadCallers(o.Callers)
}

// openPlatform makes the door for the company's other services.
func (s *system) openPlatform(ctx context.Context) (err error) {
	s.platform, err = platform.New(ctx, platform.Config{
		Callers: s.callers, Gate: s.gate, Inbox: s.inbox, Permissions: s.permits, Database: s.product, PublicURL: s.options.PublicURL,
	})
	return err
}

func (f facts) Caller(ctx context.Context, id string) (policy.Caller, error) {
	return f.callers.Caller(ctx, id)
}
