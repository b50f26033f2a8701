package emulator_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"
)

// The tests here start other people's clients, unmodified, against the emulator. Where
// a client cannot be had, the test says so and passes.

// run starts a program and wants it to succeed.
func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// nodeModules installs Google's Node client beside its driver, unless the lock file's
// versions are there.
func nodeModules(dir string) error {
	lock, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	if done, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil && !done.ModTime().Before(lock.ModTime()) {
		return nil
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w %s", err, out)
	}
	return nil
}

func TestNodeClient(t *testing.T) {
	const dir = "clients/node"
	if err := nodeModules(dir); err != nil {
		t.Logf("NOT RUN: Google's Node client cannot be had: %v", err)
		return
	}
	w, _ := settingsWorld(t)
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	out := run(t, dir, nil, "node", "drive.js", w.url+"/", filepath.Join(testdata, "alice.p12"), filepath.Join(testdata, "alice.p7b"))
	if !strings.Contains(out, "methods called: 79") {
		t.Errorf("Google's Node client: %s, want 79 methods called", out)
	}
}

// debianPython is the interpreter for which Debian packages libraries.
const debianPython = "/usr/bin/python3"

func pythonHas(modules string) bool {
	return exec.Command(debianPython, "-c", "import "+modules).Run() == nil
}

func TestPythonClient(t *testing.T) {
	if !pythonHas("googleapiclient, google_auth_httplib2") {
		t.Log("NOT RUN: Debian's python3-googleapi is not installed")
		return
	}
	w, _ := settingsWorld(t)
	if out := run(t, ".", nil, debianPython, "clients/python/drive.py", w.url+"/"); !strings.HasSuffix(out, "done\n") {
		t.Errorf("Google's Python client: %s", out)
	}
}

// TestLieer synchronises a mailbox with lieer, which knows no address but Google's: a
// proxy brings it to the emulator.
func TestLieer(t *testing.T) {
	if _, err := exec.LookPath("gmi"); err != nil || !pythonHas("notmuch2") {
		t.Log("NOT RUN: Debian's lieer is not installed")
		return
	}
	w, _ := settingsWorld(t)
	for i := range 7 {
		w.insert(fmt.Sprintf("From: bob@example.com\r\nTo: alice@example.com\r\nSubject: n%d\r\nMessage-ID: <n%d@x>\r\nDate: Thu, 1 Oct 2026 12:00:00 +0000\r\n\r\nx", i, i), testTime, "INBOX", "UNREAD")
	}
	home := t.TempDir()
	mail := filepath.Join(home, "mail")
	account := filepath.Join(mail, "alice")
	for path, text := range map[string]string{
		filepath.Join(home, "notmuch.cfg"): "[database]\npath=" + mail + "\n[user]\nname=A\nprimary_email=alice@example.com\n[new]\ntags=new\n[maildir]\nsynchronize_flags=true\n",
		filepath.Join(account, ".credentials.gmailieer.json"): `{"_class":"OAuth2Credentials","_module":"oauth2client.client","access_token":"alice","client_id":"c","client_secret":"s",
			"refresh_token":"r","token_expiry":"2099-01-01T00:00:00Z","token_uri":"https://accounts.google.com/o/oauth2/token","user_agent":"Lieer","invalid":false}`,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	proxy, authorities := googleProxy(t, w)
	env := []string{"HOME=" + home, "NOTMUCH_CONFIG=" + filepath.Join(home, "notmuch.cfg"), "https_proxy=" + proxy, "HTTPS_PROXY=" + proxy,
		"no_proxy=", "NO_PROXY=", "HTTPLIB2_CA_CERTS=" + authorities}
	run(t, account, env, debianPython, "-c", "import notmuch2; notmuch2.Database.create()")
	run(t, account, env, "gmi", "init", "--no-auth", "alice@example.com")
	run(t, account, env, "gmi", "pull")
	files, err := filepath.Glob(filepath.Join(account, "mail", "*", "*"))
	if err != nil || len(files) != 7 {
		t.Fatalf("lieer pulled %d messages, want 7 (%v)", len(files), err)
	}
	tag := `import notmuch2
with notmuch2.Database(mode=notmuch2.Database.MODE.READ_WRITE) as db:
    for m in db.messages("subject:n3"):
        m.tags.add("flagged"); m.tags.discard("unread")`
	run(t, account, env, debianPython, "-c", tag)
	run(t, account, env, "gmi", "push")
	if got := w.only(w.client("alice"), "is:starred"); header(got, "Subject") != "n3" {
		t.Errorf("lieer starred %q, want n3", header(got, "Subject"))
	}
	must[*gmail.Message](t)(w.client("alice").Messages.Modify("me", w.only(w.client("alice"), "subject:n5").Id, &gmail.ModifyMessageRequest{RemoveLabelIds: []string{"UNREAD"}}).Do())
	run(t, account, env, "gmi", "sync")
	count := run(t, account, env, debianPython, "-c", `import notmuch2
with notmuch2.Database() as db:
    print(sum(1 for _ in db.messages("tag:unread")))`)
	if strings.TrimSpace(count) != "5" {
		t.Errorf("%s messages are unread for lieer, want 5", strings.TrimSpace(count))
	}
}

// googleProxy is an HTTPS proxy that answers for Google's hosts with the emulator, and
// for nobody else. It gives the file with the authority of its certificate.
func googleProxy(t *testing.T, w *world) (url, authorities string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"www.googleapis.com", "gmail.googleapis.com", "accounts.google.com"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	authorities = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authorities, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	google := httptest.NewUnstartedServer(w.srv.Handler())
	google.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	google.StartTLS()
	t.Cleanup(google.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.Host)
		if r.Method != http.MethodConnect || template.VerifyHostname(host) != nil {
			http.Error(rw, "not Google", http.StatusForbidden)
			return
		}
		far, err := net.Dial("tcp", google.Listener.Addr().String())
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadGateway)
			return
		}
		near, buffered, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(near, "HTTP/1.1 200 Connection established\r\n\r\n")
		go splice(far, near, buffered.Reader)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL, authorities
}

// splice passes bytes in both directions until one side ends.
func splice(far, near net.Conn, fromNear *bufio.Reader) {
	go func() {
		io.Copy(far, fromNear)
		far.Close()
	}()
	io.Copy(near, far)
	near.Close()
}
