package emulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// historyScan is how many changes one page looks at. A page of a filtered history
// may therefore be empty and still have a next page, which clients must expect.
const historyScan = 1000

func listHistory(c *call) (any, error) {
	start, err := strconv.ParseUint(c.param("startHistoryId"), 10, 64)
	if err != nil {
		return nil, badRequest("Missing/invalid parameter: startHistoryId")
	}
	labelID := c.param("labelId")
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	if labelID != "" && c.box.labels.byID[labelID] == nil {
		return nil, notFound()
	}
	if token := c.param("pageToken"); token != "" {
		at, ok := parseHistoryToken(token)
		if !ok {
			return nil, badRequest("Invalid pageToken")
		}
		start = at
	}
	records, ok := c.box.history.since(c.srv.now(), start)
	if !ok {
		return nil, notFound()
	}
	out := listHistoryResource{HistoryID: strconv.FormatUint(c.box.history.head, 10)}
	if c.emptyPage {
		out.NextPageToken = historyToken(start)
		return out, nil
	}
	size, seen := c.pageSize(), start
	for i, r := range records {
		if len(out.History) == size || i == historyScan {
			out.NextPageToken = historyToken(seen)
			break
		}
		seen = r.ID
		if h, ok := r.resource(c.query["historyTypes"], labelID); ok {
			out.History = append(out.History, h)
		}
	}
	return out, nil
}

// historyToken is where the last page ended, 20 digits beginning with a 1 that
// ids never reach.
func historyToken(id uint64) string { return fmt.Sprintf("1%019d", id) }

func parseHistoryToken(token string) (uint64, bool) {
	digits, ok := strings.CutPrefix(token, "1")
	if !ok || len(digits) != 19 {
		return 0, false
	}
	id, err := strconv.ParseUint(digits, 10, 64)
	return id, err == nil
}

// resource shows a record; false when the types or the label leave it out.
func (r historyRecord) resource(types []string, labelID string) (historyResource, bool) {
	if labelID != "" && !slices.Contains(r.Message.Labels, labelID) &&
		!slices.Contains(r.LabelsAdded, labelID) && !slices.Contains(r.LabelsRemoved, labelID) {
		return historyResource{}, false
	}
	wanted := func(t string) bool { return len(types) == 0 || slices.Contains(types, t) }
	m := messageResource{ID: r.Message.ID, ThreadID: r.Message.ThreadID, LabelIDs: r.Message.Labels}
	h := historyResource{
		ID:       strconv.FormatUint(r.ID, 10),
		Messages: []messageResource{{ID: m.ID, ThreadID: m.ThreadID}},
	}
	shown := false
	if r.Added && wanted("messageAdded") {
		h.MessagesAdded, shown = []historyMessage{{m}}, true
	}
	if r.Deleted && wanted("messageDeleted") {
		h.MessagesDeleted, shown = []historyMessage{{m}}, true
	}
	if len(r.LabelsAdded) > 0 && wanted("labelAdded") {
		h.LabelsAdded, shown = []historyLabelChange{{m, r.LabelsAdded}}, true
	}
	if len(r.LabelsRemoved) > 0 && wanted("labelRemoved") {
		h.LabelsRemoved, shown = []historyLabelChange{{m, r.LabelsRemoved}}, true
	}
	return h, shown
}
