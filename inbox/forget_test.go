package inbox_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/policy"
)

// TestForgetWhileReading: the owner signs out or disconnects while Gmail is being asked. What comes after that is
// held by nobody, whichever reading it was; what is read later is held again.
func TestForgetWhileReading(t *testing.T) {
	r := newReader(t)
	id := r.put(t, simple(1, "Canary"), "INBOX")
	gmail, err := url.Parse(r.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var service *inbox.Service
	forget := ""
	proxy := httputil.NewSingleHostReverseProxy(gmail)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if forget != "" && strings.Contains(req.URL.Path, forget) {
			service.Forget(readerAccount)
		}
		proxy.ServeHTTP(w, req)
	}))
	defer slow.Close()
	gate, err := policy.NewGate(t.Context(), policy.Config{Log: r.log, Facts: r.facts, PseudonymKey: []byte(strings.Repeat("k", 32))})
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	if service, err = inbox.New(inbox.Config{Gate: gate, Tokens: fixedToken("alice-token"), Endpoint: slow.URL}); err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	for name, c := range map[string]struct {
		path string // the call during which the mailbox is forgotten
		read func() error
	}{
		"a listing": {"/batch", func() error {
			_, err := service.Threads(t.Context(), listing, inbox.ListRequest{Label: "INBOX"})
			return err
		}},
		"a conversation": {"/threads/", func() error { _, err := service.Conversation(t.Context(), opening, id); return err }},
		"a message":      {"/messages/", func() error { _, err := service.Body(t.Context(), viewing, id); return err }},
		"the labels":     {"/batch", func() error { _, err := service.Labels(t.Context(), labelling); return err }},
	} {
		for _, held := range []bool{false, true} { // before: a mailbox that is new to this process, and one in use
			service.Forget(readerAccount)
			forget = ""
			if held {
				if _, err := service.Body(t.Context(), viewing, id); err != nil || !service.Holds(readerAccount) {
					t.Fatalf("%s: nothing is held after reading: %v", name, err)
				}
				if name == "a message" {
					continue // it would come from memory
				}
			}
			forget = c.path
			if err := c.read(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if service.Holds(readerAccount) {
				t.Errorf("%s, held before %v: what came after forgetting is held", name, held)
			}
		}
	}
	forget = ""
	if _, err := service.Body(t.Context(), viewing, id); err != nil || !service.Holds(readerAccount) {
		t.Errorf("reading again: %v, held %v; want it held", err, service.Holds(readerAccount))
	}
}
