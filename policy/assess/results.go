package assess

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// Results are how the tests of a run ended, by folder and test.
type Results struct {
	outcomes map[string]map[string]string // folder -> test -> pass, fail or skip
	broken   map[string]bool              // folders that did not build, or crashed
	Began    time.Time
	Ended    time.Time
}

// ReadResults reads the stream of `go test -json` of a module. Lines that are no JSON are what a compiler or a crash
// printed, and are passed over: a package that did not end well says so in a line of its own. A cut stream is an error.
func ReadResults(r io.Reader, module string) (*Results, error) {
	results := &Results{outcomes: map[string]map[string]string{}, broken: map[string]bool{}}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e struct {
			Time                              time.Time
			Action, Package, Test, ImportPath string
		}
		if json.Unmarshal(in.Bytes(), &e) != nil {
			continue
		}
		results.mark(e.Time)
		name := e.Package
		if name == "" { // build-fail names the package so, with the test binary after a space
			name, _, _ = strings.Cut(e.ImportPath, " ")
		}
		folder := strings.TrimPrefix(strings.TrimPrefix(name, module), "/")
		switch {
		case e.Action == "build-fail", e.Action == "fail" && e.Test == "":
			results.broken[folder] = true
		case e.Action == "run" && e.Test != "": // stands until it ends: a test that a crash cut off failed
			results.set(folder, e.Test, "fail")
		case e.Test != "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip"):
			results.set(folder, e.Test, e.Action)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("assess: the stream of test results: %w", err)
	}
	return results, nil
}

func (r *Results) mark(at time.Time) {
	if at.IsZero() {
		return
	}
	if r.Began.IsZero() {
		r.Began = at
	}
	r.Ended = at
}

func (r *Results) set(folder, test, outcome string) {
	if r.outcomes[folder] == nil {
		r.outcomes[folder] = map[string]string{}
	}
	r.outcomes[folder][test] = outcome
}

// ReadPages adds the browser tests of Playwright's JSON report, under the name of their file.
func (r *Results) ReadPages(in io.Reader, folder string) error {
	type suite struct {
		File   string
		Suites []json.RawMessage
		Specs  []struct {
			Title, File string
			OK          bool
		}
	}
	var report struct {
		Suites []json.RawMessage
		Stats  struct{ StartTime time.Time }
	}
	if err := json.NewDecoder(in).Decode(&report); err != nil {
		return fmt.Errorf("assess: the report of the browser tests: %w", err)
	}
	var walk func([]json.RawMessage) error
	walk = func(all []json.RawMessage) error {
		for _, text := range all {
			var s suite
			if err := json.Unmarshal(text, &s); err != nil {
				return fmt.Errorf("assess: the report of the browser tests: %w", err)
			}
			for _, spec := range s.Specs {
				file, outcome := path.Join(folder, spec.File), "pass"
				if !spec.OK || r.outcomes[file][spec.Title] == "fail" { // one of the screen sizes failed
					outcome = "fail"
				}
				r.set(file, spec.Title, outcome)
			}
			if err := walk(s.Suites); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(report.Suites)
}

// Of tells how a test ended, which is named as the clause registry names tests: "folder: Test", or "file: test".
// A test of the Rego policy is run by one Go test for all of them. A test that was skipped was not run.
func (r *Results) Of(name string) Status {
	if r == nil {
		return NotRun
	}
	where, test, ok := strings.Cut(name, ": ")
	if !ok {
		return NotRun
	}
	if strings.HasSuffix(where, "_test.rego") {
		where, test = path.Dir(where), regoTests
	}
	switch outcome := r.outcomes[where][test]; {
	case outcome == "pass" && r.broken[where] && !r.failed(where): // the package crashed: its passes prove nothing
		return Failed
	case outcome == "pass":
		return Passed
	case outcome == "fail", outcome == "" && r.broken[where]:
		return Failed
	}
	return NotRun
}

// regoTests is the Go test that runs all tests of the policy's own language.
const regoTests = "TestRego"

// failed tells whether a package has a test that failed, which explains why the package did.
func (r *Results) failed(folder string) bool {
	return slices.Contains(slices.Collect(maps.Values(r.outcomes[folder])), "fail")
}

// tally is the status of several tests, and how many ended how.
func (r *Results) tally(names []string) (Status, string) {
	counts, all := map[Status]int{}, []Status{}
	for _, name := range names {
		s := r.Of(name)
		counts[s]++
		all = append(all, s)
	}
	if len(names) == 0 {
		return NotRun, "no test is named"
	}
	parts := []string{fmt.Sprintf("%d of %d passed", counts[Passed], len(names))}
	for _, s := range []Status{Failed, NotRun} {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	return worst(all...), strings.Join(parts, ", ")
}

// item shows the run as a whole, package by package.
func (r *Results) item() Item {
	i := Item{ID: "tests", Title: "Tests of this run", From: "go test -json", Status: NotRun, Says: "No tests were run for this pack.", Columns: []string{"Folder", "Passed", "Failed", "Skipped", "How it ended"}}
	if r == nil {
		return i
	}
	folders := map[string]bool{}
	for folder := range r.outcomes {
		folders[folder] = true
	}
	for folder := range r.broken {
		folders[folder] = true
	}
	total, statuses := map[string]int{}, []Status{}
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		counts := map[string]int{}
		for _, outcome := range r.outcomes[folder] {
			counts[outcome]++
			total[outcome]++
		}
		ended := Passed
		if r.broken[folder] || counts["fail"] > 0 {
			ended = Failed
		}
		statuses = append(statuses, ended)
		i.Rows = append(i.Rows, []string{folder, fmt.Sprint(counts["pass"]), fmt.Sprint(counts["fail"]), fmt.Sprint(counts["skip"]), string(ended)})
	}
	if len(i.Rows) == 0 {
		return i
	}
	i.At, i.Status = r.Ended, worst(statuses...)
	i.Says = fmt.Sprintf("%d tests, their parts included, passed, %d failed, %d were skipped, in %s.", total["pass"], total["fail"], total["skip"], r.Ended.Sub(r.Began).Round(time.Second))
	return i
}

// MarshalJSON gives all outcomes, for the pack's file of them.
func (r *Results) MarshalJSON() ([]byte, error) {
	if r == nil {
		return nil, errors.New("assess: there are no results")
	}
	return json.Marshal(map[string]any{"began": r.Began, "ended": r.Ended, "outcomes": r.outcomes, "broken": slices.Sorted(maps.Keys(r.broken))})
}
