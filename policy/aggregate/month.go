package aggregate

import (
	"fmt"
	"time"
)

// Month is a calendar month in UTC: the one window in which anything is counted.
type Month struct{ start time.Time }

// MonthOf returns the month in which t lies.
func MonthOf(t time.Time) Month {
	t = t.UTC()
	return Month{time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)}
}

const monthLayout = "2006-01"

// ParseMonth reads the form that String writes.
func ParseMonth(s string) (Month, error) {
	start, err := time.Parse(monthLayout, s)
	if err != nil {
		return Month{}, fmt.Errorf("aggregate: %q is not a month as in 2026-10", s)
	}
	return Month{start}, nil
}

func (m Month) String() string { return m.start.Format(monthLayout) }

// Start is the month's first moment.
func (m Month) Start() time.Time { return m.start }

// End is the first moment after the month.
func (m Month) End() time.Time { return m.start.AddDate(0, 1, 0) }

// settle is how long after its end a month is left alone, so that every node's last events are in the log.
const settle = time.Hour

// latest returns the one month that can be released at a moment: the last one that is over. Earlier ones cannot be
// made up for, so that nobody can choose what to look at afterwards.
func latest(now time.Time) Month { return MonthOf(MonthOf(now.Add(-settle)).start.AddDate(0, -1, 0)) }

// Next is when the next month can be released, seen from now.
func Next(now time.Time) time.Time { return MonthOf(now.Add(-settle)).End().Add(settle) }
