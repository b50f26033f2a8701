package inbox

import (
	"context"
	"slices"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// Label is one of Gmail's labels, with counts where a sidebar shows them.
type Label struct {
	ID, Name         string
	System           bool
	Hidden           bool
	Background, Text string // colours, "" when none
	Counted          bool   // the counts below were asked for
	MessagesTotal    int64
	MessagesUnread   int64
	ThreadsTotal     int64
	ThreadsUnread    int64
}

// counted are the system labels whose counts are worth a unit each.
var counted = []string{"INBOX", "STARRED", "IMPORTANT", "DRAFT", "SPAM", "UNREAD"}

// labelsCounted bounds how many labels get counts: one unit each.
const labelsCounted = 100

// Labels lists all labels. Gmail gives counts one label at a time: they come in one batch.
func (s *Service) Labels(ctx context.Context, v Visit) ([]Label, error) {
	b := s.boxes.of(v.Account)
	if err := s.catchUp(ctx, v, b); err != nil {
		return nil, err
	}
	if held := b.heldLabels(); held != nil {
		if err := s.releaseHeld(ctx, v, gmail.ListLabels().Target, policy.Labels, idsOf(held)); err != nil {
			return nil, err
		}
		return labelsOf(held), nil
	}
	f, err := fetchTogether(ctx, s, v, gmail.ListLabels())
	if err != nil {
		return nil, err
	}
	if err := f.grant.Release(ctx, policy.Labels, idsOf(f.value), 0); err != nil {
		return nil, err
	}
	all := f.value
	if worth := worthCounting(all); len(worth) > 0 {
		if err := s.count(ctx, v, all, worth); err != nil {
			return nil, err
		}
	}
	b.putLabels(all)
	return labelsOf(all), nil
}

// count replaces the labels that are worth it by their counted form.
func (s *Service) count(ctx context.Context, v Visit, all []*gmail.Label, worth []string) error {
	f, err := fetchTogether(ctx, s, v, gmail.GetLabels(worth...))
	if err != nil {
		return err
	}
	f.grant.Finish(nil, len(f.value), 0)
	for _, a := range f.value {
		if a.Err != nil {
			continue // deleted since it was listed, or throttled: shown without a count
		}
		if i := slices.IndexFunc(all, func(l *gmail.Label) bool { return l.Id == a.ID }); i >= 0 {
			all[i] = a.Value
		}
	}
	return nil
}

func worthCounting(all []*gmail.Label) []string {
	var ids []string
	for _, l := range all {
		if len(ids) < labelsCounted && (l.Type == "user" && l.LabelListVisibility != "labelHide" || slices.Contains(counted, l.Id)) {
			ids = append(ids, l.Id)
		}
	}
	return ids
}

func idsOf(all []*gmail.Label) []string {
	ids := make([]string, len(all))
	for i, l := range all {
		ids[i] = l.Id
	}
	return ids
}

func labelsOf(all []*gmail.Label) []Label {
	worth := worthCounting(all)
	out := make([]Label, len(all))
	for i, l := range all {
		out[i] = Label{
			ID: l.Id, Name: l.Name, System: l.Type != "user", Hidden: l.LabelListVisibility == "labelHide", Counted: slices.Contains(worth, l.Id),
			MessagesTotal: l.MessagesTotal, MessagesUnread: l.MessagesUnread, ThreadsTotal: l.ThreadsTotal, ThreadsUnread: l.ThreadsUnread,
		}
		if l.Color != nil {
			out[i].Background, out[i].Text = l.Color.BackgroundColor, l.Color.TextColor
		}
	}
	return out
}
