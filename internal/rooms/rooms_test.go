package rooms_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/totalengage/webmail/"

// forbidden lists the imports that would put a wall of the house in the wrong place. A package matches by
// its path or the beginning of it; except names those below that may.
var forbidden = []struct {
	from, to string
	except   []string
	reason   string
}{
	{from: "policy", to: "net/http", reason: "policy decides about accesses, whatever carries them", except: []string{"policy/decisionlog"}},
	{from: "policy", to: "google.golang.org/api", reason: "policy knows Gmail's method names as data, not its client"},
	{from: "policy", to: module + "inbox", reason: "imports run downwards: inbox asks policy"},
	{from: "policy", to: module + "oauth", reason: "imports run downwards: oauth implements policy's facts"},
	{from: "policy", to: module + "frontend", reason: "imports run downwards"},
	{from: "policy/decisionlog", to: module + "policy", reason: "the log stores bytes and columns; what they mean is the gate's business", except: []string{"policy/decisionlog"}},
	{from: "policy/limiteduse", to: module, reason: "the rules and their data stand alone"},
	{from: "inbox", to: module + "frontend", reason: "inbox knows nothing of browsers"},
	{from: "inbox", to: module + "oauth", reason: "inbox takes tokens, keys and identity through small interfaces"},
	{from: "inbox", to: "github.com/gorilla", reason: "inbox knows nothing of HTTP handlers"},
	{from: "oauth", to: module + "inbox", reason: "whose mail it is does not depend on what mail there is"},
	{from: "oauth", to: module + "frontend", reason: "imports run downwards"},
	{from: "inbox/emulator", to: module, reason: "the emulator is what Google would be: it knows nothing of the product", except: []string{"inbox/emulator"}},
	{from: "oauth/emulator", to: module, reason: "the emulator is what Google would be: it knows nothing of the product", except: []string{"oauth/emulator"}},
	{from: "frontend", to: "google.golang.org/api", reason: "the page's server reaches mail through inbox alone"},
	{from: "frontend", to: module + "inbox/emulator", reason: "emulators are for demo, emulate and tests"},
	{from: "frontend", to: module + "oauth/emulator", reason: "emulators are for demo, emulate and tests"},
	{from: "frontend/mailhtml", to: module, reason: "rendering a body needs nothing but the body", except: []string{"frontend/mailhtml"}},
	{from: "internal", to: module + "frontend", reason: "plumbing knows no room"},
	{from: "internal", to: module + "inbox", reason: "plumbing knows no room"},
	{from: "internal", to: module + "oauth", reason: "plumbing knows no room"},
	{from: "internal", to: module + "policy", reason: "plumbing knows no room"},
	{from: "", to: "google.golang.org/api/gmail", except: []string{"inbox/internal/gmail"}, reason: "one importer of Google's Gmail client: the guarded one"},
	{from: "", to: "github.com/open-policy-agent/opa", except: []string{"policy"}, reason: "one place decides"},
	{from: "", to: "os/exec", except: []string{"internal/database/databasetest"}, reason: "the product starts no other program (CASA 5.1.9)"},
	{from: "", to: "math/rand", except: []string{"math/rand/v2"}, reason: "secrets come from crypto/rand, jitter from math/rand/v2"},
	{from: "", to: "net/http/pprof", reason: "no profiling endpoint in the product (DESIGN 4.1, 23)"},
	{from: "", to: "unsafe", reason: "nothing here needs it"},
}

type listed struct {
	ImportPath, Doc string
	Imports         []string
}

// packages lists the module's packages with their own imports, tests left out.
func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list gave only %d packages", len(all))
	}
	return all
}

func TestForbiddenImports(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, rule := range forbidden {
			if !below(from, rule.from) || excepted(from, rule.except) {
				continue
			}
			for _, imported := range p.Imports {
				if below(imported, strings.TrimSuffix(rule.to, "/")) && !excepted(imported, rule.except) && !excepted(strings.TrimPrefix(imported, module), rule.except) {
					t.Errorf("%s imports %s: %s", from, imported, rule.reason)
				}
			}
		}
	}
}

func TestEveryRuleNamesAnExistingRoom(t *testing.T) {
	all := packages(t)
	for _, rule := range forbidden {
		for _, room := range append([]string{rule.from}, rule.except...) {
			found := room == "" || !strings.Contains(room, "/") && rule.from != room || strings.HasPrefix(room, "math/")
			for _, p := range all {
				found = found || below(strings.TrimPrefix(p.ImportPath, module), room)
			}
			if !found {
				t.Errorf("a rule names %q, which does not exist", room)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.Doc) < 20 {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func below(path, room string) bool {
	return room == "" || path == room || strings.HasPrefix(path, room+"/")
}

func excepted(path string, rooms []string) bool {
	for _, room := range rooms {
		if below(path, room) {
			return true
		}
	}
	return false
}
