package emulator

import (
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/pkcs12"
)

// smimeRecord is an SmimeInfo: the certificates of an uploaded key. The key itself is
// not kept: nothing here signs or decrypts.
type smimeRecord struct {
	ID         string `json:"id"`
	IssuerCN   string `json:"issuerCn"`
	IsDefault  bool   `json:"isDefault,omitempty"`
	Expiration string `json:"expiration"` // ms since 1970
	PEM        string `json:"pem,omitempty"`
}

// insertSmime takes a PKCS#12 file in the encryption that x/crypto reads (3DES, RC2).
func insertSmime(c *call) (any, error) {
	var body struct {
		PKCS12   string `json:"pkcs12"`
		Password string `json:"encryptedKeyPassword"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	file, ok := decodeBase64(body.PKCS12)
	if !ok || len(file) == 0 {
		return nil, badRequest("Invalid pkcs12")
	}
	blocks, err := pkcs12.ToPEM(file, body.Password)
	if err != nil {
		return nil, badRequest("Invalid pkcs12 or password")
	}
	leaf, chain := smimeChain(blocks)
	address := strings.ToLower(c.path["sendAsEmail"])
	if leaf == nil || !slices.ContainsFunc(leaf.EmailAddresses, func(e string) bool { return strings.EqualFold(e, address) }) {
		return nil, badRequest("The certificate is not for this address")
	}
	if c.srv.now().After(leaf.NotAfter) {
		return nil, badRequest("The certificate has expired")
	}
	return c.changeSettings(func(s *settings) (any, error) {
		if s.alias(address) == nil {
			return nil, notFound()
		}
		if s.Smime == nil {
			s.Smime = map[string][]smimeRecord{}
		}
		r := smimeRecord{
			ID: newMessageID()[2:34], IssuerCN: leaf.Issuer.CommonName, PEM: chain,
			Expiration: strconv.FormatInt(leaf.NotAfter.UnixMilli(), 10), IsDefault: len(s.Smime[address]) == 0,
		}
		s.Smime[address] = append(s.Smime[address], r)
		return r, nil
	})
}

// smimeChain finds the certificate that goes with the key, and writes out all of them.
func smimeChain(blocks []*pem.Block) (leaf *x509.Certificate, chain string) {
	key := ""
	for _, b := range blocks {
		if b.Type == "PRIVATE KEY" {
			key = b.Headers["localKeyId"]
		}
	}
	for _, b := range blocks {
		if b.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, ""
		}
		if leaf == nil || key != "" && b.Headers["localKeyId"] == key {
			leaf = cert
		}
		chain += string(pem.EncodeToMemory(&pem.Block{Type: b.Type, Bytes: b.Bytes}))
	}
	return leaf, chain
}

// smime runs something with the records of the address in the path.
func (c *call) smime(s *settings, do func(list []smimeRecord, i int) (any, error)) (any, error) {
	address := strings.ToLower(c.path["sendAsEmail"])
	i := slices.IndexFunc(s.Smime[address], func(r smimeRecord) bool { return r.ID == c.path["id"] })
	if i < 0 {
		return nil, notFound()
	}
	return do(s.Smime[address], i)
}

func listSmime(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		if s.alias(c.path["sendAsEmail"]) == nil {
			return nil, notFound()
		}
		var out struct {
			SmimeInfo []smimeRecord `json:"smimeInfo,omitempty"`
		}
		for _, r := range s.Smime[strings.ToLower(c.path["sendAsEmail"])] {
			r.PEM = ""
			out.SmimeInfo = append(out.SmimeInfo, r)
		}
		return out, nil
	})
}

func getSmime(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		return c.smime(s, func(list []smimeRecord, i int) (any, error) { return list[i], nil })
	})
}

func setDefaultSmime(c *call) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		return c.smime(s, func(list []smimeRecord, i int) (any, error) {
			for j := range list {
				list[j].IsDefault = j == i
			}
			return nil, nil
		})
	})
}

func deleteSmime(c *call) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		return c.smime(s, func(list []smimeRecord, i int) (any, error) {
			s.Smime[strings.ToLower(c.path["sendAsEmail"])] = slices.Delete(list, i, i+1)
			return nil, nil
		})
	})
}
