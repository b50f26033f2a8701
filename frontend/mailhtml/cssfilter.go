package mailhtml

import (
	"strconv"
	"strings"
)

// cssProperty says which values of a property are kept.
type cssProperty struct {
	negative bool     // numbers below zero
	strings  bool     // quoted strings: font names
	images   bool     // url() and gradients
	only     []string // the whole value is one of these keywords
}

var (
	plainProperty = cssProperty{}
	shiftProperty = cssProperty{negative: true}
	fontProperty  = cssProperty{strings: true}
	imageProperty = cssProperty{negative: true, images: true}
)

// cssProperties is the allow-list. Not in it, on purpose: position, z-index,
// top/left and transform (a mail stays in the flow of its own document),
// behavior and -moz-binding (script), content and cursor (misleading), filter,
// animation and transition (cost), custom properties and all: they reach into
// places this list does not look at.
var cssProperties = cssPropertyTable()

func cssPropertyTable() map[string]cssProperty {
	table := map[string]cssProperty{
		"background": imageProperty, "background-image": imageProperty, "background-position": shiftProperty,
		"font": fontProperty, "font-family": fontProperty,
		"letter-spacing": shiftProperty, "word-spacing": shiftProperty, "text-shadow": shiftProperty,
		"box-shadow": shiftProperty,
		"display": {only: strings.Fields(`none block inline inline-block list-item table inline-table table-row table-cell
			table-row-group table-header-group table-footer-group table-caption table-column table-column-group flex
			inline-flex inherit initial`)},
		"overflow":   {only: strings.Fields("visible hidden auto")},
		"overflow-x": {only: strings.Fields("visible hidden auto")},
		"overflow-y": {only: strings.Fields("visible hidden auto")},
	}
	for _, name := range strings.Fields(`color opacity visibility background-color background-repeat background-size
		background-clip background-origin font-size font-style font-weight font-variant font-stretch line-height
		text-align text-align-last text-decoration text-decoration-color text-decoration-line text-decoration-style
		text-transform text-indent text-overflow white-space word-break word-wrap overflow-wrap hyphens tab-size
		vertical-align direction unicode-bidi writing-mode
		width height min-width min-height max-width max-height box-sizing float clear
		margin margin-top margin-right margin-bottom margin-left
		padding padding-top padding-right padding-bottom padding-left
		border border-top border-right border-bottom border-left
		border-color border-top-color border-right-color border-bottom-color border-left-color
		border-style border-top-style border-right-style border-bottom-style border-left-style
		border-width border-top-width border-right-width border-bottom-width border-left-width
		border-radius border-top-left-radius border-top-right-radius border-bottom-left-radius border-bottom-right-radius
		border-collapse border-spacing empty-cells caption-side table-layout
		list-style list-style-type list-style-position
		object-fit flex flex-basis flex-direction flex-flow flex-grow flex-shrink flex-wrap gap justify-content
		align-items align-content align-self`) {
		table[name] = plainProperty
	}
	return table
}

// cssUnits leaves out those that depend on the height of the frame, which in
// turn follows the height of the document.
var cssUnits = map[string]bool{
	"": true, "%": true, "px": true, "pt": true, "pc": true, "em": true, "rem": true, "ex": true, "ch": true,
	"cm": true, "mm": true, "in": true, "vw": true, "deg": true,
}

var (
	colourFunctions   = map[string]bool{"rgb": true, "rgba": true, "hsl": true, "hsla": true}
	mathFunctions     = map[string]bool{"calc": true, "min": true, "max": true, "clamp": true}
	gradientFunctions = map[string]bool{"linear-gradient": true, "radial-gradient": true}
)

// cssResolver says what the URL of a CSS background becomes; false drops it.
type cssResolver func(url string) (resolved string, ok bool)

// filterStyle writes the allowed declarations of a declaration list anew.
// important keeps "!important", which matters only before styles are inlined.
func filterStyle(style string, resolve cssResolver, important bool) string {
	var out strings.Builder
	for _, d := range filterDeclarations(declarations(style), resolve) {
		if out.Len() > 0 {
			out.WriteByte(';')
		}
		out.WriteString(d.property + ":" + d.value)
		if d.important && important {
			out.WriteString(" !important")
		}
	}
	return out.String()
}

// filterDeclarations keeps what the allow-list passes, each value rewritten.
func filterDeclarations(list []declaration, resolve cssResolver) []declaration {
	kept := list[:0]
	for _, d := range list {
		rule, ok := cssProperties[d.property]
		if !ok {
			continue
		}
		tokens, ok := lexCSS(d.value)
		if !ok {
			continue
		}
		if d.value, ok = rule.rewrite(tokens, resolve); ok {
			kept = append(kept, d)
		}
	}
	return kept
}

// rewrite returns the value spelled from its tokens, false when one of them
// has no place in this property.
func (p cssProperty) rewrite(tokens []cssToken, resolve cssResolver) (string, bool) {
	var out strings.Builder
	var functions []string // open ones; "" for a bare parenthesis
	for i, t := range tokens {
		switch t.kind {
		case cssSpace:
			out.WriteByte(' ')
		case cssIdent:
			if p.only != nil && !containsFold(p.only, t.text) {
				return "", false
			}
			out.WriteString(t.text)
		case cssNumber:
			if !p.allowsNumber(t, len(functions) > 0) {
				return "", false
			}
			out.WriteString(t.text + t.unit)
		case cssHash:
			if !isHexColour(t.text) {
				return "", false
			}
			out.WriteString("#" + t.text)
		case cssString:
			if !p.strings || !fontList.MatchString(t.text) {
				return "", false
			}
			out.WriteString("'" + t.text + "'")
		case cssURL:
			if !p.images || len(functions) > 0 {
				return "", false
			}
			if url, ok := resolve(t.text); ok && plainString(url) {
				out.WriteString("url('" + url + "')")
			} else {
				out.WriteString("none")
			}
		case cssFunction:
			if !colourFunctions[t.text] && !mathFunctions[t.text] && !(p.images && gradientFunctions[t.text]) || len(functions) > 3 {
				return "", false
			}
			functions = append(functions, t.text)
			out.WriteString(t.text + "(")
		case cssPunct:
			switch t.text {
			case "(":
				if len(functions) == 0 || len(functions) > 6 || tokens[i-1].kind == cssNumber {
					return "", false
				}
				functions = append(functions, "")
			case ")":
				functions = functions[:len(functions)-1]
			case "+", "-", "*":
				if len(functions) == 0 {
					return "", false
				}
			case "!":
				return "", false
			}
			out.WriteString(t.text)
		}
	}
	value := strings.TrimSpace(out.String())
	return value, value != "" && (p.only == nil || containsFold(p.only, value))
}

// allowsNumber refuses what would carry content out of its place or make a
// document of absurd size.
func (p cssProperty) allowsNumber(t cssToken, inFunction bool) bool {
	n, err := strconv.ParseFloat(t.text, 64)
	if err != nil || !cssUnits[t.unit] {
		return false
	}
	if inFunction {
		return n >= -100_000 && n <= 100_000
	}
	return n <= 10_000 && (n >= 0 || p.negative && n >= -500)
}

func isHexColour(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) && (s[i]|0x20 < 'a' || s[i]|0x20 > 'f') {
			return false
		}
	}
	return len(s) == 3 || len(s) == 4 || len(s) == 6 || len(s) == 8
}

func containsFold(list []string, s string) bool {
	for _, item := range list {
		if strings.EqualFold(item, s) {
			return true
		}
	}
	return false
}
