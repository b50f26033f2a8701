package platform

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// algorithms are those that an assertion may be signed with. "none" and those with a shared secret are not among them.
var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.PS256, jose.RS256}

// minRSA is the least size of an RSA key, in bits.
const minRSA = 2048

// key is a public key with the one algorithm it is for (RFC 8725, 3.1): a signature says what it is made
// with, but is not asked.
type key struct {
	algorithm jose.SignatureAlgorithm
	public    any
}

// parseKey reads a public JWK.
func parseKey(data []byte) (kid string, k key, err error) {
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(data, &jwk); err != nil {
		return "", key{}, errors.New("not a JWK")
	}
	switch {
	case !jwk.Valid():
		return "", key{}, errors.New("not a valid JWK")
	case !jwk.IsPublic():
		return "", key{}, errors.New("it holds a private key; register the public one, and replace the private one, which has been seen")
	case jwk.KeyID == "" || len(jwk.KeyID) > 64:
		return "", key{}, errors.New("it needs a kid of at most 64 characters")
	case jwk.Use != "" && jwk.Use != "sig":
		return "", key{}, errors.New("it is not for signing")
	}
	k = key{public: jwk.Key}
	if k.algorithm, err = algorithmOf(jwk); err != nil {
		return "", key{}, err
	}
	if jwk.Algorithm != "" && jwk.Algorithm != string(k.algorithm) {
		return "", key{}, errors.New("its alg does not fit the key")
	}
	return jwk.KeyID, k, nil
}

// algorithmOf gives the algorithm that a key is for.
func algorithmOf(jwk jose.JSONWebKey) (jose.SignatureAlgorithm, error) {
	switch public := jwk.Public().Key.(type) {
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			return jose.ES256, nil
		}
	case ed25519.PublicKey:
		return jose.EdDSA, nil
	case *rsa.PublicKey:
		named := jose.SignatureAlgorithm(jwk.Algorithm)
		switch {
		case public.N.BitLen() < minRSA:
			return "", fmt.Errorf("an RSA key needs at least %d bits", minRSA)
		case named != jose.PS256 && named != jose.RS256:
			return "", errors.New("an RSA key says in alg whether it is for PS256 or RS256")
		}
		return named, nil
	}
	return "", errors.New("not a key for ES256, EdDSA, PS256 or RS256")
}

// NewKey makes a key pair for a caller, Ed25519, as a private and a public JWK with the given kid.
func NewKey(kid string) (private, public []byte, err error) {
	_, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("platform: making a key: %w", err)
	}
	jwk := jose.JSONWebKey{Key: secret, KeyID: kid, Algorithm: string(jose.EdDSA), Use: "sig"}
	if private, err = json.Marshal(jwk); err != nil {
		return nil, nil, fmt.Errorf("platform: encoding a key: %w", err)
	}
	if public, err = json.Marshal(jwk.Public()); err != nil {
		return nil, nil, fmt.Errorf("platform: encoding a key: %w", err)
	}
	return private, public, nil
}
