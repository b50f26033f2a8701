package aggregate

// Catalogue is the version of the questions below. A release names the one it answers.
const Catalogue = 1

// question is something that is counted about every owner, with all the answers that there can be. Sender,
// recipient, domain, subject, text, file name and search text are no answers to anything here.
type question struct {
	id    string
	cells []string
	most  int  // cells that one owner can be in
	whole bool // every owner who used the client is in exactly one cell, so that the cells add up to a total
}

// The questions. Their order, and that of the cells, is the order in a release.
var catalogue = []question{
	{id: "days", cells: []string{"1-4", "5-14", "15-31"}, most: 1, whole: true},
	{id: "features", cells: []string{"search", "organise", "write", "attachments"}, most: 4},
	{id: "trouble", cells: []string{"refused", "permission", "consent", "failed"}, most: 1},
}

// maxCells is how many cells an owner can be in altogether: the sensitivity that noise is made for.
var maxCells = func() (n int64) {
	for _, q := range catalogue {
		n += int64(q.most)
	}
	return n
}()

// cell names one answer to one question.
type cell struct{ question, answer string }

// featureCells says which features of the policy's tables are counted as what. Reading is what everybody does:
// days tell of it.
var featureCells = map[string]string{
	"search":          "search",
	"organise":        "organise",
	"unsubscribe":     "organise",
	"compose":         "write",
	"send":            "write",
	"attachment_view": "attachments",
}

// background are features that work while nobody looks. They are no day of use.
var background = map[string]bool{"live_updates": true, "unread_badge": true, "start_draft": true}

// clauseCells says which difficulty a refusing clause is. Every other clause is "refused": the page asked for
// something that it should not have.
var clauseCells = map[string]string{
	"DISC-2": "consent", "CHG-1": "consent", "CHG-2": "consent",
	"MIN-2": "permission", "DEL-1": "permission",
}

// trouble ranks difficulties, worst first. Of several that an owner met only the worst is counted.
var trouble = catalogue[2].cells

// days returns the cell for a number of days of use.
func daysCell(n int) string {
	switch {
	case n < 5:
		return "1-4"
	case n < 15:
		return "5-14"
	}
	return "15-31"
}
