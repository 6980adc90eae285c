<?php
helper::importControl('sso');
require_once dirname(__DIR__) . '/mashang/scan.php';

class mysso extends sso
{
    /** Receives Mashang's answer. A GET, because ZenTao empties a POST that comes from elsewhere. */
    public function scancallback()
    {
        $scan = new mashangScan($this);
        return $scan->finish();
    }
}
