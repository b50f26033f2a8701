package policy

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
)

// NewBundleKeys makes a pair of keys for signing bundles, both in PEM. The private one stays off the servers.
func NewBundleKeys() (private, public []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("policy: bundle keys: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("policy: bundle keys: %w", err)
	}
	open, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, nil, fmt.Errorf("policy: bundle keys: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), nil
}

// ReadSource reads a policy from a directory: its Rego modules, without their tests, and data.json. The modules of
// the floor may lie beside the others, as they do in the program's sources, if they are the program's own.
func ReadSource(dir fs.FS) (Source, error) {
	source := Source{}
	own := Embedded()
	for _, name := range floorFiles {
		source[name] = own[name]
	}
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		rules := path.Ext(name) == ".rego" && !strings.HasSuffix(name, "_test.rego")
		if err != nil || d.IsDir() || !rules && name != dataFile {
			return err
		}
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		if slices.Contains(floorFiles, name) && string(text) != own[name] {
			return fmt.Errorf("%s is not the program's own, and no bundle replaces it", name)
		}
		source[name] = string(text)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("policy: reading the rules: %w", err)
	}
	if source[dataFile] == "" || len(source) < len(floorFiles)+2 {
		return nil, errors.New("policy: a policy needs " + dataFile + " and at least one module of its own")
	}
	return source, nil
}

// SignBundle makes a signed bundle of the replaceable parts of a policy. privateKey is a PEM file.
func SignBundle(source Source, number int64, privateKey []byte) ([]byte, error) {
	data, err := source.data()
	if err != nil {
		return nil, err
	}
	roots, version := slices.Clone(bundleRoots), 1
	b := bundle.Bundle{Data: data, Manifest: bundle.Manifest{Revision: strconv.FormatInt(number, 10), Roots: &roots, RegoVersion: &version}}
	for name, text := range source.modules() {
		if slices.Contains(floorFiles, name) {
			continue
		}
		parsed, err := ast.ParseModuleWithOpts(name, text, ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			return nil, fmt.Errorf("policy: parsing %s: %w", name, err)
		}
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: name, Path: "/" + name, RelativePath: "/" + name, Raw: []byte(text), Parsed: parsed})
	}
	id, algorithm, err := signingKey(privateKey)
	if err != nil {
		return nil, err
	}
	if err := b.GenerateSignature(bundle.NewSigningConfig(string(privateKey), algorithm, ""), id, true); err != nil {
		return nil, fmt.Errorf("policy: signing: %w", err)
	}
	var out bytes.Buffer
	if err := bundle.NewWriter(&out).UseModulePath(true).DisableFormat(true).Write(b); err != nil {
		return nil, fmt.Errorf("policy: writing the bundle: %w", err)
	}
	return out.Bytes(), nil
}

// signingKey tells the id and the algorithm of a private key.
func signingKey(text []byte) (id, algorithm string, err error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return "", "", errors.New("policy: the signing key is not a PEM file with a PRIVATE KEY")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", "", errors.New("policy: the signing key does not parse")
	}
	var public any
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		public, algorithm = &key.PublicKey, "ES256"
	case *rsa.PrivateKey:
		public, algorithm = &key.PublicKey, "RS256"
	default:
		return "", "", errors.New("policy: the signing key must be ECDSA on P-256 or RSA")
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", "", fmt.Errorf("policy: the signing key: %w", err)
	}
	return keyID(der), algorithm, nil
}
