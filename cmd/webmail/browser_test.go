package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"golang.org/x/net/html"
)

// browser is a person at the product, without a screen: cookies, forms, redirects. Every API answer it gets
// is checked against the contract.
type browser struct {
	t       testing.TB
	base    string
	account string
	client  *http.Client
	header  [2]string // sent along when set
}

// jar keeps cookies by host and port, Secure ones on loopback too, as Chromium does.
type jar struct {
	mu      sync.Mutex
	cookies map[string]map[string]*http.Cookie
}

func (j *jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cookies[u.Host] == nil {
		j.cookies[u.Host] = map[string]*http.Cookie{}
	}
	for _, c := range cookies {
		j.cookies[u.Host][c.Name] = c
		if c.MaxAge < 0 {
			delete(j.cookies[u.Host], c.Name)
		}
	}
}

func (j *jar) Cookies(u *url.URL) (out []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.cookies[u.Host] {
		out = append(out, &http.Cookie{Name: c.Name, Value: c.Value})
	}
	return out
}

func newBrowser(t testing.TB, base string) *browser {
	t.Helper()
	return &browser{t: t, base: base, client: &http.Client{Jar: &jar{cookies: map[string]map[string]*http.Cookie{}}, Transport: newContract(t), Timeout: time.Minute}}
}

// contract checks each answer of the API against openapi.yaml.
type contract struct {
	t      testing.TB
	router routers.Router
}

func newContract(t testing.TB) *contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("..", "..", "frontend", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &contract{t: t, router: router}
}

func (c *contract) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || !strings.HasPrefix(req.URL.Path, "/api/") || strings.HasSuffix(req.URL.Path, "/events") && res.StatusCode == 200 {
		return res, err
	}
	route, params, err := c.router.FindRoute(&http.Request{Method: req.Method, URL: &url.URL{Path: req.URL.Path, RawQuery: req.URL.RawQuery}, Host: req.Host})
	if err != nil {
		return res, nil // not in the contract: there is nothing to check, and the server says 404
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		c.t.Errorf("%s %s: the answer breaks the contract: %v", req.Method, req.URL.Path, err)
	}
	return res, nil
}

// fetch makes a request and reads the answer whole.
func (b *browser) fetch(method, target string, body any) (*http.Response, string) {
	b.t.Helper()
	if !strings.HasPrefix(target, "http") {
		target = b.base + target
	}
	var content io.Reader
	switch v := body.(type) {
	case nil:
	case rawBody:
		content = strings.NewReader(string(v))
	default:
		encoded, err := json.Marshal(v)
		if err != nil {
			b.t.Fatal(err)
		}
		content = bytes.NewReader(encoded)
	}
	req, err := http.NewRequest(method, target, content)
	if err != nil {
		b.t.Fatal(err)
	}
	if content != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return b.do(req)
}

func (b *browser) do(req *http.Request) (*http.Response, string) {
	b.t.Helper()
	if b.header[0] != "" {
		req.Header.Set(b.header[0], b.header[1])
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, string(data)
}

// rawBody is sent as it is.
type rawBody string

// status makes a request, decodes the answer into out if it is JSON, and returns the status.
func (b *browser) status(method, target string, body, out any) int {
	b.t.Helper()
	res, data := b.fetch(method, target, body)
	if out != nil && strings.Contains(res.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal([]byte(data), out); err != nil {
			b.t.Fatal(err)
		}
	}
	return res.StatusCode
}

func (b *browser) get(target string, out any) {
	b.t.Helper()
	if status := b.status("GET", target, nil, out); status != 200 {
		b.t.Fatalf("GET %s: %d", target, status)
	}
}

func (b *browser) post(target string, body, out any) {
	b.t.Helper()
	res, data := b.fetch("POST", target, body)
	if res.StatusCode >= 300 {
		b.t.Fatalf("POST %s: %d %s", target, res.StatusCode, data)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(data), out); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *browser) document(target string) string {
	b.t.Helper()
	res, data := b.fetch("GET", target, nil)
	if res.StatusCode != 200 {
		b.t.Fatalf("GET %s: %d", target, res.StatusCode)
	}
	return data
}

func (b *browser) upload(name, content string) (id string) {
	b.t.Helper()
	status, data := b.uploadFrom(name, strings.NewReader(content))
	var u struct{ ID string }
	if err := json.Unmarshal([]byte(data), &u); status != 201 || err != nil {
		b.t.Fatalf("upload: %d %s", status, data)
	}
	return u.ID
}

func (b *browser) uploadSize(size int64) (status int, p problem) {
	b.t.Helper()
	status, data := b.uploadFrom("large.bin", io.LimitReader(zeros{}, size))
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		b.t.Fatal(err)
	}
	return status, p
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (b *browser) uploadFrom(name string, content io.Reader) (status int, data string) {
	b.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := io.Copy(part, content); err != nil {
		b.t.Fatal(err)
	}
	w.Close()
	req, err := http.NewRequest("POST", b.base+"/api/accounts/"+b.account+"/uploads", &form)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	res, data := b.do(req)
	return res.StatusCode, data
}

// signIn goes through the whole ceremony: Google's account choice and consent, the disclosure, Google's
// consent to the mailbox.
func (b *browser) signIn(address string) {
	b.t.Helper()
	res, page := b.fetch("POST", "/auth/google/start", nil)
	for range 8 {
		if res.Request.URL.Host == strings.TrimPrefix(b.base, "http://") && res.Request.URL.Path != "/connect" {
			break
		}
		res, page = b.press(res, page, address, "Continue", "Agree")
	}
	var s struct {
		SignedIn bool
		Accounts []struct{ ID, Email, State string }
	}
	b.get("/api/session", &s)
	if !s.SignedIn || len(s.Accounts) != 1 || s.Accounts[0].Email != address || s.Accounts[0].State != "connected" {
		b.t.Fatalf("after signing in the session is %+v at %s", s, res.Request.URL.Path)
	}
	b.account = s.Accounts[0].ID
}

func (b *browser) signInStaff(address string) {
	b.t.Helper()
	res, page := b.fetch("POST", "/auth/staff/start", nil)
	b.press(res, page, address, "Continue")
	var s struct {
		SignedIn bool
		Roles    []string
	}
	if b.get("/api/session", &s); !s.SignedIn || len(s.Roles) == 0 {
		b.t.Fatalf("after signing in as staff the session is %+v", s)
	}
}

// press submits the form whose button holds one of the texts.
func (b *browser) press(res *http.Response, page string, texts ...string) (*http.Response, string) {
	b.t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, text := range texts {
		for form := range find(doc, "form") {
			for button := range find(form, "button") {
				if !strings.Contains(content(button), text) {
					continue
				}
				values := url.Values{}
				for input := range find(form, "input") {
					_, checked := attribute(input, "checked")
					kind, _ := attribute(input, "type")
					name, _ := attribute(input, "name")
					value, _ := attribute(input, "value")
					if name != "" && (kind != "checkbox" || checked) {
						values.Add(name, value)
					}
				}
				if name, ok := attribute(button, "name"); ok {
					value, _ := attribute(button, "value")
					values.Set(name, value)
				}
				action, _ := attribute(form, "action")
				target, err := res.Request.URL.Parse(action)
				if err != nil {
					b.t.Fatal(err)
				}
				req, err := http.NewRequest("POST", target.String(), strings.NewReader(values.Encode()))
				if err != nil {
					b.t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				return b.do(req)
			}
		}
	}
	b.t.Fatalf("no button with any of %q at %s:\n%s", texts, res.Request.URL.Path, page)
	return nil, ""
}

func find(n *html.Node, name string) func(func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		for d := range n.Descendants() {
			if d.Type == html.ElementNode && d.Data == name && !yield(d) {
				return
			}
		}
	}
}

func content(n *html.Node) string {
	var text strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			text.WriteString(d.Data)
		}
	}
	return text.String()
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// arrivals are the changes that a page is told of while it is open.
type arrivals chan string

// listen opens the live stream of the mailbox, as the page does.
func (b *browser) listen() arrivals {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), "GET", b.base+"/api/accounts/"+b.account+"/events", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	stream := &http.Client{Jar: b.client.Jar}
	res, err := stream.Do(req)
	if err != nil || res.StatusCode != 200 {
		b.t.Fatalf("live stream: %v %v", res, err)
	}
	out := make(arrivals, 16)
	go func() {
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				out <- data
			}
		}
	}()
	return out
}

// next waits until new mail is announced.
func (a arrivals) next(t testing.TB) {
	t.Helper()
	for {
		select {
		case data := <-a:
			var c struct{ Arrived int }
			if err := json.Unmarshal([]byte(data), &c); err != nil {
				t.Fatal(err)
			}
			if c.Arrived > 0 {
				return
			}
		case <-time.After(time.Minute):
			t.Fatal("no arrival was announced")
		}
	}
}

// What the tests read of the API's answers.
type (
	threadPage struct {
		Threads []struct {
			ID, MessageID, Subject, Snippet string
			Unread                          bool
		}
		NextPage string
	}
	conversation struct {
		Messages []struct {
			ID, BodyURL, BodyKind string
			Attachments           []struct{ Name, URL string }
		}
	}
	decisionPage struct {
		Events []struct{ Operation, Basis string }
	}
	problem struct{ Code, Detail, Field, DecisionID string }
)

func (p threadPage) find(t testing.TB, subject string) (found struct {
	ID, MessageID, Subject, Snippet string
	Unread                          bool
}) {
	t.Helper()
	for _, row := range p.Threads {
		if row.Subject == subject {
			return row
		}
	}
	t.Fatalf("no conversation %q", subject)
	return found
}

func (p decisionPage) has(operation, basis string) bool {
	for _, e := range p.Events {
		if e.Operation == operation && e.Basis == basis {
			return true
		}
	}
	return false
}

func sendTo(addresses ...string) map[string]any {
	to := []any{}
	for _, a := range addresses {
		to = append(to, map[string]any{"email": a})
	}
	return map[string]any{"idempotencyKey": "0123456789abcdef-bad-input", "compose": map[string]any{
		"to": to, "cc": []any{}, "bcc": []any{}, "subject": "x", "html": "x", "attachments": []any{},
	}}
}

// changeOneByte flips one bit in the middle of one event's body, as someone with the database file could.
func changeOneByte(t testing.TB, file string, leaf int) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var body []byte
	if err := db.QueryRow(`SELECT body FROM decisionlog_events WHERE idx = $1`, leaf).Scan(&body); err != nil {
		t.Fatal(err)
	}
	body[len(body)/2] ^= 1
	if _, err := db.Exec(`UPDATE decisionlog_events SET body = $1 WHERE idx = $2`, body, leaf); err != nil {
		t.Fatal(err)
	}
}

// corpora returns the folder of test mail, or "" when it is absent.
func corpora(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("WEBMAIL_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	if _, err := os.Stat(dir); err != nil {
		fmt.Println("corpora: absent, nothing of them was tested")
		return ""
	}
	return dir
}
