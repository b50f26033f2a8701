package emulator

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
)

// Addresses that somebody else owns are used only after the owner agreed.

// statusOf says whether an address must be confirmed by its owner: not when it is in
// the user's own organisation.
func (c *call) statusOf(address string) string {
	if domainOf(address) == domainOf(c.box.email) {
		return accepted
	}
	return pending
}

func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

func plainAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

func alreadyExists(message string) *apiError {
	return global(409, "ALREADY_EXISTS", "alreadyExists", message)
}

// askToVerify writes to the owner of an address, if the address is one of this server.
func (s *Server) askToVerify(b *mailbox, address string) {
	owner := s.mailbox(canonicalAddress(address))
	if owner == nil {
		return
	}
	now := s.now()
	s.receive(owner, fmt.Appendf(nil, "Delivered-To: %[1]s\r\nFrom: Gmail Team <forwarding-noreply@google.com>\r\nTo: %[1]s\r\n"+
		"Subject: Gmail Confirmation - %[2]s asks to use this address\r\nAuto-Submitted: auto-generated\r\nMessage-ID: <%[3]s>\r\nDate: %[4]s\r\n"+
		"Content-Type: text/plain; charset=utf-8\r\n\r\n"+
		"%[2]s has asked to send mail as, or forward mail to, %[1]s.\r\n",
		address, b.email, newMessageID(), now.Format(time.RFC1123Z)), now, "")
}

// Verify accepts an alias or a forwarding address of a user, as its owner does by the
// link in Gmail's verification mail.
func (s *Server) Verify(user, address string) error {
	b := s.mailbox(user)
	if b == nil {
		return errors.New("emulator: no such user")
	}
	b.mu.Lock()
	defer b.unlock()
	a, f := b.settings.alias(address), b.settings.forwardingTo(address)
	if a != nil && !a.IsPrimary {
		a.VerificationStatus = accepted
	}
	if f != nil {
		f.VerificationStatus = accepted
	}
	if a == nil && f == nil {
		return errors.New("emulator: no such address to verify")
	}
	b.settingsChanged = true
	return nil
}
