package consent_test

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/limiteduse"
)

var product = consent.Product{Name: "Webmail", Operator: "Example Ltd", Contact: "privacy@example.com", HelpURL: "https://example.com/help/data"}

func render(t *testing.T, version int) consent.Text {
	t.Helper()
	text, err := consent.Render(version, product)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// published are the digests of the texts that owners have agreed to, rendered for the product above. A line
// is never changed: another text is another version.
var published = map[int]string{
	1: "528d1cbe98eae46d4ca036274eb99d92573129716fe63094692fa39a01e041fd",
}

func TestPublishedTextsStand(t *testing.T) {
	for version := 1; version <= consent.Current; version++ {
		text := render(t, version)
		if got := hex.EncodeToString(text.SHA256[:]); got != published[version] {
			t.Errorf("version %d: got digest %s, want %s: a published text must not change, make a new version", version, got, published[version])
		}
	}
}

func TestCurrentIsThePolicys(t *testing.T) {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		t.Fatal(err)
	}
	if tables.Disclosure.Version != consent.Current {
		t.Errorf("the policy asks for disclosure %d, this package shows %d", tables.Disclosure.Version, consent.Current)
	}
}

// disclosed says by which words the current text discloses each purpose of the policy (DISC-1, CHG-1).
var disclosed = map[string]string{
	"account.manage": "Managing the connection",
	"audit.read":     "auditors check the records",
	"inbox.compose":  "keeping the drafts",
	"inbox.organise": "Organising your mail",
	"inbox.read":     "Showing you your mail",
	"inbox.search":   "Searching your mail",
	"inbox.send":     "Sending the messages",
	"inbox.sync":     "up to date",
}

// TestEveryPurposeIsDisclosed fails when the policy learns a purpose that owners were not told of: that needs
// a new version of the text and of disclosure.version.
func TestEveryPurposeIsDisclosed(t *testing.T) {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		t.Fatal(err)
	}
	text := render(t, consent.Current)
	for purpose := range tables.Purposes {
		words := disclosed[purpose]
		if words == "" || !strings.Contains(text.Plain, words) {
			t.Errorf("purpose %s is not in the disclosure (words %q)", purpose, words)
		}
	}
}

func TestRender(t *testing.T) {
	text := render(t, consent.Current)
	for _, words := range []string{product.Name, product.Operator, product.Contact, product.HelpURL, "not for advertising", "not transferred to anyone", "machine learning"} {
		if !strings.Contains(text.Plain, words) {
			t.Errorf("the disclosure lacks %q", words)
		}
	}
	if strings.Contains(text.Plain, "{{") || strings.Contains(text.Plain, "<no value>") {
		t.Error("the disclosure has unfilled places")
	}
	// What a page lays out is all of what is hashed, and nothing else.
	shown := text.Title + text.Intro
	for _, s := range text.Sections {
		shown += s.Heading
		for _, b := range s.Blocks {
			shown += b.Paragraph + strings.Join(b.Items, "")
		}
	}
	strip := func(s string) string {
		return strings.Join(strings.Fields(strings.NewReplacer("\n# ", "", "\n- ", "", "\n", "").Replace(s)), " ")
	}
	if got, want := strip(shown), strip(text.Plain); got != want {
		t.Errorf("the page shows\n%s\nand the digest is over\n%s", got, want)
	}

	other := product
	other.Name = "Another"
	renamed, err := consent.Render(consent.Current, other)
	if err != nil || renamed.SHA256 == text.SHA256 {
		t.Errorf("the digest does not depend on the product's name: %v", err)
	}
}

func TestRenderRefuses(t *testing.T) {
	for name, change := range map[string]func(*consent.Product){
		"no name": func(p *consent.Product) { p.Name = "" }, "no operator": func(p *consent.Product) { p.Operator = "" },
		"no contact": func(p *consent.Product) { p.Contact = "" }, "no help": func(p *consent.Product) { p.HelpURL = "" },
		"a line of its own": func(p *consent.Product) { p.Name = "Webmail\n# Nothing is stored" },
	} {
		p := product
		change(&p)
		if _, err := consent.Render(consent.Current, p); err == nil {
			t.Errorf("%s: rendered", name)
		}
	}
	if _, err := consent.Render(consent.Current+1, product); err == nil {
		t.Error("a version that does not exist was rendered")
	}
}

func TestRecords(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		db := open(t)
		now := time.Date(2026, 11, 1, 12, 0, 0, 123456000, time.UTC)
		store, err := consent.Open(t.Context(), db, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Latest(t.Context(), "mailbox"); !errors.Is(err, consent.ErrNone) {
			t.Errorf("before any act: got %v, want ErrNone", err)
		}
		text := render(t, consent.Current)
		record, err := store.Agree(t.Context(), "ada", text)
		if err != nil {
			t.Fatal(err)
		}
		want := consent.Record{ID: record.ID, Person: "ada", Version: consent.Current, SHA256: text.SHA256, Act: consent.Agreed, At: now}
		if got, err := store.Get(t.Context(), record.ID); err != nil || got != want {
			t.Errorf("got %+v %v, want %+v", got, err, want)
		}

		bind := func(person policy.PersonID, account policy.AccountID) error {
			return db.Write(t.Context(), func(tx *sql.Tx) error { return store.Bind(t.Context(), tx, record.ID, person, account) })
		}
		if err := bind("bob", "mailbox"); !errors.Is(err, consent.ErrNone) {
			t.Errorf("bound for somebody else: got %v, want ErrNone", err)
		}
		if err := bind("ada", "mailbox"); err != nil {
			t.Fatal(err)
		}
		if err := bind("ada", "other"); !errors.Is(err, consent.ErrNone) {
			t.Errorf("bound twice: got %v, want ErrNone", err)
		}
		want.Account = "mailbox"
		if got, err := store.Latest(t.Context(), "mailbox"); err != nil || got != want {
			t.Errorf("latest: got %+v %v, want %+v", got, err, want)
		}
		if got := view(t, db); !slices.Equal(got, []int{1}) {
			t.Errorf("view: got versions %v, want 1", got)
		}

		now = now.Add(time.Hour)
		err = db.Write(t.Context(), func(tx *sql.Tx) error { return store.Withdraw(t.Context(), tx, "ada", "mailbox") })
		if err != nil {
			t.Fatal(err)
		}
		if got, err := store.Latest(t.Context(), "mailbox"); err != nil || got.Version != 0 || got.Act != consent.Withdrawn || got.At != now {
			t.Errorf("after withdrawing: %+v %v", got, err)
		}
		if got := view(t, db); !slices.Equal(got, []int{0}) {
			t.Errorf("view after withdrawing: got versions %v, want 0", got)
		}
	})
}

// view reads the versions that other packages see for the mailbox.
func view(t *testing.T, db *database.DB) (versions []int) {
	t.Helper()
	rows, err := db.Read().QueryContext(t.Context(), `SELECT version FROM consent_latest WHERE account = $1`, "mailbox")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v int
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v)
	}
	return versions
}
