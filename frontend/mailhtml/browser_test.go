//go:build unix

package mailhtml_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/totalengage/webmail/frontend/mailhtml"
)

// probe is an honest mail among the payloads: it must look as it should, or
// the walls would prove nothing by keeping everything out.
const probe = `<p title="probe" style="color:rgb(1,2,3)">Hello</p><img src="cid:ok"><img src="https://images.example/ok.gif">` +
	`<img src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">` +
	`<div class="gmail_quote">On Monday somebody wrote:<blockquote>quoted</blockquote></div>`

// loads are ways for markup to fetch something, each from its own address.
// EVIL stands for the evil host.
var loads = strings.Split(strings.TrimSpace(`
<img src="//EVIL/img">
<img srcset="//EVIL/srcset 1x, //EVIL/srcset2 2x">
<picture><source srcset="//EVIL/picture"><img></picture>
<table background="//EVIL/table"><tr><td background="//EVIL/td">x</td></tr></table>
<body background="//EVIL/body">x</body>
<p style="background:url(//EVIL/style)">x</p>
<p style="background-image:url('//EVIL/style2')">x</p>
<p style="list-style:url(//EVIL/list);display:list-item">x</p>
<p style="border-image:url(//EVIL/border) 1">x</p>
<p style="--x:url(//EVIL/var);background:var(--x)">x</p>
<p style="background:image-set('//EVIL/set' 1x)">x</p>
<p style="b\61ckground:u\72l(//EVIL/escape)">x</p>
<style>p{background:url(//EVIL/sheet)}</style><p>x</p>
<style>@import url(//EVIL/import);</style>
<style>@font-face{font-family:f;src:url(//EVIL/font)}p{font-family:f}</style><p>x</p>
<style>p::before{content:url(//EVIL/content)}</style><p>x</p>
<style>p{background:url(//EVIL/unclosed</style><p>x</p>
<link rel="stylesheet" href="//EVIL/link">
<link rel="icon" href="//EVIL/icon"><link rel="prefetch" href="//EVIL/prefetch"><link rel="preload" as="image" href="//EVIL/preload">
<video poster="//EVIL/poster" src="//EVIL/video" autoplay></video>
<audio src="//EVIL/audio" autoplay></audio>
<iframe src="//EVIL/iframe"></iframe>
<iframe srcdoc="&lt;img src=//EVIL/srcdoc>"></iframe>
<object data="//EVIL/object"></object>
<embed src="//EVIL/embed">
<input type="image" src="//EVIL/input">
<svg><image href="//EVIL/svg" width="9" height="9"/></svg>
<svg><use href="//EVIL/use#x"/></svg>
<svg><filter id="f"><feImage href="//EVIL/feimage"/></filter><rect width="9" height="9" filter="url(#f)"/></svg>
<svg><style>@import url(//EVIL/svgimport);</style></svg>
<meta http-equiv="refresh" content="0;url=//EVIL/refresh">
<script src="//EVIL/script"></script>
<base href="//EVIL/base/"><img src="relative.png">
<img src="/api/own-route"><p style="background:url(/api/own-route)">x</p><object data="/api/own-route"></object>
<script>top.ran('script')</script>
<img src="x" onerror="top.ran('onerror')">
<svg onload="top.ran('svg onload')"></svg>
<body onload="top.ran('body onload')">
<details open ontoggle="top.ran('ontoggle')">x</details>
<iframe srcdoc="&lt;script>top.ran('srcdoc')&lt;/script>"></iframe>
<input autofocus onfocus="top.ran('onfocus')">
<script>top.document.title = 'changed'</script>
<script>top.document.body.append(document.createElement('hr'))</script>
<script>parent.postMessage('x', '*')</script>
`), "\n")

// observed is what the page around the frames posts; see testdata/frames.html.
type observed struct {
	Ran                          []string
	Moved                        []int
	Messages, Loaded, Unreadable int
	Scripts, Foreign, Left       int
	Title                        string
	Here                         bool
	Probe                        struct {
		Colour string
		Images []int
		Open   *bool
	}
}

// Each wall alone keeps every payload in its box, and without walls they do
// get out: otherwise nothing here would be proven.
func TestBrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("this test needs a browser: apt-get install chromium")
	}
	const scripting = "allow-scripts allow-same-origin allow-popups allow-forms"
	for _, m := range []struct {
		mode, sandbox     string
		sanitize, headers bool
		escapes           bool
	}{
		{"product", mailhtml.FrameSandbox, true, true, false},
		{"sanitizer-alone", scripting, true, false, false},
		{"headers-and-sandbox-alone", mailhtml.FrameSandbox, false, true, false},
		{"control", scripting, false, false, true},
	} {
		t.Run(m.mode, func(t *testing.T) {
			lab := newLab(t, m.sanitize, m.headers)
			got := lab.run(t, chromium, m.mode, m.sandbox)
			hits := lab.evilHits()
			t.Logf("%-26s documents %d, evil hits %d, scripts run %d, messages %d, frames moved %d, title %q",
				m.mode, got.Loaded, len(hits), len(got.Ran), got.Messages, len(got.Moved), got.Title)
			if got.Loaded != len(lab.bodies) || got.Left != 0 {
				t.Errorf("documents loaded: got %d, want %d", got.Loaded, len(lab.bodies))
			}
			if m.escapes {
				if len(hits) < 20 || len(got.Ran) < 20 || got.Title == "mail" || got.Foreign == 0 || got.Messages == 0 {
					t.Errorf("without walls: %d hits, %d scripts, title %q, %d foreign elements, %d messages; want at least 20, 20, another, 1, 1",
						len(hits), len(got.Ran), got.Title, got.Foreign, got.Messages)
				}
				return
			}
			if len(hits) > 0 {
				t.Errorf("remote loads: %q", hits)
			}
			if len(got.Ran) > 0 || got.Messages > 0 {
				t.Errorf("scripts ran: %q, and %d messages", got.Ran, got.Messages)
			}
			if got.Title != "mail" || !got.Here || got.Foreign != 0 {
				t.Errorf("the page was changed: title %q, at home %v, foreign elements %d", got.Title, got.Here, got.Foreign)
			}
			if m.sanitize {
				checkProbe(t, got)
			}
		})
	}
}

// checkProbe sees that the page can read every document, that none went
// elsewhere, and that the honest mail looks right.
func checkProbe(t *testing.T, got observed) {
	t.Helper()
	if got.Unreadable > 0 || len(got.Moved) > 0 || got.Scripts > 0 {
		t.Errorf("unreadable documents %d, moved %v, script elements %d; want none", got.Unreadable, got.Moved, got.Scripts)
	}
	if got.Probe.Colour != "rgb(1, 2, 3)" {
		t.Errorf("colour of the honest mail: got %q", got.Probe.Colour)
	}
	if want := "[1 1 1]"; fmt.Sprint(got.Probe.Images) != want {
		t.Errorf("widths of its inline, proxied and data images: got %v, want %s", got.Probe.Images, want)
	}
	if got.Probe.Open == nil || *got.Probe.Open {
		t.Errorf("its quote is not folded: %v", got.Probe.Open)
	}
}

// A lab serves bodies as documents, and counts what reaches two evil hosts.
type lab struct {
	product  *httptest.Server
	bodies   []string
	reported chan observed
	served   atomic.Int64 // documents asked for

	mu   sync.Mutex
	hits []string // guarded by mu
}

func newLab(t *testing.T, sanitize, headers bool) *lab {
	l := &lab{reported: make(chan observed, 1)}
	var evil [2]*httptest.Server
	for i := range evil {
		evil[i] = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l.hit(r)
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}))
		t.Cleanup(evil[i].Close)
	}
	host := func(i int) string { return strings.TrimPrefix(evil[i%2].URL, "http://") }
	l.bodies = append(l.bodies, probe)
	for i, load := range loads {
		l.bodies = append(l.bodies, strings.ReplaceAll(load, "EVIL", host(i)))
	}
	for i, p := range payloads(t) {
		if active.MatchString(p.HTML) {
			l.bodies = append(l.bodies, turnEvil(p.HTML, host(i)))
		}
	}
	l.product = httptest.NewServer(l.handler(sanitize, headers))
	t.Cleanup(l.product.Close)
	return l
}

var (
	foreignHost = regexp.MustCompile(`(?i)(?:https?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?`)
	// active payloads could do something in a browser; the rest are markup and
	// layout, which TestAdversarialPayloads covers.
	active = regexp.MustCompile(`(?i)script|\bon[a-z]+\s*=|//|url|src|href|data:|import|expression|binding|behaviou?r|&#|\\|<svg|<math|<!|<form|<i?frame|<meta|<link|<base|<object|<embed`)
	dialog = regexp.MustCompile(`\b(?:alert|prompt|confirm)\b`)
)

// turnEvil points the addresses of a payload at the evil host, and its dialogs
// at a function of the page, so that what it manages to do is seen.
func turnEvil(body, host string) string {
	body = foreignHost.ReplaceAllStringFunc(body, func(s string) string {
		if strings.Contains(s, "w3.org") { // a namespace
			return s
		}
		return "http://" + host
	})
	return dialog.ReplaceAllString(body, "top.ran")
}

var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;")

func (l *lab) handler(sanitize, headers bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/frames.html") })
	// A mail must not make the reader's browser call our own routes either.
	mux.HandleFunc("/api/", func(_ http.ResponseWriter, r *http.Request) { l.hit(r) })
	image := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/gif")
		w.Write(pixel)
	}
	mux.HandleFunc("GET "+inlinePrefix, image)
	mux.HandleFunc("GET "+proxyPrefix, image)
	mux.HandleFunc("GET /doc/{mode}/{i}", func(w http.ResponseWriter, r *http.Request) {
		l.served.Add(1)
		i, err := strconv.Atoi(r.PathValue("i"))
		if err != nil || i < 0 || i >= len(l.bodies) {
			http.NotFound(w, r)
			return
		}
		body := []byte(l.bodies[i])
		if sanitize {
			doc, err := mailhtml.RenderHTML(l.bodies[i], testOptions())
			if err != nil {
				http.Error(w, "rendering failed", http.StatusInternalServerError)
				return
			}
			body = doc.HTML
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if headers {
			for name, values := range mailhtml.Headers(r.Host+inlinePrefix, r.Host+proxyPrefix) {
				w.Header()[name] = values
			}
		}
		w.Write(body)
	})
	mux.HandleFunc("POST /report", func(w http.ResponseWriter, r *http.Request) {
		var got observed
		if err := json.NewDecoder(r.Body).Decode(&got); err == nil {
			l.reported <- got
		}
	})
	return mux
}

// run opens the page in a fresh browser and waits for its report.
func (l *lab) run(t *testing.T, chromium, mode, sandbox string) observed {
	t.Helper()
	// Not t.TempDir: a dying browser may still write, which must not fail the test.
	profile, err := os.MkdirTemp("", "mailhtml-browser-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(profile)
	query := url.Values{"mode": {mode}, "sandbox": {sandbox}, "count": {strconv.Itoa(len(l.bodies))}}
	cmd := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--remote-debugging-port=0", "--user-data-dir="+profile, l.product.URL+"/page?"+query.Encode())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// No pipes: a crash handler that outlives its browser would hold them open.
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", chromium, err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	defer func() {
		// The browser and the processes it started are one group, ours.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-exited
	}()
	for before := int64(-1); ; {
		select {
		case got := <-l.reported:
			return got
		case err := <-exited:
			exited <- err
			t.Fatalf("the browser ended before it reported: %v", err)
		case <-time.After(time.Minute):
			// However slow the machine, each minute must bring a document.
			served := l.served.Load()
			if served == before {
				t.Fatalf("the browser stands still after %d of %d documents", served, len(l.bodies))
			}
			before = served
		}
	}
}

func (l *lab) hit(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hits = append(l.hits, r.URL.Path)
}

func (l *lab) evilHits() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.hits...)
}
