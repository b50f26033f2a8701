package inbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// window is a mailbox with a way out: the real gate, permissions and log, and a stranger's host that answers
// as the test says.
type window struct {
	*reader
	gate    *policy.Gate
	permits *consent.Permissions
	clock   time.Time
	asked   []*http.Request
	bodies  []string
	answer  func(*http.Request) (*http.Response, error)
	atAsk   func()
}

// permitFacts are the facts of a mailbox whose owner can permit transfers.
type permitFacts struct {
	*ownerFacts
	permits *consent.Permissions
}

func (f permitFacts) Instruction(ctx context.Context, id string) (policy.Instruction, error) {
	return f.permits.Instruction(ctx, id)
}

func (w *window) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
	}
	w.asked, w.bodies = append(w.asked, r), append(w.bodies, body)
	if w.atAsk != nil {
		w.atAsk()
	}
	return w.answer(r)
}

func answering(status int, body string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

func newWindow(t *testing.T) *window {
	t.Helper()
	w := &window{reader: newReader(t), answer: answering(200, "picture")}
	ctx := t.Context()
	db := databasetest.Open(t, databasetest.SQLite(t))
	now := func() time.Time {
		if w.clock.IsZero() {
			return time.Now()
		}
		return w.clock
	}
	if _, err := consent.Open(ctx, db, now); err != nil {
		t.Fatal(err)
	}
	w.permits = consent.OpenPermissions(db, newSealer(t), w.facts, now)
	var err error
	w.gate, err = policy.NewGate(ctx, policy.Config{Log: w.log, Facts: permitFacts{w.facts, w.permits}, PseudonymKey: []byte(strings.Repeat("k", 32))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.gate.Close)
	w.service, err = inbox.New(inbox.Config{
		Gate: w.gate, Tokens: fixedToken("alice-token"), Endpoint: w.endpoint, Outside: &http.Client{Transport: w}, Permits: w.permits, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// outcomes counts what became of the allowed decisions about an operation. It closes the gate, for outcomes are
// written behind.
func (w *window) outcomes(t *testing.T, operation string) map[policy.OutcomeStatus]int {
	t.Helper()
	w.gate.Close()
	page, err := w.log.Query(t.Context(), decisionlog.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	decided, counts := map[int64]bool{}, map[policy.OutcomeStatus]int{}
	for _, r := range slices.Backward(page.Records) { // newest first
		if r.Kind == decisionlog.Decision && r.Operation == operation && r.Allowed {
			decided[r.Index] = true
		}
		if r.Kind == decisionlog.Outcome && decided[r.Ref] {
			var o struct{ Status policy.OutcomeStatus }
			if err := json.Unmarshal(r.Body, &o); err != nil {
				t.Fatal(err)
			}
			counts[o.Status]++
		}
	}
	return counts
}

var (
	loading       = at("inbox.read", "remote_images")
	unsubscribing = at("inbox.organise", "unsubscribe")
)

// letter is a message of a newsletter; proof is its Authentication-Results.
func newsletter(from, proof string, more ...string) string {
	head := ""
	if proof != "" {
		head = "Authentication-Results: " + proof + "\n"
	}
	return head + "From: Letters <" + from + ">\nTo: alice@example.com\nSubject: Autumn\n" + strings.Join(append(more, ""), "\n") +
		"Content-Type: text/html\n\n<img src=https://images.example/oak.jpg>\n"
}

const proven = "mx.google.com; dkim=pass header.i=@shop.example header.s=s1 header.b=AbCdEfGh; spf=pass smtp.mailfrom=bounce@mail.shop.example; dmarc=pass (p=REJECT) header.from=shop.example"

func (w *window) consent(t *testing.T, id string) inbox.ImageConsent {
	t.Helper()
	b, err := w.service.Body(t.Context(), viewing, id)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.service.ImageConsent(t.Context(), viewing, b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *window) load(t *testing.T, id string, c inbox.ImageConsent) (string, error) {
	t.Helper()
	content, err := w.service.RemoteImage(t.Context(), loading, id, "https://images.example/oak.jpg", c)
	return string(content), err
}

func refusedFor(err error, clause string) bool {
	var refused *policy.Refused
	return errors.As(err, &refused) && strings.Contains(strings.Join(refused.Clauses, " "), clause)
}

func TestImagesAreLoadedOnTheOwnersWordAlone(t *testing.T) {
	w := newWindow(t)
	id, other := w.put(t, newsletter("letters@shop.example", proven), "INBOX"), w.put(t, newsletter("letters@shop.example", proven), "INBOX")
	none := w.consent(t, id)
	if none.Permission != "" || !none.Provable {
		t.Errorf("before: got %+v, want no permission, of a proven sender", none)
	}
	if _, err := w.load(t, id, none); err == nil {
		t.Error("an image was loaded without a permission")
	}
	if err := w.service.PermitImages(t.Context(), viewing, id, false); err != nil {
		t.Fatal(err)
	}
	once := w.consent(t, id)
	if got, err := w.load(t, id, once); err != nil || got != "picture" {
		t.Errorf("with permission: got %q, %v", got, err)
	}
	if c := w.consent(t, other); c.Permission != "" {
		t.Errorf("another message got %+v", c)
	}
	if got, err := w.load(t, other, inbox.ImageConsent{Permission: once.Permission, Subject: other}); err == nil {
		t.Errorf("another message under this one's permission: got %q", got)
	}
	if got, err := w.service.RemoteImage(t.Context(), unsubscribing, id, "https://images.example/x", once); err == nil {
		t.Errorf("for another feature: got %q", got)
	}
	stranger := loading
	stranger.Actor.Person = "person-mallory"
	if got, err := w.service.RemoteImage(t.Context(), stranger, id, "https://images.example/x", once); err == nil {
		t.Errorf("for a stranger: got %q", got)
	}
	if len(w.asked) != 1 {
		t.Errorf("the host was asked %d times, want once", len(w.asked))
	}

	w.clock = time.Now().Add(2 * time.Hour)
	if c := w.consent(t, id); c.Permission != "" {
		t.Errorf("after its time the permission is still found: %+v", c)
	}
}

func TestWithdrawalCountsAtTheNextImage(t *testing.T) {
	w := newWindow(t)
	id := w.put(t, newsletter("letters@shop.example", proven), "INBOX")
	// The word for this message gives way to the one for its sender, so that one withdrawal ends it all.
	if err := w.service.PermitImages(t.Context(), viewing, id, false); err != nil {
		t.Fatal(err)
	}
	if err := w.service.PermitImages(t.Context(), viewing, id, true); err != nil {
		t.Fatal(err)
	}
	c := w.consent(t, id)
	if _, err := w.load(t, id, c); err != nil || !c.Sender {
		t.Fatalf("got %+v, %v, want the sender's permission", c, err)
	}
	if err := w.permits.Withdraw(t.Context(), readerAccount, c.Permission); err != nil {
		t.Fatal(err)
	}
	if left := w.consent(t, id); left.Permission != "" {
		t.Errorf("after withdrawal there is still %+v", left)
	}
	if _, err := w.load(t, id, c); !refusedFor(err, policy.ClauseUnknown) {
		t.Errorf("after withdrawal: %v, want a refusal", err)
	}
	if len(w.asked) != 1 {
		t.Errorf("the host was asked %d times, want once", len(w.asked))
	}
}

func TestASenderIsTrustedOnlyWhenProven(t *testing.T) {
	w := newWindow(t)
	id := w.put(t, newsletter("letters@shop.example", proven), "INBOX")
	if err := w.service.PermitImages(t.Context(), viewing, id, true); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		message string
		labels  []string
		want    bool
	}{
		"another letter":            {newsletter("letters@shop.example", proven), []string{"INBOX"}, true},
		"in capitals":               {newsletter("Letters@Shop.example", proven), []string{"INBOX"}, true},
		"another address":           {newsletter("offers@shop.example", proven), []string{"INBOX"}, false},
		"without proof":             {newsletter("letters@shop.example", ""), []string{"INBOX"}, false},
		"proven by nobody":          {newsletter("letters@shop.example", strings.Replace(proven, "mx.google.com", "mx.mallory.example", 1)), []string{"INBOX"}, false},
		"proof of another's domain": {newsletter("letters@shop.example", strings.ReplaceAll(proven, "shop.example", "mallory.example")), []string{"INBOX"}, false},
		"spam":                      {newsletter("letters@shop.example", proven), []string{"SPAM"}, false},
	} {
		got := w.consent(t, w.put(t, c.message, c.labels...))
		if (got.Permission != "") != c.want || got.Sender != c.want {
			t.Errorf("%s: got %+v, want a permission: %v", name, got, c.want)
		}
	}
	forged := w.put(t, newsletter("letters@shop.example", ""), "INBOX")
	if err := w.service.PermitImages(t.Context(), viewing, forged, true); !errors.Is(err, inbox.ErrUnproven) {
		t.Errorf("trusting an unproven sender: %v, want ErrUnproven", err)
	}
	if err := w.service.PermitImages(t.Context(), viewing, forged, false); err != nil {
		t.Errorf("this message alone: %v", err)
	}
}

// TestTransfersAreRecordedBeforeTheyHappen, and without what they are about.
func TestTransfersAreRecordedBeforeTheyHappen(t *testing.T) {
	w := newWindow(t)
	id := w.put(t, newsletter("letters@shop.example", proven), "INBOX")
	if err := w.service.PermitImages(t.Context(), viewing, id, true); err != nil {
		t.Fatal(err)
	}
	c := w.consent(t, id)
	recorded := false
	w.atAsk = func() {
		page, err := w.log.Query(t.Context(), decisionlog.Filter{Operation: "remote.get"})
		recorded = err == nil && len(page.Records) == 1
	}
	if _, err := w.load(t, id, c); err != nil || !recorded {
		t.Errorf("%v; recorded before the request: %v", err, recorded)
	}
	page, err := w.log.Query(t.Context(), decisionlog.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	permitted := false
	for _, r := range page.Records {
		for _, secret := range []string{"images.example", "shop.example", "oak", id, readerAddress} {
			if strings.Contains(string(r.Body), secret) {
				t.Errorf("the log holds %q: %s", secret, r.Body)
			}
		}
		permitted = permitted || strings.Contains(string(r.Body), inbox.EventPermitted)
	}
	if !permitted {
		t.Error("the owner's act is not in the log")
	}
}

func TestImagesThatCannotBeHad(t *testing.T) {
	w := newWindow(t)
	id := w.put(t, newsletter("letters@shop.example", proven), "INBOX")
	if err := w.service.PermitImages(t.Context(), viewing, id, false); err != nil {
		t.Fatal(err)
	}
	c := w.consent(t, id)
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"missing":  answering(404, "no"),
		"moved":    answering(304, ""),
		"huge":     answering(200, strings.Repeat("x", 8<<20+1)),
		"no reply": func(r *http.Request) (*http.Response, error) { return nil, errors.New("dial " + r.URL.String()) },
	} {
		w.answer = answer
		got, err := w.load(t, id, c)
		if !errors.Is(err, inbox.ErrOutside) || strings.Contains(err.Error(), "images.example") {
			t.Errorf("%s: got %d bytes, %v, want ErrOutside that says nothing of where", name, len(got), err)
		}
	}
}

func TestSenderOf(t *testing.T) {
	const results = "Authentication-Results"
	for _, c := range []struct {
		name    string
		headers []string
		want    bool
	}{
		{"DMARC", []string{results, "mx.google.com; dmarc=pass (p=NONE sp=NONE) header.from=shop.example", "From", "a@shop.example"}, true},
		{"DKIM of the domain above", []string{results, "mx.google.com; dkim=pass header.d=shop.example", "From", "a@news.shop.example"}, true},
		{"DKIM by identity", []string{results, "mx.google.com;\r\n dkim=pass header.i=@mail.shop.example", "From", "a@shop.example"}, true},
		{"SPF", []string{results, "mx.google.com; spf=pass (google.com: domain of x@shop.example designates 192.0.2.1 as permitted sender) smtp.mailfrom=x@shop.example", "From", "a@shop.example"}, true},
		{"no verdict", []string{"From", "a@shop.example"}, false},
		{"Gmail could tell nothing", []string{results, "mx.google.com; none", "From", "a@shop.example"}, false},
		{"failed", []string{results, "mx.google.com; dmarc=fail header.from=shop.example", "From", "a@shop.example"}, false},
		{"SPF of another", []string{results, "mx.google.com; spf=pass smtp.mailfrom=x@mallory.example", "From", "a@shop.example"}, false},
		{"DKIM of another", []string{results, "mx.google.com; dkim=pass header.d=mallory.example", "From", "a@shop.example"}, false},
		{"DMARC failed, a neighbour's signature passed", []string{results, "mx.google.com; dkim=pass header.d=shop.example; dmarc=fail header.from=shop.example", "From", "a@shop.example"}, false},
		{"hosts of one provider are not one site", []string{results, "mx.google.com; dkim=pass header.d=mallory.github.io", "From", "a@alice.github.io"}, false},
		{"written by the sender below Gmail's", []string{results, "mx.google.com; dmarc=fail header.from=shop.example", results, "mx.google.com; dmarc=pass header.from=shop.example", "From", "a@shop.example"}, false},
		{"hidden in a comment", []string{results, "mx.google.com; spf=fail (x; dmarc=pass header.from=shop.example) smtp.mailfrom=shop.example", "From", "a@shop.example"}, false},
		{"hidden in quotes", []string{results, `mx.google.com; spf=fail smtp.mailfrom="x; dmarc=pass header.from=shop.example"`, "From", "a@shop.example"}, false},
		{"another server whose name begins like it", []string{results, "mx.google.com.mallory.example; dmarc=pass header.from=shop.example", "From", "a@shop.example"}, false},
		{"out of a comment", []string{results, `mx.google.com; spf=pass (google.com: domain of "x) ; dmarc=pass header.from=shop.example ("@mallory.example designates 192.0.2.1) smtp.mailfrom="x"@mallory.example`, "From", "a@shop.example"}, false},
		{"out of a comment, twice", []string{results, `mx.google.com; spf=pass (domain of "x) ; dmarc=pass header.from=shop.example ((("@mallory.example) smtp.mailfrom="x) ; dmarc=pass header.from=shop.example ((("@mallory.example`, "From", "a@shop.example"}, false},
		{"out of a comment, into another method", []string{results, `mx.google.com; spf=pass (domain of x) smtp.mailfrom=y@z.example; dmarc=pass header.from=shop.example; other=pass (@mallory.example) smtp.mailfrom=x@mallory.example`, "From", "a@shop.example"}, false},
		{"out of quotes", []string{results, `mx.google.com; spf=fail smtp.mailfrom="x\"; dmarc=pass header.from=shop.example; y="`, "From", "a@shop.example"}, false},
		{"into a quotation", []string{results, `mx.google.com; spf=softfail (domain of x) ; dkim=pass header.d=shop.example "@mallory.example 192.0.2.1) smtp.mailfrom=x) ; dkim=pass header.d=shop.example "@mallory.example`, "From", "a@shop.example"}, false},
		{"into a quoted reason", []string{results, `mx.google.com; spf=softfail (domain of x) ; dkim=pass header.d=shop.example reason="@mallory.example) smtp.mailfrom=x) ; dkim=pass header.d=shop.example reason="@mallory.example`, "From", "a@shop.example"}, false},
		{"into a quoted signature", []string{results, `mx.google.com; spf=softfail (domain of x) ; dkim=pass header.d=shop.example header.b="@mallory.example) smtp.mailfrom=x) ; dkim=pass header.d=shop.example header.b="@mallory.example`, "From", "a@shop.example"}, false},
		{"two verdicts", []string{results, "mx.google.com; dmarc=fail header.from=mallory.example; dmarc=pass header.from=shop.example", "From", "a@shop.example"}, false},
		{"two author fields", []string{results, "mx.google.com; dmarc=pass header.from=shop.example", "From", "a@shop.example", "From", "b@mallory.example"}, false},
		{"quotes where Gmail writes them", []string{results, `mx.google.com; spf=pass (x "y" \) z) smtp.mailfrom="a b"@shop.example; dmarc=none`, "From", "a@shop.example"}, true},
		{"two authors", []string{results, "mx.google.com; dmarc=pass header.from=shop.example", "From", "a@shop.example, b@mallory.example"}, false},
		{"no author", []string{results, "mx.google.com; dmarc=pass header.from=shop.example", "From", "Shop"}, false},
	} {
		if address, got := inbox.SenderOf(c.headers...); got != c.want {
			t.Errorf("%s: got %s, %v, want %v", c.name, address, got, c.want)
		}
	}
}

// list is the header of a newsletter from which one request unsubscribes.
func list(way, post, signature string) []string {
	return []string{
		"Authentication-Results", proven, "From", "letters@shop.example", "List-Unsubscribe", way, "List-Unsubscribe-Post", post, "DKIM-Signature", signature,
	}
}

const (
	good    = "v=1; a=rsa-sha256; d=shop.example; s=s1; h=From:To:Subject:List-Unsubscribe:\r\n List-Unsubscribe-Post; bh=x; b=AbCdEf\r\n GhIjK"
	onePage = "<https://leave.shop.example/l?u=7>"
	click   = "List-Unsubscribe=One-Click"
)

func TestUnsubscribeOf(t *testing.T) {
	inboxed := []string{"INBOX"}
	for _, c := range []struct {
		name    string
		labels  []string
		headers []string
		want    inbox.UnsubscribeKind
		host    string
	}{
		{"one click", inboxed, list(onePage+", <mailto:leave@shop.example>", click, good), inbox.OneClick, "leave.shop.example"},
		{"one click, mail named first", inboxed, list("<mailto:leave@shop.example>, "+onePage, click, good), inbox.OneClick, "leave.shop.example"},
		{"no post header", inboxed, list(onePage, "", good), inbox.OnTheWeb, "leave.shop.example"},
		{"another post header", inboxed, list(onePage, "List-Unsubscribe=Yes", good), inbox.OnTheWeb, "leave.shop.example"},
		{"not signed", inboxed, list(onePage, click, ""), inbox.OnTheWeb, "leave.shop.example"},
		{"signature leaves the headers out", inboxed, list(onePage, click, strings.Replace(good, "List-Unsubscribe-Post", "Date", 1)), inbox.OnTheWeb, "leave.shop.example"},
		{"signature of another domain", inboxed, list(onePage, click, strings.Replace(good, "d=shop", "d=mallory", 1)), inbox.OnTheWeb, "leave.shop.example"},
		{"another signature than the one that passed", inboxed, list(onePage, click, strings.Replace(good, "b=AbCd", "b=XxXx", 1)), inbox.OnTheWeb, "leave.shop.example"},
		{"plain http", inboxed, list("<http://leave.shop.example/l>", click, good), inbox.OnTheWeb, "leave.shop.example"},
		{"by mail", inboxed, list("<mailto:Leave+7@Shop.example?subject=go%20away&body=please>", "", good), inbox.ByMail, "shop.example"},
		{"by mail rather than by page", inboxed, list(onePage+", <mailto:leave@shop.example>", "", good), inbox.ByMail, "shop.example"},
		{"mail to several", inboxed, list("<mailto:a@shop.example,b@shop.example>", "", good), "", ""},
		{"script", inboxed, list("<javascript:alert(1)>, <file:///etc/passwd>", click, good), "", ""},
		{"nothing", inboxed, list("leave by writing to us", click, good), "", ""},
		{"spam", []string{"SPAM"}, list(onePage, click, good), "", ""},
		{"one's own", []string{"SENT"}, list(onePage, click, good), "", ""},
		{"unproven", inboxed, append([]string{"Authentication-Results", "mx.google.com; dmarc=fail header.from=shop.example"}, list(onePage, click, good)[2:]...), "", ""},
	} {
		got := inbox.UnsubscribeOf(c.labels, c.headers...)
		if got == nil {
			got = &inbox.Unsubscribe{}
		}
		if got.Kind != c.want || got.Host != c.host {
			t.Errorf("%s: got %q at %q, want %q at %q", c.name, got.Kind, got.Host, c.want, c.host)
		}
		if c.name == "by mail" && (got.Mail.To != "Leave+7@shop.example" || got.Mail.Subject != "go away" || got.Mail.Text != "please") {
			t.Errorf("%s: got %+v", c.name, got.Mail)
		}
	}
}

func TestUnsubscribeInOneRequest(t *testing.T) {
	w := newWindow(t)
	id := w.put(t, newsletter("letters@shop.example", proven, "List-Unsubscribe: "+onePage, "List-Unsubscribe-Post: "+click, "DKIM-Signature: "+strings.ReplaceAll(good, "\r\n", "\n")), "INBOX")
	var invalid *inbox.InvalidError
	if _, err := w.service.Unsubscribe(t.Context(), unsubscribing, id, "elsewhere.example"); !errors.As(err, &invalid) {
		t.Errorf("another host than agreed: %v, want InvalidError", err)
	}
	stranger := unsubscribing
	stranger.Actor.Person = "person-mallory"
	if _, err := w.service.Unsubscribe(t.Context(), stranger, id, "leave.shop.example"); err == nil {
		t.Error("a stranger unsubscribed the owner")
	}
	if len(w.asked) != 0 {
		t.Fatalf("the host was asked %d times before anybody agreed", len(w.asked))
	}
	for _, c := range []struct {
		name     string
		answer   func(*http.Request) (*http.Response, error)
		accepted bool
	}{
		{"accepted", answering(202, ""), true},
		{"refused", answering(500, ""), false},
		{"redirected", func(r *http.Request) (*http.Response, error) {
			res, err := answering(302, "")(r)
			res.Header.Set("Location", "https://other.example/")
			return res, err
		}, false},
		{"no answer", func(*http.Request) (*http.Response, error) { return nil, errors.New("timeout") }, false},
	} {
		w.answer, w.asked, w.bodies = c.answer, nil, nil
		got, err := w.service.Unsubscribe(t.Context(), unsubscribing, id, "leave.shop.example")
		if err != nil || got.Accepted != c.accepted || got.Host != "leave.shop.example" {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
		if len(w.asked) != 1 || w.asked[0].Method != "POST" || w.asked[0].URL.String() != "https://leave.shop.example/l?u=7" || w.bodies[0] != click ||
			w.asked[0].Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("%s: the host saw %v with %q, want one POST", c.name, w.asked, w.bodies)
		}
	}
	if list, err := w.permits.List(t.Context(), readerAccount); err != nil || len(list) != 0 {
		t.Errorf("left over: %v, %v; each permission was for one request", list, err)
	}
	plain := w.put(t, newsletter("letters@shop.example", proven), "INBOX")
	if _, err := w.service.Unsubscribe(t.Context(), unsubscribing, plain, "leave.shop.example"); !errors.Is(err, inbox.ErrNotFound) {
		t.Errorf("a message without such a way: %v, want ErrNotFound", err)
	}
	want := map[policy.OutcomeStatus]int{policy.Done: 1, policy.Failed: 2, policy.Unknown: 1}
	if got := w.outcomes(t, "unsubscribe.post"); !maps.Equal(got, want) {
		t.Errorf("the log has outcomes %v, want %v", got, want)
	}
}

// FuzzSenderOf: whoever writes into the envelope's sender, as Gmail repeats it in its verdict, proves nothing.
func FuzzSenderOf(f *testing.F) {
	for _, seed := range []string{`x`, `"x) ; dmarc=pass header.from=shop.example ("`, `"x\"; dmarc=pass header.from=shop.example; y="`, `x; dmarc=pass header.from=shop.example`,
		`x) ; dkim=pass header.d=shop.example "`, `x) ; dkim=pass header.d=shop.example reason="`, `x) ; dkim=pass header.d=shop.example; spf=pass smtp.mailfrom="`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, envelope string) {
		if strings.ContainsAny(envelope, "\r\n") {
			return
		}
		value := "mx.google.com; dkim=none; spf=softfail (google.com: domain of transitioning " + envelope + "@mallory.example does not designate 192.0.2.1 as permitted sender) smtp.mailfrom=" +
			envelope + "@mallory.example"
		if _, proven := inbox.SenderOf("Authentication-Results", value, "From", "a@shop.example"); proven {
			t.Errorf("proven by %q", envelope)
		}
	})
}
