<?php
helper::importControl('sso');
require_once dirname(__DIR__) . '/mashang/scan.php';

class mysso extends sso
{
    /** Sends the browser to Mashang. */
    public function scanlogin($referer = '')
    {
        $scan = new mashangScan($this);
        return $scan->start($referer);
    }
}
