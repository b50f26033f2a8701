package emulator

import (
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"
)

// settings are a user's records outside the mail, as the journal keeps them. Owned by
// the mailbox's lock.
type settings struct {
	SendAs         []sendAsResource         `json:"sendAs"`
	Vacation       vacationResource         `json:"vacation"`
	Answered       map[string]int64         `json:"answered,omitempty"` // by the vacation reply: address, when (ms)
	Language       string                   `json:"language"`
	Filters        []filterResource         `json:"filters,omitempty"`
	Imap           imapResource             `json:"imap"`
	Pop            popResource              `json:"pop"`
	AutoForwarding autoForwardingResource   `json:"autoForwarding"`
	Forwarding     []forwardingResource     `json:"forwarding,omitempty"`
	Delegates      []delegateResource       `json:"delegates,omitempty"`
	Smime          map[string][]smimeRecord `json:"smime,omitempty"` // by lower-case address
	CseIdentities  []cseIdentity            `json:"cseIdentities,omitempty"`
	CseKeyPairs    []cseKeyPair             `json:"cseKeyPairs,omitempty"`
	Watches        map[string]watch         `json:"watches,omitempty"` // by project
}

func newSettings(email string) settings {
	return settings{
		SendAs:   []sendAsResource{{SendAsEmail: email, IsPrimary: true, IsDefault: true}},
		Language: "en",
		Imap:     imapResource{Enabled: true, AutoExpunge: true, ExpungeBehavior: "archive"},
		Pop:      popResource{AccessWindow: "disabled", Disposition: "leaveInInbox"},
	}
}

// changeSettings runs a change of the settings under the lock.
func (c *call) changeSettings(change func(*settings) (any, error)) (any, error) {
	c.box.mu.Lock()
	defer c.box.unlock()
	out, err := change(&c.box.settings)
	c.box.settingsChanged = c.box.settingsChanged || err == nil
	return out, err
}

// readSettings runs a look at the settings under the lock. What it returns must be a copy.
func (c *call) readSettings(read func(*settings) (any, error)) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	return read(&c.box.settings)
}

func (s *settings) alias(address string) *sendAsResource {
	i := slices.IndexFunc(s.SendAs, func(a sendAsResource) bool { return strings.EqualFold(a.SendAsEmail, address) })
	if i < 0 {
		return nil
	}
	return &s.SendAs[i]
}

// verifiedAlias reports whether mail may be sent from an address other than the account's.
func (s *settings) verifiedAlias(address string) bool {
	a := s.alias(address)
	return a != nil && (a.IsPrimary || a.VerificationStatus == accepted)
}

func (s *settings) forwardingTo(address string) *forwardingResource {
	i := slices.IndexFunc(s.Forwarding, func(f forwardingResource) bool { return strings.EqualFold(f.ForwardingEmail, address) })
	if i < 0 {
		return nil
	}
	return &s.Forwarding[i]
}

func (s *settings) mayForwardTo(address string) bool {
	f := s.forwardingTo(address)
	return f != nil && f.VerificationStatus == accepted
}

// The states of an address that its owner must confirm.
const (
	accepted = "accepted"
	pending  = "pending"
)

// htmlPolicy is what is left of the HTML of signatures and vacation replies. That
// Gmail cleans it is documented, what it leaves is not.
var htmlPolicy = func() *bluemonday.Policy {
	p := bluemonday.UGCPolicy()
	p.AllowStyling()
	p.RequireNoFollowOnLinks(false)
	p.AllowStyles("color", "background-color", "font-family", "font-size", "font-weight", "font-style", "text-decoration", "text-align").Globally()
	return p
}()
