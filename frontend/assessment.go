package frontend

import (
	"context"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/assess"
)

// Evidence gathers what reviewers see of the running system, reading at most limit events of the log; it says how
// many it read.
type Evidence func(ctx context.Context, limit int) (sections []assess.Section, read int, err error)

// evidenceLimit is how many events one look at the assessment may read, as many as any reading of the log.
const evidenceLimit = 500

// getAssessment shows a reviewer the evidence about this very system. Looking is decided and recorded like any reading
// of the log.
func (s *Server) getAssessment(v *visit) error {
	if s.Evidence == nil {
		return errNoRoute
	}
	grant, err := s.auditGrant(v, evidenceLimit, "assessment")
	if err != nil {
		return err
	}
	sections, read, err := s.Evidence(v.r.Context(), evidenceLimit)
	grant.Finish(err, read, 0)
	if err != nil {
		return err
	}
	return send(v, 200, assessmentJSON(sections, s.Log.Now(), read))
}

func assessmentJSON(sections []assess.Section, at time.Time, read int) api.Assessment {
	out := api.Assessment{At: at, Events: read, Sections: make([]api.AssessmentSection, len(sections))}
	for i, section := range sections {
		items := make([]api.AssessmentItem, len(section.Items))
		for j, item := range section.Items {
			items[j] = api.AssessmentItem{
				Id: item.ID, Title: item.Title, Status: api.AssessmentItemStatus(item.Status), Says: item.Says, From: item.From,
				Columns: append([]string{}, item.Columns...), Rows: append([][]string{}, item.Rows...), Details: make([]api.AssessmentDetail, len(item.Details)),
			}
			for k, detail := range item.Details {
				items[j].Details[k] = api.AssessmentDetail{Title: detail.Title, Text: detail.Text}
			}
		}
		out.Sections[i] = api.AssessmentSection{Id: section.ID, Title: section.Title, About: section.About, Items: items}
	}
	return out
}

// RouteTable is the table that the server is built from, for who draws or checks what leads where.
func RouteTable() []assess.Route {
	who := map[entrance]string{anyone: "anyone", owner: string(policy.Owner), auditor: string(policy.Auditor), staff: string(policy.Staff)}
	list := make([]assess.Route, len(routes))
	for i, r := range routes {
		list[i] = assess.Route{Method: r.method, Path: r.path, Who: who[r.who], Purpose: string(r.purpose), Feature: string(r.feature)}
	}
	return list
}
