package consent

import (
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"
	"time"
)

// Current is the version of the disclosure that owners are asked to agree to now. It equals
// limiteduse.disclosure.version in the policy's data.
const Current = 2

// Notice is how long before a new use an owner who agreed to less is told (CHG-2).
const Notice = 30 * 24 * time.Hour

// English is the language that every version exists in.
const English = "en"

// A text is texts/LANGUAGE/VERSION.txt.
//
//go:embed texts
var texts embed.FS

// Languages lists the languages in which a version can be shown, sorted.
func Languages(version int) []string {
	found, err := fs.Glob(texts, fmt.Sprintf("texts/*/%d.txt", version))
	if err != nil {
		panic(err) // the pattern is well formed
	}
	for i, name := range found {
		found[i] = path.Base(path.Dir(name))
	}
	return found
}

// Product is what the disclosure says about who runs this server. Every field is required: a disclosure
// that names nobody is none (DISC-1).
type Product struct {
	Name     string // as users know it
	Operator string // the company that answers for it
	Contact  string // address for questions about data
	HelpURL  string // page on managing and deleting data (DISC-3)
}

// Text is one disclosure as it is shown.
type Text struct {
	Version  int
	Language string
	Title    string
	Intro    string
	Sections []Section
	SHA256   [sha256.Size]byte // over Plain
	Plain    string            // the whole text, the form whose digest is recorded
}

// Section is one part of a disclosure under its own heading.
type Section struct {
	Heading string
	Blocks  []Block
}

// Block is a paragraph or, when Items is not empty, a list.
type Block struct {
	Paragraph string
	Items     []string
}

// Render returns the disclosure of the given version for a product, in English.
func Render(version int, p Product) (Text, error) { return RenderIn(English, version, p) }

// RenderIn returns the disclosure in another language. There is no falling back: what is agreed to is what
// was read.
func RenderIn(language string, version int, p Product) (Text, error) {
	if p.Name == "" || p.Operator == "" || p.Contact == "" || p.HelpURL == "" {
		return Text{}, errors.New("consent: the disclosure needs the product's name, operator, contact and help page")
	}
	for _, field := range []string{p.Name, p.Operator, p.Contact, p.HelpURL} {
		if strings.ContainsAny(field, "\r\n") {
			return Text{}, errors.New("consent: what names the product must be a single line")
		}
	}
	if !slices.Contains(Languages(version), language) {
		return Text{}, fmt.Errorf("consent: there is no disclosure version %d in this language", version)
	}
	source, err := texts.ReadFile(fmt.Sprintf("texts/%s/%d.txt", language, version))
	if err != nil {
		return Text{}, fmt.Errorf("consent: disclosure %d: %w", version, err)
	}
	tmpl, err := template.New("disclosure").Option("missingkey=error").Parse(string(source))
	if err != nil {
		return Text{}, fmt.Errorf("consent: disclosure %d: %w", version, err)
	}
	var plain strings.Builder
	fields := map[string]string{"Product": p.Name, "Operator": p.Operator, "Contact": p.Contact, "HelpURL": p.HelpURL}
	if err := tmpl.Execute(&plain, fields); err != nil {
		return Text{}, fmt.Errorf("consent: disclosure %d: %w", version, err)
	}
	t := parse(plain.String())
	t.Version, t.Language, t.Plain, t.SHA256 = version, language, plain.String(), sha256.Sum256([]byte(plain.String()))
	return t, nil
}

// parse splits a text into the parts a page lays out: the first line is the title, "# " begins a section,
// "- " an item, and everything else is a paragraph. Nothing is dropped, so the page shows what is hashed.
func parse(plain string) Text {
	var t Text
	lines := strings.Split(strings.TrimSpace(plain), "\n")
	t.Title = lines[0]
	for _, line := range lines[1:] {
		heading, isHeading := strings.CutPrefix(line, "# ")
		item, isItem := strings.CutPrefix(line, "- ")
		switch {
		case strings.TrimSpace(line) == "":
		case isHeading:
			t.Sections = append(t.Sections, Section{Heading: heading})
		case len(t.Sections) == 0:
			t.Intro = strings.TrimSpace(t.Intro + "\n" + line)
		case isItem:
			t.Sections[len(t.Sections)-1].addItem(item)
		default:
			s := &t.Sections[len(t.Sections)-1]
			s.Blocks = append(s.Blocks, Block{Paragraph: line})
		}
	}
	return t
}

// addItem continues the list that the section ends with, or begins one.
func (s *Section) addItem(item string) {
	if n := len(s.Blocks); n > 0 && len(s.Blocks[n-1].Items) > 0 {
		s.Blocks[n-1].Items = append(s.Blocks[n-1].Items, item)
		return
	}
	s.Blocks = append(s.Blocks, Block{Items: []string{item}})
}
