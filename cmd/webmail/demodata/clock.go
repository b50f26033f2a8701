package demodata

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// before is the time that lies an age before now: "25m", or "3d 09:12" for ten
// past nine on the day three days ago. Shift adds days.
func before(now time.Time, age string, shift int) (time.Time, error) {
	day, clock, ok := strings.Cut(age, " ")
	if !ok {
		d, err := time.ParseDuration(age)
		return now.Add(-d).AddDate(0, 0, -shift), err
	}
	n, ok := days(day)
	if !ok || n < 1 {
		return time.Time{}, fmt.Errorf("age %q: want a span, or days and a clock time", age)
	}
	return at(now.AddDate(0, 0, -n-shift), clock)
}

// at is the clock time on the day of t.
func at(t time.Time, clock string) (time.Time, error) {
	c, err := time.Parse("15:04", clock)
	if err != nil {
		return time.Time{}, err
	}
	y, m, d := t.Date()
	return time.Date(y, m, d, c.Hour(), c.Minute(), 0, 0, t.Location()), nil
}

var placeholder = regexp.MustCompile(`\{\{([^{}]+)\}\}`)

// fill replaces what a text says relative to its date:
//
//	{{+3}}         Thursday 26 November, three days later
//	{{-1 Monday}}  the day before, in the layout of package time
//	{{month}}      November 2026
//	{{number}}     a number that differs from one repetition to the next
func fill(text string, date time.Time, k int) string {
	return placeholder.ReplaceAllStringFunc(text, func(s string) string {
		word := s[2 : len(s)-2]
		switch word {
		case "month":
			return date.Format("January 2006")
		case "number":
			return strconv.Itoa(20481 - 37*k)
		}
		offset, layout, ok := strings.Cut(word, " ")
		if !ok {
			layout = "Monday 2 January"
		}
		n, err := strconv.Atoi(offset)
		if err != nil {
			return s
		}
		return date.AddDate(0, 0, n).Format(layout)
	})
}
