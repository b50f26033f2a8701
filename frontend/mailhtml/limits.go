package mailhtml

// Caps on what one body may cost. Gmail clips what it shows of a message at
// 102 kB; these are far above what honest mail needs and far below what hurts.
const (
	// MaxBody is how many bytes of a body are read; the rest is cut.
	MaxBody = 4 << 20
	// maxSheet is how many bytes of <style> text are inlined. With more, none is.
	maxSheet = 1 << 20
	// maxElements is how many elements a document keeps.
	maxElements = 40_000
	// maxOutput bounds the text and attribute bytes of the finished tree, which
	// can exceed the input's: a parser repeats open formatting elements.
	maxOutput = 8 << 20
	// maxReopened bounds elements × formatting elements left open, hence the
	// nodes that the HTML parsing algorithm can make by reopening formatting
	// elements in every block ("reconstruct the active formatting elements").
	maxReopened = 1_000_000
	// maxLeaked is how many formatting elements may be left open at a time:
	// bold is given up before layout is.
	maxLeaked = 60
	// maxCopied bounds the bytes that the parser moves by concatenating text.
	maxCopied = 256 << 20
	// maxMatchSteps bounds the work of matching style sheet selectors.
	maxMatchSteps = 20_000_000
	// maxStyleAttr is how many bytes of one style attribute are read.
	maxStyleAttr = 32 << 10
	// maxDeclarations is how many declarations of one block are kept.
	maxDeclarations = 200
	// maxAttrs is how many attributes of one element are looked at.
	maxAttrs = 64
	// maxLines is how many lines of a plain text body are shown.
	maxLines = 60_000
	// maxQuoteDepth is how many levels of '>' are told apart.
	maxQuoteDepth = 24
)
