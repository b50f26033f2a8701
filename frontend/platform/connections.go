package platform

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// The lifecycle events of an owner's consent to a service.
const (
	EventConnected    = "service.connected"
	EventDisconnected = "service.disconnected"
)

// consentFor is how long an owner's consent to a service holds before it has to be given again.
const consentFor = 365 * 24 * time.Hour

// maxState bounds what a service has the owner carry back to it.
const maxState = 500

// ErrNothingToGet is for connecting a service of which no purpose is one that mail may be used for.
var ErrNothingToGet = errors.New("platform: nothing of a mailbox is for this service")

// Connection is a service as the owner of one mailbox sees it.
type Connection struct {
	Caller Caller
	Gets   []string  // what it gets once connected, in words; empty when nothing of a mailbox is for it
	Since  time.Time // of the consent; zero while it is not connected
	Until  time.Time
	Asks   bool // for something that the owner has not agreed to: all of it, or what the operator added since
}

// usesOf lists what a caller's purposes cover.
func usesOf(c Caller) []use {
	return slices.DeleteFunc(slices.Clone(uses), func(u use) bool { return u.do == nil || !c.May(u.purpose) })
}

// Connections lists the services with what the owner of a mailbox agreed to.
func (p *Platform) Connections(ctx context.Context, account policy.AccountID) ([]Connection, error) {
	given, err := p.Permissions.List(ctx, account)
	if err != nil {
		return nil, err
	}
	list := []Connection{}
	for _, caller := range p.Callers.list {
		list = append(list, connection(caller, given))
	}
	return append(list, p.orphans(given)...), nil
}

// orphans are services to which the owner agreed and which are registered no more. They get nothing, for nobody
// can sign in their name; they are listed so that the owner can take the consent back all the same.
func (p *Platform) orphans(given []consent.Permission) []Connection {
	var list []Connection
	for _, g := range given {
		_, known := p.Callers.find(g.Resource)
		if known || g.Recipient != recipient || slices.ContainsFunc(list, func(c Connection) bool { return c.Caller.ID == g.Resource }) {
			continue
		}
		name, _, _ := strings.Cut(g.Shown, ": ")
		list = append(list, Connection{Caller: Caller{ID: g.Resource, Name: name, Use: "It is no longer registered here."}, Gets: []string{}, Since: g.Given, Until: g.Expires})
	}
	return list
}

// connection joins a caller with the owner's permissions.
func connection(c Caller, given []consent.Permission) Connection {
	out := Connection{Caller: c, Gets: []string{}}
	for _, u := range usesOf(c) {
		out.Gets = append(out.Gets, u.gets)
		n := slices.IndexFunc(given, func(g consent.Permission) bool {
			return g.Recipient == recipient && g.Resource == c.ID && g.Feature == u.feature
		})
		if n < 0 {
			out.Asks = true
			continue
		}
		if out.Since.IsZero() || given[n].Given.Before(out.Since) {
			out.Since = given[n].Given
		}
		if out.Until.IsZero() || given[n].Expires.Before(out.Until) {
			out.Until = given[n].Expires
		}
	}
	return out
}

// Connect records the owner's consent that a service gets what its purposes cover of this mailbox, for a year. The
// caller has made sure that the actor is the owner. It fails with policy.ErrUnknown for a service that is not
// registered, and with ErrNothingToGet.
func (p *Platform) Connect(ctx context.Context, actor policy.Actor, account policy.AccountID, service string) (Connection, error) {
	caller, ok := p.Callers.find(service)
	if !ok {
		return Connection{}, policy.ErrUnknown
	}
	granted := usesOf(caller)
	if len(granted) == 0 {
		return Connection{}, ErrNothingToGet
	}
	// The record comes first: a consent that is used must be one that the log tells of.
	if err := p.record(ctx, EventConnected, actor, account, caller.ID, granted); err != nil {
		return Connection{}, err
	}
	for _, u := range granted {
		_, err := p.Permissions.Permit(ctx, consent.Permission{
			Account: account, Feature: u.feature, Recipient: recipient, Resource: caller.ID,
			Shown: caller.Name + ": " + u.gets + " " + caller.Use, Expires: p.Now().Add(consentFor),
		})
		if err != nil {
			return Connection{}, err
		}
	}
	given, err := p.Permissions.List(ctx, account)
	return connection(caller, given), err
}

// Disconnect takes the owner's consent back, of a service that is registered or was. It holds for the service's next call.
// Nothing to take back is no error.
func (p *Platform) Disconnect(ctx context.Context, actor policy.Actor, account policy.AccountID, service string) error {
	given, err := p.Permissions.List(ctx, account)
	if err != nil {
		return err
	}
	var ended []use
	var permissions []string
	for _, g := range given {
		if g.Recipient != recipient || g.Resource != service {
			continue
		}
		if err := p.Permissions.Withdraw(ctx, account, g.ID); err != nil && !errors.Is(err, policy.ErrUnknown) {
			return err
		}
		ended, permissions = append(ended, use{feature: g.Feature}), append(permissions, g.ID)
	}
	if len(ended) == 0 {
		return nil
	}
	return p.record(ctx, EventDisconnected, actor, account, service, ended, permissions...)
}

func (p *Platform) record(ctx context.Context, event string, actor policy.Actor, account policy.AccountID, service string, of []use, permissions ...string) error {
	features := make([]string, len(of))
	for i, u := range of {
		features[i] = string(u.feature)
	}
	slices.Sort(features)
	details := map[string]string{"service": service, "features": strings.Join(features, " ")}
	if len(permissions) > 0 {
		details["permission"] = strings.Join(permissions, " ") // ended again should a copy of the database bring them back
	}
	return p.Gate.Record(ctx, policy.Lifecycle{Event: event, Actor: actor, Account: account, Details: details})
}

// Return is where the owner goes after connecting a service: the address registered for it, with the mailbox's
// handle and the state that the service sent along. It is "" for a service without such an address.
func (c Caller) Return(account policy.AccountID, state string) (string, error) {
	if len(state) > maxState {
		return "", &inbox.InvalidError{Field: "state", Why: "longer than 500 bytes"}
	}
	if c.ReturnURL == "" {
		return "", nil
	}
	query := url.Values{"mailbox": {string(account)}}
	if state != "" {
		query.Set("state", state)
	}
	return c.ReturnURL + "?" + query.Encode(), nil
}
