package config

import "fmt"

// CheckProperty tells what is wrong with one property by itself, its name or its value, in the words of Load; how it
// goes together with others only Load tells. The name is in lower case.
func CheckProperty(key, value string) error {
	if key == "config_file" {
		return nil
	}
	var names []string
	for i := range options {
		o := &options[i]
		if o.Property() == key {
			if !o.set(new(Config), o.fromText(value)) {
				return oneLine(o.refuse("property "+key, value))
			}
			return nil
		}
		names = append(names, o.Property())
	}
	for i := range options { // as the TOML file has it
		if o := &options[i]; o.Name() == key || o.Key == key {
			return fmt.Errorf("unknown property %s: did you mean %s?", show(key), o.Property())
		}
	}
	if near := nearest(key, names); near != "" {
		return fmt.Errorf("unknown property %s: did you mean %s?", show(key), near)
	}
	return fmt.Errorf("unknown property %s: `fluent-bit -e flb-filter_rgcn.so -F rgcn -h` lists those that there are", show(key))
}
