//go:build !release

package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend/signin"
	signon "github.com/totalengage/webmail/oauth/emulator"
)

// newHelpdesk is a deployment with staff: sam asks and pat approves.
func newHelpdesk(t *testing.T) *deployment {
	t.Helper()
	d := newDeployment(t, "")
	d.stop()
	o := signon.Staff()
	for email, groups := range map[string][]string{"sam@staff.example": {"support"}, "pat@staff.example": {"approvers"}} {
		o.Users = append(o.Users, signon.User{Email: email, Name: strings.Split(email, "@")[0], Groups: groups, AMR: []string{"pwd", "mfa"}})
	}
	o.Clients = []signon.Client{{ID: "webmail", Secret: "not so secret", RedirectURIs: []string{d.base + signin.StaffCallbackPath}}}
	directory, err := signon.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(directory.Handler())
	t.Cleanup(server.Close)
	url := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	if err := directory.SetIssuer(url); err != nil {
		t.Fatal(err)
	}
	d.options.staff = staff{Issuer: url, ClientID: "webmail", ClientSecret: "not so secret", Roles: map[string]string{"support": "support", "approvers": "approver"}}
	d.start()
	return d
}

// acknowledge confirms the rules as they are shown.
func (b *browser) acknowledge() {
	b.t.Helper()
	var rules struct {
		Text struct {
			Version int
			SHA256  string
		}
	}
	b.get("/api/staff/acknowledgement", &rules)
	b.post("/api/staff/acknowledgement", map[string]any{"version": rules.Text.Version, "sha256": rules.Text.SHA256}, nil)
}

// TestAgreementSurvivesARestart: the whole product, stopped and started again in the middle of an agreement.
func TestAgreementSurvivesARestart(t *testing.T) {
	d := newHelpdesk(t)
	message := d.put(adaAddress, "helpdesk", "It does not open.")
	ada, sam, pat := newBrowser(t, d.base), newBrowser(t, d.base), newBrowser(t, d.base)
	ada.signIn(adaAddress)
	sam.signInStaff("sam@staff.example")
	pat.signInStaff("pat@staff.example")
	sam.acknowledge()
	pat.acknowledge()

	var request struct{ ID, State string }
	sam.post("/api/staff/requests", map[string]any{"mailbox": adaAddress, "case": "7", "reason": "x", "messages": []string{message}, "minutes": 5}, &request)
	pat.post("/api/staff/requests/"+request.ID+"/approve", nil, &request)
	var to struct{ Redirect string }
	ada.post("/api/access/requests/"+request.ID+"/agree", map[string]any{"messages": []any{map[string]any{"id": message, "attachments": false}}}, &to)
	res, page := ada.fetch("GET", to.Redirect, nil)
	for range 3 {
		if res.Request.URL.Path == "/settings/access" {
			break
		}
		res, page = ada.press(res, page, adaAddress, "Continue")
	}
	var seen struct{ Subject, BodyURL string }
	sam.get("/api/staff/requests/"+request.ID+"/messages/"+message, &seen)
	if seen.Subject != "helpdesk" {
		t.Errorf("staff see %+v", seen)
	}

	d.stop()
	d.start()
	sam.get("/api/staff/requests/"+request.ID+"/messages/"+message, &seen)
	if body := sam.document(seen.BodyURL); !strings.Contains(body, "It does not open.") || !strings.Contains(body, "data-watermark") {
		t.Errorf("after the restart the document is %s", body)
	}
	var list struct {
		Requests []struct {
			Views []struct{ Decision string }
		}
	}
	ada.get("/api/access/requests", &list)
	if len(list.Requests) != 1 || len(list.Requests[0].Views) != 3 {
		t.Errorf("the owner sees %+v, want three looks", list.Requests)
	}
	ada.post("/api/access/requests/"+request.ID+"/revoke", map[string]any{}, nil)
	if status := sam.status("GET", "/api/staff/requests/"+request.ID+"/messages/"+message, nil, nil); status != 403 {
		t.Errorf("after the owner's no: %d, want 403", status)
	}
	var history struct{ Entries []struct{ Message string } }
	ada.get("/api/accounts/"+ada.account+"/access/history", &history)
	if len(history.Entries) != 4 || history.Entries[0].Message != message {
		t.Errorf("the history has %+v, want three looks and a refusal", history.Entries)
	}
}
