<?php
// Calls spool_put() as an application would: put.php DIR CASE. Exit status 0 when it answered true.
error_reporting(E_ALL);
ini_set('display_errors', '1');
require __DIR__ . '/../spool_put.php';

final class Thrower implements JsonSerializable
{
    #[\ReturnTypeWillChange]
    public function jsonSerialize()
    {
        throw new RuntimeException('not today');
    }
}

// What a framework does to warnings. It must be in force again afterwards.
set_error_handler(static function (int $level, string $message): bool {
    throw new ErrorException($message, 0, $level);
});
$loop = new stdClass();
$loop->loop = $loop;
$cases = [
    'small' => ['n' => 1],
    'normal' => ['n' => 1, 'pad' => str_repeat('x', 70000)],
    'batch' => [['n' => 1], ['n' => 2]],
    'bytes' => ['s' => "a\xff\xfeb"],
    'odd' => ['f' => NAN, 'r' => STDIN],
    'empty' => [],
    'scalar' => 'text',
    'loop' => $loop,
    'throws' => new Thrower(),
];
if ($argv[2] === 'huge') {
    $cases['huge'] = ['pad' => str_repeat('x', 48 << 20)];
}
$ok = spool_put($cases[$argv[2]], $argv[1]);
try {
    trigger_error('the handler of the application');
    echo 'the error handler of the application is gone';
} catch (ErrorException $e) {
    // As it should be.
}
exit($ok ? 0 : 1);
