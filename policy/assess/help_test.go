package assess_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy/assess"
)

// textOf is the text of a signed note.
func textOf(signed []byte) string {
	text, _, _ := strings.Cut(string(signed), "\n\n")
	return text + "\n"
}

func signed(t *testing.T, text string, signer note.Signer) []byte {
	t.Helper()
	out, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tampered changes one event behind the log's back.
func tampered(t *testing.T, db *database.DB) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE decisionlog_events SET body = $1 WHERE idx = 1`, []byte(`{"decision_id":"forged"}`))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func collectNothing(context.Context) (assess.Item, error) {
	return assess.Item{Status: assess.Passed}, errors.New("a secret path")
}
