// Package query reads Gmail's search language (the q parameter) and matches
// messages with it.
//
// Words are ANDed, compared without case and as whole words; "quotes" make a
// phrase, "-" negates, OR (upper case) binds its two neighbours tighter than the
// implied AND, {a b} is a or b, ( ) groups, operator:(a b) applies the operator
// to each, and a AROUND 5 b wants the two at most five words apart. Nothing is a
// syntax error: what cannot be read as an operator is searched as text, as Gmail
// does.
//
// Parsing is linear. Matching costs one substring search a term over text prepared
// by Words, unless Env has an Index: then a single word costs what the index does,
// and text is read only to check phrases whose words are all there.
package query

import "time"

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
	Anywhere // any of Subject, From, To, Filenames and Body
)

// InAnywhere are the texts that a word without an operator is looked for in.
var InAnywhere = []Field{Subject, From, To, Filenames, Body}

// Message is what a query needs to know of one message.
type Message interface {
	// Words is the field's text in the form of the function Words. It is not asked
	// for Anywhere.
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
	// Index finds the messages with a word in a field: it is called once a word at
	// Parse. The set it returns must be exact, but for Body it may have messages with
	// the word elsewhere. nil reads the text of each message.
	Index func(in Field, word string) Set
	// Pair finds the messages in which one word follows another in some field; it may
	// have others too. It is asked only beside an Index; nil knows nothing.
	Pair func(first, second string) Set
}

// Set is the messages that an index finds for a word.
type Set interface{ Has(Message) bool }

// Query is a parsed search.
type Query struct {
	root node
	// SpamTrash says that the search names spam, trash or anywhere, so that these
	// folders are searched although they are not by default.
	SpamTrash bool
}

// Match reports whether the message satisfies the query.
func (q *Query) Match(m Message) bool { return q.root.match(m) }

// Required are sets of which every message that matches is a member: whoever has an
// index need look at no others. There are none when the query can be met without any
// one word.
func (q *Query) Required() []Set { return required(q.root) }

func required(n node) []Set {
	switch n := n.(type) {
	case all:
		var out []Set
		for _, c := range n {
			out = append(out, required(c)...)
		}
		return out
	case phrase:
		return n.indexed
	case around:
		return append(required(n.left), n.right.indexed...)
	}
	return nil
}

type node interface{ match(Message) bool }

type (
	all  []node
	any  []node
	not  struct{ node }
	test func(Message) bool
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

func (n not) match(m Message) bool  { return !n.node.match(m) }
func (n test) match(m Message) bool { return n(m) }
