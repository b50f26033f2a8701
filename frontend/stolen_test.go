package frontend_test

import (
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend/signin"
	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
)

// TestRowsStealNoMailbox: Bob, who has a mailbox of his own here, can write into the database. He makes Ada's mailbox
// his, or his Google account hers. It gives him nothing of her mail, whether or not her keys are in memory.
func TestRowsStealNoMailbox(t *testing.T) {
	for _, c := range []struct {
		name  string
		steal func(h *house, bob *person, his, hers policy.PersonID)
	}{
		{"another owner of the mailbox", func(h *house, _ *person, his, hers policy.PersonID) {
			h.Exec(`UPDATE accounts SET person = $1 WHERE person = $2`, string(his), string(hers))
		}},
		{"another Google account of the owner", func(h *house, bob *person, his, hers policy.PersonID) {
			swapGoogleAccounts(h, his, hers)
			bob.do("POST", "/api/session/sign-out", nil)
			bob.AgreeOn(bob.Post(h.url+signin.SignInPath, nil), Bob)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachHouse(t, func(t *testing.T, h *house) {
				bob := h.owner(Bob)
				his := h.session(bob).Person
				ada := h.owner(Ada)
				id := h.put(letter)
				path := "/api/accounts/" + string(h.account) + "/messages/" + id
				ada.ok("GET", path, nil, nil)
				if page := bob.do("GET", path, nil); page.Status != 403 {
					t.Errorf("before anything was written Bob gets %d, want 403", page.Status)
				}
				c.steal(h, bob, his, h.session(ada).Person)
				mailbox := "/api/accounts/" + string(h.account)
				for _, asked := range []string{path, "/body/" + string(h.account) + "/" + id, "/api/session", mailbox + "/threads", mailbox + "/access/history"} {
					page := bob.do("GET", asked, nil)
					for _, canary := range append(canaries, Ada) {
						if strings.Contains(page.Body, canary) {
							t.Errorf("GET %s gives Bob %q (%d)", asked, canary, page.Status)
						}
					}
				}
			})
		})
	}
}

// TestSwappedOwnerProvesNothing: a sign-in of Bob's proves no agreement about Ada's mailbox, even when the database
// says that he is Ada.
func TestSwappedOwnerProvesNothing(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		bob := h.owner(Bob)
		his := h.session(bob).Person
		ada, sam, pat := h.owner(Ada), h.staff(Sam), h.staff(Pat)
		id := h.put(letter)
		r := asked(t, sam, pat, id)
		hers := h.session(ada).Person
		swapGoogleAccounts(h, his, hers)
		agree(t, ada, r.ID, Bob, tick(id, true)) // in Ada's browser, which somebody left open
		if page := sam.do("GET", "/api/staff/requests/"+r.ID+"/messages/"+id, nil); page.Status == 200 {
			t.Errorf("Bob agreed in Ada's name: %s", page.Body)
		}
	})
}

// swapGoogleAccounts makes two persons sign in as each other.
func swapGoogleAccounts(h *house, one, two policy.PersonID) {
	h.T.Helper()
	known := map[policy.PersonID][]byte{}
	for _, id := range []policy.PersonID{one, two} {
		var hmac []byte
		must(h.T, h.DB.Read().QueryRowContext(h.T.Context(), `SELECT subject_hmac FROM persons WHERE id = $1`, string(id)).Scan(&hmac))
		known[id] = hmac
	}
	h.Exec(`UPDATE persons SET subject_hmac = $1 WHERE id = $2`, []byte("nobody"), string(one))
	h.Exec(`UPDATE persons SET subject_hmac = $1 WHERE id = $2`, known[one], string(two))
	h.Exec(`UPDATE persons SET subject_hmac = $1 WHERE id = $2`, known[two], string(one))
}
