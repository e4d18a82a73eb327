package transmit

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http/httpguts"
)

// The functions below judge single values as [New] would, for callers that want to say where a
// wrong value came from. Their errors repeat no part of a value that may hold a secret.

// CheckURL judges Config.URL.
func CheckURL(raw string) error {
	_, err := parseTarget(raw)
	return err
}

// CheckProxy judges Config.Proxy.
func CheckProxy(text string) error {
	if text == "" || text == NoProxy {
		return nil
	}
	_, err := parseProxy(text)
	return err
}

// CheckUnixSocket judges Config.UnixSocket. Whether it is there is seen when it is connected to.
func CheckUnixSocket(path string) error {
	if most := len(syscall.RawSockaddrUnix{}.Path) - 1; len(path) > most {
		return fmt.Errorf("the path of the Unix socket is longer than the %d bytes that the system allows", most)
	}
	return nil
}

// CheckTimeout judges Config.Timeout and Config.ConnectTimeout, with their defaults put in.
func CheckTimeout(d time.Duration) error {
	if d <= 0 {
		return errors.New("must be more than 0")
	}
	return nil
}

// CheckTokenCommand judges Config.TokenCommand. The program is not looked for.
func CheckTokenCommand(line string) error {
	_, err := splitCommand(line)
	return err
}

// CheckHeader judges an entry of Config.Headers. A file that it names is not opened.
func CheckHeader(entry string) error {
	if file, isFile := strings.CutPrefix(entry, "@"); isFile {
		if file == "" {
			return errors.New("the file's name is missing after the @")
		}
		return nil
	}
	_, err := parseHeader(entry)
	return err
}

// CheckExpectHeader judges Config.ExpectHeader.
func CheckExpectHeader(line string) error {
	_, err := parseExpected(line)
	return err
}

// CheckContentType judges Config.ContentType.
func CheckContentType(value string) error {
	if !httpguts.ValidHeaderFieldValue(value) {
		return errors.New("the content type holds a control character")
	}
	return nil
}

// CheckOnStatus judges an entry of Config.OnStatus.
func CheckOnStatus(entry string) error {
	_, _, _, err := parseException(entry)
	return err
}

// CheckStatus judges the left side of such an entry: a status, or a range like 4xx.
func CheckStatus(code string) error {
	_, _, err := parseStatusRange(code)
	return err
}

// CheckCompress judges Config.Compress.
func CheckCompress(name string) error {
	_, err := newCompressor(name)
	return err
}

// Redact returns a URL for display, as [Transmitter.URL] shows it. It shows nothing of a URL that
// [CheckURL] refuses.
func Redact(raw string) string {
	t, err := parseTarget(raw)
	if err != nil {
		return invalidURL
	}
	return t.display
}

// RedactProxy returns Config.Proxy for display, likewise.
func RedactProxy(text string) string {
	if text == "" || text == NoProxy {
		return text
	}
	p, err := parseProxy(text)
	if err != nil {
		return invalidURL
	}
	return p.display
}
