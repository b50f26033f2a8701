package frontend_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend"
	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// entranceOf is for whom an address is, by its beginning: what the table of routes must agree with.
func entranceOf(method, path string) string {
	switch {
	case path == "/api/session" && method == "GET", path == "/api/session/sign-out":
		return "anyone"
	case strings.HasPrefix(path, "/api/audit/"), strings.HasPrefix(path, "/audit/"), path == "/api/assessment":
		return "auditor"
	case strings.HasPrefix(path, "/api/staff/"), strings.HasPrefix(path, "/staff/"):
		return "staff"
	}
	return "owner"
}

// TestWhoMayEnter tries every route without a session, with each kind of session that it is not for, and from another
// site: none gets as far as its handler.
func TestWhoMayEnter(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.SetGroups("auditor@staff.example", []string{"auditor"})
		people := map[string]*person{"owner": h.owner(Ada), "staff": h.staff(Sam), "auditor": h.staff("auditor@staff.example")}
		code := func(p Page) string {
			var got problem
			_ = json.Unmarshal([]byte(p.Body), &got) // what is no problem has no code
			return got.Code
		}
		for _, route := range frontend.Routes() {
			method, who := route[0], entranceOf(route[0], route[1])
			path := strings.NewReplacer("{tile:.+}", "0/000").Replace(route[1])
			for i := strings.Index(path, "{"); i >= 0; i = strings.Index(path, "{") {
				path = path[:i] + "x" + path[i+strings.Index(path[i:], "}")+1:]
			}
			if who != "anyone" {
				if page := h.person().do(method, path, nil); page.Status != 401 || code(page) != "unauthenticated" {
					t.Errorf("%s %s without a session: %d %s, want 401", method, route[1], page.Status, code(page))
				}
			}
			for kind, p := range people {
				if who == "anyone" || kind == who {
					continue
				}
				if page := p.do(method, path, nil); page.Status != 403 || code(page) != "wrong_role" {
					t.Errorf("%s %s for %s: %d %s, want 403 wrong_role", method, route[1], kind, page.Status, code(page))
				}
			}
			if method == "GET" {
				continue // changes nothing, and a cookie that is Lax does not travel with it but to a page
			}
			for kind, p := range people {
				if page := p.do(method, path, nil, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); page.Status != 403 || code(page) != "cross_site" {
					t.Errorf("%s %s from another site for %s: %d %s, want 403 cross_site", method, route[1], kind, page.Status, code(page))
				}
			}
		}
	})
}
