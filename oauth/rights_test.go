package oauth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
)

const day = 24 * time.Hour

// TestClockOfARequest: an alarm on day 25 and a breach on day 30 from receipt, each recorded once, and none for
// what was answered.
func TestClockOfARequest(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada").SignIn(Ada)
		sam := w.NewVisitor("sam").SignInStaff(Sam)
		rights := w.Store.Rights(w.Gate)
		late, err := rights.Ask(t.Context(), ada.Session, oauth.RightRectification, "", "My name is Ada King.")
		if err != nil || !late.Due.Equal(late.Received.Add(30*day)) {
			t.Fatalf("%+v %v, want it due after 30 days", late, err)
		}
		answered, err := rights.Ask(t.Context(), ada.Session, oauth.RightObjection, "", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := rights.Answer(t.Context(), sam.Session.Actor(), answered.ID); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			advance          time.Duration
			alarms, breaches int
		}{{25*day - time.Minute, 0, 0}, {2 * time.Minute, 1, 0}, {day, 0, 0}, {4*day - 2*time.Minute, 0, 0}, {2 * time.Minute, 0, 1}, {40 * day, 0, 0}} {
			w.Advance(step.advance)
			alarms, breaches, err := rights.Watch(t.Context())
			if err != nil || alarms != step.alarms || breaches != step.breaches {
				t.Errorf("%v further: %d alarms, %d breaches, %v; want %d, %d", step.advance, alarms, breaches, err, step.alarms, step.breaches)
			}
		}
		if a, b := count(w.Events(), oauth.EventRightsAlarm), count(w.Events(), oauth.EventRightsBreach); a != 1 || b != 1 {
			t.Errorf("recorded %d alarms and %d breaches, want one of each", a, b)
		}
		pending, err := rights.Pending(t.Context())
		if err != nil || len(pending) != 1 || pending[0].ID != late.ID || pending[0].Note != "My name is Ada King." || pending[0].Contact != Ada {
			t.Errorf("pending: %+v %v, want the one request with its note and address", pending, err)
		}
		for place, content := range map[string]string{"the log": w.LogBytes(), "the database": dump(t, w), "the server's log": w.ServerLog.String()} {
			if strings.Contains(content, "Ada King") || strings.Contains(content, Ada) {
				t.Errorf("%s holds what was written, or the address", place)
			}
		}
	})
}

// TestThirdRequest: only the third request to know, of someone in California, within 365 days may be refused.
func TestThirdRequest(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada, bob := w.NewVisitor("ada").SignIn(Ada), w.NewVisitor("bob").SignIn(Bob)
		sam := w.NewVisitor("sam").SignInStaff(Sam).Session.Actor()
		rights := w.Store.Rights(w.Gate)
		start := w.Now()
		// ask registers a request on a day and has it answered; the last one of a row is tried to be refused.
		refuse := func(v *Visitor, onDay int, right oauth.Right, region string, want error) {
			t.Helper()
			w.Advance(start.Add(time.Duration(onDay)*day + time.Hour).Sub(w.Now()))
			q, err := rights.Ask(t.Context(), v.Session, right, region, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := rights.Refuse(t.Context(), sam, q.ID); !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("day %d, %s from %q: refusing gives %v, want %v", onDay, right, region, err, want)
			}
			if want != nil {
				if err := rights.Answer(t.Context(), sam, q.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		must := oauth.ErrMustAnswer
		refuse(ada, 0, oauth.RightAccess, oauth.California, must)
		refuse(bob, 0, oauth.RightAccess, "", must)
		refuse(ada, 100, oauth.RightPortability, oauth.California, must)
		refuse(bob, 100, oauth.RightAccess, "", must)
		refuse(bob, 101, oauth.RightAccess, "", must)
		refuse(bob, 102, oauth.RightErasure, "", must)
		refuse(ada, 101, oauth.RightErasure, oauth.California, must)
		refuse(ada, 102, oauth.RightErasure, oauth.California, must)
		refuse(ada, 103, oauth.RightErasure, oauth.California, must)
		refuse(ada, 364, oauth.RightAccess, oauth.California, nil)
		refuse(ada, 366, oauth.RightAccess, oauth.California, must) // the first was more than 365 days ago
	})
}

func TestWhatCanBeAsked(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada, bob := w.NewVisitor("ada").SignIn(Ada), w.NewVisitor("bob").SignIn(Bob)
		sam := w.NewVisitor("sam").SignInStaff(Sam)
		rights := w.Store.Rights(w.Gate)
		for name, c := range map[string]struct {
			session             oauth.Session
			right, region, note string
			want                error
		}{
			"nobody":           {oauth.Session{}, "access", "", "", oauth.ErrNoSession},
			"staff":            {sam.Session, "access", "", "", oauth.ErrNoSession},
			"an unknown right": {ada.Session, "everything", "", "", oauth.ErrBadRequest},
			"an unknown place": {ada.Session, "access", "texas", "", oauth.ErrBadRequest},
			"a long note":      {ada.Session, "access", "", strings.Repeat("x", 5000), oauth.ErrBadRequest},
		} {
			if _, err := rights.Ask(t.Context(), c.session, oauth.Right(c.right), c.region, c.note); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
		}
		if _, err := rights.Ask(t.Context(), ada.Session, oauth.RightAccess, "", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := rights.Ask(t.Context(), ada.Session, oauth.RightAccess, "", ""); !errors.Is(err, oauth.ErrOpenAlready) {
			t.Errorf("asked twice: got %v, want ErrOpenAlready", err)
		}
		if got, err := rights.Of(t.Context(), bob.Session.Person); err != nil || len(got) != 0 {
			t.Errorf("Bob sees %v %v, want nothing of Ada's", got, err)
		}
		if err := rights.Answer(t.Context(), sam.Session.Actor(), "no such request"); !errors.Is(err, oauth.ErrNoRequest) {
			t.Errorf("an unknown request: got %v, want ErrNoRequest", err)
		}
	})
}

// TestAnsweredAtOnce: what the product answers by itself is in the register and in the log, closed.
func TestAnsweredAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada").SignIn(Ada)
		rights := w.Store.Rights(w.Gate)
		for i := range 5 {
			if err := rights.MayCopy(t.Context(), ada.Session.Person); err != nil {
				t.Errorf("copy %d of the day: %v", i+1, err)
			}
			if err := rights.AnsweredAtOnce(t.Context(), ada.Session, oauth.RightPortability); err != nil {
				t.Fatal(err)
			}
		}
		if err := rights.MayCopy(t.Context(), ada.Session.Person); !errors.Is(err, oauth.ErrManyCopies) {
			t.Errorf("the sixth copy of the day: got %v, want ErrManyCopies", err)
		}
		w.Advance(day)
		if err := rights.MayCopy(t.Context(), ada.Session.Person); err != nil {
			t.Errorf("the next day: %v", err)
		}
		got, err := rights.Of(t.Context(), ada.Session.Person)
		if err != nil || len(got) != 5 || got[0].State != oauth.RightsAnswered || got[0].How != "product" || !got[0].Ended.Equal(got[0].Received) {
			t.Errorf("the register: %+v %v", got, err)
		}
		if pending, err := rights.Pending(t.Context()); err != nil || len(pending) != 0 {
			t.Errorf("pending: %v %v, want none", pending, err)
		}
		events := w.Events()
		if !slices.Equal(events[len(events)-2:], []string{oauth.EventRightsRequested, oauth.EventRightsAnswered}) {
			t.Errorf("got last events %v", events[len(events)-2:])
		}
	})
}
