package policy

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
)

// A bundle is an OPA bundle: a tar.gz with Rego modules, data.json, a .manifest and a .signatures.json, as
// `webmail policy sign` and OPA's own tools make them. It replaces the rules of access and the tables, and nothing
// else: the floor and the decision that joins both stay those of the program (DESIGN 4.1, 10).

// bundleRoots are the parts of the policy that a bundle brings, all of them at once.
var bundleRoots = []string{"limiteduse", "webmail/access"}

// maxBundle bounds a bundle's file, and each file in it, in bytes. The embedded policy has 40 KB.
const maxBundle = 1 << 20

// Bundle is a policy bundle that was read and is well-formed. It is not admitted yet.
type Bundle struct {
	Number int64  // the manifest's revision, which only rises
	Hash   string // SHA-256 of the file, in hex
	Source Source // the whole policy that it makes, with the embedded floor

	raw []byte
}

// BundleKey is the public key that bundles must be signed with.
type BundleKey struct {
	id, pem, algorithm string
}

// ParseBundleKey reads a public key in PEM: ECDSA on P-256 (as `webmail policy keygen` makes them) or RSA.
func ParseBundleKey(text []byte) (*BundleKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("policy: the bundle key is not a PEM file with a PUBLIC KEY")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("policy: the bundle key: %w", err)
	}
	k := &BundleKey{id: keyID(block.Bytes), pem: string(text)}
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			k.algorithm = "ES256"
			return k, nil
		}
	case *rsa.PublicKey:
		if key.N.BitLen() >= 2048 {
			k.algorithm = "RS256"
			return k, nil
		}
	}
	return nil, errors.New("policy: the bundle key must be ECDSA on P-256 or RSA of at least 2048 bits")
}

// keyID names a key by what it is.
func keyID(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:8])
}

// verification makes OPA's reader refuse what is not signed with this key, whatever key a bundle names.
func (k *BundleKey) verification() *bundle.VerificationConfig {
	return bundle.NewVerificationConfig(map[string]*bundle.KeyConfig{k.id: {Key: k.pem, Algorithm: k.algorithm}}, k.id, "", nil)
}

// ReadBundle reads a signed bundle. It fails with *Rejected.
func ReadBundle(raw []byte, key *BundleKey) (*Bundle, error) {
	if key == nil {
		return nil, &Rejected{Reason: RejectedSignature, Hash: hashOf(raw), Err: errors.New("no key to verify it with")}
	}
	return readBundle(raw, func(r *bundle.Reader) *bundle.Reader { return r.WithBundleVerificationConfig(key.verification()) })
}

// ReadUnverifiedBundle reads a bundle, signed or not, for a look at what it would do. A gate does not take it.
func ReadUnverifiedBundle(raw []byte) (Source, error) {
	b, err := readBundle(raw, func(r *bundle.Reader) *bundle.Reader { return r.WithSkipBundleVerification(true) })
	if err != nil {
		return nil, err
	}
	return b.Source, nil
}

func readBundle(raw []byte, how func(*bundle.Reader) *bundle.Reader) (*Bundle, error) {
	b := &Bundle{Hash: hashOf(raw), raw: raw}
	reject := func(reason Reason, err error) (*Bundle, error) {
		return nil, &Rejected{Reason: reason, Hash: b.Hash, Number: b.Number, Err: err}
	}
	if len(raw) > maxBundle {
		return reject(RejectedMalformed, fmt.Errorf("it has %d bytes, at most %d are read", len(raw), maxBundle))
	}
	read, err := how(newBundleReader(raw)).Read()
	if err != nil {
		// Which of the two it was decides what an operator does next.
		if _, without := newBundleReader(raw).WithSkipBundleVerification(true).Read(); without == nil {
			return reject(RejectedSignature, err)
		}
		return reject(RejectedMalformed, err)
	}
	if b.Number, err = strconv.ParseInt(read.Manifest.Revision, 10, 64); err != nil || b.Number < 1 {
		return reject(RejectedMalformed, fmt.Errorf("the manifest's revision is %q, want a whole number above 0", read.Manifest.Revision))
	}
	roots := slices.Sorted(slices.Values(*read.Manifest.Roots))
	if !slices.Equal(roots, bundleRoots) || len(read.WasmModules)+len(read.PlanModules)+len(read.Manifest.WasmResolvers) > 0 {
		return reject(RejectedRoots, fmt.Errorf("it is for %q, want exactly %q, in Rego and data.json", roots, bundleRoots))
	}
	if b.Source, err = sourceOf(read); err != nil {
		return reject(RejectedRoots, err)
	}
	return b, nil
}

func newBundleReader(raw []byte) *bundle.Reader {
	return bundle.NewReader(bytes.NewReader(raw)).WithRegoVersion(ast.RegoV1).WithCapabilities(deterministic()).WithSizeLimitBytes(maxBundle)
}

// sourceOf joins what a bundle brings with what it cannot.
func sourceOf(b bundle.Bundle) (Source, error) {
	source, own := Source{}, Embedded()
	for _, name := range floorFiles {
		source[name] = own[name]
	}
	for _, m := range b.Modules {
		name := strings.TrimPrefix(m.Path, "/")
		if _, taken := source[name]; taken {
			return nil, fmt.Errorf("%s cannot be brought by a bundle", name)
		}
		source[name] = string(m.Raw)
	}
	data, err := json.Marshal(b.Data) // in one spelling, whatever files and spaces it came in
	if err != nil {
		return nil, err
	}
	source[dataFile] = string(data)
	return source, nil
}

// floorFiles are the modules that no bundle replaces.
var floorFiles = []string{"decision.rego", "floor.rego"}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Reason says why a bundle was not taken; a closed set, for it stands in the log.
type Reason string

// The reasons for which a bundle is rejected.
const (
	RejectedMissing   Reason = "missing"   // the file cannot be read
	RejectedMalformed Reason = "malformed" // not a bundle, or nothing in it that parses
	RejectedSignature Reason = "signature" // unsigned, changed, or signed with another key
	RejectedRoots     Reason = "roots"     // it reaches for more, or less, than what bundles replace
	RejectedRevision  Reason = "revision"  // not newer than what was in force
	RejectedTables    Reason = "tables"    // malformed tables, or tables that allow more than the program's own
	RejectedRules     Reason = "rules"     // rules that do not compile, or give no clear answer
	RejectedAllows    Reason = "allows"    // it allows what must be refused
	RejectedRefuses   Reason = "refuses"   // it refuses owners their own mail
)

// Rejected is the error of a bundle that does not come into force.
type Rejected struct {
	Reason Reason
	Hash   string // of the bundle's file
	Number int64  // 0 where it could not be read
	Case   string // of the embedded cases, that it answers wrongly; or ""
	Err    error  // for the operator: names files, rules and rows
}

func (e *Rejected) Error() string {
	text := "the policy bundle is rejected (" + string(e.Reason) + ")"
	if e.Case != "" {
		text += ", case " + e.Case
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Rejected) Unwrap() error { return e.Err }
