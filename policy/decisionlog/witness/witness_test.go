package witness_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/decisionlog/witness"
)

const origin = "example.com/webmail/decisions"

// world is a log and the witness that looks after it.
type world struct {
	t        *testing.T
	now      atomic.Int64 // seconds since start
	signer   note.Signer
	verifier note.Verifier // of the log
	witness  note.Verifier
	server   *witness.Server
	http     *httptest.Server
	down     atomic.Bool
}

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	dir := t.TempDir()
	var err error
	if w.signer, w.verifier, err = decisionlog.LoadOrCreateKey(filepath.Join(dir, "log.key"), origin); err != nil {
		t.Fatal(err)
	}
	secret, err := witness.LoadOrCreateKey(filepath.Join(dir, "witness.key"), "example.org/witness")
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(filepath.Join(dir, "witness.key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	if w.witness, err = witness.ParseVerifier(string(public)); err != nil {
		t.Fatal(err)
	}
	w.server, err = witness.NewServer(witness.ServerConfig{Key: secret, Logs: []note.Verifier{w.verifier}, Dir: filepath.Join(dir, "state")})
	if err != nil {
		t.Fatal(err)
	}
	w.http = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.down.Load() {
			http.Error(rw, "away", http.StatusBadGateway)
			return
		}
		w.server.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.http.Close)
	return w
}

func (w *world) open(db *database.DB) *decisionlog.Log {
	w.t.Helper()
	log, err := decisionlog.Open(w.t.Context(), db, decisionlog.Config{
		Origin: origin, Signer: w.signer, Verifier: w.verifier, Now: func() time.Time { return start.Add(time.Duration(w.now.Load()) * time.Second) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = log.Close() })
	return log
}

func (w *world) keeper(log *decisionlog.Log) *witness.Keeper {
	w.t.Helper()
	k, err := witness.NewKeeper(witness.KeeperConfig{Log: log, URL: w.http.URL, Verifier: w.witness, Client: w.http.Client()})
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

func (w *world) grow(log *decisionlog.Log, n int, what string) {
	w.t.Helper()
	for i := range n {
		e := decisionlog.Entry{Kind: decisionlog.Lifecycle, Operation: "test", Ref: decisionlog.NoRef, Body: fmt.Appendf(nil, "%s %d", what, i)}
		if _, err := log.Append(w.t.Context(), e); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestCosign(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		w := newWorld(t)
		log := w.open(open(t))
		k := w.keeper(log)
		if _, err := log.Cosigned(t.Context()); !errors.Is(err, decisionlog.ErrNoRecord) {
			t.Errorf("a log without its witness: %v", err)
		}
		if k.Covers(start) {
			t.Error("nothing is signed yet")
		}
		for _, more := range []int{0, 1, 1, 5, 300, 0, 7} {
			w.grow(log, more, "event")
			w.now.Add(1)
			if err := k.Cosign(t.Context()); err != nil {
				t.Fatalf("after %d more: %v", more, err)
			}
			if !k.Covers(log.Now()) || k.Fresh() != nil {
				t.Errorf("after %d more: not covered", more)
			}
		}
		got, err := log.Cosigned(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		signed, err := note.Open(got, note.VerifierList(w.witness, w.verifier))
		if err != nil || len(signed.Sigs) != 2 {
			t.Fatalf("the kept checkpoint has %d known signatures, %v, want the log's and the witness's", len(signed.Sigs), err)
		}
		if tree, err := decisionlog.OpenCheckpoint(got, origin, w.verifier); err != nil || tree.N != 314 {
			t.Errorf("the kept checkpoint is of %d events, %v", tree.N, err)
		}
	})
}

// TestNewKeeper: a process that starts does not know where the witness stands, and several nodes take turns.
func TestNewKeeper(t *testing.T) {
	w := newWorld(t)
	log := w.open(databasetest.Open(t, databasetest.SQLite(t)))
	w.grow(log, 20, "a")
	for node := range 4 {
		if err := w.keeper(log).Cosign(t.Context()); err != nil {
			t.Errorf("node %d: %v", node, err)
		}
		w.grow(log, node, "b")
	}
}

// TestRollBack: the database is put back to an earlier state. The log itself is consistent; only the witness can tell.
func TestRollBack(t *testing.T) {
	w := newWorld(t)
	before := databasetest.Open(t, databasetest.SQLite(t))
	log := w.open(before)
	w.grow(log, 10, "a")
	k := w.keeper(log)
	if err := k.Cosign(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		events int
		what   string
		want   any
	}{
		"shorter":                       {4, "a", new(*decisionlog.RolledBack)},
		"as long but other":             {10, "b", new(*decisionlog.Forked)},
		"longer, with another past":     {25, "b", new(*decisionlog.Forked)},
		"empty, as after a fresh start": {0, "", new(*decisionlog.RolledBack)},
	} {
		other := w.open(databasetest.Open(t, databasetest.SQLite(t)))
		w.grow(other, c.events, c.what)
		k := w.keeper(other)
		if err := k.Cosign(t.Context()); !errors.As(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		var overdue *witness.Overdue
		if err := k.Fresh(); !errors.As(err, &overdue) {
			t.Errorf("%s: the gate would stay open: %v", name, err)
		}
		if k.Covers(time.Time{}) {
			t.Errorf("%s: covered", name)
		}
	}
}

// TestOverdue: growth without the witness is allowed for the limit and no longer; standing still for ever.
func TestOverdue(t *testing.T) {
	w := newWorld(t)
	log := w.open(databasetest.Open(t, databasetest.SQLite(t)))
	k := w.keeper(log)
	w.grow(log, 3, "a")
	if err := k.Cosign(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.down.Store(true)
	w.now.Add(86400)
	if err := k.Cosign(t.Context()); err != nil || k.Fresh() != nil {
		t.Errorf("an idle log needs no witness: %v, %v", err, k.Fresh())
	}
	w.grow(log, 1, "b")
	if err := k.Cosign(t.Context()); err == nil {
		t.Error("the witness is away, and signs")
	}
	w.now.Add(600)
	if err := k.Fresh(); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	w.now.Add(1)
	if err := k.Fresh(); err == nil {
		t.Error("a second past the limit the gate is open")
	}
	w.down.Store(false)
	if err := k.Cosign(t.Context()); err != nil || k.Fresh() != nil {
		t.Errorf("the witness is back: %v, %v", err, k.Fresh())
	}
}

// TestFirstContact: a process that never reaches its witness has the same limit from its start.
func TestFirstContact(t *testing.T) {
	w := newWorld(t)
	w.down.Store(true)
	log := w.open(databasetest.Open(t, databasetest.SQLite(t)))
	k := w.keeper(log)
	_ = k.Cosign(t.Context())
	if err := k.Fresh(); err != nil {
		t.Errorf("at start: %v", err)
	}
	w.now.Add(601)
	if err := k.Fresh(); err == nil {
		t.Error("after the limit the gate is open")
	}
}

// TestForgedAnswers: what does not carry the witness's signature over this checkpoint counts for nothing.
func TestForgedAnswers(t *testing.T) {
	w := newWorld(t)
	log := w.open(databasetest.Open(t, databasetest.SQLite(t)))
	w.grow(log, 3, "a")
	var real []byte
	capture := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		w.server.ServeHTTP(rec, r)
		real = rec.Body.Bytes()
		rw.WriteHeader(http.StatusTeapot)
	}))
	defer capture.Close()
	asked, err := witness.NewKeeper(witness.KeeperConfig{Log: log, URL: capture.URL, Verifier: w.witness, Client: capture.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if err := asked.Cosign(t.Context()); err == nil {
		t.Error("an answer of 418 is taken for a cosignature")
	}
	w.grow(log, 1, "b")
	for name, answer := range map[string]string{
		"nothing":                   "",
		"of an earlier checkpoint":  string(real),
		"cut off":                   string(real[:len(real)/2]),
		"the log's own signature":   "— " + origin + " AAAA\n",
		"no note at all":            strings.Repeat("x", 1000),
		"a conflict without a size": "409",
	} {
		status := http.StatusOK
		if answer == "409" {
			status = http.StatusConflict
		}
		liar := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(status)
			_, _ = io.WriteString(rw, answer)
		}))
		k, err := witness.NewKeeper(witness.KeeperConfig{Log: log, URL: liar.URL, Verifier: w.witness, Client: liar.Client()})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Cosign(t.Context()); err == nil || k.Covers(time.Time{}.Add(1)) {
			t.Errorf("%s: accepted (%v)", name, err)
		}
		liar.Close()
	}
}

// TestServer asks the witness what no honest log would.
func TestServer(t *testing.T) {
	w := newWorld(t)
	log := w.open(databasetest.Open(t, databasetest.SQLite(t)))
	w.grow(log, 5, "a")
	checkpoint, tree, err := log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stranger := newWorld(t)
	foreign, err := decisionlog.SignCheckpoint(origin, tree, stranger.signer)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(body string) (int, string) {
		answer, err := http.Post(w.http.URL+"/add-checkpoint", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(text)
	}
	hash := tree.Hash.String() + "\n"
	for _, c := range []struct {
		name, body string
		want       int
	}{
		{"empty", "", 400},
		{"no old size", "\n" + string(checkpoint), 400},
		{"a size with a sign", "old +0\n\n" + string(checkpoint), 400},
		{"a negative size", "old -1\n\n" + string(checkpoint), 400},
		{"a bad hash", "old 0\nAAAA\n\n" + string(checkpoint), 400},
		{"64 hashes", "old 0\n" + strings.Repeat(hash, 64) + "\n" + string(checkpoint), 400},
		{"old beyond new", "old 6\n\n" + string(checkpoint), 400},
		{"an unknown log", "old 0\n\nexample.net/other\n5\n" + hash + "\n— x AAAA\n", 404},
		{"another key", "old 0\n\n" + string(foreign), 403},
		{"a proof of nothing", "old 0\n" + hash + "\n" + string(checkpoint), 422},
		{"an old size that was never signed", "old 3\n" + hash + "\n" + string(checkpoint), 409},
		{"honest", "old 0\n\n" + string(checkpoint), 200},
		{"the same again, as after a lost answer", "old 5\n\n" + string(checkpoint), 200},
		{"from the start again", "old 0\n\n" + string(checkpoint), 409},
		{"too long", "old 0\n\n" + strings.Repeat("x", 1<<20), 400},
	} {
		if got, text := ask(c.body); got != c.want || got == 409 && c.name == "from the start again" && text != "5\n" {
			t.Errorf("%s: status %d %q, want %d", c.name, got, text, c.want)
		}
	}
	smaller, err := decisionlog.SignCheckpoint(origin, tlog.Tree{N: 5, Hash: tlog.RecordHash([]byte("other"))}, w.signer)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := ask("old 5\n\n" + string(smaller)); got != 409 {
		t.Errorf("another tree of the same size, signed with the log's key: %d, want 409", got)
	}
	w.grow(log, 4, "b")
	larger, _, err := log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := ask("old 5\n" + hash + "\n" + string(larger)); got != 422 {
		t.Errorf("a wrong proof: %d, want 422", got)
	}
	if answer, err := http.Get(w.http.URL + "/add-checkpoint"); err != nil || answer.StatusCode != 405 {
		t.Errorf("a GET: %v, %v", answer.StatusCode, err)
	}
}

// TestDamagedState: a witness whose record was changed does not begin anew.
func TestDamagedState(t *testing.T) {
	w := newWorld(t)
	log := w.open(databasetest.Open(t, databasetest.SQLite(t)))
	w.grow(log, 2, "a")
	dir := t.TempDir()
	secret, err := witness.LoadOrCreateKey(filepath.Join(dir, "k"), "example.org/other")
	if err != nil {
		t.Fatal(err)
	}
	s, err := witness.NewServer(witness.ServerConfig{Key: secret, Logs: []note.Verifier{w.verifier}, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, _, err := log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(old int) int {
		rec := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/add-checkpoint", strings.NewReader(fmt.Sprintf("old %d\n\n%s", old, checkpoint)))
		s.ServeHTTP(rec, r)
		return rec.Code
	}
	if got := ask(0); got != 200 {
		t.Fatalf("got %d", got)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.checkpoint"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := ask(0); got != 500 {
		t.Errorf("with a damaged record: %d, want 500", got)
	}
}

func FuzzServer(f *testing.F) {
	dir := f.TempDir()
	signer, verifier, err := decisionlog.LoadOrCreateKey(filepath.Join(dir, "log.key"), origin)
	if err != nil {
		f.Fatal(err)
	}
	secret, err := witness.LoadOrCreateKey(filepath.Join(dir, "witness.key"), "example.org/witness")
	if err != nil {
		f.Fatal(err)
	}
	s, err := witness.NewServer(witness.ServerConfig{Key: secret, Logs: []note.Verifier{verifier}, Dir: filepath.Join(dir, "state")})
	if err != nil {
		f.Fatal(err)
	}
	checkpoint, err := decisionlog.SignCheckpoint(origin, tlog.Tree{N: 1, Hash: tlog.RecordHash(nil)}, signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("old 0\n\n" + string(checkpoint))
	f.Add("old 1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" + string(checkpoint))
	f.Fuzz(func(t *testing.T, body string) {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/add-checkpoint", strings.NewReader(body)))
		if rec.Code == 200 && !strings.HasSuffix(body, string(checkpoint)) {
			t.Errorf("signed: %q", body)
		}
		if rec.Code >= 500 {
			t.Errorf("status %d for %q", rec.Code, body)
		}
	})
}
