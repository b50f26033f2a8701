package query

import (
	"strconv"
	"strings"
	"time"
)

// operators maps a name to the test its value makes. A value that an operator
// cannot read matches nothing.
var operators map[string]func(value string, env Env) node

func init() {
	operators = map[string]func(string, Env) node{
		"from":        inField(From),
		"to":          inField(To),
		"cc":          inField(Cc),
		"bcc":         inField(Bcc),
		"subject":     inField(Subject),
		"deliveredto": inField(DeliveredTo),
		"list":        inField(List),
		"label":       label,
		"category":    category,
		"in":          folder,
		"is":          state,
		"has":         has,
		"filename":    filename,
		"after":       newer,
		"newer":       newer,
		"before":      older,
		"older":       older,
		"newer_than":  age(func(d, limit time.Time) bool { return d.After(limit) }),
		"older_than":  age(func(d, limit time.Time) bool { return d.Before(limit) }),
		"larger":      size(func(n, limit int64) bool { return n > limit }),
		"size":        size(func(n, limit int64) bool { return n > limit }),
		"smaller":     size(func(n, limit int64) bool { return n < limit }),
		"rfc822msgid": messageID,
	}
}

func nothing(Message) bool { return false }

func inField(f Field) func(string, Env) node {
	return func(value string, env Env) node {
		if strings.EqualFold(value, "me") && f != Subject && f != List {
			value = env.Me
		}
		return newPhrase(f, value, env)
	}
}

func labelID(id string) node { return test(func(m Message) bool { return m.HasLabelID(id) }) }

// systemLabels are the names by which label:, in: and is: know Gmail's own labels.
var systemLabels = map[string]string{
	"starred": "STARRED", "unread": "UNREAD", "important": "IMPORTANT", "sent": "SENT",
	"draft": "DRAFT", "drafts": "DRAFT", "spam": "SPAM", "trash": "TRASH", "chat": "CHAT", "chats": "CHAT",
}

func label(value string, _ Env) node {
	key := LabelKey(value)
	if key == "inbox" {
		return inbox
	}
	if id := systemLabels[key]; id != "" {
		return labelID(id)
	}
	return test(func(m Message) bool { return m.HasLabel(key) || m.HasLabelID(strings.ToUpper(value)) })
}

// inbox leaves out what was thrown away: INBOX stays on a message under TRASH and SPAM.
var inbox = test(func(m Message) bool {
	return m.HasLabelID("INBOX") && !m.HasLabelID("TRASH") && !m.HasLabelID("SPAM")
})

func folder(value string, env Env) node {
	switch strings.ToLower(value) {
	case "inbox":
		return inbox
	case "anywhere":
		return test(func(Message) bool { return true })
	case "archive":
		return test(func(m Message) bool {
			for _, id := range []string{"INBOX", "TRASH", "SPAM", "SENT", "DRAFT"} {
				if m.HasLabelID(id) {
					return false
				}
			}
			return true
		})
	case "snoozed":
		return test(nothing) // no API puts a message to sleep
	}
	return label(value, env)
}

func state(value string, env Env) node {
	switch strings.ToLower(value) {
	case "read":
		return not{labelID("UNREAD")}
	case "muted", "snoozed":
		return test(nothing) // the API shows neither
	}
	return label(value, env)
}

func category(value string, _ Env) node {
	switch strings.ToLower(value) {
	case "primary":
		return test(func(m Message) bool {
			for _, id := range []string{"CATEGORY_SOCIAL", "CATEGORY_PROMOTIONS", "CATEGORY_UPDATES", "CATEGORY_FORUMS"} {
				if m.HasLabelID(id) {
					return false
				}
			}
			return true
		})
	case "social", "promotions", "updates", "forums", "purchases", "reservations":
		return labelID("CATEGORY_" + strings.ToUpper(value))
	}
	return test(nothing)
}

// linked are the services whose links has: finds in the text of a message.
var linked = map[string][]string{
	"drive":        {"drive google com", "docs google com"},
	"document":     {"docs google com document"},
	"spreadsheet":  {"docs google com spreadsheets"},
	"presentation": {"docs google com presentation"},
	"youtube":      {"youtube com", "youtu be"},
}

func has(value string, env Env) node {
	value = strings.ToLower(value)
	switch value {
	case "attachment":
		return test(Message.HasAttachment)
	case "userlabels":
		return test(Message.HasUserLabel)
	case "nouserlabels":
		return not{test(Message.HasUserLabel)}
	case "yellow-star":
		return labelID("STARRED")
	}
	group := any{}
	for _, link := range linked[value] {
		group = append(group, newPhrase(Body, link, env))
	}
	return group
}

// filename matches a whole name, an extension, or words of a name.
func filename(value string, _ Env) node {
	want := strings.ToLower(value)
	words := Words(value)
	return test(func(m Message) bool {
		for _, name := range m.Filenames() {
			name = strings.ToLower(name)
			if name == want || strings.HasSuffix(name, "."+strings.TrimPrefix(want, ".")) || strings.Contains(Words(name), words) {
				return true
			}
		}
		return false
	})
}

// pacific is the zone of a bare date: Google's older text says midnight PST.
var pacific = time.FixedZone("PST", -8*60*60)

func parseDate(value string) (time.Time, bool) {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && len(value) >= 5 {
		return time.Unix(n, 0), true
	}
	value = strings.ReplaceAll(value, "-", "/")
	for _, layout := range []string{"2006/1/2", "1/2/2006"} {
		if t, err := time.ParseInLocation(layout, value, pacific); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func newer(value string, _ Env) node {
	limit, ok := parseDate(value)
	return test(func(m Message) bool { return ok && !m.Date().Before(limit) })
}

func older(value string, _ Env) node {
	limit, ok := parseDate(value)
	return test(func(m Message) bool { return ok && m.Date().Before(limit) })
}

func age(compare func(date, limit time.Time) bool) func(string, Env) node {
	return func(value string, env Env) node {
		limit, ok := ago(env.Now, value)
		return test(func(m Message) bool { return ok && compare(m.Date(), limit) })
	}
}

// ago reads 3d, 2m, 1y (and the h of Gmail's own interface).
func ago(now time.Time, value string) (time.Time, bool) {
	if len(value) < 2 {
		return time.Time{}, false
	}
	n, err := strconv.Atoi(value[:len(value)-1])
	if err != nil || n < 0 || n > 10000 {
		return time.Time{}, false
	}
	switch value[len(value)-1] | 0x20 {
	case 'h':
		return now.Add(-time.Duration(n) * time.Hour), true
	case 'd':
		return now.AddDate(0, 0, -n), true
	case 'm':
		return now.AddDate(0, -n, 0), true
	case 'y':
		return now.AddDate(-n, 0, 0), true
	}
	return time.Time{}, false
}

func size(compare func(n, limit int64) bool) func(string, Env) node {
	return func(value string, _ Env) node {
		limit, ok := bytes(value)
		return test(func(m Message) bool { return ok && compare(m.Size(), limit) })
	}
}

func bytes(value string) (int64, bool) {
	value = strings.TrimSuffix(strings.ToUpper(value), "B")
	unit := int64(1)
	if v, ok := strings.CutSuffix(value, "K"); ok {
		value, unit = v, 1<<10
	} else if v, ok := strings.CutSuffix(value, "M"); ok {
		value, unit = v, 1<<20
	}
	n, err := strconv.ParseInt(value, 10, 32)
	return n * unit, err == nil && n >= 0
}

func messageID(value string, _ Env) node {
	want := strings.Trim(value, "<>")
	return test(func(m Message) bool { return want != "" && strings.EqualFold(m.MessageID(), want) })
}
