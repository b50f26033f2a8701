// Package fieldmask reads Google's partial-response selectors (the `fields`
// parameter: "a,b(c,d),e/f,*") and cuts a JSON answer down to them.
//
// Lists are transparent: "messages(id)" selects id of every element. The order
// of the answer's keys is kept.
package fieldmask

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Mask is a set of selected fields; a nil child selects the whole field.
// The key "*" selects every field of that level.
type Mask map[string]Mask

// SyntaxError names the selector that could not be read.
type SyntaxError struct{ Selector string }

func (e *SyntaxError) Error() string { return "Invalid field selection " + e.Selector }

const maxDepth = 50

// Parse reads a selector. An empty one is an error: an absent parameter means
// no mask at all.
func Parse(s string) (Mask, error) {
	p := &parser{text: s}
	m, err := p.list(0)
	if err == nil && p.pos != len(s) {
		err = p.fail()
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

type parser struct {
	text string
	pos  int
}

func (p *parser) fail() error { return &SyntaxError{p.text} }

func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) list(depth int) (Mask, error) {
	if depth > maxDepth {
		return nil, p.fail()
	}
	m := Mask{}
	for {
		if err := p.selector(m, depth); err != nil {
			return nil, err
		}
		if p.peek() != ',' {
			return m, nil
		}
		p.pos++
	}
}

// selector reads one "a/b/c" or "a/b(c,d)" into m.
func (p *parser) selector(m Mask, depth int) error {
	for ; depth <= maxDepth; depth++ {
		name := p.name()
		if name == "" {
			return p.fail()
		}
		switch p.peek() {
		case '/':
			p.pos++
			m = m.child(name)
			continue
		case '(':
			p.pos++
			sub, err := p.list(depth + 1)
			if err != nil {
				return err
			}
			if p.peek() != ')' {
				return p.fail()
			}
			p.pos++
			m.child(name).merge(sub)
		default:
			m[name] = nil
		}
		return nil
	}
	return p.fail()
}

// child returns the mask below name. When the whole of name is selected already,
// what is read goes to a mask nobody looks at.
func (m Mask) child(name string) Mask {
	sub, seen := m[name]
	if seen && sub == nil {
		return Mask{}
	}
	if !seen {
		sub = Mask{}
		m[name] = sub
	}
	return sub
}

func (m Mask) merge(other Mask) {
	for name, sub := range other {
		if sub == nil {
			m[name] = nil
		} else {
			m.child(name).merge(sub)
		}
	}
}

func (p *parser) name() string {
	start := p.pos
	for p.pos < len(p.text) && !strings.ContainsRune(",/() \t\r\n", rune(p.text[p.pos])) {
		p.pos++
	}
	return p.text[start:p.pos]
}

// Check calls known for every path of the mask ("messages/payload/headers") and
// returns an error for the first that it does not know. "*" is asked like a name.
func (m Mask) Check(known func(path []string) bool) error { return m.check(nil, known) }

func (m Mask) check(path []string, known func([]string) bool) error {
	for name, sub := range m {
		p := append(path[:len(path):len(path)], name)
		if !known(p) {
			return &SyntaxError{strings.Join(p, "/")}
		}
		if err := sub.check(p, known); err != nil {
			return err
		}
	}
	return nil
}

// Apply returns the document with only the selected fields, compact.
func (m Mask) Apply(doc []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := m.apply(&out, bytes.TrimSpace(doc)); err != nil {
		return nil, fmt.Errorf("fieldmask: %w", err)
	}
	return out.Bytes(), nil
}

func (m Mask) apply(out *bytes.Buffer, doc []byte) error {
	if m == nil || len(doc) == 0 || (doc[0] != '{' && doc[0] != '[') {
		return json.Compact(out, doc)
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	open, err := dec.Token()
	if err != nil {
		return err
	}
	out.WriteByte(doc[0])
	first := true
	for dec.More() {
		sub := m
		var key json.Token
		if open == json.Delim('{') {
			if key, err = dec.Token(); err != nil {
				return err
			}
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		if open == json.Delim('{') {
			selected, ok := m.lookup(key.(string))
			if !ok {
				continue
			}
			sub = selected
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		if open == json.Delim('{') {
			name, err := json.Marshal(key)
			if err != nil {
				return err
			}
			out.Write(name)
			out.WriteByte(':')
		}
		if err := sub.apply(out, value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if open == json.Delim('{') {
		out.WriteByte('}')
	} else {
		out.WriteByte(']')
	}
	return nil
}

func (m Mask) lookup(name string) (Mask, bool) {
	sub, ok := m[name]
	star, all := m["*"]
	switch {
	case ok && all && sub != nil && star != nil:
		both := Mask{}
		both.merge(sub)
		both.merge(star)
		return both, true
	case all && star == nil:
		return nil, true
	case ok:
		return sub, true
	}
	return star, all
}
