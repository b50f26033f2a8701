package frontend_test

import (
	"archive/zip"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"

	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// filed is a message with these files attached, each a name and its bytes.
func filed(files ...[2]string) string {
	var b strings.Builder
	b.WriteString("From: Bob <bob@example.com>\nTo: ada@example.com\nSubject: files\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nhere they are\n")
	for _, f := range files {
		// Every one is declared as HTML: what is declared must not matter.
		fmt.Fprintf(&b, "--x\nContent-Type: text/html; name=%q\nContent-Disposition: attachment; filename=%q\nContent-Transfer-Encoding: base64\n\n%s\n", f[0], f[0], base64.StdEncoding.EncodeToString([]byte(f[1])))
	}
	return b.String() + "--x--\n"
}

const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"

func (h *house) parts(p *person, message string) (parts []string) {
	h.T.Helper()
	var m struct{ Attachments []struct{ PartID string } }
	p.ok("GET", "/api/accounts/"+string(h.account)+"/messages/"+message, nil, &m)
	for _, a := range m.Attachments {
		parts = append(parts, a.PartID)
	}
	return parts
}

func TestPreviewShowsAFileAsWhatItIs(t *testing.T) {
	files := []struct{ name, content, kind string }{
		{"a.html", "<!doctype html><script>alert(1)</script>", "text/plain; charset=utf-8"},
		{"b.svg", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "text/plain; charset=utf-8"},
		{"c.txt", "Gr\xfc\xdfe", "text/plain; charset=windows-1252"},
		{"d.txt", strings.Repeat("a", 32<<10-1) + "ü", "text/plain; charset=utf-8"},
		{"e.pdf", "%PDF-1.4\n", "application/pdf"},
		{"f.png", png, "image/png"},
		{"g.mp3", "ID3\x03\x00\x00", "audio/mpeg"},
		{"h.exe", "MZ\x00\x01\x02\x03", ""},
		{"i.zip", "PK\x03\x04\x00\x00", ""},
	}
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.owner(Ada)
		var attached [][2]string
		for _, f := range files {
			attached = append(attached, [2]string{f.name, f.content})
		}
		id := h.put(filed(attached...))
		parts := h.parts(ada, id)
		if len(parts) != len(files) {
			t.Fatalf("%d attachments, want %d", len(parts), len(files))
		}
		for i, f := range files {
			address := "/preview/" + string(h.account) + "/" + id + "/" + parts[i]
			page := ada.do("GET", address, nil, "Sec-Fetch-Dest", "iframe")
			if f.kind == "" {
				if page.Status != 415 || strings.Contains(page.Body, f.content) {
					t.Errorf("%s is shown: %d", f.name, page.Status)
				}
				continue
			}
			if got := page.Header.Get("Content-Type"); page.Status != 200 || got != f.kind || page.Body != f.content {
				t.Errorf("%s: %d, %s, %d bytes; want %s", f.name, page.Status, got, len(page.Body), f.kind)
			}
			policy := page.Header.Get("Content-Security-Policy")
			if !strings.HasPrefix(policy, "default-src 'none'; ") || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "allow-scripts") {
				t.Errorf("%s: the policy is %s", f.name, policy)
			}
			if got := page.Header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("%s: X-Content-Type-Options is %q", f.name, got)
			}
			if direct := ada.do("GET", address, nil, "Sec-Fetch-Dest", "document"); direct.Status < 400 {
				t.Errorf("%s can be navigated to: %d", f.name, direct.Status)
			}
			if script := ada.do("GET", address, nil, "Sec-Fetch-Dest", "script"); script.Status < 400 {
				t.Errorf("%s can be a script: %d", f.name, script.Status)
			}
		}
	})
}

func TestAllAttachmentsInOneArchive(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.owner(Ada)
		long := strings.Repeat("0123456789", 20_000)
		id := h.put(filed([2]string{"a.txt", "one"}, [2]string{"A.txt", "two"}, [2]string{"../../etc/long.txt", long}))
		page := ada.do("GET", "/attachments/"+string(h.account)+"/"+id, nil)
		if page.Status != 200 || page.Header.Get("Content-Type") != "application/zip" || !strings.HasPrefix(page.Header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%d %v", page.Status, page.Header)
		}
		archive, err := zip.NewReader(strings.NewReader(page.Body), int64(len(page.Body)))
		must(t, err)
		var names []string
		want := []string{"one", "two", long}
		for i, f := range archive.File {
			names = append(names, f.Name)
			r, err := f.Open()
			must(t, err)
			content, err := io.ReadAll(r)
			must(t, err)
			if i < len(want) && string(content) != want[i] {
				t.Errorf("%s holds %d bytes, want %d", f.Name, len(content), len(want[i]))
			}
		}
		if got := strings.Join(names, ", "); !strings.HasPrefix(got, "a.txt, A (2).txt, ") || strings.ContainsAny(got, `/\`) || len(names) != 3 {
			t.Errorf("the archive has %s", got)
		}

		bare := h.put("From: Bob <bob@example.com>\nSubject: none\n\nnothing attached\n")
		if page := ada.do("GET", "/attachments/"+string(h.account)+"/"+bare, nil); page.Status != 404 {
			t.Errorf("a message without files: %d, want 404", page.Status)
		}
	})
}

func TestNobodyElseSeesAPreview(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.owner(Ada)
		id := h.put(filed([2]string{"a.txt", "a secret"}))
		account, parts := string(h.account), h.parts(ada, id)
		bob := h.owner(Bob)
		for _, address := range []string{"/preview/" + account + "/" + id + "/" + parts[0], "/attachments/" + account + "/" + id} {
			for name, p := range map[string]*person{"Bob": bob, "nobody": h.person()} {
				if page := p.do("GET", address, nil, "Sec-Fetch-Dest", "iframe"); page.Status < 400 || strings.Contains(page.Body, "a secret") {
					t.Errorf("%s: %d", name, page.Status)
				}
			}
		}
	})
}
