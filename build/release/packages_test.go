package release

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const stateDirectory = "/var/lib/flb-filter-rgcn"

// installed is what a package brings besides examples.
var installed = []string{
	"/usr/lib/fluent-bit/flb-filter_rgcn.so",
	"/usr/bin/rgcn",
	"/usr/share/flb-filter-rgcn/systemd/rgcn.conf",
	"/usr/share/flb-filter-rgcn/elasticsearch/setup.sh",
	"/usr/share/flb-filter-rgcn/fleet/agent.conf",
	"/usr/share/flb-filter-rgcn/fleet/systemd/rgcn-train.service",
	"/usr/share/flb-filter-rgcn/fleet/systemd/rgcn-train.timer",
	"/usr/share/doc/flb-filter-rgcn/README.md",
	"/usr/share/doc/flb-filter-rgcn/conf/README.md",
	"/usr/share/doc/flb-filter-rgcn/conf/fleet/README.md",
}

// configuration is what an operator changes.
var configuration = []string{
	"/etc/fluent-bit/rgcn/fluent-bit.conf",
	"/etc/fluent-bit/rgcn/fluent-bit.yaml",
	"/etc/fluent-bit/rgcn/parsers.conf",
	"/etc/fluent-bit/rgcn/plugins.conf",
	"/etc/fluent-bit/rgcn/rgcn.toml",
}

// ofFluentBit are files that Fluent Bit's own packages bring.
var ofFluentBit = []string{
	"/etc/fluent-bit/fluent-bit.conf", "/etc/fluent-bit/parsers.conf", "/etc/fluent-bit/plugins.conf",
	"/opt/fluent-bit/bin/fluent-bit", "/lib/systemd/system/fluent-bit.service",
}

func version(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(released, "version"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// packages are the files of one ending, one an architecture.
func packages(t *testing.T, ending string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(released, "packages", "*"+ending))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(released, "packages")); err != nil {
		t.Skip("skipped: packages, there are none (make packages)")
	}
	if len(found) != len(targets) {
		t.Fatalf("%d packages %s, want %d: %q", len(found), ending, len(targets), found)
	}
	return found
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("skipped: %s, %s is not on the PATH", t.Name(), p)
		}
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestChecksums(t *testing.T) {
	packages(t, ".deb")
	dir := filepath.Join(released, "packages")
	sums, err := os.Open(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	defer sums.Close()
	var named []string
	for lines := bufio.NewScanner(sums); lines.Scan(); {
		sum, name, _ := strings.Cut(lines.Text(), "  ")
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s has another checksum", name)
		}
		named = append(named, name)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "SHA256SUMS" && !slices.Contains(named, e.Name()) {
			t.Errorf("%s has no checksum", e.Name())
		}
	}
	if len(named) != 4*len(targets) {
		t.Errorf("checksums of %q; want a .deb, .rpm, .tar.gz and bill of materials for each of %d architectures", named, len(targets))
	}
}

// Every package has the same files, root's, and none of Fluent Bit's.
func TestContents(t *testing.T) {
	const texts = "/third-party-licences.txt"
	check := func(name string, files []string, licences string) {
		t.Helper()
		for _, want := range slices.Concat(installed, configuration, []string{licences}) {
			if !slices.Contains(files, want) {
				t.Errorf("%s has no %s", name, want)
			}
		}
		for _, theirs := range ofFluentBit {
			if slices.Contains(files, theirs) {
				t.Errorf("%s has %s, which is Fluent Bit's", name, theirs)
			}
		}
	}
	for _, deb := range packages(t, ".deb") {
		need(t, "dpkg-deb")
		var files []string
		for line := range strings.Lines(output(t, "dpkg-deb", "--contents", deb)) {
			fields := strings.Fields(line)
			if fields[1] != "root/root" || fields[0][5] == 'w' || fields[0][8] == 'w' {
				t.Errorf("%s: %s", filepath.Base(deb), line)
			}
			files = append(files, strings.TrimPrefix(fields[5], "."))
		}
		check(deb, files, "/usr/share/doc/flb-filter-rgcn"+texts)
		conffiles := strings.Fields(output(t, "dpkg-deb", "--info", deb, "conffiles"))
		slices.Sort(conffiles)
		if !slices.Equal(conffiles, configuration) {
			t.Errorf("%s: conffiles %q", deb, conffiles)
		}
	}
	for _, rpm := range packages(t, ".rpm") {
		need(t, "rpm")
		check(rpm, strings.Fields(output(t, "rpm", "-qlp", rpm)), "/usr/share/licenses/flb-filter-rgcn"+texts)
		if got := strings.Fields(output(t, "rpm", "-qcp", rpm)); !slices.Equal(got, configuration) {
			t.Errorf("%s: configuration %q", rpm, got)
		}
	}
	for _, archive := range packages(t, ".tar.gz") {
		listing := output(t, "tar", "-tzf", archive)
		for _, want := range []string{"/flb-filter_rgcn.so\n", "/rgcn\n", "/conf/rgcn.toml\n", "/LICENSE\n", texts + "\n"} {
			if !strings.Contains(listing, want) {
				t.Errorf("%s has no %s", archive, want)
			}
		}
	}
}

// A bill of materials names what go.mod requires, in the versions that were built in.
func TestBillOfMaterials(t *testing.T) {
	for _, file := range packages(t, ".cdx.json") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var bill struct {
			Format     string `json:"bomFormat"`
			Components []struct{ Name, Version string }
			Metadata   struct {
				Timestamp string
				Tools     []struct{ Hashes []any }
				Component struct{ Version string }
			}
		}
		if err := json.Unmarshal(data, &bill); err != nil {
			t.Fatal(err)
		}
		if bill.Format != "CycloneDX" || bill.Metadata.Component.Version != version(t) || bill.Metadata.Timestamp != "" ||
			len(bill.Metadata.Tools) != 1 || len(bill.Metadata.Tools[0].Hashes) != 0 {
			t.Errorf("%s: %s %+v", file, bill.Format, bill.Metadata)
		}
		for _, module := range []string{"github.com/BurntSushi/toml", "github.com/tinylib/msgp", "gorgonia.org/cu", "std"} {
			if !slices.ContainsFunc(bill.Components, func(c struct{ Name, Version string }) bool { return c.Name == module && c.Version != "" }) {
				t.Errorf("%s does not name %s", file, module)
			}
		}
	}
}

// root is a copy of the Debian system that RGCN_DEBIAN names, with what Fluent Bit's own package brings in it.
type root struct {
	t   *testing.T
	dir string
}

func newRoot(t *testing.T, programs ...string) root {
	t.Helper()
	debian := os.Getenv("RGCN_DEBIAN")
	if debian == "" {
		t.Skipf("skipped: %s, RGCN_DEBIAN names no Debian root (make test-release makes one where debootstrap is)", t.Name())
	}
	if os.Geteuid() != 0 {
		t.Skipf("skipped: %s, only root changes its root directory", t.Name())
	}
	need(t, append(programs, "chroot")...)
	r := root{t, filepath.Join(t.TempDir(), "root")}
	output(t, "cp", "-a", debian, r.dir)
	for _, file := range ofFluentBit {
		r.write(file, "# of Fluent Bit: "+file+"\n")
	}
	return r
}

func (r root) path(file string) string { return filepath.Join(r.dir, file) }

func (r root) write(file, content string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(r.path(file)), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(r.path(file), []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// there fails unless each file is there, or none is.
func (r root) there(when string, want bool, files ...string) {
	r.t.Helper()
	for _, file := range files {
		if _, err := os.Lstat(r.path(file)); (err == nil) != want {
			r.t.Errorf("%s: %s is there: %v, want %v", when, file, err == nil, want)
		}
	}
}

func (r root) contains(when, file, want string) {
	r.t.Helper()
	data, err := os.ReadFile(r.path(file))
	if err != nil || !strings.Contains(string(data), want) {
		r.t.Errorf("%s: %s has no %q: %v", when, file, want, err)
	}
}

// fluentBitIsWhole fails where a file of Fluent Bit's is another than newRoot wrote.
func (r root) fluentBitIsWhole(when string) {
	r.t.Helper()
	for _, file := range ofFluentBit {
		r.contains(when, file, "# of Fluent Bit: "+file+"\n")
	}
}

func (r root) works(when, want string) {
	r.t.Helper()
	if got := output(r.t, "chroot", r.dir, "rgcn", "version"); !strings.HasPrefix(got, "rgcn "+want+", ") {
		r.t.Errorf("%s: rgcn version says %s", when, got)
	}
	state, err := os.Stat(r.path(stateDirectory))
	if err != nil || state.Mode().Perm() != 0o750 {
		r.t.Errorf("%s: state directory: %v, %v", when, state, err)
	}
}

// older is the package of this architecture once more, as an older version with other defaults.
func older(t *testing.T, format string) string {
	t.Helper()
	nfpm := os.Getenv("RGCN_NFPM")
	if nfpm == "" {
		t.Skipf("skipped: %s, RGCN_NFPM names no nfpm, which makes an older package to upgrade from", t.Name())
	}
	source := t.TempDir()
	for _, name := range []string{"conf", "LICENSE", "README.md"} {
		output(t, "cp", "-R", filepath.Join("../..", name), source)
	}
	output(t, "mkdir", "-p", filepath.Join(source, "build/release"))
	output(t, "cp", "-R", "package", filepath.Join(source, "build/release"))
	settings, err := os.OpenFile(filepath.Join(source, "conf/rgcn.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	settings.WriteString("# a default of an older version\n")
	settings.Close()
	target := filepath.Join(t.TempDir(), "older."+format)
	cmd := exec.Command(nfpm, "package", "--config", "build/release/package/nfpm.yaml", "--packager", format, "--target", target)
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "RGCN_ARCH="+runtime.GOARCH, "RGCN_VERSION=0.0.0~older", "RGCN_FILES="+filepath.Join(released, "linux-"+runtime.GOARCH))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return target
}

// native is the package of this architecture.
func native(t *testing.T, ending string, names map[string]string) string {
	t.Helper()
	for _, p := range packages(t, ending) {
		if strings.Contains(filepath.Base(p), names[runtime.GOARCH]) {
			return p
		}
	}
	t.Fatalf("no package for %s", runtime.GOARCH)
	return ""
}

const (
	changed = "# changed by an operator\n"
	learned = stateDirectory + "/learned"
)

// Installed, upgraded, removed and purged: what an operator changed and what was learned stay until the purge.
func TestDebian(t *testing.T) {
	deb := native(t, ".deb", map[string]string{"amd64": "_amd64.", "arm64": "_arm64."})
	r := newRoot(t, "dpkg")
	dpkg := func(args ...string) string {
		t.Helper()
		return output(t, "chroot", append([]string{r.dir, "env", "DEBIAN_FRONTEND=noninteractive", "dpkg"}, args...)...)
	}
	put := func(file, name string) string {
		output(t, "cp", file, r.path("/"+name))
		return "/" + name
	}
	files := slices.Concat([]string{"/usr/share/doc/flb-filter-rgcn/copyright"}, installed[:4]) // Debian's minimal system may leave out documents

	dpkg("--install", put(older(t, "deb"), "older.deb"))
	r.there("installed", true, slices.Concat(files, configuration)...)
	r.works("installed", version(t))
	r.fluentBitIsWhole("installed")

	r.write("/etc/fluent-bit/rgcn/rgcn.toml", changed)
	r.write(learned, "much")
	dpkg("--force-confold", "--install", put(deb, "newer.deb"))
	r.there("upgraded", true, slices.Concat(files, configuration)...)
	r.contains("upgraded", "/etc/fluent-bit/rgcn/rgcn.toml", changed)
	r.contains("upgraded", learned, "much")
	r.works("upgraded", version(t))
	if status := dpkg("--verify", "flb-filter-rgcn"); strings.Contains(strings.ReplaceAll(status, "/etc/fluent-bit/rgcn/rgcn.toml", ""), "/") {
		t.Errorf("other files than were packed:\n%s", status)
	}

	dpkg("--remove", "flb-filter-rgcn")
	r.there("removed", false, installed...)
	r.contains("removed", "/etc/fluent-bit/rgcn/rgcn.toml", changed)
	r.contains("removed", learned, "much")

	dpkg("--purge", "flb-filter-rgcn")
	r.there("purged", false, slices.Concat(installed, configuration, []string{stateDirectory, "/etc/fluent-bit/rgcn"})...)
	r.fluentBitIsWhole("purged")
}

// rpm knows no purge: after an erasure what was learned stays, and what was changed is set aside.
func TestRPM(t *testing.T) {
	file := native(t, ".rpm", map[string]string{"amd64": ".x86_64.", "arm64": ".aarch64."})
	r := newRoot(t, "rpm")
	rpm := func(args ...string) string {
		t.Helper()
		// The root is Debian's, whose rpm knows of no glibc.
		return output(t, "rpm", append([]string{"--root", r.dir, "--dbpath", "/var/lib/rpm"}, args...)...)
	}
	output(t, "mkdir", "-p", r.path("/var/lib/rpm"))
	rpm("--initdb")

	rpm("--install", "--nodeps", older(t, "rpm"))
	r.there("installed", true, slices.Concat(installed, configuration)...)
	r.works("installed", version(t))
	r.fluentBitIsWhole("installed")

	r.write("/etc/fluent-bit/rgcn/rgcn.toml", changed)
	r.write(learned, "much")
	rpm("--upgrade", "--nodeps", file)
	r.there("upgraded", true, slices.Concat(installed, configuration)...)
	r.contains("upgraded", "/etc/fluent-bit/rgcn/rgcn.toml", changed)
	r.there("upgraded", true, "/etc/fluent-bit/rgcn/rgcn.toml.rpmnew")
	r.contains("upgraded", learned, "much")
	r.works("upgraded", version(t))
	if got := strings.TrimSpace(rpm("--query", "--queryformat", "%{VERSION}", "flb-filter-rgcn")); got != version(t) {
		t.Errorf("version %s, want %s", got, version(t))
	}

	rpm("--erase", "flb-filter-rgcn")
	r.there("erased", false, slices.Concat(installed, configuration)...)
	r.contains("erased", "/etc/fluent-bit/rgcn/rgcn.toml.rpmsave", changed)
	r.contains("erased", learned, "much")
	r.fluentBitIsWhole("erased")
}

// The unit's drop-in, the packages and the examples name one path.
func TestOnePath(t *testing.T) {
	for _, file := range []string{"systemd/rgcn.conf", "plugins.conf", "fluent-bit.yaml"} {
		data, err := os.ReadFile(filepath.Join("../../conf", file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(data, []byte(installed[0])) {
			t.Errorf("conf/%s does not name %s", file, installed[0])
		}
	}
}
