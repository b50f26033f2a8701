// Command testsum reads the stream of `go test -json` and prints what a person wants of it: nothing for tests
// that pass, the whole output of those that fail, lines that begin with "corpora:" or say that something was NOT
// RUN, and one closing count.
// It exits 1 when anything failed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// event is a line of the stream (go doc test2json).
type event struct {
	Action, Package, Test, Output, ImportPath string
}

func main() {
	output := map[string][]string{} // of tests and packages that are not done
	passed, failed, broken := 0, 0, false
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			fmt.Println(in.Text()) // not of the stream: a build error of an older go, a crash
			continue
		}
		key := e.Package + e.ImportPath + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
			if _, said, ok := strings.Cut(e.Output, "NOT RUN: "); ok {
				fmt.Print("not run: ", said)
			}
			if strings.HasPrefix(e.Output, "corpora:") {
				fmt.Print(e.Output)
			}
		case "pass", "skip":
			if e.Test != "" && e.Action == "pass" {
				passed++
			}
			delete(output, key)
		case "fail", "build-fail":
			broken = true
			if e.Test != "" {
				failed++
			}
			fmt.Printf("FAILED %s\n%s", key, strings.Join(output[key], ""))
			delete(output, key)
		}
	}
	if err := in.Err(); err != nil {
		fmt.Println("testsum: the stream is cut:", err)
		broken = true
	}
	if broken && failed == 0 {
		failed = 1 // a package that does not build or crashed
	}
	fmt.Printf("go: %d passed, %d failed\n", passed, failed)
	if broken {
		os.Exit(1)
	}
}
