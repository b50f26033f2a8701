package assess

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"time"
)

// Sizes of the drawing, in its own units.
const (
	drawingWidth = 1120
	boxHeight    = 34
	rowHeight    = 44
	topMargin    = 70
)

// box is one node of the drawing.
type box struct {
	x, y, width   int
	title, detail string
	fill          string
}

func (b box) left() (x, y int)  { return b.x, b.y + boxHeight/2 }
func (b box) right() (x, y int) { return b.x + b.width, b.y + boxHeight/2 }

// drawing collects shapes; lines lie under boxes.
type drawing struct {
	lines, boxes strings.Builder
	height       int
}

func (d *drawing) box(b box) box {
	fmt.Fprintf(&d.boxes, `<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="%s" stroke="#5b6b7a"/>`, b.x, b.y, b.width, boxHeight, b.fill)
	y := b.y + boxHeight/2 + 4
	if b.detail != "" {
		y -= 7
		fmt.Fprintf(&d.boxes, `<text x="%d" y="%d" font-size="9.5" fill="#44525f">%s</text>`, b.x+8, y+13, html.EscapeString(b.detail))
	}
	fmt.Fprintf(&d.boxes, `<text x="%d" y="%d" font-size="12" fill="#10171e">%s</text>`, b.x+8, y, html.EscapeString(b.title))
	d.height = max(d.height, b.y+boxHeight)
	return b
}

func (d *drawing) line(from, to box, color string) {
	x1, y1 := from.right()
	x2, y2 := to.left()
	middle := (x1 + x2) / 2
	fmt.Fprintf(&d.lines, `<path d="M%d %dC%d %d %d %d %d %d" fill="none" stroke="%s" stroke-opacity=".55"/>`, x1, y1, middle, y1, middle, y2, x2, y2, color)
}

// diagramItem draws the flow of data from the tables: who may ask, the features, the gate that all of them pass, and
// where an access leads. A feature that is added to the policy, or a recipient, is in the next drawing.
func diagramItem(s Surface, at time.Time) Item {
	i := Item{
		ID: "flow", Title: "Data flow", From: tableSource + "; frontend/routes.go; the destinations of the last start", At: at, Status: Shown, Figure: draw(s),
		Says:    "Drawn from the tables that the code works by. Every line to the right passes the gate: decided by the policy and durable in the decision log before anything is fetched or sent.",
		Columns: []string{"From", "Feature", "To"},
	}
	for _, name := range slices.Sorted(maps.Keys(s.Tables.Features)) {
		f := s.Tables.Features[name]
		i.Rows = append(i.Rows, []string{names(f.Actors, ""), name, strings.Join(leadsTo(s, name), ", ")})
	}
	return i
}

// Ends of a flow beside the recipients of the register.
const (
	toGmail = "Gmail"
	toLog   = "Decision log"
	toStore = "Sealed stores"
	toCount = "Aggregated numbers"
)

// leadsTo is where the accesses of a feature lead.
func leadsTo(s Surface, feature string) []string {
	ends := map[string]bool{}
	f := s.Tables.Features[feature]
	for operation := range f.Operations {
		switch o := s.Tables.Operations[operation]; {
		case o.API == "gmail":
			ends[toGmail] = true
		case o.Kind == "log":
			ends[toLog] = true
		case o.Kind == "store":
			ends[toStore] = true
		case o.Kind == "aggregate":
			ends[toCount] = true
		}
	}
	if f.Recipient != "" {
		ends[f.Recipient] = true
	}
	return slices.Sorted(maps.Keys(ends))
}

func draw(s Surface) string {
	d := &drawing{}
	features := slices.Collect(maps.Keys(s.Tables.Features))
	slices.SortFunc(features, func(a, b string) int {
		return cmp.Or(strings.Compare(names(s.Tables.Features[a].Actors, ""), names(s.Tables.Features[b].Actors, "")), strings.Compare(a, b))
	})
	actors, ends := map[string]box{}, map[string]box{}
	actorNames, endNames := []string{}, []string{}
	for _, name := range features {
		for actor := range s.Tables.Features[name].Actors {
			if !slices.Contains(actorNames, actor) {
				actorNames = append(actorNames, actor)
			}
		}
		for _, end := range leadsTo(s, name) {
			if !slices.Contains(endNames, end) {
				endNames = append(endNames, end)
			}
		}
	}
	slices.Sort(actorNames)
	slices.Sort(endNames)
	bottom := topMargin + rowHeight*len(features)
	place := func(n, of int) int { return topMargin + (bottom-topMargin)*(2*n+1)/(2*of) - boxHeight/2 }
	for n, actor := range actorNames {
		actors[actor] = d.box(box{20, place(n, len(actorNames)), 150, actor, entries(s, actor), "#e8f0fb"})
	}
	for n, end := range endNames {
		title, detail, fill := end, "", "#eaf5ec"
		if r, ok := s.Tables.Recipients[end]; ok {
			detail, fill = r.Kind+", with consent", "#fdeedd"
		} else if end == toGmail {
			detail = destination(s, "gmail")
		}
		ends[end] = d.box(box{880, place(n, len(endNames)), 220, title, detail, fill})
	}
	gate := box{x: 690, y: topMargin, width: 70}
	for n, name := range features {
		f := s.Tables.Features[name]
		b := d.box(box{330, topMargin + rowHeight*n, 300, name, f.Purpose + ": " + names(f.Classes, ""), "#ffffff"})
		for actor := range f.Actors {
			d.line(actors[actor], b, "#3366aa")
		}
		through := box{x: gate.x, y: b.y, width: gate.width}
		d.line(b, through, "#8a2b2b")
		for _, end := range leadsTo(s, name) {
			d.line(through, ends[end], "#2f7d46")
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Data flow from actors over features and the gate to Gmail, stores and recipients; the table below says the same" font-family="system-ui, sans-serif"><rect width="100%%" height="100%%" fill="#fff"/>`, drawingWidth, d.height+40)
	for _, head := range []struct {
		x    int
		text string
	}{{20, "Who asks"}, {330, "Feature, purpose, classes"}, {690, "Gate"}, {880, "Where it leads"}} {
		fmt.Fprintf(&out, `<text x="%d" y="40" font-size="14" font-weight="600" fill="#10171e">%s</text>`, head.x, head.text)
	}
	fmt.Fprintf(&out, `<rect x="%d" y="%d" width="%d" height="%d" rx="8" fill="#f7e3e1" stroke="#8a2b2b"/>`, gate.x, gate.y-10, gate.width, d.height-gate.y+20)
	fmt.Fprintf(&out, `<text x="%d" y="%d" font-size="13" fill="#5c1a15" transform="rotate(-90 %d %d)" text-anchor="middle">policy, then the decision log, then the access</text>`, gate.x+40, (gate.y+d.height)/2, gate.x+40, (gate.y+d.height)/2)
	out.WriteString(d.lines.String() + d.boxes.String() + `</svg>`)
	return out.String()
}

// entries counts the routes by which an actor comes in.
func entries(s Surface, actor string) string {
	n := 0
	for _, r := range s.Routes {
		if r.Who == actor || r.Who == "auditor" && actor == "reviewer" {
			n++
		}
	}
	if n == 0 {
		return "no route of its own"
	}
	return fmt.Sprintf("%d routes", n)
}

func destination(s Surface, part string) string {
	for _, origin := range s.Destinations {
		if strings.Contains(origin, part) {
			return origin
		}
	}
	if len(s.Destinations) > 0 {
		return s.Destinations[0]
	}
	return ""
}
