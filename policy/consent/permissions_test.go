package consent_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// turned seals by turning bits: enough to see what is stored in the clear and whose seal is opened.
type turned struct{}

func (turned) Seal(_ context.Context, account policy.AccountID, column string, plaintext []byte) ([]byte, error) {
	return turn([]byte(string(account) + "/" + column + "/" + string(plaintext))), nil
}

func (turned) Unseal(_ context.Context, account policy.AccountID, column string, sealed []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(turn(sealed), []byte(string(account)+"/"+column+"/"))
	if !ok {
		return nil, errors.New("sealed for another place")
	}
	return plain, nil
}

func turn(b []byte) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = ^b[i]
	}
	return out
}

// keyed knows the accounts that have a key.
type keyed map[policy.AccountID]string

func (k keyed) Account(_ context.Context, id policy.AccountID) (policy.AccountFacts, error) {
	key, ok := k[id]
	if !ok {
		return policy.AccountFacts{}, policy.ErrUnknown
	}
	return policy.AccountFacts{LogKey: []byte(key)}, nil
}

func TestPermissions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(t *testing.T) *database.DB) {
		ctx, now, db := t.Context(), time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), open(t)
		clock := func() time.Time { return now }
		if _, err := consent.Open(ctx, db, clock); err != nil {
			t.Fatal(err)
		}
		store := consent.OpenPermissions(db, turned{}, keyed{"a": strings.Repeat("k", 32)}, clock)
		permit := func(account policy.AccountID, resource, shown string, life time.Duration) string {
			t.Helper()
			id, err := store.Permit(ctx, consent.Permission{
				Account: account, Feature: "remote_images", Recipient: "remote_host", Resource: resource, Shown: shown, Expires: now.Add(life),
			})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		sender, once, foreign := permit("a", "sender:x", "letters@shop.example", time.Hour), permit("a", "18c", "one message", time.Minute), permit("b", "sender:x", "other", time.Hour)

		got, err := store.Find(ctx, "a", "remote_images", "remote_host", "sender:x")
		want := policy.Instruction{ID: sender, Account: "a", Feature: "remote_images", Recipient: "remote_host", Resource: "sender:x", Given: now, Expires: now.Add(time.Hour)}
		if err != nil || !got.Given.Equal(want.Given) || !got.Expires.Equal(want.Expires) {
			t.Errorf("Find: got %v, %v, want %v", got, err, want)
		}
		if got.Given, got.Expires = want.Given, want.Expires; got != want {
			t.Errorf("Find: got %v, want %v", got, want)
		}
		for name, find := range map[string][4]string{
			"another account":   {"c", "remote_images", "remote_host", "sender:x"},
			"another feature":   {"a", "unsubscribe", "remote_host", "sender:x"},
			"another recipient": {"a", "remote_images", "unsubscribe_host", "sender:x"},
			"another resource":  {"a", "remote_images", "remote_host", "sender:y"},
		} {
			if _, err := store.Find(ctx, policy.AccountID(find[0]), policy.Feature(find[1]), find[2], find[3]); !errors.Is(err, policy.ErrUnknown) {
				t.Errorf("%s: %v, want ErrUnknown", name, err)
			}
		}
		if got, err := store.Instruction(ctx, once); err != nil || got.Resource != "18c" {
			t.Errorf("Instruction: %v, %v", got, err)
		}
		if list, err := store.List(ctx, "a"); err != nil || len(list) != 2 || list[0].ID != once || list[1].Shown != "letters@shop.example" {
			t.Errorf("List: %v, %v, want the newer one first, and what the owner sees", list, err)
		}

		// Permitting again takes the place of the one before.
		again := permit("a", "sender:x", "letters@shop.example", 2*time.Hour)
		if _, err := store.Instruction(ctx, sender); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("the replaced permission: %v, want ErrUnknown", err)
		}

		// Withdrawing is for one's own, once, and final.
		if err := store.Withdraw(ctx, "a", foreign); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("withdrawing another account's: %v, want ErrUnknown", err)
		}
		if err := store.Withdraw(ctx, "a", again); err != nil {
			t.Error(err)
		}
		if err := store.Withdraw(ctx, "a", again); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("withdrawing twice: %v, want ErrUnknown", err)
		}
		if _, err := store.Instruction(ctx, again); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("after withdrawal: %v, want ErrUnknown", err)
		}

		// Expiry: no longer found, still there for a decision that would name it, gone after the sweep.
		now = now.Add(time.Minute)
		if _, err := store.Find(ctx, "a", "remote_images", "remote_host", "18c"); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("at its expiry: %v, want ErrUnknown", err)
		}
		if list, err := store.List(ctx, "a"); err != nil || len(list) != 0 {
			t.Errorf("the list at its expiry: %v, %v", list, err)
		}
		if _, err := store.Instruction(ctx, once); err != nil {
			t.Errorf("an expired permission: %v", err)
		}
		if err := store.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Instruction(ctx, once); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("after the sweep: %v, want ErrUnknown", err)
		}

		if err := store.PurgeAccount(ctx, "b"); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Instruction(ctx, foreign); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("after the purge: %v, want ErrUnknown", err)
		}
	})
}

// TestNothingIsReadable: what names a person lies in no column.
func TestNothingIsReadable(t *testing.T) {
	db := databasetest.Open(t, databasetest.SQLite(t))
	ctx := t.Context()
	if _, err := consent.Open(ctx, db, nil); err != nil {
		t.Fatal(err)
	}
	store := consent.OpenPermissions(db, turned{}, keyed{"a": strings.Repeat("k", 32), "b": strings.Repeat("l", 32), "bare": ""}, nil)
	named := map[string]bool{}
	for _, c := range []struct {
		account       policy.AccountID
		kind, content string
	}{{"a", "sender", "letters@shop.example"}, {"b", "sender", "letters@shop.example"}, {"a", "host", "letters@shop.example"}, {"a", "sender", "letters@shop.examplf"}} {
		name, err := store.Named(ctx, c.account, c.kind, c.content)
		if err != nil || named[name] || strings.Contains(name, "shop") {
			t.Errorf("%v: got %q, %v, want a name of its own that says nothing", c, name, err)
		}
		named[name] = true
	}
	for _, account := range []policy.AccountID{"bare", "unknown"} {
		if name, err := store.Named(ctx, account, "sender", "x"); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("an account without a key: %q, %v, want ErrUnknown", name, err)
		}
	}
	resource, err := store.Named(ctx, "a", "sender", "letters@shop.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Permit(ctx, consent.Permission{
		Account: "a", Feature: "remote_images", Recipient: "remote_host", Resource: resource, Shown: "letters@shop.example", Expires: time.Now().Add(time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
	var id, account, feature, recipient, stored string
	var shown []byte
	row := db.Read().QueryRowContext(ctx, `SELECT id, account, feature, recipient, resource, shown FROM permissions`)
	if err := row.Scan(&id, &account, &feature, &recipient, &stored, &shown); err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprint(id, account, feature, recipient, stored, string(shown)); strings.Contains(all, "shop.example") {
		t.Errorf("the row can be read: %s", all)
	}
}

func TestAPermissionIsComplete(t *testing.T) {
	db := databasetest.Open(t, databasetest.SQLite(t))
	if _, err := consent.Open(t.Context(), db, nil); err != nil {
		t.Fatal(err)
	}
	store := consent.OpenPermissions(db, turned{}, keyed{}, nil)
	whole := consent.Permission{Account: "a", Feature: "f", Recipient: "r", Resource: "x", Expires: time.Now().Add(time.Hour)}
	for name, change := range map[string]func(*consent.Permission){
		"account":   func(p *consent.Permission) { p.Account = "" },
		"feature":   func(p *consent.Permission) { p.Feature = "" },
		"recipient": func(p *consent.Permission) { p.Recipient = "" },
		"resource":  func(p *consent.Permission) { p.Resource = "" },
		"expiry":    func(p *consent.Permission) { p.Expires = time.Now().Add(-time.Second) },
	} {
		p := whole
		change(&p)
		if id, err := store.Permit(t.Context(), p); err == nil {
			t.Errorf("a permission without %s was recorded as %s", name, id)
		}
	}
}

// TestForgedPermission: a row that somebody else wrote, or changed, is no permission.
func TestForgedPermission(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(t *testing.T) *database.DB) {
		ctx, now, db := t.Context(), time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), open(t)
		clock := func() time.Time { return now }
		if _, err := consent.Open(ctx, db, clock); err != nil {
			t.Fatal(err)
		}
		store := consent.OpenPermissions(db, turned{}, keyed{"a": strings.Repeat("k", 32)}, clock)
		for name, change := range map[string]string{
			"as it was":           `expires = expires`,
			"another id":          `id = 'changed'`,
			"another account":     `account = 'b'`,
			"another feature":     `feature = 'unread_badge'`,
			"another recipient":   `recipient = 'platform_service'`,
			"another resource":    `resource = 'crm'`,
			"given at other time": `given = given - 1`,
			"for longer":          `expires = expires + 31536000000000`,
		} {
			id, err := store.Permit(ctx, consent.Permission{
				Account: "a", Feature: "remote_images", Recipient: "remote_host", Resource: "18c", Shown: "one message", Expires: now.Add(time.Hour),
			})
			if err != nil {
				t.Fatal(err)
			}
			err = db.Write(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE permissions SET `+change)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			var want error = policy.ErrUnknown
			if name == "as it was" {
				want = nil
			}
			account := policy.AccountID("a")
			if name == "another account" {
				account = "b"
			}
			if name == "another id" {
				id = "changed"
			}
			if _, err := store.Instruction(ctx, id); !errors.Is(err, want) {
				t.Errorf("%s: Instruction: %v, want %v", name, err, want)
			}
			list, err := store.List(ctx, account)
			if wantListed := want == nil; err != nil || (len(list) == 1) != wantListed {
				t.Errorf("%s: the owner sees %d permissions (%v), want it listed: %v", name, len(list), err, wantListed)
			}
			if err := store.PurgeAccount(ctx, account); err != nil {
				t.Fatal(err)
			}
		}
	})
}
