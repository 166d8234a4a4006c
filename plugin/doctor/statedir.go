package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/state"
)

// access is unix.Access; tests have file systems of their own.
var access = unix.Access

// states examines each filter's state directory.
func (e *examination) states() {
	for _, p := range e.targets {
		if p.valid {
			e.state(p)
		}
	}
}

func (e *examination) state(p *target) {
	dir := p.config.State.Dir
	at := p.where("state_dir")
	add := func(level Level, text, fix string) { e.findings.add(level, TopicState, at, text, fix) }
	if dir == "" {
		if e.conf != nil {
			add(Warning, p.name+" has no State_Dir: what it learned is lost at each exit", "add State_Dir and a directory that stays, such as /var/lib/flb-filter-rgcn")
		}
		return
	}
	without := "the filter works in memory, and forgets at exit"
	if p.config.State.Required {
		without = "Fluent Bit does not start (State_Required)"
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		above, err := state.Above(dir)
		if err != nil {
			add(Problem, err.Error()+": "+without, "make what the link names, or remove it; or name a directory, which the user that Fluent Bit runs as may write")
			return
		}
		if kind := kernelFileSystem(above); kind != "" {
			add(Problem, fmt.Sprintf("%s does not exist and cannot be made: %s is a %s file system: %s", dir, above, kind, without),
				"name a directory on a disk or on a volume, such as /var/lib/flb-filter-rgcn")
			return
		}
		switch err := access(above, unix.W_OK|unix.X_OK); {
		case errors.Is(err, unix.EROFS):
			add(Problem, fmt.Sprintf("%s is not there, and cannot be made: %s", dir, onReadOnly(above, without)), writableRemedy(above))
			return
		case err != nil:
			add(Problem, fmt.Sprintf("%s is not there, and user %d cannot make it below %s: %s", dir, os.Geteuid(), above, without),
				"make it as root, and give it to the user that Fluent Bit runs as: install -d -m 0750 -o USER "+dir)
			return
		}
		text := dir + " is not there yet; Fluent Bit makes it when it starts, below " + above
		if os.Geteuid() == 0 {
			text += " (if it does not run as root, make it first: install -d -m 0750 -o USER " + dir + ")"
		}
		add(OK, text, "")
		e.fileSystem(above, dir, 0, add)
		return
	}
	if err != nil || !info.IsDir() {
		text := dir + " is no directory"
		if err != nil {
			text = fmt.Sprintf("%s: %v", dir, innermost(err))
		}
		add(Problem, text+": "+without, "name a directory, which the user that Fluent Bit runs as may write")
		return
	}
	owner := ownerOf(info)
	if err := access(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		text, fix := unwritable(dir, owner, info.Mode(), err, without)
		add(Problem, text, fix)
		return
	}
	if info.Mode()&0o022 != 0 {
		add(Warning, fmt.Sprintf("others may write in %s (%v): whoever does decides what the filter has learned", dir, info.Mode()), "take the right away: chmod go-w "+dir)
	}
	if !e.filesOf(dir, owner, without, add) {
		return
	}
	if err := state.Check(dir); err != nil {
		add(Problem, err.Error()+": "+without, "run rgcn doctor as the user of Fluent Bit; if that is this one, see to that")
		return
	}
	saved, err := filter.LookAt(dir)
	if err != nil {
		add(Problem, err.Error(), "run rgcn doctor as the user of Fluent Bit")
		return
	}
	for _, note := range saved.Notes {
		add(Warning, note, "nothing, if an older file was taken; else the filter begins anew: look at the disk")
	}
	p.saved = &saved
	p.holder, p.running = holder(filepath.Join(dir, "lock"))
	e.fileSystem(dir, dir, saved.Bytes, add)
	e.sayState(dir, owner, p, add)
}

// unwritable is why a directory cannot be used, and what to do. Where its file system is the reason, rights are none, and no
// other user could write either.
func unwritable(dir string, owner int, mode fs.FileMode, err error, without string) (text, fix string) {
	if errors.Is(err, unix.EROFS) {
		return onReadOnly(dir, without), writableRemedy(dir)
	}
	return fmt.Sprintf("%s, of user %d and with the mode %v, cannot be written by user %d: %s", dir, owner, mode, os.Geteuid(), without),
		"run rgcn doctor as the user of Fluent Bit; if that is this one, give it the directory: chown -R USER " + dir
}

func onReadOnly(path, without string) string {
	return fmt.Sprintf("the file system of %s is mounted read-only: %s", path, without)
}

// writableRemedy is what makes a file system that is mounted read-only one that can be written: for a service and in a
// container it may be so for them alone.
func writableRemedy(path string) string {
	return fmt.Sprintf("mount the file system of %s for writing (a unit with ProtectSystem wants ReadWritePaths, a container a volume without ro), or name a directory on another one", path)
}

// filesOf checks that the files belong to the directory's owner: a tool run as root leaves files that Fluent Bit's user
// cannot open.
func (e *examination) filesOf(dir string, owner int, without string, add func(Level, string, string)) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		add(Problem, fmt.Sprintf("%s: %v", dir, innermost(err)), "run rgcn doctor as the user of Fluent Bit")
		return false
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		if !info.Mode().IsRegular() {
			add(Warning, path+" is no regular file; the filter does not touch it", "remove it, if it is called lock, graph or model")
			continue
		}
		if own := ownerOf(info); owner != 0 && own != owner && info.Mode()&0o006 != 0o006 {
			add(Problem, fmt.Sprintf("%s belongs to user %d and the directory to user %d, who cannot open it: %s", path, own, owner, without),
				fmt.Sprintf("chown -R %d %s; run rgcn train as that user", owner, dir))
			return false
		}
		switch err := access(path, unix.R_OK|unix.W_OK); {
		case errors.Is(err, unix.EROFS): // a file that is mounted by itself
			add(Problem, onReadOnly(path, without), writableRemedy(path))
			return false
		case err != nil:
			add(Problem, fmt.Sprintf("%s, of user %d, cannot be opened by user %d: %s", path, ownerOf(info), os.Geteuid(), without),
				"run rgcn doctor as the user of Fluent Bit; if that is this one, give it the files: chown -R USER "+dir)
			return false
		}
	}
	return true
}

// sayState reports what the directory holds.
func (e *examination) sayState(dir string, owner int, p *target, add func(Level, string, string)) {
	text := fmt.Sprintf("%s, of user %d", dir, owner)
	switch {
	case p.running && p.holder != 0:
		text += ", in use by " + nameOf(p.holder)
	case p.running:
		text += ", in use by another process"
	default:
		text += ", free"
	}
	s := p.saved
	if s.At.IsZero() {
		add(OK, text+", empty", "")
		return
	}
	text += fmt.Sprintf(", %.1f MiB, written %v ago", float64(s.Bytes)/(1<<20), time.Since(s.At).Round(time.Second))
	if st := s.Status; st != nil {
		text += fmt.Sprintf(": %d distinct triplets, %d hosts", st.Graph.Edges, st.Graph.Nodes)
	}
	switch {
	case s.Status != nil && s.Status.Model != nil:
		text += fmt.Sprintf(", a model of %s UTC with a held-out AUC of %.3f", s.Status.Model.Trained.UTC().Format(time.DateTime), s.Status.Model.Quality)
	case s.Model:
		text += ", a model"
	default:
		text += ", no model yet"
	}
	add(OK, text, "")
	if why := filter.SavedNamingDiffers(s.Naming, p.config); why != "" {
		add(Warning, why, filter.OtherNamingRemedy)
	}
	if st := s.Status; st != nil && st.State == filter.StateDegraded {
		add(Warning, "the filter that wrote it was "+st.State+": "+st.Problem, "see conf/README.md, messages when there is no score")
	}
}

func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// forgetful are file systems that lose their files when the machine or the container ends.
var forgetful = map[int64]string{unix.TMPFS_MAGIC: "memory (tmpfs)", 0x858458f6: "memory (ramfs)", unix.OVERLAYFS_SUPER_MAGIC: "the container's own layer (overlay)"}

// leastSpare is the free space, in bytes, that a directory needs beside its files: a new file is written before the old
// one is removed.
const leastSpare = 64 << 20

// kernelFileSystem is the kind of the file system at path if the kernel alone makes what is in it, else "".
func kernelFileSystem(path string) string {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return ""
	}
	return map[int64]string{
		unix.PROC_SUPER_MAGIC: "proc", unix.SYSFS_MAGIC: "sysfs", unix.CGROUP_SUPER_MAGIC: "cgroup", unix.CGROUP2_SUPER_MAGIC: "cgroup",
		unix.DEVPTS_SUPER_MAGIC: "devpts", unix.DEBUGFS_MAGIC: "debugfs", unix.TRACEFS_MAGIC: "tracefs", unix.SECURITYFS_MAGIC: "securityfs",
	}[int64(st.Type)]
}

// fileSystem warns about one that is forgetful or full. path is the part of dir that exists.
func (e *examination) fileSystem(path, dir string, bytes int64, add func(Level, string, string)) {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return
	}
	if kind, ok := forgetful[int64(st.Type)]; ok {
		add(Warning, dir+" lies in "+kind+": what was learned is lost when the machine or the container ends", "name a directory on a disk or on a volume")
	}
	if left := int64(st.Bavail) * int64(st.Bsize); left < bytes+leastSpare {
		add(Warning, fmt.Sprintf("the file system of %s has %d MiB left; a save needs up to %d MiB", dir, left>>20, (bytes+leastSpare)>>20), "make room")
	}
}
