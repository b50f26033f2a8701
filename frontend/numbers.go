package frontend

import (
	"slices"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy/aggregate"
)

// monthsShown is how many months the page charts. Reading each release is decided and recorded.
const monthsShown = 24

// listNumbers returns what is published about the use of the product, month by month, newest first.
func (s *Server) listNumbers(v *visit) error {
	if !slices.Contains(v.session.Roles, oauth.RoleOperations) {
		return errWrongRole
	}
	ctx := v.r.Context()
	closed, err := s.Numbers.Store.Months(ctx, monthsShown)
	if err != nil {
		return err
	}
	out := api.Numbers{Months: make([]api.NumbersMonth, len(closed)), MinOwners: aggregate.MinOwners, NextAt: aggregate.Next(s.Log.Now())}
	reader := aggregate.Reader{Actor: v.session.Actor(), Purpose: v.inbox.Purpose, Feature: v.inbox.Feature}
	for i, entry := range closed {
		out.Months[i].Month = entry.Month.String()
		if entry.Release == "" {
			continue
		}
		body, err := s.Numbers.Read(ctx, reader, entry.Release)
		if err != nil {
			return err
		}
		if out.Months[i].Release, err = releaseJSON(body); err != nil {
			return err
		}
	}
	return send(v, 200, out)
}

func releaseJSON(body []byte) (*api.NumbersRelease, error) {
	r, err := aggregate.ParseRelease(body)
	if err != nil {
		return nil, err
	}
	out := &api.NumbersRelease{
		Id: r.ID, Catalogue: r.Catalogue, MinOwners: r.MinOwners, Epsilon: r.Epsilon, Delta: r.Delta, Margin: r.Margin,
		Questions: make([]api.NumbersQuestion, len(r.Questions)),
	}
	for i, q := range r.Questions {
		cells := make([]api.NumbersCell, len(q.Cells))
		for j, c := range q.Cells {
			cells[j] = api.NumbersCell{Id: c.ID, Owners: c.Owners}
		}
		out.Questions[i] = api.NumbersQuestion{Id: q.ID, Total: q.Total, Cells: cells}
	}
	return out, nil
}

// getService returns how this server answers: figures that hold nothing from Gmail.
func (s *Server) getService(v *visit) error {
	if !slices.Contains(v.session.Roles, oauth.RoleOperations) {
		return errWrongRole
	}
	since, routes := s.traffic.Snapshot()
	out := api.ServiceFigures{Since: since, Routes: make([]api.RouteFigures, len(routes))}
	for i, r := range routes {
		out.Routes[i] = api.RouteFigures{
			Method: r.Method, Route: r.Route, Requests: r.Requests, Refused: r.Refused, Failed: r.Failed,
			MedianMs: int64(r.Median / time.Millisecond), P95Ms: int64(r.P95 / time.Millisecond),
		}
	}
	return send(v, 200, out)
}
