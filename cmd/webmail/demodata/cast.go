package demodata

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
)

// The mail programs of the cast. They decide how a person quotes (quote.go) and
// whether a message has an HTML part.
const (
	gmail    = "gmail"
	outlook  = "outlook"
	apple    = "apple"
	terminal = "terminal" // text only, format=flowed
	robot    = "robot"    // a service: no quoting, no signature
)

// member is somebody of the cast.
type member struct {
	name, address, program string
	signature              string // lines; "" for none
}

func (m member) String() string { return (&mail.Address{Name: m.name, Address: m.address}).String() }

// plain is the address as people see it in quoted text.
func (m member) plain() string { return fmt.Sprintf("%s <%s>", m.name, m.address) }

// readCast reads people.txt: one person a line, "key | name | address | program |
// signature", where " / " breaks the lines of a signature.
func readCast() (map[string]member, error) {
	text, err := files.ReadFile("people.txt")
	if err != nil {
		return nil, err
	}
	cast := map[string]member{}
	for n, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		f := strings.Split(line, "|")
		if len(f) != 5 {
			return nil, fmt.Errorf("demodata: people.txt:%d: want 5 fields, got %d", n+1, len(f))
		}
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		cast[f[0]] = member{f[1], f[2], f[3], strings.ReplaceAll(f[4], " / ", "\n")}
	}
	return cast, nil
}

// mustCast is for lists that cannot report an error; people.txt is embedded, so a
// fault in it is a fault in this package, found by its tests.
func mustCast() map[string]member {
	cast, err := readCast()
	if err != nil {
		panic(err)
	}
	return cast
}

func castOrder(cast map[string]member) []string {
	var keys []string
	for key := range cast {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
