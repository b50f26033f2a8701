package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// What these tests read of the API's answers.
type (
	images struct {
		Remote, Trackers int
		TrackedBy        []string
		Shown            string
		SenderProven     bool
		Permission       string
	}
	permissionList struct {
		Permissions []struct{ ID, Feature, Recipient, For, Shown string }
	}
	listed struct {
		Messages []struct {
			ID, BodyURL string
			Unsubscribe *struct{ Kind, Host, URL string }
		}
	}
)

const offer = "Last days: a third off everything that cuts"

// open opens a conversation by its label and subject.
func (b *browser) open(label, subject string) (c listed) {
	b.t.Helper()
	var page threadPage
	b.get("/api/accounts/"+b.account+"/threads?label="+label, &page)
	b.get("/api/accounts/"+b.account+"/threads/"+page.find(b.t, subject).ID, &c)
	return c
}

var proxied = regexp.MustCompile(`/remote/[^/]+/[^/]+/[A-Za-z0-9_-]+`)

// TestRemoteImages: nothing loads until the owner says so, then through the server alone, until the owner takes
// it back; trackers never.
func TestRemoteImages(t *testing.T) {
	data := t.TempDir()
	p := startDemo(t, data)
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	m := alice.open("INBOX", offer).Messages[0]
	at := "/api/accounts/" + alice.account + "/messages/" + m.ID + "/images"

	res, body := alice.fetch("GET", m.BodyURL, nil)
	if strings.Contains(body, "/remote/") || strings.Contains(body, "images.shop") || strings.Contains(res.Header.Get("Content-Security-Policy"), "/remote/") {
		t.Error("the body loads remote images before the owner said so")
	}
	var before images
	alice.get(at, &before)
	if before.Remote != 2 || before.Trackers != 1 || len(before.TrackedBy) != 1 || before.Shown != "none" || !before.SenderProven {
		t.Errorf("before: got %+v", before)
	}

	var after images
	alice.post(at, map[string]any{"for": "sender"}, &after)
	if after.Shown != "sender" || after.Permission == "" {
		t.Errorf("after: got %+v", after)
	}
	res, body = alice.fetch("GET", m.BodyURL, nil)
	found := proxied.FindAllString(body, -1)
	if len(found) != 2 || strings.Contains(body, "images.shop") || strings.Contains(body, "pixel") {
		t.Fatalf("the body names %d proxied images, want 2 and no host of the mail's", len(found))
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "/remote/"+alice.account+"/"+m.ID+"/") {
		t.Errorf("the body's policy %q does not name the images", csp)
	}
	alice.header = [2]string{"Sec-Fetch-Dest", "image"}
	res, picture := alice.fetch("GET", found[0], nil)
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "image/png" || !strings.HasPrefix(picture, "\x89PNG") {
		t.Errorf("the image: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	alice.header = [2]string{"Sec-Fetch-Dest", "document"}
	if status := alice.status("GET", found[0], nil, nil); status != 403 {
		t.Errorf("the image navigated to: %d, want 403", status)
	}
	alice.header = [2]string{}
	for name, changed := range map[string]string{
		"changed":         found[0][:len(found[0])-2] + "AA",
		"another message": strings.Replace(found[0], m.ID, "18c0000000000000", 1),
		"made up":         found[0][:strings.LastIndex(found[0], "/")] + "/aHR0cHM6Ly9leGFtcGxlLm5ldA",
	} {
		if status := alice.status("GET", changed, nil, nil); status != 403 {
			t.Errorf("%s: %d, want 403", name, status)
		}
	}
	phone := newBrowser(t, p.url)
	phone.signIn("alice@example.com")
	if status := phone.status("GET", found[0], nil, nil); status != 403 {
		t.Errorf("in another session: %d, want 403", status)
	}

	var list permissionList
	alice.get("/api/accounts/"+alice.account+"/permissions", &list)
	if len(list.Permissions) != 1 || list.Permissions[0].For != "sender" || !strings.Contains(list.Permissions[0].Shown, "@shop.example.net") {
		t.Fatalf("the list of permissions: %+v", list)
	}
	bob := newBrowser(t, p.url)
	bob.signIn("bob@example.com")
	if status := bob.status("GET", "/api/accounts/"+alice.account+"/permissions", nil, nil); status != 404 {
		t.Errorf("bob reads alice's permissions: %d, want 404", status)
	}
	if status := bob.status("DELETE", "/api/accounts/"+alice.account+"/permissions/"+after.Permission, nil, nil); status != 404 {
		t.Errorf("bob withdraws alice's permission: %d, want 404", status)
	}
	if status := alice.status("DELETE", "/api/accounts/"+alice.account+"/permissions/"+after.Permission, nil, nil); status != 204 {
		t.Errorf("withdrawing: %d", status)
	}
	if status := alice.status("GET", found[1], nil, nil); status == 200 {
		t.Error("an image loads after the permission was withdrawn")
	}
	if _, body := alice.fetch("GET", m.BodyURL, nil); strings.Contains(body, "/remote/") {
		t.Error("the body loads remote images after the permission was withdrawn")
	}

	auditor := newBrowser(t, p.url)
	auditor.signInStaff("audit@staff.example.com")
	_, events := auditor.fetch("GET", "/api/audit/decisions?limit=500", nil)
	for _, want := range []string{"remote.get", "permission.given", "permission.withdrawn"} {
		if !strings.Contains(events, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	for _, secret := range []string{"images.shop", "autumn", "letters@", m.ID} {
		if strings.Contains(events, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestAnUnprovenSenderIsNotTrusted(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	m := alice.open("SPAM", "Your mailbox will be CLOSED today").Messages[0]
	at := "/api/accounts/" + alice.account + "/messages/" + m.ID + "/images"
	var problem problem
	if status := alice.status("POST", at, map[string]any{"for": "sender"}, &problem); status != 409 || problem.Code != "unproven" {
		t.Errorf("trusting a spoofed sender: %d %q, want 409 unproven", status, problem.Code)
	}
	if m.Unsubscribe != nil {
		t.Errorf("spam offers to unsubscribe: %+v", m.Unsubscribe)
	}
}

var (
	warning = regexp.MustCompile(`/link/[A-Za-z0-9_-]+`)
	onward  = regexp.MustCompile(`<a class="button" href="([^"]+)"`)
)

// TestDoubtfulLinksLeadThroughAWarning: the page says where a link leads, for the one session alone, and sends
// nobody there by itself.
func TestDoubtfulLinksLeadThroughAWarning(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	body := alice.document(alice.open("SPAM", "Your mailbox will be CLOSED today").Messages[0].BodyURL)
	link := warning.FindString(body)
	if link == "" || strings.Contains(body, "mail-alerts.example.net/confirm") {
		t.Fatalf("the link under another site's name is not stopped: %s", body)
	}
	res, page := alice.fetch("GET", link, nil)
	if res.StatusCode != 200 || !strings.Contains(page, "shows the name example.com, but the link leads to example.net.") {
		t.Errorf("the warning page: %d %s", res.StatusCode, page)
	}
	if m := onward.FindStringSubmatch(page); m == nil || !strings.HasPrefix(m[1], "https://example.com.login.mail-alerts.example.net/confirm") {
		t.Errorf("the way on is %q", m)
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") {
		t.Errorf("the page's policy is %q", csp)
	}
	bob := newBrowser(t, p.url)
	bob.signIn("bob@example.com")
	for name, try := range map[string]struct {
		who  *browser
		path string
	}{"another person": {bob, link}, "changed": {alice, link[:len(link)-2] + "AA"}, "a URL in the clear": {alice, "/link/aHR0cHM6Ly9leGFtcGxlLm5ldA"}} {
		res, page := try.who.fetch("GET", try.path, nil)
		if res.StatusCode != http.StatusForbidden || onward.MatchString(page) {
			t.Errorf("%s: %d, and leads on: %v", name, res.StatusCode, onward.MatchString(page))
		}
	}
	if status := newBrowser(t, p.url).status("GET", link, nil, nil); status != 401 {
		t.Errorf("signed out: %d, want 401", status)
	}
	// Ordinary links are left alone.
	if body := alice.document(alice.open("INBOX", "Your parcel is on its way").Messages[0].BodyURL); warning.MatchString(body) || !strings.Contains(body, `rel="noopener noreferrer`) {
		t.Error("an ordinary link is stopped, or opens with access to its opener")
	}
}

func TestUnsubscribe(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	m := alice.open("INBOX", offer).Messages[0]
	if m.Unsubscribe == nil || m.Unsubscribe.Kind != "one_click" || m.Unsubscribe.Host != "lists.example.org" {
		t.Fatalf("the newsletter offers %+v, want one click at lists.example.org", m.Unsubscribe)
	}
	at := "/api/accounts/" + alice.account + "/messages/" + m.ID + "/unsubscribe"
	if status := alice.status("POST", at, map[string]any{"host": "elsewhere.example"}, nil); status != 400 {
		t.Errorf("another host than shown: %d, want 400", status)
	}
	var result struct {
		Host     string
		Accepted bool
	}
	alice.post(at, map[string]any{"host": "lists.example.org"}, &result)
	if !result.Accepted || result.Host != "lists.example.org" {
		t.Errorf("got %+v", result)
	}
	if other := alice.open("INBOX", "Your parcel is on its way").Messages[0]; other.Unsubscribe != nil {
		t.Errorf("a parcel's notice offers %+v", other.Unsubscribe)
	}
}
