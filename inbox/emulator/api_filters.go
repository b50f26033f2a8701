package emulator

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/emulator/internal/query"
)

const (
	maxFilters        = 1000
	maxFilterCriteria = 1500 // characters of all criteria together
)

// listFilters answers under the singular key "filter", absent when there are none.
func listFilters(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	var out struct {
		Filter []filterResource `json:"filter,omitempty"`
	}
	out.Filter = append(out.Filter, c.box.settings.Filters...)
	return out, nil
}

func getFilter(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	if i := c.filterIndexLocked(); i >= 0 {
		return c.box.settings.Filters[i], nil
	}
	return nil, notFound()
}

func (c *call) filterIndexLocked() int {
	return slices.IndexFunc(c.box.settings.Filters, func(f filterResource) bool { return f.ID == c.path["id"] })
}

func deleteFilter(c *call) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		i := c.filterIndexLocked()
		if i < 0 {
			return nil, notFound()
		}
		s.Filters = slices.Delete(s.Filters, i, i+1)
		return nil, nil
	})
}

func createFilter(c *call) (any, error) {
	var f filterResource
	if err := c.decode(&f); err != nil {
		return nil, err
	}
	return c.changeSettings(func(s *settings) (any, error) {
		if err := c.checkFilterLocked(f); err != nil {
			return nil, err
		}
		f.ID = "ANe1Bm" + newMessageID()[2:32]
		s.Filters = append(s.Filters, f)
		return f, nil
	})
}

func (c *call) checkFilterLocked(f filterResource) error {
	switch {
	case f.Criteria == nil || *f.Criteria == (filterCriteria{}):
		return badRequest("Filter doesn't have any criteria")
	case f.Action == nil || len(f.Action.AddLabelIDs)+len(f.Action.RemoveLabelIDs)+len(f.Action.Forward) == 0:
		return badRequest("Filter doesn't have any actions")
	case f.Action.Forward != "" && !c.box.settings.mayForwardTo(f.Action.Forward):
		return badRequest("Unrecognized forwarding address")
	}
	if text, err := json.Marshal(f.Criteria); err != nil || len(text) > maxFilterCriteria {
		return badRequest("Filter criteria too long")
	}
	userLabels := 0
	for _, id := range f.Action.AddLabelIDs {
		if l := c.box.labels.byID[id]; l != nil && l.kind == "user" {
			userLabels++
		}
	}
	if userLabels > 1 {
		return badRequest("Filter may add one user label at most")
	}
	if err := c.checkChangeLocked(labelChange{AddLabelIDs: f.Action.AddLabelIDs, RemoveLabelIDs: f.Action.RemoveLabelIDs}); err != nil {
		return err
	}
	for _, o := range c.box.settings.Filters {
		if reflect.DeepEqual(o.Criteria, f.Criteria) && reflect.DeepEqual(o.Action, f.Action) {
			return failedPrecondition("Filter already exists")
		}
	}
	if len(c.box.settings.Filters) >= maxFilters {
		return usualError(500) // what Gmail answers in practice
	}
	return nil
}

// fate is what becomes of a message that arrives.
type fate struct {
	labels  []string
	forward []string // addresses, all verified
}

// fateLocked lets the filters and the forwarding of all mail decide about a message
// that arrives. A label deleted since a filter was made is passed over, as is a
// forwarding address.
func (b *mailbox) fateLocked(content *mailContent, now time.Time) fate {
	out := fate{labels: []string{"INBOX", "UNREAD"}}
	m := &message{content: content, date: now.UnixMilli(), labels: out.labels}
	for _, f := range b.settings.Filters {
		if !query.Parse(f.Criteria.search(), query.Env{Now: now, Me: b.email}).Match(&searchable{m: m, b: b}) {
			continue
		}
		out.remove(f.Action.RemoveLabelIDs...)
		for _, id := range f.Action.AddLabelIDs {
			if b.labels.byID[id] != nil {
				out.labels = append(out.labels, id)
			}
		}
		if b.settings.mayForwardTo(f.Action.Forward) {
			out.forward = append(out.forward, f.Action.Forward)
		}
	}
	if all := b.settings.AutoForwarding; all.Enabled && b.settings.mayForwardTo(all.EmailAddress) {
		out.forward = append(out.forward, all.EmailAddress)
		switch all.Disposition {
		case "archive":
			out.remove("INBOX")
		case "markRead":
			out.remove("UNREAD")
		case "trash":
			out.labels = append(out.labels, "TRASH")
		}
	}
	return out
}

func (f *fate) remove(ids ...string) {
	f.labels = slices.DeleteFunc(slices.Clone(f.labels), func(id string) bool { return slices.Contains(ids, id) })
}

// search writes the criteria in the search language.
func (c filterCriteria) search() string {
	var terms []string
	for name, value := range map[string]string{"from": c.From, "to": c.To, "subject": c.Subject} {
		if value != "" {
			terms = append(terms, name+":("+value+")")
		}
	}
	if c.Query != "" {
		terms = append(terms, "("+c.Query+")")
	}
	if c.NegatedQuery != "" {
		terms = append(terms, "-("+c.NegatedQuery+")")
	}
	if c.HasAttachment {
		terms = append(terms, "has:attachment")
	}
	if c.SizeComparison == "larger" || c.SizeComparison == "smaller" {
		terms = append(terms, fmt.Sprintf("%s:%d", c.SizeComparison, c.Size))
	}
	return strings.Join(terms, " ")
}
