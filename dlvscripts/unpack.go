package dlvscripts

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// CacheFolder is where Unpack puts the scripts of the user.
func CacheFolder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for the scripts: %w", err)
	}
	return filepath.Join(cache, "glassheap"), nil
}

// Unpack puts the scripts, and a file of commands for Delve's --init that loads them, into a folder of their own below folder,
// and returns the path of the latter. The user's own file of commands comes after it; "": there is none. The folder's name
// changes with the scripts: what is there already is used only if it is exactly what would be written, and files appear
// whole or not at all.
func Unpack(folder string, o Options, usersInit string) (initFile string, err error) {
	script := Script(o)
	folder = filepath.Join(folder, fmt.Sprintf("dlv-%x", sha256.Sum256(script))[:len("dlv-")+16])
	path := filepath.Join(folder, "glassheap.star")
	commands, name := "source "+path+"\n", "init"
	if usersInit != "" {
		if usersInit, err = filepath.Abs(usersInit); err != nil {
			return "", fmt.Errorf("the init file can't be found: %w", err)
		}
		if _, err := os.Stat(usersInit); err != nil {
			return "", fmt.Errorf("the init file can't be read: %w", err)
		}
		commands += "source " + usersInit + "\n"
		name += fmt.Sprintf("-%x", sha256.Sum256([]byte(usersInit)))[:1+16]
	}
	initFile = filepath.Join(folder, name)
	if err := writeWhole(path, script); err != nil {
		return "", fmt.Errorf("the scripts can't be written: %w", err)
	}
	if err := writeWhole(initFile, []byte(commands)); err != nil {
		return "", fmt.Errorf("the scripts can't be written: %w", err)
	}
	return initFile, nil
}

// writeWhole writes a file unless it holds the text already. Others may be writing it or reading it at the same time.
func writeWhole(path string, text []byte) (err error) {
	if held, err := os.ReadFile(path); err == nil && bytes.Equal(held, text) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when it was renamed
	_, err = f.Write(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
