package demodata

import (
	"fmt"
	"strings"
	"time"
)

// invitation is the calendar part of a letter. A meeting is written "2d 10:00 45m
// Where": so many days after the letter, at a clock time, for so long.
func (l *letter) invitation(meeting string) ([]byte, error) {
	f := strings.SplitN(meeting, " ", 4)
	if len(f) != 4 {
		return nil, fmt.Errorf("meeting %q: want days, clock time, length, place", meeting)
	}
	n, ok := days(f[0])
	if !ok {
		return nil, fmt.Errorf("meeting %q: no days", meeting)
	}
	start, err := at(l.date.AddDate(0, 0, n), f[1])
	if err != nil {
		return nil, err
	}
	length, err := time.ParseDuration(f[2])
	if err != nil {
		return nil, err
	}
	const stamp = "20060102T150405Z"
	lines := []string{
		"BEGIN:VCALENDAR", "PRODID:-//Northwind Field Tools//Calendar//EN", "VERSION:2.0", "METHOD:REQUEST", "BEGIN:VEVENT",
		"UID:" + strings.Trim(l.id, "<>"), "SEQUENCE:0", "STATUS:CONFIRMED",
		"DTSTAMP:" + l.date.UTC().Format(stamp), "DTSTART:" + start.UTC().Format(stamp), "DTEND:" + start.Add(length).UTC().Format(stamp),
		"SUMMARY:" + escapeICS(strings.TrimPrefix(l.subject, "Invitation: ")), "LOCATION:" + escapeICS(f[3]),
		"DESCRIPTION:" + escapeICS(l.script.body),
		fmt.Sprintf("ORGANIZER;CN=%s:mailto:%s", l.from.name, l.from.address),
	}
	for _, p := range l.to {
		lines = append(lines, fmt.Sprintf("ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=%s:mailto:%s", p.name, p.address))
	}
	lines = append(lines, "END:VEVENT", "END:VCALENDAR")
	var out strings.Builder
	for _, line := range lines {
		foldICS(&out, line)
	}
	return []byte(out.String()), nil
}

var icsEscaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)

func escapeICS(s string) string { return icsEscaper.Replace(s) }

// foldICS breaks a line after at most 75 bytes, never inside a character (RFC 5545, 3.1).
func foldICS(out *strings.Builder, line string) {
	width := 0
	for _, r := range line {
		n := len(string(r))
		if width+n > 75 {
			out.WriteString("\r\n ")
			width = 1
		}
		out.WriteRune(r)
		width += n
	}
	out.WriteString("\r\n")
}
