package emulator_test

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/totalengage/webmail/inbox/emulator"
)

// do sends a request as written and returns status, header and body.
func (w *world) do(verb, target, token, body string, header ...string) (int, http.Header, string) {
	w.t.Helper()
	req, err := http.NewRequest(verb, w.url+target, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(data)
}

// wantError checks an error of Google's client.
func wantError(t testing.TB, err error, code int, reason, message string) {
	t.Helper()
	var g *googleapi.Error
	if !errors.As(err, &g) {
		t.Fatalf("got %v, want a googleapi.Error %d %s", err, code, reason)
	}
	got := ""
	if len(g.Errors) > 0 {
		got = g.Errors[0].Reason
	}
	if g.Code != code || got != reason || !strings.Contains(g.Message, message) {
		t.Errorf("got %d %s %q, want %d %s %q", g.Code, got, g.Message, code, reason, message)
	}
}

// TestSurface calls every method of the API without a token, with the wrong
// scope, with an unknown parameter and rightly.
func TestSurface(t *testing.T) {
	w := newWorld(t, emulator.Options{Auth: emulator.StaticTokens{
		"all":  {Email: "alice@example.com", Scopes: []string{fullScope, "https://www.googleapis.com/auth/gmail.settings.basic", "https://www.googleapis.com/auth/gmail.settings.sharing"}},
		"none": {Email: "alice@example.com", Scopes: []string{"openid"}},
	}})
	v := newValidator(t)
	for _, m := range emulator.Methods() {
		path := "/gmail/v1/users/me/" + regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(m.Path, "1234")
		for _, c := range []struct {
			query, token string
			status       int
			text         string
		}{
			{"", "", 401, "CREDENTIALS_MISSING"},
			{"", "bad", 401, "authError"},
			{"", "none", 403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"},
			{"?nonsense=1", "all", 400, `Unknown name \"nonsense\": Cannot bind query parameter`},
			{"?fields=nonsense", "all", 400, "Invalid field selection nonsense"},
		} {
			status, header, body := w.do(m.Verb, path+c.query, c.token, "")
			if status != c.status || !strings.Contains(body, c.text) {
				t.Errorf("%s%s as %q: %d %s, want %d %s", m.ID, c.query, c.token, status, body, c.status, c.text)
			}
			if want := c.status == 401; strings.HasPrefix(header.Get("WWW-Authenticate"), "Bearer realm=") != want && c.status != 403 {
				t.Errorf("%s: WWW-Authenticate %q", m.ID, header.Get("WWW-Authenticate"))
			}
			v.check(m.Verb, path, status, header.Get("Content-Type"), []byte(body))
		}
		status, header, body := w.do(m.Verb, path, "all", "{}")
		v.check(m.Verb, path, status, header.Get("Content-Type"), []byte(body))
		if built := emulator.Built(m.ID); !built || strings.HasPrefix(body, "<") {
			t.Errorf("%s: built %v, status %d %s", m.ID, built, status, body)
		}
		if m.Request != "" {
			status, _, body = w.do(m.Verb, path, "all", `{"nonsense":1}`)
			if status != 400 || !strings.Contains(body, `Unknown name \"nonsense\": Cannot find field.`) {
				t.Errorf("%s with an unknown field: %d %s", m.ID, status, body)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	id, err := w.srv.Insert("alice@example.com", []byte("Subject: x\r\n\r\ny"), nil, testTime)
	if err != nil {
		t.Fatal(err)
	}
	send := func(raw string) error {
		_, err := alice.Messages.Send("me", &gmail.Message{Raw: encode(raw)}).Do()
		return err
	}
	for _, c := range []struct {
		name    string
		err     error
		code    int
		reason  string
		message string
	}{
		{"other user", errOf(alice.GetProfile("bob@example.com").Do()), 403, "forbidden", "Delegation denied for alice@example.com"},
		{"unknown message", errOf(alice.Messages.Get("me", "00000000000000ff").Do()), 404, "notFound", "Requested entity was not found."},
		{"malformed id", errOf(alice.Messages.Get("me", "xyz").Do()), 400, "invalidArgument", "Invalid id value"},
		{"malformed thread id", errOf(alice.Threads.Get("me", "xyz").Do()), 400, "invalidArgument", "Invalid thread_id value"},
		{"bad format", errOf(alice.Messages.Get("me", id).Format("huge").Do()), 400, "invalid", "Invalid value at 'format'"},
		{"unknown label", errOf(alice.Messages.Modify("me", id, &gmail.ModifyMessageRequest{AddLabelIds: []string{"Label_99"}}).Do()), 400, "invalidArgument", "Invalid label: Label_99"},
		{"both lists", errOf(alice.Messages.Modify("me", id, &gmail.ModifyMessageRequest{AddLabelIds: []string{"STARRED"}, RemoveLabelIds: []string{"STARRED"}}).Do()), 400, "invalidArgument", "Cannot both add and remove the same label"},
		{"SENT by hand", errOf(alice.Messages.Modify("me", id, &gmail.ModifyMessageRequest{AddLabelIds: []string{"SENT"}}).Do()), 400, "invalidArgument", "Invalid label: SENT"},
		{"no raw", errOf(alice.Messages.Send("me", &gmail.Message{}).Do()), 400, "invalidArgument", "'raw' RFC822 payload message string or uploading message via /upload/* URL required"},
		{"no recipient", send("Subject: x\r\n\r\ny"), 400, "invalidArgument", "Recipient address required"},
		{"bad To", send("To: nobody at all\r\n\r\ny"), 400, "invalidArgument", "Invalid To header"},
		{"bad Cc", send("To: bob@example.com\r\nCc: @@\r\n\r\ny"), 400, "invalidArgument", "Invalid Cc header"},
		{"bad base64", errOf(alice.Messages.Send("me", &gmail.Message{Raw: "!!!"}).Do()), 400, "invalidArgument", "Invalid value for ByteString"},
		{"history without start", errOf(alice.History.List("me").Do()), 400, "invalidArgument", "Missing/invalid parameter: startHistoryId"},
		{"bad history type", errOf(alice.History.List("me").StartHistoryId(1).HistoryTypes("labelsRemoved").Do()), 400, "invalid", `"labelsRemoved"`},
		{"old history", errOf(alice.History.List("me").StartHistoryId(1).Do()), 404, "notFound", "Requested entity was not found."},
		{"future history", errOf(alice.History.List("me").StartHistoryId(1 << 60).Do()), 404, "notFound", ""},
		{"bad fields", errOf(alice.Messages.List("me").Fields("messages/idd").Do()), 400, "invalidParameter", "Invalid field selection messages/idd"},
		{"label name taken", errOf(alice.Labels.Create("me", &gmail.Label{Name: "inbox"}).Do()), 400, "invalidArgument", "Invalid label name"},
		{"empty label name", errOf(alice.Labels.Create("me", &gmail.Label{Name: " "}).Do()), 400, "invalidArgument", "Invalid label name"},
		{"label colour", errOf(alice.Labels.Create("me", &gmail.Label{Name: "c", Color: &gmail.LabelColor{BackgroundColor: "#123456", TextColor: "#000000"}}).Do()), 400, "invalidArgument", "Label color #123456 is not on the allowed color palette"},
		{"delete system label", alice.Labels.Delete("me", "INBOX").Do(), 400, "invalidArgument", "Invalid delete request"},
		{"bad page token", errOf(alice.Messages.List("me").PageToken("abc").Do()), 400, "invalidArgument", "Invalid pageToken"},
		{"no ids", alice.Messages.BatchDelete("me", &gmail.BatchDeleteMessagesRequest{}).Do(), 400, "invalidArgument", "No message ids specified"},
		{"too many ids", alice.Messages.BatchDelete("me", &gmail.BatchDeleteMessagesRequest{Ids: make([]string, 1001)}).Do(), 400, "invalidArgument", "at most 1000"},
		{"foreign attachment", errOf(alice.Messages.Attachments.Get("me", id, "ANGjdJxx").Do()), 400, "invalidArgument", "Invalid attachment token"},
	} {
		t.Run(c.name, func(t *testing.T) { wantError(t, c.err, c.code, c.reason, c.message) })
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestMetadataScope(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	id, err := w.srv.Insert("alice@example.com", []byte("Subject: x\r\nX-Other: 1\r\n\r\ny"), nil, testTime)
	if err != nil {
		t.Fatal(err)
	}
	alice := w.client("alice-metadata")
	wantError(t, errOf(alice.Messages.List("me").Q("x").Do()), 403, "forbidden", "Metadata scope does not support 'q' parameter")
	wantError(t, errOf(alice.Messages.Get("me", id).Do()), 403, "forbidden", "Metadata scope doesn't allow format FULL")
	wantError(t, errOf(alice.Messages.Get("me", id).Format("raw").Do()), 403, "forbidden", "Metadata scope doesn't allow format RAW")
	m, err := alice.Messages.Get("me", id).Format("metadata").MetadataHeaders("subject").Do()
	if err != nil || len(m.Payload.Headers) != 1 || m.Payload.Headers[0].Value != "x" || m.Payload.Body != nil {
		t.Errorf("metadata: %+v, %v", m, err)
	}
}

func TestLargeJSONIsRefused(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	_, err := w.client("alice").Messages.Insert("me", &gmail.Message{Raw: strings.Repeat("A", 6<<20)}).Do()
	var g *googleapi.Error
	if !errors.As(err, &g) || g.Code != 413 || !strings.Contains(g.Body, "Request Entity Too Large") {
		t.Errorf("got %v, want 413", err)
	}
}

func TestOwnAddressAsUserID(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	status, _, body := w.do("GET", "/gmail/v1/users/alice%40example.com/profile?alt=json&prettyPrint=false", "alice", "")
	if status != 200 || !strings.HasPrefix(body, `{"emailAddress":"alice@example.com"`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestUserWithoutMailbox(t *testing.T) {
	w := newWorld(t, emulator.Options{Auth: emulator.StaticTokens{"ghost": {Email: "ghost@example.com", Scopes: []string{fullScope}}}})
	wantError(t, errOf(w.client("ghost").GetProfile("me").Do()), 400, "failedPrecondition", "Mail service not enabled")
}
