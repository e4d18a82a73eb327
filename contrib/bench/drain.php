<?php
// The program that one would write in PHP to empty a spool: drain.php HANDLES SPOOL URL. HANDLES is
// new (a cURL handle for each payload), reused (one for all) or multi (four at a time). A payload
// file is removed after a 2xx.
[, $handles, $spool, $url] = $argv;

function handle(string $url): CurlHandle
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Expect:'],
        CURLOPT_CONNECTTIMEOUT => 2,
        CURLOPT_TIMEOUT => 5,
    ]);
    return $curl;
}

function settle(CurlHandle $curl, string $file): void
{
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    if ($status < 200 || $status > 299) {
        fwrite(STDERR, "drain.php: $file: status $status\n");
        exit(1);
    }
    unlink($file);
}

$files = glob("$spool/*.json");
switch ($handles) {
    case 'new':
        foreach ($files as $file) {
            $curl = handle($url);
            curl_setopt($curl, CURLOPT_POSTFIELDS, file_get_contents($file));
            curl_exec($curl);
            settle($curl, $file);
            curl_close($curl);
        }
        break;
    case 'reused':
        $curl = handle($url);
        foreach ($files as $file) {
            curl_setopt($curl, CURLOPT_POSTFIELDS, file_get_contents($file));
            curl_exec($curl);
            settle($curl, $file);
        }
        break;
    case 'multi':
        $multi = curl_multi_init();
        $busy = new SplObjectStorage(); // handle -> file
        $next = 0;
        $send = function (CurlHandle $curl) use ($multi, $busy, $files, &$next): void {
            if ($next < count($files)) {
                $busy[$curl] = $files[$next++];
                curl_setopt($curl, CURLOPT_POSTFIELDS, file_get_contents($busy[$curl]));
                curl_multi_add_handle($multi, $curl);
            }
        };
        for ($i = 0; $i < 4; $i++) {
            $send(handle($url));
        }
        while (count($busy) > 0) {
            curl_multi_exec($multi, $running);
            while ($done = curl_multi_info_read($multi)) {
                $curl = $done['handle'];
                settle($curl, $busy[$curl]);
                curl_multi_remove_handle($multi, $curl);
                $busy->detach($curl);
                $send($curl);
            }
            // Runs the handles that were just added, so that there is something to wait for.
            curl_multi_exec($multi, $running);
            if ($running > 0) {
                curl_multi_select($multi, 1.0);
            }
        }
        break;
    default:
        fwrite(STDERR, "drain.php: handles are new, reused or multi\n");
        exit(64);
}
