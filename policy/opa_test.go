package policy_test

import (
	"encoding/json"
	"os"
	command "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/totalengage/webmail/policy"
)

// The policy is one for OPA and not for this program alone: whoever has the opa command can check it, test it and ask
// it. These tests do, with the command at the version that the engine has.

// opa runs the command and returns what it printed.
func opa(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := command.CommandContext(t.Context(), "go", append([]string{"tool", "-modfile=../internal/tools/opa/go.mod", "opa"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestOPACommand: the plain command checks, tests and evaluates the policy as the program does.
func TestOPACommand(t *testing.T) {
	schema := t.TempDir()
	text, err := json.Marshal(policy.InputSchema())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(schema, "input.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("check", func(t *testing.T) {
		if out, err := opa(t, "", "check", "--strict", "--schema", schema, "limiteduse"); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		misspelt := filepath.Join(t.TempDir(), "misspelt.rego")
		rule := "# METADATA\n# schemas:\n# - input: schema.input\npackage misspelt\n\nx if input.actor.knd == \"owner\"\n"
		if err := os.WriteFile(misspelt, []byte(rule), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := opa(t, "", "check", "--strict", "--schema", schema, misspelt); err == nil || !strings.Contains(out, "undefined ref") {
			t.Errorf("a misspelt field passes: %v\n%s", err, out)
		}
	})
	t.Run("test", func(t *testing.T) {
		if out, err := opa(t, "", "test", "--coverage", "--threshold", "100", "--fail-on-empty", "limiteduse"); err != nil {
			t.Errorf("%v\n%s", err, out[max(0, len(out)-2000):])
		}
	})
	t.Run("eval", func(t *testing.T) {
		tables := shipped(t)
		asked := map[string]bool{}
		for _, in := range plainInputs(tables) {
			basis := oracle(tables, in)
			if asked[basis] {
				continue
			}
			asked[basis] = true
			refused := copied(in)
			refused.Purpose = "marketing.audience"
			for want, in := range map[string]policy.Input{basis: in, "": refused} {
				out, err := opa(t, document(in), "eval", "--stdin-input", "--strict-builtin-errors", "--format", "raw", "--data", "limiteduse", "object.get(data.webmail.decision, \"basis\", \"\")")
				if err != nil || strings.TrimSpace(out) != want {
					t.Errorf("%s: the command says %q, %v, want %q", in.Feature, out, err, want)
				}
			}
		}
		if len(asked) != len(tables.Bases) {
			t.Errorf("asked on %d bases of %d", len(asked), len(tables.Bases))
		}
	})
}
