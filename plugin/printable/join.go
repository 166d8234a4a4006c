package printable

import (
	"errors"
	"strings"
)

// Join is errors.Join with a text of one line: in the log, a second one would stand behind a literal \n.
func Join(errs ...error) error {
	joined, ok := errors.Join(errs...).(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	return oneLine(joined.Unwrap())
}

type oneLine []error

func (o oneLine) Error() string {
	var texts []string
	for _, err := range o {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

func (o oneLine) Unwrap() []error { return o }
