package inbox_test

import (
	"reflect"
	"testing"

	"github.com/totalengage/webmail/inbox"
)

func TestParseAddresses(t *testing.T) {
	for header, want := range map[string][]inbox.Address{
		"":                                      {},
		"a@example.com":                         {{Email: "a@example.com"}},
		"Ann <a@example.com>, b@example.com":    {{Name: "Ann", Email: "a@example.com"}, {Email: "b@example.com"}},
		`"Doe, Jane" <j@example.com>`:           {{Name: "Doe, Jane", Email: "j@example.com"}},
		"Müller, Hans <h@example.com>, c@x.org": {{Name: "Müller, Hans", Email: "h@example.com"}, {Email: "c@x.org"}},
		"undisclosed-recipients:;":              {}, // an empty group
		"Broken <b@@example..com>":              {{Name: "Broken", Email: "b@@example..com"}},
		"just a name":                           {{Name: "just a name"}},
	} {
		got := inbox.ParseAddresses(header)
		if len(got) == 0 && len(want) == 0 {
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", header, got, want)
		}
	}
}

func FuzzParseAddresses(f *testing.F) {
	f.Add("Müller, Hans <h@example.com>, \"x\\\"")
	f.Fuzz(func(t *testing.T, header string) { inbox.ParseAddresses(header) })
}
