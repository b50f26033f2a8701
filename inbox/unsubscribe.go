package inbox

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// UnsubscribeKind says how a mailing list lets go of a reader.
type UnsubscribeKind string

// The kinds, best first.
const (
	OneClick UnsubscribeKind = "one_click" // one request from here (RFC 8058)
	ByMail   UnsubscribeKind = "mail"      // a mail that the owner sends
	OnTheWeb UnsubscribeKind = "web"       // a page that the owner opens
)

// Unsubscribe is the way off a mailing list that a message names (RFC 2369).
type Unsubscribe struct {
	Kind UnsubscribeKind
	Host string // who is told, in lower case
	URL  string // for OneClick and OnTheWeb
	Mail struct{ To, Subject, Text string }
}

// unsubscribeOf reads the way off a list, or nil. It is offered only where the sender is proven: a forged
// message must not make its reader tell anybody anything. A request from here needs more: both headers under
// a good signature (RFC 8058 4).
func unsubscribeOf(m *gmail.Message) *Unsubscribe {
	if slices.ContainsFunc(m.LabelIds, func(l string) bool { return l == "SPAM" || l == "SENT" || l == "DRAFT" }) {
		return nil
	}
	if _, proven := senderOf(m.Payload); !proven {
		return nil
	}
	var page, mail *Unsubscribe
	for _, raw := range angled(header(m.Payload, "List-Unsubscribe")) {
		u, err := url.Parse(raw)
		switch {
		case err != nil || len(raw) > maxUnsubscribe:
		case u.Scheme == "mailto" && mail == nil:
			mail = byMail(u)
		case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && (page == nil || !strings.HasPrefix(page.URL, "https:")):
			page = &Unsubscribe{Kind: OnTheWeb, Host: strings.ToLower(u.Hostname()), URL: u.String()}
		}
	}
	once := strings.EqualFold(strings.Join(strings.Fields(header(m.Payload, "List-Unsubscribe-Post")), ""), oneClickBody)
	if once && page != nil && strings.HasPrefix(page.URL, "https:") && signed(m.Payload, "List-Unsubscribe", "List-Unsubscribe-Post") {
		page.Kind = OneClick
		return page
	}
	if mail != nil {
		return mail
	}
	return page
}

const (
	maxUnsubscribe = 4096 // bytes of a URL
	oneClickBody   = "List-Unsubscribe=One-Click"
)

// angled returns what stands in angle brackets, white space taken out.
func angled(value string) (out []string) {
	for {
		_, rest, ok := strings.Cut(value, "<")
		inner, after, closed := strings.Cut(rest, ">")
		if !ok || !closed {
			return out
		}
		out = append(out, strings.Join(strings.Fields(inner), ""))
		value = after
	}
}

// byMail reads a mailto URL with one recipient (RFC 6068); nothing else of it is taken over but subject and text.
func byMail(u *url.URL) *Unsubscribe {
	to, err := url.PathUnescape(u.Opaque)
	if err != nil {
		return nil
	}
	to, why := normalAddress(to)
	if why != "" {
		return nil
	}
	// In a mailto URL, unlike in a form, '+' is a plus sign.
	q, err := url.ParseQuery(strings.ReplaceAll(u.RawQuery, "+", "%2B"))
	if err != nil {
		return nil
	}
	out := &Unsubscribe{Kind: ByMail, Host: strings.ToLower(afterAt(to))}
	for name, values := range q {
		switch strings.ToLower(name) {
		case "subject":
			out.Mail.Subject = headerText(values[0])
		case "body":
			out.Mail.Text = values[0]
		}
	}
	if out.Mail.To = to; out.Mail.Subject == "" {
		out.Mail.Subject = "unsubscribe"
	}
	return out
}

// unsubscribeTime is how long the owner's word to tell one host stands: the request follows at once.
const unsubscribeTime = 5 * time.Minute

// UnsubscribeResult is what came of telling a list.
type UnsubscribeResult struct {
	Host     string
	Accepted bool // the host said yes; otherwise it refused, or answered in a way that says nothing
}

// Unsubscribe tells the list of a message that its reader wants no more of it, in the one request that the
// list's own header asks for. host is whom the owner agreed to tell: anything else is an *InvalidError, a
// message that offers no such request ErrNotFound. Redirects are not followed (RFC 8058 3.1).
func (s *Service) Unsubscribe(ctx context.Context, v Visit, messageID, host string) (UnsubscribeResult, error) {
	m, err := s.message(ctx, v.For("inbox.read", "message_view"), messageID)
	if err != nil {
		return UnsubscribeResult{}, err
	}
	way := unsubscribeOf(m)
	if way == nil || way.Kind != OneClick {
		return UnsubscribeResult{}, ErrNotFound
	}
	if way.Host != host {
		return UnsubscribeResult{}, &InvalidError{Field: "host", Why: "not the one that the message names"}
	}
	permission, err := s.permit(ctx, v, consent.Permission{
		Account: v.Account, Feature: v.Feature, Recipient: "unsubscribe_host", Resource: messageID, Shown: way.Host, Expires: s.now().Add(unsubscribeTime),
	}, "message")
	if err != nil {
		return UnsubscribeResult{}, err
	}
	// It was given for this one request; should this fail, it ends by itself.
	defer func() { _ = s.permissions.Withdraw(context.WithoutCancel(ctx), v.Account, permission) }()
	target := policy.Target{
		Operation: "unsubscribe.post", Resource: policy.IDs(policy.Messages, messageID), Classes: []policy.DataClass{policy.Derived},
		Params: way.URL, Body: sha256.Sum256([]byte(oneClickBody)),
	}
	grant, err := s.transfer(ctx, v, target, "unsubscribe_host", permission, messageID)
	if err != nil {
		return UnsubscribeResult{}, err
	}
	if err := s.gate.Use(ctx, grant, target); err != nil {
		grant.Finish(err, 0, 0)
		return UnsubscribeResult{}, err
	}
	err = s.tell(ctx, way.URL)
	grant.Finish(err, 1, int64(len(oneClickBody)))
	return UnsubscribeResult{Host: way.Host, Accepted: err == nil}, ctx.Err()
}

// tell makes the request of RFC 8058.
func (s *Service) tell(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(oneClickBody))
	if err != nil {
		return ErrOutside
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	once := *s.outside
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := once.Do(req)
	if err != nil {
		return unanswered{ErrOutside}
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%w (status %d)", ErrOutside, res.StatusCode)
	}
	return nil
}

// unanswered is the failure of a request that may have arrived all the same. The log records it as unknown.
type unanswered struct{ error }

func (unanswered) Unanswered() bool { return true }
