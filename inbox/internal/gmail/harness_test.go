package gmail_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

const (
	ann = policy.PersonID("ann")
	box = policy.AccountID("box")
)

// facts knows one mailbox, whose owner has agreed to everything. To raise its epoch is to disconnect it.
type facts struct {
	policy.OwnersAlone
	epoch *atomic.Int64
}

func (facts) Account(context.Context, policy.AccountID) (policy.AccountFacts, error) {
	return policy.AccountFacts{
		Owner: ann, State: "connected", Scopes: []string{"https://mail.google.com/"},
		Consent: policy.Consent{Version: 2, First: 2, Given: time.Unix(1, 0)}, LogKey: make([]byte, 32),
	}, nil
}
func (f facts) Epoch(context.Context, policy.AccountID) (int64, error) { return f.epoch.Load(), nil }
func (facts) Instruction(context.Context, string) (policy.Instruction, error) {
	return policy.Instruction{}, policy.ErrUnknown
}

// vault hands out token-1, token-2, ...: another one whenever the last was refused.
type vault struct {
	mu      sync.Mutex
	refused int
}

func (v *vault) Token(context.Context, *policy.Grant) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return fmt.Sprintf("token-%d", v.refused+1), nil
}

func (v *vault) Invalidate(_ policy.AccountID, token string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if token == fmt.Sprintf("token-%d", v.refused+1) {
		v.refused++
	}
}

// upstream is Gmail, as far as these tests need it: it counts and answers.
type upstream struct {
	mu     sync.Mutex
	hits   []hit
	answer func(n int, h hit) *http.Response // n counts from 0
}

type hit struct {
	req  *http.Request
	body []byte
}

func (u *upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	h := hit{req, body}
	u.hits = append(u.hits, h)
	res := u.answer(len(u.hits)-1, h)
	if res == nil {
		return nil, fmt.Errorf("dial tcp 192.0.2.7:443: canary connection refused")
	}
	res.Request = req
	return res, nil
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	res, err := u.RoundTrip(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	io.Copy(w, res.Body)
}

func (u *upstream) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.hits)
}

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// agreeable answers every request with success.
func agreeable(_ int, h hit) *http.Response {
	if h.req.URL.Path == "/batch/gmail/v1" {
		return batchAnswer(contentIDs(h), func(string) string { return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}" })
	}
	if h.req.Method == http.MethodDelete {
		return answer(http.StatusNoContent, "")
	}
	return answer(http.StatusOK, "{}")
}

// contentIDs returns the ids of a batch's parts, without brackets.
func contentIDs(h hit) (ids []string) {
	_, params, err := mime.ParseMediaType(h.req.Header.Get("Content-Type"))
	if err != nil {
		panic(err)
	}
	r := multipart.NewReader(bytes.NewReader(h.body), params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return ids
		}
		ids = append(ids, strings.Trim(p.Header.Get("Content-Id"), "<>"))
	}
}

func batchAnswer(ids []string, part func(id string) string) *http.Response {
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, id := range ids {
		p, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/http"}, "Content-Id": {"<response-" + id + ">"}})
		if err != nil {
			panic(err)
		}
		io.WriteString(p, part(id))
	}
	w.Close()
	res := answer(http.StatusOK, buf.String())
	res.Header.Set("Content-Type", "multipart/mixed; boundary="+w.Boundary())
	return res
}

// world is a client of a real gate, with a fake Gmail behind it.
type world struct {
	gate   *policy.Gate
	client *gmail.Client
	gmail  *upstream
	vault  *vault
	facts  facts
	tables limiteduse.Tables
}

// newWorld makes a client that reaches the upstream without a network.
func newWorld(tb testing.TB, reply func(int, hit) *http.Response) *world {
	tb.Helper()
	up := &upstream{answer: reply}
	return worldAt(tb, up, gmail.GoogleEndpoint, up)
}

// newServedWorld makes a client that reaches the upstream over a socket.
func newServedWorld(tb testing.TB, reply func(int, hit) *http.Response) *world {
	tb.Helper()
	up := &upstream{answer: reply}
	server := httptest.NewServer(up)
	tb.Cleanup(server.Close)
	return worldAt(tb, up, server.URL+"/", &http.Transport{})
}

// newWorldWith makes a client whose requests nobody keeps.
func newWorldWith(tb testing.TB, answer func(*http.Request) *http.Response) *world {
	tb.Helper()
	return worldAt(tb, &upstream{}, gmail.GoogleEndpoint, roundTrip(answer))
}

type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) {
	if res := f(req); res != nil {
		return res, nil
	}
	return nil, fmt.Errorf("the body broke off")
}

func worldAt(tb testing.TB, up *upstream, endpoint string, transport http.RoundTripper) *world {
	tb.Helper()
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	const origin = "example.com/webmail/test"
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	must(err)
	signer, err := note.NewSigner(secret)
	must(err)
	verifier, err := note.NewVerifier(public)
	must(err)
	db, err := database.Open(tb.Context(), "sqlite:"+filepath.Join(tb.TempDir(), "log.db"))
	must(err)
	fixed := func() time.Time { return time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) }
	log, err := decisionlog.Open(tb.Context(), db, decisionlog.Config{Origin: origin, Signer: signer, Verifier: verifier, Now: fixed})
	must(err)
	w := &world{gmail: up, vault: &vault{}, facts: facts{epoch: new(atomic.Int64)}}
	w.gate, err = policy.NewGate(tb.Context(), policy.Config{Log: log, Facts: w.facts, PseudonymKey: make([]byte, 32)})
	must(err)
	w.client, err = gmail.New(gmail.Config{Endpoint: endpoint, Gate: w.gate, Tokens: w.vault, Transport: transport})
	must(err)
	w.tables, err = limiteduse.ReadTables()
	must(err)
	tb.Cleanup(func() {
		w.gate.Close()
		log.Close()
		db.Close()
	})
	return w
}

// access finds a feature of the policy's tables that needs the target.
func (w *world) access(tb testing.TB, target policy.Target) policy.Access {
	tb.Helper()
	for name, f := range w.tables.Features {
		fits := f.Actors["owner"] && f.Operations[string(target.Operation)] && len(target.Resource.IDs) <= f.Max
		for _, c := range target.Classes {
			fits = fits && f.Classes[string(c)]
		}
		if fits {
			return policy.Access{Actor: policy.Actor{Kind: policy.Owner, Person: ann}, Account: box, Target: target, Purpose: policy.Purpose(f.Purpose), Feature: policy.Feature(name)}
		}
	}
	tb.Fatalf("no feature needs %s with %v", target.Operation, target.Classes)
	return policy.Access{}
}

func (w *world) grant(tb testing.TB, target policy.Target) *policy.Grant {
	tb.Helper()
	grant, err := w.gate.Authorize(tb.Context(), w.access(tb, target))
	if err != nil {
		tb.Fatalf("%+v: %v", target, err)
	}
	return grant
}

// do decides a call and carries it out.
func do[T any](tb testing.TB, w *world, call gmail.Call[T]) (T, error) {
	tb.Helper()
	target, err := call.Target()
	if err != nil {
		tb.Fatal(err)
	}
	return gmail.Do(tb.Context(), w.client, w.grant(tb, target), call)
}
