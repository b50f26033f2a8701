package agreement

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/totalengage/webmail/policy"
)

// The numbers (LIMITED_USE 3.3).
const (
	MaxMessages   = 10
	DefaultWindow = time.Hour
	MaxWindow     = 4 * time.Hour
	AnswerWithin  = 12 * time.Hour       // the owner, once asked
	draftLife     = 7 * 24 * time.Hour   // staff, before the owner is asked
	keptFor       = 400 * 24 * time.Hour // after the end, as long as the log
	yearly        = 365 * 24 * time.Hour
)

// State is how far a request has come.
type State string

// The states. Offered, Requested, Pending and Active are open; the others are final, but that a case can be
// closed after its time is over.
const (
	Offered   State = "offered"   // by the owner; nobody has taken it up
	Requested State = "requested" // waits for a second member of staff
	Pending   State = "pending"   // the owner is asked
	Active    State = "active"    // the owner agreed and the time runs
	Refused   State = "refused"   // by the owner
	Declined  State = "declined"  // by the second member of staff
	Withdrawn State = "withdrawn" // by whoever asked
	Expired   State = "expired"   // nobody answered
	Revoked   State = "revoked"   // by the owner
	Lapsed    State = "lapsed"    // the time is over
	Closed    State = "closed"    // the case is done
)

// Person is a member of staff as the owner is told of them.
type Person struct {
	ID       policy.PersonID
	Name     string
	Role     string // in plain words
	Employer string
	Country  string
}

func (p Person) employment() string {
	if p.Country == "" {
		return p.Employer
	}
	return p.Employer + ", " + p.Country
}

// Message is one message of a request.
type Message struct {
	ID          string
	Attachments bool // its attachments too
	Offered     bool // the owner named it
}

// View is one look at a message.
type View struct {
	At         time.Time
	Message    string
	Attachment bool   // an attachment of it
	Decision   string // id of the recorded decision
}

// Request is a request to see messages, from its beginning to its end.
type Request struct {
	ID      string
	Account policy.AccountID
	State   State
	Created time.Time
	Asked   time.Time // when the owner was asked; zero before
	Agreed  time.Time // when the owner's sign-in was signed; zero before
	Ends    time.Time // when staff stop seeing it, or stopped; zero before
	details
	Views []View

	version  int64
	event    string
	actor    policy.Actor
	recorded bool
	changed  time.Time
	noted    time.Time // when the event of the last change was in the log for certain
	proof    string
}

// details is the sealed part of a row.
type details struct {
	Mailbox      string // its address, as staff know it
	Case         string
	Reason       string
	Note         string `json:",omitempty"` // of the owner, with an offer
	Answer       string `json:",omitempty"` // written with the answer
	Requester    Person // who would see the messages
	Approver     Person // the second member of staff
	Messages     []Message
	OwnerChooses bool `json:",omitempty"` // the owner picks the messages when agreeing
	Window       time.Duration
	Text         Text // what the owner is asked to agree to
}

// AnswerBy is until when the owner can agree; zero before the owner is asked.
func (r Request) AnswerBy() time.Time {
	if r.Asked.IsZero() {
		return time.Time{}
	}
	return r.Asked.Add(AnswerWithin)
}

// at gives the state at a time: what has run out has ended, whether or not that is noted yet.
func (r Request) at(now time.Time) State {
	switch {
	case r.State == Pending && !now.Before(r.AnswerBy()):
		return Expired
	case r.State == Active && !now.Before(r.Ends):
		return Lapsed
	case (r.State == Offered || r.State == Requested) && !now.Before(r.changed.Add(draftLife)):
		return Expired
	}
	return r.State
}

// agreement is what the owner is asked, or agreed to, when these messages are chosen.
func (r Request) agreement(chosen []Message) policy.Agreement {
	a := policy.Agreement{
		ID: r.ID, Account: r.Account, Requester: r.Requester.ID, Approver: r.Approver.ID, Case: r.Case + "\n" + r.Reason, Window: r.Window,
		Text: r.Text.SHA256, Asked: r.Asked, State: string(r.State), Proof: r.proof,
	}
	for _, m := range chosen {
		a.Messages = append(a.Messages, policy.AgreedMessage{ID: m.ID, Attachments: m.Attachments})
	}
	return a
}

// choose checks what the owner ticked against what was asked for. An owner can show fewer messages than asked
// for, and other ones only when asked to choose.
func (r Request) choose(chosen []policy.AgreedMessage) ([]Message, error) {
	list := make([]Message, len(chosen))
	for i, m := range chosen {
		list[i] = Message{ID: m.ID, Attachments: m.Attachments, Offered: r.OwnerChooses}
		at := slices.IndexFunc(r.Messages, func(asked Message) bool { return asked.ID == m.ID })
		if at < 0 && !r.OwnerChooses {
			return nil, &Invalid{"messages", "not among those asked for"}
		}
		if at >= 0 {
			list[i].Offered = r.Messages[at].Offered
		}
	}
	if len(list) == 0 {
		return nil, &Invalid{"messages", "none is chosen"}
	}
	return list, checkMessages(list)
}

// messageID is what Gmail calls a message: nothing that could stand for several.
var messageID = regexp.MustCompile(`^[0-9a-f]{1,20}$`)

func checkMessages(list []Message) error {
	if len(list) > MaxMessages {
		return &Invalid{"messages", "at most ten at a time"}
	}
	seen := map[string]bool{}
	for _, m := range list {
		if !messageID.MatchString(m.ID) {
			return &Invalid{"messages", "must be named one by one, by id"}
		}
		if seen[m.ID] {
			return &Invalid{"messages", "one is named twice"}
		}
		seen[m.ID] = true
	}
	return nil
}

func checkWindow(w time.Duration) (time.Duration, error) {
	switch {
	case w == 0:
		return DefaultWindow, nil
	case w < time.Minute || w > MaxWindow || w%time.Minute != 0:
		return 0, &Invalid{"minutes", "must be 1 to 240"}
	}
	return w, nil
}

// The longest texts that people may write, in characters.
const (
	maxCase = 64
	maxNote = 2000
)

func checkText(field, text string, max int, needed bool) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case needed && text == "":
		return "", &Invalid{field, "must not be empty"}
	case utf8.RuneCountInString(text) > max:
		return "", &Invalid{field, "is too long"}
	case !utf8.ValidString(text):
		return "", &Invalid{field, "is no text"}
	}
	return text, nil
}
