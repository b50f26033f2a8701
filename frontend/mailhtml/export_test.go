package mailhtml

// FilterStyle is the CSS allow-list with every url() resolved by resolve.
func FilterStyle(style string, resolve func(string) (string, bool)) string {
	return filterStyle(style, resolve, false)
}

// Caps that tests step over.
const (
	MaxElements = maxElements
	MaxLines    = maxLines
)
