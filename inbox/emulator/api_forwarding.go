package emulator

import (
	"slices"
	"strings"
)

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
