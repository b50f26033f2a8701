package query_test

import (
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox/emulator/internal/query"
)

// note is a message of one text with labels.
type note struct {
	text   string
	labels string
}

func (n note) Words(query.Field) string  { return query.Words(n.text) }
func (n note) Filenames() []string       { return nil }
func (n note) HasAttachment() bool       { return false }
func (n note) HasLabelID(id string) bool { return strings.Contains(n.labels, id) }
func (n note) HasLabel(string) bool      { return false }
func (n note) HasUserLabel() bool        { return false }
func (n note) Date() time.Time           { return time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC) }
func (n note) Size() int64               { return 5000 }
func (n note) MessageID() string         { return "a@b" }

func TestMatch(t *testing.T) {
	env := query.Env{Now: time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC), Me: "me@example.com"}
	m := note{"The quick brown fox_trot, déjà-vu from me@example.com 日本語", "INBOX UNREAD"}
	for q, want := range map[string]bool{
		"quick":                          true,
		"QUICK":                          true,
		"qui":                            false,
		"quick slow":                     false,
		"quick OR slow":                  true,
		"quick or slow":                  false, // OR must be upper case
		"slow OR quick brown":            true,  // (slow OR quick) AND brown
		"slow OR quick red":              false,
		"brown slow OR quick":            true,
		"quick AND brown":                true,
		`"quick brown"`:                  true,
		`"brown quick"`:                  false,
		`"unterminated quick`:            false,
		"+quick":                         true,
		"-slow":                          true,
		"-quick":                         false,
		"--quick":                        true,
		"-{slow quick}":                  false,
		"{slow quick}":                   true,
		"(quick (brown (slow)))":         false,
		"quick)":                         true,
		"((quick":                        true,
		"fox":                            false, // _ belongs to the word
		"fox_trot":                       true,
		"déjà":                           true,
		"deja":                           false, // diacritics count
		"vu":                             true,
		"日本":                             true,
		"from:me":                        true,
		"subject:{slow quick}":           true,
		"subject:(quick -slow)":          true,
		"subject:(quick -brown)":         false,
		"subject:":                       true, // an operator without a value says nothing
		"nosuch:operator":                false,
		"is:unread":                      true,
		"-is:unread":                     false,
		"in:inbox larger:4K":             true,
		"larger:1000K":                   false,
		"after:2026/3/5":                 true,
		"before:2026-03-06":              true,
		"before:3/5/2026":                false,
		"newer_than:3d":                  true,
		"newer_than:2d":                  false,
		"older_than:1y":                  false,
		"older_than:x":                   false,
		"after:nonsense":                 false,
		"rfc822msgid:<A@b>":              true,
		"brown AROUND 0 quick":           true, // neighbours, in either order
		"quick AROUND 0 fox_trot":        false,
		"quick AROUND 1 fox_trot":        true,
		"quick AROUND 9 slow":            false,
		`"quick AROUND 1 fox_trot"`:      true, // in quotes the order counts
		`"fox_trot AROUND 1 quick"`:      false,
		`"the quick" AROUND 1 fox_trot`:  true,
		"-quick AROUND 9 slow":           true,
		"quick AROUND brown":             false, // no number: three words
		"quick AROUND":                   false,
		"around OR quick AROUND 9 brown": true,
		"OR":                             true,
		"quick OR":                       true,
		"!!! quick":                      true,
	} {
		if got := query.Parse(q, env).Match(m); got != want {
			t.Errorf("%q: %v, want %v", q, got, want)
		}
	}
}

func TestSpamTrashIsNamed(t *testing.T) {
	for q, want := range map[string]bool{
		"in:trash": true, "in:anywhere x": true, "label:spam": true, "in:(spam x)": true, "-in:trash": false, "in:inbox": false, "trash": false,
	} {
		if got := query.Parse(q, query.Env{}).SpamTrash; got != want {
			t.Errorf("%q: %v, want %v", q, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, q := range []string{"a OR -b {c d} (e)", `from:("x y" z) -in:trash`, "newer_than:99d larger:10M", "((((", "--{-(", "subject:subject:x"} {
		f.Add(q)
	}
	env := query.Env{Now: time.Unix(1e9, 0), Me: "a@b"}
	f.Fuzz(func(t *testing.T, q string) {
		parsed := query.Parse(q, env)
		m := note{"some text", "INBOX"}
		if first, second := parsed.Match(m), parsed.Match(m); first != second {
			t.Errorf("%q matches differently the second time", q)
		}
		if !strings.ContainsAny(q, `-(){}":+`) && !strings.Contains(q, "OR") && !query.Parse(q, env).Match(note{q, ""}) {
			t.Errorf("%q does not find itself", q)
		}
	})
}
