//go:build unix && !linux

package drain_test

import (
	"errors"
	"testing"
)

func setImmutable(*testing.T, string, bool) error { return errors.ErrUnsupported }
