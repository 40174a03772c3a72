package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// bcryptCost doubles the work with each step; 12 is about a quarter of a second of one core.
const bcryptCost = 12

// maxPassword is more than a login form sends.
const maxPassword = 4 << 10

func hashPasswordCommand() *cobra.Command {
	var algorithm string
	c := &cobra.Command{Use: "hash-password", Short: "Read a password and print its hash, for password_hash of a user.",
		Args: asIn("hash-password"), RunE: func(*cobra.Command, []string) error { return hashPassword(algorithm) }}
	c.Flags().StringVar(&algorithm, "algorithm", "argon2id",
		"`NAME` of the hash: argon2id (64 MiB of memory, RFC 9106 §4) or bcrypt.")
	return c
}

// hashPassword prints a value for password_hash of a user. The password is no argument, because other users can read
// arguments while the command runs, and the shell's history stores them. A comparison with an argon2id hash uses one
// thread, so that the provider can serve other requests meanwhile.
func hashPassword(name string) error {
	if name != "argon2id" && name != "bcrypt" {
		return fmt.Errorf("--algorithm: %q is neither argon2id nor bcrypt: write one of the two", name)
	}
	password, err := readPassword()
	if err != nil {
		return err
	}
	if name == "bcrypt" && len(password) > bcrypt.PasswordInputSizeMax {
		return fmt.Errorf("the password has %d bytes, and bcrypt reads %d: use --algorithm argon2id, or a shorter password",
			len(password), bcrypt.PasswordInputSizeMax)
	}
	var hasher algorithm.Hash
	hasher, err = argon2.New(argon2.WithProfileRFC9106LowMemory(), argon2.WithP(1))
	if name == "bcrypt" {
		hasher, err = bcrypt.New(bcrypt.WithCost(bcryptCost))
	}
	if err != nil {
		return err
	}
	digest, err := hasher.Hash(password)
	if err != nil {
		return err
	}
	fmt.Println(digest.Encode())
	return nil
}

// readPassword asks twice at a terminal, without showing the typed characters. From any other input it reads one line.
func readPassword() (string, error) {
	stdin := int(os.Stdin.Fd())
	if !term.IsTerminal(stdin) {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, maxPassword+1))
		if err != nil {
			return "", err
		}
		return passwordIn(string(text))
	}
	first, err := ask(stdin, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := ask(stdin, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", errors.New("the two passwords differ: start again")
	}
	return passwordIn(first)
}

// ask writes to stderr, so that stdout holds the hash and nothing else.
func ask(terminal int, prompt string) (string, error) {
	fmt.Fprint(os.Stderr, prompt)
	typed, err := term.ReadPassword(terminal)
	fmt.Fprintln(os.Stderr)
	return string(typed), err
}

// passwordIn is the one line of text.
func passwordIn(text string) (string, error) {
	password := strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	switch {
	case password == "":
		return "", errors.New("no password came: write one line to stdin, or start the command at a terminal and type it")
	case len(password) > maxPassword:
		return "", fmt.Errorf("the password has more than %d bytes: no login form sends that much", maxPassword)
	case strings.ContainsAny(password, "\r\n"):
		return "", errors.New("stdin has more than one line: write the password alone")
	}
	return password, nil
}
