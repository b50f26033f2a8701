package oauthtest

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Browser is a person's browser: it keeps cookies, follows redirects, and stops at hosts that end in .test.
type Browser struct {
	t      *testing.T
	client *http.Client
	stop   func(*url.URL) bool // see StopAt
}

// NewBrowser returns a browser that has been nowhere. transport may be nil.
func NewBrowser(t *testing.T, transport http.RoundTripper) *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &Browser{t: t}
	b.client = &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Hostname(), ".test") || b.stop != nil && b.stop(r.URL) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

// StopAt makes the browser stop before addresses that f picks; nil ends that.
func (b *Browser) StopAt(f func(*url.URL) bool) { b.stop = f }

// Page is what a browser shows in the end.
type Page struct {
	URL    *url.URL // where it is, or where it was sent to and stopped
	Status int
	Header http.Header
	Body   string
}

// Open goes to an address.
func (b *Browser) Open(address string) Page {
	b.t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.Do(r)
}

// Post sends a form, as a page of the same origin would.
func (b *Browser) Post(address string, form url.Values) Page {
	b.t.Helper()
	r, err := http.NewRequest("POST", address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Do(r)
}

// Do sends a request with the browser's cookies.
func (b *Browser) Do(r *http.Request) Page {
	b.t.Helper()
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	page := Page{resp.Request.URL, resp.StatusCode, resp.Header, string(body)}
	if location, err := resp.Location(); err == nil {
		page.URL = location
	}
	return page
}

// Cookies lists what the browser keeps for an address.
func (b *Browser) Cookies(address string) []*http.Cookie {
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.client.Jar.Cookies(u)
}

// SetCookie plants a cookie, as an attacker beside the browser would.
func (b *Browser) SetCookie(address string, c *http.Cookie) {
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar.SetCookies(u, []*http.Cookie{c})
}

// Agree goes through whatever pages a provider shows: it picks the account and ticks everything but the
// scopes left out. It returns where the browser ends.
func (b *Browser) Agree(address, account string, without ...string) Page {
	b.t.Helper()
	return b.AgreeOn(b.Open(address), account, without...)
}

var (
	hiddenPage = regexp.MustCompile(`name="page" value="([^"]+)"`)
	scopeTick  = regexp.MustCompile(`type="checkbox" name="scope" value="([^"]+)"`)
)

// AgreeOn is Agree from a page that is open already.
func (b *Browser) AgreeOn(p Page, account string, without ...string) Page {
	b.t.Helper()
	for strings.Contains(p.Body, `action="/signin/account"`) || strings.Contains(p.Body, `action="/signin/consent"`) {
		form := url.Values{"page": {html.UnescapeString(hiddenPage.FindStringSubmatch(p.Body)[1])}}
		path := "/signin/account"
		if strings.Contains(p.Body, `action="/signin/consent"`) {
			path = "/signin/consent"
			form.Set("continue", "1")
			for _, tick := range scopeTick.FindAllStringSubmatch(p.Body, -1) {
				if scope := html.UnescapeString(tick[1]); !slices.Contains(without, scope) {
					form.Add("scope", scope)
				}
			}
		} else {
			form.Set("account", account)
		}
		p = b.Post(p.URL.ResolveReference(&url.URL{Path: path}).String(), form)
	}
	return p
}

// Cancel presses Cancel on the page that a provider shows first.
func (b *Browser) Cancel(p Page) Page {
	b.t.Helper()
	found := hiddenPage.FindStringSubmatch(p.Body)
	if found == nil {
		b.t.Fatalf("no provider's page: status %d at %s", p.Status, p.URL.Path)
	}
	return b.Post(p.URL.ResolveReference(&url.URL{Path: "/signin/account"}).String(), url.Values{"page": {html.UnescapeString(found[1])}, "cancel": {"1"}})
}
