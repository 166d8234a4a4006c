// Package kubernetes checks what conf/kubernetes and conf/docker offer to copy: that it is well-formed, that its parts
// refer to each other correctly, that a pod has no more rights than it needs, and that Fluent Bit takes their
// configurations. No cluster is needed.
package kubernetes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const folder = "../../conf/kubernetes"

// object is a document of YAML, or a part of one.
type object map[string]any

// at follows keys and, as numbers, places in lists; nil where the way ends.
func (o object) at(path ...any) any {
	var v any = map[string]any(o)
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

func (o object) object(path ...any) object {
	m, _ := o.at(path...).(map[string]any)
	return m
}

func (o object) text(path ...any) string {
	if v := o.at(path...); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// list returns the objects of a list.
func (o object) list(path ...any) (all []object) {
	l, _ := o.at(path...).([]any)
	for _, v := range l {
		m, _ := v.(map[string]any)
		all = append(all, m)
	}
	return all
}

// named returns the object with a name from a list.
func named(list []object, name string) object {
	i := slices.IndexFunc(list, func(o object) bool { return o.text("name") == name })
	if i < 0 {
		return nil
	}
	return list[i]
}

func read(t *testing.T, file string) (documents []object) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	// As kubectl does, one after the other: an anchor of one document is unknown in the next.
	for part := range strings.SplitSeq(string(data), "\n---\n") {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(part), &o); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		documents = append(documents, o)
	}
	return documents
}

func kind(t *testing.T, documents []object, kind string) object {
	t.Helper()
	i := slices.IndexFunc(documents, func(o object) bool { return o.text("kind") == kind })
	if i < 0 {
		t.Fatalf("no %s", kind)
	}
	return documents[i]
}

// A pod is what the three ways to run the filter have in common.
type pod struct {
	security       object // the pod's
	init, main     object // containers
	args           string
	mounts         []object
	readOnly       bool
	configuration  string // of Fluent Bit, as one classic file
	metricsPort    string
	memoryMiB      int
	replicas       string
	neverTwoAtOnce bool
}

func aggregator(t *testing.T) pod {
	documents := read(t, "aggregator.yaml")
	set := kind(t, documents, "StatefulSet")
	spec := set.object("spec", "template", "spec")
	main, before := spec.list("containers")[0], spec.list("initContainers")[0]
	return pod{
		security: spec.object("securityContext"), init: before, main: main,
		args: strings.Join(words(main.at("args")), " "), mounts: main.list("volumeMounts"), readOnly: true,
		configuration: kind(t, documents, "ConfigMap").text("data", "fluent-bit.conf"),
		metricsPort:   named(main.list("ports"), "rgcn").text("containerPort"),
		memoryMiB:     mebibytes(t, main.text("resources", "limits", "memory")),
		replicas:      set.text("spec", "replicas"), neverTwoAtOnce: true,
	}
}

func chart(t *testing.T) pod {
	values := read(t, "helm-values.yaml")[0]
	return pod{
		security: values.object("podSecurityContext"), init: values.list("initContainers")[0],
		main: object{"securityContext": values.at("securityContext"), "resources": values.at("resources"), "livenessProbe": values.at("livenessProbe"), "readinessProbe": values.at("readinessProbe")},
		args: strings.Join(words(values.at("args")), " "), mounts: values.list("extraVolumeMounts"), readOnly: true,
		configuration: values.text("config", "service") + values.text("config", "inputs") + values.text("config", "filters") + values.text("config", "outputs"),
		metricsPort:   named(values.list("extraPorts"), "rgcn").text("containerPort"),
		memoryMiB:     mebibytes(t, values.text("resources", "limits", "memory")),
		replicas:      values.text("replicaCount"), neverTwoAtOnce: values.text("updateStrategy", "type") == "Recreate",
	}
}

func collector(t *testing.T) pod {
	documents := read(t, "fluent-operator.yaml")
	spec := kind(t, documents, "Collector").object("spec")
	// What the operator makes of the objects.
	section := func(name string, o object) string {
		return "[" + name + "]\n    Match " + o.text("spec", "match") + "\n" + indent(o.text("spec", "customPlugin", "config")+o.text("spec", "filters", 0, "customPlugin", "config"))
	}
	input := kind(t, documents, "ClusterInput").object("spec", "forward")
	return pod{
		security: spec.object("securityContext"), main: spec,
		args: strings.Join(words(spec.at("args")), " "), mounts: []object{{"mountPath": spec.at("bufferPath")}},
		configuration: "[SERVICE]\n    Flush 1\n[INPUT]\n    Name forward\n    Listen " + input.text("listen") + "\n    Port " + input.text("port") + "\n" +
			section("FILTER", kind(t, documents, "ClusterFilter")) + section("OUTPUT", kind(t, documents, "ClusterOutput")),
		metricsPort: named(spec.list("ports"), "rgcn").text("containerPort"),
		memoryMiB:   mebibytes(t, spec.text("resources", "limits", "memory")),
		replicas:    spec.text("replicas"), neverTwoAtOnce: true,
	}
}

func words(list any) (all []string) {
	l, _ := list.([]any)
	for _, v := range l {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

func indent(lines string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(lines, "\n"), "\n", "\n    ") + "\n"
}

func mebibytes(t *testing.T, quantity string) int {
	t.Helper()
	number, ok := strings.CutSuffix(quantity, "Mi")
	n, err := strconv.Atoi(number)
	if !ok || err != nil {
		t.Fatalf("memory limit %q, want Mi", quantity)
	}
	return n
}

var ways = map[string]func(*testing.T) pod{"aggregator": aggregator, "chart": chart, "operator": collector}

// property is a value of the section [FILTER].
func (p pod) property(key string) string {
	_, filter, _ := strings.Cut(p.configuration, "[FILTER]")
	filter, _, _ = strings.Cut(filter, "\n[")
	m := regexp.MustCompile(`(?mi)^\s*` + key + `\s+(\S+)\s*$`).FindStringSubmatch(filter)
	if m == nil {
		return ""
	}
	return m[1]
}

func TestPodsMayDoLittle(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := way(t)
			for key, want := range map[string]string{"runAsNonRoot": "true", "runAsUser": "65532", "fsGroup": "65532"} {
				if got := p.security.text(key); got != want {
					t.Errorf("%s: %q, want %s", key, got, want)
				}
			}
			if got := p.security.text("seccompProfile", "type"); got != "RuntimeDefault" {
				t.Errorf("seccomp profile %q", got)
			}
			if !p.readOnly {
				return // the operator has no such setting
			}
			for _, container := range []object{p.init, p.main} {
				security := container.object("securityContext")
				if security.text("readOnlyRootFilesystem") != "true" || security.text("allowPrivilegeEscalation") != "false" || security.text("capabilities", "drop") != "[ALL]" {
					t.Errorf("container: %v", security)
				}
				if container.text("resources", "limits", "memory") == "" {
					t.Error("a container without a memory limit")
				}
			}
		})
	}
}

// One pod writes a state directory, which lies on a volume that stays, and there is memory for what a training may
// take.
func TestStateAndMemory(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := way(t)
			if p.replicas != "1" || !p.neverTwoAtOnce {
				t.Errorf("%s replicas, never two at once: %v", p.replicas, p.neverTwoAtOnce)
			}
			state := p.property("State_Dir")
			i := slices.IndexFunc(p.mounts, func(m object) bool {
				return strings.HasPrefix(state, m.text("mountPath")+"/") && m.text("readOnly") != "true"
			})
			if i < 0 {
				t.Errorf("State_Dir %q lies on no volume: %v", state, p.mounts)
			}
			// The rest is for Fluent Bit, the graph and chunks under way.
			training, err := strconv.Atoi(p.property("Train_Max_Memory"))
			if err != nil || training+200 > p.memoryMiB {
				t.Errorf("a training may take %d MiB of %d (%v)", training, p.memoryMiB, err)
			}
		})
	}
}

// The plugin is loaded from where it was put, and ports are those that are served and scraped.
func TestNamesAgree(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := way(t)
			if port := p.property("Metrics_Listen"); port != "0.0.0.0:"+p.metricsPort || p.property("Metrics_Allow_Remote") != "On" {
				t.Errorf("listens on %q, the port rgcn is %q", port, p.metricsPort)
			}
			at := "/usr/lib/fluent-bit/" // where the Dockerfile puts it
			if p.init != nil {
				at = "/plugins/"
				if got := p.init.text("volumeMounts", 0, "mountPath"); got != "/plugins" {
					t.Errorf("the init container has its volume at %q", got)
				}
				mount := named(p.mounts, "plugins")
				if mount.text("mountPath") != "/plugins" || mount.text("readOnly") != "true" {
					t.Errorf("Fluent Bit has the volume as %v", mount)
				}
				for _, probe := range []string{"livenessProbe", "readinessProbe"} {
					if p.main.text(probe, "httpGet", "path") == "" {
						t.Errorf("no %s", probe)
					}
				}
			}
			if !regexp.MustCompile(`(-e |--plugin=)` + regexp.QuoteMeta(at+"flb-filter_rgcn.so") + `( |$)`).MatchString(p.args) {
				t.Errorf("arguments %q do not load %sflb-filter_rgcn.so", p.args, at)
			}
		})
	}
	documents := read(t, "aggregator.yaml")
	service := kind(t, documents, "Service")
	set := kind(t, documents, "StatefulSet")
	if service.text("metadata", "name") != set.text("spec", "serviceName") {
		t.Error("the StatefulSet's service is another")
	}
	for _, labels := range []object{service.object("spec", "selector"), set.object("spec", "selector", "matchLabels")} {
		if fmt.Sprint(labels) != fmt.Sprint(set.object("spec", "template", "metadata", "labels")) {
			t.Errorf("selects %v", labels)
		}
	}
	ports := set.list("spec", "template", "spec", "containers", 0, "ports")
	for _, port := range service.list("spec", "ports") {
		if named(ports, port.text("targetPort")) == nil {
			t.Errorf("the service's port %q leads nowhere", port.text("name"))
		}
	}
	monitor := read(t, "servicemonitor.yaml")[0]
	if fmt.Sprint(monitor.object("spec", "selector", "matchLabels")) != fmt.Sprint(service.object("metadata", "labels")) {
		t.Error("the monitor selects another service")
	}
	for _, endpoint := range monitor.list("spec", "endpoints") {
		if named(service.list("spec", "ports"), endpoint.text("port")) == nil {
			t.Errorf("the monitor's port %q is none of the service's", endpoint.text("port"))
		}
	}
}

// Fluent Bit with the filter takes every configuration, and would refuse one with a misspelt property.
func TestFluentBitTakesThem(t *testing.T) {
	host, err := exec.LookPath("fluent-bit")
	if err != nil {
		t.Skip("skipped: configurations in conf/kubernetes against the real host, fluent-bit is not on the PATH")
	}
	plugin := os.Getenv("RGCN_SO")
	if plugin == "" {
		plugin = filepath.Join(t.TempDir(), "flb-filter_rgcn.so")
		if out, err := exec.Command("go", "build", "-buildmode=c-shared", "-o", plugin, "../../plugin").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	// go test keeps results, and notices a new plugin only where the test itself looks at it.
	if _, err := os.Stat(plugin); err != nil {
		t.Fatal(err)
	}
	dryRun := func(t *testing.T, configuration string) (string, error) {
		t.Helper()
		dir := t.TempDir()
		file := filepath.Join(dir, "fluent-bit.conf")
		configuration = strings.ReplaceAll(configuration, "/var/lib/flb-filter-rgcn", dir)
		if err := os.WriteFile(file, []byte(configuration), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(host, "--dry-run", "-e", plugin, "-c", file).CombinedOutput()
		return string(out), err
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := way(t)
			if out, err := dryRun(t, p.configuration); err != nil || !strings.Contains(out, "configuration test is successful") {
				t.Errorf("%v\n%s\n%s", err, out, p.configuration)
			}
			if out, err := dryRun(t, strings.Replace(p.configuration, "State_Dir ", "Stat_Dir  ", 1)); err == nil || !strings.Contains(strings.ToLower(out), "stat_dir") {
				t.Errorf("a misspelt property is taken: %v\n%s", err, out)
			}
		})
	}
}

// The Dockerfile copies what a release and the repository have.
func TestDockerfile(t *testing.T) {
	data, err := os.ReadFile("../../conf/docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	sources := 0
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "COPY" {
			continue
		}
		for _, source := range fields[1 : len(fields)-1] {
			switch {
			case strings.HasPrefix(source, "--"):
			case source == "build/out/release/linux-${TARGETARCH}/flb-filter_rgcn.so", source == "build/out/release/linux-${TARGETARCH}/rgcn":
				sources++
			default:
				sources++
				if _, err := os.Stat(filepath.Join("../..", source)); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if sources < 6 {
		t.Errorf("%d files are copied", sources)
	}
	if strings.Contains(string(data), "\nRUN ") {
		t.Error("Fluent Bit's image has no shell for RUN")
	}
	if users := strings.Count(string(data), "\nUSER 65532:65532\n"); users != strings.Count(string(data), "\nFROM ") {
		t.Errorf("%d of the images leave root", users)
	}
}
