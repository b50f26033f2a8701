package assess

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
)

//go:embed page.html
var pageText string

// page is index.html: everything in one file, so that it can be mailed and printed.
func (p *Pack) page() ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		// The only drawings there are come from diagram.go, which escapes what it is given.
		"drawing": func(svg string) template.HTML { return template.HTML(svg) },
		"picture": func(file string) template.URL {
			return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(p.files[file]))
		},
		"class": func(s Status) string { return strings.ReplaceAll(string(s), " ", "-") },
		"order": func() []Status { return order },
	}).Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("assess: the page's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("assess: the page: %w", err)
	}
	return b.Bytes(), nil
}
