package assess

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

//go:embed crypto.json
var cryptoText []byte

// Cipher is one use of cryptography. The table stands beside the code: a test compares it with the imports of every
// package, so that none can be added unsaid.
type Cipher struct {
	Folder  string   `json:"folder"`
	Imports []string `json:"imports"`
	For     string   `json:"for"`
	With    string   `json:"with"` // algorithm, mode and sizes
	Key     string   `json:"key"`  // where it comes from and is kept; "" where there is none
}

// ReadCrypto returns the inventory of cryptography.
func ReadCrypto() ([]Cipher, error) {
	var list []Cipher
	dec := json.NewDecoder(bytes.NewReader(cryptoText))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("assess: crypto.json: %w", err)
	}
	return list, nil
}

// cryptoTest is what keeps the inventory complete.
const cryptoTest = "policy/assess: TestCryptoInventory"

func cryptoItem(list []Cipher, r *Results, at time.Time) Item {
	status := r.Of(cryptoTest)
	i := Item{
		ID: "crypto", Title: "Cryptography", From: "policy/assess/crypto.json, compared with every import by " + cryptoTest, At: at, Status: status,
		Columns: []string{"Folder", "For", "With", "Key"},
	}
	for _, c := range list {
		i.Rows = append(i.Rows, []string{c.Folder, c.For, c.With, c.Key})
	}
	i.Says = fmt.Sprintf("%d uses of cryptography, all of them listed if the comparison passed: %s. TLS to browsers ends at the proxy in front, and is for a laboratory to test.", len(list), status)
	return i
}
