package emulator

import (
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// Aliases, forwarding addresses and delegates: addresses that somebody else owns.

const maxDelegates = 25

func listSendAs(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		return map[string][]sendAsResource{"sendAs": slices.Clone(s.SendAs)}, nil
	})
}

func getSendAs(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		a := s.alias(c.path["sendAsEmail"])
		if a == nil {
			return nil, notFound()
		}
		return *a, nil
	})
}

// sendAsBody is a SendAs in a request; nil fields are absent.
type sendAsBody struct {
	SendAsEmail    string           `json:"sendAsEmail"`
	DisplayName    *string          `json:"displayName"`
	ReplyToAddress *string          `json:"replyToAddress"`
	Signature      *string          `json:"signature"`
	IsDefault      *bool            `json:"isDefault"`
	TreatAsAlias   *bool            `json:"treatAsAlias"`
	SMTP           *smtpMsaResource `json:"smtpMsa"`
}

// apply sets the fields that are present; with replace the others go back to nothing.
func (b sendAsBody) apply(s *settings, a *sendAsResource, replace bool) error {
	if b.ReplyToAddress != nil && *b.ReplyToAddress != "" && !plainAddress(*b.ReplyToAddress) {
		return badRequest("Invalid replyToAddress")
	}
	if b.SMTP != nil && (b.SMTP.Host == "" || b.SMTP.Port <= 0 || b.SMTP.Port > 65535) {
		return badRequest("Invalid smtpMsa")
	}
	if b.Signature != nil {
		clean := htmlPolicy.Sanitize(*b.Signature)
		b.Signature = &clean
	}
	for _, f := range []struct{ from, to *string }{
		{b.DisplayName, &a.DisplayName}, {b.ReplyToAddress, &a.ReplyToAddress}, {b.Signature, &a.Signature},
	} {
		switch {
		case f.from != nil:
			*f.to = *f.from
		case replace:
			*f.to = ""
		}
	}
	if !a.IsPrimary && (b.TreatAsAlias != nil || replace) {
		a.TreatAsAlias = b.TreatAsAlias != nil && *b.TreatAsAlias
	}
	if !a.IsPrimary && (b.SMTP != nil || replace) {
		a.SMTP = b.SMTP
	}
	if b.IsDefault != nil && *b.IsDefault {
		for i := range s.SendAs {
			s.SendAs[i].IsDefault = false
		}
		a.IsDefault = true
	}
	return nil
}

func createSendAs(c *call) (any, error) {
	var body sendAsBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !plainAddress(body.SendAsEmail) {
		return nil, badRequest("Invalid sendAsEmail")
	}
	status := c.statusOf(body.SendAsEmail)
	out, err := c.changeSettings(func(s *settings) (any, error) {
		if s.alias(body.SendAsEmail) != nil {
			return nil, alreadyExists("Send-as alias already exists.")
		}
		s.SendAs = append(s.SendAs, sendAsResource{SendAsEmail: strings.ToLower(body.SendAsEmail), VerificationStatus: status})
		a := &s.SendAs[len(s.SendAs)-1]
		if err := body.apply(s, a, true); err != nil {
			s.SendAs = s.SendAs[:len(s.SendAs)-1]
			return nil, err
		}
		return *a, nil
	})
	if err == nil && status == pending {
		c.srv.askToVerify(c.box, body.SendAsEmail)
	}
	return out, err
}

func updateSendAs(c *call) (any, error) { return c.changeSendAs(true) }
func patchSendAs(c *call) (any, error)  { return c.changeSendAs(false) }

func (c *call) changeSendAs(replace bool) (any, error) {
	var body sendAsBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	return c.changeSettings(func(s *settings) (any, error) {
		a := s.alias(c.path["sendAsEmail"])
		if a == nil {
			return nil, notFound()
		}
		if err := body.apply(s, a, replace); err != nil {
			return nil, err
		}
		return *a, nil
	})
}

func deleteSendAs(c *call) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		a := s.alias(c.path["sendAsEmail"])
		switch {
		case a == nil:
			return nil, notFound()
		case a.IsPrimary:
			return nil, badRequest("Cannot delete the primary send-as alias")
		case a.IsDefault:
			s.SendAs[0].IsDefault = true // the primary comes first
		}
		delete(s.Smime, strings.ToLower(a.SendAsEmail))
		s.SendAs = slices.DeleteFunc(s.SendAs, func(o sendAsResource) bool { return o.SendAsEmail == a.SendAsEmail })
		return nil, nil
	})
}

// verifySendAs sends the verification mail again.
func verifySendAs(c *call) (any, error) {
	address := ""
	_, err := c.readSettings(func(s *settings) (any, error) {
		a := s.alias(c.path["sendAsEmail"])
		switch {
		case a == nil:
			return nil, notFound()
		case a.VerificationStatus != pending:
			return nil, failedPrecondition("The send-as alias needs no verification")
		}
		address = a.SendAsEmail
		return nil, nil
	})
	if err == nil {
		c.srv.askToVerify(c.box, address)
	}
	return nil, err
}

func listForwarding(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		var out struct {
			ForwardingAddresses []forwardingResource `json:"forwardingAddresses,omitempty"`
		}
		out.ForwardingAddresses = slices.Clone(s.Forwarding)
		return out, nil
	})
}

func getForwarding(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		f := s.forwardingTo(c.path["forwardingEmail"])
		if f == nil {
			return nil, notFound()
		}
		return *f, nil
	})
}

func createForwarding(c *call) (any, error) {
	var f forwardingResource
	if err := c.decode(&f); err != nil {
		return nil, err
	}
	if !plainAddress(f.ForwardingEmail) || canonicalAddress(f.ForwardingEmail) == c.box.email {
		return nil, badRequest("Invalid forwarding address")
	}
	f.VerificationStatus = c.statusOf(f.ForwardingEmail)
	out, err := c.changeSettings(func(s *settings) (any, error) {
		if s.forwardingTo(f.ForwardingEmail) != nil {
			return nil, alreadyExists("Forwarding address already exists.")
		}
		s.Forwarding = append(s.Forwarding, f)
		return f, nil
	})
	if err == nil && f.VerificationStatus == pending {
		c.srv.askToVerify(c.box, f.ForwardingEmail)
	}
	return out, err
}

// deleteForwarding also ends the forwarding of all mail to the address. Filters keep
// it and forward nothing.
func deleteForwarding(c *call) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		f := s.forwardingTo(c.path["forwardingEmail"])
		if f == nil {
			return nil, notFound()
		}
		if strings.EqualFold(s.AutoForwarding.EmailAddress, f.ForwardingEmail) {
			s.AutoForwarding = autoForwardingResource{}
		}
		s.Forwarding = slices.DeleteFunc(s.Forwarding, func(o forwardingResource) bool { return o == *f })
		return nil, nil
	})
}

func listDelegates(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		var out struct {
			Delegates []delegateResource `json:"delegates,omitempty"`
		}
		out.Delegates = slices.Clone(s.Delegates)
		return out, nil
	})
}

func (s *settings) delegateIndex(address string) int {
	return slices.IndexFunc(s.Delegates, func(d delegateResource) bool { return strings.EqualFold(d.DelegateEmail, address) })
}

func getDelegate(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		if i := s.delegateIndex(c.path["delegateEmail"]); i >= 0 {
			return s.Delegates[i], nil
		}
		return nil, notFound()
	})
}

// createDelegate takes members of the same organisation: accounts here of the same domain.
func createDelegate(c *call) (any, error) {
	var d delegateResource
	if err := c.decode(&d); err != nil {
		return nil, err
	}
	if !c.srv.HasUser(d.DelegateEmail) || domainOf(d.DelegateEmail) != domainOf(c.box.email) || strings.EqualFold(d.DelegateEmail, c.box.email) {
		return nil, badRequest("Invalid delegate")
	}
	d.VerificationStatus = accepted
	return c.changeSettings(func(s *settings) (any, error) {
		switch {
		case s.delegateIndex(d.DelegateEmail) >= 0:
			return nil, alreadyExists("Delegate already exists.")
		case len(s.Delegates) >= maxDelegates:
			return nil, badRequest("Too many delegates")
		}
		s.Delegates = append(s.Delegates, d)
		return d, nil
	})
}

func deleteDelegate(c *call) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		i := s.delegateIndex(c.path["delegateEmail"])
		if i < 0 {
			return nil, notFound()
		}
		s.Delegates = slices.Delete(s.Delegates, i, i+1)
		return nil, nil
	})
}

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
