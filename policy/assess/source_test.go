package assess_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/totalengage/webmail/policy/assess"
)

// root is the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above")
		}
		dir = filepath.Dir(dir)
	}
}

// source calls do for each Go file of the product, tests left out, or for the tests alone.
func source(t *testing.T, tests bool, do func(folder string, file *ast.File, fset *token.FileSet)) {
	t.Helper()
	top, n := root(t), 0
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".")) {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") != tests || path == filepath.Join(top, "deps_scratch.go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(top, filepath.Dir(path))
		if err != nil {
			return err
		}
		n++
		do(filepath.ToSlash(folder), file, fset)
		return nil
	})
	if err != nil || n < 50 {
		t.Fatalf("%d files were read: %v", n, err)
	}
}

func imports(file *ast.File) (list []string) {
	for _, s := range file.Imports {
		if path, err := strconv.Unquote(s.Path.Value); err == nil {
			list = append(list, path)
		}
	}
	return list
}

// TestCryptoInventory: every import of cryptography stands in the inventory under its folder, and every line of the
// inventory is about imports that are there.
func TestCryptoInventory(t *testing.T) {
	list, err := assess.ReadCrypto()
	if err != nil {
		t.Fatal(err)
	}
	listed, used := map[string]bool{}, map[string]bool{}
	for _, c := range list {
		if c.For == "" || c.With == "" {
			t.Errorf("%s: a line does not say what for and with what", c.Folder)
		}
		for _, path := range c.Imports {
			listed[c.Folder+" "+path] = true
		}
	}
	source(t, false, func(folder string, file *ast.File, _ *token.FileSet) {
		for _, path := range imports(file) {
			for _, about := range []string{"crypto/", "golang.org/x/crypto", "golang.org/x/mod/sumdb", "github.com/tink-crypto", "github.com/go-jose"} {
				if strings.HasPrefix(path, about) {
					used[folder+" "+path] = true
				}
			}
		}
	})
	for use := range used {
		if !listed[use] {
			t.Errorf("%s is not in policy/assess/crypto.json: say what it is for", use)
		}
	}
	for use := range listed {
		if !used[use] {
			t.Errorf("policy/assess/crypto.json names %s, which is not there", use)
		}
	}
}

// TestNoWeakening: no broken cipher, and nobody switches off the checking of certificates (CASA 4.1.2, 4.1.3).
func TestNoWeakening(t *testing.T) {
	banned := []string{"crypto/md5", "crypto/sha1", "crypto/des", "crypto/rc4", "crypto/dsa", "golang.org/x/crypto/md4", "golang.org/x/crypto/blowfish"}
	source(t, false, func(folder string, file *ast.File, fset *token.FileSet) {
		for _, path := range imports(file) {
			if slices.Contains(banned, path) {
				t.Errorf("%s imports %s", folder, path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && (id.Name == "InsecureSkipVerify" || id.Name == "NewECBEncrypter") {
				t.Errorf("%s: %s", fset.Position(id.Pos()), id.Name)
			}
			return true
		})
	})
}

// TestNothingRunsInput: no interpreter, no plugin, no reader of XML, and templates are of the kind that escapes, but for
// the texts that people agree to, which are constants shown as text (CASA 5.1.3, 5.1.4, 5.1.6).
func TestNothingRunsInput(t *testing.T) {
	banned := map[string][]string{"plugin": nil, "github.com/dop251/goja": nil, "github.com/traefik/yaegi": nil, "text/template": {"policy/consent", "policy/agreement"}}
	source(t, false, func(folder string, file *ast.File, fset *token.FileSet) {
		for _, path := range imports(file) {
			if except, ok := banned[path]; ok && !slices.Contains(except, folder) {
				t.Errorf("%s imports %s", folder, path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := s.X.(*ast.Ident); ok && of.Name == "xml" && s.Sel.Name != "EscapeText" {
					t.Errorf("%s: xml.%s", fset.Position(s.Pos()), s.Sel.Name)
				}
			}
			return true
		})
	})
}

// TestNoPasswords: no table has a column for one (CASA 1.1).
func TestNoPasswords(t *testing.T) {
	columns := regexp.MustCompile(`(?im)^\s*(\w*(password|passwd|passphrase|pin_code|otp)\w*)\s+(TEXT|BYTEA|BLOB|BIGINT)`)
	files := 0
	err := filepath.WalkDir(root(t), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".sql" {
			return err
		}
		text, err := os.ReadFile(path)
		files++
		for _, found := range columns.FindAllSubmatch(text, -1) {
			t.Errorf("%s has a column %s", filepath.Base(path), found[1])
		}
		return err
	})
	if err != nil || files < 5 {
		t.Fatalf("%d files of tables were read: %v", files, err)
	}
	if !columns.MatchString("CREATE TABLE x (\n  password_hash BYTEA\n)") {
		t.Error("the form finds no password column at all")
	}
}

// TestQueriesAreParameterised: what is handed to the database is put together from constants alone: literals, names of
// the package, and no fmt (CASA 5.1.8).
func TestQueriesAreParameterised(t *testing.T) {
	calls := 0
	source(t, false, func(folder string, file *ast.File, fset *token.FileSet) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			name, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"ExecContext", "QueryContext", "QueryRowContext", "PrepareContext"}, name.Sel.Name) {
				return true
			}
			calls++
			ast.Inspect(call.Args[1], func(part ast.Node) bool {
				if inner, ok := part.(*ast.CallExpr); ok {
					if s, ok := inner.Fun.(*ast.SelectorExpr); ok {
						if of, ok := s.X.(*ast.Ident); ok && of.Name == "fmt" {
							t.Errorf("%s: a statement made by fmt.%s", fset.Position(call.Pos()), s.Sel.Name)
						}
					}
				}
				return true
			})
			return true
		})
	})
	if calls < 50 {
		t.Errorf("only %d statements were seen", calls)
	}
}

// TestSecretsAreComparedInConstantTime: no HMAC or hash is compared by bytes.Equal or == where hmac or subtle is at
// hand (CASA 7.2.2): in files that import them, bytes.Equal is not used.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	source(t, false, func(folder string, file *ast.File, fset *token.FileSet) {
		if all := imports(file); !slices.Contains(all, "crypto/hmac") && !slices.Contains(all, "crypto/subtle") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Equal" {
				if of, ok := s.X.(*ast.Ident); ok && of.Name == "bytes" {
					t.Errorf("%s: bytes.Equal beside a secret", fset.Position(s.Pos()))
				}
			}
			return true
		})
	})
}
