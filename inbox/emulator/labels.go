package emulator

import (
	"fmt"
	"slices"
	"strings"
)

// label is a system or user label. Owned by the mailbox's lock.
type label struct {
	id, name, kind string // kind: system or user
	messageList    string // messageListVisibility, "" = not shown in answers
	labelList      string
	color          *colorResource
}

// labelSet is a mailbox's labels in the order of labels.list. Owned by the
// mailbox's lock.
type labelSet struct {
	list []*label
	byID map[string]*label
	last int // number of the newest user label
	// changed are the user labels that the change in progress made, changed or removed.
	changed []*label
}

// maxLabels is Gmail's limit for one mailbox.
const maxLabels = 10_000

// systemLabels are in the order in which Gmail lists them.
var systemLabels = strings.Fields("CHAT SENT INBOX IMPORTANT TRASH DRAFT SPAM CATEGORY_FORUMS CATEGORY_UPDATES " +
	"CATEGORY_PERSONAL CATEGORY_PROMOTIONS CATEGORY_SOCIAL STARRED UNREAD")

func newLabelSet() labelSet {
	s := labelSet{byID: map[string]*label{}}
	for _, id := range systemLabels {
		l := &label{id: id, name: id, kind: "system"}
		if id == "CHAT" || id == "IMPORTANT" || id == "TRASH" || id == "SPAM" || strings.HasPrefix(id, "CATEGORY_") {
			l.messageList, l.labelList = "hide", "labelHide"
		}
		s.put(l)
	}
	return s
}

func (s *labelSet) put(l *label) {
	s.list = append(s.list, l)
	s.byID[l.id] = l
}

func (s *labelSet) remove(l *label) {
	s.list = slices.DeleteFunc(s.list, func(o *label) bool { return o == l })
	delete(s.byID, l.id)
	s.changed = append(s.changed, l)
}

// byName compares names without case, as Gmail keeps them unique.
func (s *labelSet) byName(name string) *label {
	for _, l := range s.list {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	return nil
}

// create adds a user label with Gmail's defaults. The name has been checked.
func (s *labelSet) create(name string) *label {
	s.last++
	l := &label{id: fmt.Sprintf("Label_%d", s.last), name: name, kind: "user", messageList: "show", labelList: "labelShow"}
	s.put(l)
	s.changed = append(s.changed, l)
	return l
}

// ensure returns the id of a label by name, making it and the labels above it
// ("Ops" for "Ops/Review") when absent.
func (s *labelSet) ensure(name string) (string, error) {
	name = strings.TrimSpace(name)
	if l := s.byID[name]; l != nil && l.kind == "system" {
		return name, nil
	}
	if err := s.checkName(name, nil); err != nil {
		if l := s.byName(name); l != nil && l.kind == "user" {
			return l.id, nil
		}
		return "", err
	}
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		if _, err := s.ensure(name[:i]); err != nil {
			return "", err
		}
	}
	return s.create(name).id, nil
}

// checkName refuses a name that cannot be given to self (nil for a new label).
func (s *labelSet) checkName(name string, self *label) error {
	trimmed := strings.TrimSpace(name)
	if trimmed == "" || len(trimmed) > 225 || slices.Contains(strings.Split(trimmed, "/"), "") {
		return badRequest("Invalid label name")
	}
	other := s.byName(trimmed)
	switch {
	case other == nil || other == self:
		return nil
	case other.kind == "system":
		return badRequest("Invalid label name")
	}
	return global(409, "ABORTED", "aborted", "Label name exists or conflicts")
}

// checkApplicable refuses labels that cannot be put on or taken off by hand.
func (s *labelSet) checkApplicable(ids []string) error {
	for _, id := range ids {
		if s.byID[id] == nil || id == "SENT" || id == "DRAFT" || id == "CHAT" {
			return badRequest("Invalid label: " + id)
		}
	}
	return nil
}
