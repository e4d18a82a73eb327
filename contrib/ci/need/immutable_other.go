//go:build !linux

package need

import "errors"

// SetImmutable is only possible on Linux.
func SetImmutable(string, bool) error { return errors.ErrUnsupported }
