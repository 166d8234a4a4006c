package version

import "debug/buildinfo"

// OfFile is the commit that a file of this project was built from, as String has it; "devel" where the file does not
// say.
func OfFile(path string) (string, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", err
	}
	return ofCommit(info.Settings), nil
}
