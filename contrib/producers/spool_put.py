"""spool_put() spools one value for spoolfwd from Python 3.6 and later, standard library only. Copy this file.

Promises. A file that ends in .json appears in the spool complete or not at all: the bytes go to a temporary name in the same
directory, are flushed with fsync, and take their final name by rename(2). The function raises nothing, prints nothing, and
returns True once the payload file has its final name, otherwise False.

A crash (kill -9, power cut) leaves at most a temporary `profiling_XXXXXXXX`, which spoolfwd ignores. A full disk leaves nothing.

Deliberately not done: no retry, no lock, no look at the rest of the spool. When spooling fails, the value is lost and the
program goes on. fsync waits for the disk: in a server, call it from a thread or after the answer has gone out.
"""

import json
import os
import stat
import time


def spool_put(value, directory="/var/lib/bitville-apm/buffer", limit=16 * 1024 * 1024):
    """Spool one value.

    value: a dict is one item; a list is a batch, each of its elements an item of its own. Anything else, and an empty list,
    is refused. Bytes are decoded as UTF-8 with U+FFFD for what is not; other objects become their str().
    directory: the spool. It must exist and be writable.
    limit: the most bytes of JSON; the default is spoolfwd's --max-file-size.
    """
    tmp = None
    try:
        if not isinstance(value, (dict, list, tuple)) or (value != {} and not value):
            return False
        # NaN and Infinity are not JSON: allow_nan=False refuses them here, where the caller still can see it.
        data = json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":")).encode("ascii")
        if len(data) > limit:
            return False
        unique = os.urandom(4).hex()
        path = os.path.join(directory, "profiling_" + unique)
        final = os.path.join(directory, "profile_%s_%s.json" % (time.strftime("%Y%m%d_%H%M%S"), unique))
        # O_EXCL: never through a name, or a symlink, that is there already.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        tmp = path
        try:
            if os.stat(directory).st_mode & stat.S_ISGID:
                # This bit gives the directory's group to the file, for a reader that is not its owner.
                os.fchmod(fd, 0o640)
            _write(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        if os.path.lexists(final):
            return False
        os.rename(tmp, final)
        tmp = None
        _sync_directory(directory)
        return True
    except Exception:
        return False
    finally:
        if tmp is not None:
            try:
                os.unlink(tmp)
            except OSError:
                pass


def _write(fd, data):
    """Write all of data: write(2) may take less, and does just before a disk is full."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def _sync_directory(directory):
    """Make the new name survive a power cut. The payload file is in place already, so a failure changes nothing."""
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError:
        pass


def _plain(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    return str(value)
