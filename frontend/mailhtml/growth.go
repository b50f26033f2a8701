package mailhtml

// growth decides, tag by tag, what a tree builder may be shown, so that the
// tree stays in proportion to the text. The HTML parsing algorithm does not:
//
//   - Formatting elements left open are opened again in every later block:
//     500 of them and 100,000 <p> make 50 million nodes.
//   - golang.org/x/net/html appends text to text by concatenation, so text
//     between tags that the algorithm ignores costs the square of its length.
//
// Both are bounded here from what the tags look like, always erring to the
// side of more growth than there is.
type growth struct {
	refused  bool           // something was kept from the tree
	elements int            // start tags admitted
	open     []string       // admitted and not yet closed by their own end tag
	count    map[string]int // open, by name
	leaked   int            // formatting elements that may be open for the parser
	tables   []string       // innermost last: table, td, th, caption
	run      int            // text bytes since a tag that surely made a node
	split    bool           // a tag was admitted since the last text
	copied   int            // text bytes that concatenation may have moved
}

var voidElements = map[string]bool{
	"area": true, "br": true, "col": true, "hr": true, "img": true, "wbr": true,
}

// formattingElements are reopened by the parsing algorithm.
var formattingElements = map[string]bool{
	"a": true, "b": true, "big": true, "code": true, "em": true, "font": true, "i": true,
	"s": true, "small": true, "strike": true, "strong": true, "tt": true, "u": true,
}

func (g *growth) text(n int) bool {
	g.run += n
	if g.split {
		g.copied += g.run
	}
	g.split = false
	if g.copied > maxCopied {
		g.refused = true
		return false
	}
	return true
}

func (g *growth) start(name string) bool {
	formatting := formattingElements[name]
	if g.elements >= maxElements || g.leaked*g.elements > maxReopened || formatting && g.leaked >= maxLeaked {
		g.refused = true
		return false
	}
	switch name {
	case "html", "body":
		if g.count[name] > 0 {
			return false
		}
	default:
		if !g.startInTable(name) {
			return false
		}
	}
	g.elements++
	g.split = true
	if formatting {
		g.leaked++
	}
	if !voidElements[name] {
		g.push(name)
	}
	return true
}

// startInTable keeps table parts out of places where the parser would ignore
// them, and reports whether the tag is worth showing.
func (g *growth) startInTable(name string) bool {
	inner := g.innerTable()
	switch name {
	case "table":
		if inner == "table" { // not in a cell: would close the table around it
			return false
		}
		g.tables = append(g.tables, name)
	case "td", "th", "caption":
		if inner == "" {
			return false
		}
		if inner != "table" { // closes the cell before it
			g.tables = g.tables[:len(g.tables)-1]
		}
		g.tables = append(g.tables, name)
	case "tr", "tbody", "thead", "tfoot", "col", "colgroup":
		if inner == "" {
			return false
		}
		if inner != "table" {
			g.tables = g.tables[:len(g.tables)-1]
		}
		return true // may or may not make a node: the run of text goes on
	}
	g.run = 0
	return true
}

func (g *growth) end(name string) bool {
	if voidElements[name] || name == "html" || name == "body" || g.count[name] == 0 {
		return false
	}
	g.count[name]--
	g.split = true
	// A formatting element counts as closed only when nothing else was open in
	// it: an end tag that crosses others need not close anything for the parser.
	if n := len(g.open); g.open[n-1] == name {
		g.open = g.open[:n-1]
		if formattingElements[name] {
			g.leaked--
		}
	}
	switch name {
	case "table":
		if g.innerTable() != "table" {
			g.tables = g.tables[:max(0, len(g.tables)-1)]
		}
		g.tables = g.tables[:max(0, len(g.tables)-1)]
	case "td", "th", "caption":
		if g.innerTable() == name {
			g.tables = g.tables[:len(g.tables)-1]
		}
	}
	return true
}

func (g *growth) push(name string) {
	if g.count == nil {
		g.count = map[string]int{}
	}
	g.open = append(g.open, name)
	g.count[name]++
}

// innerTable returns the innermost open table or table cell, "" outside tables.
func (g *growth) innerTable() string {
	if len(g.tables) == 0 {
		return ""
	}
	return g.tables[len(g.tables)-1]
}
