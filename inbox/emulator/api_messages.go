package emulator

import "slices"

func listMessages(c *call) (any, error) {
	f, err := c.listFilter()
	if err != nil {
		return nil, err
	}
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	f.prepareLocked(c)
	var out listMessagesResource
	var n int
	out.NextPageToken, n, err = c.pageLocked(f, everyMessage, func(m *message) {
		out.Messages = append(out.Messages, messageResource{ID: m.id, ThreadID: m.thread.id})
	})
	out.ResultSizeEstimate = estimate(n, out.NextPageToken != "", c.pageSize())
	return out, err
}

// lookupLocked finds a message by the id in the path.
func (c *call) lookupLocked(id string) (*message, error) {
	if !validID(id) {
		return nil, badRequest("Invalid id value")
	}
	m := c.box.messages[id]
	if m == nil {
		return nil, notFound()
	}
	return m, nil
}

// snapshot takes a message out from under the lock.
func (c *call) snapshot(id string) (snapshot, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	m, err := c.lookupLocked(id)
	if err != nil {
		return snapshot{}, err
	}
	return m.snapshot(), nil
}

func getMessage(c *call) (any, error) {
	format, err := c.format()
	if err != nil {
		return nil, err
	}
	s, err := c.snapshot(c.path["id"])
	if err != nil {
		return nil, err
	}
	return s.resource(c.srv.attachments, format, c.query["metadataHeaders"]), nil
}

func getAttachment(c *call) (any, error) {
	s, err := c.snapshot(c.path["messageId"])
	if err != nil {
		return nil, err
	}
	of, n, ok := c.srv.attachments.open(c.path["id"])
	if !ok || of != s.id {
		return nil, badRequest("Invalid attachment token")
	}
	part := partAt(s.content.raw, n)
	if part == nil {
		return nil, notFound()
	}
	return bodyResource{Size: len(part.Body), Data: encodeBase64(part.Body)}, nil
}

func insertMessage(c *call) (any, error) {
	return c.insert(c.param("internalDateSource") == "dateHeader")
}

// importMessage takes the Date header by default; spam is never judged here, so
// neverMarkSpam and processForCalendar change nothing.
func importMessage(c *call) (any, error) {
	return c.insert(c.param("internalDateSource") != "receivedTime")
}

func (c *call) insert(byDateHeader bool) (any, error) {
	var body messageBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	raw, err := c.rawMessage(body)
	if err != nil {
		return nil, err
	}
	content, bad := newMail(raw)
	if bad != nil {
		return nil, badRequest("Invalid message: " + bad.Error())
	}
	n := newMessage{content: content, date: c.srv.now(), labels: body.LabelIDs}
	if t, ok := content.sentAt(); ok && byDateHeader {
		n.date = t
	}
	c.box.mu.Lock()
	defer c.box.unlock()
	for _, id := range body.LabelIDs {
		if c.box.labels.byID[id] == nil {
			return nil, badRequest("Invalid label: " + id)
		}
		if id == "DRAFT" {
			n.draftID = newDraftID() // Gmail wraps it in a draft
		}
	}
	if n.threadID, err = c.box.threadForSenderLocked(body.ThreadID, content); err != nil {
		return nil, err
	}
	if n.threadID == "" {
		n.threadID = c.box.threadByHeadersLocked(content)
	}
	return c.box.storeLocked(n).snapshot().short(), nil
}

// labelChange is the body of modify, batchModify and threads.modify.
type labelChange struct {
	IDs            []string `json:"ids"`
	AddLabelIDs    []string `json:"addLabelIds"`
	RemoveLabelIDs []string `json:"removeLabelIds"`
}

const (
	maxLabelChanges = 100
	maxBatchIDs     = 1000
)

func (c *call) labelChange() (labelChange, error) {
	var l labelChange
	if err := c.decode(&l); err != nil {
		return l, err
	}
	if len(l.AddLabelIDs) > maxLabelChanges || len(l.RemoveLabelIDs) > maxLabelChanges {
		return l, badRequest("Too many labels: at most 100 may be added or removed at once")
	}
	for _, id := range l.AddLabelIDs {
		if slices.Contains(l.RemoveLabelIDs, id) {
			return l, badRequest("Cannot both add and remove the same label")
		}
	}
	return l, nil
}

func (c *call) checkChangeLocked(l labelChange) error {
	if err := c.box.labels.checkApplicable(l.AddLabelIDs); err != nil {
		return err
	}
	return c.box.labels.checkApplicable(l.RemoveLabelIDs)
}

func modifyMessage(c *call) (any, error) {
	l, err := c.labelChange()
	if err != nil {
		return nil, err
	}
	if len(l.AddLabelIDs)+len(l.RemoveLabelIDs) == 0 {
		return nil, badRequest("No label add or removes specified")
	}
	return c.relabelOne(l)
}

func trashMessage(c *call) (any, error) {
	return c.relabelOne(labelChange{AddLabelIDs: []string{"TRASH"}})
}

func untrashMessage(c *call) (any, error) {
	return c.relabelOne(labelChange{RemoveLabelIDs: []string{"TRASH"}})
}

func (c *call) relabelOne(l labelChange) (any, error) {
	c.box.mu.Lock()
	defer c.box.unlock()
	m, err := c.lookupLocked(c.path["id"])
	if err != nil {
		return nil, err
	}
	if err := c.checkChangeLocked(l); err != nil {
		return nil, err
	}
	c.box.relabelLocked(m, l.AddLabelIDs, l.RemoveLabelIDs)
	return m.snapshot().short(), nil
}

func batchModifyMessages(c *call) (any, error) {
	l, err := c.labelChange()
	if err != nil {
		return nil, err
	}
	return c.eachMessage(l.IDs, func() error { return c.checkChangeLocked(l) }, func(m *message) {
		c.box.relabelLocked(m, l.AddLabelIDs, l.RemoveLabelIDs)
	})
}

func batchDeleteMessages(c *call) (any, error) {
	var l labelChange
	if err := c.decode(&l); err != nil {
		return nil, err
	}
	return c.eachMessage(l.IDs, func() error { return nil }, c.box.removeLocked)
}

// eachMessage does one thing to many messages, all under one lock; unknown ids
// are passed over in silence.
func (c *call) eachMessage(ids []string, check func() error, do func(*message)) (any, error) {
	switch {
	case len(ids) == 0:
		return nil, badRequest("No message ids specified")
	case len(ids) > maxBatchIDs:
		return nil, badRequest("Too many message ids: at most 1000")
	}
	for _, id := range ids {
		if !validID(id) {
			return nil, badRequest("Invalid ids value")
		}
	}
	c.box.mu.Lock()
	defer c.box.unlock()
	if err := check(); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if m := c.box.messages[id]; m != nil {
			do(m)
		}
	}
	return nil, nil
}

func deleteMessage(c *call) (any, error) {
	c.box.mu.Lock()
	defer c.box.unlock()
	m, err := c.lookupLocked(c.path["id"])
	if err != nil {
		return nil, err
	}
	c.box.removeLocked(m)
	return nil, nil
}

func sendMessage(c *call) (any, error) {
	var body messageBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	raw, err := c.rawMessage(body)
	if err != nil {
		return nil, err
	}
	return c.send(raw, nil, body.ThreadID)
}

// send stores the sender's copy, in place of a draft when there is one, and
// delivers to the recipients.
func (c *call) send(raw []byte, draft *message, threadID string) (any, error) {
	c.box.mu.RLock()
	out, err := c.box.composeLocked(raw, c.srv.now())
	c.box.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	sent, err := c.storeSent(out, draft, threadID)
	if err != nil {
		return nil, err
	}
	c.srv.deliver(c.box, out)
	r := sent.short()
	r.LabelIDs = []string{"SENT"} // even to oneself: INBOX and UNREAD appear at get
	return r, nil
}

// storeSent is one step under the lock: of two calls that send the same draft, the
// second finds it gone.
func (c *call) storeSent(out *outgoing, draft *message, threadID string) (snapshot, error) {
	c.box.mu.Lock()
	defer c.box.unlock()
	n := newMessage{content: out.copy, date: c.srv.now(), labels: []string{"SENT"}}
	if out.toSelf {
		n.labels = append(n.labels, "INBOX", "UNREAD")
	}
	if draft != nil && c.box.drafts[draft.draftID] != draft {
		return snapshot{}, notFound()
	}
	if draft != nil && (threadID == "" || threadID == draft.thread.id) {
		n.threadID = draft.thread.id
	} else {
		var err error
		if n.threadID, err = c.box.threadForSenderLocked(threadID, out.copy); err != nil {
			return snapshot{}, err
		}
	}
	m := c.box.storeLocked(n)
	if draft != nil {
		c.box.removeLocked(draft)
	}
	return m.snapshot(), nil
}
