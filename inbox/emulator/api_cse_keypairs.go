package emulator

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"slices"
	"strconv"
	"time"
)

// Client-side encryption: identities and key pairs are checked and kept as records.
// Nothing here encrypts, and no key service is asked.

type cseKeyPair struct {
	KeyPairID             string       `json:"keyPairId"`
	PEM                   string       `json:"pem"`
	SubjectEmailAddresses []string     `json:"subjectEmailAddresses,omitempty"`
	EnablementState       string       `json:"enablementState"`
	DisableTime           string       `json:"disableTime,omitempty"` // RFC 3339
	PrivateKeyMetadata    []csePrivate `json:"privateKeyMetadata,omitempty"`
}

type csePrivate struct {
	ID    string `json:"privateKeyMetadataId"`
	Kacls *struct {
		URI  string `json:"kaclsUri"`
		Data string `json:"kaclsData"`
	} `json:"kaclsKeyMetadata,omitempty"`
	Hardware *struct {
		Description string `json:"description"`
	} `json:"hardwareKeyMetadata,omitempty"`
}

const (
	cseEnabled  = "enabled"
	cseDisabled = "disabled"
	// obliterateAfter is how long a key pair must have been disabled before it can be
	// deleted for good.
	obliterateAfter = 30 * 24 * time.Hour
)

func createCseKeyPair(c *call) (any, error) {
	var body struct {
		PKCS7              string       `json:"pkcs7"`
		PrivateKeyMetadata []csePrivate `json:"privateKeyMetadata"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	chain := certificates(body.PKCS7)
	if len(chain) == 0 {
		return nil, badRequest("Invalid pkcs7")
	}
	if len(body.PrivateKeyMetadata) == 0 {
		return nil, badRequest("privateKeyMetadata is required")
	}
	k := cseKeyPair{KeyPairID: newMessageID()[2:34], EnablementState: cseEnabled, SubjectEmailAddresses: chain[0].EmailAddresses}
	for _, cert := range chain {
		k.PEM += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	}
	for _, p := range body.PrivateKeyMetadata {
		if (p.Kacls == nil) == (p.Hardware == nil) {
			return nil, badRequest("privateKeyMetadata needs kaclsKeyMetadata or hardwareKeyMetadata, one of them")
		}
		p.ID = newMessageID()[2:34]
		k.PrivateKeyMetadata = append(k.PrivateKeyMetadata, p)
	}
	return c.changeSettings(func(s *settings) (any, error) {
		s.CseKeyPairs = append(s.CseKeyPairs, k)
		return k, nil
	})
}

// certificates reads a PEM of PKCS#7 signed data that holds nothing but certificates
// (RFC 2315, 9.1), the user's own first.
func certificates(text string) []*x509.Certificate {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "PKCS7" {
		return nil
	}
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	var signed struct {
		Version      int
		Digests      asn1.RawValue `asn1:"set"`
		ContentInfo  asn1.RawValue
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		Revoked      asn1.RawValue `asn1:"optional,tag:1"`
		Signers      asn1.RawValue `asn1:"set"`
	}
	if _, err := asn1.Unmarshal(block.Bytes, &outer); err != nil {
		return nil
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &signed); err != nil {
		return nil
	}
	chain, err := x509.ParseCertificates(signed.Certificates.Bytes)
	if err != nil {
		return nil
	}
	return chain
}

func (s *settings) cseKeyPair(id string) *cseKeyPair {
	i := slices.IndexFunc(s.CseKeyPairs, func(k cseKeyPair) bool { return k.KeyPairID == id })
	if i < 0 {
		return nil
	}
	return &s.CseKeyPairs[i]
}

func getCseKeyPair(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		k := s.cseKeyPair(c.path["keyPairId"])
		if k == nil {
			return nil, notFound()
		}
		return *k, nil
	})
}

func (c *call) changeCseKeyPair(change func(*cseKeyPair) error) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		k := s.cseKeyPair(c.path["keyPairId"])
		if k == nil {
			return nil, notFound()
		}
		if err := change(k); err != nil {
			return nil, err
		}
		return *k, nil
	})
}

func enableCseKeyPair(c *call) (any, error) {
	return c.changeCseKeyPair(func(k *cseKeyPair) error {
		k.EnablementState, k.DisableTime = cseEnabled, ""
		return nil
	})
}

func disableCseKeyPair(c *call) (any, error) {
	return c.changeCseKeyPair(func(k *cseKeyPair) error {
		if k.EnablementState != cseDisabled {
			k.EnablementState, k.DisableTime = cseDisabled, c.srv.now().UTC().Format(time.RFC3339)
		}
		return nil
	})
}

func obliterateCseKeyPair(c *call) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		k := s.cseKeyPair(c.path["keyPairId"])
		if k == nil {
			return nil, notFound()
		}
		since, err := time.Parse(time.RFC3339, k.DisableTime)
		if err != nil || c.srv.now().Sub(since) <= obliterateAfter {
			return nil, failedPrecondition("The key pair must have been disabled for more than 30 days")
		}
		id := k.KeyPairID
		s.CseKeyPairs = slices.DeleteFunc(s.CseKeyPairs, func(k cseKeyPair) bool { return k.KeyPairID == id })
		return nil, nil
	})
}

func listCseKeyPairs(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		var out struct {
			CseKeyPairs   []cseKeyPair `json:"cseKeyPairs,omitempty"`
			NextPageToken string       `json:"nextPageToken,omitempty"`
		}
		var err error
		out.CseKeyPairs, out.NextPageToken, err = csePage(c, s.CseKeyPairs)
		return out, err
	})
}

// csePage is a page of 20, or of pageSize; the token is where the next one begins.
func csePage[T any](c *call, list []T) (page []T, next string, err error) {
	size, bad := strconv.Atoi(c.param("pageSize"))
	if bad != nil || size <= 0 {
		size = 20
	}
	start := 0
	if token := c.param("pageToken"); token != "" {
		if start, bad = strconv.Atoi(token); bad != nil || start < 0 || start > len(list) {
			return nil, "", badRequest("Invalid pageToken")
		}
	}
	end := min(start+size, len(list))
	if end < len(list) {
		next = strconv.Itoa(end)
	}
	return slices.Clone(list[start:end]), next, nil
}
