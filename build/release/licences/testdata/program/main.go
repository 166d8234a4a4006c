// Command program is one with a module, for the test.
package main

import (
	"fmt"

	"github.com/BurntSushi/toml"
)

func main() { fmt.Println(toml.Key{"a", "b"}) }
