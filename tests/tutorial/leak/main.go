// Command leak keeps the tokens of logged-in users off Go's heap. Who logs in a second time loses a block.
package main

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/tests/tutorial/onlookers"
)

// desk holds a block with the token for each user, and one for each service that is always there.
type desk struct {
	heap     *allocator.Heap
	tokens   map[string][]byte
	services [][]byte
}

func main() {
	heap, err := allocator.New(allocator.Options{Name: "tokens", ReserveBytes: 64 << 20})
	check(err)
	d := &desk{heap: heap, tokens: map[string][]byte{}}
	for _, service := range []string{"mail", "search", "billing"} {
		check(d.register(service))
	}
	for i, user := range []string{"ada", "grace", "ada", "barbara", "grace", "ada"} {
		check(d.login(user, i))
	}
	wait()
	for user := range d.tokens {
		check(d.logout(user))
	}
}

// register gives a service its token.
func (d *desk) register(service string) error {
	block, err := d.token(service + ", for good")
	if err == nil {
		d.services = append(d.services, block)
	}
	return err
}

// login gives a user a token.
func (d *desk) login(user string, number int) error {
	block, err := d.token(fmt.Sprintf("%s, login %d", user, number))
	if err == nil {
		d.tokens[user] = block
	}
	return err
}

// logout takes it back.
func (d *desk) logout(user string) error {
	block := d.tokens[user]
	delete(d.tokens, user)
	return d.heap.Free(block)
}

// token makes a block that holds a text.
func (d *desk) token(text string) ([]byte, error) {
	block, err := d.heap.Alloc(len(text))
	if err == nil {
		copy(block, text)
	}
	return block, err
}

// wait lets the program be looked at until its input ends.
//
//go:noinline
func wait() { onlookers.Await() }

func check(err error) {
	if err != nil {
		panic(err)
	}
}
