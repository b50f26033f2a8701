package emulator

import (
	"slices"
	"strings"
)

type cseIdentity struct {
	EmailAddress           string      `json:"emailAddress"`
	PrimaryKeyPairID       string      `json:"primaryKeyPairId,omitempty"`
	SignAndEncryptKeyPairs *cseKeysTwo `json:"signAndEncryptKeyPairs,omitempty"`
}

type cseKeysTwo struct {
	SigningKeyPairID    string `json:"signingKeyPairId"`
	EncryptionKeyPairID string `json:"encryptionKeyPairId"`
}

func (s *settings) cseIdentityIndex(address string) int {
	return slices.IndexFunc(s.CseIdentities, func(i cseIdentity) bool { return strings.EqualFold(i.EmailAddress, address) })
}

// check refuses an identity that names no key pair, or one that is not enabled.
func (i cseIdentity) check(s *settings) error {
	ids := []string{i.PrimaryKeyPairID}
	if two := i.SignAndEncryptKeyPairs; two != nil {
		if i.PrimaryKeyPairID != "" {
			return badRequest("primaryKeyPairId and signAndEncryptKeyPairs exclude each other")
		}
		ids = []string{two.SigningKeyPairID, two.EncryptionKeyPairID}
	}
	for _, id := range ids {
		if k := s.cseKeyPair(id); k == nil || k.EnablementState != cseEnabled {
			return badRequest("Unknown or disabled key pair")
		}
	}
	return nil
}

func createCseIdentity(c *call) (any, error) {
	var i cseIdentity
	if err := c.decode(&i); err != nil {
		return nil, err
	}
	return c.changeSettings(func(s *settings) (any, error) {
		switch {
		case !s.verifiedAlias(i.EmailAddress):
			return nil, badRequest("Invalid emailAddress")
		case s.cseIdentityIndex(i.EmailAddress) >= 0:
			return nil, alreadyExists("The identity already exists.")
		}
		if err := i.check(s); err != nil {
			return nil, err
		}
		s.CseIdentities = append(s.CseIdentities, i)
		return i, nil
	})
}

func patchCseIdentity(c *call) (any, error) {
	var i cseIdentity
	if err := c.decode(&i); err != nil {
		return nil, err
	}
	return c.changeSettings(func(s *settings) (any, error) {
		at := s.cseIdentityIndex(c.path["emailAddress"])
		if at < 0 {
			return nil, notFound()
		}
		if err := i.check(s); err != nil {
			return nil, err
		}
		i.EmailAddress = s.CseIdentities[at].EmailAddress
		s.CseIdentities[at] = i
		return i, nil
	})
}

func getCseIdentity(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		if i := s.cseIdentityIndex(c.path["cseEmailAddress"]); i >= 0 {
			return s.CseIdentities[i], nil
		}
		return nil, notFound()
	})
}

func deleteCseIdentity(c *call) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		i := s.cseIdentityIndex(c.path["cseEmailAddress"])
		if i < 0 {
			return nil, notFound()
		}
		s.CseIdentities = slices.Delete(s.CseIdentities, i, i+1)
		return nil, nil
	})
}

func listCseIdentities(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		var out struct {
			CseIdentities []cseIdentity `json:"cseIdentities,omitempty"`
			NextPageToken string        `json:"nextPageToken,omitempty"`
		}
		var err error
		out.CseIdentities, out.NextPageToken, err = csePage(c, s.CseIdentities)
		return out, err
	})
}
