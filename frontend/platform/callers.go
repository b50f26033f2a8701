package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/totalengage/webmail/policy"
)

// Caller is a service that the operator registered.
type Caller struct {
	ID        string
	Name      string           // shown to owners
	Use       string           // what it uses mail for, in words for owners
	Purposes  []policy.Purpose // never empty; the first is the one of whatever it asks outside of its purposes
	ReturnURL string           // where owners go after connecting it; "" when they copy the handle
	PerMinute int              // calls a minute on one node
	keys      map[string]key   // by kid
}

// May says whether a purpose is listed with the caller's keys.
func (c Caller) May(purpose policy.Purpose) bool { return slices.Contains(c.Purposes, purpose) }

// purposeOf is what the caller uses an access of the given purpose for. It follows from its registration alone.
func (c Caller) purposeOf(route policy.Purpose) policy.Purpose {
	if c.May(route) {
		return route
	}
	return c.Purposes[0]
}

// Callers is the register. It does not change while the process runs, and is safe for concurrent use. The zero
// value knows nobody.
type Callers struct{ list []Caller }

// All lists the callers in the order of the file.
func (c *Callers) All() []Caller { return slices.Clone(c.list) }

func (c *Callers) find(id string) (Caller, bool) {
	i := slices.IndexFunc(c.list, func(known Caller) bool { return known.ID == id })
	if i < 0 {
		return Caller{}, false
	}
	return c.list[i], true
}

// Caller tells the policy what a caller is registered for (a part of policy.Facts), or policy.ErrUnknown.
func (c *Callers) Caller(_ context.Context, id string) (policy.Caller, error) {
	known, ok := c.find(id)
	if !ok {
		return policy.Caller{}, policy.ErrUnknown
	}
	return policy.Caller{ID: known.ID, Purposes: slices.Clone(known.Purposes)}, nil
}

// perMinute is how often a caller may call when its entry does not say.
const perMinute = 600

// maxCallersFile bounds the register, in bytes.
const maxCallersFile = 1 << 20

// ReadCallers reads a register from a file; see [ParseCallers].
func ReadCallers(path string) (*Callers, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("platform: the file of callers: %w", err)
	}
	return ParseCallers(data)
}

// ParseCallers reads a register in YAML (or JSON, which is YAML). Unknown keys are errors:
//
//	callers:
//	  - id: northwind-crm
//	    name: Northwind CRM
//	    use: Shows beside each customer how much mail is unread.
//	    purposes: [inbox.sync, inbox.compose]
//	    returnURL: https://crm.example.com/mail/connected   # optional
//	    perMinute: 600                                      # optional
//	    keys:
//	      - {kty: OKP, crv: Ed25519, kid: "2026-11", x: 5w2Vq...}
//
// A key is a public JWK with a kid. An elliptic one is P-256 (ES256) or Ed25519 (EdDSA); one of RSA has at
// least 2048 bits and says in alg whether it is for PS256 or RS256. A purpose need not be one that the policy
// knows: whatever it does not know it refuses.
func ParseCallers(data []byte) (*Callers, error) {
	if len(data) > maxCallersFile {
		return nil, errors.New("platform: the file of callers is larger than 1 MiB")
	}
	var file struct {
		Callers []callerEntry `yaml:"callers"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("platform: the file of callers: %w", err)
	}
	c := &Callers{}
	for i, entry := range file.Callers {
		caller, err := entry.caller()
		if err != nil {
			return nil, fmt.Errorf("platform: caller %d of the file: %w", i+1, err)
		}
		if _, twice := c.find(caller.ID); twice {
			return nil, fmt.Errorf("platform: caller %d of the file: its id is there twice", i+1)
		}
		c.list = append(c.list, caller)
	}
	return c, nil
}

type callerEntry struct {
	ID        string           `yaml:"id"`
	Name      string           `yaml:"name"`
	Use       string           `yaml:"use"`
	Purposes  []string         `yaml:"purposes"`
	ReturnURL string           `yaml:"returnURL"`
	PerMinute int              `yaml:"perMinute"`
	Keys      []map[string]any `yaml:"keys"`
}

var (
	callerID    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,62}$`)
	purposeName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
)

// caller checks an entry and returns what it registers.
func (e callerEntry) caller() (Caller, error) {
	c := Caller{ID: e.ID, Name: strings.TrimSpace(e.Name), Use: strings.TrimSpace(e.Use), ReturnURL: e.ReturnURL, PerMinute: e.PerMinute}
	switch {
	case !callerID.MatchString(c.ID):
		return c, errors.New("id must be 2 to 63 lower-case letters, digits and dashes")
	case !line(c.Name, 60):
		return c, errors.New("name must be one line of at most 60 characters")
	case !line(c.Use, 300):
		return c, errors.New("use must say in one line, of at most 300 characters, what it uses mail for")
	case len(e.Purposes) == 0:
		return c, errors.New("purposes must list at least one")
	case len(e.Keys) == 0:
		return c, errors.New("keys must list at least one")
	case c.PerMinute < 0:
		return c, errors.New("perMinute must not be negative")
	}
	if c.PerMinute == 0 {
		c.PerMinute = perMinute
	}
	for _, p := range e.Purposes {
		if !purposeName.MatchString(p) || len(p) > 64 {
			return c, errors.New("a purpose is lower-case words with dots between them")
		}
		c.Purposes = append(c.Purposes, policy.Purpose(p))
	}
	if err := checkReturnURL(c.ReturnURL); err != nil {
		return c, err
	}
	var err error
	c.keys, err = parseKeys(e.Keys)
	return c, err
}

func line(s string, max int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= max && !strings.ContainsAny(s, "\r\n")
}

// checkReturnURL accepts HTTPS, and plain HTTP for this machine alone: the handle travels there.
func checkReturnURL(raw string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.RawQuery != "" ||
		u.Scheme != "https" && !(u.Scheme == "http" && policy.Loopback(u.Hostname())) {
		return errors.New("returnURL must be https://host/path without a query")
	}
	return nil
}

// parseKeys reads JWKs that YAML has decoded.
func parseKeys(list []map[string]any) (map[string]key, error) {
	keys := make(map[string]key, len(list))
	for i, fields := range list {
		data, err := json.Marshal(fields)
		if err != nil {
			return nil, fmt.Errorf("key %d is no JWK", i+1)
		}
		kid, k, err := parseKey(data)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if _, twice := keys[kid]; twice {
			return nil, fmt.Errorf("key %d: its kid is there twice", i+1)
		}
		keys[kid] = k
	}
	return keys, nil
}
