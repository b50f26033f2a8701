package emulator

import (
	"slices"
	"strconv"
)

func listThreads(c *call) (any, error) {
	f, err := c.listFilter()
	if err != nil {
		return nil, err
	}
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	f.prepareLocked(c)
	var out listThreadsResource
	var n int
	out.NextPageToken, n, err = c.pageLocked(f, f.newestOfThread(c.box), func(m *message) {
		snippet := m.thread.newest().content.snippet
		out.Threads = append(out.Threads, threadResource{
			ID: m.thread.id, Snippet: &snippet, HistoryID: strconv.FormatUint(m.thread.historyID(), 10),
		})
	})
	out.ResultSizeEstimate = estimate(n, out.NextPageToken != "", c.pageSize())
	return out, err
}

func (t *thread) newest() *message { return t.messages[len(t.messages)-1] }

func (t *thread) historyID() uint64 {
	var id uint64
	for _, m := range t.messages {
		id = max(id, m.historyID)
	}
	return id
}

func (c *call) threadLocked() (*thread, error) {
	id := c.path["id"]
	if !validID(id) {
		return nil, badRequest("Invalid thread_id value")
	}
	t := c.box.threads[id]
	if t == nil {
		return nil, notFound()
	}
	return t, nil
}

func getThread(c *call) (any, error) {
	format, err := c.format()
	if err != nil {
		return nil, err
	}
	c.box.mu.RLock()
	t, err := c.threadLocked()
	if err != nil {
		c.box.mu.RUnlock()
		return nil, err
	}
	out := threadResource{ID: t.id, HistoryID: strconv.FormatUint(t.historyID(), 10)}
	snapshots := t.snapshots()
	c.box.mu.RUnlock()
	for _, s := range snapshots {
		out.Messages = append(out.Messages, s.resource(c.srv.attachments, format, c.query["metadataHeaders"]))
	}
	return out, nil
}

func (t *thread) snapshots() []snapshot {
	out := make([]snapshot, len(t.messages))
	for i, m := range t.messages {
		out[i] = m.snapshot()
	}
	return out
}

func modifyThread(c *call) (any, error) {
	l, err := c.labelChange()
	if err != nil {
		return nil, err
	}
	if len(l.AddLabelIDs)+len(l.RemoveLabelIDs) == 0 {
		return nil, badRequest("No label add or removes specified")
	}
	return c.relabelThread(l)
}

func trashThread(c *call) (any, error) {
	return c.relabelThread(labelChange{AddLabelIDs: []string{"TRASH"}})
}

func untrashThread(c *call) (any, error) {
	return c.relabelThread(labelChange{RemoveLabelIDs: []string{"TRASH"}})
}

// relabelThread changes the messages that are in the thread now; later ones do
// not inherit.
func (c *call) relabelThread(l labelChange) (any, error) {
	c.box.mu.Lock()
	defer c.box.unlock()
	t, err := c.threadLocked()
	if err != nil {
		return nil, err
	}
	if err := c.checkChangeLocked(l); err != nil {
		return nil, err
	}
	out := threadResource{ID: t.id}
	for _, m := range t.messages {
		c.box.relabelLocked(m, l.AddLabelIDs, l.RemoveLabelIDs)
		out.Messages = append(out.Messages, m.snapshot().short())
	}
	return out, nil
}

func deleteThread(c *call) (any, error) {
	c.box.mu.Lock()
	defer c.box.unlock()
	t, err := c.threadLocked()
	if err != nil {
		return nil, err
	}
	for _, m := range slices.Clone(t.messages) {
		c.box.removeLocked(m)
	}
	return nil, nil
}
