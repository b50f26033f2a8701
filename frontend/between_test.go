package frontend_test

import (
	"html"
	"strings"
	"testing"

	signon "github.com/totalengage/webmail/oauth/emulator"
	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// TestRevokedWhileFetched: the owner ends an agreement while Gmail is answering. What it answers is not shown.
func TestRevokedWhileFetched(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		one := h.put(letter)
		ada, sam, pat := h.owner(Ada), h.staff(Sam), h.staff(Pat)
		var seen view
		for _, at := range []string{"/api/staff/requests/", "/staff/body/", "/staff/attachment/"} {
			r := asked(t, sam, pat, one)
			agree(t, ada, r.ID, Ada, tick(one, true))
			path, dest := at+r.ID+"/"+one, "iframe"
			switch at {
			case "/api/staff/requests/":
				path = at + r.ID + "/messages/" + one
			case "/staff/attachment/":
				sam.ok("GET", "/api/staff/requests/"+r.ID+"/messages/"+one, nil, &seen)
				doc := sam.do("GET", seen.BodyURL, nil, "Sec-Fetch-Dest", "iframe")
				path, dest = imageOf(t, doc.Body), "image"
			}
			revoked := false
			h.answering = func() {
				revoked = ada.do("POST", "/api/access/requests/"+r.ID+"/revoke", map[string]any{}).Status == 204
			}
			page := sam.do("GET", path, nil, "Sec-Fetch-Dest", dest)
			if !revoked {
				t.Fatalf("%s: it was not revoked while Gmail answered", at)
			}
			if page.Status == 200 {
				t.Errorf("%s: shown after the owner ended it: %.200s", at, page.Body)
			}
			if mine := requestOf(t, ada, "/api/access/requests", r.ID); at != "/staff/attachment/" && len(mine.Views) != 0 {
				t.Errorf("%s: the owner is told of %d looks, and there was none", at, len(mine.Views))
			}
		}
	})
}

// imageOf is the address of the first image of a document, on the product's host.
func imageOf(t *testing.T, doc string) string {
	t.Helper()
	found := imageLink.FindStringSubmatch(doc)
	if found == nil {
		t.Fatal("the document has no image")
	}
	return html.UnescapeString(found[1][strings.Index(found[1], "/staff/"):])
}

// TestStaffLearnNothingBeforeTheirTurn: whoever may not ask is not told which mailboxes there are, and without a second
// factor nobody reads who asked about their data.
func TestStaffLearnNothingBeforeTheirTurn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada, pat := h.owner(Ada), h.staff(Pat)
		for _, mailbox := range []string{Ada, "nobody@example.com"} {
			var got problem
			ask := map[string]any{"mailbox": mailbox, "case": "1", "reason": "x", "messages": []string{"1"}, "minutes": 60}
			if status := pat.json("POST", "/api/staff/requests", ask, &got); status != 403 || got.Code != "wrong_role" {
				t.Errorf("an approver asks about %s: %d %s, want 403 wrong_role", mailbox, status, got.Code)
			}
		}
		ada.ok("POST", "/api/me/rights-requests", map[string]any{"right": "access", "note": "all of it"}, nil)
		must(t, h.Directory.AddUser(signon.User{Email: "one@staff.example", Groups: []string{"support"}, AMR: []string{"pwd"}}))
		for _, path := range []string{"GET /api/staff/rights-requests", "POST /api/staff/rights-requests/00000000-0000-0000-0000-000000000000/answer"} {
			method, path, _ := strings.Cut(path, " ")
			page := h.staff("one@staff.example").do(method, path, nil)
			if page.Status != 403 || strings.Contains(page.Body, Ada) {
				t.Errorf("%s %s without a second factor: %d %s", method, path, page.Status, page.Body)
			}
		}
		var open struct{ Requests []struct{ Contact string } }
		if h.staff(Sam).ok("GET", "/api/staff/rights-requests", nil, &open); len(open.Requests) != 1 || open.Requests[0].Contact != Ada {
			t.Errorf("support with a second factor reads %+v", open)
		}
	})
}
