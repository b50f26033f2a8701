package assess

import (
	"fmt"
	"io/fs"
	"time"
)

// Status is how an item stands.
type Status string

// The statuses. Of several that an item could have the worst counts: see [worst].
const (
	Shown         Status = "shown"          // it is there to be read; nothing of it can pass or fail
	NotApplicable Status = "not applicable" // the product has nothing that it is about
	Passed        Status = "passed"
	Human         Status = "needs a human"
	Lab           Status = "needs a lab"
	NotRun        Status = "not run" // it could be checked by a program, and in this run was not
	Failed        Status = "failed"
)

// order is from best to worst.
var order = []Status{Shown, NotApplicable, Passed, Human, Lab, NotRun, Failed}

// worst is the status of a whole whose parts stand so.
func worst(all ...Status) Status {
	result := Shown
	for _, s := range all {
		if rank(s) > rank(result) {
			result = s
		}
	}
	return result
}

func rank(s Status) int {
	for i, known := range order {
		if known == s {
			return i
		}
	}
	return len(order) // what is no status is worse than all of them
}

// Item is one piece of evidence.
type Item struct {
	ID     string    `json:"id"` // unique in the pack
	Title  string    `json:"title"`
	Status Status    `json:"status"`
	Says   string    `json:"says"` // what it shows, or why there is nothing, in a sentence or two
	From   string    `json:"from"` // the file, command, database or log that it was read from
	At     time.Time `json:"at"`   // when that was

	Columns []string   `json:"columns,omitempty"`
	Rows    [][]string `json:"rows,omitempty"` // as many cells each as there are columns

	Figure   string    `json:"figure,omitempty"` // an SVG drawing
	Pictures []Picture `json:"pictures,omitempty"`
	Details  []Detail  `json:"details,omitempty"`
	Files    []string  `json:"files,omitempty"` // of the pack
}

// Picture is a screen as the run saw it.
type Picture struct {
	File    string    `json:"file"` // of the pack
	Caption string    `json:"caption"`
	SHA256  string    `json:"sha256"`
	At      time.Time `json:"at"`
}

// Detail is a longer text, to be opened by who wants to read it.
type Detail struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// Section is a chapter of the pack.
type Section struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	About string `json:"about"`
	Items []Item `json:"items"`
}

// Pack is the whole of it, before it is written.
type Pack struct {
	Made     time.Time `json:"made"`
	Log      string    `json:"log"` // name of the decision log that it speaks of
	Sections []Section `json:"sections"`

	files map[string][]byte
}

// Add puts a file into the pack. It fails for a path that is no plain one or is taken.
func (p *Pack) Add(path string, content []byte) error {
	if !fs.ValidPath(path) || path == "." || !plainPath(path) {
		return fmt.Errorf("assess: %q cannot be a file of the pack", path)
	}
	if _, taken := p.files[path]; taken {
		return fmt.Errorf("assess: the pack has a file %s already", path)
	}
	if p.files == nil {
		p.files = map[string][]byte{}
	}
	p.files[path] = content
	return nil
}

// plainPath keeps file names to what every file system and the manifest can hold.
func plainPath(path string) bool {
	for _, c := range path {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' || c == '/') {
			return false
		}
	}
	return true
}

// Counts says how many items stand how, for the first page.
func (p *Pack) Counts() map[Status]int {
	counts := map[Status]int{}
	for _, s := range p.Sections {
		for _, i := range s.Items {
			counts[i.Status]++
		}
	}
	return counts
}
