package fieldmask_test

import (
	"encoding/json"
	"testing"

	"github.com/totalengage/webmail/inbox/emulator/internal/fieldmask"
)

const doc = `{"id":"1","messages":[{"id":"a","payload":{"headers":[{"name":"n","value":"v"}],"body":{"size":1}}},{"id":"b"}],"n":2}`

func TestApply(t *testing.T) {
	for mask, want := range map[string]string{
		"id":                                `{"id":"1"}`,
		"n,id":                              `{"id":"1","n":2}`,
		"messages(id)":                      `{"messages":[{"id":"a"},{"id":"b"}]}`,
		"messages/id,n":                     `{"messages":[{"id":"a"},{"id":"b"}],"n":2}`,
		"messages(payload/headers(name))":   `{"messages":[{"payload":{"headers":[{"name":"n"}]}},{}]}`,
		"messages/payload/body,messages/id": `{"messages":[{"id":"a","payload":{"body":{"size":1}}},{"id":"b"}]}`,
		"messages,messages/id":              `{"messages":[{"id":"a","payload":{"headers":[{"name":"n","value":"v"}],"body":{"size":1}}},{"id":"b"}]}`,
		"*":                                 doc,
		"*/id":                              `{"id":"1","messages":[{"id":"a"},{"id":"b"}],"n":2}`,
		"messages/*/body":                   `{"messages":[{"id":"a","payload":{"body":{"size":1}}},{"id":"b"}]}`,
		"absent":                            `{}`,
	} {
		m, err := fieldmask.Parse(mask)
		if err != nil {
			t.Errorf("%s: %v", mask, err)
			continue
		}
		if got, err := m.Apply([]byte(doc)); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", mask, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, mask := range []string{"", ",", "a,", "a(b", "a)b", "a()", "a//b", "/a", "a/", "a b", "a(b)c"} {
		if m, err := fieldmask.Parse(mask); err == nil {
			t.Errorf("%q was read as %v", mask, m)
		}
	}
}

func TestCheckNamesThePath(t *testing.T) {
	m, err := fieldmask.Parse("a(b/c,d)")
	if err != nil {
		t.Fatal(err)
	}
	err = m.Check(func(path []string) bool { return path[len(path)-1] != "c" })
	if err == nil || err.Error() != "Invalid field selection a/b/c" {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a,b(c,d),e/f,*", doc)
	f.Add("messages(id,payload(headers(name)))", doc)
	f.Fuzz(func(t *testing.T, mask, document string) {
		m, err := fieldmask.Parse(mask)
		if err != nil || !json.Valid([]byte(document)) {
			return
		}
		out, err := m.Apply([]byte(document))
		if err != nil || !json.Valid(out) {
			t.Fatalf("%q on %q: %q, %v", mask, document, out, err)
		}
		again, err := m.Apply(out)
		if err != nil || string(again) != string(out) {
			t.Errorf("%q on %q: %q, then %q, %v", mask, document, out, again, err)
		}
	})
}
