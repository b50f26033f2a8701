package emulator

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/totalengage/webmail/inbox/emulator/internal/query"
)

// pairs tells which words follow one another in a message: a Bloom filter, which never
// says no wrongly and yes in one of thirty cases. It spares phrases of common words the
// reading of nearly all messages, at a byte a different pair.
type pairs []uint64

const (
	pairBits   = 8 // for each pair
	pairProbes = 3
)

func newPairs(t *searchText) pairs {
	var hashes []uint64
	for _, text := range t {
		for item := range strings.SplitSeq(text, "|") {
			last, begun := uint64(0), false
			for word := range strings.FieldsSeq(item) {
				h := maphash.String(termSeed, word)
				if begun {
					hashes = append(hashes, pairHash(last, h))
				}
				last, begun = h, true
			}
		}
	}
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	p := make(pairs, (len(hashes)*pairBits+63)/64)
	for _, h := range hashes {
		for i := range uint64(pairProbes) {
			word, bit := p.place(h, i)
			p[word] |= bit
		}
	}
	return p
}

// pairHash depends on the order of the two.
func pairHash(first, second uint64) uint64 {
	return (first*0x9e3779b97f4a7c15 + second) * 0xff51afd7ed558ccd
}

// place is where the probe with a number looks: two halves of the hash make them all.
func (p pairs) place(hash, probe uint64) (word, bit uint64) {
	at := (hash>>32 + probe*(hash&0xffffffff|1)) % uint64(len(p)*64)
	return at / 64, 1 << (at % 64)
}

func (p pairs) has(hash uint64) bool {
	for i := range uint64(pairProbes) {
		if len(p) == 0 {
			return false
		}
		if word, bit := p.place(hash, i); p[word]&bit == 0 {
			return false
		}
	}
	return true
}

// pairSet is the messages in which one word may follow another.
type pairSet uint64

func findPair(first, second string) query.Set {
	return pairSet(pairHash(maphash.String(termSeed, first), maphash.String(termSeed, second)))
}

// Has implements query.Set.
func (s pairSet) Has(m query.Message) bool { return m.(*searchable).m.content.pairs.has(uint64(s)) }
