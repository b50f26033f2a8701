package main

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
)

// TestOperationsReadNumbers runs the program over a month that was released before: the person for operations
// reads it, after acknowledging the rules and by a decision that the log has; nobody else does.
func TestOperationsReadNumbers(t *testing.T) {
	data := t.TempDir()
	startDemo(t, data).stop(t)
	publishMonth(t, data)
	p := startDemo(t, data)
	olive, sam, alice := newBrowser(t, p.url), newBrowser(t, p.url), newBrowser(t, p.url)
	olive.signInStaff("operate@staff.example.com")
	sam.signInStaff("support@staff.example.com")
	alice.signIn("alice@example.com")

	var refused struct{ Clauses []string }
	if status := olive.status("GET", "/api/staff/numbers", nil, &refused); status != 403 || !slices.Contains(refused.Clauses, "LU-HUM-5") {
		t.Errorf("before acknowledging the rules: got %d %+v, want a refusal by LU-HUM-5", status, refused)
	}
	acknowledge(t, olive)
	acknowledge(t, sam)
	var got struct {
		Months []struct {
			Month   string
			Release *struct {
				ID        string
				Margin    int
				Questions []struct {
					ID    string
					Cells []struct {
						ID     string
						Owners int
					}
				}
			}
		}
		MinOwners int
		NextAt    time.Time
	}
	olive.get("/api/staff/numbers", &got)
	if len(got.Months) != 1 || got.Months[0].Release == nil || got.Months[0].Release.ID != "a release" || got.Months[0].Release.Questions[0].Cells[0].Owners != 812 || got.MinOwners != 50 {
		t.Errorf("got %+v, want the one release", got)
	}
	if !got.NextAt.After(time.Now()) || time.Until(got.NextAt) > 32*24*time.Hour {
		t.Errorf("the next month is said to be counted at %v", got.NextAt)
	}

	var service struct {
		Since  time.Time
		Routes []struct {
			Method, Route string
			Requests      int
			Refused       int
		}
	}
	olive.get("/api/staff/service", &service)
	found := false
	for _, r := range service.Routes {
		found = found || r.Method == "GET" && r.Route == "/api/staff/numbers" && r.Requests == 2 && r.Refused == 1
	}
	if !found {
		t.Errorf("got %+v, want two requests for the numbers, one of them refused", service)
	}

	for name, b := range map[string]*browser{"support": sam, "an owner": alice} {
		for _, path := range []string{"/api/staff/numbers", "/api/staff/service"} {
			if status := b.status("GET", path, nil, nil); status != 403 {
				t.Errorf("%s for %s: got %d, want 403", path, name, status)
			}
		}
	}
	auditor := newBrowser(t, p.url)
	auditor.signInStaff("audit@staff.example.com")
	var decisions decisionPage
	auditor.get("/api/audit/decisions?kind=decision&feature=aggregate_report&limit=500", &decisions)
	if !decisions.has("aggregates.read", "aggregate_report") {
		t.Error("the log does not have the reading")
	}
}

func acknowledge(t *testing.T, b *browser) {
	t.Helper()
	var rules struct {
		Text struct {
			Version int
			SHA256  string
		}
	}
	b.get("/api/staff/acknowledgement", &rules)
	b.post("/api/staff/acknowledgement", map[string]any{"version": rules.Text.Version, "sha256": rules.Text.SHA256}, nil)
}

// publishMonth puts a release where a month that is over would have left one.
func publishMonth(t *testing.T, data string) {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(data, "webmail.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	month, body := "2026-01", `{"id":"a release","month":"2026-01","catalogue":1,"minOwners":50,"epsilon":1,"delta":0.000001,"margin":18,
		"questions":[{"id":"features","cells":[{"id":"search","owners":812}]}]}`
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO aggregate_ledger (month, epsilon, delta, claim, claimed, closed, release)
			VALUES ($1, 1000000, 1000000, 'a decision', 1, 2, 'a release')`, month)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(t.Context(), `INSERT INTO aggregate_releases (id, month, owners, body, released) VALUES ('a release', $1, 50, $2, $3)`,
			month, []byte(body), time.Now().UnixMicro())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
