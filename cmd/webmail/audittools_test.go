//go:build !release

package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// TestReplayAndDiff: logged decisions come out as logged under their own policy; under one that forbids a feature they do
// not, and the status says so.
func TestReplayAndDiff(t *testing.T) {
	data := loggedDemo(t)
	out, status := once(t, "audit", "replay", "--data", data)
	if status != 0 || !strings.Contains(out, "come out as logged") || !strings.Contains(out, " 0 do not") {
		t.Errorf("replay: status %d\n%s", status, out)
	}
	var counted struct{ Decisions, Same, Different int }
	out, status = once(t, "audit", "replay", "--data", data, "--json")
	if err := json.Unmarshal([]byte(out), &counted); err != nil || status != 0 || counted.Same == 0 || counted.Same != counted.Decisions {
		t.Errorf("replay --json: status %d, %v\n%s", status, err, out)
	}

	rules := filepath.Join(t.TempDir(), "rules")
	if out, status := once(t, "policy", "export", rules); status != 0 {
		t.Fatalf("policy export: %s", out)
	}
	if out, status := once(t, "audit", "diff", "--data", data, "--bundle", rules); status != 0 || !strings.Contains(out, "0 newly refused, 0 newly allowed") {
		t.Errorf("the same policy: status %d\n%s", status, out)
	}
	table := filepath.Join(rules, "data.json")
	text := readFile(t, table)
	stricter := strings.Replace(text, `"label_list": {"purpose": "inbox.read"`, `"label_list": {"purpose": "inbox.send"`, 1)
	if stricter == text {
		t.Fatal("the table of features has another form")
	}
	writeFile(t, table, stricter)
	out, status = once(t, "audit", "diff", "--data", data, "--bundle", rules)
	if status != exitChanges || !strings.Contains(out, "label_list") || strings.Contains(out, " 0 newly refused") {
		t.Errorf("a stricter policy: status %d, want %d\n%s", status, exitChanges, out)
	}
	writeFile(t, table, "{")
	if out, status := once(t, "audit", "diff", "--data", data, "--bundle", rules); status == 0 || status == exitChanges {
		t.Errorf("a broken policy: status %d\n%s", status, out)
	}

	// Whoever changes an answer in the log is found: by verify, and by replay too.
	change(t, data, `UPDATE decisionlog_events SET body = replace(body, '"basis":"owner_at_page"', '"basis":"standing_instruction"') WHERE idx = (SELECT max(idx) FROM decisionlog_events WHERE feature = 'label_list' AND kind = 'decision')`)
	if out, status := once(t, "audit", "replay", "--data", data); status != exitVerify || !strings.Contains(out, "1 decisions do not come out as logged") {
		t.Errorf("a changed answer: status %d, want %d\n%s", status, exitVerify, out)
	}
}

func TestReport(t *testing.T) {
	data := loggedDemo(t)
	out, status := once(t, "audit", "report", "--data", data)
	for _, want := range []string{"# Decision log ", "| LU-USE-1 |", "| inbox.read |", "| owner |", "| account.connected |", "decisions allowed, "} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("status %d, want %q in\n%s", status, want, out)
		}
	}
	var r auditReport
	out, status = once(t, "audit", "report", "--data", data, "--format", "json")
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 0 || r.Allowed < 4 || r.TreeSize == 0 || r.Outcomes["done"] == 0 {
		t.Errorf("status %d, %v: %+v", status, err, r)
	}
	if out, status := once(t, "audit", "report", "--data", data, "--since", "2020-01-01", "--until", "2020-02-01", "--format", "json"); status != 0 || !strings.Contains(out, `"allowed": 0`) {
		t.Errorf("a month without events: status %d\n%s", status, out)
	}
	for _, bad := range [][]string{{"--since", "yesterday"}, {"--since", "2026-02-02", "--until", "2026-02-02"}} {
		if out, status := once(t, append([]string{"audit", "report", "--data", data}, bad...)...); status != exitFailure {
			t.Errorf("%v: status %d\n%s", bad, status, out)
		}
	}
}

// TestReconcile: counts that the log explains are in order; requests of which it knows nothing, and more than it
// explains, are not. Counts that cannot be read say what is wrong with them.
func TestReconcile(t *testing.T) {
	data := loggedDemo(t)
	var r reconciliation
	out, status := once(t, "audit", "reconcile", "--data", data, "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 0 || len(r.Methods) == 0 {
		t.Fatalf("without counts: status %d, %v\n%s", status, err, out)
	}
	rows, series := "method,count\n", `{"timeSeries": [`
	for i, m := range r.Methods {
		rows += fmt.Sprintf("gmail.users.%s,%d\n", m.Method, m.Explained)
		if i > 0 {
			series += ","
		}
		series += fmt.Sprintf(`{"resource": {"labels": {"method": "gmail.users.%s"}}, "points": [{"value": {"int64Value": "%d"}}]}`, m.Method, m.Explained)
	}
	series += "]}"
	for _, c := range []struct {
		name, counts string
		status       int
		want         string
	}{
		{"as explained", rows, 0, "labels.list"},
		{"as Cloud Monitoring answers", series, 0, "labels.list"},
		{"a method that nobody logged", rows + "gmail.users.settings.filters.list,3\n", exitVerify, "of which the log knows nothing"},
		{"ten times as many", rows + "gmail.users.labels.list,1000\n", exitVerify, "more requests than the log explains"},
		{"a list", `[{"method": "gmail.users.messages.export", "count": 7}]`, exitVerify, "messages.export"},
		{"empty", "", exitFailure, "it is empty"},
		{"no count", "method,when\nx,1\n", exitFailure, "a column method and a column count"},
		{"not a number", "method,count\nx,many\n", exitFailure, "row 2"},
		{"half a JSON", `{"timeSeries": [`, exitFailure, "timeSeries.list"},
		{"negative", "method,count\nx,-1\n", exitFailure, "makes no sense"},
	} {
		path := filepath.Join(t.TempDir(), "counts")
		writeFile(t, path, c.counts)
		if out, status := once(t, "audit", "reconcile", "--data", data, "--counts", path); status != c.status || !strings.Contains(out, c.want) {
			t.Errorf("%s: status %d, want %d and %q\n%s", c.name, status, c.status, c.want, out)
		}
	}
}

// TestReconcileLooksOfStaff: a look of staff that an agreement in the log precedes is in order; take the agreement's event
// out of what is searched, and it is not. A decision without its outcome is found.
func TestReconcileLooksOfStaff(t *testing.T) {
	d := newHelpdesk(t)
	message := d.put(adaAddress, "helpdesk", "It does not open.")
	ada, sam, pat := newBrowser(t, d.base), newBrowser(t, d.base), newBrowser(t, d.base)
	ada.signIn(adaAddress)
	sam.signInStaff("sam@staff.example")
	pat.signInStaff("pat@staff.example")
	sam.acknowledge()
	pat.acknowledge()
	var request struct{ ID string }
	sam.post("/api/staff/requests", map[string]any{"mailbox": adaAddress, "case": "7", "reason": "x", "messages": []string{message}, "minutes": 5}, &request)
	pat.post("/api/staff/requests/"+request.ID+"/approve", nil, nil)
	var to struct{ Redirect string }
	ada.post("/api/access/requests/"+request.ID+"/agree", map[string]any{"messages": []any{map[string]any{"id": message, "attachments": false}}}, &to)
	res, page := ada.fetch("GET", to.Redirect, nil)
	for range 3 {
		if res.Request.URL.Path == "/settings/access" {
			break
		}
		res, page = ada.press(res, page, adaAddress, "Continue")
	}
	sam.get("/api/staff/requests/"+request.ID+"/messages/"+message, nil)
	d.stop()

	look := func() (r reconciliation, status int) {
		out, status := once(t, "audit", "reconcile", "--data", d.options.Data, "--json")
		line, _, _ := strings.Cut(out, "\n")
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return r, status
	}
	if r, status := look(); status != 0 || r.HumanViews == 0 || len(r.WithoutAgreement) != 0 {
		t.Errorf("with the agreement: status %d, %+v", status, r)
	}
	change(t, d.options.Data, `UPDATE decisionlog_events SET operation = 'access.asked' WHERE operation = 'access.agreed'`)
	if r, status := look(); status != exitVerify || len(r.WithoutAgreement) != r.HumanViews {
		t.Errorf("without it: status %d, %+v", status, r)
	}
	change(t, d.options.Data, `UPDATE decisionlog_events SET operation = 'access.agreed' WHERE idx = (SELECT max(idx) FROM decisionlog_events WHERE operation = 'access.asked')`,
		`DELETE FROM decisionlog_events WHERE kind = 'outcome'`, `UPDATE decisionlog_events SET at = at - 3600000000`)
	if r, status := look(); status != exitVerify || r.OpenCount == 0 || len(r.WithoutOutcome) != r.OpenCount {
		t.Errorf("without outcomes: status %d, %+v", status, r)
	}
}

// TestServedTiles: an auditor's tool computes the signed root from the tiles that the server gives, and the whole
// subscription leaves one decision and, when the server stops, one outcome that counts what was read.
func TestServedTiles(t *testing.T) {
	data := t.TempDir()
	p := startDemo(t, data)
	auditor := newBrowser(t, p.url)
	auditor.signInStaff("audit@staff.example.com")
	_, text := auditor.fetch("GET", "/audit/log/checkpoint", nil)
	verifier, err := decisionlog.LoadVerifier(filepath.Join(data, "keys", "log.key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := decisionlog.OpenCheckpoint([]byte(text), verifier.Name(), verifier)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	_, tile := auditor.fetch("GET", fmt.Sprintf("/audit/log/tile/0/000.p/%d", tree.N), nil)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, err error) {
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	for n := int64(0); n < tree.N; n++ {
		more, err := tlog.StoredHashesForRecordHash(n, tlog.Hash([]byte(tile[n*tlog.HashSize:(n+1)*tlog.HashSize])), reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	if root, err := tlog.TreeHash(tree.N, reader); err != nil || root != tree.Hash {
		t.Errorf("the tiles give the root %v, %v, want %v", root, err, tree.Hash)
	}
	p.stop(t)
	decisions, _ := once(t, "audit", "query", "--data", data, "--operation", "log.query", "--format", "jsonl")
	outcomes, _ := once(t, "audit", "query", "--data", data, "--kind", "outcome", "--outcome", "done", "--format", "jsonl")
	if strings.Count(decisions, "\n") != 1 || !strings.Contains(outcomes, `"items":2`) {
		t.Errorf("the log has the decisions\n%sand outcomes\n%swant one of each, of two files", decisions, outcomes)
	}
}

// FuzzReadCounts: whatever the file holds, it is an error or counts of methods that have names.
func FuzzReadCounts(f *testing.F) {
	for _, seed := range []string{
		"method,count\ngmail.users.messages.get,12.0\n", `[{"method": "x", "count": 9223372036854775807}, {"method": "x", "count": 1}]`,
		`{"timeSeries": [{"resource": {"labels": {"method": "users.x"}}, "points": [{"value": {"int64Value": "1"}}]}]}`, "method,count\nx,NaN\n", "{", "[", "\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		counts, err := readCounts(text)
		if err != nil {
			return
		}
		if len(counts) == 0 {
			t.Error("no error, and no counts")
		}
		for method, n := range counts {
			if method == "" || n < 0 {
				t.Errorf("method %q has count %d", method, n)
			}
		}
	})
}
