package frontend

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/agreement"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// EventReviewed says that an auditor has reviewed a week of the log (ADA-CLOUD 3.9 asks for it every week). Its details
// hold the week, its counts, and the size and root of the log that the auditor saw.
const EventReviewed = "audit.reviewed"

// accessEvents are the steps of agreements.
var accessEvents = []string{
	agreement.EventOffered, agreement.EventAsked, agreement.EventTaken, agreement.EventApproved, agreement.EventDeclined, agreement.EventWithdrawn, agreement.EventAgreed,
	agreement.EventRefused, agreement.EventRevoked, agreement.EventExpired, agreement.EventLapsed, agreement.EventClosed,
}

// weeksShown is how many weeks the page lists.
const weeksShown = 12

const week = 7 * 24 * time.Hour

// monday is the beginning of the ISO week of a time, UTC.
func monday(t time.Time) time.Time {
	day := t.UTC().Truncate(24 * time.Hour)
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

func weekName(begins time.Time) string {
	year, n := begins.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, n)
}

// weekOf reads a week's name.
func weekOf(name string) (begins time.Time, err error) {
	year, _ := strconv.Atoi(name[:4]) // the schema has checked the form
	n, _ := strconv.Atoi(name[6:])
	begins = monday(time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)).AddDate(0, 0, 7*(n-1)) // 4 January is always in the first week
	if weekName(begins) != name {
		return begins, &inbox.InvalidError{Field: "week", Why: "there is no such week"}
	}
	return begins, nil
}

// countWeek counts the decisions of a week.
func (s *Server) countWeek(v *visit, begins time.Time) (api.AuditWeek, error) {
	out := api.AuditWeek{Week: weekName(begins), Begins: begins, Over: !s.Log.Now().Before(begins.Add(week)), Reviews: []api.AuditReview{}}
	counts, _, err := s.tally.Counts(v.r.Context(), decisionlog.Filter{Kind: decisionlog.Decision, Since: begins, Until: begins.Add(week)})
	for _, c := range counts {
		addTo(&out.Allowed, &out.Refused, c)
		if c.Allowed && c.Feature == "agreed_view" {
			out.HumanViews += c.N
		}
	}
	return out, err
}

// listReviews lists weeks, newest first, with who signed them off.
func (s *Server) listReviews(v *visit) error {
	grant, err := s.auditGrant(v, mostRead, "reviews")
	if err != nil {
		return err
	}
	page, err := s.Log.Query(v.r.Context(), decisionlog.Filter{Kind: decisionlog.Lifecycle, Operation: EventReviewed, Limit: mostRead})
	grant.Finish(err, len(page.Records), 0)
	if err != nil {
		return err
	}
	reviews := map[string][]api.AuditReview{}
	for _, r := range page.Records {
		var event struct {
			Details map[string]string `json:"details"`
		}
		if json.Unmarshal(r.Body, &event) != nil {
			continue // dropped by retention
		}
		name := event.Details["week"]
		reviews[name] = append(reviews[name], api.AuditReview{Index: r.Index, At: r.At, By: r.Actor, TreeSize: event.Details["tree_size"]})
	}
	out := api.AuditReviews{Weeks: make([]api.AuditWeek, weeksShown)}
	for i := range out.Weeks {
		if out.Weeks[i], err = s.countWeek(v, monday(s.Log.Now()).AddDate(0, 0, -7*i)); err != nil {
			return err
		}
		if signed := reviews[out.Weeks[i].Week]; signed != nil {
			out.Weeks[i].Reviews = signed
		}
	}
	return send(v, 200, out)
}

// signReview records that the signed-in auditor has reviewed a week that is over.
func (s *Server) signReview(v *visit) error {
	var body api.NewReview
	if err := read(v, &body); err != nil {
		return err
	}
	if v.session.Kind != policy.Auditor {
		return errWrongRole
	}
	begins, err := weekOf(body.Week)
	if err != nil {
		return err
	}
	grant, err := s.auditGrant(v, auditPage, "review "+body.Week)
	if err != nil {
		return err
	}
	counted, err := s.countWeek(v, begins)
	_, tree, treeErr := s.Log.Checkpoint(v.r.Context())
	if err == nil {
		err = treeErr
	}
	grant.Finish(err, 1, 0)
	if err != nil {
		return err
	}
	if !counted.Over {
		return &inbox.InvalidError{Field: "week", Why: "it is not over yet"}
	}
	err = s.Gate.Record(v.r.Context(), policy.Lifecycle{Event: EventReviewed, Actor: v.session.Actor(), Details: map[string]string{
		"week": body.Week, "allowed": strconv.FormatInt(counted.Allowed, 10), "refused": strconv.FormatInt(counted.Refused, 10),
		"human_views": strconv.FormatInt(counted.HumanViews, 10), "tree_size": strconv.FormatInt(tree.N, 10), "root": tree.Hash.String(),
	}})
	if err != nil {
		return err
	}
	return done(v)
}
