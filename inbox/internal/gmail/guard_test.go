package gmail_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

const (
	messagePath = "/gmail/v1/users/me/messages/m1"
	plainQuery  = "?alt=json&format=full&prettyPrint=false"
	boundary    = "multipart/mixed; boundary=b"
)

// attack sends one request through the guard and wants it stopped before it reaches Gmail.
func attack(t *testing.T, w *world, grant *policy.Grant, name string, req *http.Request) {
	t.Helper()
	before := w.gmail.count()
	res, err := gmail.Guarded(w.client, grant).RoundTrip(req)
	if err == nil {
		res.Body.Close()
	}
	var not *policy.NotCovered
	if !errors.As(err, &not) {
		t.Errorf("%s: got %v, want *policy.NotCovered", name, err)
	}
	if got := w.gmail.count() - before; got != 0 {
		t.Errorf("%s: %d requests reached Gmail", name, got)
	}
}

// TestGuardOneRequest: the grant is for one message in one format; everything else is tried.
func TestGuardOneRequest(t *testing.T) {
	w := newServedWorld(t, agreeable)
	target, err := gmail.GetMessage("m1").Target()
	if err != nil {
		t.Fatal(err)
	}
	grant := w.grant(t, target)
	base := endpoint(t, w)
	get := func(target string) *http.Request { return to(base, request("GET", target, "", "")) }
	with := func(change func(*http.Request)) *http.Request {
		req := get(messagePath + plainQuery)
		change(req)
		return req
	}
	res, err := gmail.Guarded(w.client, grant).RoundTrip(get(messagePath + plainQuery))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the granted request: %v, %v", res, err)
	}
	res.Body.Close()
	for name, req := range map[string]*http.Request{
		"another id":             get("/gmail/v1/users/me/messages/m2" + plainQuery),
		"another id in case":     get("/gmail/v1/users/me/messages/M1" + plainQuery),
		"another user":           get("/gmail/v1/users/bob@example.com/messages/m1" + plainQuery),
		"me in another spelling": get("/gmail/v1/users/%6de/messages/m1" + plainQuery),
		"raw":                    get(messagePath + "?alt=json&format=raw&prettyPrint=false"),
		"no format":              get(messagePath + "?alt=json&prettyPrint=false"),
		"two formats":            get(messagePath + plainQuery + "&format=raw"),
		"the same format twice":  get(messagePath + plainQuery + "&format=full"),
		"alt twice":              get(messagePath + plainQuery + "&alt=media"),
		"media":                  get(messagePath + "?alt=media&format=full&prettyPrint=false"),
		"more fields":            get(messagePath + plainQuery + "&fields=*"),
		"a key":                  get(messagePath + plainQuery + "&key=x"),
		"an own token":           get(messagePath + plainQuery + "&access_token=x"),
		"quotaUser":              get(messagePath + plainQuery + "&quotaUser=x"),
		"a semicolon":            get(messagePath + "?alt=json;format=full"),
		"a malformed query":      get(messagePath + plainQuery + "&%zz"),
		"the list":               get("/gmail/v1/users/me/messages?maxResults=1"),
		"the attachment":         get(messagePath + "/attachments/a"),
		"the thread":             get("/gmail/v1/users/me/threads/m1" + plainQuery),
		"settings":               get("/gmail/v1/users/me/settings/filters"),
		"another API":            get("/calendar/v3/calendars/primary/events"),
		"dots":                   get("/gmail/v1/users/me/messages/../messages/m1" + plainQuery),
		"encoded dots":           get("/gmail/v1/users/me/messages/%2e%2e" + plainQuery),
		"encoded slash":          get("/gmail/v1/users/me/messages/m1%2Fattachments%2Fa" + plainQuery),
		"dots below":             get(messagePath + "/%2e%2e/m2" + plainQuery),
		"double slash":           get("/gmail/v1/users/me//messages/m1" + plainQuery),
		"leading double slash":   get("//gmail/v1/users/me/messages/m1" + plainQuery),
		"trailing slash":         get(messagePath + "/" + plainQuery),
		"encoded literal":        get("/gmail/v1/users/me/%6dessages/m1" + plainQuery),
		"an upload's path":       get("/upload" + messagePath + plainQuery),
		"a resumable upload":     get("/resumable/upload" + messagePath + plainQuery),
		"the old batch":          to(base, request("POST", "/batch", boundary, "")),
		"a deletion":             with(func(r *http.Request) { r.Method = "DELETE" }),
		"no method":              with(func(r *http.Request) { r.Method = "" }),
		"HEAD":                   with(func(r *http.Request) { r.Method = "HEAD" }),
		"an override":            with(func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "DELETE") }),
		"another override":       with(func(r *http.Request) { r.Header.Set("X-Method-Override", "DELETE") }),
		"an empty override":      with(func(r *http.Request) { r.Header["X-Http-Method-Override"] = []string{"", "DELETE"} }),
		"a header in lower case": with(func(r *http.Request) { r.Header["x-http-method-override"] = []string{"DELETE"} }),
		"own credentials":        with(func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }),
		"a cookie":               with(func(r *http.Request) { r.Header.Set("Cookie", "x=y") }),
		"an upload protocol":     with(func(r *http.Request) { r.Header.Set("X-Goog-Upload-Protocol", "raw") }),
		"an encoding":            with(func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }),
		"two agents":             with(func(r *http.Request) { r.Header["User-Agent"] = []string{"a", "b"} }),
		"chunks":                 with(func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }),
		"another host":           with(func(r *http.Request) { r.URL.Host = "evil.example" }),
		"another Host header":    with(func(r *http.Request) { r.Host = "people.googleapis.com" }),
		"another port":           with(func(r *http.Request) { r.URL.Host = r.URL.Hostname() + ":1" }),
		"another scheme":         with(func(r *http.Request) { r.URL.Scheme = "https" }),
		"a user in the URL":      with(func(r *http.Request) { r.URL.User = url.UserPassword("a", "b") }),
		"an opaque URL":          with(func(r *http.Request) { r.URL.Opaque = "/gmail/v1/users/me/messages/m2" }),
		"a raw path": with(func(r *http.Request) {
			r.URL.RawPath = "/gmail/v1/users/me/messages%2Fm1"
		}),
		"a body": to(base, request("GET", messagePath+plainQuery, "application/json", `{"x":1}`)),
	} {
		attack(t, w, grant, name, req)
	}
	if _, err := gmail.Do(t.Context(), w.client, nil, gmail.GetMessage("m1")); err == nil {
		t.Error("without a grant: no error")
	}
	if _, err := gmail.Do(t.Context(), w.client, &policy.Grant{}, gmail.GetMessage("m1")); err == nil {
		t.Error("with a zero grant: no error")
	}
	other := newWorld(t, agreeable)
	if _, err := gmail.Do(t.Context(), other.client, grant, gmail.GetMessage("m1")); err == nil || other.gmail.count() != 0 {
		t.Error("with another gate's grant: no error")
	}
	if got := w.gmail.count(); got != 1 {
		t.Errorf("Gmail saw %d requests, want the granted one", got)
	}
}

func endpoint(t *testing.T, w *world) *url.URL {
	t.Helper()
	if _, err := do(t, w, gmail.GetProfile()); err != nil {
		t.Fatal(err)
	}
	host := w.gmail.hits[0].req.Host
	w.gmail.mu.Lock()
	w.gmail.hits = nil
	w.gmail.mu.Unlock()
	return &url.URL{Scheme: "http", Host: host}
}

func to(base *url.URL, req *http.Request) *http.Request {
	req.URL.Scheme, req.URL.Host, req.Host = base.Scheme, base.Host, base.Host
	return req
}

// part is one part of a batch as another program might write it.
func part(header, inner string) string {
	return "--b\r\nContent-Type: application/http\r\n" + header + "\r\n" + inner
}

// TestGuardBatch: parts beside, inside and behind those of the grant.
func TestGuardBatch(t *testing.T) {
	w := newServedWorld(t, agreeable)
	target, err := gmail.GetHeaders("m1", "m2").Target()
	if err != nil {
		t.Fatal(err)
	}
	grant := w.grant(t, target)
	base := endpoint(t, w)
	const line = "GET /gmail/v1/users/me/messages/m1?format=metadata HTTP/1.1\r\n"
	const good, end = line + "\r\n\r\n", "--b--\r\n"
	batch := func(body string) *http.Request {
		return to(base, request("POST", "/batch/gmail/v1", boundary, body))
	}
	res, err := gmail.Guarded(w.client, grant).RoundTrip(batch(part("", line+"\r\n") + "\r\n" + end))
	if err != nil {
		t.Fatalf("a granted batch: %v", err)
	}
	res.Body.Close()
	other := strings.ReplaceAll(good, "m1", "m3")
	changed := func(change func(*http.Request)) *http.Request {
		req := batch(part("", good) + end)
		change(req)
		return req
	}
	for name, req := range map[string]*http.Request{
		"nothing":                      batch(end),
		"no body":                      to(base, request("POST", "/batch/gmail/v1", boundary, "")),
		"another id":                   batch(part("", other) + end),
		"a smuggled part":              batch(part("", good) + part("", other) + end),
		"a smuggled send":              batch(part("", good) + part("", "POST /gmail/v1/users/me/drafts/send HTTP/1.1\r\nContent-Length: 10\r\n\r\n{\"id\":\"d\"}\r\n") + end),
		"credentials":                  batch(part("", line+"Authorization: Bearer x\r\n\r\n\r\n") + end),
		"empty credentials":            batch(part("", line+"Authorization:\r\n\r\n\r\n") + end),
		"an override":                  batch(part("", line+"X-HTTP-Method-Override: DELETE\r\n\r\n\r\n") + end),
		"a host":                       batch(part("", line+"Host: people.googleapis.com\r\n\r\n\r\n") + end),
		"an absolute URL":              batch(part("", "GET https://people.googleapis.com/gmail/v1/users/me/messages/m1?format=metadata HTTP/1.1\r\n\r\n\r\n") + end),
		"an absolute URL of the host":  batch(part("", "GET http://"+base.Host+"/gmail/v1/users/me/messages/m1?format=metadata HTTP/1.1\r\n\r\n\r\n") + end),
		"a URL without scheme":         batch(part("", "GET //evil.example/gmail/v1/users/me/messages/m1?format=metadata HTTP/1.1\r\n\r\n\r\n") + end),
		"another user":                 batch(part("", "GET /gmail/v1/users/bob@example.com/messages/m1?format=metadata HTTP/1.1\r\n\r\n\r\n") + end),
		"another format":               batch(part("", "GET /gmail/v1/users/me/messages/m1?format=full HTTP/1.1\r\n\r\n\r\n") + end),
		"an upload":                    batch(part("", "GET /upload/gmail/v1/users/me/messages/m1?format=metadata HTTP/1.1\r\n\r\n\r\n") + end),
		"an upload in disguise":        batch(part("", "GET /%75pload/gmail/v1/users/me/messages/m1?format=metadata HTTP/1.1\r\n\r\n\r\n") + end),
		"a batch within":               batch(part("", "POST /batch/gmail/v1 HTTP/1.1\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Length: 7\r\n\r\n--c--\r\n\r\n") + end),
		"a request behind":             batch(part("", line+"\r\n"+other) + end),
		"a body behind":                batch(part("", line+"\r\nx") + "\r\n" + end),
		"a chunked body":               batch(part("", line+"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n") + end),
		"a transfer encoding":          batch(part("Content-Transfer-Encoding: quoted-printable\r\n", good) + end),
		"a part of another type":       batch(strings.Replace(part("", good), "application/http", "text/plain", 1) + end),
		"half a part":                  batch(part("", "GET /gmail/v1")),
		"no end":                       batch(part("", good)),
		"parameters":                   to(base, request("POST", "/batch/gmail/v1?alt=json", boundary, part("", good)+end)),
		"another boundary":             to(base, request("POST", "/batch/gmail/v1", "multipart/mixed; boundary=c", part("", good)+end)),
		"no boundary":                  to(base, request("POST", "/batch/gmail/v1", "multipart/mixed", part("", good)+end)),
		"two boundaries":               to(base, request("POST", "/batch/gmail/v1", boundary+"; charset=utf-16", part("", good)+end)),
		"another type":                 to(base, request("POST", "/batch/gmail/v1", "multipart/related; boundary=b", part("", good)+end)),
		"another batch":                to(base, request("POST", "/batch/people/v1", boundary, part("", good)+end)),
		"an encoded path":              to(base, request("POST", "/batch%2Fgmail/v1", boundary, part("", good)+end)),
		"an override around":           changed(func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "GET") }),
		"an opaque URL around":         changed(func(r *http.Request) { r.URL.Opaque = "/batch/people/v1" }),
		"a body that is too large":     to(base, request("POST", "/batch/gmail/v1", boundary, part("", good)+end+strings.Repeat("x", 37<<20))),
		"a body that cannot be read":   changed(func(r *http.Request) { r.Body = io.NopCloser(broken{}) }),
		"a change under a read's name": batch(part("", "POST /gmail/v1/users/me/threads/m1/trash HTTP/1.1\r\n\r\n\r\n") + end),
	} {
		attack(t, w, grant, name, req)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("canary") }

// TestGuardBodies: a change is bound to its body, and redeemed once.
func TestGuardBodies(t *testing.T) {
	w := newServedWorld(t, agreeable)
	base := endpoint(t, w)
	call := gmail.ModifyMessages([]string{"m1", "m2"}, []string{"STARRED"}, nil)
	target, err := call.Target()
	if err != nil {
		t.Fatal(err)
	}
	grant := w.grant(t, target)
	modify := func(contentType, body string) *http.Request {
		return to(base, request("POST", "/gmail/v1/users/me/messages/batchModify?alt=json&prettyPrint=false", contentType, body))
	}
	for name, req := range map[string]*http.Request{
		"other labels":         modify("application/json", `{"addLabelIds":["TRASH"],"ids":["m1"]}`),
		"a label more":         modify("application/json", `{"addLabelIds":["STARRED"],"removeLabelIds":["INBOX"],"ids":["m1"]}`),
		"another id":           modify("application/json", `{"addLabelIds":["STARRED"],"ids":["m1","m3"]}`),
		"ids twice":            modify("application/json", `{"ids":["m3"],"addLabelIds":["STARRED"],"ids":["m1"]}`),
		"labels twice":         modify("application/json", `{"addLabelIds":["TRASH"],"addLabelIds":["STARRED"],"ids":["m1"]}`),
		"an escaped key twice": modify("application/json", `{"\u0069ds":["m3"],"addLabelIds":["STARRED"],"ids":["m1"]}`),
		"an id that is none":   modify("application/json", `{"addLabelIds":["STARRED"],"ids":["m1",7]}`),
		"no ids":               modify("application/json", `{"addLabelIds":["STARRED"],"ids":[]}`),
		"something behind":     modify("application/json", `{"addLabelIds":["STARRED"],"ids":["m1"]} {}`),
		"another charset":      modify("application/json; charset=utf-7", `{"addLabelIds":["STARRED"],"ids":["m1"]}`),
		"another type":         modify("text/plain", `{"addLabelIds":["STARRED"],"ids":["m1"]}`),
		"no type":              modify("", `{"addLabelIds":["STARRED"],"ids":["m1"]}`),
		"an upload":            modify("multipart/related; boundary=b", upload(`{"addLabelIds":["STARRED"],"ids":["m1"]}`, "x")),
	} {
		attack(t, w, grant, name, req)
	}
	if _, err := gmail.Do(t.Context(), w.client, grant, call); err != nil {
		t.Fatalf("the attacks have spent the grant: %v", err)
	}
	attack(t, w, grant, "the same again", modify("application/json", `{"addLabelIds":["STARRED"],"ids":["m1","m2"]}`))

	send, err := gmail.SendDraft("d1", []byte("hello"), "").Target()
	if err != nil {
		t.Fatal(err)
	}
	grant = w.grant(t, send)
	post := func(path, contentType, body string) *http.Request {
		return to(base, request("POST", path, contentType, body))
	}
	const path = "/gmail/v1/users/me/drafts/send"
	const related = "multipart/related; boundary=b"
	for name, req := range map[string]*http.Request{
		"another draft":                post(path, "application/json", `{"id":"d2","message":{"raw":"aGVsbG8="}}`),
		"another message":              post(path, "application/json", `{"id":"d1","message":{"raw":"aGVsbG8h"}}`),
		"no message":                   post(path, "application/json", `{"id":"d1"}`),
		"a message beside":             post(path, "application/json", `{"id":"d1","raw":"eA==","message":{"raw":"aGVsbG8="}}`),
		"a message twice":              post(path, "application/json", `{"id":"d1","message":{"raw":"eA==","raw":"aGVsbG8="}}`),
		"a message that is not base64": post(path, "application/json", `{"id":"d1","message":{"raw":"a+/="}}`),
		"a label more":                 post(path, "application/json", `{"id":"d1","message":{"raw":"aGVsbG8=","labelIds":["X"]}}`),
		"an upload's path alone":       post("/upload"+path, "application/json", `{"id":"d1","message":{"raw":"aGVsbG8="}}`),
		"an upload's parameter alone":  post(path+"?uploadType=multipart", "application/json", `{"id":"d1","message":{"raw":"aGVsbG8="}}`),
		"an upload's body alone":       post(path, related, upload(`{"id":"d1","message":{}}`, "hello")),
		"an upload without parameter":  post("/upload"+path, related, upload(`{"id":"d1","message":{}}`, "hello")),
		"a plain upload":               post("/upload"+path+"?uploadType=media", "message/rfc822", "hello"),
		"a resumable one":              post("/upload"+path+"?uploadType=resumable", "application/json", `{"id":"d1","message":{"raw":"aGVsbG8="}}`),
		"an upload of another message": post("/upload"+path+"?uploadType=multipart", related, upload(`{"id":"d1","message":{}}`, "hello!")),
		"an upload of two messages":    post("/upload"+path+"?uploadType=multipart", related, strings.Replace(upload(`{"id":"d1","message":{}}`, "hello"), "--b--", "--b\r\nContent-Type: message/rfc822\r\n\r\nx\r\n--b--", 1)),
		"an upload in another coding":  post("/upload"+path+"?uploadType=multipart", related, strings.Replace(upload(`{"id":"d1","message":{}}`, "hello"), "message/rfc822", "message/rfc822\r\nContent-Transfer-Encoding: base64", 1)),
		"metadata in another coding":   post("/upload"+path+"?uploadType=multipart", related, strings.Replace(upload(`{"id":"d1","message":{}}`, "hello"), "application/json", "application/json\r\nContent-Transfer-Encoding: quoted-printable", 1)),
		"an oversized message":         post("/upload"+path+"?uploadType=multipart", related, upload(`{"id":"d1","message":{}}`, strings.Repeat("x", 37<<20))),
	} {
		attack(t, w, grant, name, req)
	}
	res, err := gmail.Guarded(w.client, grant).RoundTrip(post("/upload"+path+"?uploadType=multipart", related, upload(`{"id":"d1","message":{}}`, "hello")))
	if err != nil {
		t.Fatalf("the same message as an upload: %v", err)
	}
	res.Body.Close()
	attack(t, w, grant, "the message again, in JSON", post(path, "application/json", `{"id":"d1","message":{"raw":"aGVsbG8="}}`))
}

func upload(metadata, message string) string {
	return "--b\r\nContent-Type: application/json\r\n\r\n" + metadata + "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + message + "\r\n--b--\r\n"
}

// TestRedirect: a token follows no redirect.
func TestRedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		w := newServedWorld(t, func(int, hit) *http.Response {
			res := answer(status, "{}")
			res.Header.Set("Location", "/gmail/v1/users/me/messages/m1?alt=json&format=full&prettyPrint=false")
			return res
		})
		if _, err := do(t, w, gmail.GetMessage("m1")); err == nil {
			t.Errorf("%d: no error", status)
		}
		if _, err := do(t, w, gmail.GetRows("m1")); err == nil {
			t.Errorf("%d of a batch: no error", status)
		}
		if got := w.gmail.count(); got != 2 {
			t.Errorf("%d: Gmail saw %d requests, want 2", status, got)
		}
	}
}

// TestEndpoint: a client speaks to the root of one host.
func TestEndpoint(t *testing.T) {
	w := newWorld(t, agreeable)
	for _, endpoint := range []string{"https://example.com/prefix/", "/path", "https://example.com/?q=1", "::"} {
		if _, err := gmail.New(gmail.Config{Endpoint: endpoint, Gate: w.gate, Tokens: w.vault}); err == nil {
			t.Errorf("%q was accepted", endpoint)
		}
	}
	if _, err := gmail.New(gmail.Config{Tokens: w.vault}); err == nil {
		t.Error("a client without a gate was made")
	}
	if _, err := gmail.New(gmail.Config{Gate: w.gate}); err == nil {
		t.Error("a client without tokens was made")
	}
}

// TestOnlyInboxMayImport: the compiler keeps this package from everyone outside inbox.
func TestOnlyInboxMayImport(t *testing.T) {
	root := "../../.."
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "thief.go")
	if err := os.WriteFile(source, []byte("package thief\n\nimport _ \"github.com/totalengage/webmail/inbox/internal/gmail\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for folder, allowed := range map[string]bool{"frontend/thief": false, "policy/thief": false, "oauth/thief": false, "inbox/thief": true} {
		overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, folder, "thief.go"): source}})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "overlay.json")
		if err := os.WriteFile(file, overlay, 0o600); err != nil {
			t.Fatal(err)
		}
		list := exec.Command("go", "list", "-overlay", file, "./"+folder)
		list.Dir = root
		var out bytes.Buffer
		list.Stdout, list.Stderr = &out, &out
		err = list.Run()
		if forbidden := strings.Contains(out.String(), "use of internal package"); forbidden == allowed || (err == nil) != allowed {
			t.Errorf("%s: %v, %s; want allowed = %v", folder, err, out.String(), allowed)
		}
	}
}
