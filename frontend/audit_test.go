package frontend_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// robin is an auditor with a second factor.
const robin = "robin.auditor@staff.example"

func (h *house) auditor() *person {
	h.T.Helper()
	h.SetGroups(robin, []string{"auditor"})
	return h.staff(robin)
}

type loggedEvent struct {
	Index                                                    int64
	Kind, DecisionID, Operation, Feature, Outcome, ActorKind string
	Allowed                                                  *bool
}

type detail struct {
	Event   loggedEvent
	Related []loggedEvent
	Input   []struct{ Name, Value string }
	Steps   []struct {
		Rule, Title   string
		Holds, Speaks bool
		Facts         []struct{ Name, Value string }
	}
	Clauses  []struct{ ID, Says string }
	Untraced string
	Revision string
	Kept     bool
}

func (p *person) decisions(query string) []loggedEvent {
	p.house.T.Helper()
	var page struct{ Events []loggedEvent }
	p.ok("GET", "/api/audit/decisions?"+query, nil, &page)
	return page.Events
}

// TestOneDecision: an auditor sees why an access was allowed, and why another was refused, in words and with the facts.
func TestOneDecision(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		id := h.put(letter)
		ada := h.owner(Ada)
		ada.ok("GET", "/api/accounts/"+string(h.account)+"/messages/"+id, nil, nil)
		auditor := h.auditor()

		read := auditor.decisions("kind=decision&operation=messages.get&allowed=true")
		if len(read) == 0 {
			t.Fatal("the reading is not in the log")
		}
		var d detail
		auditor.ok("GET", "/api/audit/decisions/"+read[0].DecisionID, nil, &d)
		if d.Event.Index != read[0].Index || len(d.Related) != 1 || d.Related[0].Outcome != "done" {
			t.Errorf("got %+v with %+v, want the decision and its outcome", d.Event, d.Related)
		}
		if len(d.Steps) == 0 || d.Untraced != "" || !d.Kept || len(d.Revision) != 64 {
			t.Errorf("the decision is not traced: %+v", d)
		}
		for _, step := range d.Steps {
			if !step.Speaks {
				t.Errorf("an allowed access shows %s, which speaks against it", step.Rule)
			}
		}
		if !slices.ContainsFunc(d.Input, func(l struct{ Name, Value string }) bool {
			return l.Name == "Who" && strings.HasPrefix(l.Value, "the mailbox's owner")
		}) {
			t.Errorf("the input in words is %+v", d.Input)
		}
		if len(d.Clauses) != 1 || d.Clauses[0].ID != "LU-USE-1" || d.Clauses[0].Says == "" {
			t.Errorf("the clauses are %+v", d.Clauses)
		}

		h.Exec(`UPDATE accounts SET scopes = $1`, "openid")
		ada.do("GET", "/api/accounts/"+string(h.account)+"/labels", nil)
		refused := auditor.decisions("kind=decision&allowed=false")
		if len(refused) == 0 {
			t.Fatal("without a scope nothing is refused")
		}
		auditor.ok("GET", fmt.Sprint("/api/audit/decisions/", refused[0].Index), nil, &d)
		found := slices.IndexFunc(d.Steps, func(s struct {
			Rule, Title   string
			Holds, Speaks bool
			Facts         []struct{ Name, Value string }
		}) bool {
			return s.Rule == "webmail.access.scope_granted"
		})
		if found < 0 || d.Steps[found].Speaks || !strings.Contains(fmt.Sprint(d.Steps[found].Facts), "permissions at Google openid") {
			t.Errorf("the refusal's steps are %+v, want scope_granted with the scopes", d.Steps)
		}
		var source struct{ Files []struct{ Name, Text string } }
		auditor.ok("GET", "/api/audit/policies/"+d.Revision, nil, &source)
		if len(source.Files) < 4 {
			t.Errorf("the policy has the files %+v", source.Files)
		}

		page := auditor.do("GET", fmt.Sprint("/api/audit/decisions/", read[0].Index, "/proof"), nil)
		if !strings.HasPrefix(page.Body, "c2sp.org/tlog-proof@v1\n") || !strings.Contains(page.Header.Get("Content-Disposition"), "decision-") {
			t.Errorf("the proof is %.60q with %v", page.Body, page.Header)
		}
		for path, want := range map[string]int{
			"/api/audit/decisions/999999": 404, "/api/audit/decisions/00000000-0000-0000-0000-000000000000": 404, "/api/audit/decisions/x": 400,
			"/api/audit/policies/" + strings.Repeat("0", 64): 404, "/audit/log/tile/0/999": 404, "/audit/log/tile/x": 404,
		} {
			if got := auditor.do("GET", path, nil).Status; got != want {
				t.Errorf("GET %s: %d, want %d", path, got, want)
			}
		}
	})
}

// TestTilesAreOneDecision: an auditor's tool reads many tiles under one decision for the session, and what it reads is the
// signed log.
func TestTilesAreOneDecision(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.owner(Ada)
		auditor := h.auditor()
		before := len(auditor.decisions("operation=log.query"))
		var text string
		for range 5 {
			page := auditor.do("GET", "/audit/log/checkpoint", nil)
			if page.Status != 200 {
				t.Fatalf("the checkpoint: %d", page.Status)
			}
			text = page.Body
		}
		size := strings.Split(text, "\n")[1]
		hashes := auditor.do("GET", "/audit/log/tile/0/000.p/"+size, nil)
		entries := auditor.do("GET", "/audit/log/tile/entries/000.p/"+size, nil)
		if fmt.Sprint(len(hashes.Body)/32) != size || len(hashes.Body)%32 != 0 || !strings.Contains(entries.Body, `"decision_id"`) {
			t.Errorf("of %s events: %d bytes of hashes (%d), %d of events (%d)", size, len(hashes.Body), hashes.Status, len(entries.Body), entries.Status)
		}
		if got := len(auditor.decisions("operation=log.query")) - before; got != 2 { // the tiles', and that of the page that counted before
			t.Errorf("reading seven files took %d decisions, want 1", got-1)
		}
	})
}

// TestWhoMayAudit tries every route of the console as everybody else.
func TestWhoMayAudit(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.put(letter)
		people := map[string]*person{"nobody": h.person(), "an owner": h.owner(Ada), "support": h.staff(Sam), "an auditor without a second factor": h.staff(Ann)}
		for _, path := range []string{
			"/api/audit/decisions", "/api/audit/checkpoint", "/api/audit/decisions/1", "/api/audit/decisions/1/proof", "/api/audit/summary", "/api/audit/refusals",
			"/api/audit/human-access", "/api/audit/reviews", "/api/audit/export?format=csv", "/audit/log/checkpoint", "/audit/log/tile/0/000.p/1", "/api/audit/stream",
		} {
			for who, p := range people {
				if page := p.do("GET", path, nil, "Accept", "text/event-stream"); page.Status != 401 && page.Status != 403 {
					t.Errorf("%s: GET %s gives %d, want a refusal", who, path, page.Status)
				}
			}
		}
		auditor := h.auditor()
		var refusers struct {
			Refusers []struct {
				ActorKind, Look string
				Refusals        int64
			}
		}
		auditor.ok("GET", "/api/audit/refusals", nil, &refusers)
		if len(refusers.Refusers) == 0 || refusers.Refusers[0].ActorKind != "auditor" || refusers.Refusers[0].Look == "" || refusers.Refusers[0].Refusals < 10 {
			t.Errorf("worth a look are %+v, want the auditor without a second factor", refusers.Refusers)
		}
	})
}

func TestSummaryAndHumanAccess(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		id := h.put(letter)
		ada, sam, pat := h.owner(Ada), h.staff(Sam), h.staff(Pat)
		ada.ok("GET", "/api/accounts/"+string(h.account)+"/messages/"+id, nil, nil)
		request := asked(t, sam, pat, id)
		agree(t, ada, request.ID, Ada, tick(id, false))
		sam.ok("GET", "/api/staff/requests/"+request.ID+"/messages/"+id, nil, nil)
		ada.ok("POST", "/api/access/requests/"+request.ID+"/revoke", map[string]any{}, nil)
		sam.do("GET", "/api/staff/requests/"+request.ID+"/messages/"+id, nil)

		auditor := h.auditor()
		var human struct {
			Agreements []struct {
				Agreement    string
				Steps, Views []loggedEvent
			}
			Without  []loggedEvent
			Complete bool
		}
		auditor.ok("GET", "/api/audit/human-access", nil, &human)
		if len(human.Agreements) != 1 || !human.Complete || len(human.Agreements[0].Steps) < 3 {
			t.Fatalf("human accesses are %+v, want one agreement and its steps", human)
		}
		allowed := 0
		for _, v := range human.Agreements[0].Views {
			if *v.Allowed {
				allowed++
			}
		}
		if allowed == 0 {
			t.Errorf("the looks are %+v, want one that was allowed", human.Agreements[0].Views)
		}

		var summary struct {
			Size   int64
			Days   []struct{ Allowed, Refused int64 }
			Groups []struct {
				By, Name         string
				Allowed, Refused int64
				Days             []struct{ Allowed, Refused int64 }
			}
		}
		auditor.ok("GET", "/api/audit/summary", nil, &summary)
		count := map[string]int64{}
		for _, g := range summary.Groups {
			count[g.By+" "+g.Name] = g.Allowed
			if charted := g.By == "clause" || g.By == "purpose"; charted != (len(g.Days) == 1) || charted && (g.Days[0].Allowed != g.Allowed || g.Days[0].Refused != g.Refused) {
				t.Errorf("by day, %s %s is %+v of %d and %d", g.By, g.Name, g.Days, g.Allowed, g.Refused)
			}
		}
		if len(summary.Days) != 1 || summary.Size == 0 || count["purpose support.view"] != int64(allowed) || count["way read"] == 0 || count["outcome done"] == 0 || count["clause LU-HUM-1"] != int64(allowed) {
			t.Errorf("the summary is %+v", summary)
		}
		auditor.ok("GET", "/api/audit/summary?purpose=support.view&since="+h.Now().Add(-48*time.Hour).UTC().Format(time.RFC3339), nil, &summary)
		for _, g := range summary.Groups {
			if g.By == "purpose" && g.Name != "support.view" {
				t.Errorf("a filtered summary counts %s", g.Name)
			}
		}
	})
}

func TestSavedSearchesAreOnesOwn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		auditor := h.auditor()
		var saved struct{ ID string }
		auditor.ok("POST", "/api/audit/searches", map[string]any{"name": "Refused staff", "query": "allowed=false&actorKind=staff"}, &saved)
		h.SetGroups("rita.reviewer@staff.example", []string{"reviewer"})
		other := h.staff("rita.reviewer@staff.example")
		var list struct {
			Searches []struct{ ID, Name, Query string }
		}
		if other.ok("GET", "/api/audit/searches", nil, &list); len(list.Searches) != 0 {
			t.Errorf("somebody else sees %+v", list.Searches)
		}
		if got := other.do("DELETE", "/api/audit/searches/"+saved.ID, nil).Status; got != 404 {
			t.Errorf("somebody else's removing gives %d, want 404", got)
		}
		if auditor.ok("GET", "/api/audit/searches", nil, &list); len(list.Searches) != 1 || list.Searches[0].Query != "allowed=false&actorKind=staff" {
			t.Errorf("the auditor's searches are %+v", list.Searches)
		}
		auditor.ok("DELETE", "/api/audit/searches/"+saved.ID, nil, nil)
		if got := auditor.do("POST", "/api/audit/searches", map[string]any{"name": "x", "query": "<script>"}).Status; got != 400 {
			t.Errorf("a search that is none: %d, want 400", got)
		}
		for range 50 {
			auditor.ok("POST", "/api/audit/searches", map[string]any{"name": "x", "query": ""}, nil)
		}
		if got := auditor.do("POST", "/api/audit/searches", map[string]any{"name": "x", "query": ""}).Status; got != 400 {
			t.Errorf("the 51st search: %d, want 400", got)
		}
	})
}

// TestWeeklyReview: signing a week off is an event in the log with what was seen; a week that is not over, or that does not
// exist, is not signed.
func TestWeeklyReview(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.owner(Ada)
		ada.ok("GET", "/api/accounts/"+string(h.account)+"/labels", nil, nil)
		auditor := h.auditor()
		type weeks struct {
			Weeks []struct {
				Week             string
				Allowed, Refused int64
				Over             bool
				Reviews          []struct{ By, TreeSize string }
			}
		}
		var list weeks
		auditor.ok("GET", "/api/audit/reviews", nil, &list)
		if len(list.Weeks) != 12 || list.Weeks[0].Over || !list.Weeks[1].Over || list.Weeks[0].Allowed == 0 {
			t.Fatalf("the weeks are %+v", list.Weeks)
		}
		for week, want := range map[string]int{list.Weeks[0].Week: 400, "2020-W54": 400, "9999-W99": 400, "x": 400, list.Weeks[1].Week: 204} {
			if got := auditor.do("POST", "/api/audit/reviews", map[string]any{"week": week}).Status; got != want {
				t.Errorf("signing %s: %d, want %d", week, got, want)
			}
		}
		auditor.ok("GET", "/api/audit/reviews", nil, &list)
		if got := list.Weeks[1].Reviews; len(got) != 1 || got[0].By == "" || got[0].TreeSize == "" {
			t.Errorf("the signed week has %+v", got)
		}
		if got := auditor.decisions("kind=lifecycle&operation=audit.reviewed"); len(got) != 1 {
			t.Errorf("the log holds %d reviews, want 1", len(got))
		}
		h.SetGroups("rita.reviewer@staff.example", []string{"reviewer"})
		if got := h.staff("rita.reviewer@staff.example").do("POST", "/api/audit/reviews", map[string]any{"week": list.Weeks[2].Week}).Status; got != 403 {
			t.Errorf("a reviewer signs: %d, want 403", got)
		}
	})
}

// TestExportSaysWhatItIs: the exported file has the digest, count and filter that its manifest says.
func TestExportSaysWhatItIs(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.owner(Ada)
		ada.ok("GET", "/api/accounts/"+string(h.account)+"/labels", nil, nil)
		auditor := h.auditor()
		for _, format := range []string{"csv", "jsonl"} {
			page := auditor.do("GET", "/api/audit/export?format="+format+"&kind=decision&actorKind=owner", nil)
			archive, err := zip.NewReader(strings.NewReader(page.Body), int64(len(page.Body)))
			if err != nil {
				t.Fatalf("%d: %v", page.Status, err)
			}
			files := map[string][]byte{}
			for _, f := range archive.File {
				r, err := f.Open()
				must(t, err)
				files[f.Name], err = io.ReadAll(r)
				must(t, err)
			}
			var said struct {
				SHA256     string `json:"sha256"`
				Count      int    `json:"count"`
				TreeSize   int64  `json:"tree_size"`
				Checkpoint string `json:"checkpoint"`
			}
			must(t, json.Unmarshal(files["manifest.json"], &said))
			events := files["events."+format]
			lines := bytes.Count(events, []byte("\n"))
			if format == "csv" {
				lines--
			}
			if sum := sha256.Sum256(events); said.SHA256 != hex.EncodeToString(sum[:]) || said.Count != lines || lines == 0 || said.TreeSize == 0 || said.Checkpoint == "" {
				t.Errorf("%s: the manifest says %+v of %d lines", format, said, lines)
			}
		}
	})
}

// TestStream: an auditor's page hears of what happens as it happens, without the page's own reading.
func TestStream(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada, auditor := h.owner(Ada), h.auditor()
		r, err := http.NewRequestWithContext(t.Context(), "GET", h.url+"/api/audit/stream?kind=decision", nil)
		must(t, err)
		r.Header.Set("Accept", "text/event-stream")
		for _, c := range auditor.Cookies(h.url) {
			r.AddCookie(c)
		}
		res, err := (&http.Client{Transport: h.transport}).Do(r)
		must(t, err)
		defer res.Body.Close()
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("the stream: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
		}
		lines := bufio.NewScanner(res.Body)
		lines.Scan() // alive: from here on the stream follows
		got := make(chan loggedEvent)
		go func() {
			for lines.Scan() {
				if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
					var e loggedEvent
					if json.Unmarshal([]byte(data), &e) == nil {
						got <- e
					}
				}
			}
			close(got)
		}()
		for range 20 { // the first may come before the stream follows the log
			auditor.decisions("limit=1")
			ada.ok("GET", "/api/accounts/"+string(h.account)+"/labels", nil, nil)
			select {
			case e := <-got:
				// Listing labels takes two decisions, of which the stream may begin with the second.
				if e.Feature != "label_list" || e.ActorKind != "owner" {
					t.Errorf("the stream sends %+v, want the owner's reading", e)
				}
				return
			case <-time.After(time.Second):
			}
		}
		t.Error("nothing comes through the stream")
	})
}
