package demodata

import (
	"fmt"
	"strconv"
	"strings"
)

// conversation is one thread as a script file tells it:
//
//	# Drop test, second round
//	alice: INBOX, UNREAD, Projects/Atlas
//	bob: Workshop/Atlas
//
//	@ bob > alice, priya / tomas | 3d 09:12 | attach=results.csv
//	Four of five survived.
//
//	@ alice > bob | 25m
//	And the fifth?
//
// After "#" stands the subject, then headers up to a blank line: a user's labels
// (see placement), "list:" for a mailing list, "repeat: 6 every 30d" for mail that
// comes again. "@" begins a message: sender > to / cc / bcc | age | options. An age
// is a span ("25m", "2h10m") or days with a clock time ("3d 09:12"). Options,
// separated by ";", are explained at [scriptMessage]. The body keeps its line
// breaks; {{...}} is filled in by clock.go.
type conversation struct {
	subject string
	labels  map[string][]string // by user
	list    string              // name and id of a mailing list, "" for none
	repeat  int                 // how often it takes place; 0 means once
	every   int                 // days between
	message []scriptMessage
}

// scriptMessage is one "@" of a script. Its options:
//
//	attach=a.pdf,b.csv  files made by attach.go
//	html=name           html/name.html is the HTML part
//	invite=2d 10:00 45m Where   a meeting so long after the message
//	charset=iso-8859-1  of the text part
//	subject=Other       instead of the conversation's
//	draft               not sent yet
//	forward             quotes as forwarded mail, subject "Fwd:"
//	noquote             quotes nothing
//	rtl                 written from right to left
//	spoofed             did not pass the checks of the receiving server
type scriptMessage struct {
	from        string
	to, cc, bcc []string
	age         string
	options     map[string]string
	body        string
}

func (m scriptMessage) is(option string) bool { _, ok := m.options[option]; return ok }

func (c *conversation) times() int { return max(c.repeat, 1) }

func parseScript(text string) ([]*conversation, error) {
	var out []*conversation
	var c *conversation
	header := false
	for n, line := range strings.Split(text, "\n") {
		var err error
		switch {
		case line == "#" || strings.HasPrefix(line, "# "):
			c = &conversation{subject: strings.TrimSpace(line[1:]), labels: map[string][]string{}}
			out = append(out, c)
			header = true
		case c == nil:
			// what stands before the first conversation is a note to the reader
		case strings.HasPrefix(line, "@ "):
			header = false
			err = c.open(line[2:])
		case header && line != "":
			err = c.head(line)
		case len(c.message) > 0:
			c.message[len(c.message)-1].body += line + "\n"
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	for _, c := range out {
		for i := range c.message {
			c.message[i].body = strings.Trim(c.message[i].body, "\n")
		}
	}
	return out, nil
}

// head reads a header of a conversation.
func (c *conversation) head(line string) error {
	name, value, ok := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch {
	case !ok:
		return fmt.Errorf("no header: %q", line)
	case name == "list":
		c.list = value
	case name == "repeat":
		_, err := fmt.Sscanf(value, "%d every %dd", &c.repeat, &c.every)
		return err
	case isUser(name):
		c.labels[name] = split(value, ",")
	default:
		return fmt.Errorf("unknown header %q", name)
	}
	return nil
}

// open reads the line that begins a message.
func (c *conversation) open(line string) error {
	fields := strings.SplitN(line, "|", 3)
	from, rest, ok := strings.Cut(fields[0], ">")
	if len(fields) < 2 || !ok {
		return fmt.Errorf("want: sender > recipients | age, got %q", line)
	}
	m := scriptMessage{from: strings.TrimSpace(from), age: strings.TrimSpace(fields[1]), options: map[string]string{}}
	for i, group := range strings.Split(rest, "/") {
		if i > 2 {
			return fmt.Errorf("more than to / cc / bcc in %q", line)
		}
		*[]*[]string{&m.to, &m.cc, &m.bcc}[i] = split(group, ",")
	}
	if len(fields) == 3 {
		for _, option := range split(fields[2], ";") {
			key, value, _ := strings.Cut(option, "=")
			m.options[key] = value
		}
	}
	c.message = append(c.message, m)
	return nil
}

// split cuts at sep and leaves out what is blank.
func split(s, sep string) []string {
	var out []string
	for _, item := range strings.Split(s, sep) {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// days reads "12d".
func days(s string) (int, bool) {
	n, ok := strings.CutSuffix(s, "d")
	if !ok {
		return 0, false
	}
	d, err := strconv.Atoi(n)
	return d, err == nil
}
