<?php
/**
 * spool_put() spools one value for spoolfwd from a PHP request (written for PHP 7.4 and later, no extension needed). Copy this
 * file.
 *
 * Promises. A file that ends in .json appears in the spool complete or not at all: the bytes go to a temporary name in the
 * same directory, are flushed, and take their final name by rename(2). The function never throws, prints and logs nothing,
 * and its work is bounded; it returns true once the payload file has its final name, otherwise false.
 *
 * A crash (kill -9, power cut) leaves at most a temporary `profiling_XXXXXXXX`, which spoolfwd ignores. A full disk leaves
 * nothing. fsync() came with PHP 8.1; before that a power cut within seconds of the call can leave an empty payload file,
 * which spoolfwd sets aside after ten minutes.
 *
 * Deliberately not done: no retry, no lock, no look at the rest of the spool. When spooling fails, the value is lost and
 * the request goes on; profiling data must never cost a visitor anything. fsync waits for the disk, so call it after the
 * answer has gone out:
 *
 *     register_shutdown_function(static function () use ($profile): void {
 *         if (function_exists('fastcgi_finish_request')) {
 *             fastcgi_finish_request();
 *         }
 *         spool_put($profile);
 *     });
 */

/**
 * @param array<mixed>|object $value One object (an array with string keys, or an object): one item. A list is a batch, each
 *                                   of its elements an item of its own. An empty array holds nothing and is refused.
 *                                   Bytes that are not UTF-8 become U+FFFD; what JSON cannot say becomes null or 0.
 * @param string              $dir   The spool. It must exist and be writable.
 * @param int                 $limit The most bytes of values, and twice that of JSON, that are worth the request's memory.
 *                                   The default stays within spoolfwd's --max-file-size of 16 MiB.
 */
function spool_put($value, string $dir = '/var/lib/bitville-apm/buffer', int $limit = 8388608): bool
{
    $tmp = null;
    // A framework's handler may turn every warning into an exception or a log line, even under @.
    set_error_handler(static function (): bool {
        return true;
    });
    try {
        if ((!is_array($value) && !is_object($value)) || $value === []) {
            return false;
        }
        // Running out of memory_limit cannot be caught: measure before json_encode copies everything.
        $left = $limit;
        if (!spool_put_fits($value, $left, 0)) {
            return false;
        }
        $json = json_encode($value, JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR
            | JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_SLASHES);
        if (!is_string($json) || ($json[0] !== '{' && $json[0] !== '[') || strlen($json) > 2 * $limit) {
            return false;
        }
        $real = realpath($dir);
        if ($real === false || !is_dir($real) || !is_writable($real)) {
            return false;
        }
        $path = $real . '/profiling_' . bin2hex(random_bytes(4));
        $file = spool_put_create($path);
        if ($file === false) {
            return false;
        }
        $tmp = $path;
        if (!spool_put_write($file, $json)) {
            return false;
        }
        $final = $real . '/profile_' . date('Ymd_His') . '_' . bin2hex(random_bytes(4)) . '.json';
        if (file_exists($final) || !rename($tmp, $final)) {
            return false;
        }
        $tmp = null;
        spool_put_sync_directory($real);
        return true;
    } catch (\Throwable $e) {
        return false;
    } finally {
        if ($tmp !== null) {
            unlink($tmp);
        }
        restore_error_handler();
    }
}

/**
 * Makes a file of mode 0600, or 0640 in a directory with the set-group-ID bit: it gives the directory's group to the file, for a
 * reader that is not its owner. This is the only time that it is opened: whoever may write the directory can put a link to any
 * other file in its place at any moment.
 *
 * @return resource|false
 */
function spool_put_create(string $path)
{
    $umask = umask((fileperms(dirname($path)) & 02000) === 0 ? 0077 : 0027);
    try {
        return fopen($path, 'xb'); // O_EXCL: never through a name, or a link, that is there already
    } finally {
        umask($umask);
    }
}

/**
 * Writes all of $bytes to a new file, flushes it to the disk and closes it. A full disk answers false.
 *
 * @param resource $file
 */
function spool_put_write($file, string $bytes): bool
{
    $size = strlen($bytes);
    for ($done = 0; $done < $size; $done += $n) {
        $n = fwrite($file, $done === 0 ? $bytes : substr($bytes, $done));
        if ($n === false || $n === 0) {
            fclose($file);
            return false;
        }
    }
    $ok = fflush($file) && (!function_exists('fsync') || fsync($file));
    return fclose($file) && $ok;
}

/** Makes the new name survive a power cut. The payload file is in place already, so a failure changes nothing. */
function spool_put_sync_directory(string $dir): void
{
    if (!function_exists('fsync')) {
        return;
    }
    $handle = fopen($dir, 'r');
    if ($handle !== false) {
        fsync($handle);
        fclose($handle);
    }
}

/**
 * Tells whether a value stays within $left bytes and 128 levels, without copying it and without visiting more than it must.
 *
 * @param mixed $value
 */
function spool_put_fits($value, int &$left, int $depth): bool
{
    $left -= 8 + (is_string($value) ? strlen($value) : 0);
    if ($left < 0 || $depth > 128) {
        return false;
    }
    if ($value instanceof \JsonSerializable) {
        // Asking it here would run the caller's code twice.
        return true;
    }
    if (is_object($value)) {
        // The public properties, as json_encode sees them; foreach would run an iterator.
        $value = get_object_vars($value);
    }
    if (is_array($value)) {
        foreach ($value as $key => $element) {
            $left -= is_string($key) ? strlen($key) : 0;
            if (!spool_put_fits($element, $left, $depth + 1)) {
                return false;
            }
        }
    }
    return true;
}
