package hostconf

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"flb-filter-rgcn/plugin/regularfile"
)

// yaml reads the format of .yaml files. Values are text as they are written: on stays on.
func (r *reader) yaml(path string, text []byte) error {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return yamlError(path, err)
	}
	if len(document.Content) == 0 {
		return nil
	}
	y := yamlFile{r, path}
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		return y.wrong(top, "want a map with pipeline, service and others")
	}
	return each(top, func(key, value *yaml.Node) error {
		switch name := strings.ToLower(key.Value); name {
		case "includes":
			return y.includes(value)
		case "env":
			return y.env(value)
		case "pipeline":
			return y.pipeline(value)
		case "plugins":
			return y.plugins(value)
		case Service:
			s := r.add(Service, y.at(key))
			s.Properties = y.properties(value)
			return nil
		case "parsers", "multiline_parsers":
			return y.sections(kindOf(name), value)
		}
		return nil
	})
}

var lineOfYAML = regexp.MustCompile(`line (\d+): (.*)`)

func yamlError(path string, err error) error {
	if m := lineOfYAML.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		return &Error{Place{path, line}, m[2]}
	}
	return &Error{Place{path, 1}, strings.TrimPrefix(err.Error(), "yaml: ")}
}

type yamlFile struct {
	r    *reader
	path string
}

func (y yamlFile) at(n *yaml.Node) Place { return Place{y.path, n.Line} }

func (y yamlFile) wrong(n *yaml.Node, format string, args ...any) error {
	return &Error{y.at(n), fmt.Sprintf(format, args...)}
}

// each calls do with each key and value of a map, until that fails.
func each(n *yaml.Node, do func(key, value *yaml.Node) error) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := do(n.Content[i], n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (y yamlFile) includes(list *yaml.Node) error {
	for _, n := range list.Content {
		if err := y.r.include(n.Value, filepath.Dir(y.path), y.at(n)); err != nil {
			return err
		}
	}
	return nil
}

// env reads variables: a map, or a list of maps with name, value and uri.
func (y yamlFile) env(n *yaml.Node) error {
	set := func(name, value string, at *yaml.Node) error {
		if file, ok := strings.CutPrefix(value, "file://"); ok {
			text, err := regularfile.Read(file, mostBytes)
			if err != nil {
				return y.wrong(at, "the variable %s cannot be read: %v", name, err)
			}
			value = strings.TrimRight(string(text), "\r\n")
		}
		y.r.env.set[name] = value
		return nil
	}
	if n.Kind == yaml.MappingNode {
		return each(n, func(key, value *yaml.Node) error { return set(key.Value, value.Value, value) })
	}
	for _, item := range n.Content {
		var name, value string
		_ = each(item, func(k, v *yaml.Node) error {
			switch strings.ToLower(k.Value) {
			case "name":
				name = v.Value
			case "value", "uri":
				value = v.Value
			}
			return nil
		})
		if err := set(name, value, item); err != nil {
			return err
		}
	}
	return nil
}

func (y yamlFile) pipeline(n *yaml.Node) error {
	return each(n, func(key, value *yaml.Node) error {
		switch name := strings.ToLower(key.Value); name {
		case "inputs", "filters", "outputs":
			return y.sections(kindOf(name), value)
		}
		return y.wrong(key, "%s is no part of a pipeline: want inputs, filters or outputs", key.Value)
	})
}

func (y yamlFile) plugins(n *yaml.Node) error {
	for _, path := range n.Content {
		y.r.config.Plugins = append(y.r.config.Plugins, Property{Key: "path", Value: path.Value, Raw: path.Value, At: y.at(path)})
	}
	return nil
}

// sections reads a list of sections of a kind.
func (y yamlFile) sections(kind string, list *yaml.Node) error {
	if list.Kind != yaml.SequenceNode {
		return y.wrong(list, "want a list, each of its items with a - before it")
	}
	for _, item := range list.Content {
		if item.Kind != yaml.MappingNode {
			return y.wrong(item, "want a map of properties")
		}
		s := y.r.add(kind, y.at(item))
		s.Properties = y.properties(item)
		err := each(item, func(key, value *yaml.Node) error {
			if key.Value != "processors" || value.Kind != yaml.MappingNode {
				return nil
			}
			return each(value, func(signal, list *yaml.Node) error {
				if !strings.EqualFold(signal.Value, "logs") {
					return nil
				}
				for _, item := range list.Content {
					s.Processors = append(s.Processors, &Section{
						Kind: Filter, At: y.at(item), Properties: y.properties(item), Parent: s, Number: len(s.Processors),
					})
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// properties reads those with a text for a value, or a list of texts.
func (y yamlFile) properties(n *yaml.Node) (out []Property) {
	_ = each(n, func(key, value *yaml.Node) error {
		values := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			values = value.Content
		}
		for _, v := range values {
			if v.Kind == yaml.AliasNode {
				v = v.Alias
			}
			if v.Kind == yaml.ScalarNode {
				out = append(out, Property{Key: keyOf(key.Value), Raw: v.Value, At: y.at(key)})
			}
		}
		return nil
	})
	return out
}
