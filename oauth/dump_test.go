package oauth_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/totalengage/webmail/internal/database"
	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// dump returns what a thief of the database would have: on SQLite the bytes of its files, deleted rows
// included; on PostgreSQL every column of every table, binary ones in hexadecimal.
func dump(t *testing.T, w *World) string {
	t.Helper()
	if w.DB.Dialect() == database.SQLite {
		return dumpFiles(t, w)
	}
	var all strings.Builder
	for _, table := range column(t, w, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`) {
		for _, row := range column(t, w, fmt.Sprintf(`SELECT t::text FROM %q t`, table)) {
			all.WriteString(row + "\n")
		}
	}
	return all.String()
}

func dumpFiles(t *testing.T, w *World) string {
	t.Helper()
	var all strings.Builder
	for _, path := range column(t, w, `SELECT file FROM pragma_database_list WHERE name = 'main'`) {
		for _, suffix := range []string{"", "-wal"} {
			content, err := os.ReadFile(path + suffix)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			all.Write(content)
		}
	}
	return all.String()
}

func column(t *testing.T, w *World, query string) (list []string) {
	t.Helper()
	rows, err := w.DB.Read().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
