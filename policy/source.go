package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/util"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// Source is a policy as text: Rego modules and data.json, by file name. Whoever has the source that a decision
// was made under, and the decision's input, can make the decision again.
type Source map[string]string

// dataFile holds the tables.
const dataFile = "data.json"

// Embedded is the policy that the program is built with.
func Embedded() Source {
	s := Source(limiteduse.Modules())
	s[dataFile] = limiteduse.DataText()
	return s
}

// Revision is the SHA-256 over all files, in hex: it names the policy in every event.
func (s Source) Revision() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(h, "%s %d\n%s", name, len(s[name]), s[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s Source) modules() map[string]string {
	modules := maps.Clone(s)
	maps.DeleteFunc(modules, func(name, _ string) bool { return !strings.HasSuffix(name, ".rego") })
	return modules
}

// data decodes the tables for the engine. Numbers stay as they are written.
func (s Source) data() (map[string]any, error) {
	var data map[string]any
	if err := util.UnmarshalJSON([]byte(s[dataFile]), &data); err != nil {
		return nil, fmt.Errorf("policy: %s: %w", dataFile, err)
	}
	return data, nil
}

func (s Source) tables() (limiteduse.Tables, error) { return limiteduse.ParseTables(s[dataFile]) }

// Replaceable is the part of a policy that a bundle brings.
func (s Source) Replaceable() Source {
	part := maps.Clone(s)
	for _, name := range floorFiles {
		delete(part, name)
	}
	return part
}
