package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy/assess"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// openProduct opens the product's database read-only; it is nil where there is none, for a log may be assessed without.
func (c *assessMakeCmd) openProduct(ctx context.Context) (*database.DB, func()) {
	db, err := database.OpenReadOnly(ctx, c.productURL())
	if err != nil {
		return nil, func() {}
	}
	return db, func() { _ = db.Close() }
}

// collectors are what is asked of the product's own database, if there is one, and of this program.
func collectors(db *database.DB, p consent.Product, at time.Time) []assess.Collector {
	return []assess.Collector{
		programCollector(at),
		{
			Section: assess.Consents, Item: assess.Item{ID: "texts", Title: "Disclosures as they are rendered", From: "the texts in the program, and the table of consents"},
			Collect: func(ctx context.Context) (assess.Item, error) { return textsItem(ctx, db, p, at) },
		},
		{
			Section: assess.Leaving, Item: assess.Item{ID: "rows", Title: "Rows in each store", From: "the product's database"},
			Collect: func(ctx context.Context) (assess.Item, error) { return rowsItem(ctx, db, at) },
		},
	}
}

// programCollector says which program made the pack, or answers: its hash is to be the one in the start event.
func programCollector(at time.Time) assess.Collector {
	about := assess.Item{ID: "program", Title: "This program", From: "the program's own file", At: at}
	return assess.Collector{Section: assess.Running, Item: about, Collect: func(context.Context) (assess.Item, error) {
		sum, err := programSum()
		i := about
		i.Status, i.Says = assess.Shown, "What gathered this. If it is the program that serves as well, its last start names the same hash."
		i.Columns, i.Rows = []string{"What", "Value"}, [][]string{{"version", version}, {"SHA-256 of the program", sum}, {"revision of the built-in rules", limiteduse.Revision()}}
		return i, err
	}}
}

// programSum is the SHA-256 of the running program's file, read once.
var programSum = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
})

// errNoDatabase is what collectors of rows fail with when there is no product database at hand.
var errNoDatabase = errors.New("there is no product database")

// textsItem renders every disclosure and compares its hash with those that owners agreed to.
func textsItem(ctx context.Context, db *database.DB, p consent.Product, at time.Time) (assess.Item, error) {
	i := assess.Item{
		ID: "texts", Title: "Disclosures as they are rendered", From: "the texts in the program, and the table of consents", At: at, Status: assess.Shown,
		Columns: []string{"Version", "Language", "SHA-256 of the text", "Rendered by this program", "Agreed to so often"},
	}
	agreed := map[[3]string]int{}
	if db != nil {
		rows, err := db.Read().QueryContext(ctx, `SELECT version, language, text_sha256, count(*) FROM consents WHERE act = 'agreed' GROUP BY version, language, text_sha256`)
		if err != nil {
			return i, err
		}
		defer rows.Close()
		for rows.Next() {
			var (
				number, n int
				language  string
				sum       []byte
			)
			if err := rows.Scan(&number, &language, &sum, &n); err != nil {
				return i, err
			}
			agreed[[3]string{fmt.Sprint(number), language, hex.EncodeToString(sum)}] = n
		}
		if err := rows.Err(); err != nil {
			return i, err
		}
	}
	for number := 1; number <= consent.Current; number++ {
		for _, language := range consent.Languages(number) {
			text, err := consent.RenderIn(language, number, p)
			if err != nil {
				return i, err
			}
			key := [3]string{fmt.Sprint(number), language, hex.EncodeToString(text.SHA256[:])}
			i.Rows = append(i.Rows, []string{key[0], key[1], key[2], "yes", fmt.Sprint(agreed[key])})
			i.Details = append(i.Details, assess.Detail{Title: fmt.Sprintf("Disclosure %d (%s): the whole text", number, language), Text: text.Plain})
			delete(agreed, key)
		}
	}
	strange := 0
	for _, key := range slices.SortedFunc(maps.Keys(agreed), func(a, b [3]string) int { return strings.Compare(strings.Join(a[:], " "), strings.Join(b[:], " ")) }) {
		strange += agreed[key]
		i.Rows = append(i.Rows, []string{key[0], key[1], key[2], "no", fmt.Sprint(agreed[key])})
	}
	switch {
	case db == nil:
		i.Says = "The texts as this program shows them. The table of consents was not at hand."
	case strange == 0:
		i.Status, i.Says = assess.Passed, "Every consent that is stored is to a text that this program renders to the same hash."
	default:
		i.Status = assess.Human
		i.Says = fmt.Sprintf("%d consents are to texts that this program does not render so: of another name, operator, contact or address. Give the ones of that time (--product-name, --operator, --contact, --public-url) to see them.", strange)
	}
	return i, nil
}

// rowsItem counts the rows of each store of the retention table.
func rowsItem(ctx context.Context, db *database.DB, at time.Time) (assess.Item, error) {
	i := assess.Item{ID: "rows", Title: "Rows in each store", From: "the product's database", At: at, Status: assess.Shown, Says: "Counts alone; nothing of a row is read.", Columns: []string{"Store", "Table", "Rows"}}
	if db == nil {
		return i, errNoDatabase
	}
	counts, err := storeCounts(ctx, db)
	if err != nil {
		return i, err
	}
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return i, err
	}
	for _, store := range slices.Sorted(maps.Keys(tables.Retention)) {
		for _, table := range slices.Sorted(maps.Keys(tables.Retention[store].Tables)) {
			if n, ok := counts[table]; ok {
				i.Rows = append(i.Rows, []string{store, table, fmt.Sprint(n)})
			}
		}
	}
	return i, nil
}

// storeCounts counts the rows of the tables of the retention table, those of the log left out: it is a database of its own.
func storeCounts(ctx context.Context, db *database.DB) (map[string]int, error) {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, row := range tables.Retention {
		for table := range row.Tables {
			if strings.HasPrefix(table, "decisionlog_") || strings.HasPrefix(table, "policy_") {
				continue
			}
			var n int
			// A table's name cannot be a parameter; these come from the program's own table.
			if err := db.Read().QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil {
				return nil, fmt.Errorf("counting %s: %w", table, err)
			}
			counts[table] = n
		}
	}
	return counts, nil
}
