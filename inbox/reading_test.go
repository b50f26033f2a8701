package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/inbox/emulator"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// reader is a mailbox over the real things: the emulated Gmail over HTTP, the real gate, the real log.
type reader struct {
	mail    *emulator.Server
	service *inbox.Service
	log     *decisionlog.Log
	facts   *ownerFacts
	gate    *policy.Gate

	endpoint string // of the emulated Gmail
}

const (
	readerAddress = "alice@example.com"
	readerAccount = policy.AccountID("account-of-alice")
	readerPerson  = policy.PersonID("person-alice")
)

// ownerFacts are the facts of the one account, changeable while a test runs.
type ownerFacts struct {
	policy.OwnersAlone
	mu    sync.Mutex
	facts policy.AccountFacts
}

func (f *ownerFacts) Account(_ context.Context, id policy.AccountID) (policy.AccountFacts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id != readerAccount {
		return policy.AccountFacts{}, policy.ErrUnknown
	}
	return f.facts, nil
}

func (f *ownerFacts) Epoch(ctx context.Context, id policy.AccountID) (int64, error) {
	a, err := f.Account(ctx, id)
	return a.Epoch, err
}

func (f *ownerFacts) Instruction(context.Context, string) (policy.Instruction, error) {
	return policy.Instruction{}, policy.ErrUnknown
}

type fixedToken string

func (t fixedToken) Token(context.Context, *policy.Grant) (string, error) { return string(t), nil }
func (fixedToken) Invalidate(policy.AccountID, string)                    {}

func newReader(t testing.TB) *reader {
	t.Helper()
	ctx := t.Context()
	r := &reader{mail: emulator.New(emulator.Options{Quota: "off", Auth: emulator.StaticTokens{
		"alice-token": {Email: readerAddress, Scopes: []string{"https://www.googleapis.com/auth/gmail.modify"}},
	}})}
	if err := r.mail.AddUser(readerAddress, "Alice"); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(r.mail.Handler())
	t.Cleanup(web.Close)
	r.endpoint = web.URL

	dir := t.TempDir()
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(dir, "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	signer, verifier, err := decisionlog.LoadOrCreateKey(filepath.Join(dir, "log.key"), "test/decisions")
	if err != nil {
		t.Fatal(err)
	}
	if r.log, err = decisionlog.Open(ctx, db, decisionlog.Config{Origin: "test/decisions", Signer: signer, Verifier: verifier}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.log.Close() })
	r.facts = &ownerFacts{facts: policy.AccountFacts{
		Owner: readerPerson, State: "connected", Scopes: []string{"https://www.googleapis.com/auth/gmail.modify"},
		Consent: policy.Consent{Version: 2, First: 2, Given: time.Unix(1, 0)}, LogKey: []byte("0123456789abcdef0123456789abcdef"),
	}}
	gate, err := policy.NewGate(ctx, policy.Config{Log: r.log, Facts: r.facts, PseudonymKey: []byte(strings.Repeat("k", 32))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gate.Close)
	r.gate = gate
	r.service, err = inbox.New(inbox.Config{Gate: gate, Tokens: fixedToken("alice-token"), Endpoint: web.URL, PollEvery: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reader) put(t testing.TB, message string, labels ...string) string {
	t.Helper()
	id, err := r.mail.Insert(readerAddress, []byte(strings.ReplaceAll(message, "\n", "\r\n")), labels, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func simple(n int, subject string) string {
	at := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)
	return fmt.Sprintf("From: Bob <bob@example.com>\nTo: alice@example.com\nSubject: %s\nMessage-ID: <m%d@example.com>\nDate: %s\n\nText %d\n",
		subject, n, at.Format(time.RFC1123Z), n)
}

func at(purpose policy.Purpose, feature policy.Feature) inbox.Visit {
	return inbox.Visit{Actor: policy.Actor{Kind: policy.Owner, Person: readerPerson}, Account: readerAccount, Purpose: purpose, Feature: feature}
}

var (
	listing    = at("inbox.read", "thread_list")
	opening    = at("inbox.read", "thread_view")
	viewing    = at("inbox.read", "message_view")
	attaching  = at("inbox.read", "attachment_view")
	organising = at("inbox.organise", "organise")
	labelling  = at("inbox.read", "label_list")
	watching   = at("inbox.sync", "live_updates")
	searching  = at("inbox.search", "search")
)

func threads(t *testing.T, r *reader, req inbox.ListRequest) inbox.Page {
	t.Helper()
	page, err := r.service.Threads(t.Context(), listing, req)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestThreadsPagesEveryConversationOnce(t *testing.T) {
	r := newReader(t)
	const conversations = 130
	for n := range conversations {
		r.put(t, simple(n, fmt.Sprintf("Subject %d", n)), "INBOX")
	}
	var seen []string
	for req := (inbox.ListRequest{Label: "INBOX"}); ; {
		page := threads(t, r, req)
		if len(page.Rows) > 50 {
			t.Fatalf("a page of %d rows, want at most 50", len(page.Rows))
		}
		for _, row := range page.Rows {
			seen = append(seen, row.Subject)
		}
		if req.Page = page.Next; req.Page == "" {
			break
		}
	}
	if len(seen) != conversations || seen[0] != "Subject 129" || seen[conversations-1] != "Subject 0" {
		t.Fatalf("got %d rows from %q to %q, want %d from Subject 129 to Subject 0", len(seen), seen[0], seen[len(seen)-1], conversations)
	}
}

func TestColdPageTakesTwoRoundsAndWarmPageNone(t *testing.T) {
	r := newReader(t)
	for n := range 60 {
		r.put(t, simple(n, fmt.Sprint(n)), "INBOX")
	}
	threads(t, r, inbox.ListRequest{Label: "INBOX"})
	cold := r.mail.Stats()
	// getProfile and messages.list at once, then two batches of 25 at once: 1 + 5 + 50*20 units.
	if cold.Trips != 4 || cold.Units != 1006 {
		t.Errorf("a cold page took %d trips and %d units, want 4 and 1006", cold.Trips, cold.Units)
	}
	r.mail.ResetStats()
	threads(t, r, inbox.ListRequest{Label: "INBOX"})
	if warm := r.mail.Stats(); warm.Trips != 0 {
		t.Errorf("a page asked for again at once took %d trips, want 0", warm.Trips)
	}
}

func TestConversationReadsBodiesAndAttachments(t *testing.T) {
	r := newReader(t)
	id := r.put(t, `From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>
To: alice@example.com
Subject: Plan
Message-ID: <plan@example.com>
Date: Sun, 01 Nov 2026 08:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe
--y
Content-Type: text/html; charset=utf-8

<p>Grüße</p>
--y--
--x
Content-Type: application/pdf; name=plan.pdf
Content-Disposition: attachment; filename=plan.pdf
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--x--
`, "INBOX", "UNREAD")
	row := threads(t, r, inbox.ListRequest{Label: "INBOX"}).Rows[0]
	if !row.Unread || !row.Attachment || row.From[0].Name != "Jürgen" {
		t.Errorf("row %+v, want unread, with an attachment, from Jürgen", row)
	}
	c, err := r.service.Conversation(t.Context(), opening, row.ThreadID)
	if err != nil {
		t.Fatal(err)
	}
	m := c.Messages[0]
	if m.BodyKind != inbox.HTMLBody || strings.TrimSpace(m.HTML()) != "<p>Grüße</p>" || strings.TrimSpace(m.Text()) != "Grüße" {
		t.Errorf("body %q / %q of kind %s", m.HTML(), m.Text(), m.BodyKind)
	}
	if len(m.Attachments) != 1 || m.Attachments[0].Name != "plan.pdf" {
		t.Fatalf("attachments %+v, want plan.pdf", m.Attachments)
	}
	a, err := r.service.Attachment(t.Context(), attaching, id, m.Attachments[0].PartID)
	if err != nil || string(a.Content) != "%PDF-1.4\n" {
		t.Errorf("attachment content %q, %v", a.Content, err)
	}
	r.mail.ResetStats()
	if _, err := r.service.Body(t.Context(), viewing, id); err != nil || r.mail.Stats().Trips != 0 {
		t.Errorf("the body of an opened message took %d trips (%v), want 0", r.mail.Stats().Trips, err)
	}
}

func TestHeldMailNeedsADecisionToo(t *testing.T) {
	r := newReader(t)
	id := r.put(t, simple(1, "Held"), "INBOX")
	row := threads(t, r, inbox.ListRequest{Label: "INBOX"}).Rows[0]
	if _, err := r.service.Conversation(t.Context(), opening, row.ThreadID); err != nil {
		t.Fatal(err)
	}
	stranger := viewing
	stranger.Actor.Person = "person-mallory"
	marketing := viewing
	marketing.Purpose = "marketing.audience"
	staff := viewing
	staff.Actor = policy.Actor{Kind: policy.Staff, Person: "person-sam", Roles: []string{"support"}, MFA: true}
	for name, v := range map[string]inbox.Visit{"another owner": stranger, "marketing": marketing, "staff": staff} {
		r.mail.ResetStats()
		var refused *policy.Refused
		if _, err := r.service.Body(t.Context(), v, id); !errors.As(err, &refused) {
			t.Errorf("%s got %v, want a refusal", name, err)
		}
		if r.mail.Stats().Trips != 0 {
			t.Errorf("%s reached Gmail", name)
		}
	}
}

func TestHeldListingNeedsADecisionToo(t *testing.T) {
	r := newReader(t)
	r.put(t, simple(1, "Held"), "INBOX")
	threads(t, r, inbox.ListRequest{Label: "INBOX"})
	before := r.log.State().Size
	stranger := listing
	stranger.Actor.Person = "person-mallory"
	// "100:" is a position behind every row: nothing of a conversation is asked for, only the listing itself.
	for _, page := range []string{"", "MTAwOg"} {
		var refused *policy.Refused
		if got, err := r.service.Threads(t.Context(), stranger, inbox.ListRequest{Label: "INBOX", Page: page}); !errors.As(err, &refused) {
			t.Errorf("page %q: a stranger got %+v, %v, want a refusal", page, got, err)
		}
	}
	if grown := r.log.State().Size - before; grown < 2 {
		t.Errorf("the refusals left %d events, want at least 2", grown)
	}
}

func TestChangesFromElsewhereAreSeen(t *testing.T) {
	r := newReader(t)
	r.put(t, simple(1, "First"), "INBOX")
	threads(t, r, inbox.ListRequest{Label: "INBOX"})
	watch, err := r.service.Watch(t.Context(), watching)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	r.put(t, simple(2, "Second"), "INBOX", "UNREAD")
	select {
	case c := <-watch.Changes:
		if c.Arrived != 1 || !slices.Contains(c.Labels, "INBOX") {
			t.Errorf("change %+v, want one arrival in INBOX", c)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no change was told")
	}
	if rows := threads(t, r, inbox.ListRequest{Label: "INBOX"}).Rows; len(rows) != 2 || rows[0].Subject != "Second" {
		t.Errorf("after the arrival the list has %d rows", len(rows))
	}
}

func TestWatchEndsWhenTheAccountChanges(t *testing.T) {
	r := newReader(t)
	r.put(t, simple(1, "First"), "INBOX")
	watch, err := r.service.Watch(t.Context(), watching)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	r.facts.mu.Lock()
	r.facts.facts.State = "disconnected"
	r.facts.facts.Epoch++
	r.facts.mu.Unlock()
	select {
	case _, open := <-watch.Changes:
		if open {
			t.Error("a change was told after the account was disconnected")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the watch goes on after the account was disconnected")
	}
}

func TestOrganising(t *testing.T) {
	r := newReader(t)
	var ids []string
	for n := range 30 {
		r.put(t, simple(n, fmt.Sprint(n)), "INBOX", "UNREAD")
	}
	for _, row := range threads(t, r, inbox.ListRequest{Label: "INBOX"}).Rows {
		ids = append(ids, row.ThreadID)
	}
	if err := r.service.ModifyThreads(t.Context(), organising, ids[:20], inbox.LabelChange{Remove: []string{"INBOX", "UNREAD"}}); err != nil {
		t.Fatal(err)
	}
	if err := r.service.TrashThreads(t.Context(), organising, ids[20:25]); err != nil {
		t.Fatal(err)
	}
	if got := len(threads(t, r, inbox.ListRequest{Label: "INBOX"}).Rows); got != 5 {
		t.Errorf("the inbox has %d conversations after archiving 20 and deleting 5 of 30, want 5", got)
	}
	if got := len(threads(t, r, inbox.ListRequest{Label: "TRASH"}).Rows); got != 5 {
		t.Errorf("the trash has %d, want 5", got)
	}
	if err := r.service.UntrashThreads(t.Context(), organising, ids[20:25]); err != nil {
		t.Fatal(err)
	}
	all := threads(t, r, inbox.ListRequest{Label: inbox.AllMail}).Rows
	if len(all) != 30 {
		t.Errorf("all mail has %d, want 30", len(all))
	}
	var invalid *inbox.InvalidError
	if err := r.service.ModifyThreads(t.Context(), organising, ids[:1], inbox.LabelChange{Add: []string{"SENT"}}); !errors.As(err, &invalid) {
		t.Errorf("putting SENT on by hand gave %v, want an InvalidError", err)
	}
}

func TestThrottledChangeIsFinishedByNewDecisions(t *testing.T) {
	r := newReader(t)
	r.put(t, simple(1, "One"), "INBOX")
	row := threads(t, r, inbox.ListRequest{Label: "INBOX"}).Rows[0]
	r.mail.InjectFault(emulator.Fault{Method: "threads.modify", Count: 1, Kind: emulator.FaultStatus, Status: 429})
	if err := r.service.ModifyThreads(t.Context(), organising, []string{row.ThreadID}, inbox.LabelChange{Add: []string{"STARRED"}}); err != nil {
		t.Fatal(err)
	}
	if !threads(t, r, inbox.ListRequest{Label: "INBOX"}).Rows[0].Starred {
		t.Error("the conversation is not starred")
	}
}

func TestSearch(t *testing.T) {
	r := newReader(t)
	r.put(t, simple(1, "Garden plan"), "INBOX")
	r.put(t, simple(2, "Atlas"), "INBOX")
	page, err := r.service.Threads(t.Context(), searching, inbox.ListRequest{Label: inbox.AllMail, Search: "subject:garden"})
	if err != nil || len(page.Rows) != 1 || page.Rows[0].Subject != "Garden plan" {
		t.Errorf("search gave %d rows, %v", len(page.Rows), err)
	}
}

func TestLabels(t *testing.T) {
	r := newReader(t)
	r.put(t, simple(1, "One"), "INBOX", "UNREAD", "Projects/Atlas")
	for _, round := range []string{"cold", "held"} {
		labels, err := r.service.Labels(t.Context(), labelling)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(labels, func(l inbox.Label) bool { return l.Name == "Projects/Atlas" })
		if i < 0 || labels[i].System || labels[i].ThreadsTotal != 1 {
			t.Errorf("%s: label Projects/Atlas is missing or not counted: %+v", round, labels)
		}
	}
}

func TestNothingOfTheMailReachesTheLog(t *testing.T) {
	r := newReader(t)
	r.put(t, "From: Canary Sender <canary-from@example.com>\nTo: alice@example.com\nSubject: canary-subject\nMessage-ID: <c@example.com>\nDate: Sun, 01 Nov 2026 08:00:00 +0000\n\ncanary-body\n", "INBOX")
	row := threads(t, r, inbox.ListRequest{Label: "INBOX"}).Rows[0]
	if _, err := r.service.Conversation(t.Context(), opening, row.ThreadID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.service.Threads(t.Context(), searching, inbox.ListRequest{Label: inbox.AllMail, Search: "canary-search"}); err != nil {
		t.Fatal(err)
	}
	page, err := r.log.Query(t.Context(), decisionlog.Filter{Limit: 1000})
	if err != nil || len(page.Records) < 6 {
		t.Fatalf("the log has %d events, %v", len(page.Records), err)
	}
	for _, rec := range page.Records {
		for _, secret := range []string{"anary", "alice", row.ThreadID, string(readerAccount), string(readerPerson), "alice-token"} {
			if strings.Contains(string(rec.Body), secret) {
				t.Errorf("event %d holds %q: %s", rec.Index, secret, rec.Body)
			}
		}
	}
	if _, err := r.log.Verify(t.Context(), decisionlog.VerifyOptions{Index: policy.Index}); err != nil {
		t.Error(err)
	}
}
