package emulator_test

import (
	"testing"

	"github.com/totalengage/webmail/inbox/emulator"
)

func TestEveryMethodIsBuilt(t *testing.T) {
	for _, m := range emulator.Methods() {
		if !emulator.Built(m.ID) {
			t.Errorf("%s has no handler", m.ID)
		}
	}
}
