package query

import (
	"strconv"
	"strings"
	"unicode"
)

const maxDepth = 50 // deeper groups are read as their words

// Parse reads a query. Every string is one; an empty query matches everything.
func Parse(s string, env Env) *Query {
	p := &parser{tokens: scan(s), env: env}
	q := &Query{}
	var nodes all
	for p.pos < len(p.tokens) { // more than once only after a stray closing bracket
		nodes = append(nodes, p.and(0))
		p.pos++
	}
	q.root = nodes
	q.SpamTrash = p.spamTrash
	return q
}

// token is a bracket, a minus sign, a phrase or a word; for operator:value the
// operator is a token of its own, kind opToken.
type token struct {
	kind tokenKind
	text string
}

type tokenKind byte

const (
	wordToken   tokenKind = 'w'
	phraseToken tokenKind = '"'
	opToken     tokenKind = ':'
	minusToken  tokenKind = '-'
	openToken   tokenKind = '('
	closeToken  tokenKind = ')'
	braceToken  tokenKind = '{'
	bracedToken tokenKind = '}'
)

func scan(s string) []token {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '(' || c == ')' || c == '{' || c == '}':
			out = append(out, token{tokenKind(c), string(c)})
			i++
		case c == '"':
			end := strings.IndexByte(s[i+1:], '"')
			if end < 0 {
				end = len(s) - i - 1
			}
			out = append(out, token{phraseToken, s[i+1 : i+1+end]})
			i = min(i+end+2, len(s))
		case c == '-' && i+1 < len(s) && !isBlank(s[i+1]):
			out = append(out, token{minusToken, "-"})
			i++
		case isBlank(c):
			i++
		default:
			t, n := scanWord(s[i:])
			out = append(out, t)
			i += n
		}
	}
	return out
}

// scanWord reads up to a blank or bracket; a known operator name ends at its colon.
func scanWord(s string) (token, int) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == ':' {
			if name := strings.ToLower(s[:i]); operators[name] != nil {
				return token{opToken, name}, i + 1
			}
		}
		if isBlank(c) || strings.IndexByte(`(){}"`, c) >= 0 {
			return token{wordToken, s[:i]}, i
		}
	}
	return token{wordToken, s}, len(s)
}

func isBlank(c byte) bool { return c < 0x80 && unicode.IsSpace(rune(c)) }

type parser struct {
	tokens    []token
	pos       int
	env       Env
	spamTrash bool
	// operator is the enclosing operator:( ), applied to every plain term inside.
	operator string
}

func (p *parser) next() (token, bool) {
	if p.pos < len(p.tokens) {
		return p.tokens[p.pos], true
	}
	return token{}, false
}

func closes(t token) bool { return t.kind == closeToken || t.kind == bracedToken }

// and reads terms up to a closing bracket, which it leaves.
func (p *parser) and(depth int) node {
	var nodes all
	for {
		t, ok := p.next()
		if !ok || closes(t) {
			return nodes
		}
		if t.kind == wordToken && (t.text == "AND" || t.text == "OR") {
			p.pos++ // an OR without a left neighbour
			continue
		}
		if n := p.or(depth); n != nil {
			nodes = append(nodes, n)
		}
	}
}

func (p *parser) or(depth int) node {
	first := p.term(depth)
	group := any{}
	if first != nil {
		group = append(group, first)
	}
	for {
		t, ok := p.next()
		if !ok || t.kind != wordToken || t.text != "OR" {
			break
		}
		p.pos++
		if t, ok := p.next(); !ok || closes(t) {
			break
		}
		if n := p.term(depth); n != nil {
			group = append(group, n)
		}
	}
	switch len(group) {
	case 0:
		return nil
	case 1:
		return group[0]
	}
	return group
}

// term reads one term; nil when it says nothing, as a lone punctuation mark does.
func (p *parser) term(depth int) node {
	t, ok := p.next()
	if !ok || closes(t) {
		return nil
	}
	p.pos++
	switch t.kind {
	case minusToken:
		if depth >= maxDepth {
			return nil
		}
		// What is excluded is not asked for: -in:trash searches no trash.
		asked := p.spamTrash
		n := p.term(depth + 1)
		p.spamTrash = asked
		if n == nil {
			return nil
		}
		return not{n}
	case openToken, braceToken:
		return p.group(t.kind, depth)
	case opToken:
		return p.value(t.text, depth)
	}
	if p.operator != "" {
		return p.operand(p.operator, t)
	}
	return p.text(t)
}

// text is a plain word or phrase, perhaps the left side of an AROUND; a word with
// punctuation inside is a phrase of its parts. +word is the word itself: there is no
// stemming here that it could turn off.
func (p *parser) text(t token) node {
	if t.kind == phraseToken {
		if left, n, right, ok := cutAround(t.text); ok {
			return p.around(left, n, right, true)
		}
	}
	if n, right, ok := p.aroundAhead(); ok {
		p.pos += 3
		return p.around(t.text, n, right, false)
	}
	return newPhrase(Anywhere, t.text, p.env)
}

// aroundAhead reads "AROUND 5 word" where it stands next.
func (p *parser) aroundAhead() (distance int, right string, ok bool) {
	if p.pos+2 >= len(p.tokens) {
		return 0, "", false
	}
	op, number, word := p.tokens[p.pos], p.tokens[p.pos+1], p.tokens[p.pos+2]
	n, err := strconv.Atoi(number.text)
	ok = op.kind == wordToken && op.text == "AROUND" && number.kind == wordToken && err == nil && n >= 0 &&
		(word.kind == wordToken || word.kind == phraseToken)
	return n, word.text, ok
}

// cutAround reads "a AROUND 5 b" inside quotes, where the order counts.
func cutAround(s string) (left string, distance int, right string, ok bool) {
	left, rest, found := strings.Cut(s, " AROUND ")
	number, right, spaced := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.Atoi(number)
	return left, n, right, found && spaced && err == nil && n >= 0
}

func (p *parser) around(left string, distance int, right string, inOrder bool) node {
	l, leftSays := newPhrase(Anywhere, left, p.env).(phrase)
	r, rightSays := newPhrase(Anywhere, right, p.env).(phrase)
	switch {
	case leftSays && rightSays:
		return around{l, r, distance, inOrder}
	case leftSays:
		return l
	case rightSays:
		return r
	}
	return nil
}

func (p *parser) group(kind tokenKind, depth int) node {
	if depth >= maxDepth {
		return nil
	}
	var n node
	if kind == openToken {
		n = p.and(depth + 1)
	} else {
		n = p.braces(depth + 1)
	}
	if t, ok := p.next(); ok && closes(t) {
		p.pos++
	}
	return n
}

func (p *parser) braces(depth int) node {
	group := any{}
	for {
		t, ok := p.next()
		if !ok || closes(t) {
			return group
		}
		if t.kind == wordToken && (t.text == "AND" || t.text == "OR") {
			p.pos++
			continue
		}
		if n := p.term(depth); n != nil {
			group = append(group, n)
		}
	}
}

// value reads what follows "operator:".
func (p *parser) value(name string, depth int) node {
	t, ok := p.next()
	if !ok || closes(t) || t.kind == opToken || t.kind == minusToken {
		return nil
	}
	p.pos++
	if t.kind == openToken || t.kind == braceToken {
		outer := p.operator
		p.operator = name
		n := p.group(t.kind, depth)
		p.operator = outer
		return n
	}
	return p.operand(name, t)
}

func (p *parser) operand(name string, t token) node {
	value := t.text
	if strings.TrimSpace(value) == "" {
		return nil
	}
	switch key := strings.ToLower(value); {
	case (name == "in" || name == "label" || name == "is") && (key == "spam" || key == "trash"),
		name == "in" && key == "anywhere":
		p.spamTrash = true
	}
	return operators[name](value, p.env)
}
