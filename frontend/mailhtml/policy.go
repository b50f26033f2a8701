package mailhtml

import (
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
)

// ruleset is an allow-list: element -> attribute -> shape of its value. A nil
// shape allows any text. What it does not name does not get through.
//
// The list is applied twice by two different readers: by bluemonday to tokens,
// before any tree exists, and by the rewriter to the parsed tree.
type ruleset struct {
	elements map[string]map[string]*regexp.Regexp
	policy   *bluemonday.Policy
}

// Shapes of attribute values.
var (
	anyText  *regexp.Regexp
	number   = regexp.MustCompile(`^\s*[+-]?\d{1,5}(?:\.\d{1,4})?\s*(?:%|px|\*)?\s*$`)
	keyword  = regexp.MustCompile(`^\s*[A-Za-z0-9-]{0,24}\s*$`)
	colour   = regexp.MustCompile(`^\s*(?:#?[0-9A-Fa-f]{3,8}|[A-Za-z]{3,24}|rgba?\([\d\s,.%]{1,40}\))\s*$`)
	langTag  = regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`)
	fontList = regexp.MustCompile(`^[\pL\pN\s,._'"+-]{1,200}$`)
	numbers  = regexp.MustCompile(`^[\d\s,.%-]{1,1000}$`)
	dateTime = regexp.MustCompile(`^[0-9A-Za-z:+. -]{1,40}$`)
	ident    = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,128}$`)
	// The schemes are anchored: nothing but white space may precede them, and
	// no character inside them may be left to a browser to take out.
	linkURL  = regexp.MustCompile(`^\s*(?i:https?://|//|mailto:|tel:|#)`)
	imageURL = regexp.MustCompile(`^\s*(?i:https?://|//|cid:|data:image/)`)
	fragment = regexp.MustCompile(`^#[A-Za-z0-9_.:-]{1,128}$`)
)

type shapes = map[string]*regexp.Regexp

// displayRules are for mail that is shown.
var displayRules = newRuleset(displayElements(), globalAttributes())

// globalAttributes hold for every element. class, id and name live only until
// styles are inlined and quotes are found; the rewriter drops or prefixes them.
func globalAttributes() shapes {
	return shapes{
		"style": anyText, "class": anyText, "id": anyText, "title": anyText,
		"dir": keyword, "lang": langTag, "align": keyword,
	}
}

func displayElements() map[string]shapes {
	cell := shapes{
		"width": number, "height": number, "bgcolor": colour, "background": imageURL, "valign": keyword,
		"colspan": number, "rowspan": number, "nowrap": keyword, "scope": keyword, "abbr": anyText,
		"bordercolor": colour,
	}
	row := shapes{"bgcolor": colour, "background": imageURL, "valign": keyword, "height": number}
	list := shapes{"type": keyword, "start": number, "reversed": keyword, "compact": keyword}
	column := shapes{"width": number, "span": number, "valign": keyword}
	rules := map[string]shapes{
		"html": {},
		"body": {"bgcolor": colour, "background": imageURL, "text": colour},

		"a":    {"href": linkURL, "name": ident},
		"area": {"href": linkURL, "shape": keyword, "coords": numbers, "alt": anyText},
		"map":  {"name": ident},
		"img": {
			"src": imageURL, "alt": anyText, "width": number, "height": number, "border": number,
			"hspace": number, "vspace": number, "usemap": fragment,
		},

		"table": {
			"width": number, "height": number, "bgcolor": colour, "background": imageURL, "border": number,
			"cellpadding": number, "cellspacing": number, "bordercolor": colour, "frame": keyword,
			"rules": keyword, "summary": anyText,
		},
		"caption": {"valign": keyword},
		"col":     column, "colgroup": column,
		"tbody": row, "thead": row, "tfoot": row, "tr": row,
		"td": cell, "th": cell,

		"font": {"color": colour, "face": fontList, "size": number},
		"hr":   {"width": number, "size": number, "color": colour, "noshade": keyword},
		"br":   {"clear": keyword},
		"ol":   list, "ul": list, "li": {"type": keyword, "value": number},
		"blockquote": {"type": keyword},
		"details":    {"open": keyword},
		"time":       {"datetime": dateTime},
		"del":        {"datetime": dateTime},
		"ins":        {"datetime": dateTime},
		"pre":        {"width": number},
	}
	for _, name := range strings.Fields(`abbr acronym address article aside b bdi bdo big center cite code dd dfn div
		dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header i kbd main mark nav p q rp rt ruby s samp section
		small span strike strong sub summary sup tt u var wbr`) {
		rules[name] = shapes{}
	}
	return rules
}

func newRuleset(elements map[string]shapes, global shapes) *ruleset {
	p := bluemonday.NewPolicy()
	for element, attributes := range elements {
		p.AllowNoAttrs().OnElements(element)
		all := shapes{}
		for name, shape := range global {
			all[name] = shape
		}
		for name, shape := range attributes {
			all[name] = shape
		}
		elements[element] = all
		for name, shape := range all {
			if shape == nil {
				p.AllowAttrs(name).OnElements(element)
			} else {
				p.AllowAttrs(name).Matching(shape).OnElements(element)
			}
		}
	}
	return &ruleset{elements: elements, policy: p}
}

func (r *ruleset) knows(element string) bool {
	_, ok := r.elements[element]
	return ok
}

// allows reports whether an attribute of an HTML element passes the list.
func (r *ruleset) allows(element string, a html.Attribute) bool {
	shape, ok := r.elements[element][a.Key]
	return ok && a.Namespace == "" && (shape == nil || shape.MatchString(a.Val))
}
