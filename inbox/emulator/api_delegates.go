package emulator

import (
	"slices"
	"strings"
)

const maxDelegates = 25

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
