// Package limiteduse holds the Limited Use policy as it is shipped: Rego modules, their data and their
// tests, embedded in the binary and usable unchanged with the opa command:
//
//	opa test policy/limiteduse
//	opa eval -d policy/limiteduse -i input.json 'data.webmail.decision.basis'
//
// floor.rego is the promise that no bundle can lift; access.rego says on which basis an access is allowed;
// decision.rego joins the two; data.json lists the purposes, features, operations and scopes that exist (LU-USE-1, MIN-1).
// cases.json holds accesses with their only right answer, which no policy that replaces this one may change.
//
// clauses.json is the registry of the clauses: what each says and where it comes from, and which rules, mechanisms,
// tests and pages keep it. The tests of this package find every one of them in the sources.
package limiteduse

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

//go:embed *.rego data.json
var files embed.FS

// Modules returns the Rego sources by file name, without the tests.
func Modules() map[string]string {
	modules := map[string]string{}
	names, err := fs.Glob(files, "*.rego")
	if err != nil {
		panic(err) // the pattern is constant
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		modules[name] = string(read(name))
	}
	return modules
}

// Data returns the policy's base document as decoded JSON.
func Data() (map[string]any, error) {
	var data map[string]any
	if err := json.Unmarshal(read("data.json"), &data); err != nil {
		return nil, fmt.Errorf("limiteduse: data.json: %w", err)
	}
	return data, nil
}

// Tables are the parts of the data that the gate itself needs.
type Tables struct {
	Disclosure struct {
		Version int `json:"version"` // the text in force
	} `json:"disclosure"`
	Terms      Terms                `json:"terms"`
	Operations map[string]Operation `json:"operations"`
	Features   map[string]Feature   `json:"features"`
	Recipients map[string]Recipient `json:"recipients"`
	Retention  map[string]Retention `json:"retention"`
	Bases      map[string][]string  `json:"bases"`
	Purposes   map[string]string    `json:"purposes"`
}

// Terms are lengths of time, in microseconds.
type Terms struct {
	Acknowledgement int64 `json:"acknowledgement"` // for which staff's acknowledgement of the rules holds (LU-HUM-5)
	Notice          int64 `json:"notice"`          // between announcing a change and its start (CHG-2)
}

// Recipient is one row of the register of recipients: who may get data, for what (LU-XFER-1, PRV-PROC).
type Recipient struct {
	Name     string `json:"name"`     // for people
	Kind     string `json:"kind"`     // owner_chosen, own_service or processor
	Contract string `json:"contract"` // of a processor; "" for the others
	Features Names  `json:"features"`
	Classes  Names  `json:"classes"`
}

// Retention is one row of the retention table: what is stored, why, for how long (DEL-2, PRV-RET). The privacy page
// shows the table, and jobs keep it.
type Retention struct {
	What    string `json:"what"`    // for people
	Why     string `json:"why"`     // for people
	Seconds int64  `json:"seconds"` // the term at most; 0 = it ends with something, not by itself
	Ends    string `json:"ends"`    // when it ends, for people
	Tables  Names  `json:"tables"`  // of the databases; none for what is in memory
}

// Names is a set of names. It is an object in the data, for the rules look names up in it.
type Names map[string]bool

// Operation is one row of the operations table.
type Operation struct {
	Kind   string `json:"kind"`   // resource kind
	Form   string `json:"form"`   // resource form
	Effect string `json:"effect"` // read, write or send; grants for the last two are redeemed once
	API    string `json:"api"`    // gmail, or product for what is done without Gmail
	Scopes Names  `json:"scopes"` // any one of them suffices
}

// Feature is one row of the features table.
type Feature struct {
	Purpose    string `json:"purpose"`
	Actors     Names  `json:"actors"`
	Recipient  string `json:"recipient"` // who gets the data; "" = nobody but the actor
	Operations Names  `json:"operations"`
	Classes    Names  `json:"classes"`
	Max        int    `json:"max"`         // ids or members in one decision
	TTLSeconds int    `json:"ttl_seconds"` // life of a grant
	Disclosure int    `json:"disclosure"`  // version of the disclosure that first tells of it (CHG-1)
}

// UsesOf lists the purposes for which a scope is needed, as they are told to people, sorted: those of the
// features that have an operation which the scope covers.
func (t Tables) UsesOf(scope string) []string {
	var uses []string
	for _, feature := range t.Features {
		for operation := range feature.Operations {
			use := t.Purposes[feature.Purpose]
			if t.Operations[operation].Scopes[scope] && !slices.Contains(uses, use) {
				uses = append(uses, use)
			}
		}
	}
	slices.Sort(uses)
	return uses
}

// ReadTables returns the typed tables of data.json; unknown keys are an error.
func ReadTables() (Tables, error) { return ParseTables(DataText()) }

// ParseTables decodes the text of a data.json as ReadTables does.
func ParseTables(text string) (Tables, error) {
	var doc struct {
		LimitedUse Tables `json:"limiteduse"`
	}
	if err := strict([]byte(text), &doc); err != nil {
		return Tables{}, fmt.Errorf("limiteduse: data.json: %w", err)
	}
	return doc.LimitedUse, nil
}

// strict decodes one JSON document that has nothing but what it is decoded into.
func strict(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

// DataText returns data.json as it is written.
func DataText() string { return string(read("data.json")) }

// Revision is the SHA-256 over the embedded modules and data, in hex: it names the policy in every event.
func Revision() string {
	h := sha256.New()
	names, err := fs.Glob(files, "*")
	if err != nil {
		panic(err) // the pattern is constant
	}
	for _, name := range names { // sorted by fs.Glob
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		fmt.Fprintf(h, "%s %d\n", name, len(read(name)))
		h.Write(read(name))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func read(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // embedded at build time
	}
	return b
}
