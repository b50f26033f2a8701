package mailhtml

import (
	"fmt"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/vanng822/go-premailer/premailer"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// inlineSheets moves the rules of sheets into style attributes of the tree at
// root. It reports whether rules were left out because they, or matching them,
// would cost too much, or because go-premailer failed: then the mail keeps the
// style attributes that it came with.
func inlineSheets(root *html.Node, sheets []string, resolve cssResolver) (complete bool) {
	total := 0
	for _, sheet := range sheets {
		total += len(sheet)
	}
	if total == 0 {
		return true
	}
	if total > maxSheet {
		return false
	}
	var rules []sheetRule
	for _, sheet := range sheets {
		rules = append(rules, readSheet(sheet)...)
	}
	sheet, complete := safeSheet(rules, measure(root), resolve)
	if sheet == "" {
		return complete
	}
	return premail(root, sheet) == nil && complete
}

// safeSheet writes the sheet that go-premailer gets to see: known properties,
// rewritten values, selectors whose matching stays within maxMatchSteps.
func safeSheet(rules []sheetRule, size treeSize, resolve cssResolver) (sheet string, complete bool) {
	var out strings.Builder
	steps := 0
	for _, rule := range rules {
		kept := filterDeclarations(rule.declarations, resolve)
		if len(kept) == 0 {
			continue
		}
		for _, selector := range rule.selectors {
			if steps += size.matchSteps(selector, len(kept)); steps > maxMatchSteps {
				return out.String(), false
			}
			out.WriteString(selector + "{")
			for _, d := range kept {
				out.WriteString(d.property + ":" + d.value)
				if d.important {
					out.WriteString(" !important")
				}
				out.WriteByte(';')
			}
			out.WriteString("}\n")
		}
	}
	return out.String(), true
}

// premail runs go-premailer over the tree at root, in place.
func premail(root *html.Node, sheet string) (err error) {
	style := &html.Node{Type: html.ElementNode, Data: "style", DataAtom: atom.Style}
	style.AppendChild(&html.Node{Type: html.TextNode, Data: sheet})
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("mailhtml: inlining styles: panic of type %T", r)
		}
		// go-premailer replaces the element it has read; after a panic it is
		// still there.
		if style.Parent != nil {
			style.Parent.RemoveChild(style)
		}
	}()
	head := firstElement(root, atom.Head)
	if head == nil {
		return nil
	}
	head.AppendChild(style)
	_, err = premailer.NewPremailer(goquery.NewDocumentFromNode(root),
		premailer.NewOptions(premailer.WithCssToAttributes(false))).Transform()
	return err
}

// treeSize is what the cost of matching a selector depends on.
type treeSize struct {
	elements, depth int
	named           map[string]int // elements by "tag", ".class" and "#id"
}

func measure(root *html.Node) treeSize {
	size := treeSize{named: map[string]int{}}
	var walk func(n *html.Node, depth int)
	walk = func(n *html.Node, depth int) {
		if n.Type == html.ElementNode {
			size.elements++
			size.depth = max(size.depth, depth)
			size.named[n.Data]++
			for _, class := range strings.Fields(attr(n, "class")) {
				size.named["."+class]++
			}
			if id := attr(n, "id"); id != "" {
				size.named["#"+id]++
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, depth+1)
		}
	}
	walk(root, 0)
	return size
}

// matchSteps estimates, from above, the steps to find and style what selector
// matches: each candidate for the last part tries every choice of ancestors
// for the parts before it.
func (t treeSize) matchSteps(selector string, declarations int) int {
	parts := strings.Fields(strings.NewReplacer(">", " > ", "+", " + ").Replace(selector))
	descendants := 0
	for i := 1; i < len(parts); i++ {
		if !isCombinator(parts[i]) && !isCombinator(parts[i-1]) {
			descendants++
		}
	}
	ways := 1
	for i := 0; i < descendants && ways < maxMatchSteps; i++ {
		ways = ways * max(1, t.depth-i) / (i + 1)
	}
	candidates := t.candidates(parts[len(parts)-1])
	return min(maxMatchSteps+1, t.elements+candidates*(min(ways, maxMatchSteps)+4+2*declarations))
}

func isCombinator(s string) bool { return s == ">" || s == "+" }

// candidates counts the elements that have the rarest name in a compound.
func (t treeSize) candidates(compound string) int {
	compound, _, _ = strings.Cut(compound, "[")
	compound, _, _ = strings.Cut(compound, ":")
	fewest := t.elements
	for compound != "" {
		end := strings.IndexAny(compound[1:], ".#")
		if end < 0 {
			end = len(compound) - 1
		}
		name := compound[:end+1]
		if name[0] != '.' && name[0] != '#' {
			name = strings.ToLower(name)
		}
		fewest = min(fewest, t.named[name])
		compound = compound[end+1:]
	}
	return fewest
}
