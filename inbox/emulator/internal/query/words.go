package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words turns text into the form that matching works on: its words in lower case
// between single blanks, with a blank at both ends, so that a whole word or a
// phrase is found by one substring search.
//
// Letters, digits, marks, "&" and "_" belong to words; everything else parts them.
// Scripts written without spaces give one word a character.
func Words(text string) string {
	var out strings.Builder
	out.Grow(len(text) + 2)
	out.WriteByte(' ')
	inWord := false
	for _, r := range text {
		if r < utf8.RuneSelf {
			if c := ascii[r]; c != 0 {
				out.WriteByte(c)
				inWord = true
			} else if inWord {
				out.WriteByte(' ')
				inWord = false
			}
			continue
		}
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai):
			if inWord {
				out.WriteByte(' ')
			}
			out.WriteRune(r)
			out.WriteByte(' ')
			inWord = false
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			out.WriteRune(unicode.ToLower(r))
			inWord = true
		case inWord:
			out.WriteByte(' ')
			inWord = false
		}
	}
	if inWord {
		out.WriteByte(' ')
	}
	return out.String()
}

// ascii is each ASCII character of a word in lower case, 0 for those that part words.
var ascii = func() (table [utf8.RuneSelf]byte) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyz0123456789&_") {
		table[c] = c
	}
	for c := byte('A'); c <= 'Z'; c++ {
		table[c] = c | 0x20
	}
	return table
}()

// LabelKey is how label: names a label: lower case, with blanks, "/" and other
// separators as "-".
func LabelKey(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '/', '(', ')', '&', '"':
			return '-'
		}
		return unicode.ToLower(r)
	}, strings.TrimSpace(name))
}
