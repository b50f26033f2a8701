package emulator

import (
	"slices"
	"strings"
)

func (l *label) resource() labelResource {
	return labelResource{
		ID: l.id, Name: l.name, Type: l.kind,
		MessageListVisibility: l.messageList, LabelListVisibility: l.labelList, Color: l.color,
	}
}

func listLabels(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	var out struct {
		Labels []labelResource `json:"labels"`
	}
	for _, l := range c.box.labels.list {
		out.Labels = append(out.Labels, l.resource())
	}
	return out, nil
}

func getLabel(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	l := c.box.labels.byID[c.path["id"]]
	if l == nil {
		return nil, notFound()
	}
	return c.box.countedLocked(l), nil
}

// countedLocked is a label with its counts, which only labels.get and the
// answers to changes show. Mail in trash or spam counts for those two alone.
func (b *mailbox) countedLocked(l *label) labelResource {
	var messages, unread, threads, unreadThreads int
	for _, t := range b.threads {
		any, anyUnread := false, false
		for _, m := range t.messages {
			if !m.has(l.id) || l.id != "TRASH" && l.id != "SPAM" && (m.has("TRASH") || m.has("SPAM")) {
				continue
			}
			any = true
			messages++
			if m.has("UNREAD") {
				anyUnread = true
				unread++
			}
		}
		if any {
			threads++
		}
		if anyUnread {
			unreadThreads++
		}
	}
	r := l.resource()
	r.MessagesTotal, r.MessagesUnread, r.ThreadsTotal, r.ThreadsUnread = &messages, &unread, &threads, &unreadThreads
	return r
}

// labelBody is a Label in a request; nil fields are absent.
type labelBody struct {
	ID                    *string        `json:"id"`
	Name                  *string        `json:"name"`
	MessageListVisibility *string        `json:"messageListVisibility"`
	LabelListVisibility   *string        `json:"labelListVisibility"`
	Color                 *colorResource `json:"color"`
}

func (l labelBody) check() error {
	if l.Color == nil {
		return nil
	}
	for _, color := range []string{l.Color.BackgroundColor, l.Color.TextColor} {
		if !slices.Contains(strings.Fields(labelColors), strings.ToLower(color)) {
			return badRequest("Label color " + color + " is not on the allowed color palette")
		}
	}
	return nil
}

// apply sets the fields that are present.
func (l labelBody) apply(to *label) {
	for _, f := range []struct{ from, to *string }{
		{l.Name, &to.name}, {l.MessageListVisibility, &to.messageList}, {l.LabelListVisibility, &to.labelList},
	} {
		if f.from != nil {
			*f.to = strings.TrimSpace(*f.from)
		}
	}
	if l.Color != nil {
		to.color = l.Color
	}
}

func (c *call) labelBody() (labelBody, error) {
	var body labelBody
	if err := c.decode(&body); err != nil {
		return body, err
	}
	return body, body.check()
}

func createLabel(c *call) (any, error) {
	body, err := c.labelBody()
	if err != nil {
		return nil, err
	}
	if body.Name == nil {
		return nil, badRequest("Invalid label name")
	}
	c.box.mu.Lock()
	defer c.box.unlock()
	if err := c.box.labels.checkName(*body.Name, nil); err != nil {
		return nil, err
	}
	if len(c.box.labels.list) >= maxLabels {
		return nil, badRequest("Too many labels")
	}
	l := c.box.labels.create(strings.TrimSpace(*body.Name))
	body.apply(l)
	return l.resource(), nil
}

// updateLabel replaces: what is absent goes back to its default, but a name is needed.
func updateLabel(c *call) (any, error) { return c.changeLabel(true) }

// patchLabel merges.
func patchLabel(c *call) (any, error) { return c.changeLabel(false) }

func (c *call) changeLabel(replace bool) (any, error) {
	body, err := c.labelBody()
	if err != nil {
		return nil, err
	}
	c.box.mu.Lock()
	defer c.box.unlock()
	l, err := c.userLabelLocked("Invalid update request")
	if err != nil {
		return nil, err
	}
	if replace && body.Name == nil {
		return nil, badRequest("Invalid label name")
	}
	if body.ID != nil && *body.ID != l.id {
		return nil, badRequest("Invalid update request")
	}
	if body.Name != nil {
		if err := c.box.labels.checkName(*body.Name, l); err != nil {
			return nil, err
		}
	}
	if replace {
		l.messageList, l.labelList, l.color = "show", "labelShow", nil
	}
	body.apply(l)
	c.box.labels.changed = append(c.box.labels.changed, l)
	return l.resource(), nil
}

func (c *call) userLabelLocked(refusal string) (*label, error) {
	l := c.box.labels.byID[c.path["id"]]
	switch {
	case l == nil:
		return nil, notFound()
	case l.kind == "system":
		return nil, badRequest(refusal)
	}
	return l, nil
}

// deleteLabel also takes the label off every message, which history shows.
func deleteLabel(c *call) (any, error) {
	c.box.mu.Lock()
	defer c.box.unlock()
	l, err := c.userLabelLocked("Invalid delete request")
	if err != nil {
		return nil, err
	}
	for _, m := range c.box.byDate {
		c.box.relabelLocked(m, nil, []string{l.id})
	}
	c.box.labels.remove(l)
	return nil, nil
}
