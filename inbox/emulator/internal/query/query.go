// Package query reads Gmail's search language (the q parameter) and matches
// messages with it.
//
// Words are ANDed, compared without case and as whole words; "quotes" make a
// phrase, "-" negates, OR (upper case) binds its two neighbours tighter than the
// implied AND, {a b} is a or b, ( ) groups, and operator:(a b) applies the
// operator to each. Nothing is a syntax error: what cannot be read as an operator
// is searched as text, as Gmail does. Parsing is linear; matching costs one
// substring search a term over text prepared by Words.
package query

import (
	"strings"
	"time"
)

// Field is one searchable text of a message.
type Field int

// The fields that a Message can be asked for.
const (
	From Field = iota
	To         // To, Cc and Bcc together
	Cc
	Bcc
	Subject
	DeliveredTo
	List
	Body
	Filenames
)

// Message is what a query needs to know of one message.
type Message interface {
	// Words is the field's text in the form of the function Words.
	Words(Field) string
	// Filenames are the attachments' names as sent.
	Filenames() []string
	HasAttachment() bool
	// HasLabelID compares system labels: INBOX, UNREAD.
	HasLabelID(id string) bool
	// HasLabel compares a label name in the form of LabelKey.
	HasLabel(key string) bool
	// HasUserLabel says whether any user label is on the message.
	HasUserLabel() bool
	Date() time.Time
	Size() int64
	// MessageID is the Message-ID header without angle brackets.
	MessageID() string
}

// Env is what the language depends on besides the message.
type Env struct {
	Now time.Time
	Me  string // the mailbox owner's address: from:me
}

// Query is a parsed search.
type Query struct {
	root node
	// SpamTrash says that the search names spam, trash or anywhere, so that these
	// folders are searched although they are not by default.
	SpamTrash bool
}

// Match reports whether the message satisfies the query.
func (q *Query) Match(m Message) bool { return q.root.match(m) }

type node interface{ match(Message) bool }

type (
	all   []node
	any   []node
	not   struct{ node }
	test  func(Message) bool
	word  string // one word or phrase anywhere in the message
	field struct {
		in   Field
		text string
	}
)

func (n all) match(m Message) bool {
	for _, c := range n {
		if !c.match(m) {
			return false
		}
	}
	return true
}

func (n any) match(m Message) bool {
	for _, c := range n {
		if c.match(m) {
			return true
		}
	}
	return false
}

func (n not) match(m Message) bool   { return !n.node.match(m) }
func (n test) match(m Message) bool  { return n(m) }
func (n field) match(m Message) bool { return strings.Contains(m.Words(n.in), n.text) }

func (n word) match(m Message) bool {
	for _, f := range []Field{Subject, From, To, Filenames, Body} {
		if strings.Contains(m.Words(f), string(n)) {
			return true
		}
	}
	return false
}
