package agreement_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/agreement"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// refused fails unless the gate refused, and recorded it.
func refused(t *testing.T, what string, err error) {
	t.Helper()
	var r *policy.Refused
	if !errors.As(err, &r) || r.DecisionID == "" {
		t.Errorf("%s: got %v, want a recorded refusal", what, err)
	}
}

func stateOf(err error) agreement.State {
	var a *agreement.Answered
	if errors.As(err, &a) {
		return a.State
	}
	return ""
}

// TestLifecycle goes the whole way once: asked, approved, agreed, looked at, over.
func TestLifecycle(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		asked := o.ask(t, m1, m2)
		if asked.State != agreement.Requested || asked.Window != agreement.DefaultWindow {
			t.Errorf("asked: %+v", asked)
		}
		if own, err := o.Desk.OfAccount(t.Context(), o.mailbox); err != nil || len(own) != 0 {
			t.Errorf("the owner is told before a second member of staff approved: %v %v", own, err)
		}
		pending, err := o.Desk.Approve(t.Context(), o.pat, asked.ID)
		must(t, err)
		if pending.State != agreement.Pending || pending.Approver.Name != "Pat" || !pending.AnswerBy().Equal(pending.Asked.Add(12*hour)) {
			t.Errorf("approved: %+v", pending)
		}
		for _, words := range []string{"Sam", "Pat", "CASE-77", "The message does not open.", "60 minutes", "Example Ltd, Ireland", Ada} {
			if !strings.Contains(pending.Text.Plain, words) {
				t.Errorf("the owner is not told %q", words)
			}
		}
		if _, err := o.look(t, o.sam, asked.ID, m1); err == nil {
			t.Error("seen before the owner agreed")
		}
		running, err := o.keep(t, o.prove(t, asked.ID, []policy.AgreedMessage{{ID: m1, Attachments: true}}))
		must(t, err)
		if running.State != agreement.Active || !running.Ends.Equal(running.Agreed.Add(hour)) {
			t.Errorf("agreed: %+v", running)
		}
		want := []agreement.Message{{ID: m1, Attachments: true}}
		if !reflect.DeepEqual(running.Messages, want) {
			t.Errorf("agreed to %+v, want %+v", running.Messages, want)
		}

		grant, err := o.look(t, o.sam, asked.ID, m1)
		must(t, err)
		must(t, o.Gate.Use(t.Context(), grant, target(m1)))
		must(t, o.Desk.Viewed(t.Context(), running, agreement.View{Message: m1, Decision: grant.DecisionID()}))
		grant.Finish(nil, 1, 0)
		_, err = o.look(t, o.sam, asked.ID, m2)
		refused(t, "a message that was asked for and not ticked", err)

		list, err := o.Desk.OfAccount(t.Context(), o.mailbox)
		must(t, err)
		if len(list) != 1 || len(list[0].Views) != 1 || list[0].Views[0].Decision != grant.DecisionID() || list[0].Views[0].Message != m1 {
			t.Errorf("the owner sees %+v, want the one look", list)
		}

		o.Advance(hour + time.Second)
		_, err = o.look(t, o.sam, asked.ID, m1)
		refused(t, "a second after the hour", err)
		must(t, o.Desk.Maintain(t.Context()))
		closed, err := o.Desk.Close(t.Context(), o.sam, asked.ID)
		must(t, err)
		if closed.State != agreement.Closed {
			t.Errorf("closed: %+v", closed)
		}
		steps := slices.DeleteFunc(o.Events(), func(e string) bool { return !strings.HasPrefix(e, "access.") })
		wantSteps := []string{"access.asked", "access.approved", "access.agreed", "access.lapsed", "access.closed"}
		if !slices.Equal(steps, wantSteps) {
			t.Errorf("the log has %v, want %v", steps, wantSteps)
		}
		for _, secret := range []string{"CASE-77", "does not open", "Sam", Ada, m1, asked.ID} {
			if strings.Contains(o.LogBytes(), secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	})
}

// TestWhoMay holds the roles apart.
func TestWhoMay(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.ask(t, m1)
		ask := agreement.Ask{Account: o.mailbox, Mailbox: Ada, Case: "1", Reason: "x", Messages: []string{m1}}

		// sam is an approver too, and still cannot approve what sam asked.
		if _, err := o.Desk.Approve(t.Context(), o.sam, r.ID); !errors.Is(err, agreement.ErrOwnRequest) {
			t.Errorf("requester = approver: %v", err)
		}
		if _, err := o.Desk.Ask(t.Context(), o.pat, ask); !errors.Is(err, agreement.ErrRole) {
			t.Errorf("an approver asks: %v", err)
		}
		weak := o.sam
		weak.MFA = false
		if _, err := o.Desk.Ask(t.Context(), weak, ask); !errors.Is(err, agreement.ErrSecondFactor) {
			t.Errorf("without a second factor: %v", err)
		}
		if _, err := o.Desk.Withdraw(t.Context(), agreement.Staff{Actor: policy.Actor{Kind: policy.Staff, Person: "other", Roles: []string{"support"}, MFA: true}}, r.ID); !errors.Is(err, agreement.ErrUnacknowledged) {
			t.Errorf("without the acknowledgement: %v", err)
		}
		owner := agreement.Staff{Actor: o.ada.Session.Actor()}
		if _, err := o.Desk.Approve(t.Context(), owner, r.ID); !errors.Is(err, agreement.ErrRole) {
			t.Errorf("the owner approves as staff: %v", err)
		}
		bob := o.NewVisitor("bob").SignIn(Bob)
		if _, err := o.Desk.Refuse(t.Context(), bob.Session.Actor(), r.ID, ""); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("another owner answers: %v", err)
		}
		if _, err := o.Desk.Refuse(t.Context(), o.sam.Actor, r.ID, ""); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("staff answer for the owner: %v", err)
		}
		if _, err := o.Desk.Propose(t.Context(), bob.Session.Actor(), r.ID, ticks(m1)); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("another owner agrees: %v", err)
		}
		if _, err := o.Desk.Approve(t.Context(), o.pat, "00000000-0000-0000-0000-000000000000"); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("no such request: %v", err)
		}
		tables, err := limiteduse.ReadTables()
		must(t, err)
		at := o.Now()
		if until, due := o.Desk.Due(at); due || until.Sub(at) != time.Duration(tables.Terms.Acknowledgement)*time.Microsecond {
			t.Errorf("an acknowledgement holds until %s, the policy says for %d µs", until, tables.Terms.Acknowledgement)
		}
		o.Advance(366 * 24 * hour)
		if _, err := o.Desk.Ask(t.Context(), o.sam, ask); !errors.Is(err, agreement.ErrUnacknowledged) {
			t.Errorf("a year and a day after acknowledging: %v", err)
		}
	})
}

// TestSpecificMessages: what is asked for and agreed to is named one by one.
func TestSpecificMessages(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		eleven := make([]string, 11)
		for i := range eleven {
			eleven[i] = strings.Repeat("a", i+1)
		}
		for name, messages := range map[string][]string{
			"a wildcard": {"*"}, "a label": {"INBOX"}, "a search": {"from:boss"}, "a thread's prefix": {"thread-18c0"}, "an empty id": {""},
			"one twice": {m1, m1}, "eleven": eleven, "none": {}, "a path": {"../" + m1}, "capitals": {"ABC"},
		} {
			_, err := o.Desk.Ask(t.Context(), o.sam, agreement.Ask{Account: o.mailbox, Mailbox: Ada, Case: "1", Reason: "x", Messages: messages})
			var invalid *agreement.Invalid
			if !errors.As(err, &invalid) {
				t.Errorf("%s: got %v, want Invalid", name, err)
			}
			if _, err := o.Desk.Offer(t.Context(), o.ada.Session.Actor(), agreement.Offer{Account: o.mailbox, Messages: ticks(messages...)}); !errors.As(err, &invalid) {
				t.Errorf("%s offered: got %v, want Invalid", name, err)
			}
		}
		for _, minutes := range []time.Duration{-time.Minute, time.Second, 241 * time.Minute, 90 * time.Second} {
			_, err := o.Desk.Ask(t.Context(), o.sam, agreement.Ask{Account: o.mailbox, Mailbox: Ada, Case: "1", Reason: "x", Messages: []string{m1}, Window: minutes})
			var invalid *agreement.Invalid
			if !errors.As(err, &invalid) {
				t.Errorf("a window of %s: got %v, want Invalid", minutes, err)
			}
		}
		r := o.pending(t, m1)
		for name, chosen := range map[string][]policy.AgreedMessage{"another message": ticks(m2), "one more": ticks(m1, m2), "none": nil, "one twice": ticks(m1, m1)} {
			if _, err := o.Desk.Propose(t.Context(), o.ada.Session.Actor(), r.ID, chosen); err == nil {
				t.Errorf("the owner can tick %s", name)
			}
		}
		free := o.pending(t)
		if _, err := o.Desk.Propose(t.Context(), o.ada.Session.Actor(), free.ID, ticks(m3)); err != nil {
			t.Errorf("the owner cannot choose: %v", err)
		}
	})
}

// signInTime is how long a sign-in at the emulated Google may take on a slow machine.
const signInTime = 5 * time.Second

// TestTwelveHours: the owner's silence is a no.
func TestTwelveHours(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		inTime, late := o.pending(t, m1), o.pending(t, m2)
		tooLate := o.prove(t, late.ID, ticks(m2))

		o.Advance(inTime.AnswerBy().Add(-time.Second).Sub(o.Now()) - signInTime) // so that it is kept at 11:59:59, or just before
		got, err := o.keep(t, o.prove(t, inTime.ID, ticks(m1)))
		if err != nil || got.State != agreement.Active {
			t.Fatalf("just before the twelve hours end: %+v %v", got, err)
		}
		if _, err := o.look(t, o.sam, inTime.ID, m1); err != nil {
			t.Errorf("the agreement given in time opens nothing: %v", err)
		}
		o.Advance(late.AnswerBy().Add(time.Second).Sub(o.Now()))
		if _, err := o.keep(t, tooLate); !errors.Is(err, agreement.ErrExpired) {
			t.Errorf("at 12:00:01: got %v, want ErrExpired", err)
		}
		if _, err := o.Desk.Propose(t.Context(), o.ada.Session.Actor(), late.ID, ticks(m2)); !errors.Is(err, agreement.ErrExpired) {
			t.Errorf("asking again: got %v, want ErrExpired", err)
		}
		_, err = o.look(t, o.sam, late.ID, m2)
		refused(t, "what expired", err)
	})
}

// TestOneAnswer: a second answer is told what became of the request.
func TestOneAnswer(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.ask(t, m1)
		_, err := o.Desk.Approve(t.Context(), o.pat, r.ID)
		must(t, err)
		if _, err := o.Desk.Approve(t.Context(), o.pat, r.ID); stateOf(err) != agreement.Pending {
			t.Errorf("approved twice: %v", err)
		}
		signed := o.prove(t, r.ID, ticks(m1))
		_, err = o.keep(t, signed)
		must(t, err)
		if _, err := o.keep(t, signed); stateOf(err) != agreement.Active {
			t.Errorf("agreed twice: %v", err)
		}
		if _, err := o.Desk.Refuse(t.Context(), o.ada.Session.Actor(), r.ID, ""); stateOf(err) != agreement.Active {
			t.Errorf("refused after agreeing: %v", err)
		}
		if _, err := o.Desk.Withdraw(t.Context(), o.sam, r.ID); stateOf(err) != agreement.Active {
			t.Errorf("withdrawn after the agreement: %v", err)
		}
	})
}

// TestConcurrentAnswers: of agreeing and refusing at once exactly one counts.
func TestConcurrentAnswers(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		for range 5 {
			r := o.pending(t, m1)
			signed := o.prove(t, r.ID, ticks(m1))
			acts := []func() (agreement.Request, error){
				func() (agreement.Request, error) { return o.keep(t, signed) },
				func() (agreement.Request, error) {
					return o.Desk.Refuse(t.Context(), o.ada.Session.Actor(), r.ID, "no")
				},
				func() (agreement.Request, error) { return o.keep(t, signed) },
				func() (agreement.Request, error) { return o.Desk.Withdraw(t.Context(), o.sam, r.ID) },
			}
			won, lost := make([]agreement.State, len(acts)), make([]agreement.State, len(acts))
			var wg sync.WaitGroup
			for i, act := range acts {
				wg.Go(func() {
					got, err := act()
					if err == nil {
						won[i] = got.State
					} else {
						lost[i] = stateOf(err)
					}
				})
			}
			wg.Wait()
			states := slices.DeleteFunc(won, func(s agreement.State) bool { return s == "" })
			if len(states) != 1 {
				t.Fatalf("%d answers counted (%v), want 1", len(states), states)
			}
			for i, s := range lost {
				if s != "" && s != states[0] {
					t.Errorf("answer %d was told %q, want %q", i, s, states[0])
				}
			}
			list, err := o.Desk.OfAccount(t.Context(), o.mailbox)
			must(t, err)
			if i := slices.IndexFunc(list, func(l agreement.Request) bool { return l.ID == r.ID }); list[i].State != states[0] {
				t.Errorf("it is %s, want %s", list[i].State, states[0])
			}
		}
	})
}

// TestRevokeMidView: a grant that was decided before the owner's no is void at its next use, on every node.
func TestRevokeMidView(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.active(t, m1)
		other := o.NewGate() // another node
		grant, err := o.lookAt(t, other, o.sam, r.ID, m1)
		must(t, err)
		_, err = o.Desk.Revoke(t.Context(), o.ada.Session.Actor(), r.ID, "changed my mind")
		must(t, err)
		var void *policy.NotCovered
		if err := other.Use(t.Context(), grant, target(m1)); !errors.As(err, &void) {
			t.Errorf("the grant of before: got %v, want NotCovered", err)
		}
		_, err = o.look(t, o.sam, r.ID, m1)
		refused(t, "the next fetch", err)

		// Setting the row back does not bring the agreement back: the proof is gone.
		o.Exec(`UPDATE agreements SET state = 'active', ends = ends + 3600000000 WHERE id = $1`, r.ID)
		_, err = o.look(t, o.sam, r.ID, m1)
		refused(t, "a row set back to active", err)

		// Not even the whole row as it was, with its seals and the owner's proof: the log tells of the end.
		kept := o.active(t, m1)
		o.Exec(`CREATE TABLE kept AS SELECT * FROM agreements WHERE id = '` + kept.ID + `'`)
		_, err = o.look(t, o.sam, kept.ID, m1)
		must(t, err)
		_, err = o.Desk.Revoke(t.Context(), o.ada.Session.Actor(), kept.ID, "")
		must(t, err)
		again := o.active(t, m2) // another one, which goes on
		o.Exec(`DELETE FROM agreements WHERE id = $1`, kept.ID)
		o.Exec(`INSERT INTO agreements SELECT * FROM kept`)
		_, err = o.look(t, o.sam, kept.ID, m1)
		refused(t, "a row put back from a copy", err)
		if _, err := o.look(t, o.sam, again.ID, m2); err != nil {
			t.Errorf("another agreement ended with it: %v", err)
		}
	})
}

// TestOffer: the owner begins it, and still agrees to the person before anything is seen.
func TestOffer(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		bob := o.NewVisitor("bob").SignIn(Bob)
		offer := agreement.Offer{Account: o.mailbox, Mailbox: Ada, Messages: []policy.AgreedMessage{{ID: m1, Attachments: true}}, Note: "It looks broken."}
		if _, err := o.Desk.Offer(t.Context(), bob.Session.Actor(), offer); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("offering another's message: %v", err)
		}
		r, err := o.Desk.Offer(t.Context(), o.ada.Session.Actor(), offer)
		must(t, err)
		_, err = o.look(t, o.sam, r.ID, m1)
		refused(t, "an offer alone", err)
		if _, err := o.Desk.Approve(t.Context(), o.pat, r.ID); stateOf(err) != agreement.Offered {
			t.Errorf("approved before anybody took it up: %v", err)
		}
		_, err = o.Desk.Take(t.Context(), o.sam, r.ID, "CASE-1", "It looks broken.")
		must(t, err)
		if _, err := o.Desk.Take(t.Context(), o.sam, r.ID, "CASE-1", "again"); stateOf(err) != agreement.Requested {
			t.Errorf("taken twice: %v", err)
		}
		_, err = o.Desk.Approve(t.Context(), o.pat, r.ID)
		must(t, err)
		_, err = o.look(t, o.sam, r.ID, m1)
		refused(t, "before the owner's sign-in", err)
		_, err = o.keep(t, o.prove(t, r.ID, offer.Messages))
		must(t, err)
		if _, err := o.look(t, o.sam, r.ID, m1, policy.Attachment); err != nil {
			t.Errorf("the attachment that was ticked: %v", err)
		}
	})
}

// TestOwnerLeaves: with the mailbox every agreement about it is gone, and nothing of it stays.
func TestOwnerLeaves(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		o.Vault.OnPurge(o.Desk.Purge)
		r, waiting := o.active(t, m1), o.pending(t, m2)
		signed := o.prove(t, waiting.ID, ticks(m2))
		must(t, o.Owners.Disconnect(t.Context(), o.ada.Session, o.mailbox))
		_, err := o.look(t, o.sam, r.ID, m1)
		refused(t, "an agreement of a mailbox that is gone", err)
		if _, err := o.keep(t, signed); !errors.Is(err, policy.ErrUnknown) && !errors.Is(err, agreement.ErrUnproven) {
			t.Errorf("agreeing afterwards: %v", err)
		}
		for _, table := range []string{"agreements", "agreement_views"} {
			var n int
			must(t, o.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
			if n != 0 {
				t.Errorf("%d rows of %s stay", n, table)
			}
		}
		if !slices.Contains(o.Events(), agreement.EventVoid) {
			t.Error("the log does not say that agreements became void")
		}
		must(t, o.Desk.Purge(t.Context(), o.mailbox)) // again: nothing to do
	})
}

// TestRestart: a new process with the same database and keys, and no memory, goes on with an agreement.
func TestRestart(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.active(t, m1)
		o.Provider = o.NewProvider() // has to fetch Google's keys anew
		var err error
		o.Agreements, err = agreement.Open(t.Context(), o.DB, o.Store, o.Now)
		must(t, err)
		gate := o.NewGate()
		_, err = o.Agreements.Desk(gate, o.Log, o.Store.Prover(o.Provider), Company)
		must(t, err)
		grant, err := o.lookAt(t, gate, o.sam, r.ID, m1)
		must(t, err)
		grant.Finish(nil, 1, 0)

		// When Google no longer publishes the key, what it signed proves nothing to a new process.
		must(t, o.Google.RotateKey())
		must(t, o.Google.RotateKey())
		o.Provider = o.NewProvider()
		_, err = o.lookAt(t, o.NewGate(), o.sam, r.ID, m1)
		refused(t, "a signing key that is gone", err)
	})
}

// TestInterrupted: what was not recorded opens nothing, and is completed later.
func TestInterrupted(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.active(t, m1)
		o.Exec(`UPDATE agreements SET recorded = FALSE WHERE id = $1`, r.ID) // as after a crash between row and event
		_, err := o.look(t, o.sam, r.ID, m1)
		refused(t, "an agreement whose event is not in the log", err)
		must(t, o.Desk.Maintain(t.Context()))
		if _, err := o.look(t, o.sam, r.ID, m1); err != nil {
			t.Errorf("after it was recorded: %v", err)
		}
		events := o.Events()
		if n := len(slices.DeleteFunc(events, func(e string) bool { return e != agreement.EventAgreed })); n != 2 {
			t.Errorf("agreed is recorded %d times, want 2: before and after", n)
		}
	})
}

// TestWitness: where the log has a witness, a view waits for it to have signed for the agreement.
func TestWitness(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		var signed time.Time // what the witness has signed for
		o.Agreements.Await(func(at time.Time) bool { return !signed.Before(at) })
		r := o.active(t, m1)
		_, err := o.look(t, o.sam, r.ID, m1)
		refused(t, "before the witness signed", err)
		if _, err := o.Desk.Running(t.Context(), o.sam, r.ID); !errors.Is(err, agreement.ErrUnwitnessed) {
			t.Errorf("who waits is told %v, want ErrUnwitnessed", err)
		}
		signed = o.Now()
		if _, err := o.look(t, o.sam, r.ID, m1); err != nil {
			t.Errorf("after the witness signed: %v", err)
		}
		if got, err := o.Desk.Running(t.Context(), o.sam, r.ID); err != nil || got.State != agreement.Active {
			t.Errorf("after the witness signed: %+v %v", got, err)
		}
	})
}

// TestClockSetBack: while the machine's clock is more than a minute behind the log's, nobody looks at anything: the
// end of an agreement could not be told.
func TestClockSetBack(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.active(t, m1)
		o.Advance(-50 * time.Second)
		if _, err := o.look(t, o.sam, r.ID, m1); err != nil {
			t.Errorf("less than a minute behind: %v", err)
		}
		o.Advance(-20 * time.Second)
		var closed *policy.Closed
		if _, err := o.look(t, o.sam, r.ID, m1); !errors.As(err, &closed) {
			t.Errorf("more than a minute behind: got %v, want a closed gate", err)
		}
		o.Advance(70 * time.Second)
		if _, err := o.look(t, o.sam, r.ID, m1); err != nil {
			t.Errorf("after the clock was set right: %v", err)
		}
	})
}

// TestMaintain notes what has run out, and forgets what is old.
func TestMaintain(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		o.ask(t, m1)
		o.pending(t, m2)
		o.active(t, m3)
		o.Advance(8 * 24 * hour)
		must(t, o.Desk.Maintain(t.Context()))
		events := o.Events()
		for event, want := range map[string]int{agreement.EventExpired: 2, agreement.EventLapsed: 1} {
			if got := len(slices.DeleteFunc(slices.Clone(events), func(e string) bool { return e != event })); got != want {
				t.Errorf("%s is recorded %d times, want %d", event, got, want)
			}
		}
		must(t, o.Desk.Maintain(t.Context()))
		if again := o.Events(); len(again) != len(events) {
			t.Errorf("a second run recorded %v", again[len(events):])
		}
		if requests, acknowledgements, err := o.Desk.Expire(t.Context()); err != nil || requests != 0 || acknowledgements != 0 {
			t.Errorf("deleted %d and %d before their time: %v", requests, acknowledgements, err)
		}
		o.Advance(401 * 24 * hour)
		if requests, acknowledgements, err := o.Desk.Expire(t.Context()); err != nil || requests != 3 || acknowledgements != 2 {
			t.Errorf("deleted %d requests and %d acknowledgements after 400 days, want 3 and 2: %v", requests, acknowledgements, err)
		}
		var n int
		must(t, o.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM agreements`).Scan(&n))
		if n != 0 {
			t.Errorf("%d requests are kept for longer than the log", n)
		}
	})
}

// published are the digests of the texts as owners and staff of these tests were shown them. A line is never
// changed: another text is another version.
var published = map[string]string{
	"agreement-1": "c446c53d2929cd4f8aafda6c68ae3cb831abf914ec92a95f4c48543720494add",
	"rules-1":     "d6ee4f21f68e9e510bbcf9f32113f7b53477520c73574f6ed6f59bc1dd8e538c",
}

func TestPublishedTextsStand(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		rules, err := o.Desk.Rules()
		must(t, err)
		for name, text := range map[string]agreement.Text{"rules-1": rules, "agreement-1": o.pending(t, m1).Text} {
			if text.SHA256 != published[name] {
				t.Errorf("%s has digest %s, want %s: a published text must not change, make a new version", name, text.SHA256, published[name])
			}
		}
		if _, err := o.Desk.Acknowledge(t.Context(), o.sam, rules.Version, strings.Repeat("0", 64)); !errors.Is(err, agreement.ErrText) {
			t.Errorf("acknowledging another text: %v", err)
		}
	})
}
