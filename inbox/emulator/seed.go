package emulator

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gopkg.in/yaml.v3"
)

// Seed is the state a server begins with, as written in a YAML file:
//
//	users:
//	  - email: alice@example.com
//	    name: Alice Example
//	    tokens: {alice-token: ["https://mail.google.com/"]}
//	    labels: [Ops/Review]
//	    messages: [{raw: "From: ...", labels: [INBOX, UNREAD]}]   # or file: path.eml
//	    import: [mail.mbox]
//	clients: [{id: peer, secret: peer, redirect_uris: ["http://127.0.0.1:8099/oauth/callback"]}]
type Seed struct {
	Users []SeedUser `yaml:"users"`
	// Clients are for the OAuth emulator; this package only reads them.
	Clients []SeedClient `yaml:"clients"`
}

// SeedUser is one account with its mail.
type SeedUser struct {
	Email string `yaml:"email"`
	Name  string `yaml:"name"`
	// Tokens are fixed access tokens with the scopes each one grants.
	Tokens   map[string][]string `yaml:"tokens"`
	Labels   []string            `yaml:"labels"`
	Messages []SeedMessage       `yaml:"messages"`
	// Import names what ImportPath reads, relative to the seed's folder.
	Import []string `yaml:"import"`
}

// SeedMessage is one message, written out or in a file. Without labels it goes to INBOX.
type SeedMessage struct {
	Raw    string   `yaml:"raw"`
	File   string   `yaml:"file"`
	Labels []string `yaml:"labels"`
}

// SeedClient is an OAuth client.
type SeedClient struct {
	ID           string   `yaml:"id"`
	Secret       string   `yaml:"secret"`
	RedirectURIs []string `yaml:"redirect_uris"`
}

// ParseSeed reads a seed. An unknown key is an error that names its line.
func ParseSeed(r io.Reader) (*Seed, error) {
	dec := yaml.NewDecoder(r)
	dec.KnownFields(true)
	s := &Seed{}
	if err := dec.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("emulator: seed: %w", err)
	}
	if err := dec.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("emulator: seed: more than one YAML document")
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Seed) check() error {
	owner := map[string]int{}
	for i, u := range s.Users {
		if u.Email == "" {
			return fmt.Errorf("emulator: seed: user %d has no email", i+1)
		}
		for token := range u.Tokens {
			if other, taken := owner[token]; taken || token == "" {
				return fmt.Errorf("emulator: seed: user %d: a token is empty or also user %d's", i+1, other+1)
			}
			owner[token] = i
		}
		for j, m := range u.Messages {
			if (m.Raw == "") == (m.File == "") {
				return fmt.Errorf("emulator: seed: user %d, message %d: needs raw or file, one of them", i+1, j+1)
			}
			if err := checkSeedMail([]byte(m.Raw)); m.Raw != "" && err != nil {
				return fmt.Errorf("emulator: seed: user %d, message %d: %w", i+1, j+1, err)
			}
		}
	}
	for i, c := range s.Clients {
		if c.ID == "" {
			return fmt.Errorf("emulator: seed: client %d has no id", i+1)
		}
	}
	return nil
}

// checkSeedMail is stricter than a mailbox: mail written for a seed that has no
// header field is a slip of the pen.
func checkSeedMail(raw []byte) error {
	content, err := newMail(raw)
	if err == nil && len(content.headers()) == 0 {
		err = errNoHeader
	}
	return err
}

// StaticTokens are the fixed tokens of all users. They count as the project of
// the seed's first client.
func (s *Seed) StaticTokens() StaticTokens {
	project := "seed"
	if len(s.Clients) > 0 {
		project = s.Clients[0].ID
	}
	out := StaticTokens{}
	for _, u := range s.Users {
		for token, scopes := range u.Tokens {
			out[token] = TokenInfo{Email: u.Email, Scopes: scopes, ClientID: project}
		}
	}
	return out
}

// Apply makes the seed's users, labels and mail. Paths are relative to dir. It
// stops at the first error, which says which user and message it was; what was
// made before stays. Refused files of an import are errors too.
func (s *Server) Apply(seed *Seed, dir string) error {
	for i, u := range seed.Users {
		if err := s.applyUser(u, dir); err != nil {
			return fmt.Errorf("emulator: seed: user %d: %w", i+1, err)
		}
	}
	return nil
}

func (s *Server) applyUser(u SeedUser, dir string) error {
	if err := s.AddUser(u.Email, u.Name); err != nil {
		return err
	}
	b := s.mailbox(u.Email)
	b.mu.Lock()
	for _, name := range u.Labels {
		if _, err := b.labels.ensure(name); err != nil {
			b.unlock()
			return fmt.Errorf("label %q: %w", name, err)
		}
	}
	b.unlock()
	for j, m := range u.Messages {
		if err := s.applyMessage(u.Email, m, dir); err != nil {
			return fmt.Errorf("message %d: %w", j+1, err)
		}
	}
	for _, path := range u.Import {
		report, err := s.ImportPath(u.Email, relativeTo(dir, path), nil)
		if err != nil {
			return err
		}
		if len(report.Refused) > 0 {
			return fmt.Errorf("import %s: %s: %s", path, filepath.Base(report.Refused[0].File), report.Refused[0].Reason)
		}
	}
	return nil
}

func (s *Server) applyMessage(email string, m SeedMessage, dir string) error {
	raw := []byte(m.Raw)
	if m.File != "" {
		var err error
		if raw, err = os.ReadFile(relativeTo(dir, m.File)); err != nil {
			return err
		}
		if err := checkSeedMail(raw); err != nil {
			return err
		}
	}
	labels := m.Labels
	if len(labels) == 0 {
		labels = []string{"INBOX"}
	}
	_, err := s.Insert(email, raw, labels, time.Time{})
	return err
}

func relativeTo(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
