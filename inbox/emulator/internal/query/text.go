package query

import (
	"slices"
	"strings"
)

// phrase is one word, or several that follow one another, in a field.
type phrase struct {
	in    Field
	words []string
	// text is the words as they stand in prepared text, with a blank at both ends.
	text string
	// indexed says for each word, and for each two that follow one another, which
	// messages have them; nil without an index.
	indexed []Set
}

// newPhrase prepares a text; nil when there is no word in it.
func newPhrase(in Field, text string, env Env) node {
	p := phrase{in: in, words: strings.Fields(Words(text))}
	if len(p.words) == 0 {
		return nil
	}
	p.text = " " + strings.Join(p.words, " ") + " "
	if env.Index != nil {
		for _, w := range p.words {
			p.indexed = append(p.indexed, env.Index(in, w))
		}
		for i := 1; i < len(p.words) && env.Pair != nil; i++ {
			p.indexed = append(p.indexed, env.Pair(p.words[i-1], p.words[i]))
		}
		p.indexed = slices.Clip(p.indexed)
	}
	return p
}

func (p phrase) match(m Message) bool {
	if !p.possible(m) {
		return false
	}
	if len(p.words) == 1 && p.indexed != nil && p.in != Body {
		return true
	}
	return slices.ContainsFunc(p.fields(), func(f Field) bool { return strings.Contains(m.Words(f), p.text) })
}

// possible asks the index alone.
func (p phrase) possible(m Message) bool {
	for _, set := range p.indexed {
		if !set.Has(m) {
			return false
		}
	}
	return true
}

func (p phrase) fields() []Field {
	if p.in == Anywhere {
		return InAnywhere
	}
	return []Field{p.in}
}

// around wants two phrases in one field with at most distance words between them.
type around struct {
	left, right phrase
	distance    int
	inOrder     bool // left must come first: the operator stood inside quotes
}

func (n around) match(m Message) bool {
	return n.left.possible(m) && n.right.possible(m) &&
		slices.ContainsFunc(n.left.fields(), func(f Field) bool { return n.near(strings.Fields(m.Words(f))) })
}

func (n around) near(words []string) bool {
	left, right := occurrences(words, n.left.words), occurrences(words, n.right.words)
	for _, l := range left {
		for _, r := range right {
			between := r - (l + len(n.left.words))
			if l > r {
				if n.inOrder {
					continue
				}
				between = l - (r + len(n.right.words))
			}
			if between >= 0 && between <= n.distance {
				return true
			}
		}
	}
	return false
}

// occurrences are the places at which the phrase begins.
func occurrences(words, phrase []string) []int {
	var out []int
	for i := 0; i+len(phrase) <= len(words); i++ {
		if slices.Equal(words[i:i+len(phrase)], phrase) {
			out = append(out, i)
		}
	}
	return out
}
