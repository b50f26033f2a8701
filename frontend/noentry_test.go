package frontend_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend"
	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// canaries are words of the one letter in Ada's mailbox.
var canaries = []string{canarySubject, canaryBody, canarySender, canaryFile, "bill.pdf", "JVBERi0"}

// TestNoWayIn is the hunt for a break-glass: every route of the product, tried by staff with every role, with and
// without requests in every state and with rows that were written into the database. None gives anything of a
// mailbox without the owner's agreement.
func TestNoWayIn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		letterID := h.put(letter)
		ada, sam, pat := h.owner(Ada), h.staff(Sam), h.staff(Pat)
		var conversation struct{ ThreadID string }
		ada.ok("GET", "/api/accounts/"+string(h.account)+"/messages/"+letterID, nil, &conversation)

		pending := asked(t, sam, pat, letterID)
		var requested, offered request
		sam.ok("POST", "/api/staff/requests", map[string]any{"mailbox": Ada, "case": "2", "reason": "x", "messages": []string{letterID}, "minutes": 60}, &requested)
		ada.ok("POST", "/api/accounts/"+string(h.account)+"/access/offers", map[string]any{"messages": []any{tick(letterID, true)}, "minutes": 30}, &offered)
		refusedOne := asked(t, sam, pat, letterID)
		ada.ok("POST", "/api/access/requests/"+refusedOne.ID+"/refuse", map[string]any{}, nil)
		// What only looks like an agreement: states and times set in the database, and a copied proof of a sign-in.
		forged := asked(t, sam, pat, letterID)
		later := h.Now().Add(3600e9).UnixMicro()
		h.Exec(`UPDATE agreements SET state = 'active', agreed = $1, ends = $2 WHERE id = $3`, h.Now().UnixMicro(), later, forged.ID)
		other := h.put(strings.NewReplacer("one@example.net", "two@example.net", canarySubject, "agreed", canaryBody, "agreed", canaryFile, "agreed", canarySender, "agreed").Replace(letter))
		real := asked(t, sam, pat, other)
		agree(t, ada, real.ID, Ada, tick(other, true))
		copied := asked(t, sam, pat, letterID)
		h.Exec(`UPDATE agreements SET state = 'active', agreed = $1, ends = $2, proof = (SELECT g.proof FROM agreements g WHERE g.id = $3) WHERE id = $4`, h.Now().UnixMicro(), later, real.ID, copied.ID)

		var seen view
		if sam.ok("GET", "/api/staff/requests/"+real.ID+"/messages/"+other, nil, &seen); seen.Subject != "agreed" {
			t.Errorf("the one agreement there is shows %+v", seen)
		}

		requests := []string{pending.ID, requested.ID, offered.ID, refusedOne.ID, forged.ID, copied.ID, real.ID}
		for who, groups := range map[string][]string{
			"support": {"support"}, "approver": {"mail-approvers"}, "auditor": {"auditor"}, "reviewer": {"reviewer"}, "sam": nil,
			"support and approver": {"support", "mail-approvers"}, "all": {"support", "mail-approvers", "auditor", "reviewer"},
		} {
			staff := sam
			if groups != nil {
				email := strings.ReplaceAll(who, " ", ".") + "@staff.example"
				h.SetGroups(email, groups)
				staff = h.staff(email)
			}
			answered := 0
			for _, route := range frontend.Routes() {
				if route[1] == "/api/session/sign-out" {
					continue
				}
				for _, path := range paths(route[1], string(h.account), letterID, conversation.ThreadID, requests) {
					for _, header := range [][]string{nil, {"Sec-Fetch-Dest", "iframe"}, {"Sec-Fetch-Dest", "image"}} {
						page := staff.do(route[0], path, bodyFor(route[1], letterID), header...)
						if page.Status < 300 {
							answered++
						}
						for _, canary := range canaries {
							if strings.Contains(page.Body, canary) || strings.Contains(fmt.Sprint(page.Header), canary) {
								t.Errorf("%s: %s %s gives %q (%d)", who, route[0], path, canary, page.Status)
							}
						}
					}
				}
			}
			if answered == 0 {
				t.Errorf("%s: no route answered at all: the hunt proves nothing", who)
			}
		}
		for _, canary := range append(slices.Clone(canaries), Ada, letterID, "It does not open.", "CASE-77") {
			if strings.Contains(h.LogBytes(), canary) {
				t.Errorf("the log holds %q (LU-HUM-6)", canary)
			}
			if strings.Contains(h.ServerLog.String(), canary) {
				t.Errorf("the server's log holds %q", canary)
			}
		}
	})
}

// paths fills a route's variables with what exists: for requests, with each of them.
func paths(pattern, account, message, thread string, requests []string) (list []string) {
	fill := strings.NewReplacer("{account}", account, "{message}", message, "{thread}", thread, "{part}", "0.0", "{draft}", "r1", "{item}", "x", "{act}", "refuse")
	for _, request := range requests {
		path := strings.ReplaceAll(fill.Replace(pattern), "{request}", request)
		if i := strings.Index(path, "{"); i >= 0 {
			path = path[:i] + "x" // a variable of another room
		}
		if !slices.Contains(list, path) {
			list = append(list, path)
		}
	}
	return list
}

// bodyFor gives the bodies that routes take; what a route does not know it refuses.
func bodyFor(pattern, message string) any {
	last := pattern[strings.LastIndex(pattern, "/")+1:]
	compose := map[string]any{"to": []any{}, "cc": []any{}, "bcc": []any{}, "subject": "x", "html": "x", "kind": "forward", "inReplyTo": message, "attachments": []any{map[string]any{"messageId": message, "partId": "1"}}}
	switch last {
	case "search":
		return map[string]any{"query": canarySubject}
	case "modify", "trash", "untrash":
		return map[string]any{"threads": []string{message}}
	case "drafts", "{draft}":
		return compose
	case "send":
		return map[string]any{"idempotencyKey": "0123456789abcdef", "compose": compose}
	case "requests":
		return map[string]any{"mailbox": Ada, "case": "9", "reason": "emergency", "messages": []string{message}, "minutes": 240}
	case "take":
		return map[string]any{"case": "9", "reason": "emergency"}
	case "agree", "offers":
		return map[string]any{"messages": []any{tick(message, true)}, "minutes": 60}
	case "step-up":
		return map[string]any{"for": "download"}
	case "acknowledgement":
		return map[string]any{"version": 1, "sha256": "0"}
	case "decline", "refuse", "revoke":
		return map[string]any{}
	}
	return nil
}
