package inbox_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/inbox/emulator"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// Two people, each with a mailbox. Accounts are named after them.
const (
	alice = "alice@example.com"
	bob   = "bob@example.com"
)

// post is a post office for tests: the emulated Gmail, and what its users know of it.
type post struct {
	emulator *emulator.Server
	url      string
}

func newPost(t *testing.T, now func() time.Time) *post {
	t.Helper()
	tokens := emulator.StaticTokens{}
	for _, user := range []string{alice, bob} {
		tokens["token of "+user] = emulator.TokenInfo{Email: user, Scopes: []string{"https://mail.google.com/"}, ClientID: "test"}
	}
	p := &post{emulator: emulator.New(emulator.Options{Auth: tokens, Quota: "off", Now: now, Logf: func(string, ...any) {}})}
	for user, name := range map[string]string{alice: "Alice Example", bob: "Bob Example"} {
		if err := p.emulator.AddUser(user, name); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(p.emulator.Handler())
	t.Cleanup(server.Close)
	p.url = server.URL + "/"
	return p
}

// get asks the emulated Gmail as its user would, past the product.
func (p *post) get(t *testing.T, user, path string, into any) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, p.url+"gmail/v1/users/me/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token of "+user)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: status %d, %v: %s", path, res.StatusCode, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatal(err)
	}
}

type listed struct {
	Messages []struct{ ID, ThreadID string }
	Drafts   []struct {
		ID      string
		Message struct{ ID string }
	}
}

// copies counts the messages with the subject in a user's mailbox, by label.
func (p *post) copies(t *testing.T, user, label, subject string) int {
	t.Helper()
	var list listed
	p.get(t, user, "messages?maxResults=500&labelIds="+label, &list)
	n := 0
	for _, m := range list.Messages {
		var got struct {
			Payload struct {
				Headers []struct{ Name, Value string }
			}
		}
		p.get(t, user, "messages/"+m.ID+"?format=metadata", &got)
		for _, h := range got.Payload.Headers {
			if h.Name == "Subject" && h.Value == subject {
				n++
			}
		}
	}
	return n
}

// drafts counts a user's drafts.
func (p *post) drafts(t *testing.T, user string) int {
	t.Helper()
	var list listed
	p.get(t, user, "drafts?maxResults=500", &list)
	return len(list.Drafts)
}

// raw reads a message as it is.
func (p *post) raw(t *testing.T, user, id string) []byte {
	t.Helper()
	var got struct{ Raw string }
	p.get(t, user, "messages/"+id+"?format=raw", &got)
	raw, err := base64.URLEncoding.DecodeString(got.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// receive puts a message into a mailbox and returns its Gmail id.
func (p *post) receive(t *testing.T, user, raw string, labels ...string) string {
	t.Helper()
	id, err := p.emulator.Insert(user, []byte(strings.ReplaceAll(raw, "\n", "\r\n")), append(labels, "INBOX"), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// clock is a clock that tests move. It runs as well, so that events keep their order.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// facts is what the server's stores would know.
type facts struct {
	policy.OwnersAlone
	db *database.DB

	mu    sync.Mutex
	state string // of every account
	given time.Time
}

func (f *facts) Account(_ context.Context, id policy.AccountID) (policy.AccountFacts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id != alice && id != bob {
		return policy.AccountFacts{}, policy.ErrUnknown
	}
	return policy.AccountFacts{
		Owner: policy.PersonID("person " + id), State: f.state, Scopes: []string{"https://mail.google.com/"},
		Consent: policy.Consent{Version: 2, First: 2, Given: f.given}, Epoch: 1, LogKey: bytes.Repeat([]byte(id[:1]), 32),
	}, nil
}

func (f *facts) Epoch(context.Context, policy.AccountID) (int64, error) { return 1, nil }

func (f *facts) Instruction(ctx context.Context, id string) (policy.Instruction, error) {
	return inbox.Instruction(ctx, f.db, id)
}

func (f *facts) set(state string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = state
}

// vault hands out the emulator's tokens to valid grants.
type vault struct {
	gate *policy.Gate
	gone atomic.Bool // the owner must connect again
}

func (v *vault) Token(ctx context.Context, grant *policy.Grant) (string, error) {
	if err := v.gate.Valid(ctx, grant); err != nil {
		return "", err
	}
	if v.gone.Load() {
		return "", fmt.Errorf("vault: %w", inbox.ErrReconnect)
	}
	return "token of " + string(grant.Account()), nil
}

func (v *vault) Invalidate(policy.AccountID, string) {}

// sealer seals with one key, bound to account and column.
type sealer struct{ aead cipher.AEAD }

func newSealer(t *testing.T) sealer {
	t.Helper()
	block, err := aes.NewCipher([]byte("a key of sixteen"))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return sealer{aead}
}

func (s sealer) Seal(_ context.Context, account policy.AccountID, column string, plain []byte) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return s.aead.Seal(nonce, nonce, plain, []byte(string(account)+"/"+column)), nil
}

func (s sealer) Unseal(_ context.Context, account policy.AccountID, column string, sealed []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("not sealed")
	}
	return s.aead.Open(nil, sealed[:n], sealed[n:], []byte(string(account)+"/"+column))
}

// names is who writes.
type names struct{}

func (names) Identity(_ context.Context, account policy.AccountID) (name, email string, err error) {
	return map[policy.AccountID]string{alice: "Alice Exämple", bob: "Bob"}[account], string(account), nil
}

// plainHTML stands in for the sanitizer: it removes scripts and nothing else.
type plainHTML struct{}

var (
	scripts = regexp.MustCompile(`(?is)<script.*?</script>`)
	tags    = regexp.MustCompile(`(?s)<[^>]*>`)
)

func (plainHTML) Outgoing(s string) (string, error) { return scripts.ReplaceAllString(s, ""), nil }

func (plainHTML) Text(s string) string { return html.UnescapeString(tags.ReplaceAllString(s, "")) }

// office is one node of the product over a database.
type office struct {
	*inbox.Service
	*clock
	facts *facts
	vault *vault
	gate  *policy.Gate
	log   *decisionlog.Log
	db    *database.DB
}

const (
	shown = 10 * time.Second
	held  = 15 * time.Second
)

// newOffice opens a node. logFolder holds the decision log; nodes of one deployment share it.
func newOffice(t *testing.T, db *database.DB, logFolder, gmailURL string, c *clock, undo time.Duration) *office {
	t.Helper()
	ctx := context.Background()
	if err := inbox.Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	logDB, err := database.Open(ctx, "sqlite:"+filepath.Join(logFolder, "decisions.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { logDB.Close() })
	signer, verifier, err := decisionlog.LoadOrCreateKey(filepath.Join(logFolder, "log.key"), "example.com/test")
	if err != nil {
		t.Fatal(err)
	}
	log, err := decisionlog.Open(ctx, logDB, decisionlog.Config{Origin: "example.com/test", Signer: signer, Verifier: verifier, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	o := &office{clock: c, facts: &facts{db: db, state: "connected", given: time.Now().Add(-time.Hour)}, log: log, db: db}
	o.gate, err = policy.NewGate(ctx, policy.Config{Log: log, Facts: o.facts, PseudonymKey: bytes.Repeat([]byte("k"), 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.gate.Close)
	o.vault = &vault{gate: o.gate}
	o.Service, err = inbox.New(inbox.Config{
		Gate: o.gate, Tokens: o.vault, Sealer: newSealer(t), Identity: names{}, HTML: plainHTML{}, Database: db, Endpoint: gmailURL,
		Transport: &http.Transport{}, Now: c.now, UndoShown: min(undo, shown), UndoHeld: undo,
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// openOffice opens a node over a post office of its own.
func openOffice(t *testing.T, db *database.DB) (*office, *post) {
	t.Helper()
	c := &clock{}
	p := newPost(t, c.now)
	return newOffice(t, db, t.TempDir(), p.url, c, held), p
}

func writing(account policy.AccountID) inbox.Visit {
	return inbox.Visit{
		Actor: policy.Actor{Kind: policy.Owner, Person: policy.PersonID("person " + account)}, Account: account,
		Purpose: "inbox.compose", Feature: "compose",
	}
}

func sending(account policy.AccountID) inbox.Visit {
	return writing(account).For("inbox.send", "send")
}

func letterTo(to, subject, body string) inbox.Compose {
	return inbox.Compose{To: []inbox.Address{{Email: to}}, Subject: subject, HTML: body}
}

// send gives a message to be sent.
func (o *office) send(t *testing.T, c inbox.Compose, key string) inbox.OutboxItem {
	t.Helper()
	item, err := o.Send(t.Context(), sending(alice), inbox.SendRequest{Compose: c, IdempotencyKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// state returns what the outbox says of an item; what it does not show is gone.
func (o *office) state(t *testing.T, id string) inbox.OutboxItem {
	t.Helper()
	items, err := o.Outbox(t.Context(), writing(alice))
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		if item.ID == id {
			return item
		}
	}
	return inbox.OutboxItem{ID: id, State: "gone"}
}

// settle moves the clock until nothing waits any more, for at most two days.
func (o *office) settle(t *testing.T) {
	t.Helper()
	for range 600 {
		o.Forget(alice) // and with it the quota it used up in no time
		if _, err := o.SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		items, err := o.Outbox(t.Context(), writing(alice))
		if err != nil {
			t.Fatal(err)
		}
		waiting := 0
		for _, item := range items {
			if item.State == inbox.Queued || item.State == inbox.Sending {
				waiting++
			}
		}
		if waiting == 0 {
			return
		}
		o.pass(5 * time.Minute)
	}
	t.Fatal("the outbox does not settle")
}

// accountedFor checks that every decision has its outcome.
func (o *office) accountedFor(t *testing.T) {
	t.Helper()
	o.gate.Close()
	open, err := o.log.OpenDecisions(t.Context(), 0, o.now().Add(time.Hour), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range open {
		t.Errorf("decision %d has no outcome: %s for %s", d.Index, d.Operation, d.Feature)
	}
}

// rows counts the rows of a table.
func (o *office) rows(t *testing.T, table string) (n int) {
	t.Helper()
	if err := o.db.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

var keys atomic.Int64

func newKey() string { return fmt.Sprintf("key-of-a-test-%06d", keys.Add(1)) }
