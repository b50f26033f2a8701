package egress_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/totalengage/webmail/internal/egress"
)

// internet is the world outside in tests: names, and two servers behind every public address.
type internet struct {
	mu        sync.Mutex
	names     map[string][]string // answers of the resolver, by name
	connected []string            // public addresses that were connected to
	requests  []*http.Request

	client *http.Client
}

// newInternet makes a world in which every public host answers with handle, over http and https.
func newInternet(t *testing.T, handle http.HandlerFunc) *internet {
	t.Helper()
	in := &internet{names: map[string][]string{"images.example": {"93.184.215.14"}, "other.example": {"2606:2800:21f:cb07:6820:80da:af6b:8b2c"}}}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.mu.Lock()
		in.requests = append(in.requests, r)
		in.mu.Unlock()
		handle(w, r)
	})
	plain, secure := httptest.NewServer(h), httptest.NewUnstartedServer(h)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	trust := x509.NewCertPool()
	trust.AddCert(secure.Certificate())
	behind := map[string]string{"80": plain.Listener.Addr().String(), "443": secure.Listener.Addr().String()}
	dial := func(ctx context.Context, _, address string) (net.Conn, error) {
		in.mu.Lock()
		in.connected = append(in.connected, address)
		in.mu.Unlock()
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", behind[port])
	}
	in.client = egress.NewPublicVia(in, &tls.Config{RootCAs: trust, ServerName: "example.com"}, dial).Client()
	return in
}

// LookupNetIP answers with the first address once it is asked for a name that has ">" among its addresses, and
// with those after it from then on: a name that is bound anew.
func (in *internet) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	var out []netip.Addr
	for i, text := range in.names[strings.TrimSuffix(host, ".")] {
		if text == ">" {
			in.names[host] = in.names[host][i+1:]
			break
		}
		out = append(out, netip.MustParseAddr(text))
	}
	if len(out) == 0 {
		return nil, &net.DNSError{Name: host, IsNotFound: true}
	}
	return out, nil
}

func (in *internet) get(t *testing.T, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return "", egress.ErrForbidden // not even a URL
	}
	res, err := in.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func TestPublicHostsAreReached(t *testing.T) {
	in := newInternet(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "picture") })
	for _, url := range []string{
		"http://images.example/a.png", "https://images.example/a.png", "https://images.example:443/a.png", "http://images.example:80/a.png",
		"https://images.example./a.png", "https://other.example/", "https://93.184.215.14/", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
	} {
		if got, err := in.get(t, url); err != nil || got != "picture" {
			t.Errorf("%s: got %q, %v, want the picture", url, got, err)
		}
	}
}

// TestServerSideRequestForgery is the list of ways to make a proxy of images speak to the inside.
func TestServerSideRequestForgery(t *testing.T) {
	in := newInternet(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") })
	for name, addresses := range map[string][]string{
		"127.0.0.1.nip.io": {"127.0.0.1"}, "169-254-169-254.sslip.io": {"169.254.169.254"}, "localtest.me": {"::1"}, "cgnat.example": {"100.64.0.1"},
		"alibaba.example": {"100.100.100.200"}, "private.example": {"10.1.2.3"}, "mapped.example": {"::ffff:10.0.0.1"}, "nat64.example": {"64:ff9b::7f00:1"},
		"sixtofour.example": {"2002:7f00:1::1"}, "ula.example": {"fd00:ec2::254"}, "linklocal.example": {"fe80::1"}, "mixed.example": {"93.184.215.14", "192.168.0.1"},
		"azure.example": {"168.63.129.16"}, "zero.example": {"0.0.0.0"}, "multicast.example": {"224.0.0.1"},
	} {
		in.names[name] = addresses
	}
	urls := []string{
		// Addresses as they are.
		"http://127.0.0.1/", "http://127.1.2.3/", "http://0.0.0.0/", "http://10.0.0.1/", "http://172.31.255.255/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/",
		"http://100.64.0.1/", "http://192.0.0.192/", "http://198.18.0.1/", "http://203.0.113.9/", "http://224.0.0.1/", "http://255.255.255.255/", "http://168.63.129.16/",
		"http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[64:ff9b::127.0.0.1]/", "http://[64:ff9b:1::a00:1]/",
		"http://[2002:7f00:1::]/", "http://[2001:0:53aa:64c::1]/", "http://[fc00::1]/", "http://[fd00:ec2::254]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fec0::1]/",
		"http://[ff02::1]/", "http://[100::1]/", "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[5f00::1]/",
		// Numbers in disguise.
		"http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/", "http://127.1/", "http://127.0.1/", "http://127.0.0.1./",
		"http://0/", "http://1.1.1.0x7f/", "http://127.0.0.01/",
		// Names of the inside.
		"http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://a.localhost/", "http://intranet/", "http://printer.local/", "http://metadata.google.internal/",
		"http://1.0.0.127.in-addr.arpa/", "http://router.lan/", "http://hidden.onion/",
		// Names that lead inside.
		"http://127.0.0.1.nip.io/", "http://169-254-169-254.sslip.io/", "http://localtest.me/", "https://cgnat.example/", "https://alibaba.example/", "https://private.example/",
		"https://mapped.example/", "https://nat64.example/", "https://sixtofour.example/", "https://ula.example/", "https://linklocal.example/", "https://mixed.example/",
		"https://azure.example/", "https://zero.example/", "https://multicast.example/",
		// Other ports and schemes, and who is named before the host.
		"http://images.example:22/", "http://images.example:8080/", "http://images.example:443/", "https://images.example:80/", "http://images.example:0/",
		"ftp://images.example/", "file:///etc/passwd", "gopher://images.example/", "http://user@images.example/", "http://user:secret@images.example/", "http://:@images.example/",
		"http://images.example@127.0.0.1/", "http://127.0.0.1\\@images.example/", "http://127.0.0.1%2f@images.example/",
		// Hosts that parsers read differently.
		"http://images.example%00.attacker.example/", "http://127。0。0。1/", "http://①②⑦.⓪.⓪.①/", "http://ima ges.example/", "http:///path", "http://./", "http://../", "http://images..example/",
	}
	for _, url := range urls {
		if got, err := in.get(t, url); !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("%s: got %q, %v, want ErrForbidden", url, got, err)
		}
	}
	if len(in.connected) != 0 {
		t.Errorf("connected to %v", in.connected)
	}
}

func TestRedirects(t *testing.T) {
	in := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{
			"/inside": "http://169.254.169.254/latest/meta-data/", "/name": "https://127.0.0.1.nip.io/", "/port": "https://images.example:8443/", "/file": "file:///etc/passwd",
			"/down": "http://images.example/end", "/user": "https://user@images.example/end", "/up": "https://images.example/end", "/local": "//localhost/",
			"/3": "/2", "/2": "/1", "/1": "/end", "/4": "/3", "/loop": "/loop", "/cookie": "https://other.example/end",
		}[r.URL.Path]
		if to == "" {
			_, _ = io.WriteString(w, "end")
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "id", Value: "reader", Path: "/"})
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	})
	in.names["127.0.0.1.nip.io"] = []string{"127.0.0.1"}
	for _, url := range []string{"http://images.example/up", "https://images.example/3", "https://images.example/cookie"} {
		if got, err := in.get(t, url); err != nil || got != "end" {
			t.Errorf("%s: got %q, %v, want to arrive", url, got, err)
		}
	}
	for _, path := range []string{"/inside", "/name", "/port", "/file", "/down", "/user", "/local", "/4", "/loop"} {
		if got, err := in.get(t, "https://images.example"+path); !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("%s: got %q, %v, want ErrForbidden", path, got, err)
		}
	}
	for _, r := range in.requests {
		if r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s was told %v", r.URL.Path, r.Header)
		}
	}
}

// TestRebinding: a name that is public when it is looked at and private when it is connected to.
func TestRebinding(t *testing.T) {
	in := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/again" {
			http.Redirect(w, r, "http://moving.example/end", http.StatusFound)
		}
	})
	in.names["moving.example"] = []string{"93.184.215.14", ">", "127.0.0.1"}
	if _, err := in.get(t, "http://moving.example/again"); !errors.Is(err, egress.ErrForbidden) {
		t.Errorf("got %v, want ErrForbidden at the second lookup", err)
	}
	if got := strings.Join(in.connected, " "); got != "93.184.215.14:80" {
		t.Errorf("connected to %s: an address is resolved once and connected to as it was looked at", got)
	}
	// Whatever a resolver said: the socket itself refuses.
	for _, address := range []string{"127.0.0.1:80", "[::1]:443", "[::ffff:10.0.0.1]:80", "169.254.169.254:80", "93.184.215.14:8080", "93.184.215.14:22", "not an address"} {
		if err := egress.OnlyPublic("tcp4", address); !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("a socket to %s: %v, want ErrForbidden", address, err)
		}
	}
	if err := egress.OnlyPublic("udp4", "93.184.215.14:443"); !errors.Is(err, egress.ErrForbidden) {
		t.Errorf("a datagram: %v, want ErrForbidden", err)
	}
	if err := egress.OnlyPublic("tcp4", "93.184.215.14:443"); err != nil {
		t.Errorf("a socket to a public address: %v", err)
	}
}

// TestProductionDialsNothingPrivate uses the transport as the product makes it, over a resolver that lies.
func TestProductionDialsNothingPrivate(t *testing.T) {
	hits := 0
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer inside.Close()
	t.Setenv("HTTP_PROXY", inside.URL)
	t.Setenv("HTTPS_PROXY", inside.URL)
	for _, url := range []string{inside.URL, "http://localhost/", "http://127.0.0.1/"} {
		if _, err := egress.NewPublic().Client().Get(url); !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", url, err)
		}
	}
	if hits != 0 {
		t.Errorf("the inside was reached %d times", hits)
	}
}

func TestNothingOfTheReaderIsTold(t *testing.T) {
	in := newInternet(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "id=reader")
		w.Header().Set("Content-Type", "image/png")
	})
	req, err := http.NewRequest(http.MethodPost, "https://images.example/x", strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Accept": "image/*", "Content-Type": "application/x-www-form-urlencoded", "Cookie": "a=b", "Referer": "https://mail.example/", "User-Agent": "Firefox of Alice",
		"Authorization": "Bearer x", "Accept-Language": "de", "X-Forwarded-For": "192.0.2.1", "Accept-Encoding": "gzip",
	} {
		req.Header.Set(name, value)
	}
	res, err := in.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.Header.Get("Set-Cookie") != "" {
		t.Error("a cookie of the host came through")
	}
	for name := range in.requests[0].Header {
		if name != "User-Agent" && name != "Accept" && name != "Content-Type" && name != "Content-Length" {
			t.Errorf("the host was told %s: %q", name, in.requests[0].Header[name])
		}
	}
	if ua := in.requests[0].Header.Get("User-Agent"); strings.Contains(ua, "Alice") {
		t.Errorf("the host was told the reader's browser: %s", ua)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	const chunk = 64 << 10
	in := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		size := map[string]int{"/full": egress.MaxAnswer, "/endless": egress.MaxAnswer + 1, "/declared": egress.MaxAnswer + 1}[r.URL.Path]
		switch r.URL.Path {
		case "/zipped":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 1<<20))
			_ = z.Close()
			return
		case "/header":
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		case "/declared":
			w.Header().Set("Content-Length", "8388609")
		}
		for size > 0 {
			n, err := w.Write(make([]byte, min(size, chunk)))
			if err != nil {
				return
			}
			size -= n
		}
	})
	if got, err := in.get(t, "https://images.example/full"); err != nil || len(got) != egress.MaxAnswer {
		t.Errorf("just within the bound: %d bytes, %v", len(got), err)
	}
	for _, path := range []string{"/endless", "/declared"} {
		if got, err := in.get(t, "https://images.example"+path); !errors.Is(err, egress.ErrTooLarge) {
			t.Errorf("%s: %d bytes, %v, want ErrTooLarge", path, len(got), err)
		}
	}
	if _, err := in.get(t, "https://images.example/zipped"); !errors.Is(err, egress.ErrForbidden) {
		t.Errorf("compressed: %v, want ErrForbidden", err)
	}
	if _, err := in.get(t, "https://images.example/header"); err == nil {
		t.Error("a header of 1 MB was taken")
	}
}

// TestPlacesComeFree: a request holds its place until its body is closed, and a failed one holds none.
func TestPlacesComeFree(t *testing.T) {
	in := newInternet(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })
	for range 3 * egress.Concurrent {
		if _, err := in.get(t, "http://unknown.example/"); err == nil {
			t.Fatal("an unknown name answered")
		}
		if _, err := in.get(t, "http://images.example/"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for _, text := range []string{"1.1.1.1", "93.184.215.14", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00::1"} {
		if !egress.IsPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s is public", text)
		}
	}
	for _, text := range []string{"0.1.2.3", "100.64.0.0", "100.127.255.255", "192.88.99.1", "198.19.255.255", "240.0.0.1", "::", "::1", "::ffff:1.1.1.1", "1000::1", "4000::1", "2002::1", "fe80::1%eth0"} {
		if egress.IsPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s is not public", text)
		}
	}
	if egress.IsPublic(netip.Addr{}) {
		t.Error("no address is not public")
	}
}

// FuzzPublicURL: whatever the URL, only public addresses are connected to.
func FuzzPublicURL(f *testing.F) {
	for _, seed := range []string{"http://127.0.0.1/", "http://0x7f.1/", "https://[::ffff:a00:1]/", "http://a.example:80/", "http://images.example/"} {
		f.Add(seed)
	}
	refuse := func(_ context.Context, _, address string) (net.Conn, error) {
		return nil, errors.New("dialled " + address)
	}
	f.Fuzz(func(t *testing.T, url string) {
		in := &internet{names: map[string][]string{"images.example": {"127.0.0.1"}}}
		client := egress.NewPublicVia(in, nil, func(ctx context.Context, network, address string) (net.Conn, error) {
			if at, err := netip.ParseAddrPort(address); err != nil || !egress.IsPublic(at.Addr()) || at.Port() != 80 && at.Port() != 443 {
				t.Errorf("%q: dialled %s", url, address)
			}
			return refuse(ctx, network, address)
		}).Client()
		if res, err := client.Get(url); err == nil {
			res.Body.Close()
			t.Errorf("%q was answered", url)
		}
	})
}
