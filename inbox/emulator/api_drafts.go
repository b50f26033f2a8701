package emulator

// draftBody is a Draft in a request.
type draftBody struct {
	ID      string      `json:"id"`
	Message messageBody `json:"message"`
}

func (c *call) draftBody() (draftBody, error) {
	var d draftBody
	return d, c.decode(&d)
}

// draftLocked finds a draft by its id. Draft ids have no form that Gmail checks.
func (c *call) draftLocked(id string) (*message, error) {
	m := c.box.drafts[id]
	if m == nil {
		return nil, notFound()
	}
	return m, nil
}

func createDraft(c *call) (any, error) {
	d, content, err := c.draftContent()
	if err != nil {
		return nil, err
	}
	c.box.mu.Lock()
	defer c.box.unlock()
	threadID, err := c.box.threadForSenderLocked(d.Message.ThreadID, content)
	if err != nil {
		return nil, err
	}
	return c.storeDraftLocked(newDraftID(), content, threadID), nil
}

func (c *call) draftContent() (draftBody, *mailContent, error) {
	d, err := c.draftBody()
	if err != nil {
		return d, nil, err
	}
	raw, err := c.rawMessage(d.Message)
	if err != nil {
		return d, nil, err
	}
	content, bad := newMail(raw)
	if bad != nil {
		return d, nil, badRequest("Invalid message: " + bad.Error())
	}
	return d, content, nil
}

func (c *call) storeDraftLocked(id string, content *mailContent, threadID string) draftResource {
	m := c.box.storeLocked(newMessage{
		content: content, labels: []string{"DRAFT"}, date: c.srv.now(), threadID: threadID, draftID: id,
	})
	short := m.snapshot().short()
	return draftResource{ID: id, Message: &short}
}

// updateDraft replaces the draft's message by a new one with a new id. The thread
// must be given again, else the draft leaves it.
func updateDraft(c *call) (any, error) {
	d, content, err := c.draftContent()
	if err != nil {
		return nil, err
	}
	c.box.mu.Lock()
	defer c.box.unlock()
	old, err := c.draftLocked(c.path["id"])
	if err != nil {
		return nil, err
	}
	threadID := ""
	if d.Message.ThreadID == old.thread.id {
		threadID = old.thread.id // it is in that thread already: nothing to prove again
	} else if threadID, err = c.box.threadForSenderLocked(d.Message.ThreadID, content); err != nil {
		return nil, err
	}
	id := old.draftID
	out := c.storeDraftLocked(id, content, threadID)
	c.box.removeLocked(old)
	return out, nil
}

func getDraft(c *call) (any, error) {
	format, err := c.format()
	if err != nil {
		return nil, err
	}
	c.box.mu.RLock()
	m, err := c.draftLocked(c.path["id"])
	if err != nil {
		c.box.mu.RUnlock()
		return nil, err
	}
	id, s := m.draftID, m.snapshot()
	c.box.mu.RUnlock()
	r := s.resource(c.srv.attachments, format, nil)
	return draftResource{ID: id, Message: &r}, nil
}

func listDrafts(c *call) (any, error) {
	f, err := c.listFilter()
	if err != nil {
		return nil, err
	}
	f.drafts = true
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	f.prepareLocked(c)
	var out listDraftsResource
	var n int
	out.NextPageToken, n, err = c.pageLocked(f, everyMessage, func(m *message) {
		out.Drafts = append(out.Drafts, draftResource{ID: m.draftID, Message: &messageResource{ID: m.id, ThreadID: m.thread.id}})
	})
	out.ResultSizeEstimate = estimate(n, out.NextPageToken != "", c.pageSize())
	return out, err
}

// deleteDraft is permanent: drafts do not go to the trash.
func deleteDraft(c *call) (any, error) {
	c.box.mu.Lock()
	defer c.box.unlock()
	m, err := c.draftLocked(c.path["id"])
	if err != nil {
		return nil, err
	}
	c.box.removeLocked(m)
	return nil, nil
}

// sendDraft sends a draft as it is, or with the message given ({id, message.raw}
// or an upload). Without an id it sends the message given.
func sendDraft(c *call) (any, error) {
	d, err := c.draftBody()
	if err != nil {
		return nil, err
	}
	var draft *message
	var raw []byte
	if d.ID != "" {
		c.box.mu.RLock()
		draft, err = c.draftLocked(d.ID)
		c.box.mu.RUnlock()
		if err != nil {
			return nil, err
		}
		raw = draft.content.raw
	}
	if c.upload || d.Message.Raw != "" || draft == nil {
		if raw, err = c.rawMessage(d.Message); err != nil {
			return nil, err
		}
	}
	return c.send(raw, draft, d.Message.ThreadID)
}
