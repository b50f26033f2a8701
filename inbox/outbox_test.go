package inbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/inbox/emulator"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// each runs a test on both databases, with an office over a post office of its own.
func each(t *testing.T, test func(t *testing.T, o *office, p *post)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		o, p := openOffice(t, open(t))
		test(t, o, p)
	})
}

func TestSend(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		key := newKey()
		item := o.send(t, letterTo(bob, "One copy", "<p>hello</p>"), key)
		if item.State != inbox.Queued || item.Subject != "One copy" {
			t.Errorf("got %+v, want it queued with its subject", item)
		}
		if n, err := o.SendDue(t.Context()); n != 0 || err != nil {
			t.Errorf("while undoing is possible: worked at %d messages, %v; want none", n, err)
		}
		o.pass(held)
		if n, err := o.SendDue(t.Context()); n != 1 || err != nil {
			t.Fatalf("worked at %d messages, %v; want 1", n, err)
		}
		got := o.state(t, item.ID)
		if got.State != inbox.Sent || got.MessageID == "" || got.ThreadID == "" || got.Subject != "" {
			t.Errorf("got %+v, want it sent with ids and without subject", got)
		}
		if n := p.copies(t, bob, "INBOX", "One copy"); n != 1 {
			t.Errorf("bob has %d copies, want 1", n)
		}
		if n := p.drafts(t, alice); n != 0 {
			t.Errorf("%d drafts are left, want 0", n)
		}
		if again := o.send(t, letterTo(bob, "One copy", "again"), key); again.ID != item.ID || again.State != inbox.Sent {
			t.Errorf("the same key gave %+v, want the same item", again)
		}
		if n := o.rows(t, "instructions"); n != 0 {
			t.Errorf("%d instructions are left, want 0", n)
		}
		o.pass(25 * time.Hour)
		if got := o.state(t, item.ID); got.State != "gone" {
			t.Errorf("a day later: got %+v, want it gone from the list", got)
		}
		o.settle(t)
		o.accountedFor(t)
	})
}

// TestDecisions: the owner decides about the very message that the sender later asks to send, and the sender acts
// on the owner's instruction alone.
func TestDecisions(t *testing.T) {
	each(t, func(t *testing.T, o *office, _ *post) {
		o.send(t, letterTo(bob, "Decided", "x"), newKey())
		o.pass(held)
		o.settle(t)
		type event struct {
			Input struct {
				Actor       struct{ Kind string }
				Body        string
				Instruction *struct{ ID string }
			}
			Result struct{ Basis string }
		}
		one := func(operation, actor string) event {
			page, err := o.log.Query(t.Context(), decisionlog.Filter{Operation: operation, ActorKind: actor, Feature: "send"})
			if err != nil || len(page.Records) != 1 {
				t.Fatalf("%s by %s: got %d decisions, %v; want 1", operation, actor, len(page.Records), err)
			}
			if bytes.Contains(page.Records[0].Body, []byte("Decided")) || bytes.Contains(page.Records[0].Body, []byte("@")) {
				t.Errorf("the log shows content: %s", page.Records[0].Body)
			}
			var e event
			if err := json.Unmarshal(page.Records[0].Body, &e); err != nil {
				t.Fatal(err)
			}
			return e
		}
		owner, made, sent := one("drafts.create", "owner"), one("drafts.create", "service"), one("drafts.send", "service")
		if owner.Input.Body == "" || owner.Input.Body != made.Input.Body || owner.Input.Body != sent.Input.Body {
			t.Errorf("three decisions about different bytes: %q, %q, %q", owner.Input.Body, made.Input.Body, sent.Input.Body)
		}
		if owner.Input.Instruction != nil || sent.Input.Instruction == nil || sent.Result.Basis != "standing_instruction" {
			t.Errorf("owner acted on %+v; the sender on %+v by %q", owner.Input.Instruction, sent.Input.Instruction, sent.Result.Basis)
		}
		if _, err := o.Instruction(t.Context(), "unknown"); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("an unknown instruction: got %v, want policy.ErrUnknown", err)
		}
	})
}

// TestFaults breaks the two calls that must not be repeated, before and after Gmail carried them out.
func TestFaults(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		for _, method := range []string{"drafts.create", "drafts.send"} {
			for name, fault := range map[string]emulator.Fault{
				"dropped before": {Kind: emulator.FaultDropBefore},
				"dropped after":  {Kind: emulator.FaultDropAfter},
				"500":            {Status: 500},
				"503":            {Status: 503},
				"429":            {Status: 429},
				"403 rate":       {Kind: emulator.FaultRetryAfter, DelayMS: 60_000},
				"400":            {Status: 400},
				"after, twice":   {Kind: emulator.FaultDropAfter, Count: 2},
				"before, thrice": {Kind: emulator.FaultDropBefore, Count: 3},
			} {
				t.Run(method+" "+name, func(t *testing.T) {
					fault.Method = method
					p.emulator.ClearFaults()
					p.emulator.InjectFault(fault)
					subject := method + " " + name
					item := o.send(t, letterTo(bob, subject, "x"), newKey())
					o.pass(held)
					o.settle(t)
					if got := o.state(t, item.ID); got.State != inbox.Sent || got.MessageID == "" {
						t.Errorf("got %+v, want it sent", got)
					}
					if n := p.copies(t, bob, "INBOX", subject); n != 1 {
						t.Errorf("bob has %d copies, want 1", n)
					}
					if n := p.copies(t, alice, "SENT", subject); n != 1 {
						t.Errorf("Sent has %d copies, want 1", n)
					}
					if n := p.drafts(t, alice); n != 0 {
						t.Errorf("%d drafts are left, want 0", n)
					}
				})
			}
		}
		o.accountedFor(t)
	})
}

func TestThrottleIsObeyed(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		p.emulator.InjectFault(emulator.Fault{Method: "drafts.send", Kind: emulator.FaultRetryAfter, DelayMS: 600_000})
		item := o.send(t, letterTo(bob, "Throttled", "x"), newKey())
		o.pass(held)
		for range 3 {
			if _, err := o.SendDue(t.Context()); err != nil {
				t.Fatal(err)
			}
			o.pass(3 * time.Minute)
		}
		if n := p.emulator.Stats().Methods["drafts.send"]; n != 1 {
			t.Errorf("%d calls within the time that Gmail asked to wait, want 1", n)
		}
		o.pass(2 * time.Minute)
		o.settle(t)
		if got := o.state(t, item.ID); got.State != inbox.Sent {
			t.Errorf("got %+v, want it sent", got)
		}
	})
}

func TestUndo(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		c := letterTo(bob, "Taken back", "<b>oops</b>")
		item := o.send(t, c, newKey())
		o.pass(shown + time.Second) // a late click
		for range 2 {               // the answer to the first got lost
			got, err := o.Undo(t.Context(), writing(alice), item.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.Subject != c.Subject || got.HTML != c.HTML || !reflect.DeepEqual(got.To, c.To) {
				t.Errorf("got %+v, want %+v", got, c)
			}
		}
		o.pass(time.Hour)
		if n, err := o.SendDue(t.Context()); n != 0 || err != nil {
			t.Errorf("worked at %d messages, %v; want none", n, err)
		}
		if n := p.copies(t, bob, "INBOX", "Taken back"); n != 0 {
			t.Errorf("bob has %d copies, want 0", n)
		}
		if n := o.rows(t, "instructions"); n != 0 {
			t.Errorf("%d instructions are left, want 0", n)
		}
		if _, err := o.Undo(t.Context(), writing(alice), "unknown"); !errors.Is(err, inbox.ErrNotFound) {
			t.Errorf("undoing nothing: got %v, want ErrNotFound", err)
		}
		late := o.send(t, letterTo(bob, "Left", "x"), newKey())
		o.pass(held)
		o.settle(t)
		if _, err := o.Undo(t.Context(), writing(alice), late.ID); !errors.Is(err, inbox.ErrTooLate) {
			t.Errorf("undoing what left: got %v, want ErrTooLate", err)
		}
		if err := o.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Undo(t.Context(), writing(alice), item.ID); !errors.Is(err, inbox.ErrTooLate) {
			t.Errorf("undoing again after an hour: got %v, want ErrTooLate", err)
		}
		o.accountedFor(t)
	})
}

// TestUndoRacesSender: at the last moment either the message comes back or it leaves, never both.
func TestUndoRacesSender(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		back := 0
		for i := range 10 {
			subject := fmt.Sprintf("Race %d", i)
			item := o.send(t, letterTo(bob, subject, "x"), newKey())
			o.pass(held)
			var undone error
			var both sync.WaitGroup
			both.Go(func() { _, undone = o.Undo(context.Background(), writing(alice), item.ID) })
			both.Go(func() { _, _ = o.SendDue(context.Background()) })
			both.Wait()
			o.settle(t)
			want := 1
			if undone == nil {
				want, back = 0, back+1
			} else if !errors.Is(undone, inbox.ErrTooLate) {
				t.Fatal(undone)
			}
			if n := p.copies(t, bob, "INBOX", subject); n != want {
				t.Errorf("undo said %v; bob has %d copies, want %d", undone, n, want)
			}
		}
		t.Logf("%d of 10 came back", back)
	})
}

// TestTwoNodes: two senders over one database, a lost lease included, send each message once.
func TestTwoNodes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		c, logs := &clock{}, t.TempDir()
		p := newPost(t, c.now)
		nodes := []*office{newOffice(t, open(t), logs, p.url, c, held), newOffice(t, open(t), logs, p.url, c, held)}
		const messages = 12
		for i := range messages {
			nodes[i%2].send(t, letterTo(bob, fmt.Sprintf("Node %d", i), "x"), newKey())
		}
		c.pass(held)
		var wg sync.WaitGroup
		for range 4 {
			for _, node := range nodes {
				wg.Go(func() { _, _ = node.SendDue(context.Background()) })
			}
			if err := nodes[0].ReleaseLeases(t.Context()); err != nil { // as if every lease had run out
				t.Fatal(err)
			}
		}
		wg.Wait()
		nodes[0].settle(t)
		for i := range messages {
			if n := p.copies(t, bob, "INBOX", fmt.Sprintf("Node %d", i)); n != 1 {
				t.Errorf("message %d: bob has %d copies, want 1", i, n)
			}
		}
	})
}

func TestRepeatedRequestsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		key := newKey()
		ids := make([]string, 6)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				item, err := o.Send(context.Background(), sending(alice), inbox.SendRequest{Compose: letterTo(bob, "Double click", "x"), IdempotencyKey: key})
				if err != nil {
					t.Error(err)
				}
				ids[i] = item.ID
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Errorf("one key, two items: %s and %s", id, ids[0])
			}
		}
		o.pass(held)
		o.settle(t)
		if n := p.copies(t, bob, "INBOX", "Double click"); n != 1 {
			t.Errorf("bob has %d copies, want 1", n)
		}
	})
}

// TestFailures: what cannot leave says what to do, and can be taken back.
func TestFailures(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		for name, c := range map[string]struct {
			breakIt, mendIt func()
			says            string
		}{
			"policy refuses": {func() { o.facts.set("disconnected") }, func() { o.facts.set("connected") }, "not permitted"},
			"reconnect":      {func() { o.vault.gone.Store(true) }, func() { o.vault.gone.Store(false) }, "connected again"},
			"forbidden": {func() {
				p.emulator.InjectFault(emulator.Fault{Method: "drafts.create", Status: 403, Reason: "domainPolicy", Count: -1})
			}, p.emulator.ClearFaults, "does not let"},
			"invalid": {func() { p.emulator.InjectFault(emulator.Fault{Method: "drafts.send", Status: 400, Count: -1}) }, p.emulator.ClearFaults, "does not accept"},
			"down": {func() {
				p.emulator.InjectFault(emulator.Fault{Method: "drafts.create", Kind: emulator.FaultDropBefore, Count: -1})
			}, p.emulator.ClearFaults, "could not be reached"},
		} {
			t.Run(name, func(t *testing.T) {
				item := o.send(t, letterTo(bob, name, "<i>kept</i>"), newKey())
				o.pass(held)
				c.breakIt()
				for range 400 {
					o.Forget(alice)
					if _, err := o.SendDue(t.Context()); err != nil {
						t.Fatal(err)
					}
					o.pass(5 * time.Minute)
				}
				c.mendIt()
				got := o.state(t, item.ID)
				if got.State != inbox.Failed || !strings.Contains(got.Error, c.says) {
					t.Errorf("got %+v, want it failed with %q", got, c.says)
				}
				back, err := o.Undo(t.Context(), writing(alice), item.ID)
				if err != nil || back.HTML != "<i>kept</i>" {
					t.Fatalf("taking it back: got %q, %v", back.HTML, err)
				}
				again := o.send(t, back, newKey())
				o.pass(held)
				o.settle(t)
				if got := o.state(t, again.ID); got.State != inbox.Sent {
					t.Errorf("sending it again: got %+v", got)
				}
				if n := p.copies(t, bob, "INBOX", name); n != 1 {
					t.Errorf("bob has %d copies, want 1", n)
				}
				if n := p.drafts(t, alice); n != 0 {
					t.Errorf("%d drafts are left, want 0", n)
				}
			})
		}
		o.accountedFor(t)
	})
}

// TestVanishedDraft: a draft that is gone without a trace in Sent is never made again blindly.
func TestVanishedDraft(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		draft, err := o.CreateDraft(t.Context(), writing(alice), letterTo(bob, "Vanished", "x"))
		if err != nil {
			t.Fatal(err)
		}
		item, err := o.Send(t.Context(), sending(alice), inbox.SendRequest{Compose: draft.Compose, DraftID: draft.ID, IdempotencyKey: newKey()})
		if err != nil {
			t.Fatal(err)
		}
		if err := o.DeleteDraft(t.Context(), writing(alice), draft.ID); err != nil {
			t.Fatal(err)
		}
		o.pass(held)
		o.settle(t)
		if got := o.state(t, item.ID); got.State != inbox.Failed || !strings.Contains(got.Error, "Sent") {
			t.Errorf("got %+v, want it failed and pointing to Sent", got)
		}
		if n := p.copies(t, bob, "INBOX", "Vanished"); n != 0 {
			t.Errorf("bob has %d copies, want 0", n)
		}
		_, err = o.Send(t.Context(), sending(alice), inbox.SendRequest{Compose: draft.Compose, DraftID: draft.ID, IdempotencyKey: newKey()})
		if !errors.Is(err, inbox.ErrConflict) {
			t.Errorf("sending a draft that is gone: got %v, want ErrConflict", err)
		}
	})
}

func TestSendConsumesTheDraft(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		draft, err := o.CreateDraft(t.Context(), writing(alice), letterTo(bob, "Drafted", "first"))
		if err != nil {
			t.Fatal(err)
		}
		c := draft.Compose
		c.HTML = "<p>what was decided is what leaves</p>"
		item, err := o.Send(t.Context(), sending(alice), inbox.SendRequest{Compose: c, DraftID: draft.ID, IdempotencyKey: newKey()})
		if err != nil {
			t.Fatal(err)
		}
		o.pass(held)
		o.settle(t)
		got := o.state(t, item.ID)
		if got.State != inbox.Sent {
			t.Fatalf("got %+v, want it sent", got)
		}
		if n := p.drafts(t, alice); n != 0 {
			t.Errorf("%d drafts are left, want 0", n)
		}
		if raw := p.raw(t, alice, got.MessageID); !bytes.Contains(raw, []byte("what was decided")) || bytes.Contains(raw, []byte("X-Webmail-Compose")) {
			t.Errorf("something else left:\n%s", raw)
		}
	})
}

// TestStrangers: nobody gets at the outbox, the drafts or the uploads of somebody else's mailbox.
func TestStrangers(t *testing.T) {
	each(t, func(t *testing.T, o *office, _ *post) {
		item := o.send(t, letterTo(bob, "Private", "x"), newKey())
		up, err := o.PutUpload(t.Context(), writing(alice), "a.txt", "text/plain", strings.NewReader("secret"))
		if err != nil {
			t.Fatal(err)
		}
		eve := writing(alice)
		eve.Actor.Person = "person eve"
		for name, try := range map[string]func() error{
			"outbox": func() error { _, err := o.Outbox(t.Context(), eve); return err },
			"undo":   func() error { _, err := o.Undo(t.Context(), eve, item.ID); return err },
			"upload": func() error {
				_, err := o.PutUpload(t.Context(), eve, "b.txt", "text/plain", strings.NewReader("x"))
				return err
			},
			"create": func() error {
				_, err := o.CreateDraft(t.Context(), eve, letterTo(bob, "x", "y"))
				return err
			},
			"send": func() error {
				_, err := o.Send(t.Context(), eve.For("inbox.send", "send"), inbox.SendRequest{Compose: letterTo(bob, "x", "y"), IdempotencyKey: newKey()})
				return err
			},
			"send for marketing": func() error {
				_, err := o.Send(t.Context(), sending(alice).For("ads.campaign", "send"), inbox.SendRequest{Compose: letterTo(bob, "x", "y"), IdempotencyKey: newKey()})
				return err
			},
		} {
			var refused *policy.Refused
			if err := try(); !errors.As(err, &refused) {
				t.Errorf("%s: got %v, want a refusal", name, err)
			}
		}
		// Bob is the owner of his own mailbox, and of nothing of Alice's.
		if _, err := o.Undo(t.Context(), writing(bob), item.ID); !errors.Is(err, inbox.ErrNotFound) {
			t.Errorf("undo across mailboxes: got %v, want ErrNotFound", err)
		}
		theirs := letterTo(alice, "x", "y")
		theirs.Attachments = []inbox.ComposeAttachment{{UploadID: up.ID}}
		var invalid *inbox.InvalidError
		if _, err := o.CreateDraft(t.Context(), writing(bob), theirs); !errors.As(err, &invalid) {
			t.Errorf("an upload across mailboxes: got %v, want InvalidError", err)
		}
		if got := o.state(t, item.ID); got.State != inbox.Queued {
			t.Errorf("got %+v, want it still queued", got)
		}
	})
}

func TestPurge(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		o.send(t, letterTo(bob, "Purged", "x"), newKey())
		if _, err := o.PutUpload(t.Context(), writing(alice), "a", "", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := o.PutUpload(t.Context(), writing(bob), "b", "", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		if err := o.Purge(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		for table, want := range map[string]int{"outbox": 0, "instructions": 0, "uploads": 1} {
			if n := o.rows(t, table); n != want {
				t.Errorf("%s: %d rows are left, want %d", table, n, want)
			}
		}
		o.pass(held)
		o.settle(t)
		if n := p.copies(t, bob, "INBOX", "Purged"); n != 0 {
			t.Errorf("bob has %d copies, want 0", n)
		}
	})
}

// TestSweep: nothing stays for ever.
func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, o *office, _ *post) {
		item := o.send(t, letterTo(bob, "Old", "x"), newKey())
		o.pass(held)
		o.settle(t)
		if got := o.state(t, item.ID); got.State != inbox.Sent {
			t.Fatalf("got %+v, want it sent", got)
		}
		if _, err := o.PutUpload(t.Context(), writing(alice), "a", "", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		o.pass(8 * 24 * time.Hour)
		if err := o.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"outbox", "instructions", "uploads"} {
			if n := o.rows(t, table); n != 0 {
				t.Errorf("%s: %d rows are left, want 0", table, n)
			}
		}
	})
}

// TestSealed looks for words of a message in every column of every row.
func TestSealed(t *testing.T) {
	each(t, func(t *testing.T, o *office, _ *post) {
		up, err := o.PutUpload(t.Context(), writing(alice), "filenameword.txt", "text/plain", strings.NewReader("contentword"))
		if err != nil {
			t.Fatal(err)
		}
		c := letterTo("recipientword@example.com", "subjectword", "bodyword")
		c.Attachments = []inbox.ComposeAttachment{{UploadID: up.ID}}
		o.send(t, c, newKey())
		for _, table := range []string{"outbox", "instructions", "uploads"} {
			rows, err := o.db.Read().QueryContext(t.Context(), "SELECT * FROM "+table)
			if err != nil {
				t.Fatal(err)
			}
			columns, err := rows.Columns()
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				values := make([]any, len(columns))
				for i := range values {
					values[i] = new(any)
				}
				if err := rows.Scan(values...); err != nil {
					t.Fatal(err)
				}
				for i, v := range values {
					text := fmt.Sprintf("%s", *v.(*any))
					for _, word := range []string{"recipientword", "subjectword", "bodyword", "filenameword", "contentword"} {
						if strings.Contains(text, word) {
							t.Errorf("%s.%s shows %q", table, columns[i], word)
						}
					}
				}
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			rows.Close()
		}
	})
}

// TestSender runs the real loop.
func TestSender(t *testing.T) {
	each(t, func(t *testing.T, o *office, p *post) {
		if err := o.StartSender(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer o.StopSender()
		item := o.send(t, letterTo(bob, "By itself", "x"), newKey())
		o.pass(held)
		for range 1000 {
			if o.state(t, item.ID).State == inbox.Sent {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if got := o.state(t, item.ID); got.State != inbox.Sent {
			t.Errorf("got %+v, want it sent", got)
		}
		if n := p.copies(t, bob, "INBOX", "By itself"); n != 1 {
			t.Errorf("bob has %d copies, want 1", n)
		}
	})
}

func dropAfter(method string) emulator.Fault {
	return emulator.Fault{Method: method, Kind: emulator.FaultDropAfter}
}
