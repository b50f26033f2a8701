package mailhtml

import (
	"regexp"
	"strings"
)

// A sheetRule is one style rule with its selectors split.
type sheetRule struct {
	selectors    []string
	declarations []declaration
}

// selectorShape admits simple selectors: elements, classes, ids, attributes,
// :first-child and :last-child, joined by white space, '>' or '+'. It leaves
// out '~' and the functional pseudo-classes, whose cost is not linear, and
// '*', which go-premailer does not inline.
var selectorShape = func() *regexp.Regexp {
	const (
		name     = `-?[A-Za-z_][A-Za-z0-9_-]*`
		attr     = `\[\s*` + name + `\s*(?:[~|^$*]?=\s*(?:"[^"\\\n{};,]*"|'[^'\\\n{};,]*'|` + name + `)\s*)?\]`
		part     = `(?:#` + name + `|\.` + name + `|` + attr + `|:first-child|:last-child)`
		compound = `(?:` + name + part + `*|` + part + `+)`
	)
	return regexp.MustCompile(`^` + compound + `(?:\s*[>+\s]\s*` + compound + `)*$`)
}()

// readSheet reads the style rules of a sheet. At-rules go as a whole: a style
// attribute has no place for @media, and @import and @font-face fetch.
func readSheet(css string) []sheetRule {
	css = withoutComments(css)
	var rules []sheetRule
	for {
		css = strings.TrimLeft(css, " \t\r\n\f")
		css = strings.TrimPrefix(strings.TrimPrefix(css, "<!--"), "-->")
		css = strings.TrimLeft(css, " \t\r\n\f")
		if css == "" {
			return rules
		}
		if css[0] == '@' {
			css = afterAtRule(css)
			continue
		}
		brace := strings.IndexByte(css, '{')
		if brace < 0 {
			return rules
		}
		end := brace + 1 + statementEnd(css[brace+1:], '}')
		if rule, ok := readRule(css[:brace], css[brace+1:end]); ok {
			rules = append(rules, rule)
		}
		css = css[min(end+1, len(css)):]
	}
}

// afterAtRule returns what follows the at-rule that css starts with.
func afterAtRule(css string) string {
	semicolon, brace := statementEnd(css, ';'), statementEnd(css, '{')
	if semicolon < brace {
		return css[semicolon+1:]
	}
	if brace == len(css) {
		return ""
	}
	end := brace + 1 + statementEnd(css[brace+1:], '}')
	return css[min(end+1, len(css)):]
}

func readRule(prelude, block string) (sheetRule, bool) {
	var rule sheetRule
	for _, selector := range strings.Split(prelude, ",") {
		selector = strings.Join(strings.Fields(selector), " ")
		if len(selector) < 512 && selectorShape.MatchString(selector) {
			rule.selectors = append(rule.selectors, selector)
		}
	}
	if len(rule.selectors) == 0 {
		return rule, false
	}
	rule.declarations = declarations(block)
	return rule, len(rule.declarations) > 0
}
