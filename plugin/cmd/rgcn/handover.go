package main

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/filter"
)

// handOver gives the files that root wrote into a state directory since began to the owner of the directory: Fluent Bit,
// run as that user, could not open them otherwise and would work in memory. Other files stay as they are, since whoever
// owns the directory may have put them there.
func handOver(dir string, began time.Time, log func(filter.Level, string)) {
	if dir == "" || os.Geteuid() != 0 {
		return
	}
	given, owner, err := giveFiles(dir, began)
	if err != nil {
		log(filter.LevelWarn, fmt.Sprintf("state directory %s belongs to %s, and files in it stay root's: %v; chown them, or Fluent Bit as that user works in memory", dir, userName(owner), err))
	} else if given > 0 {
		log(filter.LevelInfo, fmt.Sprintf("state directory %s belongs to %s: the files that were written are that user's, too", dir, userName(owner)))
	}
}

// giveFiles returns how many files it gave to the owner of the directory, who is not root then.
func giveFiles(dir string, began time.Time) (given, owner int, err error) {
	d, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return 0, 0, nil // there is no directory: whatever kept the run from making it has been told
	}
	defer d.Close()
	var of unix.Stat_t
	if err := unix.Fstat(int(d.Fd()), &of); err != nil {
		return 0, 0, err
	}
	owner = int(of.Uid)
	if owner == 0 {
		return 0, owner, nil
	}
	names, err := d.Readdirnames(-1)
	if err != nil {
		return 0, owner, err
	}
	for _, name := range names {
		ok, err := giveFile(int(d.Fd()), name, &of, began)
		if err != nil {
			return given, owner, fmt.Errorf("%s: %w", name, err)
		}
		if ok {
			given++
		}
	}
	return given, owner, nil
}

// giveFile gives away a regular file that is root's and has no other name, if it was written since began or is empty, as
// a lock is.
func giveFile(dir int, name string, to *unix.Stat_t, began time.Time) (bool, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, nil // a link, a socket, or gone by now: nothing that this process wrote
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, err
	}
	written := !time.Unix(st.Mtim.Unix()).Before(began.Truncate(time.Second)) // file systems keep coarser times
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Uid != 0 || st.Nlink != 1 || !written && st.Size > 0 {
		return false, nil
	}
	return true, unix.Fchown(fd, int(to.Uid), int(to.Gid))
}

func userName(id int) string {
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		return u.Username
	}
	return "user " + strconv.Itoa(id)
}
