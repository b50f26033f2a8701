package emulator

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"

	"github.com/totalengage/webmail/inbox/emulator/internal/mimetree"
	"github.com/totalengage/webmail/inbox/emulator/internal/query"
)

// searchIndex says for each word of a mailbox which messages have it, so that a
// search reads no text but to check phrases. It costs 1-2 bytes a message and
// different word. Messages that were deleted stay in it: nobody asks for them.
// Owned by the mailbox's lock.
type searchIndex map[term]*posting

// term is a word in a field, hashed: two different ones are equal once in many
// lifetimes of a mailbox.
type term uint64

// posting is the rising sequence numbers of the messages with a term, each as its
// distance from the one before.
type posting struct {
	last uint64
	gaps []byte
}

var termSeed = maphash.MakeSeed()

func newTerm(f query.Field, word string) term {
	return term(maphash.String(termSeed, word) + uint64(f)*0x9e3779b97f4a7c15)
}

// add enters a message, whose number is larger than all before.
func (x searchIndex) add(seq uint64, terms []term) {
	for _, t := range terms {
		p := x[t]
		if p == nil {
			p = &posting{}
			x[t] = p
		}
		p.gaps = binary.AppendUvarint(p.gaps, seq-p.last)
		p.last = seq
	}
}

// wordSet is a posting unpacked: one bit a sequence number.
type wordSet struct {
	bits  []uint64
	count int
}

// Has implements query.Set.
func (s wordSet) Has(m query.Message) bool {
	seq := m.(*searchable).m.seq
	return seq/64 < uint64(len(s.bits)) && s.bits[seq/64]&(1<<(seq%64)) != 0
}

// each visits the sequence numbers, rising.
func (s wordSet) each(visit func(seq uint64)) {
	for i, word := range s.bits {
		for ; word != 0; word &= word - 1 {
			visit(uint64(i)*64 + uint64(bits.TrailingZeros64(word)))
		}
	}
}

func (x searchIndex) find(f query.Field, word string) query.Set {
	if f == query.Body {
		f = query.Anywhere // as query.Env.Index allows: the body's words are not kept twice
	}
	p := x[newTerm(f, word)]
	if p == nil {
		return wordSet{}
	}
	set := wordSet{bits: make([]uint64, p.last/64+1)}
	for rest, seq := p.gaps, uint64(0); len(rest) > 0; set.count++ {
		gap, n := binary.Uvarint(rest)
		seq, rest = seq+gap, rest[n:]
		set.bits[seq/64] |= 1 << (seq % 64)
	}
	return set
}

// candidatesLocked are the messages that can match, newest first: those with the
// rarest word that the query requires, or all.
func (f filter) candidatesLocked(b *mailbox) []*message {
	if f.query == nil {
		return b.byDate
	}
	rarest, found := wordSet{}, false
	for _, s := range f.query.Required() {
		if set, ok := s.(wordSet); ok && (!found || set.count < rarest.count) {
			rarest, found = set, true
		}
	}
	if !found || rarest.count > len(b.byDate)/4 {
		return b.byDate // sorting would cost more than looking
	}
	var out []*message
	rarest.each(func(seq uint64) {
		if m := b.bySeq[seq]; m != nil {
			out = append(out, m)
		}
	})
	slices.SortFunc(out, func(a, b *message) int { return cmp.Or(cmp.Compare(b.date, a.date), cmp.Compare(b.seq, a.seq)) })
	return out
}

// maxIndexed is how many bytes of a message's text can be searched.
const maxIndexed = 1 << 20

// searchText is the prepared text of every field of a message.
type searchText [query.Anywhere]string

func newSearchText(root *mimetree.Part, filenames []string) *searchText {
	t := newHeaderText(root.Headers, filenames)
	t[query.Body] = bodyWords(root)
	return t
}

func bodyWords(root *mimetree.Part) string {
	var body strings.Builder
	root.Walk(func(p *mimetree.Part) bool {
		if p.Attachment || p.Body == nil {
			return true
		}
		text := p.Body[:min(len(p.Body), maxIndexed)]
		if p.MediaType == "text/html" {
			body.WriteString(query.Words(mimetree.StripHTML(text, 0)))
		} else {
			body.WriteString(query.Words(string(text)))
		}
		return body.Len() < maxIndexed
	})
	return body.String()
}

// newHeaderText leaves the body out.
func newHeaderText(headers []mimetree.Header, filenames []string) *searchText {
	return &searchText{
		query.From:        addressWords(headers, "From"),
		query.To:          addressWords(headers, "To", "Cc", "Bcc"),
		query.Cc:          addressWords(headers, "Cc"),
		query.Bcc:         addressWords(headers, "Bcc"),
		query.Subject:     query.Words(mimetree.Get(headers, "Subject")),
		query.DeliveredTo: addressWords(headers, "Delivered-To"),
		query.List:        query.Words(mimetree.Get(headers, "List-ID") + " " + mimetree.Get(headers, "List-Post")),
		query.Filenames:   joinWords(filenames),
	}
}

// terms are what an index holds of the text, each once.
func (t *searchText) terms() []term {
	var out []term
	for f, text := range t {
		field := query.Field(f)
		isAnywhere := slices.Contains(query.InAnywhere, field)
		for word := range strings.FieldsSeq(strings.ReplaceAll(text, "|", " ")) {
			if field != query.Body {
				out = append(out, newTerm(field, word))
			}
			if isAnywhere {
				out = append(out, newTerm(query.Anywhere, word))
			}
		}
	}
	slices.Sort(out)
	return slices.Clip(slices.Compact(out))
}

func addressWords(headers []mimetree.Header, names ...string) string {
	var values []string
	for _, h := range headers {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, h.Name) }) {
			values = append(values, strings.Split(h.Value, ",")...)
		}
	}
	return joinWords(values)
}

// joinWords keeps phrases from reaching across items.
func joinWords(items []string) string {
	var out strings.Builder
	for _, s := range items {
		out.WriteString(query.Words(s))
		out.WriteByte('|')
	}
	return out.String()
}
