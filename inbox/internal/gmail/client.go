package gmail

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	gmailv1 "google.golang.org/api/gmail/v1"
	"google.golang.org/api/option"

	"github.com/totalengage/webmail/policy"
)

// Google's own types, named here so that nobody else imports that package.
type (
	Message    = gmailv1.Message
	Part       = gmailv1.MessagePart
	Thread     = gmailv1.Thread
	Label      = gmailv1.Label
	Draft      = gmailv1.Draft
	Profile    = gmailv1.Profile
	History    = gmailv1.ListHistoryResponse
	Listing    = gmailv1.ListMessagesResponse
	DraftList  = gmailv1.ListDraftsResponse
	Attachment = gmailv1.MessagePartBody
)

// userAgent holds "gzip" because Google compresses only for agents that say so (GMAIL.md 1.4).
const userAgent = "totalengage-webmail/1 (gzip)"

// Config is what a Client is made of.
type Config struct {
	Endpoint  string // root of the Gmail API; "" is Google's
	Gate      *policy.Gate
	Tokens    Tokens
	Transport http.RoundTripper // the way out; nil is http.DefaultTransport
	Units     int               // quota a minute and account; 0 is DefaultUnitsPerMinute, negative no limit
}

// Client speaks to Gmail for grants of one gate. It is safe for concurrent use.
type Client struct {
	base   *url.URL
	gate   *policy.Gate
	tokens Tokens
	sender *sender
}

// GoogleEndpoint is where Gmail is.
const GoogleEndpoint = "https://gmail.googleapis.com/"

// New makes a client. The endpoint must be a root: Google's client loses a path prefix for uploads.
func New(c Config) (*Client, error) {
	if c.Gate == nil || c.Tokens == nil {
		return nil, errors.New("gmail: a client needs a gate and a token vault")
	}
	if c.Endpoint == "" {
		c.Endpoint = GoogleEndpoint
	}
	base, err := url.Parse(c.Endpoint)
	if err != nil || base.Host == "" || strings.Trim(base.Path, "/") != "" || base.RawQuery != "" {
		return nil, fmt.Errorf("gmail: the endpoint must be scheme://host[:port]/ without a path")
	}
	base.Path = "/"
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	return &Client{base: base, gate: c.Gate, tokens: c.Tokens, sender: newSender(c.Transport, c.Units)}, nil
}

// Forget drops the account's quota bucket, as at disconnect.
func (c *Client) Forget(account policy.AccountID) { c.sender.forget(account) }

// Plentiful says whether a request of urgency Ahead for a conversation would be sent now.
func (c *Client) Plentiful(account policy.AccountID) bool {
	return c.sender.of(account).roomFor(need{units: units["threads.get"], parts: 1, urgency: Ahead})
}

// Call is something to ask of Gmail; T is what comes back.
type Call[T any] struct {
	run func(ctx context.Context, w wire) (T, error)
	// parts, for a batch, are the requests inside it; nil for a call that is one request.
	parts func() ([]*http.Request, error)
}

// wire is where a call is sent.
type wire struct {
	client    *http.Client
	base      string     // root URL, with "/" at its end
	allowance *allowance // the account's; nil in a dry run
}

// lookBase stands in for the endpoint in a dry run.
const lookBase = "https://gmail.invalid/"

// Target says what the call would do, by building its requests and reading them as the guard will.
func (c Call[T]) Target() (policy.Target, error) {
	if c.parts != nil {
		requests, err := c.parts()
		if err != nil {
			return policy.Target{}, err
		}
		return joined(requests)
	}
	look := &lookout{}
	if _, err := c.run(context.Background(), wire{client: &http.Client{Transport: look}, base: lookBase}); look.seen == nil {
		return policy.Target{}, fmt.Errorf("gmail: the call sends nothing: %w", err)
	}
	return joined([]*http.Request{look.seen})
}

// lookout is the transport of a dry run: it keeps the request and sends nothing.
type lookout struct{ seen *http.Request }

var errLooked = errors.New("gmail: a dry run")

func (l *lookout) RoundTrip(req *http.Request) (*http.Response, error) {
	if l.seen == nil {
		copy := req.Clone(req.Context())
		if req.Body != nil {
			if req.GetBody == nil {
				if _, err := bodyBytes(req); err != nil {
					return nil, err
				}
			}
			copy.GetBody = req.GetBody
			copy.Body, _ = req.GetBody()
		}
		l.seen = copy
	}
	return nil, errLooked
}

// joined merges the targets of requests that differ only in the id they name.
func joined(requests []*http.Request) (policy.Target, error) {
	if len(requests) == 0 {
		return policy.Target{}, errors.New("gmail: an empty batch")
	}
	all, err := targetOf(requests[0])
	if err != nil {
		return all, err
	}
	for _, req := range requests[1:] {
		t, err := targetOf(req)
		if err != nil {
			return all, err
		}
		if t.Operation != all.Operation || t.Params != all.Params || t.Body != all.Body {
			return all, fmt.Errorf("%w: a batch of different calls", errUnreadable)
		}
		all.Resource.IDs = append(all.Resource.IDs, t.Resource.IDs...)
	}
	return all, nil
}

// callTime bounds a call with all its retries and its answer's body, uploads of 35 MiB included.
const callTime = 3 * time.Minute

// Do sends a call under a grant. Errors are *Error, or those of the gate and the token vault.
func Do[T any](ctx context.Context, c *Client, grant *policy.Grant, call Call[T]) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	result, err := call.run(ctx, c.wire(grant))
	return result, translate(unwrapURL(err))
}

// wire makes the way of one grant: the guard, and below it the account's allowance.
func (c *Client) wire(grant *policy.Grant) wire {
	account := policy.AccountID("")
	if grant != nil {
		account = grant.Account()
	}
	next := c.sender.forAccount(account, func(ctx context.Context) error { return c.gate.Valid(ctx, grant) })
	transport := &guard{gate: c.gate, grant: grant, tokens: c.tokens, scheme: c.base.Scheme, host: c.base.Host, next: next}
	return wire{client: &http.Client{Transport: transport, CheckRedirect: noRedirect}, base: c.base.String(), allowance: next.allowance}
}

// noRedirect: Gmail never redirects, and a token must not follow one.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// unwrapURL removes net/http's wrapping, which repeats the URL.
func unwrapURL(err error) error {
	var u *url.Error
	if !errors.As(err, &u) {
		return err
	}
	return u.Err
}

// service makes Google's client over ours.
func service(ctx context.Context, w wire) (*gmailv1.Service, error) {
	svc, err := gmailv1.NewService(ctx, option.WithHTTPClient(w.client), option.WithEndpoint(w.base), option.WithTelemetryDisabled())
	if err != nil {
		return nil, err
	}
	svc.UserAgent = userAgent
	return svc, nil
}
