package emulator_test

import (
	"os"
	"strings"
	"testing"

	"github.com/totalengage/webmail/inbox/emulator"
)

// TestFidelityNamesWhatIsNotBuilt keeps the settings that are not built in step
// with FIDELITY.md's sentence about them.
func TestFidelityNamesWhatIsNotBuilt(t *testing.T) {
	text, err := os.ReadFile("FIDELITY.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "are 501") {
		t.Error("FIDELITY.md does not say which methods are 501")
	}
	for _, m := range emulator.Methods() {
		mail := !strings.HasPrefix(m.ID, "settings.") && m.ID != "watch" && m.ID != "stop"
		if mail && !emulator.Built(m.ID) {
			t.Errorf("%s is not built", m.ID)
		}
	}
}
