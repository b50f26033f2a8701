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
	out.Filter = append(out.Filter, c.box.settings.filters...)
	return out, nil
}

func getFilter(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	if i := c.filterIndexLocked(); i >= 0 {
		return c.box.settings.filters[i], nil
	}
	return nil, notFound()
}

func (c *call) filterIndexLocked() int {
	return slices.IndexFunc(c.box.settings.filters, func(f filterResource) bool { return f.ID == c.path["id"] })
}

func deleteFilter(c *call) (any, error) {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	i := c.filterIndexLocked()
	if i < 0 {
		return nil, notFound()
	}
	c.box.settings.filters = slices.Delete(c.box.settings.filters, i, i+1)
	return nil, nil
}

func createFilter(c *call) (any, error) {
	var f filterResource
	if err := c.decode(&f); err != nil {
		return nil, err
	}
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	if err := c.checkFilterLocked(f); err != nil {
		return nil, err
	}
	f.ID = "ANe1Bm" + newMessageID()[2:32]
	c.box.settings.filters = append(c.box.settings.filters, f)
	return f, nil
}

func (c *call) checkFilterLocked(f filterResource) error {
	switch {
	case f.Criteria == nil || *f.Criteria == (filterCriteria{}):
		return badRequest("Filter doesn't have any criteria")
	case f.Action == nil || len(f.Action.AddLabelIDs)+len(f.Action.RemoveLabelIDs)+len(f.Action.Forward) == 0:
		return badRequest("Filter doesn't have any actions")
	case f.Action.Forward != "":
		return badRequest("Unrecognized forwarding address") // none can be verified here
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
	for _, o := range c.box.settings.filters {
		if reflect.DeepEqual(o.Criteria, f.Criteria) && reflect.DeepEqual(o.Action, f.Action) {
			return failedPrecondition("Filter already exists")
		}
	}
	if len(c.box.settings.filters) >= maxFilters {
		return usualError(500) // what Gmail answers in practice
	}
	return nil
}

// filteredLabelsLocked is what the filters make of the labels of a message that
// arrives. A label deleted since the filter was made is passed over.
func (b *mailbox) filteredLabelsLocked(content *mailContent, now time.Time, labels []string) []string {
	m := &message{content: content, date: now.UnixMilli(), labels: labels}
	for _, f := range b.settings.filters {
		if !query.Parse(f.Criteria.search(), query.Env{Now: now, Me: b.email}).Match(searchable{m, b}) {
			continue
		}
		labels = slices.DeleteFunc(slices.Clone(labels), func(id string) bool { return slices.Contains(f.Action.RemoveLabelIDs, id) })
		for _, id := range f.Action.AddLabelIDs {
			if b.labels.byID[id] != nil {
				labels = append(labels, id)
			}
		}
	}
	return labels
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
