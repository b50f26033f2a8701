package frontend_test

import (
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// The canaries stand wherever mail is: in none of them may anything but an agreed view be.
const (
	canarySubject = "canary-subject"
	canaryBody    = "canary-body"
	canarySender  = "canary-sender"
	canaryFile    = "canary-file"
)

// A dot of a picture, as PNG.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// letter is a message with a picture in its text, one beside it, a file, a remote image and a link.
const letter = `From: "Mallory" <canary-sender@example.net>
To: ada.lovelace@example.com
Subject: canary-subject
Date: Mon, 2 Nov 2026 09:00:00 +0000
Message-ID: <one@example.net>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="m"

--m
Content-Type: multipart/related; boundary="r"

--r
Content-Type: text/html; charset=utf-8

<p>canary-body <a href="https://evil.example/reset?token=1">click</a>
<img src="https://evil.example/pixel.gif"><img src="cid:inside@x"></p>
<style>[data-watermark]{display:none!important}body{opacity:0}</style>
--r
Content-Type: image/png; name="inside.png"
Content-ID: <inside@x>
Content-Disposition: inline; filename="inside.png"
Content-Transfer-Encoding: base64

` + pixel + `
--r--
--m
Content-Type: image/png; name="canary-file.png"
Content-Disposition: attachment; filename="canary-file.png"
Content-Transfer-Encoding: base64

` + pixel + `
--m
Content-Type: application/pdf; name="bill.pdf"
Content-Disposition: attachment; filename="bill.pdf"
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--m--
`

// request is a request as both sides see it.
type request struct {
	ID, State, Case string
	Requester       *struct{ Name, Role, Employer, Country string }
	Messages        []struct {
		ID          string
		Attachments bool
	}
	May   []string
	Mine  bool
	Text  *struct{ Plain, SHA256 string }
	Views []struct {
		Message, Decision string
		Attachment        bool
	}
}

// asked has sam ask for messages and pat approve.
func asked(t *testing.T, sam, pat *person, messages ...string) request {
	t.Helper()
	var r request
	sam.ok("POST", "/api/staff/requests", map[string]any{"mailbox": Ada, "case": "CASE-77", "reason": "It does not open.", "messages": messages, "minutes": 60}, &r)
	pat.ok("POST", "/api/staff/requests/"+r.ID+"/approve", nil, &r)
	if r.State != "pending" {
		t.Fatalf("after the approval it is %s, want pending", r.State)
	}
	return r
}

// tick is a message as an owner agrees to it.
func tick(id string, attachments bool) map[string]any {
	return map[string]any{"id": id, "attachments": attachments}
}

// agree takes the owner to Google and back.
func agree(t *testing.T, ada *person, id, as string, messages ...map[string]any) Page {
	t.Helper()
	var to struct{ Redirect string }
	ada.ok("POST", "/api/access/requests/"+id+"/agree", map[string]any{"messages": messages}, &to)
	return ada.Agree(to.Redirect, as)
}

func requestOf(t *testing.T, who *person, path, id string) request {
	t.Helper()
	var list struct{ Requests []request }
	who.ok("GET", path, nil, &list)
	i := slices.IndexFunc(list.Requests, func(r request) bool { return r.ID == id })
	if i < 0 {
		return request{}
	}
	return list.Requests[i]
}

// view is what staff get of a message.
type view struct {
	Subject, Watermark, BodyURL, Decision string
	AttachmentsAgreed                     bool
	Attachments                           []struct{ Part, Name, Type string }
}

var imageLink = regexp.MustCompile(`src="(https://[^"]+/staff/attachment/[^"]+|/staff/attachment/[^"]+)"`)

// TestAgreedView goes the way from the question to the picture, and looks at what staff get on it.
func TestAgreedView(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		one, two := h.put(letter), h.put(strings.ReplaceAll(letter, "one@example.net", "two@example.net"))
		ada, sam, pat := h.owner(Ada), h.staff(Sam), h.staff(Pat)
		r := asked(t, sam, pat, one, two)

		mine := requestOf(t, ada, "/api/access/requests", r.ID)
		if mine.Requester == nil || mine.Requester.Name != "Sam" || mine.Requester.Employer != "Example Ltd" || mine.Requester.Country != "Ireland" || mine.Text == nil || !strings.Contains(mine.Text.Plain, "CASE-77") {
			t.Errorf("the owner is told %+v", mine)
		}
		if page := agree(t, ada, r.ID, Ada, tick(one, true), tick(two, false)); page.URL.Path != "/settings/access" {
			t.Fatalf("after agreeing the browser is at %s with %d", page.URL.Path, page.Status)
		}
		if got := requestOf(t, sam, "/api/staff/requests", r.ID); got.State != "active" || !slices.Contains(got.May, "view") {
			t.Errorf("staff see %+v, want an active request to view", got)
		}

		// The owner has the message in memory: staff get it from Gmail all the same.
		ada.ok("GET", "/api/accounts/"+string(h.account)+"/messages/"+one, nil, nil)
		before := h.post.Stats().Methods["messages.get"]
		var seen view
		sam.ok("GET", "/api/staff/requests/"+r.ID+"/messages/"+one, nil, &seen)
		if got := h.post.Stats().Methods["messages.get"]; got != before+1 {
			t.Errorf("a view made %d calls to Gmail, want 1", got-before)
		}
		if seen.Subject != canarySubject || !seen.AttachmentsAgreed || len(seen.Attachments) != 3 || !strings.Contains(seen.Watermark, "CASE-77 · Sam · ") || seen.Decision == "" {
			t.Errorf("staff see %+v", seen)
		}

		first := seen.Decision
		doc := sam.do("GET", seen.BodyURL, nil, "Sec-Fetch-Dest", "iframe")
		if doc.Status != 200 || !strings.Contains(doc.Body, canaryBody) {
			t.Fatalf("the document: %d", doc.Status)
		}
		if got := doc.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("the document may be kept: %s", got)
		}
		if !strings.Contains(doc.Header.Get("Content-Security-Policy"), "sandbox") || !strings.Contains(doc.Header.Get("Content-Security-Policy"), "/staff/attachment/"+r.ID+"/"+one+"/") {
			t.Errorf("the document's policy is %s", doc.Header.Get("Content-Security-Policy"))
		}
		mark := doc.Body[strings.LastIndex(doc.Body, "<div data-watermark"):]
		if !strings.Contains(mark, "display:block!important") || !strings.Contains(mark, "data:image/svg+xml;base64,") || !strings.Contains(mark, "background-repeat:repeat!important") {
			t.Errorf("the document has no watermark: %s", mark)
		}
		for _, foreign := range []string{"evil.example", "href="} {
			if strings.Contains(doc.Body, foreign) {
				t.Errorf("the document leads elsewhere: %q", foreign)
			}
		}
		links := imageLink.FindAllStringSubmatch(doc.Body, -1)
		if len(links) != 2 {
			t.Fatalf("the document shows %d images, want the one inside and the one beside", len(links))
		}
		image := strings.TrimPrefix(html.UnescapeString(links[1][1]), h.url)
		if got := sam.do("GET", image, nil, "Sec-Fetch-Dest", "image"); got.Status != 200 || got.Header.Get("Content-Type") != "image/png" || strings.Contains(got.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("the image: %d %s", got.Status, got.Header)
		}
		if got := sam.do("GET", image, nil, "Sec-Fetch-Dest", "document"); got.Status != 403 {
			t.Errorf("the image as a page of its own: %d, want 403", got.Status)
		}
		if got := sam.do("GET", strings.Split(image, "?")[0], nil); got.Status != 403 {
			t.Errorf("the image without its signature: %d, want 403", got.Status)
		}
		if got := pat.do("GET", image, nil, "Sec-Fetch-Dest", "image"); got.Status != 403 {
			t.Errorf("the image for somebody else: %d, want 403", got.Status)
		}

		// The other message was agreed to without its attachments: neither shown nor there to fetch.
		sam.ok("GET", "/api/staff/requests/"+r.ID+"/messages/"+two, nil, &seen)
		if doc := sam.do("GET", seen.BodyURL, nil, "Sec-Fetch-Dest", "iframe"); doc.Status != 200 || imageLink.MatchString(doc.Body) {
			t.Errorf("the document without attachments: %d, with images: %v", doc.Status, imageLink.MatchString(doc.Body))
		}

		mine = requestOf(t, ada, "/api/access/requests", r.ID)
		if len(mine.Views) != 5 || mine.Views[0].Message != one || mine.Views[0].Decision != first || !mine.Views[2].Attachment {
			t.Errorf("the owner sees %+v, want four looks and one image", mine.Views)
		}
		ada.ok("GET", "/api/accounts/"+string(h.account)+"/messages/"+two, nil, nil) // what staff fetched is not in the owner's memory: it works anew

		// Somebody else's agreement is nobody's: refused, with the decision recorded.
		h.SetGroups("max@staff.example", []string{"support"})
		var refusal problem
		if status := h.staff("max@staff.example").json("GET", "/api/staff/requests/"+r.ID+"/messages/"+one, nil, &refusal); status != 403 || refusal.Code != "policy_denied" || !slices.Contains(refusal.Clauses, "LU-HUM-1") {
			t.Errorf("a colleague: %d %+v, want a refusal by LU-HUM-1", status, refusal)
		}

		ada.ok("POST", "/api/access/requests/"+r.ID+"/revoke", map[string]any{"note": "enough"}, nil)
		if status := sam.json("GET", "/api/staff/requests/"+r.ID+"/messages/"+one, nil, &refusal); status != 403 {
			t.Errorf("after the owner's no: %d", status)
		}
		if got := sam.do("GET", image, nil, "Sec-Fetch-Dest", "image"); got.Status != 403 {
			t.Errorf("the image after the owner's no: %d", got.Status)
		}
		history(t, h, ada, r.ID, one)
	})
}

// history checks what the owner reads of it all.
func history(t *testing.T, h *house, ada *person, id, message string) {
	t.Helper()
	var got struct {
		Entries []struct {
			At                                          time.Time
			Who                                         struct{ Kind, Name string }
			What, Why, Message, Rule, Decision, Request string
			Clauses                                     []string
			Allowed                                     bool
		}
		Next int64
	}
	ada.ok("GET", "/api/accounts/"+string(h.account)+"/access/history", nil, &got)
	var allowed, refused, unnamed, about int
	for _, e := range got.Entries {
		if e.Who.Kind == "owner" || e.Decision == "" || len(e.Clauses) == 0 {
			t.Errorf("the history has %+v", e)
		}
		switch {
		case e.Allowed && e.Who.Name == "Sam" && e.Rule == "agreement" && e.Request == id && strings.Contains(e.Why, "CASE-77"):
			allowed++
		case !e.Allowed && e.Who.Name == "Sam" && strings.HasPrefix(e.What, "tried, and was refused: read"):
			refused++
		case !e.Allowed && e.Who.Name == "" && e.Who.Kind == "staff":
			unnamed++
		default:
			t.Errorf("the history has %+v", e)
		}
		if e.Message == "" {
			t.Errorf("the history does not tell which message: %+v", e)
		}
		if e.Message == message {
			about++
		}
	}
	if allowed != 6 || refused != 2 || unnamed != 1 || about != 7 {
		t.Errorf("the history has %d looks, %d refusals of sam and %d of a colleague, %d about the first message, want 6, 2, 1 and 7", allowed, refused, unnamed, about)
	}
	bob := h.person()
	bob.AgreeOn(bob.Post(h.url+"/auth/google/start", nil), Bob)
	if status := bob.json("GET", "/api/accounts/"+string(h.account)+"/access/history", nil, nil); status != http.StatusForbidden {
		t.Errorf("somebody else reads the history: %d, want 403", status)
	}
}

// TestDeskProblems are the answers when something is in the way.
func TestDeskProblems(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		one := h.put(letter)
		ada, sam, pat := h.owner(Ada), h.staff(Sam), h.staff(Pat)
		ask := map[string]any{"mailbox": Ada, "case": "1", "reason": "x", "messages": []string{one}, "minutes": 60}
		with := func(name string, value any) map[string]any {
			out := map[string]any{name: value}
			for k, v := range ask {
				if k != name {
					out[k] = v
				}
			}
			return out
		}
		eleven := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b"}
		pending, waiting := asked(t, sam, pat, one), request{}
		sam.ok("POST", "/api/staff/requests", ask, &waiting)
		const nobody = "00000000-0000-0000-0000-000000000000"
		for name, c := range map[string]struct {
			who    *person
			path   string
			body   any
			status int
			code   string
		}{
			"no such mailbox":       {sam, "/api/staff/requests", with("mailbox", "nobody@example.com"), 404, "no_mailbox"},
			"a wildcard":            {sam, "/api/staff/requests", with("messages", []string{"*"}), 400, "invalid"},
			"eleven messages":       {sam, "/api/staff/requests", with("messages", eleven), 400, "invalid"},
			"no messages":           {sam, "/api/staff/requests", with("messages", []string{}), 400, "invalid"},
			"five hours":            {sam, "/api/staff/requests", with("minutes", 300), 400, "invalid"},
			"an approver asks":      {pat, "/api/staff/requests", ask, 403, "wrong_role"},
			"an owner asks":         {ada, "/api/staff/requests", ask, 403, "wrong_role"},
			"approves their own":    {sam, "/api/staff/requests/" + waiting.ID + "/approve", nil, 403, "own_request"},
			"approved twice":        {pat, "/api/staff/requests/" + pending.ID + "/approve", nil, 409, "answered"},
			"no such request":       {pat, "/api/staff/requests/" + nobody + "/approve", nil, 404, "not_found"},
			"not asked yet":         {ada, "/api/access/requests/" + waiting.ID + "/agree", map[string]any{"messages": []any{tick(one, false)}}, 409, "answered"},
			"not asked for":         {ada, "/api/access/requests/" + pending.ID + "/agree", map[string]any{"messages": []any{tick("ff", false)}}, 400, "invalid"},
			"revoked before agreed": {ada, "/api/access/requests/" + pending.ID + "/revoke", map[string]any{}, 409, "answered"},
			"another text":          {sam, "/api/staff/acknowledgement", map[string]any{"version": 1, "sha256": "00"}, 409, "conflict"},
			"unknown step-up":       {ada, "/api/session/step-up", map[string]any{"for": "fun"}, 400, "invalid"},
		} {
			var got problem
			if status := c.who.json("POST", c.path, c.body, &got); status != c.status || got.Code != c.code {
				t.Errorf("%s: %d %s, want %d %s", name, status, got.Code, c.status, c.code)
			}
		}
		h.SetGroups("new@staff.example", []string{"support"})
		newcomer := h.person()
		newcomer.AgreeOn(newcomer.Post(h.url+"/auth/staff/start", nil), "new@staff.example")
		var got problem
		if status := newcomer.json("POST", "/api/staff/requests", ask, &got); status != 403 || got.Code != "acknowledgement_due" {
			t.Errorf("before acknowledging the rules: %d %s", status, got.Code)
		}

		if page := agree(t, ada, pending.ID, Bob, tick(one, false)); page.Status != 403 || !strings.Contains(page.Body, "another Google account") {
			t.Errorf("signed in as somebody else: %d", page.Status)
		}
		var offer request
		ada.ok("POST", "/api/accounts/"+string(h.account)+"/access/offers", map[string]any{"messages": []any{tick(one, true)}, "minutes": 30, "note": "please look"}, &offer)
		if got := requestOf(t, sam, "/api/staff/requests", offer.ID); got.State != "offered" || !slices.Equal(got.May, []string{"take"}) {
			t.Errorf("support sees the offer as %+v", got)
		}
		ada.ok("POST", "/api/access/requests/"+offer.ID+"/refuse", map[string]any{}, nil)
		h.Advance(13 * time.Hour)
		ada = h.owner(Ada) // her session has ended by then
		if status := ada.json("POST", "/api/access/requests/"+pending.ID+"/agree", map[string]any{"messages": []any{tick(one, false)}}, &got); status != 410 || got.Code != "request_expired" {
			t.Errorf("after thirteen hours: %d %s, want 410 request_expired", status, got.Code)
		}
		if got := requestOf(t, ada, "/api/access/requests", pending.ID); got.State != "expired" {
			t.Errorf("the owner sees it as %s, want expired", got.State)
		}
	})
}
