package signin_test

import (
	"encoding/hex"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/totalengage/webmail/frontend/signin"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// site is the product as these pages need it, over TLS, with the providers on loopback.
type site struct {
	*World
	url       string
	transport http.RoundTripper
}

func each(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		var handler http.Handler
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
		t.Cleanup(server.Close)
		w := NewAt(t, open(t), Redirects{
			SignIn: server.URL + signin.SignInCallbackPath, Connect: server.URL + signin.ConnectCallbackPath, Staff: server.URL + signin.StaffCallbackPath,
			Proof: server.URL + signin.ProofCallbackPath, StepUp: server.URL + signin.StepUpCallbackPath,
		})
		r := mux.NewRouter()
		signin.Register(r, deps(w))
		r.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("the application")) })
		handler = http.NewCrossOriginProtection().Handler(r)
		test(t, &site{w, server.URL, server.Client().Transport})
	})
}

func deps(w *World) signin.Deps {
	return signin.Deps{Owners: w.Owners, Staff: w.Staff, Sessions: w.Sessions, Disclosure: w.Disclosure, Announced: w.Consents.Announced(), Product: Product}
}

// visitor is a browser at the product.
type visitor struct {
	*Browser
	site *site
}

func (s *site) visitor() visitor { return visitor{NewBrowser(s.T, s.transport), s} }

func (v visitor) get(path string) Page { v.site.T.Helper(); return v.Open(v.site.url + path) }

func (v visitor) post(path string, form url.Values) Page {
	v.site.T.Helper()
	return v.Post(v.site.url+path, form)
}

// signIn goes from the button to wherever the product leads.
func (v visitor) signIn(email string) Page {
	v.site.T.Helper()
	return v.AgreeOn(v.post(signin.SignInPath, nil), email)
}

func (v visitor) signInStaff(email string) Page {
	v.site.T.Helper()
	return v.AgreeOn(v.post(signin.StaffPath, nil), email)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// agree presses the button of the disclosure page.
func (v visitor) agree(disclosure Page) Page {
	v.site.T.Helper()
	form := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(disclosure.Body, -1) {
		form.Set(field[1], html.UnescapeString(field[2]))
	}
	if form.Get("sha256") == "" {
		v.site.T.Fatalf("no disclosure: status %d at %s", disclosure.Status, disclosure.URL.Path)
	}
	return v.post(signin.ConnectPath, form)
}

// count counts rows.
func (s *site) count(table string) (n int) {
	s.T.Helper()
	if err := s.DB.Read().QueryRowContext(s.T.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
		s.T.Fatal(err)
	}
	return n
}

// expect checks where a page is and what it says.
func expect(t *testing.T, what string, p Page, status int, path, words string) {
	t.Helper()
	if p.Status != status || p.URL.Path != path || !strings.Contains(text(p.Body), words) {
		t.Errorf("%s: got %d at %s, want %d at %s with %q; the page says:\n%s", what, p.Status, p.URL.Path, status, path, words, text(p.Body))
	}
}

var (
	tags  = regexp.MustCompile(`<[^>]*>`)
	space = regexp.MustCompile(`\s+`)
)

// text is what a page says, without markup.
func text(body string) string {
	return space.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(body, "")), " ")
}

func TestJourney(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ada := s.visitor()
		page := ada.signIn(Ada)
		expect(t, "after signing in", page, 200, signin.ConnectPath, s.Disclosure.Title)
		for _, words := range []string{"Signed in as " + Ada, oauth.GmailModify, "Not now", "Agree and continue to Google"} {
			if !strings.Contains(text(page.Body), words) {
				t.Errorf("the disclosure page lacks %q", words)
			}
		}
		for _, section := range s.Disclosure.Sections {
			if !strings.Contains(text(page.Body), section.Heading) {
				t.Errorf("the disclosure page lacks the section %q", section.Heading)
			}
		}
		if n := s.count("consents"); n != 0 {
			t.Errorf("looking at the disclosure left %d records", n)
		}

		google := ada.agree(page)
		if n := s.count("consents"); n != 1 || !strings.HasPrefix(google.URL.String(), s.GoogleURL) {
			t.Errorf("after agreeing: %d records, at %s", n, google.URL.Host)
		}
		expect(t, "after connecting", ada.AgreeOn(google, Ada), 200, "/", "the application")
		expect(t, "signing in again", s.visitor().signIn(Ada), 200, "/", "the application")

		events := s.Events()
		want := []string{oauth.EventSessionStarted, oauth.EventConsentGiven, oauth.EventAccountConnected, oauth.EventSessionStarted}
		if !slices.Equal(events, want) {
			t.Errorf("got events %v, want %v", events, want)
		}
	})
}

func TestFlowCookie(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		r, err := http.NewRequest("POST", s.url+signin.SignInPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := s.transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if c := answer.Cookies(); answer.StatusCode != 303 || len(c) != 1 || c[0].Name != "__Host-flow" || !c[0].Secure || !c[0].HttpOnly ||
			c[0].SameSite != http.SameSiteLaxMode || c[0].Path != "/" || c[0].Domain != "" || c[0].MaxAge != 600 || len(c[0].Value) < 26 {
			t.Errorf("got status %d and cookies %v", answer.StatusCode, c)
		}
	})
}

func TestTwoTabs(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ada := s.visitor()
		one, two := ada.post(signin.SignInPath, nil), ada.post(signin.SignInPath, nil)
		expect(t, "the first tab", ada.AgreeOn(one, Ada), 200, signin.ConnectPath, "")
		expect(t, "the second tab", ada.AgreeOn(two, Ada), 200, signin.ConnectPath, "")
	})
}

func TestProblems(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		nobody := s.visitor()
		expect(t, "connecting without a session", nobody.get(signin.ConnectPath), 401, signin.ConnectPath, "not signed in")
		expect(t, "agreeing without a session", nobody.post(signin.ConnectPath, nil), 401, signin.ConnectPath, "not signed in")
		expect(t, "a reply to nothing", nobody.get(signin.SignInCallbackPath+"?state=x&code=y"), 400, signin.SignInCallbackPath, "cannot be continued")
		expect(t, "cancelled", nobody.Cancel(nobody.post(signin.SignInPath, nil)), 403, signin.SignInCallbackPath, "You said no")
		expect(t, "staff without a role", s.visitor().signInStaff(Eve), 403, signin.StaffCallbackPath, "no role")

		// The attacker's own reply, brought by the victim's browser.
		attacker, victim := s.visitor(), s.visitor()
		stopped := stopAt(s, attacker.Browser, signin.SignInCallbackPath)
		attacker.AgreeOn(attacker.post(signin.SignInPath, nil), Bob)
		victim.signIn(Ada)
		expect(t, "another browser's reply", victim.Open(stopped()), 400, signin.SignInCallbackPath, "cannot be continued")
		if session := who(s, victim); session != Ada {
			t.Errorf("the victim is now signed in as %q", session)
		}

		sam := s.visitor()
		expect(t, "staff", sam.signInStaff(Sam), 200, "/", "the application")
		expect(t, "staff connecting a mailbox", sam.get(signin.ConnectPath), 403, signin.ConnectPath, "Staff accounts")

		ada := s.visitor()
		disclosure := ada.signIn(Ada)
		google := ada.agree(disclosure)
		expect(t, "scope refused", ada.AgreeOn(google, Ada, oauth.GmailModify), 403, signin.ConnectCallbackPath, "left unticked")
		if n := s.count("accounts"); n != 0 {
			t.Errorf("%d accounts after a refused permission", n)
		}

		bob := s.visitor()
		late := bob.post(signin.SignInPath, nil)
		s.Advance(oauth.FlowLife - time.Second)
		reply := stopAt(s, bob.Browser, signin.SignInCallbackPath)
		bob.AgreeOn(late, Bob)
		s.Advance(2 * time.Second)
		expect(t, "too late", bob.Open(reply()), 400, signin.SignInCallbackPath, "took too long")

		carl := s.visitor()
		reply = stopAt(s, carl.Browser, signin.SignInCallbackPath)
		carl.AgreeOn(carl.post(signin.SignInPath, nil), Bob)
		foreign := regexp.MustCompile(`iss=[^&]*`).ReplaceAllString(reply(), "iss=https%3A%2F%2Fevil.example")
		expect(t, "another issuer", carl.Open(foreign), 400, signin.SignInCallbackPath, "came from somewhere else")

		dora := s.visitor()
		start := dora.post(signin.SignInPath, nil)
		s.Intercept(func(*http.Request) *http.Response { return Answer(503, "") })
		expect(t, "Google is away", dora.AgreeOn(start, Bob), 502, signin.SignInCallbackPath, "does not answer")
		s.Intercept(nil)

		s.Log.Close()
		expect(t, "the log cannot be written", s.visitor().signIn(Bob), 503, signin.SignInCallbackPath, "paused")
	})
}

// stopAt makes a browser stop before it brings a reply to the product, and returns what gives that address.
func stopAt(s *site, b *Browser, path string) func() string {
	var address string
	b.StopAt(func(u *url.URL) bool {
		if u.Path == path {
			address = u.String()
			return true
		}
		return false
	})
	return func() string {
		s.T.Helper()
		b.StopAt(nil)
		if address == "" {
			s.T.Fatal("the browser was not sent back")
		}
		return address
	}
}

// who is signed in at a browser.
func who(s *site, v visitor) string {
	s.T.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range v.Cookies(s.url) {
		r.AddCookie(c)
	}
	session, err := s.Sessions.Current(r)
	if err != nil {
		s.T.Fatal(err)
	}
	return session.Email
}

func TestAgreeingToAnotherText(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ada := s.visitor()
		ada.signIn(Ada)
		for name, form := range map[string]url.Values{
			"no text": {}, "another text": {"version": {"1"}, "sha256": {strings.Repeat("0", 64)}}, "another version": {"version": {"0"}, "sha256": {s.digest()}},
		} {
			expect(t, name, ada.post(signin.ConnectPath, form), 409, signin.ConnectPath, "text has changed")
		}
		if n := s.count("consents"); n != 0 {
			t.Errorf("%d consents were recorded", n)
		}
	})
}

func (s *site) digest() string {
	return hex.EncodeToString(s.Disclosure.SHA256[:])
}

func TestReconnect(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ada := s.visitor()
		ada.AgreeOn(ada.agree(ada.signIn(Ada)), Ada)
		s.Exec(`DELETE FROM tokens`) // as after Google has refused the permission
		page := ada.get(signin.ConnectPath)
		expect(t, "reconnecting", page, 200, signin.ConnectPath, "no longer accepts our permission for "+Ada)
		expect(t, "after reconnecting", ada.AgreeOn(ada.agree(page), Ada), 200, "/", "the application")
		if n := s.count("accounts"); n != 1 {
			t.Errorf("got %d accounts, want the same one", n)
		}
		if n := s.count("tokens"); n != 1 {
			t.Errorf("got %d tokens, want 1", n)
		}
	})
}

func TestSecondMailbox(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ada := s.visitor()
		ada.AgreeOn(ada.agree(ada.signIn(Ada)), Ada)
		google := ada.agree(ada.get(signin.ConnectPath))
		if !strings.Contains(google.Body, `action="/signin/account"`) {
			t.Error("Google did not ask which mailbox to add")
		}
		expect(t, "adding a mailbox", ada.AgreeOn(google, Bob), 200, "/", "the application")
		if n := s.count("accounts"); n != 2 {
			t.Errorf("got %d accounts, want 2", n)
		}
		bob := s.visitor()
		expect(t, "its own user later", bob.AgreeOn(bob.agree(bob.signIn(Bob)), Bob), 409, signin.ConnectCallbackPath, "already connected")
	})
}

func TestCrossSiteForms(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ada := s.visitor()
		ada.signIn(Ada)
		for _, path := range []string{signin.SignInPath, signin.ConnectPath, signin.StaffPath} {
			r, err := http.NewRequest("POST", s.url+path, strings.NewReader(url.Values{"version": {"1"}, "sha256": {s.digest()}}.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			if page := ada.Do(r); page.Status != http.StatusForbidden {
				t.Errorf("%s from another site: got %d, want 403", path, page.Status)
			}
			if page := ada.get(path); path != signin.ConnectPath && page.Status != http.StatusMethodNotAllowed {
				t.Errorf("GET %s: got %d, want 405", path, page.Status)
			}
		}
		if n := s.count("consents"); n != 0 {
			t.Errorf("another site gave %d consents", n)
		}
	})
}

func TestPublicPages(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		v := s.visitor()
		page := v.get(signin.LimitedUsePath)
		// LIMITED_USE.md, section 5: the three sentences, word by word.
		for _, sentence := range []string{
			"Webmail's use and transfer to any other app of information received from Google APIs will adhere to the Google API Services User Data Policy, including the Limited Use requirements.",
			"The use of information received from Google Workspace scopes will adhere to the Google User Data Policy, including the Limited Use requirements.",
			"Webmail does not retain user data obtained through Workspace APIs to develop, improve, or train non-personalized AI and/or ML models.",
		} {
			expect(t, "Limited Use", page, 200, signin.LimitedUsePath, sentence)
		}
		for _, link := range []string{
			`href="https://developers.google.com/terms/api-services-user-data-policy"`,
			`href="https://developers.google.com/terms/api-services-user-data-policy#additional_requirements_for_specific_api_scopes"`,
		} {
			if !strings.Contains(page.Body, link) {
				t.Errorf("the Limited Use page lacks the link %s", link)
			}
		}
		tables, err := limiteduse.ReadTables()
		if err != nil {
			t.Fatal(err)
		}
		privacy := v.get(signin.PrivacyPath)
		for purpose, words := range tables.Purposes {
			expect(t, "privacy, purpose "+purpose, privacy, 200, signin.PrivacyPath, words)
		}
		for id, r := range tables.Recipients {
			expect(t, "privacy, recipient "+id, privacy, 200, signin.PrivacyPath, r.Name)
		}
		for store, r := range tables.Retention {
			for _, words := range []string{r.What, r.Why, r.Ends} {
				expect(t, "privacy, store "+store, privacy, 200, signin.PrivacyPath, words)
			}
		}
		for name, f := range tables.Features {
			if strings.Contains(privacy.Body, name) && strings.Contains(name, "_") {
				t.Errorf("the privacy page has no words for feature %s", name)
			}
			for class := range f.Classes {
				if signin.ClassWords(class) == class {
					t.Errorf("there are no words for class %s", class)
				}
			}
		}
		expect(t, "privacy, the day of the change", privacy, 200, signin.PrivacyPath, s.Consents.Announced().Add(consent.Notice).Format("2 January 2006"))
		for _, words := range []string{"Disconnect a mailbox", "Delete your account", "Download what is stored"} {
			expect(t, "help", v.get(signin.HelpPath), 200, signin.HelpPath, words)
		}
		if !strings.Contains(v.get(signin.HelpPath).Body, `href="/settings/privacy"`) {
			t.Error("the help page does not lead to the settings")
		}
	})
}

// TestTextsStayReadable: whoever agreed to an earlier text can read it again.
func TestTextsStayReadable(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		v := s.visitor()
		for version := 1; version <= consent.Current; version++ {
			text, err := consent.Render(version, Product)
			if err != nil {
				t.Fatal(err)
			}
			path := signin.DisclosureAt(consent.English, version)
			page := v.get(path)
			for _, section := range text.Sections {
				expect(t, "text "+section.Heading, page, 200, path, section.Heading)
			}
		}
		for _, path := range []string{"/disclosure/en/0", "/disclosure/en/99", "/disclosure/xx/1", "/disclosure/en/99999999999999999999"} {
			expect(t, path, v.get(path), 404, path, "There is no such text")
		}
	})
}

// TestRenewal: an owner who agreed to an earlier text is told from when on the new one holds, goes on either way,
// and agrees without being sent to Google.
func TestRenewal(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ada := s.visitor()
		ada.AgreeOn(ada.agree(ada.signIn(Ada)), Ada)
		s.Exec(`UPDATE consents SET version = 1`)
		page := ada.get(signin.ConnectPath)
		expect(t, "the disclosure", page, 200, signin.ConnectPath, "changes on "+s.Consents.Announced().Add(consent.Notice).Format("2 January 2006"))
		expect(t, "the disclosure", page, 200, signin.ConnectPath, "version 1")
		expect(t, "after agreeing", ada.agree(page), 200, "/", "the application")
		if n := s.count("accounts"); n != 1 {
			t.Errorf("got %d accounts, want the same one", n)
		}
		page = ada.get(signin.ConnectPath)
		if strings.Contains(page.Body, "changes on") {
			t.Error("the page still asks for what was agreed to")
		}
	})
}

// TestPagesAreClosed: no page runs a script, loads from elsewhere, can be framed or kept, or repeats what it
// was asked.
func TestPagesAreClosed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ada := s.visitor()
		ada.signIn(Ada)
		for _, path := range []string{
			signin.ConnectPath, signin.PrivacyPath, signin.LimitedUsePath, signin.HelpPath,
			signin.SignInCallbackPath + "?error=%3Cscript%3Ealert(1)%3C/script%3E&state={{7*7}}", signin.ConnectPath + "?account=%22%3E%3Cscript%3E",
		} {
			page := ada.get(path)
			if strings.Contains(page.Body, "<script") || strings.Contains(page.Body, "style=") || strings.Contains(page.Body, "49") && strings.Contains(path, "7*7") {
				t.Errorf("%s: a script, an inline style or something from the address is in the page", path)
			}
			csp := page.Header.Get("Content-Security-Policy")
			for _, directive := range []string{"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' " + s.GoogleURL} {
				if !strings.Contains(csp, directive) {
					t.Errorf("%s: the CSP %q lacks %q", path, csp, directive)
				}
			}
			for header, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
				if got := page.Header.Get(header); got != want {
					t.Errorf("%s: %s is %q, want %q", path, header, got, want)
				}
			}
		}
		style := regexp.MustCompile(`<link rel="stylesheet" href="([^"]+)">`).FindStringSubmatch(ada.get(signin.PrivacyPath).Body)
		if style == nil {
			t.Fatal("no stylesheet")
		}
		if page := ada.get(style[1]); page.Status != 200 || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/css") {
			t.Errorf("the stylesheet: got %d, %s", page.Status, page.Header.Get("Content-Type"))
		}
		if got := signin.FormActionOrigins(deps(s.World)); len(got) != 2 || got[0] != s.GoogleURL {
			t.Errorf("form origins: got %v, want Google's and the directory's", got)
		}
	})
}
