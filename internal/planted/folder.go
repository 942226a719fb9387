package planted

import (
	"context"
	"path/filepath"
)

// Folder is where a package of this repository lies: "allocator", or one of a module of its own, "tests/realworld/pipeline". The go
// command runs where this process is, in a module that has the repository's.
func Folder(ctx context.Context, pkg string) (string, error) {
	root, err := run(ctx, "list", "-m", "-f", "{{.Dir}}", Module)
	if err != nil {
		return "", err
	}
	return filepath.Join(root, filepath.FromSlash(pkg)), nil
}
