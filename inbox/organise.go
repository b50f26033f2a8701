package inbox

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

// Labels that Gmail does not let anybody put on or take off by hand.
var fixedLabels = []string{"SENT", "DRAFT", "CHAT"}

// LabelChange says which labels to put on and take off.
type LabelChange struct{ Add, Remove []string }

func (c LabelChange) check() error {
	for _, l := range slices.Concat(c.Add, c.Remove) {
		if l == "" || slices.Contains(fixedLabels, l) {
			return &InvalidError{Field: "labels", Why: "Gmail sets this label itself"}
		}
	}
	for _, l := range c.Add {
		if slices.Contains(c.Remove, l) {
			return &InvalidError{Field: "labels", Why: "a label is both added and removed"}
		}
	}
	if len(c.Add)+len(c.Remove) == 0 {
		return &InvalidError{Field: "labels", Why: "nothing to add or remove"}
	}
	return nil
}

func (c LabelChange) apply(labels []string) []string {
	labels = slices.DeleteFunc(labels, func(l string) bool { return slices.Contains(c.Remove, l) })
	for _, l := range c.Add {
		if !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	return labels
}

// ModifyThreads changes labels of whole conversations: archiving takes off INBOX, reading takes off UNREAD.
func (s *Service) ModifyThreads(ctx context.Context, v Visit, ids []string, change LabelChange) error {
	if err := change.check(); err != nil {
		return err
	}
	return s.changeThreads(ctx, v, ids, change, func(ids []string) gmail.Call[[]gmail.Answer[*gmail.Thread]] {
		return gmail.ModifyThreads(ids, change.Add, change.Remove)
	})
}

// TrashThreads moves conversations to the trash, from where Gmail deletes them after 30 days.
func (s *Service) TrashThreads(ctx context.Context, v Visit, ids []string) error {
	return s.changeThreads(ctx, v, ids, LabelChange{Add: []string{"TRASH"}}, func(ids []string) gmail.Call[[]gmail.Answer[*gmail.Thread]] {
		return gmail.TrashThreads(ids...)
	})
}

// UntrashThreads takes conversations back from the trash, to where they were.
func (s *Service) UntrashThreads(ctx context.Context, v Visit, ids []string) error {
	return s.changeThreads(ctx, v, ids, LabelChange{Remove: []string{"TRASH"}}, func(ids []string) gmail.Call[[]gmail.Answer[*gmail.Thread]] {
		return gmail.UntrashThreads(ids...)
	})
}

// changeRounds is how often the throttled rest of a change is asked for again, each time as a new decision:
// a grant for a change is redeemed once.
const changeRounds = 3

// changeThreads changes conversations in one batch and repeats the throttled part of it. A conversation
// that is gone counts as changed.
func (s *Service) changeThreads(ctx context.Context, v Visit, ids []string, change LabelChange, call func([]string) gmail.Call[[]gmail.Answer[*gmail.Thread]]) error {
	ids = unique(slices.Clone(ids))
	if len(ids) == 0 {
		return &InvalidError{Field: "threads", Why: "none given"}
	}
	b := s.boxes.of(v.Account)
	defer b.changed()
	for round := 1; ; round++ {
		f, err := fetch(ctx, s, v, call(ids))
		if err != nil {
			return err
		}
		done, rest, first := sortAnswers(f.value)
		f.grant.Finish(first, len(done), 0)
		b.relabel(func(m *gmail.Message) bool { return slices.Contains(done, m.ThreadId) }, change.apply)
		var throttled *Throttled
		if len(rest) == 0 {
			return nil
		}
		if !errors.As(translate(first), &throttled) || round == changeRounds || !s.pause(ctx, throttled.Until, round) {
			return translate(first)
		}
		ids = rest
	}
}

// sortAnswers splits a batch's answers into ids that are done and ids that are not, with the first reason.
func sortAnswers(answers []gmail.Answer[*gmail.Thread]) (done, rest []string, first error) {
	for _, a := range answers {
		if a.Err == nil || gmail.IsNotFound(a.Err) {
			done = append(done, a.ID)
			continue
		}
		rest = append(rest, a.ID)
		if first == nil {
			first = a.Err
		}
	}
	return done, rest, first
}

// longestPause is how long a person waits for a throttled change before being told.
const longestPause = 8 * time.Second

// pause waits until the given time or a moment that grows with the round; false when that is too long or ctx ends.
func (s *Service) pause(ctx context.Context, until time.Time, round int) bool {
	wait := max(time.Duration(round)*time.Second, until.Sub(s.now()))
	if wait > longestPause {
		return false
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ModifyMessages changes labels of single messages, up to 1,000 in one trip.
func (s *Service) ModifyMessages(ctx context.Context, v Visit, ids []string, change LabelChange) error {
	if err := change.check(); err != nil {
		return err
	}
	ids = unique(slices.Clone(ids))
	if len(ids) == 0 {
		return &InvalidError{Field: "messages", Why: "none given"}
	}
	b := s.boxes.of(v.Account)
	f, err := fetch(ctx, s, v, gmail.ModifyMessages(ids, change.Add, change.Remove))
	if err != nil {
		return err
	}
	f.grant.Finish(nil, len(ids), 0)
	b.relabel(func(m *gmail.Message) bool { return slices.Contains(ids, m.Id) }, change.apply)
	return nil
}
