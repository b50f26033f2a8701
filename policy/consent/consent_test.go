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
	2: "b7c9abbc39e01497e130f63a4e206b8aa87d6f803479bd170dc95adcdc802118",
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
	"internal_ops":   "at least 50 people",
	"support.view":   "specific messages that you agree to",
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

// news says by which words a text discloses each feature that an earlier text did not, and each recipient.
var news = map[string]string{
	"access_history": "showing you who accessed it", "aggregate_release": "counting how it is used", "aggregate_report": "numbers about at least 50 people",
	"agreed_view": "support may see specific messages that you agree to", "data_download": "a copy of what is stored", "remote_images": "show the pictures of a message",
	"start_draft": "Other services of", "unread_badge": "a count of unread messages", "unsubscribe": "unsubscribe from a list",
	"platform_service": "Other services of", "remote_host": "Those servers see", "unsubscribe_host": "the address that the message names is told so",
}

// TestEveryChangeIsDisclosed fails when the policy learns a feature or a recipient that the text of its disclosure
// version does not tell of (DISC-5, CHG-1): a feature of its own needs a text of its own.
func TestEveryChangeIsDisclosed(t *testing.T) {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		t.Fatal(err)
	}
	told := func(name string, version int) {
		if words := news[name]; words == "" || !strings.Contains(render(t, version).Plain, words) {
			t.Errorf("%s is not in disclosure %d (words %q)", name, version, words)
		}
		for earlier := 1; earlier < version; earlier++ {
			if strings.Contains(render(t, earlier).Plain, news[name]) {
				t.Errorf("%s was in disclosure %d already (words %q)", name, earlier, news[name])
			}
		}
	}
	for name, f := range tables.Features {
		if f.Disclosure > consent.Current {
			t.Errorf("%s waits for disclosure %d, which does not exist", name, f.Disclosure)
		} else if f.Disclosure > 1 {
			told(name, f.Disclosure)
		}
	}
	for id, r := range tables.Recipients {
		if len(r.Features) > 0 { // one that no feature uses gets nothing
			told(id, consent.Current)
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
		want := consent.Record{ID: record.ID, Person: "ada", Version: consent.Current, Language: "en", SHA256: text.SHA256, Act: consent.Agreed, At: now}
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
		if got := view(t, db); !slices.Equal(got, []int{consent.Current}) {
			t.Errorf("view: got versions %v, want %d", got, consent.Current)
		}
		if got, err := store.Of(t.Context(), "ada"); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("the person's records: got %+v %v, want %+v", got, err, want)
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

// TestAnnouncement: the first start with a disclosure announces it, and later starts do not announce it again.
func TestAnnouncement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		db := open(t)
		first := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
		for _, start := range []time.Time{first, first.Add(48 * time.Hour)} {
			store, err := consent.Open(t.Context(), db, func() time.Time { return start })
			if err != nil {
				t.Fatal(err)
			}
			if got := store.Announced(); !got.Equal(first) {
				t.Errorf("started at %v: announced %v, want %v", start, got, first)
			}
		}
	})
}

// TestFirstVersion: what the owner agreed to first stays known when a newer text is agreed to, and a consent
// that led to no mailbox does not count.
func TestFirstVersion(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		db := open(t)
		store, err := consent.Open(t.Context(), db, nil)
		if err != nil {
			t.Fatal(err)
		}
		agree := func(version int, account policy.AccountID) {
			record, err := store.Agree(t.Context(), "ada", render(t, version))
			if err != nil {
				t.Fatal(err)
			}
			if account == "" {
				return
			}
			if err := db.Write(t.Context(), func(tx *sql.Tx) error { return store.Bind(t.Context(), tx, record.ID, "ada", account) }); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct {
			version     int
			account     policy.AccountID
			want, first int // of "mailbox"
		}{
			{2, "", 0, 0}, {1, "mailbox", 1, 1}, {2, "mailbox", 2, 1},
		} {
			agree(step.version, step.account)
			var version, first int
			err := db.Read().QueryRowContext(t.Context(), `SELECT version, first FROM consent_latest WHERE account = $1`, "mailbox").Scan(&version, &first)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				t.Fatal(err)
			}
			if version != step.want || first != step.first {
				t.Errorf("after version %d: holds %d, first %d; want %d, %d", step.version, version, first, step.want, step.first)
			}
		}

		if err := db.Write(t.Context(), func(tx *sql.Tx) error { return store.Unlink(t.Context(), tx, "ada") }); err != nil {
			t.Fatal(err)
		}
		if got, err := store.Of(t.Context(), "ada"); err != nil || len(got) != 0 {
			t.Errorf("after unlinking: %v %v, want no records of hers", got, err)
		}
		if _, err := store.Latest(t.Context(), "mailbox"); !errors.Is(err, consent.ErrNone) {
			t.Errorf("after unlinking, of the mailbox: got %v, want ErrNone", err)
		}
	})
}

func TestLanguages(t *testing.T) {
	for version := 1; version <= consent.Current; version++ {
		if got := consent.Languages(version); !slices.Contains(got, consent.English) {
			t.Errorf("version %d: got languages %v, want English among them", version, got)
		}
	}
	for _, language := range []string{"tlh", "", "../en", "en/..", "*"} {
		if _, err := consent.RenderIn(language, consent.Current, product); err == nil {
			t.Errorf("a text was rendered in language %q", language)
		}
	}
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
