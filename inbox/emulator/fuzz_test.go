package emulator_test

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/totalengage/webmail/inbox/emulator"
)

func FuzzSeed(f *testing.F) {
	f.Add(goodSeed)
	f.Add("users: [{email: a@b.example, messages: [{raw: \"Subject: x\\n\\ny\"}]}]")
	f.Fuzz(func(t *testing.T, text string) {
		seed, err := emulator.ParseSeed(strings.NewReader(text))
		if (seed == nil) == (err == nil) {
			t.Fatalf("seed %v, error %v", seed, err)
		}
		if err != nil {
			return
		}
		for _, u := range seed.Users {
			if u.Email == "" {
				t.Error("a user without an address passed")
			}
		}
	})
}

func FuzzBatch(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Type: application/http\r\nContent-ID: <1>\r\n\r\nGET /gmail/v1/users/me/profile HTTP/1.1\r\n\r\n\r\n--b--"), "b")
	f.Add([]byte("--b\n\nPOST /x\n\nbody\n--b--"), "b")
	f.Fuzz(func(t *testing.T, body []byte, boundary string) {
		parts, good := emulator.ReadBatch(body, boundary)
		if good > parts {
			t.Errorf("%d of %d parts are good", good, parts)
		}
	})
}

// FuzzStore stores whatever bytes there are: refused for being empty or kept to the byte.
func FuzzStore(f *testing.F) {
	f.Add([]byte(anatomy))
	f.Add([]byte("\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		srv := emulator.New(emulator.Options{})
		if err := srv.AddUser("a@example.com", ""); err != nil {
			t.Fatal(err)
		}
		_, err := srv.Insert("a@example.com", raw, []string{"INBOX"}, testTime)
		if (err != nil) != (len(strings.TrimSpace(string(raw))) == 0) {
			t.Errorf("%q: %v", raw, err)
		}
	})
}

// FuzzJournalLine: what is read from a journal is what was written there.
func FuzzJournalLine(f *testing.F) {
	f.Add([]byte(`{"user":"a@b","do":[{"name":"A"},{"gone":"00"},{"message":{"id":"1","labels":["INBOX"],"historyId":2,"seq":1,"thread":"1","date":3,"raw":"AAA="}}]}`))
	f.Add([]byte(`{"do":[{"settings":{"sendAs":[],"language":"en"}},{"record":{"id":1}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		line := fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(text), text)
		first, ok := emulator.ReadJournalLine(line)
		if !ok {
			return
		}
		if second, ok := emulator.ReadJournalLine(first); !ok || !bytes.Equal(first, second) {
			t.Errorf("%s reads as %s, then as %s", line, first, second)
		}
		line[len(line)/2] ^= 1
		if _, ok := emulator.ReadJournalLine(line); ok && len(line) > 10 {
			t.Errorf("damage is not seen: %s", line)
		}
	})
}

func FuzzCertificates(f *testing.F) {
	pkcs7, err := os.ReadFile("testdata/alice.p7b")
	if err != nil {
		f.Fatal(err)
	}
	if len(emulator.Certificates(string(pkcs7))) != 1 {
		f.Fatal("the example has no certificate")
	}
	f.Add(pkcs7)
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, c := range emulator.Certificates(string(text)) {
			if len(c.Raw) == 0 {
				t.Error("an empty certificate")
			}
		}
	})
}
