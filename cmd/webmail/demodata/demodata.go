package demodata

import (
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/totalengage/webmail/inbox/emulator"
)

//go:embed people.txt script html
var files embed.FS

// Person is somebody with a mail address.
type Person struct{ Email, Name string }

// userKeys are the people whose mailboxes are made, as script files name them.
var userKeys = []string{"alice", "bob", "carol"}

// labels are the user labels of each mailbox, in the order in which they were made.
var labels = map[string][]string{
	"alice": {"Projects", "Projects/Atlas", "Projects/Garden", "Travel", "Receipts", "Ops", "Ops/Review"},
	"bob":   {"Workshop", "Workshop/Atlas", "Suppliers"},
	"carol": {"Clients"},
}

// Users are the people who have a mailbox: those one can sign in as.
func Users() []Person {
	cast := mustCast()
	var out []Person
	for _, key := range userKeys {
		out = append(out, Person{cast[key].address, cast[key].name})
	}
	return out
}

// Correspondents are the people who write to the users and have no mailbox. Give
// them an empty one if answers to them are not to bounce.
func Correspondents() []Person {
	cast := mustCast()
	var out []Person
	for _, key := range castOrder(cast) {
		if p := cast[key]; p.program != robot && !isUser(key) {
			out = append(out, Person{p.address, p.name})
		}
	}
	return out
}

// Seed is the mail of all [Users] as it stands at now. Clock times of older
// messages ("09:15") are meant in now's location.
func Seed(now time.Time) (*emulator.Seed, error) {
	cast, err := readCast()
	if err != nil {
		return nil, err
	}
	conversations, err := readScripts()
	if err != nil {
		return nil, err
	}
	boxes := map[string][]emulator.SeedMessage{}
	for _, c := range conversations {
		for k := range c.times() {
			t, err := stage(c, k, now, cast)
			if err != nil {
				return nil, fmt.Errorf("demodata: %q: %w", c.subject, err)
			}
			if err := t.deliver(boxes); err != nil {
				return nil, fmt.Errorf("demodata: %q: %w", c.subject, err)
			}
		}
	}
	seed := &emulator.Seed{}
	for _, key := range userKeys {
		seed.Users = append(seed.Users, emulator.SeedUser{
			Email: cast[key].address, Name: cast[key].name, Labels: labels[key], Messages: boxes[key],
		})
	}
	return seed, nil
}

func readScripts() ([]*conversation, error) {
	names, err := fs.Glob(files, "script/*.txt")
	if err != nil {
		return nil, err
	}
	var all []*conversation
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		list, err := parseScript(string(text))
		if err != nil {
			return nil, fmt.Errorf("demodata: %s: %w", name, err)
		}
		all = append(all, list...)
	}
	return all, nil
}

func isUser(key string) bool {
	for _, u := range userKeys {
		if u == key {
			return true
		}
	}
	return false
}
