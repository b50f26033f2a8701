package agreement

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"
)

// The texts in force. A published text is never changed: another text is another version.
const (
	CurrentText  = 1 // what owners agree to
	CurrentRules = 1 // what staff acknowledge
)

//go:embed texts/*.txt
var texts embed.FS

// Text is what somebody read before acting, with the digest that is kept of it.
type Text struct {
	Version int
	SHA256  string // over Plain, in hex
	Plain   string
}

// Company is whose staff may ask.
type Company struct {
	Product  string // name of the product, as owners know it
	Operator string // the company that employs the staff
	Country  string // where they work; "" when it is not said
}

func (c Company) check() error {
	if c.Product == "" || c.Operator == "" {
		return errors.New("agreement: owners must be told whose staff ask: the product's and the operator's name are needed")
	}
	return nil
}

// textFor renders what the owner is asked to agree to.
func textFor(c Company, r Request) (Text, error) {
	return render("agreement", CurrentText, map[string]string{
		"Product": c.Product, "Mailbox": r.Mailbox, "Case": r.Case, "Reason": r.Reason, "Minutes": fmt.Sprint(int(r.Window / time.Minute)),
		"Requester": r.Requester.Name, "Role": r.Requester.Role, "Employer": r.Requester.employment(),
		"Approver": r.Approver.Name, "ApproverRole": r.Approver.Role, "ApproverEmployer": r.Approver.employment(),
	})
}

// Rules is the text that staff acknowledge.
func (c Company) Rules() (Text, error) {
	return render("rules", CurrentRules, map[string]string{"Product": c.Product, "Operator": c.Operator})
}

func render(kind string, version int, fields map[string]string) (Text, error) {
	source, err := texts.ReadFile(fmt.Sprintf("texts/%s-%d.txt", kind, version))
	if err != nil {
		return Text{}, fmt.Errorf("agreement: there is no text %s %d", kind, version)
	}
	tmpl, err := template.New(kind).Option("missingkey=error").Parse(string(source))
	if err != nil {
		return Text{}, fmt.Errorf("agreement: text %s: %w", kind, err)
	}
	line := map[string]string{}
	for name, value := range fields {
		line[name] = strings.Join(strings.Fields(value), " ") // a reason of several lines could pass for the text itself
	}
	var plain strings.Builder
	if err := tmpl.Execute(&plain, line); err != nil {
		return Text{}, fmt.Errorf("agreement: text %s: %w", kind, err)
	}
	sum := sha256.Sum256([]byte(plain.String()))
	return Text{Version: version, SHA256: hex.EncodeToString(sum[:]), Plain: plain.String()}, nil
}
